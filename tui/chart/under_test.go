package chart

import (
	"strings"
	"testing"

	"dwell/model/query"
	"dwell/tui/format"
)

// The numbers at risk stand below the labels of their points, in lines no wider
// than asked for, and cost no more lines than the picture has.
func TestNumbersUnderTheAxis(t *testing.T) {
	c := &query.Chart{X: []float64{0, 30, 60, 90}, Unit: "share", Zero: true, Step: true,
		Series: []query.Series{{Name: "a", Y: []float64{1, 0.9, 0.5, 0.2}}},
		Under:  []query.AxisRow{{Name: "at risk", Values: []float64{2323, 2073, 1732, 9}}, {Name: "a name of many words", Values: []float64{5, 4}}}}
	for _, height := range []int{MinHeight, 9, 14, 24} {
		for _, width := range []int{MinWidth, 40, 80} {
			lines := Lines(c, Options{Width: width, Height: height})
			if len(lines) > height {
				t.Errorf("%d lines in a height of %d", len(lines), height)
			}
			for _, l := range lines {
				if format.Width(l) > width {
					t.Errorf("a line of %d cells in a width of %d: %q", format.Width(l), width, l)
				}
			}
		}
	}
	lines := Lines(c, Options{Width: 80, Height: 14})
	at := func(head string) int {
		for i, l := range lines {
			if strings.HasPrefix(strings.TrimSpace(l), head) {
				return i
			}
		}
		t.Fatalf("no line begins with %q in\n%s", head, strings.Join(lines, "\n"))
		return 0
	}
	axis, risk := lines[at("0 ")], lines[at("at risk")]
	for _, p := range [][2]string{{"30", "2,073"}, {"60", "1,732"}} {
		want, got := strings.Index(axis, p[0]), strings.Index(risk, format.Short(2073))
		if p[0] == "60" {
			got = strings.Index(risk, format.Short(1732))
		}
		if got < 0 || got > want+1 || got+len(p[1]) < want {
			t.Errorf("%s stands at %d, its label %s at %d", p[1], got, p[0], want)
		}
	}
	if !strings.Contains(risk, " 9") {
		t.Errorf("the last number is missing: %q", risk)
	}
}
