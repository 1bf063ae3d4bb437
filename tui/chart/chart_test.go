package chart

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/tui/format"
)

var nan, inf = math.NaN(), math.Inf(1)

func one(ys ...float64) *query.Chart { return &query.Chart{Series: []query.Series{{Y: ys}}} }

// Every trap of asciigraph, at every size: no panic, no line beyond the room.
func TestLinesFitWhateverComes(t *testing.T) {
	big := make([]float64, 5000)
	for i := range big {
		big[i] = math.Sin(float64(i) / 50)
	}
	cases := map[string]*query.Chart{
		"nil": nil, "empty": {}, "empty series": one(), "one": one(3), "nan": one(nan, nan), "inf": one(1, inf, -inf, 2),
		"constant": one(5, 5, 5, 5), "zero": one(0, 0, 0), "huge": one(-1.7e308, 1.7e308), "tiny": one(1e-300, 2e-300),
		"gap": one(1, nan, 3, nan, nan, 4, 5), "long": one(big...),
		"band": {Unit: "share", Series: []query.Series{{Y: []float64{1, .5, .3}, Lo: []float64{1, .4, .2}, Hi: []float64{1, .6}, Open: []bool{false, false, true}}}},
		"marks": {Dates: true, X: []float64{15000, 15010, 15020}, Marks: []query.Mark{{X: 15010, Text: "release"}, {X: nan}, {X: 1}},
			Series: []query.Series{{Name: "a", Y: []float64{1, 2, 3}}, {Name: "b", Y: []float64{3}}}},
		"equal x": {X: []float64{4, 4, 4}, Series: []query.Series{{Y: []float64{1, 9, 3}}}},
		"labels":  {Labels: []string{"日本語のラベル", "b"}, Series: []query.Series{{Y: []float64{1, 2}}}},
	}
	for name, c := range cases {
		for _, ascii := range []bool{false, true} {
			for _, size := range [][2]int{{0, 0}, {10, 3}, {24, 5}, {40, 8}, {76, 14}, {200, 40}} {
				o := Options{Width: size[0], Height: size[1], ASCII: ascii, HasCursor: true, Cursor: 1}
				lines := Lines(c, o)
				if len(lines) > max(size[1], 1) {
					t.Errorf("%s at %v: %d lines", name, size, len(lines))
				}
				for _, l := range lines {
					if w := format.Width(l); w > size[0] && size[0] > 0 {
						t.Errorf("%s at %v: a line of %d cells: %q", name, size, w, l)
					}
					if ascii && name != "labels" {
						for _, r := range l {
							if r > 126 && r != '…' {
								t.Errorf("%s: %q is not ASCII in %q", name, r, l)
							}
						}
					}
				}
			}
		}
	}
}

// A spike in a crowded column is drawn, whichever point of the column it is.
func TestSpikeIsKept(t *testing.T) {
	for at := 400; at < 440; at++ {
		ys := make([]float64, 1000)
		ys[at] = 100
		lines := Lines(one(ys...), Options{Width: 60, Height: 10})
		if !strings.ContainsAny(lines[0]+lines[1], "│╭╮") {
			t.Fatalf("spike at %d is lost:\n%s", at, strings.Join(lines, "\n"))
		}
	}
}

// Open points stand apart: the line ends before them and never falls to them.
func TestOpenPointsAreNoDrop(t *testing.T) {
	c := &query.Chart{Unit: "share", Zero: true, Series: []query.Series{{Y: []float64{1, .8, .8, .05}, Open: []bool{false, false, false, true}}}}
	lines := Lines(c, Options{Width: 50, Height: 12})
	all := strings.Join(lines, "\n")
	if strings.Count(all, "○") != 2 { // the point, and the legend
		t.Fatalf("the open point is not marked:\n%s", all)
	}
	for _, l := range lines[4:9] {
		if strings.ContainsAny(l[strings.Index(l, "┤")+1:], "│╮╰") && strings.Contains(l, "┤") {
			t.Fatalf("a line falls to the open point:\n%s", all)
		}
	}
}

func TestConstantSeriesHasItsHeight(t *testing.T) {
	if n := len(Lines(one(7, 7, 7), Options{Width: 40, Height: 10})); n < 8 {
		t.Errorf("%d lines, want the height asked for", n)
	}
}

func TestStepsHoldTheirValue(t *testing.T) {
	c := &query.Chart{Step: true, Series: []query.Series{{Y: []float64{1, 0}}}}
	mid, _, _ := columns(c, &c.Series[0], c.Series[0].Y, scale{lo: 0, hi: 1, rows: 5, cols: 10, x0: 0, x1: 1})
	for i := range 9 {
		if mid[i] != 1 {
			t.Fatalf("column %d is %v, want the value held", i, mid[i])
		}
	}
}

func TestDatesOnTheAxis(t *testing.T) {
	d := model.DayOf(2011, 1, 1)
	c := &query.Chart{Dates: true, X: []float64{float64(d), float64(d + 30)}, Series: []query.Series{{Y: []float64{1, 2}}}}
	all := strings.Join(Lines(c, Options{Width: 70, Height: 10}), "\n")
	if !strings.Contains(all, "2011-01-01") || !strings.Contains(all, "2011-01-31") {
		t.Errorf("no dates on the axis:\n%s", all)
	}
}

// The table of a chart holds every point, gaps and open ones included.
func TestTable(t *testing.T) {
	c := &query.Chart{Unit: "share", Series: []query.Series{{Name: "r", Y: []float64{.5, nan, .25}, Open: []bool{false, false, true}, Lo: []float64{.4, nan, .2}, Hi: []float64{.6, nan, .3}}}}
	b := Table(c, nil)
	got := ""
	for _, r := range b.Rows {
		got += fmt.Sprintln(r.Label, r.Cells[0].Text, r.Cells[1].Text, r.Cells[0].Open)
	}
	want := "0 50.0% 40.0%–60.0% false\n1 —  false\n2 25.0% 20.0%–30.0% true\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func ExampleLines() {
	c := &query.Chart{Unit: "share", Zero: true, XLabel: "weeks", Series: []query.Series{{
		Y: []float64{1, .52, .41, .38, .35, .36}, Open: []bool{false, false, false, false, false, true}}}}
	for _, l := range Lines(c, Options{Width: 44, Height: 10, ASCII: true}) {
		fmt.Println(l)
	}
	// Output:
	// 100% |-.
	//      | '-.
	//  67% |   '--.
	//      |      '-------.
	//  33% |              '----------------      o
	//      |
	//   0% |
	//      ++------+-------+------+-------+------+
	//       0      1       2      3       4      5
	//  o still open
}

// Lines are told apart without colours: each has its letter, in the legend, too,
// and lines that run into one show the letters of both.
func TestLinesHaveLetters(t *testing.T) {
	c := &query.Chart{Unit: "share", Zero: true}
	for i, name := range []string{"DE", "US", "short"} {
		s := query.Series{Name: name}
		for x := range 13 {
			if i == 0 {
				c.X = append(c.X, float64(x))
			}
			if i < 2 || x < 2 {
				s.Y = append(s.Y, 1/float64(x+1))
			}
		}
		c.Series = append(c.Series, s)
	}
	for _, o := range []Options{{Width: 60, Height: 12}, {Width: 60, Height: 12, ASCII: true}, {Width: 200, Height: 40}} {
		lines := Lines(c, o)
		picture, legend := strings.Join(lines[:len(lines)-1], "\n"), lines[len(lines)-1]
		for _, l := range []string{"a", "b", "c"} {
			if !strings.Contains(picture, l) {
				t.Errorf("%+v: no %s on its line in\n%s", o, l, picture)
			}
		}
		if want := " a DE   b US   c short"; strings.Join(strings.Fields(legend), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("the legend is %q, want %q", legend, want)
		}
	}
	c.Series = c.Series[:1]
	if l := strings.Join(Lines(c, Options{Width: 60, Height: 12}), "\n"); strings.ContainsAny(l, "ab") {
		t.Errorf("one line alone needs no letter:\n%s", l)
	}
}
