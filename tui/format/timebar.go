package format

import (
	"math"
	"strings"

	"dwell/model/query"
)

// SpanWidths divides n cells among the spans of a history by their days; every
// span has a cell of its own while there are cells enough. The widths add up to n.
func SpanWidths(spans []query.Span, n int) []int {
	if len(spans) == 0 {
		return nil
	}
	from, to := spans[0].From, spans[len(spans)-1].To
	days := math.Max(float64(to-from), 1)
	out := make([]int, len(spans))
	last := 0
	for i, sp := range spans {
		end := int(math.Round(float64(sp.To-from) / days * float64(n)))
		if len(spans) <= n {
			end = min(max(end, last+1), n-(len(spans)-1-i))
		}
		end = min(max(end, last), n)
		out[i] = end - last
		last = end
	}
	out[len(out)-1] += n - last
	return out
}

// SpanSign is the sign of a stage: stages differ without colour too.
func SpanSign(stage int, ascii bool) string {
	signs := []string{"░", "▒", "▓", "█", "·", "═", "≡", "╍", "▚", "▞", "▖", "▘"}
	if ascii {
		signs = []string{".", ":", "+", "#", "_", "=", "%", "-", "o", "x", "~", "*"}
	}
	return signs[max(stage, 0)%len(signs)]
}

// SpanNames is the line of names below a time bar: those that have room.
func SpanNames(spans []query.Span, widths []int) string {
	var b strings.Builder
	n := 0
	for _, w := range widths {
		n += w
	}
	at, named := 0, 0
	for i, w := range widths {
		label := Clean(spans[i].Name)
		if w > 0 && at >= named && (Width(label)+1 <= w || i == len(spans)-1 && at+Width(label) <= n) {
			b.WriteString(strings.Repeat(" ", at-named) + label)
			named = at + Width(label)
		}
		at += w
	}
	return b.String()
}

// TimeBar draws a history as a line of signs and a line of names.
func TimeBar(spans []query.Span, n int, ascii bool) []string {
	if len(spans) == 0 || n < 4 {
		return nil
	}
	widths := SpanWidths(spans, n)
	var b strings.Builder
	for i, w := range widths {
		b.WriteString(strings.Repeat(SpanSign(spans[i].Stage, ascii), w))
	}
	return []string{b.String(), SpanNames(spans, widths)}
}
