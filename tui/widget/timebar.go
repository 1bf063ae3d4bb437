package widget

import (
	"math"
	"strings"

	"dwell/model"
	"dwell/tui/format"
)

// A Span is one interval of a stage history, [From, To).
type Span struct {
	From, To model.Day
	Stage    int // index of the stage, for its style and sign
	Name     string
}

// TimeBar draws a stage history as one line of n cells and a line of names
// below it. Each cell is the stage in which most of its days lie; every span
// has at least one cell while there are cells enough. Stages differ by sign as
// well as by colour. at is the index of the span to point out, or -1.
func TimeBar(s *Styles, spans []Span, n, at int) []string {
	if len(spans) == 0 || n < 4 {
		return nil
	}
	from, to := spans[0].From, spans[len(spans)-1].To
	days := math.Max(float64(to-from), 1)
	ends := make([]int, len(spans))
	for i, sp := range spans {
		ends[i] = int(math.Round(float64(sp.To-from) / days * float64(n)))
	}
	if len(spans) <= n {
		// a short span keeps a cell of its own
		for i := range ends {
			least := i + 1
			if i > 0 {
				least = ends[i-1] + 1
			}
			ends[i] = min(max(ends[i], least), n-(len(ends)-1-i))
		}
	}
	signs := []string{"░", "▒", "▓", "█", "·", "═", "≡", "╍", "▚", "▞", "▖", "▘"}
	if s.ASCII {
		signs = []string{".", ":", "+", "#", "_", "=", "%", "-", "o", "x", "~", "*"}
	}
	var bar, names, point strings.Builder
	last, named := 0, 0
	for i, sp := range spans {
		w := max(ends[i]-last, 0)
		sign := signs[sp.Stage%len(signs)]
		bar.WriteString(s.Series[sp.Stage%len(s.Series)].Render(strings.Repeat(sign, w)))
		if w > 0 && last >= named {
			label := format.Clean(sp.Name)
			if format.Width(label)+1 <= w || i == len(spans)-1 && last+format.Width(label) <= n {
				names.WriteString(strings.Repeat(" ", last-named) + label)
				named = last + format.Width(label)
			}
		}
		if i == at && w > 0 {
			point.WriteString(strings.Repeat(" ", last) + strings.Repeat(s.Glyphs.Up, w))
		}
		last += w
	}
	lines := []string{bar.String(), s.Dim.Render(names.String())}
	if at >= 0 {
		lines = append(lines, s.Accent.Render(point.String()))
	}
	return lines
}
