package query

import (
	"context"
	"math"
	"testing"

	"dwell/model"
)

// WorthIsTheList checks that what other rooms are told of each user is what the
// list of the question says. It stands here for the tests outside the package.
func WorthIsTheList(t *testing.T, e *Engine, days int) {
	t.Helper()
	ctx := context.Background()
	st, err := e.hold(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.drop() }()
	r, err := e.newRun(ctx, st, Query{Analysis: "warnings", AsOf: model.NoDay}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.expectedValues(days)
	if err != nil {
		t.Fatal(err)
	}
	q := Query{Analysis: "expected", AsOf: r.AsOf}.With("horizon", Number(float64(days)))
	l, err := e.Users(ctx, q, "buyers", nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.why != "" || len(l.Users) == 0 {
		t.Fatalf("nobody to compare: %q, %d in the list", w.why, len(l.Users))
	}
	for _, u := range l.Users {
		if v, ok := w.of(u.ID); !ok || math.Abs(v-u.Amount.Float()) > 1e-6 {
			t.Errorf("%s: %v %v, the list has %v", u.ID, v, ok, u.Amount)
		}
	}
	if _, ok := w.of("nobody"); ok {
		t.Error("who is not there has a value")
	}
}
