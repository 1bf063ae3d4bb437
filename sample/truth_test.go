package sample

import (
	"strings"
	"testing"

	"dwell/model"
)

// Phases cover each life from the first contact to the end of the data, in
// order, without gap or overlap; the dead stay dead.
func TestPhasesCoverLife(t *testing.T) {
	_, truth := drawn(t)
	ids := map[string]bool{}
	for _, p := range truth.People {
		for _, id := range p.IDs {
			if ids[id] {
				t.Fatalf("%s is two people", id)
			}
			ids[id] = true
		}
		if len(p.Phases) == 0 || p.Phases[len(p.Phases)-1].To != truth.To {
			t.Fatalf("%s: phases %v end before the data", p.ID, p.Phases)
		}
		for i, s := range p.Phases {
			if s.From >= s.To || i > 0 && s.From != p.Phases[i-1].To || (s.Phase == Gone) != (p.Death != 0 && s.From == p.Death) {
				t.Fatalf("%s: phases %+v, death %d", p.ID, p.Phases, p.Death)
			}
		}
	}
}

// Every event lies in its person's life; nobody acts while away or dead, apart
// from what is done to them.
func TestEventsFollowTheTruth(t *testing.T) {
	events, truth := drawn(t)
	byID := map[string]*Person{}
	for i := range truth.People {
		for _, id := range truth.People[i].IDs {
			byID[id] = &truth.People[i]
		}
	}
	last := int64(0)
	uses := map[Phase]int{}
	for _, e := range events {
		p := byID[e.ID]
		if p == nil {
			t.Fatalf("%q is nobody", e.ID)
		}
		if e.Time < last || e.Time < truth.From || e.Time >= truth.To || e.Time%1000 != 0 {
			t.Fatalf("event %+v is out of order or range", e)
		}
		last = e.Time
		if p.Death != 0 && e.Time >= p.Death {
			t.Fatalf("%s acts after death: %+v", p.ID, e)
		}
		if e.Name == evOpen {
			uses[p.PhaseAt(e.Time)]++
		}
		if p.Signup == 0 && e.Name != evVisit && e.Name != evClick {
			t.Fatalf("%s never signed up, and did %s", p.ID, e.Name)
		}
	}
	if uses[Away]+uses[Gone]+uses[Curious] > 0 {
		t.Errorf("sessions while away, gone or before sign-up: %v", uses)
	}
}

// The people show the variety that the screens are made for.
func TestVariety(t *testing.T) {
	_, truth := drawn(t)
	n := map[string]int{}
	for _, p := range truth.People {
		count := func(is bool, what string) {
			if is {
				n[what]++
			}
		}
		count(p.Signup == 0, "never signed up")
		count(p.Signup != 0 && p.Signup/msDay > p.Phases[0].From/msDay, "known before sign-up")
		count(len(p.Devices) > 1, "two devices")
		count(len(p.IDs) > 1, "two ids")
		count(p.Inviter != "", "invited")
		count(p.Arm == "guided", "guided")
		count(p.Arm == "control", "control")
		count(p.Death == 0, "alive")
		count(p.Season, "seasonal")
		for _, s := range p.Phases {
			n[string(s.Phase)]++
		}
	}
	for what, least := range map[string]int{"never signed up": 300, "known before sign-up": 500, "two devices": 500, "two ids": 200, "invited": 200, "guided": 1500, "control": 1500,
		"alive": 500, "seasonal": 100, "devoted": 300, "fading": 300, "away": 200, "settled": 1000, "gone": 2000} {
		if n[what] < least {
			t.Errorf("%s: %d people, want at least %d", what, n[what], least)
		}
	}
	if n["guided"]*10 < n["control"]*9 || n["control"]*10 < n["guided"]*9 {
		t.Errorf("arms %d and %d are not one to one", n["guided"], n["control"])
	}
}

// Retention decays, working days are busier than weekends, August is quiet, and
// both tracking faults can be seen.
func TestBelievable(t *testing.T) {
	events, truth := drawn(t)
	first := map[string]int64{}
	back := map[int]map[string]bool{}
	var byWeekday [7]int
	perDay := map[model.Day]int{}
	doubles, edits := map[model.Day]int{}, map[model.Day]int{}
	device, app := map[model.Day]int{}, map[model.Day]int{}
	type act struct {
		id   string
		time int64
	}
	seen := map[act]bool{}
	for _, e := range events {
		day := model.Day(e.Time / msDay)
		perDay[day]++
		byWeekday[day.Weekday()]++
		if e.Name == evSignup {
			first[e.ID] = e.Time
		}
		if f := first[e.ID]; f > 0 && e.Name == evOpen {
			w := int((e.Time - f) / (7 * msDay))
			if back[w] == nil {
				back[w] = map[string]bool{}
			}
			back[w][e.ID] = true
		}
		if e.Name == truth.DoubleName {
			edits[day]++
			if k := (act{e.ID, e.Time}); seen[k] {
				doubles[day]++
			} else {
				seen[k] = true
			}
		}
		if e.Name == evOpen {
			app[day]++
			for _, p := range e.Props {
				if p.Key == truth.LostKey {
					device[day]++
				}
			}
		}
	}
	if w1, w8, w30 := len(back[1]), len(back[8]), len(back[30]); !(w1 > w8*5/4 && w8 > w30*5/4 && w30 > 50) {
		t.Errorf("back in weeks 1, 8, 30: %d, %d, %d", w1, w8, w30)
	}
	if byWeekday[0]+byWeekday[6] > byWeekday[2]*3/2 {
		t.Errorf("weekend against Tuesday: %v", byWeekday)
	}
	month := func(d model.Day) (n int) {
		for i := range model.Day(28) {
			n += perDay[d+i]
		}
		return n
	}
	if a, s := month(model.DayOf(2023, 8, 1)), month(model.DayOf(2023, 9, 5)); a*10 > s*9 {
		t.Errorf("August %d against September %d", a, s)
	}
	for day := range perDay {
		share := float64(doubles[day]) / float64(max(edits[day], 1))
		if fault := day == truth.DoubleDay; fault != (share > 0.15) {
			t.Errorf("%s: %.2f of the edits are double", day, share)
		}
		lost := day >= truth.LostDays[0] && day < truth.LostDays[1]
		if app[day] > 0 && lost != (device[day] == 0) {
			t.Errorf("%s: %d of %d sessions name a device", day, device[day], app[day])
		}
	}
}

// Money: refunds give back lines that were bought; lines of an order share its
// number and currency.
func TestOrdersAndRefunds(t *testing.T) {
	events, _ := drawn(t)
	bought := map[string]int64{}
	prop := func(e Event, key string) string {
		for _, p := range e.Props {
			if p.Key == key {
				return p.Value
			}
		}
		return ""
	}
	owner := map[string]string{}
	orders, lines := 0, 0
	for _, e := range events {
		if !e.Priced {
			continue
		}
		o := prop(e, "order_id")
		if !strings.HasPrefix(o, "A-") || prop(e, "currency") != "EUR" {
			t.Fatalf("order %q in %q", o, prop(e, "currency"))
		}
		k := o + prop(e, "item")
		switch e.Name {
		case evPurchase, evPay:
			bought[k] += e.Cents
			lines++
		case evRefund:
			if e.Cents >= 0 || bought[k]+e.Cents < 0 {
				t.Fatalf("refund of %d for %s, bought for %d", e.Cents, k, bought[k])
			}
		}
		if owner[o] == "" {
			orders++
			owner[o] = e.ID
		}
		if owner[o] != e.ID {
			t.Fatalf("order %s has two owners", o)
		}
	}
	if orders < 2000 || lines < orders*11/10 {
		t.Errorf("%d orders of %d lines", orders, lines)
	}
}
