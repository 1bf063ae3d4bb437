package measure_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/measure"
)

func TestBits(t *testing.T) {
	a, b := measure.NewBits(130), measure.NewBits(130)
	for _, i := range []int{0, 63, 64, 129} {
		a.Set(i)
	}
	b.Set(64)
	b.Put(129, true)
	b.Put(129, false)
	b.Put(0, true)
	rows := func(x measure.Bits) (out []int) {
		x.Each(func(i int) bool { out = append(out, i); return len(out) < 3 })
		return out
	}
	if got := rows(a); !slices.Equal(got, []int{0, 63, 64}) || a.Count() != 4 || a.Get(1) || a.Get(4000) {
		t.Errorf("a holds %v, %d", got, a.Count())
	}
	c := slices.Clone(a)
	c.AndNot(b)
	if got := rows(c); !slices.Equal(got, []int{63, 129}) {
		t.Errorf("a without b is %v", got)
	}
	a.And(b)
	if got := rows(a); !slices.Equal(got, []int{0, 64}) {
		t.Errorf("a and b is %v", got)
	}
}

func TestACursorNeedsWhatItsMeasuresRead(t *testing.T) {
	s := testSchema(t, "UTC", model.Columns{Order: "order"})
	refs := []measure.Ref{measure.Of("revenue"), measure.Of("orders"), measure.Property("plan")}
	set, err := measure.Compile(refs, s)
	if err != nil {
		t.Fatal(err)
	}
	full := set.Filter()
	if !slices.Equal(full.Columns, []string{"order", "plan"}) || !full.Amounts || full.Names != nil || full.Until != model.NoCut {
		t.Errorf("filter %+v", full)
	}
	if w := set.Widen(model.Filter{Columns: []string{"note", "plan"}}); !slices.Equal(w.Columns, []string{"note", "plan", "order"}) || !w.Amounts {
		t.Errorf("widened %+v", w)
	}
	for want, f := range map[string]model.Filter{
		"amounts":     {Columns: full.Columns},
		`"plan"`:      {Columns: []string{"order"}, Amounts: true},
		"must not ch": {Columns: full.Columns, Amounts: true, Names: []string{"open"}},
	} {
		if _, err := set.NewCursorFor(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want …%s…", f, err, want)
		}
	}
	if set.Len() != 3 || set.Ref(2).String() != `prop("plan")` || set.Dict(2)[1] != "free" || set.Schema() != s {
		t.Error("the set does not tell what it holds")
	}
}

// Dates alone and times stand in the order of days, whatever the zone did.
func TestEventsBehindADay(t *testing.T) {
	s := testSchema(t, "Pacific/Auckland", model.Columns{})
	day := model.DayOf(2024, 3, 5)
	midnight := int64(day) * 86_400_000
	tl := &model.Timeline{ // 11:00 UTC on the 5th is the 6th in Auckland; the date alone stays the 5th
		Time:   []int64{midnight - 3_600_000, midnight, midnight + 11*3_600_000, midnight + 86_400_000},
		Dated:  []bool{false, true, false, true},
		Name:   []model.NameID{0, 0, 0, 0},
		Amount: make([]model.Money, 4),
	}
	cur := compile(t, []measure.Ref{measure.Of("events")}, s)
	cur.Reset(tl)
	if cur.First() != model.NoDay || cur.NextEvent() != day {
		t.Errorf("before the first day: first %s, next %s", cur.First(), cur.NextEvent())
	}
	cur.At(day, measure.State{})
	if got := cur.Events(day, day+5); fmt.Sprint(got) != "[0 1]" {
		t.Errorf("events of the day %v", got)
	}
	cur.At(day+1, measure.State{})
	if got := cur.Events(day+1, day+1); fmt.Sprint(got) != "[2 3]" {
		t.Errorf("events of the next day %v", got)
	}
	if cur.NextEvent() != measure.Never || cur.Timeline() != tl || cur.First() != day {
		t.Error("the cursor does not know the end")
	}
	defer func() {
		if recover() == nil {
			t.Error("a cursor went back")
		}
	}()
	cur.At(day, measure.State{})
}

// On one day a replay asks twice: before and after a transition.
func TestAnotherStateOnTheSameDay(t *testing.T) {
	s := testSchema(t, "UTC", model.Columns{})
	cur := compile(t, []measure.Ref{measure.Of("dwell_days"), measure.Of("stage"), measure.Of("spell_active_days"), measure.Of("events")}, s)
	tl := &model.Timeline{Time: []int64{0, 10 * 86_400_000}, Name: []model.NameID{0, 0}, Amount: make([]model.Money, 2), Props: make([]model.Column, 6)}
	cur.Reset(tl)
	show := func() string {
		out := ""
		for i := range 4 {
			v, ok := cur.Value(i)
			if !ok {
				out += "— "
				continue
			}
			out += fmt.Sprint(v, " ")
		}
		return out + cur.Text(1)
	}
	cur.At(10, measure.State{})
	if got := show(); got != "— — 2 2 " {
		t.Errorf("before any stage: %s", got)
	}
	cur.At(10, measure.State{Stage: 2, Since: 3, SpellFrom: 0})
	if got := show(); got != "7 3 2 2 c" {
		t.Errorf("in stage c: %s", got)
	}
	cur.At(10, measure.State{Stage: 1, Since: 10, SpellFrom: 10, Spell: 1})
	if got := show(); got != "0 2 1 2 b" || cur.State().Stage != 1 || cur.Day() != 10 {
		t.Errorf("returned: %s", got)
	}
}
