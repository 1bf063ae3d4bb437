package query

import (
	"fmt"
	"strings"
)

func (p *pathsPlan) layout(b *Builder) error {
	b.A.Title = strings.Join([]string{"Journeys from " + p.from(), walkText(p.r), p.r.Cal.Zone}, " · ")
	b.A.Definition = p.definition()
	for g := range b.Groups() {
		b.Group(g)
		p.sequences(b)
		p.matrix(b)
	}
	return nil
}

func (p *pathsPlan) from() string {
	if p.centre == nil {
		return "the first event"
	}
	return "the first " + p.centre.label
}

// sequences lays the most common paths out.
func (p *pathsPlan) sequences(b *Builder) {
	all := b.N(pathsUsers, Self)
	total := b.Count(pathsUsers, "users", "users with a path from "+p.from())
	t := Block{Kind: TableBlock, Name: b.Key("paths"), Title: b.label(fmt.Sprintf("most common paths, up to %d events", p.length)), Heads: []Head{{"users", true}, {"share", true}, {"95 %", true}}}
	t.Rows = append(t.Rows, Row{Key: "users", Label: "(all)", Cells: []Cell{b.Cell(total), TextCell(""), TextCell("")}})
	for i, key := range p.paths {
		n := b.N(p.path(i), Self)
		if n == 0 {
			continue
		}
		f := b.derived(p.path(i), n, all, p.pathName(key), p.told(key))
		t.Rows = append(t.Rows, Row{Key: p.pathName(key), Label: p.told(key), Cells: []Cell{TextCell(count(n)), b.Cell(f), TextCell(intervalText(b.Fig(f)))}})
	}
	if n := b.N(pathsRest, Self); n > 0 {
		i := b.Count(pathsRest, "paths.rest", "users on any other path")
		t.Rows = append(t.Rows, Row{Key: "rest", Label: "(other paths)", Cells: []Cell{b.Cell(i), TextCell(percent(n, all)), TextCell("")}})
	}
	b.Block(t)
}

// matrix lays the transitions out: as shares of users and as counts.
func (p *pathsPlan) matrix(b *Builder) {
	n := p.names.n()
	heads := []Head{{"users", true}}
	for c := range n {
		_, label := p.eventRow(c)
		heads = append(heads, Head{label, true})
	}
	shares := Block{Kind: HeatBlock, Name: b.Key("next"), Title: b.label("of the users whom anything follows an event: who has this event next, at least once"), Heads: heads}
	counts := Block{Kind: TableBlock, Name: b.Key("transitions"), Title: b.label("transitions in all, from row to column"), Heads: append([]Head{{"all", true}}, heads[1:]...)}
	total := b.Rows(pathsAll, "transitions", "transitions from event to event")
	b.Fig(total).Unit = "transitions"
	counts.Rows = append(counts.Rows, Row{Key: "all", Label: "(all)", Cells: []Cell{b.Cell(total)}})
	for a := range n {
		of := b.N(p.left(a), Self)
		if of == 0 {
			continue
		}
		key, label := p.eventRow(a)
		users := b.Count(p.left(a), "from."+key, "users with anything after "+label)
		heat := Row{Key: key, Label: label, Cells: []Cell{b.Cell(users)}}
		line := Row{Key: key, Label: label, Cells: []Cell{TextCell("")}}
		sum := int64(0)
		for c := range n {
			to, toLabel := p.eventRow(c)
			slot := p.pair(a, c)
			i := b.derived(slot, b.N(slot, Self), of, "next."+key+">"+to, label+" → "+toLabel+", of users with anything after "+label)
			heat.Cells = append(heat.Cells, b.Cell(i))
			if b.TimesOf(slot+1, Self) == 0 {
				line.Cells = append(line.Cells, TextCell("·"))
				continue
			}
			sum += b.TimesOf(slot+1, Self)
			k := b.Rows(slot+1, "transitions."+key+">"+to, label+" → "+toLabel+", transitions")
			b.Fig(k).Unit = "transitions"
			line.Cells = append(line.Cells, b.Cell(k))
		}
		line.Cells[0] = TextCell(count(sum))
		shares.Rows, counts.Rows = append(shares.Rows, heat), append(counts.Rows, line)
	}
	b.Block(shares)
	b.Block(counts)
}

func (p *pathsPlan) definition() string {
	path := "A path is all events of a user"
	which := ""
	if p.walk.Gap > 0 {
		path = "A path is one session: a silence strictly longer than " + durationText(p.walk.Gap) + " ends it"
		which = ", in the first session that has it"
	}
	if p.walk.Collapse {
		path += "; events of one name in a row are one step"
	}
	return fmt.Sprintf("%s. A transition is from one step to the next of the same path. The most common paths begin with %s%s, one a user, and hold up to %d events.", path, p.from(), which, p.length)
}

// explain gives the lines that are particular to paths.
func (p *pathsPlan) explain(f *Figure) []ExplainLine {
	switch {
	case f.Kind == Rows:
		return []ExplainLine{{Head: "Formula", Text: "the number of such transitions; its list is the users with how many each has"}}
	case f.Kind == Rate && f.Slot >= p.path(0):
		return []ExplainLine{{Head: "Formula", Text: "users whose path begins so ÷ users with a path from " + p.from()}}
	case f.Kind == Rate:
		return []ExplainLine{{Head: "Formula", Text: "users with this transition at least once ÷ users with anything after the first of the two events"}}
	}
	return nil
}

// work tells the beginning of a user's path.
func (p *pathsPlan) work(u *Person, _ *Figure, _ bool) string {
	w := &walker{r: p.r, walk: p.walk}
	w.read(u)
	path, at, ok := w.around(u, p.centre, false)
	if !ok {
		return fmt.Sprintf("%s has %s in %s and none that is %s.", u.TL.ID, countOf(int64(len(w.steps)), "step"), countOf(int64(len(w.paths)), "path"), strings.TrimPrefix(p.from(), "the first "))
	}
	return fmt.Sprintf("%s from %s on: %s; %s in %s in all.", u.TL.ID, p.r.Cal.Stamp(u.TL, int(w.steps[at])), p.told(string(p.sequence(nil, u, w, path, at))), countOf(int64(len(w.steps)), "step"), countOf(int64(len(w.paths)), "path"))
}
