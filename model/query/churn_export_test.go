package query_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"dwell/model/query"
	"dwell/sample/reference"
)

// The list of whom to contact is written whole, and says the same of each user as
// JSON and as CSV, by the same names.
func TestContactListIsWritten(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	q, err := query.Parse("targets?contact=23&folds=1")
	if err != nil {
		t.Fatal(err)
	}
	l, err := e.Users(t.Context(), q, "contact", nil)
	if err != nil {
		t.Fatal(err)
	}
	var asCSV, asJSON bytes.Buffer
	if err := query.WriteUsersCSV(&asCSV, l); err != nil {
		t.Fatal(err)
	}
	if err := query.WriteUsersJSON(&asJSON, l); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&asCSV).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if f := ask(t, e, q.String()).Figure("contact"); len(rows) != 24 || int(f.Value) != 23 || !slices.Contains(rows[0], "probability") {
		t.Fatalf("%d rows under %v, the figure is %v", len(rows)-1, rows[0], f.Value)
	}
	lines := json.NewDecoder(&asJSON)
	for n, row := range rows[1:] {
		var got map[string]any
		if err := lines.Decode(&got); err != nil {
			t.Fatal(err)
		}
		for i, name := range rows[0] {
			text, _ := got[name].(string)
			if x, ok := got[name].(float64); ok {
				text = strconv.FormatFloat(x, 'f', -1, 64)
			}
			if text != row[i] {
				t.Errorf("line %d: %s is %q in JSON, %q in CSV", n+1, name, text, row[i])
			}
		}
	}
	if lines.More() {
		t.Error("JSON has more lines than CSV")
	}
}
