package query

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dwell/model"
)

// changedAnalysis asks what is different since an earlier day: who moved from
// which stage to which, the movers with most value, warnings that are new.
func changedAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "changed", Title: "What changed", Help: "since yesterday, last week, last month, the last load or a day: flows between stages, top movers by value, new warnings", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "since", Type: Text, Default: "week", Help: "yesterday, week, month, load (the day the data reached before the last load), or a day YYYY-MM-DD"},
				{Name: "top", Type: Int, Default: "15", Min: 1, Help: "how many movers are shown; the figure lists all"},
			}, coinKeys(), groupKeys(), zoneKeys())},
		check: func(q Query) error {
			since := q.Value("since")
			if slices.Contains(sinceWords, since) {
				return nil
			}
			if _, err := model.ParseDay(since); err != nil {
				return fmt.Errorf("since=%s is none of %s, nor a day YYYY-MM-DD", since, strings.Join(sinceWords, ", "))
			}
			return nil
		},
		plan: planChanged,
	}
}

var sinceWords = []string{"yesterday", "week", "month", "load"}

// A change holds what kernel and layout share.
//
// Slots: everybody, the new, the movers, then old × new stage (old: one more for
// those who were not there yet), then for each mark those who have it newly and
// those who had it and have it no longer.
type change struct {
	r     *Run
	his   *historian
	old   model.Day
	n     int // stages
	marks []string
	top   int
	buys  *buying
}

const (
	changeAll = iota
	changeNew
	changeMoved
	changeFlows
)

func (c *change) flow(from, to int) int { return changeFlows + (from+1)*c.n + to }
func (c *change) mark(i int, gone bool) int {
	at := changeFlows + (c.n+1)*c.n + 2*i
	if gone {
		at++
	}
	return at
}

func planChanged(r *Run) (*Plan, error) {
	c := &change{r: r, n: len(r.machine.Model().Stages), marks: r.machine.Marks(), top: r.Int("top")}
	var err error
	if c.old, err = r.sinceDay(r.Str("since")); err != nil {
		return nil, err
	}
	if c.old >= r.AsOf {
		return nil, fmt.Errorf("since=%s is %s, which is not before the as-of day %s", r.Str("since"), c.old, r.AsOf)
	}
	if c.buys, err = r.buying(); err != nil {
		return nil, err
	}
	if c.his, err = r.historian(c.buys.columns...); err != nil {
		return nil, err
	}
	return c.his.on(&Plan{Slots: c.mark(len(c.marks), false), Amounts: c.buys.money, JudgeAtT: true, List: r.coinList, Kernel: c.kernel, Layout: c.layout, Explain: c.explain}), nil
}

// sinceDay is the day at whose end things are compared with now.
func (r *Run) sinceDay(since string) (model.Day, error) {
	switch since {
	case "yesterday":
		return r.AsOf - 1, nil
	case "week":
		return r.AsOf - 7, nil
	case "month":
		from, _ := r.Cal.Bounds(model.Monthly, r.Cal.Period(model.Monthly, r.AsOf))
		y, m, d := r.AsOf.Civil()
		if m--; m == 0 {
			y, m = y-1, 12
		}
		return min(model.DayOf(y, m, d), from-1), nil // the 31st of a short month is its last day
	case "load":
		return r.beforeLastLoad()
	}
	return model.ParseDay(since)
}

// beforeLastLoad is the last day that the data held before the last load. Loads
// keep no range of their own: the events say which load they came with.
func (r *Run) beforeLastLoad() (model.Day, error) {
	if len(r.Info.Loads) < 2 {
		return 0, fmt.Errorf("since=load: there is %s, so nothing came before the last; give a day or week instead", plural(len(r.Info.Loads), "load"))
	}
	last := len(r.Info.Loads) - 1
	day := model.NoDay
	type latest struct{ day model.Day }
	err := Scan(r, Needs{Sources: true}, func() *latest { return &latest{model.NoDay} },
		func(l *latest, p *Person) error {
			for i, d := range p.Days {
				if at := int(p.TL.Source[i]); at < len(r.Info.Sources) && r.Info.Sources[at].Load < last && (l.day == model.NoDay || d > l.day) {
					l.day = d
				}
			}
			return nil
		},
		func(l *latest) error {
			if l.day != model.NoDay && (day == model.NoDay || l.day > day) {
				day = l.day
			}
			return nil
		})
	if err != nil {
		return 0, err
	}
	if day == model.NoDay || day >= r.AsOf {
		return 0, fmt.Errorf("since=load: the last load brought no later day than the data had before: give a day instead")
	}
	return day, nil
}

// A mover is a user who changed stage, with what they have brought.
type mover struct {
	id       string
	from, to int
	revenue  model.Money
	active   int
	since    model.Day
}

// A changeKernel keeps each group's top movers beside the hits.
type changeKernel struct {
	c    *change
	st   *Staging
	top  [][]mover
	days []model.Day
}

func (c *change) kernel() Kernel {
	return &changeKernel{c: c, st: c.his.staging(), top: make([][]mover, len(c.r.Groups))}
}

// Visit replays the person to both days.
func (k *changeKernel) Visit(p *Person, h *Hits) {
	c := k.c
	before := k.st.To(p.TL, c.old)
	was, marks := before.Now(), before.Marks
	hist := k.st.To(p.TL, c.r.AsOf)
	now := hist.Now()
	if now < 0 {
		return
	}
	h.Hit(changeAll, Self)
	h.Hit(c.flow(was, now), Self)
	for i := range c.marks {
		switch a, b := marks>>i&1, hist.Marks>>i&1; {
		case a < b:
			h.Hit(c.mark(i, false), Self)
		case a > b:
			h.Hit(c.mark(i, true), Self)
		}
	}
	switch {
	case was < 0:
		h.Hit(changeNew, Self)
	case was != now:
		h.Hit(changeMoved, Self)
		k.days = c.r.ActiveDays(k.days[:0], p)
		m := mover{id: p.TL.ID, from: was, to: now, active: len(k.days), since: hist.Since()}
		var sum model.Sum
		for i := range p.Days {
			if x := c.buys.net(p, i); x != model.NoMoney {
				sum.Add(x)
			}
		}
		m.revenue, _ = sum.Money() // shown only; a sum that does not fit counts as none
		for g := range k.top {
			if h.mask>>g&1 != 0 {
				k.keep(g, m)
			}
		}
	}
}

// keep puts a mover among the group's top ones.
func (k *changeKernel) keep(g int, m mover) {
	at, _ := slices.BinarySearchFunc(k.top[g], m, byWorth)
	if at >= k.c.top {
		return
	}
	k.top[g] = slices.Insert(k.top[g], at, m)
	k.top[g] = k.top[g][:min(len(k.top[g]), k.c.top)]
}

// byWorth orders movers by revenue, then active days, then id.
func byWorth(a, b mover) int {
	return cmp.Or(cmp.Compare(b.revenue, a.revenue), cmp.Compare(b.active, a.active), strings.Compare(a.id, b.id))
}

// Merge takes the movers of the next split.
func (k *changeKernel) Merge(next Kernel) error {
	for g, ms := range next.(*changeKernel).top {
		for _, m := range ms {
			k.keep(g, m)
		}
	}
	return nil
}

func (c *change) layout(b *Builder) error {
	r := c.r
	b.A.Title = fmt.Sprintf("What changed from %s to %s · %s · %s", c.old, r.AsOf, plural(int(r.AsOf-c.old), "day"), r.Cal.Zone) + c.buys.title()
	b.A.Definition = fmt.Sprintf("Each user's stage and marks at the end of %s, as known from events up to that day, beside those at the end of %s. Moved is who was there before and stands in another stage now, whatever lay between.", c.old, r.AsOf)
	for g := range b.Groups() {
		b.Group(g)
		c.group(b)
	}
	if c.old < r.FirstDay {
		b.Warn("before-data", "%s lies before the data begin on %s: everybody is new.", c.old, r.FirstDay)
	}
	return b.coins(c.buys.code)
}

func (c *change) group(b *Builder) {
	r := c.r
	stages := r.machine.Model().Stages
	facts := Block{Kind: TableBlock, Name: b.Key("facts"), Title: b.label("in short"), Heads: []Head{{"users", true}}}
	fact := func(slot int, key, label string) {
		facts.Rows = append(facts.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(b.Count(slot, key, label))}})
	}
	fact(changeAll, "users", "users now")
	fact(changeNew, "new", "new since then")
	fact(changeMoved, "moved", "in another stage than then")
	b.Block(facts)

	flows := Block{Kind: HeatBlock, Name: b.Key("flows"), Title: b.label(fmt.Sprintf("from the stage of %s (row) to that of %s (column)", c.old, r.AsOf))}
	heads, labels, key := stageHeads(r.machine.Model())
	flows.Heads, flows.Lines = heads, keyed(key)
	for from := -1; from < c.n; from++ {
		name, label := "new", "not there yet"
		if from >= 0 {
			name, label = stages[from].Name, stages[from].Label()
		}
		row := Row{Key: name, Label: label}
		if from >= 0 {
			row.Label = labels[from]
		} else if key != "" {
			row.Label = "new"
		}
		for to, t := range stages {
			if b.N(c.flow(from, to), Self) == 0 {
				row.Cells = append(row.Cells, Cell{Figure: NoFigure, Blank: true})
				continue
			}
			row.Cells = append(row.Cells, b.Cell(b.Count(c.flow(from, to), "flow."+name+"."+t.Name, label+" → "+t.Label())))
		}
		flows.Rows = append(flows.Rows, row)
	}
	b.Block(flows)

	marks := Block{Kind: TableBlock, Name: b.Key("warnings"), Title: b.label("marks that came and went"), Heads: []Head{{"new", true}, {"gone", true}}}
	for i, name := range c.marks {
		label := strings.ReplaceAll(name, "_", " ")
		marks.Rows = append(marks.Rows, Row{Key: name, Label: label, Cells: []Cell{
			b.Cell(b.Count(c.mark(i, false), "mark."+name+".new", "newly "+label)),
			b.Cell(b.Count(c.mark(i, true), "mark."+name+".gone", "no longer "+label))}})
	}
	b.Block(marks)
	c.movers(b)
}

func (c *change) movers(b *Builder) {
	k, ok := b.Kernel().(*changeKernel)
	if !ok || len(k.top[b.group]) == 0 {
		return
	}
	r := c.r
	by := "active days, for there are no amounts to add"
	if c.buys.money {
		by = map[bool]string{true: "revenue", false: c.buys.unit}[c.buys.unit == "amount"]
	}
	bl := Block{Kind: TableBlock, Name: b.Key("movers"), Title: b.label("top movers by " + by), Heads: []Head{{"from", false}, {"to", false}, {"on", false}, {"revenue", true}, {"active days", true}}}
	for _, m := range k.top[b.group] {
		revenue := "—"
		if c.buys.money {
			revenue = showNumber("money", m.revenue.Float())
		}
		bl.Rows = append(bl.Rows, Row{Key: m.id, Label: m.id, Open: r.link(Query{Analysis: "user", ID: m.id}), Cells: []Cell{
			TextCell(r.machine.Model().Stages[m.from].Label()), TextCell(r.machine.Model().Stages[m.to].Label()), TextCell(m.since.String()), TextCell(revenue), TextCell(fmt.Sprint(m.active))}})
	}
	b.Block(bl)
}

func (c *change) explain(f *Figure) []ExplainLine {
	return []ExplainLine{{Head: "Formula", Text: fmt.Sprintf("each user is replayed up to the end of %s and up to the end of %s, both times by the model in force; the two stages and the two sets of marks are compared", c.old, c.r.AsOf)}}
}
