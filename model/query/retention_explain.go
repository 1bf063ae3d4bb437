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
	case f.Kind == Stat:
		out = append(out, ExplainLine{Head: "Formula", Text: "mean of (came back ÷ closed) over the cohorts with somebody closed, each counting once"})
	default:
		out = append(out, ExplainLine{Head: "Formula", Text: "users who came back ÷ users whose " + p.unit() + " " + p.column(c) + " has closed; open users are in neither, whether they have come back or not"})
	}
	window := "calendar " + p.unit() + "s from the one of the start"
	if p.def.Rolling {
		window = "multiples of 24 hours from the instant of the start"
	}
	return append(out, ExplainLine{Head: "Window", Text: window})
}

// work says in one sentence how a user stands in a figure.
func (p *retentionPlan) work(u *Person, f *Figure, _ bool) string {
	reader, err := retention.New(p.def)
	if err != nil {
		return ""
	}
	row, c := p.place(f.Slot)
	for _, l := range reader.Read(u.TL, u.Days) {
		if row >= 0 && int(l.Cohort-p.first) != row {
			continue
		}
		text := fmt.Sprintf("%s started on %s with %s", u.TL.ID, p.r.Cal.Stamp(u.TL, l.At), p.r.Info.Names[u.TL.Name[l.At]].Name)
		if c < 0 {
			return text + "."
		}
		text += "; " + p.span(u, l, c)
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
func (p *retentionPlan) span(u *Person, l retention.Life, c int) string {
	s := p.cols[c]
	name := p.unit() + " " + p.column(c)
	var in func(i int) bool
	var text string
	if p.def.Rolling {
		hours := int64(3_600_000) * 24
		if p.def.Unit == model.Weekly {
			hours *= 7
		}
		at := u.TL.Time[l.At]
		if u.TL.IsDated(l.At) {
			at = p.r.Cal.Begin(l.Start)
		}
		from, to := at+int64(s.From)*hours, at+int64(s.To+1)*hours
		text = fmt.Sprintf("%s is %s to %s", name, p.r.Cal.Time(from).Format("2006-01-02 15:04"), p.r.Cal.Time(to).Format("2006-01-02 15:04"))
		in = func(i int) bool {
			return u.TL.Time[i] >= from && (u.TL.Time[i] < to || p.def.Mode == retention.OnOrAfter)
		}
	} else {
		base := p.r.Cal.Period(p.def.Unit, l.Start)
		from, _ := p.r.Cal.Bounds(p.def.Unit, base+model.Period(s.From))
		_, to := p.r.Cal.Bounds(p.def.Unit, base+model.Period(s.To))
		text = fmt.Sprintf("%s is %s", name, from)
		if to-1 > from {
			text += " to " + (to - 1).String()
		}
		in = func(i int) bool { return u.Days[i] >= from && (u.Days[i] < to || p.def.Mode == retention.OnOrAfter) }
	}
	for i := range u.TL.Time {
		if i != l.At && in(i) && p.back.match(u.TL, i) {
			return text + ", with " + p.r.Info.Names[u.TL.Name[i]].Name + " on " + p.r.Cal.Stamp(u.TL, i)
		}
	}
	return text
}
