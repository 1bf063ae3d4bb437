package query_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/query"
	"dwell/sample/reference"
)

// Saved models are listed with what they were worth, also where the model came
// from the cache; they are renamed and removed by name, and stale once the stage
// model is another.
func TestSavedModelsAreListed(t *testing.T) {
	mem, dict := reference.Ecom(t)
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	q, err := query.Parse("churn?gap=30&horizon=30&folds=1")
	if err != nil {
		t.Fatal(err)
	}
	var e *query.Engine
	for range 2 { // the second engine finds the model in the cache
		if e != nil {
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if e, err = query.New(mem, mem, mem, query.Options{Workers: 2}); err != nil {
			t.Fatal(err)
		}
		if a := ask(t, e, "churnmodels"); len(a.Figures) == 0 && !strings.Contains(a.Blocks[0].Title, "No model") {
			t.Errorf("without models: %+v", a.Blocks)
		}
		if err := e.SaveChurn(ctx, q, "spring", "why", nil); err != nil {
			t.Fatal(err)
		}
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	trained := ask(t, e, q.String())
	row := func(name string) (cells []string) {
		t.Helper()
		a := ask(t, e, "churnmodels")
		for _, r := range a.Blocks[0].Rows {
			if r.Key == name {
				for _, c := range r.Cells {
					cells = append(cells, c.Text)
				}
				if f, want := a.Figure("model."+name+".auc"), trained.Figure("auc"); f == nil || f.Value != want.Value || f.Lo != want.Lo || f.Hi != want.Hi || f.N != want.N {
					t.Errorf("AUC of %s %+v, trained %+v", name, f, want)
				}
				if b := ask(t, e, r.Open); slices.Contains(cells, "as trained") && b.Figure("auc").Value != trained.Figure("auc").Value {
					t.Errorf("%s opens another AUC", r.Open)
				}
			}
		}
		return cells
	}
	if got := row("spring"); !slices.Contains(got, "as trained") || !slices.Contains(got, "logistic") || !slices.Contains(got, "why") {
		t.Errorf("the list says %q", got)
	}
	if err := e.RenameChurn("spring", "last year"); err != nil {
		t.Fatal(err)
	}
	if row("spring") != nil || row("last year") == nil {
		t.Error("the renamed model is listed by its old name, or not by its new one")
	}
	for _, c := range []struct{ old, name, want string }{{"spring", "x", "no saved model"}, {"last year", "a/b", "cannot name"}, {"last year", "last year", "already"}} {
		if err := e.RenameChurn(c.old, c.name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q to %q: %v", c.old, c.name, err)
		}
	}
	edit, err := query.Parse("restage?with=G%3D35")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.AcceptModel(ctx, edit, ""); err != nil {
		t.Fatal(err)
	}
	if got := row("last year"); !slices.Contains(got, "stale: other stage model") {
		t.Errorf("under another stage model the list says %q", got)
	}
	if w := ask(t, e, "churn?saved=last%20year").Warnings; !slices.ContainsFunc(w, func(w query.Warning) bool { return w.Code == "saved-stale" }) {
		t.Errorf("under another stage model the answer warns of %v", w)
	}
	if names, err := e.Named(model.KindChurn); err != nil || len(names) != 1 {
		t.Errorf("names on the shelf: %v, %v", names, err)
	}
	if err := e.RemoveChurn("last year"); err != nil {
		t.Fatal(err)
	}
	if err := e.RemoveChurn("last year"); err == nil || errors.Is(err, churn.ErrBadModel) {
		t.Errorf("removed twice: %v", err)
	}
}
