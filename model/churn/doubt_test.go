package churn

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// A status joined to the events when they were exported carries who has left by
// then, a horizon after the cut-off and later: no feature ranks the outcomes
// without a mistake, but its value is named. A plan that matters a good deal is not.
func TestStatusOfTodayIsNamed(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 2))
	tab := NewTable([]string{"recency_days", "status", "plan"}, make([]string, 3))
	tab.Texts = [][]string{nil, {"", "active", "gone"}, {"", "free", "pro"}}
	for range 2000 {
		plan := 1 + float64(rng.IntN(2))
		life := rng.ExpFloat64() * 150 * plan // days from the cut-off
		status := 1.0
		if life < 300 { // by the day of the export
			status = 2
		}
		tab.Add([]float64{rng.Float64() * 30, status, plan}, nil, life < 30)
	}
	for _, kind := range []Kind{LogisticKind, BoostingKind} {
		m, err := Train(tab, Options{Kind: kind})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if len(m.Suspect) != 1 || !strings.Contains(m.Suspect[0], "status is active: none of") || !strings.Contains(m.Suspect[0], "churned") {
			t.Errorf("%s: suspect are %q", kind, m.Suspect)
		}
		clean, err := Train(tab.Only("recency_days", "plan"), Options{Kind: kind})
		if err != nil || len(clean.Suspect) > 0 {
			t.Errorf("%s without the status: suspect are %q, %v", kind, clean.Suspect, err)
		}
	}
}

// Of two features that say the same one is kept, and no reason speaks against
// another about one thing.
func TestFeaturesThatSayTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	tab := NewTable([]string{"active_days", "orders", "tenure"}, make([]string, 3))
	for range 1500 {
		days := math.Floor(rng.ExpFloat64() * 6)
		orders := days
		if rng.IntN(50) == 0 {
			orders++ // two on one day, now and then
		}
		tab.Add([]float64{days, orders, rng.Float64() * 100}, nil, rng.Float64() < 1/(1+math.Exp(days/3-1)))
	}
	m, err := Train(tab, Options{Alike: 0.99})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Alike) != 1 || m.Alike[0] != "orders (as active_days)" || len(m.Features) != 2 {
		t.Errorf("left out: %q; %d features", m.Alike, len(m.Features))
	}
	for _, r := range m.Reasons([]float64{12, 12, 50}, nil) {
		if r.Feature.Name == "active_days" && r.LogOdds >= 0 {
			t.Errorf("12 active days add %v", r.LogOdds)
		}
	}
	both, err := Train(tab, Options{})
	if err != nil || len(both.Features) != 3 || len(both.Alike) > 0 {
		t.Errorf("without being asked: %d features, %q, %v", len(both.Features), both.Alike, err)
	}
}
