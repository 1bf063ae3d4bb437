package format

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/query"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(0), "0"}, {Count(999), "999"}, {Count(-1234567), "-1,234,567"}, {Count(math.MinInt64), "-9,223,372,036,854,775,808"},
		{Percent(0.3421), "34.2%"}, {Percent(0), "0.0%"}, {Percent(1), "100.0%"}, {Percent(-0.0001), "0.0%"}, {Percent(math.NaN()), None},
		{Number(12.5), "12.50"}, {Number(1234.5), "1,234"}, {Number(0.8435), "0.8435"}, {Number(1e-9), "1e-09"}, {Number(math.NaN()), None}, {Number(math.Inf(1)), "∞"},
		{Money(5288.63, "GBP"), "5,288.63 GBP"}, {Money(-3, ""), "-3.00"},
		{Short(950), "950"}, {Short(12_345), "12.3k"}, {Short(4_100_000), "4.1M"}, {Short(999_999), "1000k"},
		{Value(12, "days"), "12 d"}, {Value(0, "probability"), "< 1e-16"}, {Value(0.25, "probability"), "0.2500"}, {Value(0.5, "share"), "50.0%"}, {Value(7, "users"), "7"}, {Value(7, "EUR"), "7.00 EUR"},
		{Day(model.NoDay), None}, {Day(model.DayOf(2011, 12, 9)), "2011-12-09"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	now := time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC)
	for d, want := range map[model.Day]string{model.DayOf(2012, 1, 1): "today", model.DayOf(2011, 12, 31): "1 day old", model.DayOf(2011, 12, 9): "23 days old", model.DayOf(2011, 6, 1): "7 months old", model.DayOf(2001, 12, 31): "10.0 years old", model.DayOf(2012, 2, 1): "in the future"} {
		if got := Age(d, now); got != want {
			t.Errorf("age of %s is %q, want %q", d, got, want)
		}
	}
}

// No value is never a zero, and a rate is never written as a fraction.
func TestFigures(t *testing.T) {
	for _, c := range []struct {
		f    query.Figure
		want string
	}{
		{query.Figure{Kind: query.Count, None: true}, None},
		{query.Figure{Kind: query.Rate, Value: 0.25, N: 8}, "25.0%"},
		{query.Figure{Kind: query.Sum, Value: 1234.5, Unit: "GBP"}, "1,234.50 GBP"},
		{query.Figure{Kind: query.Stat, Value: 48, Unit: "days"}, "48 d"},
		{query.Figure{Kind: query.Stat, Value: math.NaN()}, None},
	} {
		if got := Figure(&c.f); got != c.want {
			t.Errorf("%+v is written %q, want %q", c.f, got, c.want)
		}
	}
	f := query.Figure{Kind: query.Rate, Value: 0.25, N: 8, Interval: true, Lo: 0.07, Hi: 0.59, Method: "Wilson 95 %", Open: 3}
	if got, want := Line(&f), "25.0%  [7.0%–59.0%] Wilson 95 %  n=8  open 3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	a := &query.Answer{Figures: []query.Figure{f, {Kind: query.Rate, None: true}}}
	for _, c := range []struct {
		cell query.Cell
		want string
	}{{query.Cell{Figure: 0, Open: true}, "25.0%~"}, {query.Cell{Figure: 1, Open: true}, "··"}, {query.Cell{Figure: 1}, None}, {query.Cell{Figure: query.NoFigure, Blank: true}, ""}} {
		if got := Cell(a, &c.cell, 8, false); got != c.want {
			t.Errorf("%+v is written %q, want %q", c.cell, got, c.want)
		}
	}
}

// Whatever the data hold, a cell has exactly its width and no control character.
func TestPadAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Clean(rapid.String().Draw(t, "s"))
		n := rapid.IntRange(1, 30).Draw(t, "n")
		p := Pad(s, n, rapid.Bool().Draw(t, "right"))
		if w := ansi.StringWidth(p); w != n {
			t.Fatalf("%q has %d cells, want %d", p, w, n)
		}
		if strings.ContainsFunc(p, func(r rune) bool { return r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
			t.Fatalf("%q holds a control character", p)
		}
	})
}

// A spike is seen, a missing value is blank, and zero is the lowest bar.
func TestSpark(t *testing.T) {
	ys := make([]float64, 100)
	ys[57] = 9
	if s := Spark(ys, 10, false); s != "▁▁▁▁▁█▁▁▁▁" {
		t.Errorf("%q", s)
	}
	if s := Spark([]float64{math.NaN(), 0, 1, math.Inf(1)}, 4, true); s != " _# " {
		t.Errorf("%q", s)
	}
	for _, c := range []struct {
		share float64
		want  string
	}{{0, ""}, {1, "████"}, {2, "████"}, {0.001, "▏"}, {0.5, "██"}, {math.NaN(), ""}, {-1, ""}} {
		if got := Bar(c.share, 4, false); got != c.want {
			t.Errorf("bar of %v is %q, want %q", c.share, got, c.want)
		}
	}
}

// TestSeconds writes lengths of time.
func TestSeconds(t *testing.T) {
	for x, want := range map[float64]string{0: "0s", 0.5: "0.5s", 45: "45s", 379: "6m 19s", 3600: "1h", 11100: "3h 5m", 187200: "2d 4h", 1875507: "21d 16h", -90: "-1m 30s"} {
		if got := Seconds(x); got != want {
			t.Errorf("%v s is written %q, want %q", x, got, want)
		}
	}
}
