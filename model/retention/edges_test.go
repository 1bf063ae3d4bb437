package retention_test

import (
	"testing"

	"dwell/model"
	"dwell/model/retention"
)

// Both edges of the year in four zones: one of half an hour, one behind UTC, one
// south of the equator (whose clocks go the other way in March and October), one
// plain. By calendar the day after is day 1 whatever its length; 24-hour windows
// count elapsed hours: a 23-hour day is not enough, a 25-hour day is.
func TestBothClockChangesInFourZones(t *testing.T) {
	for _, c := range []struct {
		zone, short, long string // the day before the 23-hour and the 25-hour day
	}{
		{"Europe/Vienna", "2024-03-30", "2024-10-26"},
		{"America/New_York", "2024-03-09", "2024-11-02"},
		{"America/St_Johns", "2024-03-09", "2024-11-02"},   // UTC−3:30
		{"Australia/Adelaide", "2024-10-05", "2024-04-06"}, // UTC+9:30, south
		{"Australia/Sydney", "2024-10-05", "2024-04-06"},
	} {
		cal := calendar(t, c.zone)
		for _, edge := range []struct {
			day     string
			rolling bool // 12:30 and 12:00 on the next day are 24 hours apart
			hours   int64
		}{{c.short, false, 23}, {c.long, true, 25}} {
			d, err := model.ParseDay(edge.day)
			if err != nil {
				t.Fatal(err)
			}
			if n := (cal.Begin(d+2) - cal.Begin(d+1)) / 3_600_000; n != edge.hours {
				t.Fatalf("%s: the day after %s has %d hours, want %d", c.zone, edge.day, n, edge.hours)
			}
			tl := stamps(t, cal, edge.day+" 12:30", (d+1).String()+" 12:00")
			for _, w := range []struct {
				rolling, hour, want bool
			}{{false, false, true}, {true, false, edge.rolling}, {true, true, edge.rolling}} {
				def := daily(d+9, retention.On, 2)
				def.Cal, def.Rolling, def.Hour = cal, w.rolling, w.hour
				l := reader(t, def).Read(tl, nil)[0]
				if got := l.Cells[1] == retention.Back; got != w.want {
					t.Errorf("%s, %s, rolling %v rounded %v: day 1 is %v, want %v", c.zone, edge.day, w.rolling, w.hour, got, w.want)
				}
			}
			// Closing: day 1 has closed at the end of the day after, by calendar; its 24
			// hours end at 12:30 two days on by the clock of elapsed time.
			for asOf, want := range map[model.Day][2]bool{d: {false, false}, d + 1: {true, false}, d + 2: {true, true}} {
				for i, rolling := range []bool{false, true} {
					def := daily(asOf, retention.On, 1)
					def.Cal, def.Rolling = cal, rolling
					if l := reader(t, def).Read(tl, nil)[0]; l.Cells[1].Closed() != want[i] {
						t.Errorf("%s as of %s, rolling %v: closed %v, want %v", c.zone, asOf, rolling, l.Cells[1].Closed(), want[i])
					}
				}
			}
		}
	}
}

// SPEC V6: Amplitude rounds to the hour, so 23 h 01 min apart is day 1.
func TestV6HourRounding(t *testing.T) {
	for _, zone := range []string{"UTC", "Asia/Kolkata", "America/St_Johns"} {
		cal := calendar(t, zone)
		tl := stamps(t, cal, "2024-03-01 17:59", "2024-03-02 17:00")
		for _, hour := range []bool{false, true} {
			d := daily(model.DayOf(2024, 3, 9), retention.On, 1)
			d.Cal, d.Rolling, d.Hour = cal, true, hour
			if got := reader(t, d).Read(tl, nil)[0].Cells[1] == retention.Back; got != hour {
				t.Errorf("%s, rounded %v: day 1 is %v", zone, hour, got)
			}
		}
	}
}

// At least m returns, and custom intervals from the start day.
func TestSeveralReturnsInCustomIntervals(t *testing.T) {
	d := daily(130, retention.On, 3)
	d.Unit, d.Every, d.Least = model.Custom, 10, 2
	l := reader(t, d).Read(ages(100, 9, 10, 19, 20), nil)[0]
	want := []retention.Cell{retention.Back, retention.Back, retention.Lost, retention.Running}
	for i, c := range want {
		if l.Cells[i] != c {
			t.Errorf("interval %d: %v, want %v (all %v)", i, l.Cells[i], c, l.Cells)
		}
	}
}
