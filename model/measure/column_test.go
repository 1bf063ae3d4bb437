package measure_test

import (
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/measure"
)

// Columns filled by several goroutines' worth of parts say what the cursor said.
func TestColumnsKeepWhatTheCursorSays(t *testing.T) {
	refs := allRefs()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchema(t)
		cur := compile(t, refs, s)
		day := model.DayOf(2024, 5, 1)
		var whole, part []*measure.Column
		for i := range refs {
			whole = append(whole, cur.Set().NewColumn(i, 0))
			part = append(part, nil)
		}
		type cell struct {
			v     float64
			known bool
			text  string
		}
		var want [][]cell
		for range rapid.IntRange(1, 3).Draw(t, "parts") {
			for i := range refs {
				part[i] = cur.Set().NewColumn(i, 4)
			}
			for range rapid.IntRange(0, 3).Draw(t, "users") {
				cur.Reset(drawTimeline(t))
				cur.At(day, measure.State{})
				row := make([]cell, len(refs))
				for i := range refs {
					part[i].Push(cur, i)
					row[i].v, row[i].known = cur.Value(i)
					row[i].text = cur.Text(i)
				}
				want = append(want, row)
			}
			for i := range refs {
				whole[i].Concat(part[i])
			}
		}
		for i, c := range whole {
			if c.Len != len(want) {
				t.Fatalf("%s: %d rows, want %d", refs[i], c.Len, len(want))
			}
			for u := range want {
				v, known := c.At(u)
				w := want[u][i]
				if c.Type == measure.Text {
					if c.Text(u) != w.text || known != w.known {
						t.Fatalf("%s: %q %v, want %q %v", refs[i], c.Text(u), known, w.text, w.known)
					}
				} else if known != w.known || known && v != w.v {
					t.Fatalf("%s: %v %v, want %v %v", refs[i], v, known, w.v, w.known)
				}
			}
		}
	})
}

// DESIGN 9: a population of the measures that screens and rules use most keeps
// at most 200 bytes a user.
func TestPopulationBytes(t *testing.T) {
	var refs []measure.Ref
	for _, name := range strings.Fields(`stage high_water spell dwell_days max_dwell spell_active_days beats_active_4 tenure_days recency_days first_day
		last_day events active_days sessions gap_median_days overdue base_active rate_ratio drop_p orders revenue aov refunds complaints
		contract_open active_today cancelled_today milestones_135`) {
		refs = append(refs, measure.Of(name))
	}
	refs = append(refs, measure.Of("events", 30), measure.Of("active_days", 28), measure.Of("revenue", 90), measure.Property("plan"), measure.Property("score"))
	cur := compile(t, refs, testSchema(t, "UTC", model.Columns{}))
	const n = 10_000
	cur.Reset(&model.Timeline{Time: []int64{0}, Dated: []bool{false}, Name: []model.NameID{0}, Amount: []model.Money{1}, Props: []model.Column{
		{Codes: []uint32{1}}, {Codes: []uint32{1}}, {Codes: []uint32{1}}, {Plain: []string{"x"}}, {Codes: []uint32{1}}, {Codes: []uint32{1}}}})
	cur.At(40, measure.State{})
	bytes := 0
	for i := range refs {
		c := cur.Set().NewColumn(i, n)
		for range n {
			c.Push(cur, i)
		}
		bytes += c.Bytes()
	}
	if per := bytes / n; per > 200 {
		t.Errorf("%d measures take %d bytes a user", len(refs), per)
	}
}

func TestRankings(t *testing.T) {
	cur := compile(t, []measure.Ref{measure.Of("revenue")}, testSchema(t, "UTC", model.Columns{}))
	c := cur.Set().NewColumn(0, 0)
	for _, v := range []float64{10, 20, 20, 30, 5} {
		c.Append(v, true)
	}
	c.Append(0, false)
	ranked, ok := measure.Rank("value_pct", c, nil)
	if !ok {
		t.Fatal("value_pct is no population measure")
	}
	var got []float64
	for i := range 5 {
		v, _ := ranked.At(i)
		got = append(got, v)
	}
	// Below 10: one of five, equal: one. 100·(1 + ½)/5 = 30, and so on by hand.
	if want := []float64{30, 60, 60, 90, 10}; !slices.Equal(got, want) {
		t.Errorf("percentiles %v, want %v", got, want)
	}
	if _, known := ranked.At(5); known {
		t.Error("a missing value got a rank")
	}
	if _, ok := measure.Rank("revenue", c, nil); ok {
		t.Error("revenue ranks nobody")
	}
	same := measure.NewRanked(measure.Of("revenue"), false, 0)
	for range 7 {
		same.Append(3, true)
	}
	for _, reverse := range []bool{false, true} {
		v, _ := measure.Scores(measure.Of("monetary_score"), same, reverse).At(0)
		if v != 1 && v != 5 {
			t.Errorf("equal values score %v", v)
		}
	}
	if c := measure.Scores(measure.Of("x"), measure.NewRanked(measure.Of("y"), false, 0), false); c.Len != 0 {
		t.Error("nobody got a score")
	}
	rapid.Check(t, func(t *rapid.T) {
		c := measure.NewRanked(measure.Of("revenue"), false, 0)
		xs := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 30).Draw(t, "xs")
		for _, x := range xs {
			c.Append(float64(x), true)
		}
		pct, sum := measure.MidRank(measure.Of("value_pct"), c), 0.0
		for i, x := range xs {
			below, equal := 0, 0
			for _, y := range xs {
				if y < x {
					below++
				} else if y == x {
					equal++
				}
			}
			v, _ := pct.At(i)
			if want := 100 * (float64(below) + float64(equal)/2) / float64(len(xs)); math.Abs(v-want) > 1e-9 {
				t.Fatalf("percentile %v, want %v", v, want)
			}
			sum += v
		}
		if math.Abs(sum/float64(len(xs))-50) > 1e-9 {
			t.Fatalf("mean percentile %v", sum/float64(len(xs)))
		}
	})
}

// After the first users a cursor allocates nothing, whatever it computes.
func TestCursorAllocatesNothing(t *testing.T) {
	refs := allRefs()
	s := testSchema(t, "America/New_York", model.Columns{Order: "order", PaidUntil: "paid_until"})
	cur := compile(t, refs, s)
	r := rand.New(rand.NewSource(1))
	tl := &model.Timeline{ID: "u", Props: make([]model.Column, len(s.Info.Keys))}
	at := int64(model.DayOf(2024, 1, 1)) * 86_400_000
	for range 200 {
		at += r.Int63n(2 * 86_400_000)
		tl.Time = append(tl.Time, at)
		tl.Name = append(tl.Name, model.NameID(r.Intn(len(names))))
		tl.Amount = append(tl.Amount, model.Money(r.Intn(100))*model.Unit)
		for k := range tl.Props {
			if s.Info.Keys[k].Plain {
				tl.Props[k].Plain = append(tl.Props[k].Plain, "x")
			} else {
				tl.Props[k].Codes = append(tl.Props[k].Codes, uint32(r.Intn(len(s.Info.Keys[k].Values))))
			}
		}
	}
	run := func() {
		cur.Reset(tl)
		for day := model.DayOf(2024, 1, 1); day < model.DayOf(2024, 10, 1); day += 9 {
			cur.At(day, measure.State{})
			for i := range refs {
				cur.Value(i)
				cur.Drift(i)
			}
		}
	}
	run()
	if n := testing.AllocsPerRun(5, run); n > 0 {
		t.Errorf("%v allocations for a user", n)
	}
}

func TestCompileRefuses(t *testing.T) {
	s := testSchema(t, "UTC", model.Columns{})
	two := testSchema(t, "UTC", model.Columns{Currency: "plan"})
	bare := testSchema(t, "UTC", model.Columns{}).WithModel(nil, nil)
	for _, tt := range []struct {
		r    measure.Ref
		s    *measure.Schema
		want string
	}{
		{measure.Of("nothing"), s, `no measure "nothing"`},
		{measure.Of("value_pct"), s, "not stage rules"},
		{measure.Of("count"), s, "needs an event"},
		{measure.Of("sum"), s, "needs a property"},
		{measure.Ref{Name: "distinct", Key: measure.Amount}, s, "not the amount"},
		{measure.Ref{Name: "affinity", Key: measure.EventName}, s, "not the event's name"},
		{measure.Ref{Name: "count", Event: "opne"}, s, `no event is called "opne"`},
		{measure.Ref{Name: "prop", Key: "plna"}, s, `no property is called "plna"`},
		{measure.Of("tenure_days", 3), s, "no window"},
		{measure.Of("events", -3), s, "1 to 36525 days"},
		{measure.Ref{Name: "stage", Where: isPro{}}, s, "no condition"},
		{measure.Of("revenue"), two, "several currencies (free, pro)"},
		{measure.Ref{Name: "sum", Key: measure.Amount}, two, "name one"},
		{measure.Of("overdue"), bare, "needs beat"},
	} {
		_, err := measure.Compile([]measure.Ref{tt.r}, tt.s)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want …%s…", tt.r, err, tt.want)
		}
	}
	if _, err := measure.Compile([]measure.Ref{{Name: "sum", Key: measure.Amount, Where: isPro{}}}, two); err != nil {
		t.Errorf("a sum over one currency: %v", err)
	}
	for name, want := range map[string]string{"revenue": "amounts are in several currencies: free, pro", "events": ""} {
		f, _, _ := measure.Lookup(name)
		if got := two.Unavailable(f); got != want {
			t.Errorf("%s is unavailable because %q, want %q", name, got, want)
		}
	}
	f, _, _ := measure.Lookup("overdue")
	if bare.Unavailable(f) == "" {
		t.Error("overdue is there without a model")
	}
}

// Without amounts revenue is missing, not zero (SPEC 1, +input).
func TestNoAmountsIsNotZero(t *testing.T) {
	s := testSchema(t, "UTC", model.Columns{})
	s.Info.Amounts = false
	cur := compile(t, []measure.Ref{measure.Of("revenue"), measure.Of("aov"), {Name: "sum", Key: measure.Amount}, measure.Of("orders")}, s)
	cur.Reset(&model.Timeline{Time: []int64{0}, Name: []model.NameID{1}, Props: make([]model.Column, 6)})
	cur.At(3, measure.State{})
	for i, want := range []bool{false, false, false, true} {
		if v, known := cur.Value(i); known != want {
			t.Errorf("slot %d = %v, known %v", i, v, known)
		}
	}
}
