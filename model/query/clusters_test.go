package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/sample/reference"
)

// TestClustersOnlineRetail compares the groups' inertia with the best of 50 runs of
// the peer, over the same features as its own: purchases alone, days counted from the day after
// the last.
func TestClustersOnlineRetail(t *testing.T) {
	mem, dict := reference.OnlineRetail(t)
	e := over(t, mem, dict)
	var p struct {
		Bought map[string]struct {
			Best       float64 `json:"best_inertia_of_50"`
			Sizes      []int64 `json:"best_sizes_sorted"`
			Silhouette float64 `json:"silhouette_best_sample_5000_seed0"`
		} `json:"kmeans_rfm_purchase_only"`
	}
	reference.JSON(t, "events_online_retail.json", &p)
	want, ok := p.Bought["4"]
	if !ok {
		t.Fatal("the reference has no division into 4")
	}
	a := ask(t, e, "clusters@2011-12-10?k=4&amounts=gross&frequency=orders")
	if got := a.Figure("fit.inertia").Value; got > want.Best*(1+1e-4) || got < want.Best*(1-1e-2) {
		t.Errorf("inertia %.3f, the peer's best %.3f", got, want.Best)
	}
	if got := a.Figure("fit.silhouette").Value; math.Abs(got-want.Silhouette) > 0.02 {
		t.Errorf("silhouette %.3f, the peer's %.3f of another sample", got, want.Silhouette)
	}
	for i, n := range want.Sizes {
		f := a.Figure(fmt.Sprintf("cluster.%d", len(want.Sizes)-i))
		if math.Abs(f.Value-float64(n)) > 0.01*float64(n)+2 {
			t.Errorf("%s has %v, the peer %d", f.Key, f.Value, n)
		}
	}
	if again := ask(t, over(t, mem, dict), a.Address); fmt.Sprint(again.Figures) != fmt.Sprint(a.Figures) {
		t.Error("the same seed gives other groups")
	}
}

// TestClustersAddUp says that every user is in one group or left out, that groups
// and stages are of the same users, and that what cannot be divided gets a sentence.
func TestClustersAddUp(t *testing.T) {
	mem, dict := randomData(t, 21, 120)
	e := over(t, mem, dict)
	for _, address := range []string{"clusters", "clusters?k=3&features=revenue,orders,active_days", "clusters?k=2&starts=1&features=recency_days", "clusters@2020-06-01?k=5&seed=3"} {
		a := ask(t, e, address)
		sum, stages := 0.0, 0.0
		for i := range a.Figures {
			f := &a.Figures[i]
			switch {
			case strings.HasPrefix(f.Key, "cluster.") && strings.Count(f.Key, ".") == 1:
				sum += f.Value
				listed(t, e, a, f.Key)
			case strings.HasPrefix(f.Key, "stage.") && strings.HasSuffix(f.Key, ".1"):
				stages += float64(f.N)
			}
		}
		if in := a.Figure("clustered").Value; sum != in || stages != in || in == 0 {
			t.Errorf("%s: groups of %v and stages of %v for %v clustered users", address, sum, stages, in)
		}
		if f := a.Figure("fit.explained"); f.Value < 0 || f.Value > 1 {
			t.Errorf("%s: %v of the spread is between groups", address, f.Value)
		}
	}
	few, dict := randomData(t, 2, 3)
	if a := ask(t, over(t, few, dict), "clusters?k=12"); a.Figure("cluster.1") != nil || len(a.Blocks) == 0 || a.Blocks[0].Name != "none" {
		t.Errorf("three users in twelve groups: %+v", a.Blocks)
	}
}
