package ingest

import (
	"fmt"
	"slices"
)

// fit reads times and amounts as this file writes them. Several files go under one
// mapping, made of the first or of an earlier load, and exports of one thing come
// in several dresses: seconds in one, ISO times in the next, a decimal comma in a
// third. Read as the first one is, every row of the second would be rejected, or,
// worse, stored at a wrong time. Only what the sample leaves no doubt about
// overrules the mapping, and nothing does that a person has said for this load.
func (p *plan) fit(file string, t *table, m *Mapping, o *Options) {
	if i := slices.Index(t.names, m.Time); i >= 0 && o.TimeFormat == "" {
		if times := fittingTimes(p.times, t.column(i)); times != nil {
			p.times = times
			p.notes = append(p.notes, fmt.Sprintf("%s: times are read as %s, not as %s", file, times, m.TimeFormat))
		}
	}
	if p.amount == nil {
		return
	}
	var cells []string
	for _, n := range p.amount.names {
		if i := slices.Index(t.names, n); i >= 0 {
			cells = append(cells, t.column(i)...)
		}
	}
	old := p.amount.style
	cells, fitting := numbersOf(cells), 0
	for _, c := range cells {
		if old.isNumber([]byte(c)) {
			fitting++
		}
	}
	if style, n := likelyStyle(cells); n > fitting && 10*n >= 9*len(cells) {
		p.amount.style = style
		p.notes = append(p.notes, fmt.Sprintf("%s: amounts are read as %s, not as %s", file, style, old))
	}
}

// fittingTimes is how the cells are surely written, if that is not the form p.
func fittingTimes(p *timeParser, cells []string) *timeParser {
	n := countParsed(p, cells)
	unix := p.form >= formUnix && p.form <= formUnixNS
	slash := p.form == formMDY || p.form == formDMY
	if len(cells) == 0 || n > 0 && !slash && (!unix || plausible(p, cells, 0.5)) {
		return nil
	}
	g, ok := guessTime(cells, true)
	switch {
	case !ok || g.open || g.String() == p.String():
		return nil
	case n > 0 && slash && g.form != formMDY && g.form != formDMY:
		return nil
	case n > 0 && unix && (g.form < formUnix || g.form > formUnixNS):
		return nil
	}
	return &g.timeParser
}
