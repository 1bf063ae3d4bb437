package query

import (
	"fmt"
	"strings"

	"dwell/model/stat"
)

func (p *stepsPlan) layout(b *Builder) error {
	b.A.Title, b.A.Definition = p.title(), p.definition()
	who := Block{Kind: TableBlock, Name: "users", Title: "who has a path", Heads: []Head{{"users", true}}}
	for g := range b.Groups() {
		b.Group(g)
		total := b.Count(0, "users", "users with a path")
		who.Rows = append(who.Rows, Row{Key: b.Key("users"), Label: b.label("with a path"), Cells: []Cell{b.Cell(total)}})
	}
	b.Block(who)
	if b.Groups() == 2 { // what was asked for stands before what it is made of
		p.difference(b)
	}
	for g := range b.Groups() {
		b.Group(g)
		p.matrix(b)
	}
	return nil
}

// column is a step as heads and keys have it.
func (p *stepsPlan) column(c int) string {
	if n := p.offset(c); n > 0 && p.centre != nil {
		return fmt.Sprintf("+%d", n)
	}
	return fmt.Sprint(p.offset(c))
}

func (p *stepsPlan) rowName(row, c int) (key, label string) {
	switch {
	case row != p.nothing():
		return p.names.key(p.r, row), p.names.label(p.r, row)
	case p.offset(c) < 0:
		return "nothing", "not begun"
	}
	return "nothing", "ended"
}

func (p *stepsPlan) heads() (out []Head) {
	for c := range p.columns() {
		out = append(out, Head{p.column(c), true})
	}
	return out
}

// shown are the rows that somebody is in, of any group.
func (p *stepsPlan) shown(b *Builder) (out []int) {
	was := b.group
	defer b.Group(was)
	for row := range p.rows() {
		some := false
		for g := range b.Groups() {
			b.Group(g)
			for c := range p.columns() {
				some = some || b.N(p.cell(row, c), Self) > 0
			}
		}
		if some {
			out = append(out, row)
		}
	}
	return out
}

func (p *stepsPlan) label(row int) string {
	if row == p.nothing() {
		return "(not begun, ended)"
	}
	return p.names.label(p.r, row)
}

func (p *stepsPlan) matrix(b *Builder) {
	all := b.N(0, Self)
	heat := Block{Kind: HeatBlock, Name: b.Key("matrix"), Title: b.label("share of users in each event, by step"), Heads: p.heads()}
	for _, row := range p.shown(b) {
		line := Row{Key: fmt.Sprint(row), Label: p.label(row)}
		for c := range p.columns() {
			key, name := p.rowName(row, c)
			i := b.derived(p.cell(row, c), b.N(p.cell(row, c), Self), all, fmt.Sprintf("at.%d.%s", p.offset(c), key), fmt.Sprintf("step %s: %s", p.column(c), name))
			line.Cells = append(line.Cells, b.Cell(i))
		}
		heat.Rows = append(heat.Rows, line)
	}
	b.Block(heat)
}

// difference lays the second group's shares less the first's out, with Newcombe's
// intervals where the groups share nobody.
func (p *stepsPlan) difference(b *Builder) {
	b.Group(0)
	shared := b.N(p.both(), Self)
	n1 := b.N(0, Self)
	b.Group(1)
	n2 := b.N(0, Self)
	b.Group(0)
	g1, g2 := p.r.Groups[0].Label(), p.r.Groups[1].Label()
	heat := Block{Kind: HeatBlock, Name: "difference", Title: "points: " + g2 + " − " + g1, Heads: p.heads()}
	for _, row := range p.shown(b) {
		line := Row{Key: fmt.Sprint(row), Label: p.label(row)}
		for c := range p.columns() {
			b.Group(0)
			x1 := b.N(p.cell(row, c), Self)
			b.Group(1)
			x2 := b.N(p.cell(row, c), Self)
			b.Group(0)
			key, name := p.rowName(row, c)
			line.Cells = append(line.Cells, b.Cell(p.differ(b, p.union(row, c), x1, n1, x2, n2, shared > 0,
				fmt.Sprintf("difference.%d.%s", p.offset(c), key), fmt.Sprintf("step %s: %s, %s less %s", p.column(c), name, g2, g1))))
		}
		heat.Rows = append(heat.Rows, line)
	}
	b.Block(heat)
	if shared > 0 {
		b.Warn("overlap", "%s in both groups: their difference has no interval, for it takes the groups to be apart. Compare one without the other instead.", isAre(shared, "user"))
	}
}

// differ adds the difference of two shares; its list is the users of the cell in
// either group.
func (p *stepsPlan) differ(b *Builder, slot int, x1, n1, x2, n2 int64, overlap bool, key, label string) int {
	i := b.push(Figure{Key: key, Label: label, Kind: Stat, Slot: slot, Group: 0, N: b.N(slot, Self), Unit: "points", None: n1 == 0 || n2 == 0})
	f := b.Fig(i)
	if f.None {
		return i
	}
	f.Value = 100 * (float64(x2)/float64(n2) - float64(x1)/float64(n1))
	if iv, ok := stat.Newcombe(x1, n1, x2, n2, 0.95); ok && !overlap {
		f.Lo, f.Hi, f.Interval, f.Method = 100*iv.Lo, 100*iv.Hi, true, "Newcombe 95 %"
	}
	return i
}

func (p *stepsPlan) around() string {
	if p.centre == nil {
		return "first event"
	}
	return p.centre.label
}

func (p *stepsPlan) title() string {
	parts := []string{"Step matrix around " + p.r.Str("occurrence") + " " + strings.TrimPrefix(p.around(), "first "), walkText(p.r)}
	return strings.Join(append(parts, p.r.Cal.Zone), " · ")
}

// walkText says what a path is, in a title.
func walkText(r *Run) string {
	text := "whole life"
	if r.Str("path") == "session" {
		text = "sessions of " + r.Str("gap") + " silence"
	}
	if r.Str("repeats") == "collapse" {
		text += ", repeats as one"
	}
	return text
}

func (p *stepsPlan) definition() string {
	path := "A path is all events of a user"
	if p.walk.Gap > 0 {
		path = "A path is one session: a silence strictly longer than " + durationText(p.walk.Gap) + " ends it"
	}
	if p.walk.Collapse {
		path += "; events of one name in a row are one step"
	}
	which := p.r.Str("occurrence")
	return fmt.Sprintf("%s. Step 0 is the user's %s %s, one path a user. A cell is the share of these users whose path has the event at that step; users whose path has not begun or has ended there are in the last row, so each column adds to 100 %%.",
		path, which, strings.TrimPrefix(p.around(), "first "))
}

// explain gives the lines that are particular to the matrix.
func (p *stepsPlan) explain(f *Figure) []ExplainLine {
	if f.Kind == Stat {
		return []ExplainLine{{Head: "Formula", Text: "100 × (the second group's share − the first's), in points; its list is the users of the cell in either group"}, {Head: "Population", Text: "users of the two groups with a path"}}
	}
	return []ExplainLine{{Head: "Formula", Text: "users whose path has the event at this step ÷ users with a path"}}
}

// work tells a user's path around its centre.
func (p *stepsPlan) work(u *Person, _ *Figure, _ bool) string {
	w := &walker{r: p.r, walk: p.walk}
	w.read(u)
	path, at, ok := w.around(u, p.centre, p.last)
	if !ok {
		return ""
	}
	var out []string
	for c := range p.columns() {
		i := at + p.offset(c)
		if i < path.From || i >= path.To {
			continue
		}
		name := p.r.Info.Names[u.TL.Name[w.steps[i]]].Name
		if i == at {
			name = "[" + name + " on " + p.r.Cal.Stamp(u.TL, int(w.steps[i])) + "]"
		}
		out = append(out, name)
	}
	return u.TL.ID + ": " + strings.Join(out, " → ") + "."
}
