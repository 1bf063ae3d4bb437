package query_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/model/query"
	"dwell/sample/reference"
)

// What an edit of the stage model does to the churn model: the AUC now is that of
// the churn answer, the AUC then that of the same question once the edit is in
// force, and the interval is of their difference.
func TestRestageChurn(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	base := ask(t, e, "churn?folds=1")
	const edit = "restage?churn=yes&with=G%3D60"
	a := ask(t, e, edit)
	now, then, change := a.Figure("churn.auc.now"), a.Figure("churn.auc.then"), a.Figure("churn.auc.change")
	if now == nil || then == nil || change == nil {
		t.Fatalf("no churn model: %+v", a.Warnings)
	}
	if now.Value != base.Figure("auc").Value || now.N != base.Figure("tested").N {
		t.Errorf("now %+v, the churn answer has %+v", now, base.Figure("auc"))
	}
	if change.Value != then.Value-now.Value || !change.Interval || change.Lo > change.Value || change.Hi < change.Value {
		t.Errorf("the difference is %+v of %v and %v", change, now.Value, then.Value)
	}
	// The pairing makes the interval narrower than that of two AUCs of other users.
	if apart := math.Hypot(now.Hi-now.Lo, then.Hi-then.Lo); change.Hi-change.Lo > apart {
		t.Errorf("the paired interval is %v wide, an unpaired one %v", change.Hi-change.Lo, apart)
	}
	tested := map[string]bool{}
	for _, u := range listed(t, e, base, "tested") {
		tested[u.ID] = true
	}
	for _, u := range listed(t, e, a, "churn.auc.change") {
		if !tested[u.ID] {
			t.Errorf("%s is listed and was not tested", u.ID)
		}
	}
	if same := ask(t, e, "restage?churn=yes&with=growth.title%3DOther").Figure("churn.auc.change"); same.Value != 0 || same.Lo != 0 || same.Hi != 0 {
		t.Errorf("another title changes the churn model: %+v", same)
	}
	if plain := ask(t, e, "restage?with=G%3D60"); plain.Figure("churn.auc.now") != nil {
		t.Error("the churn model was trained without being asked for")
	}
	// The churn question may be another one: its AUC is that of the churn answer asked so.
	for _, opts := range []string{"model=hazard", "by=silence&horizon=20", "features=recency_days,dwell_days&seed=3&gap=20", "goal=active&who=silent&gap=10"} {
		base, other := ask(t, e, "churn?folds=1&"+opts), ask(t, e, edit+"&"+opts)
		was, is := base.Figure("auc"), other.Figure("churn.auc.now")
		if was == nil || is == nil || was.Value != is.Value || was.N != is.N {
			t.Errorf("%s: %+v, the churn answer has %+v", opts, is, was)
		}
	}
	for address, why := range map[string]string{"restage?with=G%3D60&gap=20": "ask for it with churn=yes", edit + "&by=stage": "cannot be compared", edit + "&who=all": "who= says whose goal"} {
		if q, err := query.Parse(address); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, %v", address, q, err)
		}
	}
	q, err := query.Parse(edit)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.AcceptModel(context.Background(), q, ""); err != nil {
		t.Fatal(err)
	}
	var gap, horizon int
	if _, err := fmt.Sscanf(base.Title, "Churn · %d days of silence · horizon %d days", &gap, &horizon); err != nil {
		t.Fatalf("%s: %v", base.Title, err)
	}
	after := ask(t, e, fmt.Sprintf("churn?folds=1&gap=%d&horizon=%d", gap, horizon))
	if got := after.Figure("auc").Value; got != then.Value {
		t.Errorf("in force the edit gives an AUC of %v, foretold was %v", got, then.Value)
	}
}
