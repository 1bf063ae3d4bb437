package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/stat"
)

// Two answers side by side, of two segments, two periods or two definitions, are a
// form of compare: compare?a=ADDRESS&b=ADDRESS.

// sideKeys are the keys of that form.
func sideKeys() []KeySpec {
	return []KeySpec{
		{Name: "a", Type: Address, Help: "of two questions the one, its address escaped: two segments, periods or definitions"},
		{Name: "b", Type: Address, Help: "the other"},
		{Name: "figures", Type: Text, Help: "of two questions only the figures whose key begins so: week, cohort.2011-01"},
	}
}

// isVersus says whether two questions are compared, and not users or groups.
func isVersus(q Query) bool { return q.Get("a") != "" || q.Get("b") != "" || q.Get("figures") != "" }

func checkVersus(q Query) error {
	for _, p := range q.Params {
		if p.Key != "a" && p.Key != "b" && p.Key != "figures" {
			return fmt.Errorf("%s= compares users or groups, a= and b= two questions: put %s= into both questions instead", p.Key, p.Key)
		}
	}
	_, _, err := sides(q)
	return err
}

// sides are the two questions of compare and reconcile.
func sides(q Query) (a, b Query, err error) {
	for i, side := range []*Query{&a, &b} {
		name := string(rune('a' + i))
		v := q.Get(name)
		if v == "" {
			return a, b, fmt.Errorf("two questions are compared: give both addresses, a= and b=")
		}
		if *side, err = Parse(v); err != nil {
			return a, b, fmt.Errorf("%s=: %w", name, err)
		}
		an, err := find(side.Analysis)
		if err != nil {
			return a, b, err
		}
		if an.Windowed || an.Name == "compare" || an.Name == "reconcile" {
			return a, b, fmt.Errorf("%s=: %s has no figures to compare: give a question that counts users, as retention or lifecycle", name, an.Name)
		}
		if side.AsOf == model.NoDay {
			side.AsOf = q.AsOf
		}
	}
	return a, b, nil
}

// A versus holds both answers. Figures are listed by asking their own answer.
type versus struct {
	r    *Run
	ask  [2]*Answer
	keys []string // figures that both have, in the order of a
}

func planVersus(r *Run) (*Plan, error) {
	a, b, err := sides(r.Q)
	if err != nil {
		return nil, err
	}
	p := &versus{r: r}
	for i, q := range []Query{a, b} {
		if p.ask[i], err = r.within(q); err != nil {
			return nil, fmt.Errorf("%c=: %w", 'a'+i, err)
		}
	}
	prefix := r.Str("figures")
	for i := range p.ask[0].Figures {
		f := &p.ask[0].Figures[i]
		if g := p.ask[1].Figure(f.Key); g != nil && g.Kind == f.Kind && f.Kind != Read && strings.HasPrefix(f.Key, prefix) {
			p.keys = append(p.keys, f.Key)
		}
	}
	if len(p.keys) == 0 {
		return nil, fmt.Errorf("the two answers have no figure in common%s: ask both of the same analysis and unit", map[bool]string{true: " whose key begins with " + prefix}[prefix != ""])
	}
	return &Plan{Layout: p.layout, List: p.list}, nil
}

// list is the users of a side's figure; of a difference, those of both sides.
func (p *versus) list(f *Figure, part Part) ([]User, error) {
	side, key, _ := strings.Cut(f.Key, ".")
	of := func(i int, part Part) ([]User, error) {
		name := key
		if part != Self {
			name += "/" + partNames[part]
		}
		l, err := p.r.eng.behind(p.r.Ctx, p.r.st, p.ask[i], name, p.r.progress)
		if err != nil {
			return nil, err
		}
		return slices.Clone(l.Users), nil
	}
	switch side {
	case "a":
		return of(0, part)
	case "b":
		return of(1, part)
	}
	if p.ask[0].Figure(key).Kind == Rate {
		part = Of
	}
	one, err := of(0, part)
	if err != nil {
		return nil, err
	}
	two, err := of(1, part)
	return slices.Concat(one, two), err
}

// shared is how many users both questions count; known is false where they do not
// say whom they count.
func (p *versus) shared() (n int, known bool, err error) {
	var ids [2][]string
	for i, a := range p.ask {
		if f := a.Figure("users"); f == nil || f.Kind != Count && f.Kind != Pairs {
			return 0, false, nil
		}
		l, err := p.r.eng.behind(p.r.Ctx, p.r.st, a, "users", p.r.progress)
		if err != nil {
			return 0, false, err
		}
		for _, u := range l.Users {
			ids[i] = append(ids[i], u.ID)
		}
		slices.Sort(ids[i])
		ids[i] = slices.Compact(ids[i])
	}
	for _, id := range ids[0] {
		if _, ok := slices.BinarySearch(ids[1], id); ok {
			n++
		}
	}
	return n, true, nil
}

func (p *versus) layout(b *Builder) error {
	a, o := p.ask[0], p.ask[1]
	b.A.Title = "Side by side · " + a.Title + " — " + o.Title
	b.A.Definition = "a: " + a.Definition + " b: " + o.Definition
	b.Block(Block{Kind: TableBlock, Name: "questions", Title: "the two questions", Heads: []Head{{"question", false}, {"as of", false}}, Rows: []Row{
		{Key: "a", Label: "a", Cells: []Cell{{Figure: NoFigure, Text: a.Address, Go: a.Address}, TextCell(a.AsOf.String())}, Open: a.Address},
		{Key: "b", Label: "b", Cells: []Cell{{Figure: NoFigure, Text: o.Address, Go: o.Address}, TextCell(o.AsOf.String())}, Open: o.Address},
	}})
	shared, known, err := p.shared()
	if err != nil {
		return err
	}
	if known && shared > 0 {
		b.Warn("overlap", "%s are counted by both questions: no interval holds for the difference of overlapping groups. reconcile says which rule parts two definitions.", countOf(int64(shared), "user"))
	}
	at := [2]map[string]int{{}, {}}
	bl := Block{Kind: TableBlock, Name: "figures", Title: "figure by figure", Heads: []Head{{"a", true}, {"n", true}, {"b", true}, {"n", true}, {"b less a", true}, {"95 % interval", true}}}
	for _, key := range p.keys {
		var f [2]*Figure
		row := Row{Key: key, Label: a.Figure(key).Label}
		for i, ask := range p.ask {
			g := *ask.Figure(key)
			g.Key = string(rune('a'+i)) + "." + key
			at[i][key] = b.Own(g)
			f[i] = ask.Figure(key)
			row.Cells = append(row.Cells, Cell{Figure: at[i][key], Open: g.Open > 0}, TextCell(count(g.N)))
		}
		d := Figure{Key: "difference." + key, Label: a.Figure(key).Label + ", b less a", Kind: Stat, Unit: f[0].Unit, N: f[0].N + f[1].N, None: f[0].None || f[1].None || f[0].Unit != f[1].Unit, Pairs: true}
		if !d.None {
			d.Value = f[1].Value - f[0].Value
		}
		if known && shared == 0 && f[0].Kind == Rate && !d.None && !f[0].Pairs && !f[1].Pairs {
			if iv, ok := stat.Newcombe(returned(f[0]), f[0].N, returned(f[1]), f[1].N, 0.95); ok {
				d.Lo, d.Hi, d.Interval, d.Method = iv.Lo, iv.Hi, true, "Newcombe 95 %"
			}
		}
		i := b.Own(d)
		row.Cells = append(row.Cells, b.Cell(i), TextCell(b.Fig(i).between()))
		bl.Rows = append(bl.Rows, row)
	}
	p.chart(b, at)
	b.Block(bl)
	if n := len(a.Figures) + len(o.Figures) - 2*len(p.keys); n > 0 && p.r.Str("figures") == "" {
		b.Warn("one-sided", "%s stand on one side only, and are left out here.", countOf(int64(n), "figure"))
	}
	for i, ask := range p.ask {
		for _, w := range ask.Warnings {
			b.Warn(w.Code, "%c: %s", 'a'+i, w.Text)
		}
	}
	b.A.volatile = a.volatile || o.volatile
	return nil
}

// returned is the numerator of a rate.
func returned(f *Figure) int64 { return int64(f.Value*float64(f.N) + 0.5) }

// chart lays the first charts of both answers over each other, where they have the
// same axis.
func (p *versus) chart(b *Builder, at [2]map[string]int) {
	var c [2]*Chart
	for i, ask := range p.ask {
		for k := range ask.Blocks {
			if ask.Blocks[k].Chart != nil {
				c[i] = ask.Blocks[k].Chart
				break
			}
		}
	}
	if c[0] == nil || c[1] == nil || c[0].Dates || c[1].Dates || c[0].XLabel != c[1].XLabel || c[0].Unit != c[1].Unit {
		return
	}
	out := *c[0]
	if len(c[1].X) > len(out.X) {
		out = *c[1]
	}
	if n := min(len(c[0].X), len(c[1].X)); !slices.Equal(c[0].X[:n], c[1].X[:n]) {
		return
	}
	out.Series = nil
	for i := range c {
		for _, s := range c[i].Series {
			s.Name = string(rune('a'+i)) + ": " + s.Name
			var figures []int
			for _, f := range s.Figures {
				own, ok := at[i][p.ask[i].Figures[f].Key]
				if !ok {
					figures = nil
					break
				}
				figures = append(figures, own)
			}
			s.Figures = figures
			out.Series = append(out.Series, s)
		}
	}
	b.Block(Block{Kind: ChartBlock, Name: "chart", Title: "both over each other", Chart: &out})
}

// rateText writes a rate for a text cell.
func rateText(f *Figure) string {
	if f == nil || f.None {
		return "—"
	}
	return strconv.FormatFloat(100*f.Value, 'f', 2, 64) + " %"
}
