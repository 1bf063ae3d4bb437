package query_test

import (
	"strings"
	"testing"

	"dwell/model"
	"dwell/sample/reference"
)

// TestUnjudgedSegment: a saved segment that names a property the data have lost
// stands in the list with its reason; the others are counted as before.
func TestUnjudgedSegment(t *testing.T) {
	mem, dict := reference.Ecom(t)
	for name, rule := range map[string]string{"mobile": `platform == "mobile"`, "gone": `tariff == "pro"`} {
		if _, err := mem.Put(model.KindSegment, name, []byte("rule = '"+rule+"'\n"), ""); err != nil {
			t.Fatal(err)
		}
	}
	e := over(t, mem, dict)
	for _, address := range []string{"segments", "crosstab"} {
		a := ask(t, e, address)
		told := false
		for _, w := range a.Warnings {
			told = told || strings.Contains(w.Text, `"gone"`) && strings.Contains(w.Text, "tariff")
		}
		if !told {
			t.Errorf("%s: nothing says that the segment cannot be judged: %v", address, a.Warnings)
		}
	}
	a := ask(t, e, "segments")
	if f := a.Figure("saved.mobile"); f == nil || f.Value == 0 {
		t.Errorf("the other segment: %+v", f)
	}
	if a.Figure("saved.gone") != nil {
		t.Error("who cannot be judged is counted")
	}
	for _, b := range a.Blocks {
		for _, r := range b.Rows {
			if r.Label == "gone" {
				return
			}
		}
	}
	t.Error("the segment cannot be chosen, so not be removed")
}
