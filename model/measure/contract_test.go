package measure_test

import (
	"testing"

	"dwell/model"
	"dwell/model/measure"
)

// contractData is a data set of purchases, cancels and uses with one property.
func contractData(t *testing.T, columns model.Columns, key model.KeyInfo) *measure.Schema {
	t.Helper()
	d := model.NewDictionary()
	d.Zone, d.Columns = "Europe/Vienna", columns
	d.Events = map[string]string{"buy": "purchase", "stop": "cancel"}
	s, err := measure.NewSchema(&model.Info{Names: []model.NameInfo{{Name: "buy"}, {Name: "stop"}, {Name: "use"}}, Keys: []model.KeyInfo{key}}, d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at is noon of a day.
func at(day model.Day) int64 { return int64(day)*86_400_000 + 43_200_000 }

// days lists the days of a range on which a yes-or-no measure holds.
func days(t *testing.T, s *measure.Schema, tl *model.Timeline, name string, from, to model.Day) (out []string) {
	t.Helper()
	set, err := measure.Compile([]measure.Ref{measure.Of(name)}, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Filter().Columns) == 0 {
		tl.Props = nil
	}
	cur := set.NewCursor()
	cur.Reset(tl)
	for d := from; d <= to; d++ {
		cur.At(d, measure.State{})
		if v, _ := cur.Value(0); v != 0 {
			out = append(out, d.String())
		}
	}
	return out
}

func span(t *testing.T, got []string, first, last string, n int) {
	t.Helper()
	if n == 0 && len(got) == 0 {
		return
	}
	if len(got) != n || got[0] != first || got[len(got)-1] != last {
		t.Errorf("days %v, want %d from %s to %s", got, n, first, last)
	}
}

// Hand-worked cases: a contract is open on the days before its end; a
// cancellation within it takes effect on the day it ends, else at once.
func TestContracts(t *testing.T) {
	jan31, may1 := model.DayOf(2024, 1, 31), model.DayOf(2024, 5, 1)
	period := contractData(t, model.Columns{Period: "period"}, model.KeyInfo{Name: "period", Values: []string{"", "month", "P1Y", "10 days", "whenever"}})
	buy := func(day model.Day, code uint32) *model.Timeline {
		return &model.Timeline{Time: []int64{at(day)}, Name: []model.NameID{0}, Props: []model.Column{{Codes: []uint32{code}}}}
	}
	// A month from 31 January ends on 29 February of a leap year.
	span(t, days(t, period, buy(jan31, 1), "contract_open", jan31, may1), "2024-01-31", "2024-02-28", 29)
	span(t, days(t, period, buy(jan31, 2), "contract_open", jan31, jan31+400), "2024-01-31", "2025-01-30", 366)
	span(t, days(t, period, buy(jan31, 3), "contract_open", jan31, may1), "2024-01-31", "2024-02-09", 10)
	span(t, days(t, period, buy(jan31, 4), "contract_open", jan31, may1), "", "", 0)
	span(t, days(t, period, buy(jan31, 0), "contract_open", jan31, may1), "", "", 0)

	// Days are left on the days on which it is open: 29 on the first, one on the last.
	span(t, days(t, period, buy(jan31, 1), "contract_days_left", jan31, may1), "2024-01-31", "2024-02-28", 29)
	left, err := measure.Compile([]measure.Ref{measure.Of("contract_days_left")}, period)
	if err != nil {
		t.Fatal(err)
	}
	cur := left.NewCursor()
	for _, tt := range []struct {
		code  uint32
		day   model.Day
		want  float64
		known bool
	}{{1, jan31, 29, true}, {1, jan31 + 28, 1, true}, {1, jan31 + 29, 0, true}, {1, may1, 0, true}, {4, jan31, 0, false}} {
		cur.Reset(buy(jan31, tt.code))
		cur.At(tt.day, measure.State{})
		if got, known := cur.Value(0); got != tt.want || known != tt.known {
			t.Errorf("on %s of period %d: %v days left, %v", tt.day, tt.code, got, known)
		}
	}

	// Cancelled on the fifth day of the month paid for; and again after its end.
	tl := &model.Timeline{Time: []int64{at(jan31), at(jan31 + 4), at(jan31 + 40)}, Name: []model.NameID{0, 1, 1}, Props: []model.Column{{Codes: []uint32{1, 0, 0}}}}
	got := days(t, period, tl, "cancelled_today", jan31, may1)
	if len(got) != 2 || got[0] != "2024-02-29" || got[1] != "2024-03-11" {
		t.Errorf("cancellations take effect on %v", got)
	}

	// No column named: a cancellation counts on its own day, nothing is open.
	bare := contractData(t, model.Columns{}, model.KeyInfo{Name: "period", Values: []string{"", "month"}})
	span(t, days(t, bare, tl, "contract_open", jan31, may1), "", "", 0)
	span(t, days(t, bare, tl, "cancelled_today", jan31, jan31+10), "2024-02-04", "2024-02-04", 1)

	// paid_until as dates and instants, whatever the event; the last one holds.
	until := contractData(t, model.Columns{PaidUntil: "until", Period: "until"}, model.KeyInfo{Name: "until",
		Values: []string{"", "2024-03-01", "2024-02-10T23:30:00Z", "soon", "1709251200", "2024-02-05 00:00:00"}})
	use := func(code uint32) *model.Timeline {
		return &model.Timeline{Time: []int64{at(jan31)}, Name: []model.NameID{2}, Props: []model.Column{{Codes: []uint32{code}}}}
	}
	span(t, days(t, until, use(1), "contract_open", jan31, may1), "2024-01-31", "2024-02-29", 30)
	span(t, days(t, until, use(2), "contract_open", jan31, may1), "2024-01-31", "2024-02-10", 11) // half past midnight in Vienna
	span(t, days(t, until, use(3), "contract_open", jan31, may1), "", "", 0)
	span(t, days(t, until, use(4), "contract_open", jan31, may1), "2024-01-31", "2024-02-29", 30)
	span(t, days(t, until, use(5), "contract_open", jan31, may1), "2024-01-31", "2024-02-04", 5)
	short := &model.Timeline{Time: []int64{at(jan31), at(jan31 + 2)}, Name: []model.NameID{0, 2}, Props: []model.Column{{Codes: []uint32{1, 5}}}}
	span(t, days(t, until, short, "contract_open", jan31, may1), "2024-01-31", "2024-02-04", 5)

	// A plain property is read as it comes.
	plain := contractData(t, model.Columns{PaidUntil: "until"}, model.KeyInfo{Name: "until", Plain: true})
	text := &model.Timeline{Time: []int64{at(jan31)}, Name: []model.NameID{0}, Props: []model.Column{{Plain: []string{"2024-02-03"}}}}
	span(t, days(t, plain, text, "contract_open", jan31, may1), "2024-01-31", "2024-02-02", 3)
}

// V10 as a user lives it: the ratio is 0.667 in both, p tells them apart.
func TestDropOfALife(t *testing.T) {
	s := contractData(t, model.Columns{}, model.KeyInfo{Name: "period", Values: []string{""}})
	for _, tt := range []struct {
		beat         float64
		base, recent int // active days in 4w and in w days
		ratio, p     float64
		within       float64
	}{{14, 12, 2, 2. / 3, 0.440, 0.0005}, {40, 240, 40, 2. / 3, 0.00002, 0.000005}} {
		s := s.WithModel(map[string]float64{"beat": tt.beat}, nil)
		w := measure.DropWindow(tt.beat)
		first := model.DayOf(2023, 1, 1)
		tl := &model.Timeline{}
		for i := range tt.base { // the first day must be active, or the spell is shorter
			tl.Time = append(tl.Time, at(first+model.Day(i)))
		}
		for i := range tt.recent {
			tl.Time = append(tl.Time, at(first+model.Day(4*w+i)))
		}
		for range tl.Time {
			tl.Name = append(tl.Name, 2)
		}
		set, err := measure.Compile([]measure.Ref{measure.Of("rate_ratio"), measure.Of("drop_p"), measure.Of("base_active"), measure.Of("recent_active")}, s)
		if err != nil {
			t.Fatal(err)
		}
		cur := set.NewCursor()
		cur.Reset(tl)
		cur.At(first+model.Day(5*w-1), measure.State{})
		ratio, _ := cur.Value(0)
		p, _ := cur.Value(1)
		base, _ := cur.Value(2)
		recent, _ := cur.Value(3)
		if !near(ratio, tt.ratio) || p < tt.p-tt.within || p > tt.p+tt.within || int(base) != tt.base || int(recent) != tt.recent {
			t.Errorf("%v → %v days: ratio %v, p %v; want %v, %v", base, recent, ratio, p, tt.ratio, tt.p)
		}
	}
}
