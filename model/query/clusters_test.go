package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/model"
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
	// 60 users with one purchase each on the same day: amounts alone part them.
	dict = model.NewDictionary()
	dict.Starts, dict.Events["buy"] = "complete", "purchase"
	bought := func(amount func(u int) int64) *model.Memory {
		b := &model.Batch{}
		for u := range 60 {
			b.User, b.Event = append(b.User, fmt.Appendf(nil, "u%02d", u)), append(b.Event, []byte("buy"))
			b.Time, b.Line = append(b.Time, int64(model.DayOf(2024, 3, 1))*86_400_000), append(b.Line, int64(u+2))
			b.Amount = append(b.Amount, model.Money(amount(u)*10_000))
		}
		mem := model.NewMemory()
		l, err := mem.Begin(t.Context(), model.LoadPlan{Zone: "UTC"})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Add(b); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Commit(model.Quality{Read: 60}, []model.SourceInfo{{Path: "bought.csv", Digest: "1", Rows: 60}}); err != nil {
			t.Fatal(err)
		}
		return mem
	}
	a := ask(t, over(t, bought(func(u int) int64 { return int64(10 + u%4) }), dict), "clusters?k=3")
	if !strings.Contains(warning(a, "constant"), "days since and purchase days") {
		t.Errorf("%+v", a.Warnings)
	}
	for _, row := range block(t, a, "groups").Rows {
		if strings.Contains(row.Label, "often") || strings.Contains(row.Label, "seldom") || strings.Contains(row.Label, "ago") {
			t.Errorf("a group of users who all bought once that day is called %s", row.Label)
		}
	}
	for k, want := range map[int]string{5: "stand in 4 places of days since, purchase days and revenue alone. Ask for k=4 or fewer", 4: ""} {
		a := ask(t, over(t, bought(func(u int) int64 { return int64(10 + u%4) }), dict), fmt.Sprintf("clusters?k=%d", k))
		if got := strings.Join(a.Blocks[0].Lines, " "); !strings.Contains(got, want) || want == "" && a.Figure("cluster.4") == nil {
			t.Errorf("k=%d: %q", k, got)
		}
	}
	if a := ask(t, over(t, bought(func(int) int64 { return 7 }), dict), "tiers"); !strings.Contains(warning(a, "one-tier"), "one tier, middle") {
		t.Errorf("tiers of users who all brought the same: %+v", a.Warnings)
	}
	for want, amount := range map[string]int64{"all 60 users are alike": 7, "nobody has bought anything": -7} {
		a := ask(t, over(t, bought(func(int) int64 { return amount }), dict), "clusters")
		if got := strings.Join(a.Blocks[0].Lines, " "); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
