package rule

import (
	"strings"
	"testing"

	"dwell/model"
)

// A condition on events alone decides as it does within a measure, and refuses
// what is about a user.
func TestEvents(t *testing.T) {
	env := Env{Schema: testSchema(t)}
	for src, want := range map[string]string{
		"tenure_days > 3": "is about a user",
		"1 +":             "",
		"nonsense == 1":   "no property nonsense",
	} {
		if _, err := Events(src, env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", src, err, want)
		}
	}
}

// TestEventsMatch judges single events.
func TestEventsMatch(t *testing.T) {
	w, err := Events(`amount > 20`, Env{Schema: testSchema(t)})
	if err != nil {
		t.Fatal(err)
	}
	tl := model.Timeline{Time: []int64{0, 1}, Name: []model.NameID{0, 0}, Amount: []model.Money{25_000_000, model.NoMoney}}
	if !w.Amounts() || len(w.Columns()) != 0 || !w.Match(&tl, nil, 0) || w.Match(&tl, nil, 1) {
		t.Errorf("%s: amounts %v, columns %v", w, w.Amounts(), w.Columns())
	}
}
