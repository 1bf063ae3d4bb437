package main

import (
	"fmt"
	"io"
	"strings"

	"dwell/model"
	"dwell/tui/format"
)

// writeQuality prints a load's quality report (SPEC R3.11). The first line adds
// up: rows read = stored + already stored + dropped + rejected.
func writeQuality(w io.Writer, q *model.Quality, inputs []string) {
	fmt.Fprintf(w, "rows read %s = stored %s + already stored %s + dropped as duplicates %s + rejected %s\n",
		format.Count(q.Read), format.Count(q.Stored), format.Count(q.Already), format.Count(q.Dropped), format.Count(q.RejectedTotal()))
	for _, r := range q.Rejected {
		fmt.Fprintf(w, "  rejected  %s  %s\n", format.Count(r.Count), r.Reason)
		for i, l := range r.Lines {
			if i == 3 {
				break
			}
			file := ""
			if l.Source < len(inputs) {
				file = inputs[l.Source]
			}
			fmt.Fprintf(w, "            %s:%d  %s\n", file, l.Line, format.Cut(format.Clean(l.Text), 60))
		}
	}
	notes := []struct {
		n    int64
		text string
	}{
		{q.Equal, "rows equal an earlier row of the same file; all were kept (--dedupe drops them)"},
		{q.Ambiguous, "local times that a clock change repeats; the first reading was taken"},
		{q.Missing, "local times that a clock change skips; moved forward"},
		{q.Future, "rows are later than now"},
		{q.Unordered, "rows are earlier than the row before them"},
		{q.Rounded, "amounts have more than six decimals and were rounded"},
		{q.BadUTF8, "rows hold bytes that are not text in the file's encoding; they were replaced"},
		{q.Impossible, "users have more than 10,000 events on one day"},
	}
	for _, n := range notes {
		if n.n > 0 {
			fmt.Fprintf(w, "  note      %s %s\n", format.Count(n.n), n.text)
		}
	}
	if len(q.EmptyDays) > 0 {
		days := make([]string, 0, 6)
		for i, d := range q.EmptyDays {
			if i == 5 {
				days = append(days, "…")
				break
			}
			days = append(days, d.String())
		}
		fmt.Fprintf(w, "  note      %s days without an event: %s\n", format.Count(int64(len(q.EmptyDays))), strings.Join(days, ", "))
	}
}
