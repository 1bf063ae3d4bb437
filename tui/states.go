package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"dwell/model/query"
	"dwell/tui/format"
)

// The states every screen draws on purpose: working, failed and empty. (Too
// small is drawn by the app, for all.)

// workingView says what is being done and how far it is. The line below it in
// the status bar says how to cancel.
func workingView(s *session, j *job, w int) string {
	if j == nil {
		return ""
	}
	lines := []string{"", "  " + format.Cut(j.title+" is being worked out", w-2), ""}
	if j.total > 0 {
		room := min(w-8, 60)
		bar := format.Bar(float64(j.done)/float64(j.total), room, s.styles.ASCII)
		lines = append(lines, "  "+s.styles.Accent.Render(bar)+s.styles.Dim.Render(strings.Repeat(s.styles.Glyphs.Dot, max(room-format.Width(bar), 0))))
	}
	return strings.Join(lines, "\n")
}

// failedView shows the sentence in full, and what can be done.
func failedView(s *session, err error, w int, hint string) string {
	lines := []string{"", "  " + s.styles.Bad.Render("This did not work."), ""}
	text, _, _ := strings.Cut(err.Error(), "\n") // a panic's stack is under :messages
	for _, l := range format.Wrap(format.Clean(text), w-4) {
		lines = append(lines, "  "+l)
	}
	lines = append(lines, "")
	for _, l := range format.Wrap(hint, w-4) {
		lines = append(lines, "  "+s.styles.Dim.Render(l))
	}
	return strings.Join(lines, "\n")
}

// emptyView says that the question was answered and nobody is in the answer.
func emptyView(s *session, a *query.Answer, w int) string {
	lines := []string{"", "  Nothing to show: the data hold nothing that this question counts.", ""}
	for _, x := range a.Warnings {
		for _, l := range format.Wrap("! "+x.Text, w-4) {
			lines = append(lines, "  "+l)
		}
	}
	if a.Definition != "" {
		lines = append(lines, "")
		for _, l := range format.Wrap(a.Definition, w-4) {
			lines = append(lines, "  "+s.styles.Dim.Render(l))
		}
	}
	hint := ":where alone drops the rule, :asof alone drops the day, :load brings data"
	lines = append(lines, "")
	for _, l := range format.Wrap(hint, w-4) {
		lines = append(lines, "  "+s.styles.Dim.Render(l))
	}
	return strings.Join(lines, "\n")
}

// padTo sets a styled line in n cells.
func padTo(s string, n int) string {
	if w := ansi.StringWidth(s); w < n {
		return s + strings.Repeat(" ", n-w)
	}
	return ansi.Truncate(s, n, "")
}

// placeOf is the header of a question before it is answered.
func placeOf(s *session, q query.Query) Place {
	p := Place{Query: q, Crumb: crumb(s, q), Title: q.Analysis, AsOf: q.AsOf.String()}
	if sp := query.SpecOf(q.Analysis); sp != nil && sp.Title != "" {
		p.Title = sp.Title
	}
	if q.ID != "" {
		p.Title = crumb(s, q)
	}
	p.Group = groupOf(q)
	return p
}

// groupOf says whom a question is asked of: groups that are compared stand
// beside each other with a bar, and a rule beside segments narrows each of them.
func groupOf(q query.Query) string {
	rules, segments := q.All("where"), q.All("segment")
	switch {
	case len(rules) == 0:
		return strings.Join(segments, " | ")
	case len(segments) == 0:
		return strings.Join(rules, " | ")
	case len(segments) > 1:
		return strings.Join(segments, " | ") + ", each with " + strings.Join(rules, " and ")
	}
	return segments[0] + " with " + strings.Join(rules, " | ")
}
