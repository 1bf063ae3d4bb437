package query_test

import (
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// TestSavedFit says that a fit on the shelf foretells what it foretold when it was
// saved, is listed with what it was worth, and goes by data as of other days.
func TestSavedFit(t *testing.T) {
	mem, dict := reference.CDNOW(t)
	e := over(t, reference.Part(t, mem, 12), dict)
	const question = "expected?model=bg&horizon=26w"
	q, err := query.Parse(question)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SaveExpected(t.Context(), q, "spring sale", "a note", nil); err != nil {
		t.Fatal(err)
	}
	was, now := ask(t, e, question), ask(t, e, "expected?saved=spring%20sale&horizon=26w")
	for _, key := range []string{"buyers", "alive.90", "tenth.1.value", "fit.r", "fit.spend_q"} {
		if f, g := was.Figure(key), now.Figure(key); f == nil || g == nil || f.Value != g.Value {
			t.Errorf("%s: %v, by the saved fit %v", key, f, g)
		}
	}
	listed(t, e, now, "tenth.1")
	if warning(now, "saved") == "" || warning(now, "seen") == "" || !strings.Contains(now.Title, "BG/NBD") {
		t.Errorf("%q: %v", now.Title, now.Warnings)
	}
	if past := ask(t, e, "expected@1998-01-31?saved=spring%20sale"); past.Figure("fit.r").Value != was.Figure("fit.r").Value || past.Figure("buyers").N == 0 {
		t.Error("asked of an earlier day, the fit is another one")
	}
	a := ask(t, e, "fits")
	if f := a.Figure("fit.spring sale.buyers"); f == nil || f.Value == 0 {
		t.Fatalf("the list: %+v", a)
	}
	row := a.Blocks[0].Rows[0]
	if row.Open != "expected?saved=spring%20sale" || row.Cells[3].Text != "as fitted" || !strings.Contains(row.Cells[7].Text, "expected") || row.Cells[8].Text != "a note" {
		t.Errorf("%+v", row)
	}
	for address, reason := range map[string]string{
		"expected?saved=spring%20sale&model=pareto": "brings its own question",
		"expected?saved=sprin":                      "spring sale",
	} {
		q, err := query.Parse(address)
		if err == nil {
			_, err = e.Answer(t.Context(), q, nil)
		}
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := e.RemoveExpected("spring sale"); err != nil {
		t.Fatal(err)
	}
	if names, err := e.Named(model.KindExpected); err != nil || len(names) != 0 {
		t.Error(names, err)
	}
}
