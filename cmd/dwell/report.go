package main

import (
	"fmt"
	"io"
	"strings"

	"dwell/model"
	"dwell/store/ingest"
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
		n         int64
		one, many string
	}{
		{q.Equal, "row equals an earlier row of the same file; both were kept (--dedupe drops it)", "rows equal an earlier row of the same file; all were kept (--dedupe drops them)"},
		{q.Ambiguous, "local time that a clock change repeats; the first reading was taken", "local times that a clock change repeats; the first reading was taken"},
		{q.Missing, "local time that a clock change skips; moved forward", "local times that a clock change skips; moved forward"},
		{q.Future, "row is later than now", "rows are later than now"},
		{q.Unordered, "row is earlier than the row before it", "rows are earlier than the row before them"},
		{q.Rounded, "amount has more than six decimals and was rounded", "amounts have more than six decimals and were rounded"},
		{q.BadUTF8, "row holds bytes that are not text in the file's encoding; they were replaced", "rows hold bytes that are not text in the file's encoding; they were replaced"},
		{q.Impossible, "user has more than 10,000 events on one day", "users have more than 10,000 events on one day"},
	}
	for _, n := range notes {
		switch {
		case n.n == 1:
			fmt.Fprintf(w, "  note      1 %s\n", n.one)
		case n.n > 1:
			fmt.Fprintf(w, "  note      %s %s\n", format.Count(n.n), n.many)
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
		fmt.Fprintf(w, "  note      %s without an event: %s\n", counted(int64(len(q.EmptyDays)), "day"), strings.Join(days, ", "))
	}
}

// writePreview prints the first rows of a dry run.
func writePreview(w io.Writer, rec *ingest.Recognition) {
	fmt.Fprintln(w, "\nthe first rows, as they would be stored:")
	for _, r := range rec.Rows {
		if r.Reject != "" {
			fmt.Fprintf(w, "  line %d is rejected (%s): %s\n", r.Line, r.Reject, format.Cut(format.Clean(r.Text), 60))
			continue
		}
		fmt.Fprintf(w, "  line %d  user %s  time %s  event %s", r.Line, r.User, r.Time, r.Event)
		if r.Amount != "" {
			fmt.Fprintf(w, "  amount %s", r.Amount)
		}
		for _, p := range r.Props {
			fmt.Fprintf(w, "  %s=%s", p[0], format.Clean(p[1]))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "nothing was stored")
}

// counted is a number with its noun.
func counted(n int64, noun string) string { return format.Plural(n, noun, noun+"s") }
