package query

import (
	"slices"

	"dwell/model/stage"
	"dwell/model/stat"
)

// transitionsAnalysis is the matrix of moves between stages in a period: counts,
// rates, times, and the users of each cell (SPEC R7.3).
func transitionsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "transitions", Title: "Transitions", Help: "who moved from which stage to which in a period: counts, rates with intervals, median times", ID: NoID,
			Keys: keys(spanKeys(""), groupKeys(), truncatedKeys(), zoneKeys())},
		check: checkSpan,
		plan:  planTransitions,
	}
}

// A moves holds what kernel and layout share.
//
// Slots: for each stage the users who stayed in it all the period (as a rate of
// those at risk); then for each pair of stages the users who moved (a rate of
// those at risk in the first), with their times.
type moves struct {
	r    *Run
	his  *historian
	span span
	n    int // stages
}

func (m *moves) stayed(from int) int    { return from }
func (m *moves) moved(from, to int) int { return m.n + 2*(from*m.n+to) }
func (m *moves) took(from, to int) int  { return m.moved(from, to) + 1 }
func (m *moves) started() int           { return m.n + 2*m.n*m.n }

func planTransitions(r *Run) (*Plan, error) {
	m := &moves{r: r, n: len(r.machine.Model().Stages)}
	var err error
	if m.span, err = r.span(0); err != nil {
		return nil, err
	}
	if m.his, err = r.historian(); err != nil {
		return nil, err
	}
	return m.his.on(&Plan{Slots: m.started() + 1, Values: true, JudgeAtT: true, Kernel: m.kernel, Layout: m.layout, Explain: m.explain}), nil
}

func (m *moves) kernel() Kernel {
	s := m.his.staging()
	first := make([]int, m.n*m.n) // days of the user's first move of a pair; −1: none
	risk := make([]bool, m.n)
	return Visit(func(p *Person, h *Hits) {
		hist := s.To(p.TL, m.span.to)
		if len(hist.Transitions) == 0 {
			return
		}
		for i := range first {
			first[i] = -1
		}
		clear(risk)
		if at := hist.On(m.span.from - 1); at >= 0 {
			risk[at] = true
		}
		truncated := m.r.Truncated(p.Days[0])
		for i, t := range hist.Transitions {
			if t.Day < m.span.from {
				continue
			}
			risk[t.To] = true
			if t.From == stage.NoStage {
				if !truncated {
					h.Hit(m.started(), Self)
				}
				continue
			}
			if k := int(t.From)*m.n + int(t.To); first[k] < 0 {
				first[k] = int(t.Day - hist.Transitions[i-1].Day)
				if i == 1 && truncated {
					first[k] = -2 // moved, after a time nobody knows
				}
			}
		}
		for from := range m.n {
			if !risk[from] {
				continue
			}
			left := false
			for to := range m.n {
				days := first[from*m.n+to]
				h.Rate(m.moved(from, to), days != -1)
				if days >= 0 {
					h.Value(m.took(from, to), float64(days))
				}
				left = left || days != -1
			}
			h.Rate(m.stayed(from), !left)
		}
	})
}

func (m *moves) layout(b *Builder) error {
	r := m.r
	b.A.Title = "Transitions · " + m.span.String() + " · " + r.Cal.Zone
	b.A.Definition = "At risk in a stage is who was in it when the period began or entered it during the period; a cell counts those of them who went from it to the other stage in the period, each once. Times are days in the stage before that move."
	for g := range b.Groups() {
		b.Group(g)
		m.group(b)
	}
	b.warnLeft("Users first seen before %s may have come before the data begin: they are not among the new, and their first move has no time (truncated=keep takes them in).", r.truncatedBefore())
	return nil
}

func (m *moves) group(b *Builder) {
	stages := m.r.machine.Model().Stages
	counts := Block{Kind: HeatBlock, Name: b.Key("matrix"), Title: b.label("from (row) to (column): share of those at risk"), Heads: []Head{{"at risk", true}, {"stayed", true}}, Whole: true}
	list := Block{Kind: TableBlock, Name: b.Key("moves"), Title: b.label("every move"), Heads: []Head{{"users", true}, {"of", true}, {"rate", true}, {"95 % interval", true}, {"median days", true}, {"95 % interval", true}}}
	heads, labels, key := stageHeads(m.r.machine.Model())
	counts.Heads, counts.Lines = append(counts.Heads, heads...), keyed(key)
	started := b.Count(m.started(), "new", "users who came in the period")
	list.Rows = append(list.Rows, Row{Key: "new", Label: "new users", Cells: []Cell{b.Cell(started), TextCell(""), TextCell(""), TextCell(""), TextCell(""), TextCell("")}})
	for from, s := range stages {
		stay := b.Rate(m.stayed(from), "stayed."+s.Name, s.Label()+", did not leave")
		row := Row{Key: s.Name, Label: labels[from], Cells: []Cell{TextCell(count(b.N(m.stayed(from), Of))), b.Cell(stay)}}
		for to, t := range stages {
			name, label := s.Name+"."+t.Name, s.Label()+" → "+t.Label()
			if from == to || b.N(m.moved(from, to), Self) == 0 {
				row.Cells = append(row.Cells, Cell{Figure: NoFigure, Blank: true})
				continue
			}
			rate := b.Rate(m.moved(from, to), "rate."+name, label)
			row.Cells = append(row.Cells, b.Cell(rate))
			n := b.Count(m.moved(from, to), "move."+name, label)
			med, iv := b.medianOf(m.took(from, to), "days."+name, label+", median days before")
			list.Rows = append(list.Rows, Row{Key: name, Label: label, Cells: []Cell{b.Cell(n), TextCell(count(b.Fig(rate).N)), b.Cell(rate), TextCell(b.Fig(rate).interval()), b.Cell(med), TextCell(iv)}})
		}
		counts.Rows = append(counts.Rows, row)
	}
	b.Block(counts)
	b.Block(list)
}

// medianOf adds the median of a slot's values, with the interval by order
// statistics, which is also given as text.
func (b *Builder) medianOf(slot int, key, label string) (f int, interval string) {
	values := slices.Clone(b.Values(slot))
	slices.Sort(values)
	med, ok := stat.Median(values)
	f = b.Stat(slot, key, label, med, !ok, "days")
	if iv, ok := stat.MedianInterval(values, stat.Level); ok {
		x := b.Fig(f)
		x.Lo, x.Hi, x.Interval, x.Method = iv.Lo, iv.Hi, true, "order statistics 95 %"
		return f, Number(iv.Lo) + "–" + Number(iv.Hi)
	}
	return f, ""
}

func (m *moves) explain(f *Figure) []ExplainLine {
	if f.Slot == m.started() {
		return []ExplainLine{{Head: "Formula", Text: "users whose first event lies in the period"}}
	}
	return []ExplainLine{{Head: "Formula", Text: "users with such a move in the period ÷ users in the first stage at the period's beginning or at some time in it; a stage passed through on one day counts as entered and left. Who entered late had less time to move: narrow the period, or see dwell for times with censoring"}}
}
