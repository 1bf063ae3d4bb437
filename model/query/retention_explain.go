package query

import (
	"fmt"

	"dwell/model"
	"dwell/model/retention"
)

// place finds what a slot is: a cohort's row (or −1: pooled) and a column (or −1:
// a count).
func (p *retentionPlan) place(slot int) (row, c int) {
	n := len(p.cols)
	switch {
	case slot < 4*n:
		return -1, slot % n
	case slot < p.size(0):
		return -1, -1
	}
	if slot >= p.size(p.rows) {
		return -1, p.pairColumn(slot)
	}
	at := slot - p.size(0)
	return at / (n + 1), at%(n+1) - 1
}

// without says whether a pooled slot leaves the left truncated out.
func (p *retentionPlan) without(slot int) bool {
	n := len(p.cols)
	return slot < n || slot >= 2*n && slot < 3*n || slot == p.count(retentionUsers)
}

// explain gives the lines that are particular to retention.
func (p *retentionPlan) explain(f *Figure) []ExplainLine {
	row, c := p.place(f.Slot)
	pop := "all users who started"
	if row >= 0 {
		pop = "users who started in the " + p.def.Cohort.String() + " " + p.cohort(row)
	} else if p.def.SeenBefore != model.NoDay && p.without(f.Slot) {
		pop += ", but those first seen before " + p.def.SeenBefore.String() + ", who may have started before the data did"
	}
	out := []ExplainLine{{Head: "Definition", Text: p.definition()}, {Head: "Population", Text: pop}}
	switch {
	case c < 0:
		out = append(out, ExplainLine{Head: "Formula", Text: "number of users"})
	case f.Slot >= p.size(p.rows):
		out = append(out, ExplainLine{Head: "Formula", Text: "came back ÷ closed of the one group, less came back ÷ closed of the other; who is in both groups is left out of both"})
	case f.Kind == Stat:
		out = append(out, ExplainLine{Head: "Formula", Text: "mean of (came back ÷ closed) over the cohorts with somebody closed, each counting once"})
	default:
		out = append(out, ExplainLine{Head: "Formula", Text: "users who came back ÷ users whose " + p.word() + " " + p.column(c) + " has closed; open users are in neither, whether they have come back or not"})
	}
	return append(out, ExplainLine{Head: "Window", Text: p.intervalWords()})
}

// work says in one sentence how a user stands in a figure.
func (p *retentionPlan) work(u *Person, f *Figure, _ bool) string {
	reader := p.reader()
	row, c := p.place(f.Slot)
	for _, l := range reader.Read(u.TL, u.Days) {
		if row >= 0 && int(l.Cohort-p.first) != row {
			continue
		}
		text := fmt.Sprintf("%s started on %s with %s", u.TL.ID, p.r.Cal.Stamp(u.TL, l.At), p.r.Info.Names[u.TL.Name[l.At]].Name)
		if c < 0 {
			return text + "."
		}
		text += "; " + p.span(reader, u, l, c)
		switch l.Cells[c] {
		case retention.Back:
			return text + ": came back."
		case retention.Lost:
			return text + ": closed without a return."
		case retention.RunningBack:
			return text + ": not closed yet, so not counted, though already back."
		}
		return text + ": not closed yet, so not counted."
	}
	return ""
}

// span says when a column's intervals lie for a user, and what the user did then.
func (p *retentionPlan) span(reader *retention.Reader, u *Person, l retention.Life, c int) string {
	s := p.cols[c]
	text := p.word() + " " + p.column(c) + " is "
	switch d := &p.def; {
	case d.Rolling:
		text += fmt.Sprintf("from %s to %s days of 24 hours after it", p.days(s.From), p.days(s.To+1))
	case d.Unit == model.Custom:
		from, to := l.Start+model.Day(s.From*d.Every), l.Start+model.Day((s.To+1)*d.Every)-1
		text += from.String() + " to " + to.String()
	default:
		base := p.r.Cal.Period(d.Unit, l.Start)
		from, _ := p.r.Cal.Bounds(d.Unit, base+model.Period(s.From))
		_, to := p.r.Cal.Bounds(d.Unit, base+model.Period(s.To))
		text += from.String()
		if to-1 > from {
			text += " to " + (to - 1).String()
		}
	}
	for i := range u.TL.Time {
		if i == l.At || !p.back.match(u.TL, i) {
			continue
		}
		if k, ok := reader.Place(u.TL, l, i); ok && k >= s.From && (k <= s.To || p.def.Mode == retention.OnOrAfter) {
			return text + ", with " + p.r.Info.Names[u.TL.Name[i]].Name + " on " + p.r.Cal.Stamp(u.TL, i)
		}
	}
	return text
}

// days is the beginning of a rolling interval in days.
func (p *cohorts) days(k int) string {
	n := map[model.PeriodUnit]int{model.Daily: 1, model.Weekly: 7, model.Monthly: 30, model.Custom: p.def.Every}[p.def.Unit]
	return count(int64(k * n))
}
