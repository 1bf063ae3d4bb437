package query

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"dwell/model"
)

// propertyAnalysis looks at one property: its values with counts and users.
func propertyAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "property", Title: "Property", Help: "one property: its values with events and users, types, and when each value was seen", ID: NeedsID, IDIs: "property",
			Keys: keys([]KeySpec{
				{Name: "event", Type: Text, Help: "only on events of this name"},
				{Name: "top", Type: Int, Min: 1, Default: "50", Help: "how many values are listed"},
			}, groupKeys(), zoneKeys())},
		plan: func(r *Run) (*Plan, error) { return newProperty(r) },
	}
}

// A propertyPlan holds what kernel and layout share. Slots: events with the
// property, events without it, events of each type, events of each value.
type propertyPlan struct {
	r      *Run
	info   *model.KeyInfo
	event  int      // −1: any
	values []string // values[c] of coded keys; the candidates of a plain key
	index  map[string]int
	stream int64 // events that the candidates were found among
}

const (
	propertyWith = iota
	propertyWithout
	propertyTypes
	propertyValues = propertyTypes + int(valueTypes)
)

func newProperty(r *Run) (*Plan, error) {
	p := &propertyPlan{r: r, info: r.Info.Key(r.Q.ID), event: -1}
	if p.info == nil {
		var ns []string
		for _, k := range r.Info.Keys {
			ns = append(ns, k.Name)
		}
		return nil, noNameError(fmt.Sprintf("no property is named %q%s: the properties screen lists the names", r.Q.ID, didYouMean(r.Q.ID, ns)))
	}
	if name := r.Str("event"); name != "" {
		if p.event = r.Info.NameIndex(name); p.event < 0 {
			_, err := r.pick("name:" + name)
			return nil, fmt.Errorf("event=: %w", err)
		}
	}
	p.values = p.info.Values
	if p.info.Plain {
		if err := p.candidates(); err != nil {
			return nil, err
		}
	}
	return &Plan{Slots: propertyValues + len(p.values), JudgeAtT: true, Columns: []string{p.info.Name}, Kernel: func() Kernel { return newPropertyTally(p) }, Layout: p.layout}, nil
}

// candidates finds the values of a plain key that may be among its top ones, in
// a pass of its own: every value on more than 1 event in frequentKept is found.
func (p *propertyPlan) candidates() error {
	total := newFrequent()
	err := Scan(p.r, Needs{Columns: []string{p.info.Name}}, newFrequent,
		func(f *frequent, u *Person) error {
			for i, v := range u.TL.Props[0].Plain {
				if v != "" && p.takes(u.TL, i) {
					f.add(v)
					f.n++
				}
			}
			return nil
		},
		func(f *frequent) error { total.merge(f); return nil })
	if err != nil {
		return err
	}
	p.values, p.index, p.stream = nil, map[string]int{}, total.n
	for v := range total.count {
		p.values = append(p.values, v)
	}
	sort.Strings(p.values)
	for i, v := range p.values {
		p.index[v] = i
	}
	return nil
}

// takes says whether event i is one that is asked about.
func (p *propertyPlan) takes(tl *model.Timeline, i int) bool {
	return p.event < 0 || int(tl.Name[i]) == p.event
}

// A propertyTally is the kernel: beside the hits it keeps when each value was seen.
type propertyTally struct {
	p           *propertyPlan
	first, last []model.Day
	n           []int64 // of the person at hand, by value
	touched     []int
}

func newPropertyTally(p *propertyPlan) *propertyTally {
	t := &propertyTally{p: p, first: make([]model.Day, len(p.values)), last: make([]model.Day, len(p.values)), n: make([]int64, len(p.values))}
	for i := range t.first {
		t.first[i], t.last[i] = model.NoDay, model.NoDay
	}
	return t
}

// Visit looks at one person's values.
func (t *propertyTally) Visit(u *Person, h *Hits) {
	col := u.TL.Props[0]
	t.touched = t.touched[:0]
	var types [valueTypes]int64
	var with, without int64
	for i, d := range u.Days {
		if !t.p.takes(u.TL, i) {
			continue
		}
		if !has(col, i) {
			without++
			continue
		}
		with++
		v := -1
		if col.Plain != nil {
			types[typeOf(col.Plain[i])]++
			if c, ok := t.p.index[col.Plain[i]]; ok {
				v = c
			}
		} else {
			v = int(col.Codes[i])
			types[typeOf(t.p.values[v])]++
		}
		if v < 0 {
			continue
		}
		if t.n[v] == 0 {
			t.touched = append(t.touched, v)
		}
		t.n[v]++
		if t.first[v] == model.NoDay || d < t.first[v] {
			t.first[v] = d
		}
		t.last[v] = max(t.last[v], d)
	}
	hit := func(slot int, n int64) {
		if n > 0 {
			h.Times(slot, Self, n)
		}
	}
	hit(propertyWith, with)
	hit(propertyWithout, without)
	for v, n := range types {
		hit(propertyTypes+v, n)
	}
	for _, v := range t.touched {
		hit(propertyValues+v, t.n[v])
		t.n[v] = 0
	}
}

// Merge adds the next split.
func (t *propertyTally) Merge(next Kernel) error {
	o := next.(*propertyTally)
	for i := range t.first {
		if t.first[i] == model.NoDay || o.first[i] != model.NoDay && o.first[i] < t.first[i] {
			t.first[i] = o.first[i]
		}
		t.last[i] = max(t.last[i], o.last[i])
	}
	return nil
}

func (p *propertyPlan) layout(b *Builder) error {
	r, key := p.r, p.info.Name
	t, _ := b.Kernel().(*propertyTally)
	if t == nil {
		t = newPropertyTally(p)
	}
	b.A.Title = fmt.Sprintf("Property %s · %s", key, r.Cal.Zone)
	b.A.Definition = fmt.Sprintf("Values of %s up to the as-of day, by number of events.", key)
	rows := question("rows", "property", key)
	if p.event >= 0 {
		name := r.Info.Names[p.event].Name
		b.A.Title += " · on " + name
		rows = rows.With("event", name)
	}
	for g := range b.Groups() {
		b.Group(g)
		totals := Block{Kind: TableBlock, Name: b.Key("fill"), Title: b.label("fill and types"), Heads: []Head{{"events", true}, {"share", true}}}
		all := b.TimesOf(propertyWith, Self) + b.TimesOf(propertyWithout, Self)
		add := func(slot int, key, label, open string) {
			i := b.Rows(slot, key, label)
			totals.Rows = append(totals.Rows, Row{Key: b.Key(key), Label: label, Cells: []Cell{b.Cell(i), TextCell(percent(b.TimesOf(slot, Self), all))}, Open: open})
		}
		add(propertyWith, "with", "with a value", r.link(rows))
		add(propertyWithout, "without", "without", "")
		var types [valueTypes]int64
		for v := range valueTypes {
			if types[v] = b.TimesOf(propertyTypes+int(v), Self); types[v] > 0 {
				add(propertyTypes+int(v), "type."+strings.ReplaceAll(v.String(), "/", "-"), "reads as "+v.String(), "")
			}
		}
		if mix, conflict := typeMix(types); conflict {
			b.Warn("type-conflict", "%s holds values of several types: %s", key, mix)
		}
		b.Block(totals)
		p.valuesBlock(b, t, rows)
	}
	return nil
}

func (p *propertyPlan) valuesBlock(b *Builder, t *propertyTally, rows Query) {
	r := p.r
	var order []int
	for c := range p.values {
		if b.N(propertyValues+c, Self) > 0 {
			order = append(order, c)
		}
	}
	sortBy(order, func(c int) (int64, string) { return -b.TimesOf(propertyValues+c, Self), p.values[c] })
	title := fmt.Sprintf("%d distinct values", len(order))
	with := b.TimesOf(propertyWith, Self)
	if p.info.Plain {
		// A candidate that occurs less often than the pass can see may be
		// outranked by a value it has not kept: it is not shown.
		least := p.stream/frequentKept + 1
		for i, c := range order {
			if b.TimesOf(propertyValues+c, Self) < least {
				order = order[:i]
				break
			}
		}
		title = fmt.Sprintf("too many distinct values to count each; those on at least %d events", least)
	} else if line := numbers(p.values, order, func(c int) int64 { return b.TimesOf(propertyValues+c, Self) }); line != "" {
		b.Block(Block{Kind: TextBlock, Name: b.Key("numbers"), Title: b.label("the numbers among them"), Lines: []string{line}})
	}
	bl := Block{Kind: TableBlock, Name: b.Key("values"), Heads: []Head{{"events", true}, {"share", true}, {"users", true}, {"first seen", false}, {"last seen", false}}}
	top := min(r.Int("top"), len(order))
	if top < len(order) {
		title += fmt.Sprintf(", the first %d", top)
	}
	bl.Title = b.label(title)
	for _, c := range order[:top] {
		v, slot := p.values[c], propertyValues+c
		n := b.Rows(slot, "value."+v, p.info.Name+" "+v)
		who := b.Count(slot, "value."+v+".users", "users with "+p.info.Name+" "+v)
		bl.Rows = append(bl.Rows, Row{Key: v, Label: v, Open: r.link(rows.With("value", v)), Cells: []Cell{
			b.Cell(n), TextCell(percent(b.TimesOf(slot, Self), with)), b.Cell(who), TextCell(t.first[c].String()), TextCell(t.last[c].String())}})
	}
	b.Block(bl)
}

// numbers describes the values that read as numbers, each weighed by its events;
// "" if none does.
func numbers(values []string, order []int, events func(c int) int64) string {
	type point struct {
		x float64
		n int64
	}
	var ps []point
	var all int64
	for _, c := range order {
		if typeOf(values[c]) != numberValue {
			continue
		}
		if x, err := strconv.ParseFloat(values[c], 64); err == nil {
			ps = append(ps, point{x, events(c)})
			all += events(c)
		}
	}
	if len(ps) < 2 {
		return ""
	}
	sort.Slice(ps, func(i, j int) bool { return ps[i].x < ps[j].x })
	at := func(q float64) string {
		left := int64(q * float64(all-1))
		for _, p := range ps {
			if left -= p.n; left < 0 {
				return Number(p.x)
			}
		}
		return Number(ps[len(ps)-1].x)
	}
	return fmt.Sprintf("least %s, quarter %s, median %s, three quarters %s, most %s (by events)", at(0), at(0.25), at(0.5), at(0.75), at(1))
}
