package query

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/stat"
	"dwell/sample/reference"
)

//go:embed testdata/peer_cutoffs.json.gz
var peerCutoffs []byte

// A peerCutoff is what scikit-learn, with the features of the reference file,
// says of the test users of one cut-off (see testdata/peer_cutoffs.py).
type peerCutoff struct {
	Data       string    `json:"data"`
	Cut        string    `json:"cut"` // features before this day, outcomes from it on
	Horizon    int       `json:"horizon"`
	Population int       `json:"population"`
	Churned    int       `json:"churned"`
	Users      []int     `json:"users"`
	Outcome    []int     `json:"outcome"`
	Logistic   []float64 `json:"logistic"`
	Boosting   []float64 `json:"gradient_boosting"`
	Hist       []float64 `json:"hist_gradient_boosting"`
}

// On the peer's own splits, with our measures as features, the paired bootstrap
// interval of the difference of AUC to the peer's best is not wholly below 0, at
// three cut-offs each of Online Retail and CDNOW.
func TestOurMeasuresAgainstScikitLearn(t *testing.T) {
	z, err := gzip.NewReader(bytes.NewReader(peerCutoffs))
	if err != nil {
		t.Fatal(err)
	}
	var all []peerCutoff
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"online_retail", "cdnow"} {
		load := reference.OnlineRetail
		if set == "cdnow" {
			if testing.Short() {
				continue // too many to train on under the race detector
			}
			load = reference.CDNOW
		}
		mem, dict := load(t)
		if _, err := mem.Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
			t.Fatal(err)
		}
		e, err := New(mem, mem, nil, Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range all {
			// Of CDNOW's many users one cut-off, unless there is time for all.
			if p.Data == set && (i%3 == 2 || os.Getenv("DWELL_LONG") != "" || set != "cdnow" && !testing.Short()) {
				p.hold(t, e)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// hold trains on the peer's training users and judges on its test users.
func (p *peerCutoff) hold(t *testing.T, e *Engine) {
	t.Helper()
	cut, err := model.ParseDay(p.Cut)
	if err != nil {
		t.Fatal(err)
	}
	st, err := e.hold(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.drop() }() // nothing is read after this
	last := cut - 1
	q := question("churn", "by", "silence", "gap", "5000", "horizon", strconv.Itoa(p.Horizon), "folds", "1", "event", "role:purchase")
	q.AsOf = last + model.Day(p.Horizon)
	r, err := e.newRun(t.Context(), st, q, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := r.churnSetting()
	if err != nil {
		t.Fatal(err)
	}
	tab, err := set.table(last)
	if err != nil {
		t.Fatal(err)
	}
	if tab.Len() != p.Population || tab.Churned() != p.Churned {
		t.Fatalf("%s %s: %d users of whom %d churned, the peer has %d and %d", p.Data, p.Cut, tab.Len(), tab.Churned(), p.Population, p.Churned)
	}
	train, test := set.blank(), set.blank()
	place := map[string]int{} // of the test users, in the peer's order
	for i, u := range p.Users {
		place[strconv.Itoa(u)] = i
	}
	values, known := make([]float64, len(tab.X)), make([]bool, len(tab.X))
	var order []int
	for i, id := range tab.IDs {
		tab.Row(i, values, known)
		n, err := strconv.Atoi(id) // CDNOW's ids have leading zeros
		if err != nil {
			t.Fatal(err)
		}
		if at, in := place[strconv.Itoa(n)]; in {
			test.Add(values, known, tab.Yes[i])
			order = append(order, at)
			if tab.Yes[i] != (p.Outcome[at] == 1) {
				t.Fatalf("%s %s: the outcome of %s is not the peer's", p.Data, p.Cut, id)
			}
		} else {
			train.Add(values, known, tab.Yes[i])
		}
	}
	area := func(fs []stat.Forecast) float64 {
		a, err := stat.AUC(fs, stat.Level)
		if err != nil {
			t.Fatal(err)
		}
		return a.AUC
	}
	best := func(of [][]stat.Forecast) []stat.Forecast {
		return slices.MaxFunc(of, func(a, b []stat.Forecast) int {
			if area(a) < area(b) {
				return -1
			}
			return 1
		})
	}
	var ours, theirs [][]stat.Forecast
	for _, kind := range []churn.Kind{churn.LogisticKind, churn.BoostingKind} {
		set.kind = kind
		m, err := churn.Train(train.Only(set.names()...), set.options(false))
		if err != nil {
			t.Fatal(err)
		}
		ours = append(ours, set.test(test, m, nil, nil).model)
	}
	for _, prob := range [][]float64{p.Logistic, p.Boosting, p.Hist} {
		var fs []stat.Forecast
		for i, at := range order {
			fs = append(fs, stat.Forecast{P: prob[at], Yes: test.Yes[i]})
		}
		theirs = append(theirs, fs)
	}
	a, b := best(ours), best(theirs)
	rng := rand.New(rand.NewPCG(1, 2))
	var diffs []float64
	x, y := make([]stat.Forecast, len(a)), make([]stat.Forecast, len(a))
	for range 200 {
		for i := range x {
			k := rng.IntN(len(a))
			x[i], y[i] = a[k], b[k]
		}
		diffs = append(diffs, area(x)-area(y))
	}
	slices.Sort(diffs)
	lo, _ := stat.Quantile(diffs, 0.025)
	hi, _ := stat.Quantile(diffs, 0.975)
	t.Logf("%s %s: AUC %.4f (logistic %.4f, boosting %.4f), the peer's best %.4f, difference %+.4f (%+.4f to %+.4f)", p.Data, p.Cut, area(a), area(ours[0]), area(ours[1]), area(b), area(a)-area(b), lo, hi)
	if hi < 0 {
		t.Errorf("%s %s: AUC %.4f, the peer has %.4f: the difference lies from %+.4f to %+.4f", p.Data, p.Cut, area(a), area(b), lo, hi)
	}
}
