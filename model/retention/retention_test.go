package retention_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/retention"

	"pgregory.net/rapid"
)

func calendar(t *testing.T, zone string) *model.Calendar {
	t.Helper()
	c, err := model.NewCalendar(zone)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func every(*model.Timeline, int) bool { return true }

// stamps makes a timeline of plain events at local times of a calendar.
func stamps(t *testing.T, c *model.Calendar, at ...string) *model.Timeline {
	t.Helper()
	loc, err := time.LoadLocation(c.Zone)
	if err != nil {
		t.Fatal(err)
	}
	tl := &model.Timeline{ID: "u", IDs: []string{"u"}}
	for _, s := range at {
		x, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
		if err != nil {
			t.Fatal(err)
		}
		tl.Time = append(tl.Time, x.UnixMilli())
		tl.Name = append(tl.Name, 0)
	}
	return tl
}

// ages makes a timeline at noon UTC of a start day and of days after it.
func ages(start model.Day, after ...int) *model.Timeline {
	tl := &model.Timeline{ID: "u", IDs: []string{"u"}}
	for _, a := range append([]int{0}, after...) {
		tl.Time = append(tl.Time, (int64(start)+int64(a))*86_400_000+43_200_000)
		tl.Name = append(tl.Name, 0)
	}
	return tl
}

func daily(asOf model.Day, mode retention.Mode, n int) retention.Definition {
	return retention.Definition{Cal: model.UTC(), Unit: model.Daily, Cohort: model.Daily, Mode: mode,
		Intervals: n, AsOf: asOf, Start: every, Return: every, SeenBefore: model.NoDay}
}

func reader(t *testing.T, d retention.Definition) *retention.Reader {
	t.Helper()
	r, err := retention.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func pooled(t *testing.T, d retention.Definition, tls ...*model.Timeline) *table {
	t.Helper()
	r := reader(t, d)
	tab := newTable(len(r.Columns()))
	for _, tl := range tls {
		for _, l := range r.Read(tl, nil) {
			tab.add(l)
		}
	}
	return tab
}

// SPEC V1; the first two rows are those of PostHog issue 13748.
func TestV1OnOnOrAfterStreak(t *testing.T) {
	users := []*model.Timeline{ages(100, 1), ages(100, 5), ages(100)}
	for _, c := range []struct {
		mode retention.Mode
		want []int64
	}{
		{retention.On, []int64{3, 1, 0, 0, 0, 1, 0}},
		{retention.OnOrAfter, []int64{3, 2, 1, 1, 1, 1, 0}},
		{retention.Streak, []int64{3, 1, 0, 0, 0, 0, 0}},
	} {
		tab := pooled(t, daily(106, c.mode, 6), users...)
		for k, want := range c.want {
			if got := tab.Pooled[k]; got != (retention.Tally{Closed: 3, Back: want}) {
				t.Errorf("%s, day %d: got %+v, want %d of 3", c.mode, k, got, want)
			}
		}
	}
}

// SPEC V2 (PostHog issue 29958) and V6 (Amplitude's hour rounding): what the
// calendar calls the next day is still day 0 of a rolling day.
func TestV2V6MidnightAndHours(t *testing.T) {
	utc := model.UTC()
	for _, c := range []struct{ start, back string }{
		{"2024-03-01 23:45", "2024-03-02 00:01"},
		{"2024-03-01 17:59", "2024-03-02 17:00"},
	} {
		tl := stamps(t, utc, c.start, c.back)
		d := daily(model.DayOf(2024, 3, 9), retention.On, 1)
		if got := reader(t, d).Read(tl, nil)[0]; got.Cells[1] != retention.Back || got.Again {
			t.Errorf("calendar, %s then %s: %+v, want day 1", c.start, c.back, got)
		}
		d.Rolling = true
		if got := reader(t, d).Read(tl, nil)[0]; got.Cells[1] != retention.Lost || !got.Again {
			t.Errorf("rolling, %s then %s: %+v, want day 0 only", c.start, c.back, got)
		}
	}
}

// SPEC V3: pooled 60 %, plain mean 65 %, never 56 %.
func TestV3ThreeAverages(t *testing.T) {
	cells := []retention.Tally{{Closed: 1000, Back: 500}, {Closed: 500, Back: 400}}
	var all retention.Tally
	for _, c := range cells {
		merge(&all, c)
	}
	if r, _ := all.Rate(); r != 0.6 {
		t.Errorf("pooled %v, want 0.6", r)
	}
	if m, _ := retention.PlainMean(cells); math.Abs(m-0.65) > 1e-12 {
		t.Errorf("plain mean %v, want 0.65", m)
	}
}

// SPEC V4: a cohort of 0 % counts, an empty one does not.
func TestV4UnequalCohorts(t *testing.T) {
	cells := []retention.Tally{{Closed: 10, Back: 2}, {Closed: 100}}
	var all retention.Tally
	for _, c := range cells {
		merge(&all, c)
	}
	if r, _ := all.Rate(); math.Abs(r-2.0/110) > 1e-12 {
		t.Errorf("pooled %v, want 2/110", r)
	}
	if m, _ := retention.PlainMean(cells); math.Abs(m-0.10) > 1e-12 {
		t.Errorf("plain mean %v, want 0.10", m)
	}
	if m, _ := retention.PlainMean(append(cells, retention.Tally{Open: 7, OpenBack: 7})); math.Abs(m-0.10) > 1e-12 {
		t.Errorf("with an empty cohort the plain mean is %v, want 0.10", m)
	}
	if _, ok := retention.PlainMean(nil); ok {
		t.Error("the mean of nothing has a value")
	}
}

// SPEC V5: the pooled unbounded line rises while recent users are open.
func TestV5RisingUnboundedLine(t *testing.T) {
	const asOf = 400
	var users []*model.Timeline
	for i := range 100 {
		switch {
		case i < 60:
			users = append(users, ages(300, 8))
		case i < 70:
			users = append(users, ages(300, 3))
		default:
			users = append(users, ages(300))
		}
	}
	for i := range 300 {
		if i < 60 {
			users = append(users, ages(asOf-2, 1))
		} else {
			users = append(users, ages(asOf-2))
		}
	}
	tab := pooled(t, daily(asOf, retention.OnOrAfter, 7), users...)
	if got := tab.Pooled[1]; got != (retention.Tally{Closed: 400, Back: 130}) {
		t.Errorf("day 1: %+v, want 130 of 400", got)
	}
	if got := tab.Pooled[7]; got != (retention.Tally{Closed: 100, Back: 60, Open: 300}) {
		t.Errorf("day 7: %+v, want 60 of 100 (+300 open)", got)
	}
}

func TestOpenUserWhoReturnedStaysOutOfBothSides(t *testing.T) {
	d := daily(model.DayOf(2024, 1, 10), retention.On, 2) // a Wednesday
	d.Unit, d.Cohort = model.Weekly, model.Weekly
	mon := model.DayOf(2024, 1, 1)
	tab := pooled(t, d, ages(mon, 7), ages(mon), ages(mon-7, 14, 15), ages(mon-7, 7))
	if got := tab.Pooled[1]; got != (retention.Tally{Closed: 2, Back: 1, Open: 2, OpenBack: 1}) {
		t.Errorf("week 1: %+v", got)
	}
	if got := tab.Pooled[2]; got != (retention.Tally{Open: 4, OpenBack: 1}) {
		t.Errorf("week 2: %+v", got)
	}
	if _, ok := tab.Pooled[2].Rate(); ok {
		t.Error("a column with nobody closed has a rate")
	}
	r := reader(t, d)
	if p := d.Cal.Period(model.Weekly, mon); !r.Exists(p, 1) || r.Exists(p, 2) {
		t.Error("week 1 of the cohort of 1 January has begun, week 2 has not")
	}
	d.All = true
	tab = pooled(t, d, ages(mon, 7), ages(mon), ages(mon-7, 14, 15), ages(mon-7, 7))
	if got := tab.Pooled[1]; got != (retention.Tally{Closed: 4, Back: 2}) {
		t.Errorf("week 1 without a rule: %+v", got)
	}
	if got := tab.Pooled[2]; got != (retention.Tally{Closed: 2, Back: 1, Open: 2}) {
		t.Errorf("week 2 without a rule: %+v", got)
	}
}

// A calendar day may have 23 or 25 hours, a rolling one never (SPEC 2; C5).
func TestDaylightSaving(t *testing.T) {
	for _, c := range []struct {
		zone, start, back string
		calendar, rolling int
	}{
		{"Europe/Vienna", "2024-03-30 23:30", "2024-03-31 23:00", 1, 0},       // 22.5 h, 23-hour day
		{"Europe/Vienna", "2024-10-26 23:30", "2024-10-27 23:00", 1, 1},       // 24.5 h, 25-hour day
		{"America/New_York", "2024-03-10 01:30", "2024-03-10 23:59", 0, 0},    // the 23-hour day itself
		{"Asia/Kolkata", "2024-01-01 23:59", "2024-01-02 00:00", 1, 0},        // half-hour zone
		{"Australia/Lord_Howe", "2024-04-06 12:00", "2024-04-07 11:45", 1, 1}, // half-hour clock change: 24.25 h
		{"America/St_Johns", "2024-11-02 20:00", "2024-11-03 19:30", 1, 1},    // behind UTC, 24.5 h
	} {
		cal := calendar(t, c.zone)
		tl := stamps(t, cal, c.start, c.back)
		for _, rolling := range []bool{false, true} {
			d := daily(cal.Day(tl.Time[0])+9, retention.On, 2)
			d.Cal, d.Rolling = cal, rolling
			want := c.calendar
			if rolling {
				want = c.rolling
			}
			l := reader(t, d).Read(tl, nil)[0]
			if got := l.Cells[1] == retention.Back; got != (want == 1) || l.Again == got {
				t.Errorf("%s, %s to %s, rolling %v: %v again %v, want day %d", c.zone, c.start, c.back, rolling, l.Cells, l.Again, want)
			}
		}
	}
}

func TestDefinitionsThatDoNotGoTogether(t *testing.T) {
	base := daily(10, retention.On, 3)
	for name, change := range map[string]func(*retention.Definition){
		"no start":                func(d *retention.Definition) { d.Start = nil },
		"negative columns":        func(d *retention.Definition) { d.Intervals = -1 },
		"bracket without spans":   func(d *retention.Definition) { d.Mode = retention.Bracket },
		"spans without bracket":   func(d *retention.Definition) { d.Spans = []retention.Span{{From: 1, To: 2}} },
		"span upside down":        func(d *retention.Definition) { d.Mode, d.Spans = retention.Bracket, []retention.Span{{From: 3, To: 2}} },
		"within on":               func(d *retention.Definition) { d.Within = 30 },
		"within all":              func(d *retention.Definition) { d.Mode, d.Within, d.All = retention.OnOrAfter, 30, true },
		"a quarter of 24 h":       func(d *retention.Definition) { d.Unit, d.Rolling = model.Quarterly, true },
		"hours by calendar":       func(d *retention.Definition) { d.Hour = true },
		"custom without a length": func(d *retention.Definition) { d.Unit = model.Custom },
		"a day of 3 days":         func(d *retention.Definition) { d.Every = 3 },
		"ever and each":           func(d *retention.Definition) { d.Each, d.Ever = true, every },
	} {
		d := base
		change(&d)
		if _, err := retention.New(d); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEqualFollowUp(t *testing.T) {
	d := daily(130, retention.OnOrAfter, 40)
	d.Within = 30
	r := reader(t, d)
	if n := len(r.Columns()); n != 31 {
		t.Fatalf("%d columns, want day 0 … day 30", n)
	}
	tab := pooled(t, d, ages(100, 30), ages(99, 31), ages(101, 5), ages(90, 2))
	if got := tab.Pooled[1]; got != (retention.Tally{Closed: 3, Back: 2, Open: 1, OpenBack: 1}) {
		t.Errorf("on or after day 1 within 30: %+v", got)
	}
	if got := tab.Pooled[3]; got != (retention.Tally{Closed: 3, Back: 1, Open: 1, OpenBack: 1}) {
		t.Errorf("on or after day 3 within 30: %+v", got)
	}
}

// A slow, obvious version: every interval is walked by asking the calendar for
// its bounds, every event is compared with them.
func slow(d retention.Definition, tl *model.Timeline, spans []retention.Span) (cells []retention.Cell, ok bool) {
	first := -1
	for i := range tl.Time {
		if d.Cal.Day(tl.Time[i]) > d.AsOf {
			continue
		}
		if d.Ever != nil && d.Ever(tl, i) && !d.Start(tl, i) {
			return nil, false // the first of its kind does not meet the condition
		}
		if d.Start(tl, i) {
			first = i
			break
		}
	}
	if first < 0 {
		return nil, false
	}
	rounded := func(ms int64) int64 {
		if !d.Hour {
			return ms
		}
		at := d.Cal.Time(ms)
		return ms - int64(at.Minute())*60_000 - int64(at.Second())*1000 - ms%1000
	}
	end := d.Cal.Begin(d.AsOf + 1)
	day := d.Cal.Day(tl.Time[first])
	start := rounded(tl.Time[first])
	bounds := func(k int) (from, to int64) {
		if d.Rolling {
			n := 86_400_000 * map[model.PeriodUnit]int64{model.Daily: 1, model.Weekly: 7, model.Monthly: 30, model.Custom: int64(d.Every)}[d.Unit]
			return start + int64(k)*n, start + int64(k+1)*n
		}
		if d.Unit == model.Custom {
			return d.Cal.Begin(day + model.Day(k*d.Every)), d.Cal.Begin(day + model.Day((k+1)*d.Every))
		}
		p := d.Cal.Period(d.Unit, day)
		a, b := d.Cal.Bounds(d.Unit, p+model.Period(k))
		return d.Cal.Begin(a), d.Cal.Begin(b)
	}
	in := func(k int) (n int) {
		from, to := bounds(k)
		for i := first + 1; i < tl.Len(); i++ {
			if at := rounded(tl.Time[i]); tl.Time[i] < end && at >= from && at < to && d.Return(tl, i) {
				n++
			}
		}
		return n
	}
	least := max(d.Least, 1)
	for _, s := range spans {
		n, back := 0, true
		switch {
		case s.From == 0 && !d.ZeroBack:
			n = least
		case d.Mode == retention.OnOrAfter:
			for k := s.From; k < 2000; k++ {
				if from, _ := bounds(k); from >= end {
					break
				}
				n += in(k)
			}
		case d.Mode == retention.Streak && s.To > 0:
			n = least
			for k := 1; k <= s.To; k++ {
				back = back && in(k) >= least
			}
		default:
			for k := s.From; k <= s.To; k++ {
				n += in(k)
			}
		}
		back = back && n >= least
		from, _ := bounds(s.From)
		_, to := bounds(s.To)
		cell := retention.Future
		switch {
		case to <= end && back:
			cell = retention.Back
		case to <= end:
			cell = retention.Lost
		case from < end && back:
			cell = retention.RunningBack
		case from < end:
			cell = retention.Running
		}
		cells = append(cells, cell)
	}
	return cells, true
}

func TestAgainstSlowVersion(t *testing.T) {
	zones := []string{"UTC", "Europe/Vienna", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe"}
	cals := make([]*model.Calendar, len(zones))
	for i, z := range zones {
		cals[i] = calendar(t, z)
	}
	even := func(tl *model.Timeline, i int) bool { return tl.Name[i]%2 == 0 }
	rapid.Check(t, func(rt *rapid.T) {
		cal := cals[rapid.IntRange(0, len(cals)-1).Draw(rt, "zone")]
		origin := cal.Begin(model.DayOf(2024, 2, 20))
		n := rapid.IntRange(1, 30).Draw(rt, "events")
		tl := &model.Timeline{ID: "u"}
		at := origin
		for range n {
			at += rapid.Int64Range(0, 9*86_400_000).Draw(rt, "gap")
			tl.Time = append(tl.Time, at)
			tl.Name = append(tl.Name, model.NameID(rapid.IntRange(0, 3).Draw(rt, "name")))
		}
		d := retention.Definition{Cal: cal, Cohort: model.Weekly, Mode: retention.Mode(rapid.IntRange(0, 3).Draw(rt, "mode")),
			Unit: model.PeriodUnit(rapid.IntRange(0, 4).Draw(rt, "unit")), Intervals: rapid.IntRange(0, 20).Draw(rt, "n"),
			AsOf: cal.Day(origin) + model.Day(rapid.IntRange(0, 200).Draw(rt, "asof")), Start: even, Return: every, SeenBefore: model.NoDay}
		if d.Unit == model.Custom {
			d.Every = rapid.IntRange(1, 17).Draw(rt, "every")
		}
		d.Rolling = d.Unit != model.Quarterly && rapid.Bool().Draw(rt, "rolling")
		d.Hour = d.Rolling && rapid.Bool().Draw(rt, "hour")
		d.Least = rapid.IntRange(0, 3).Draw(rt, "least")
		d.ZeroBack = rapid.Bool().Draw(rt, "zero")
		if rapid.Bool().Draw(rt, "ever") {
			d.Ever = func(tl *model.Timeline, i int) bool { return tl.Name[i] != 1 }
		}
		if d.Mode == retention.Bracket {
			d.Spans = []retention.Span{{From: 0, To: 2}, {From: 1, To: 3}, {From: 4, To: 4}, {From: 5, To: 30}}
		}
		r, err := retention.New(d)
		if err != nil {
			rt.Fatal(err)
		}
		want, ok := slow(d, tl, r.Columns())
		lives := r.Read(tl, nil)
		if ok != (len(lives) == 1) {
			rt.Fatalf("%d lives, want a start: %v", len(lives), ok)
		}
		if ok && fmt.Sprint(lives[0].Cells) != fmt.Sprint(want) {
			rt.Fatalf("%s unit %s rolling %v as of %s:\ngot  %v\nwant %v", d.Mode, d.Unit, d.Rolling, d.AsOf, lives[0].Cells, want)
		}
		// Laws: on-or-after never rises where all is closed; on ≤ on-or-after.
		if ok && d.Mode == retention.OnOrAfter {
			for c := 1; c < len(want); c++ {
				if want[c] == retention.Back && want[c-1] != retention.Back {
					rt.Fatalf("column %d rises", c)
				}
			}
		}
	})
}

// Recurring starts: one life for each period with a start.
func TestEachStart(t *testing.T) {
	d := daily(60, retention.On, 1)
	d.Each, d.Cohort = true, model.Weekly
	lives := reader(t, d).Read(ages(4, 1, 7, 8, 28), nil) // 5 January 1970 is a Monday
	var got []string
	for _, l := range lives {
		got = append(got, fmt.Sprint(l.Start, l.Cells[1] == retention.Back))
	}
	if fmt.Sprint(got) != "[1970-01-05 true 1970-01-12 true 1970-02-02 false]" {
		t.Errorf("got %v", got)
	}
}

func TestTruncatedLivesStayOutOfThePool(t *testing.T) {
	d := daily(60, retention.On, 1)
	d.SeenBefore = 10
	tab := pooled(t, d, ages(5, 1), ages(10, 1), ages(20))
	if tab.Kept != 1 || tab.Users != 2 || tab.Pooled[1] != (retention.Tally{Closed: 2, Back: 1}) || tab.Size[5] != 1 {
		t.Errorf("%+v", tab)
	}
	other := pooled(t, d, ages(10), ages(3))
	tab.merge(other)
	if tab.Kept != 2 || tab.Pooled[1] != (retention.Tally{Closed: 3, Back: 1}) || len(tab.Rows) != 4 {
		t.Errorf("merged: %+v", tab)
	}
}
