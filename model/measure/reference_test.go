package measure_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"testing"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/rule"
	"dwell/sample/reference"
)

// population computes measures, written as in rules, for everybody on a day.
func population(t *testing.T, mem *model.Memory, dict *model.Dictionary, day string, until bool, srcs ...string) (ids []string, cols []*measure.Column) {
	t.Helper()
	snap, err := mem.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	s, err := measure.NewSchema(snap.Info(), dict)
	if err != nil {
		t.Fatal(err)
	}
	s = s.WithModel(map[string]float64{"beat": 7}, nil)
	var refs []measure.Ref
	for _, src := range srcs {
		r, _, err := rule.Measure(src, rule.Env{Schema: s})
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, r)
	}
	set, err := measure.Compile(refs, s)
	if err != nil {
		t.Fatal(err)
	}
	d, err := model.ParseDay(day)
	if err != nil {
		t.Fatal(err)
	}
	f, cur := set.Filter(), set.NewCursor()
	if until {
		f.Until = s.Cal.Cut(d)
	}
	for i := range refs {
		cols = append(cols, set.NewColumn(i, 0))
	}
	for _, split := range snap.Splits(3) {
		part := make([]*measure.Column, len(refs))
		for i := range refs {
			part[i] = set.NewColumn(i, 0)
		}
		err := snap.Scan(context.Background(), split, f, func(tl *model.Timeline) error {
			cur.Reset(tl)
			cur.At(d, measure.State{})
			if cur.First() == model.NoDay {
				return nil // not there yet
			}
			ids = append(ids, tl.ID)
			for i := range refs {
				part[i].Push(cur, i)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range refs {
			cols[i].Concat(part[i])
		}
	}
	return ids, cols
}

func mean(c *measure.Column) (sum float64) {
	n := 0
	for i := range c.Len {
		if v, ok := c.At(i); ok {
			sum += v
			n++
		}
	}
	return sum / float64(n)
}

// The RFM scores of pandas on the whole CDNOW set and on the invoices of Online
// Retail.
func TestRFMReference(t *testing.T) {
	type rfm struct {
		Counts map[string]map[string]int `json:"score_counts_threshold"`
		Cells  map[string]int            `json:"cells_threshold"`
		Means  map[string]float64        `json:"means"`
	}
	var cd struct {
		RFM rfm `json:"rfm"`
	}
	var or struct {
		RFM rfm `json:"rfm_purchase_only"`
	}
	reference.JSON(t, "events_cdnow.json", &cd)
	reference.JSON(t, "events_online_retail.json", &or)
	for _, tt := range []struct {
		name    string
		open    func(testing.TB) (*model.Memory, *model.Dictionary)
		day     string
		r, f, m string
		want    rfm
	}{
		{"cdnow", reference.CDNOW, "1998-07-01", "recency_days", "active_days", "revenue", cd.RFM},
		{"online_retail", reference.OnlineRetail, "2011-12-10", "days_since(purchase)", "orders", "sum(amount, role(purchase))", or.RFM},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mem, dict := tt.open(t)
			_, all := population(t, mem, dict, tt.day, false, tt.r, tt.f, tt.m)
			cols := make([]*measure.Column, 3) // buyers alone, as the peer has them
			for k := range cols {
				cols[k] = measure.NewRanked(all[k].Ref, false, 0)
				for i := range all[k].Len {
					if _, buyer := all[0].At(i); buyer {
						cols[k].Append(all[k].At(i))
					}
				}
			}
			for k, name := range []string{"R", "F", "M"} {
				if got, want := mean(cols[k]), tt.want.Means[name]; math.Abs(got-want) > 1e-6*want {
					t.Errorf("mean %s = %.6f, want %.6f", name, got, want)
				}
			}
			scores := make([]*measure.Column, 3)
			for k := range cols {
				scores[k] = measure.Scores(cols[k].Ref, cols[k], k == 0)
			}
			cells, counts := map[string]int{}, map[string]map[string]int{"R": {}, "F": {}, "M": {}}
			for i := range cols[0].Len {
				cell := ""
				for k, name := range []string{"R", "F", "M"} {
					v, _ := scores[k].At(i)
					cell += strconv.Itoa(int(v))
					counts[name][strconv.Itoa(int(v))]++
				}
				cells[cell]++
			}
			if got, want := fmt.Sprint(counts), fmt.Sprint(tt.want.Counts); got != want {
				t.Errorf("scores %s,\n want %s", got, want)
			}
			if got, want := fmt.Sprint(cells), fmt.Sprint(tt.want.Cells); got != want {
				t.Errorf("cells %s,\n want %s", got, want)
			}
		})
	}
}

// Sessions of 30 minutes as pandas counts them; ecom's own session ids agree.
func TestSessionsReference(t *testing.T) {
	for name, open := range map[string]func(testing.TB) (*model.Memory, *model.Dictionary){
		"events_ecom.json": reference.Ecom, "events_rees46_sample.json": reference.Rees46,
	} {
		var want struct {
			Sessions struct{ Sessions int } `json:"sessions_30min"`
		}
		reference.JSON(t, name, &want)
		mem, dict := open(t)
		_, cols := population(t, mem, dict, "2030-01-01", false, "sessions")
		if got := mean(cols[0]) * float64(cols[0].Len); math.Abs(got-float64(want.Sessions.Sessions)) > 1e-6 {
			t.Errorf("%s: %v sessions, want %d", name, got, want.Sessions.Sessions)
		}
	}
}

// The features of the peer's churn models, as of the day before the cut-off, over
// its training users. Reading to the cut-off or to the end must not matter.
func TestFeatureReference(t *testing.T) {
	var ref map[string]json.RawMessage
	reference.JSON(t, "churn.json", &ref)
	srcs := []string{"recency_days", "tenure_days", "events", "active_days", "events_7", "active_days_7", "events_30", "active_days(30)", "events_90", "active_days_90"}
	keys := []string{"recency_days", "tenure_days", "events", "active_days", "events_last_7d", "active_days_last_7d", "events_last_30d", "active_days_last_30d", "events_last_90d", "active_days_last_90d"}
	for _, tt := range []struct {
		set, day string
		open     func(testing.TB) (*model.Memory, *model.Dictionary)
		numeric  bool // the peer sorts ids as numbers
	}{
		{"cdnow_master_cut_1997-10-01_180d", "1997-09-30", reference.CDNOW, true},
		{"ecom_cut_2024-05-15_30d", "2024-05-14", reference.Ecom, false},
	} {
		var want struct {
			Population int                `json:"population"`
			Mean       map[string]float64 `json:"train_mean"`
		}
		if err := json.Unmarshal(ref[tt.set], &want); err != nil {
			t.Fatal(err)
		}
		mem, dict := tt.open(t)
		for _, until := range []bool{true, false} {
			ids, cols := population(t, mem, dict, tt.day, until, srcs...)
			if len(ids) != want.Population {
				t.Fatalf("%s: %d users, want %d", tt.set, len(ids), want.Population)
			}
			order := make([]int, len(ids))
			for i := range order {
				order[i] = i
			}
			sort.Slice(order, func(a, b int) bool {
				x, y := ids[order[a]], ids[order[b]]
				if tt.numeric {
					p, _ := strconv.Atoi(x)
					q, _ := strconv.Atoi(y)
					return p < q
				}
				return x < y
			})
			for k, c := range cols {
				sum, n := 0.0, 0
				for at, i := range order {
					if at%5 == 0 {
						continue // the peer's test users
					}
					v, _ := c.At(i)
					sum += v
					n++
				}
				got := sum / float64(n)
				if keys[k] == "recency_days" || keys[k] == "tenure_days" {
					got++ // the peer counts from the cut-off day itself
				}
				if math.Abs(got-want.Mean[keys[k]]) > 1e-8*max(1, got) {
					t.Errorf("%s: mean %s = %.9f, want %.9f", tt.set, keys[k], got, want.Mean[keys[k]])
				}
			}
		}
	}
}

// SPEC 2: 16,766 active days of purchases, 4,339 customers with one.
func TestOnlineRetailActiveDays(t *testing.T) {
	mem, dict := reference.OnlineRetail(t)
	ids, cols := population(t, mem, dict, "2011-12-09", false, "active_days", "refunds")
	days, buyers := 0.0, 0
	for i := range ids {
		v, _ := cols[0].At(i)
		days += v
		if v > 0 {
			buyers++
		}
	}
	if len(ids) != 4372 || buyers != 4339 || days != 16766 {
		t.Errorf("%d customers, %d with an active day, %v active days; want 4372, 4339, 16766", len(ids), buyers, days)
	}
}
