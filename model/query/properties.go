package query

import (
	"fmt"
	"strings"

	"dwell/model"
)

// propertiesAnalysis lists every property: how full it is, what its values are
// like, and whether it came or went.
func propertiesAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "properties", Title: "Properties", Help: "each property with fill, types and conflicts, distinct values, top values, and the day it appeared or vanished", ID: NoID, Keys: zoneKeys()},
		plan: func(r *Run) (*Plan, error) { return newProperties(r) },
	}
}

// A propertiesPlan holds what kernel and layout share. Slots: the events that have
// each property, then all events.
type propertiesPlan struct {
	r     *Run
	keys  []string
	days  int
	width int
	many  []*manyValues // by property; nil of plain ones and of those with few values
}

func newProperties(r *Run) (*Plan, error) {
	p := &propertiesPlan{r: r, days: int(r.AsOf-r.FirstDay) + 1}
	if p.days > maxDays {
		return nil, fmt.Errorf("the days from %s to %s are too many: ask as of an earlier day", r.FirstDay, r.AsOf)
	}
	for _, k := range r.Info.Keys {
		p.keys = append(p.keys, k.Name)
	}
	p.width = (p.days + sparkColumns - 1) / sparkColumns
	if err := p.findFrequent(); err != nil {
		return nil, err
	}
	return &Plan{Slots: len(p.keys) + 1, Columns: p.keys, Kernel: func() Kernel { return newPropertiesTally(p) }, Layout: p.layout}, nil
}

// A propertiesTally is the kernel: beside the hits it keeps what the values were.
type propertiesTally struct {
	p    *propertiesPlan
	keys []keyTally
	n    []int64 // of the person at hand
}

// A keyTally is what one property's values were like.
type keyTally struct {
	codes []int64  // events of each value, of many values of the frequent ones; nil of plain keys
	seen  []uint64 // of many values: a bit for each that is there
	types [valueTypes]int64
	days  []int32 // events of each day
}

func newPropertiesTally(p *propertiesPlan) *propertiesTally {
	t := &propertiesTally{p: p, keys: make([]keyTally, len(p.keys)), n: make([]int64, len(p.keys))}
	for k := range t.keys {
		info := &p.r.Info.Keys[k]
		switch m := p.many[k]; {
		case m != nil:
			t.keys[k].codes, t.keys[k].seen = make([]int64, len(m.codes)), make([]uint64, (len(info.Values)+63)/64)
		case !info.Plain:
			t.keys[k].codes = make([]int64, len(info.Values))
		}
		t.keys[k].days = make([]int32, p.days)
	}
	return t
}

// Visit looks at one person's properties.
func (t *propertiesTally) Visit(u *Person, h *Hits) {
	clear(t.n)
	for k := range t.keys {
		col, kt := u.TL.Props[k], &t.keys[k]
		for i, d := range u.Days {
			if !has(col, i) {
				continue
			}
			t.n[k]++
			if at := int(d - t.p.r.FirstDay); at >= 0 && at < len(kt.days) {
				kt.days[at]++
			}
			switch m := t.p.many[k]; {
			case col.Plain != nil:
				kt.types[typeOf(col.Plain[i])]++
			case m != nil:
				kt.add(m, col.Codes[i])
			default:
				kt.codes[col.Codes[i]]++
			}
		}
	}
	for k, n := range t.n {
		if n > 0 {
			h.Times(k, Self, n)
		}
	}
	h.Times(len(t.keys), Self, int64(u.TL.Len()))
}

// Merge adds the next split.
func (t *propertiesTally) Merge(next Kernel) error {
	for k, o := range next.(*propertiesTally).keys {
		kt := &t.keys[k]
		for c, n := range o.codes {
			kt.codes[c] += n
		}
		for i, bits := range o.seen {
			kt.seen[i] |= bits
		}
		for i, n := range o.types {
			kt.types[i] += n
		}
		for i, n := range o.days {
			kt.days[i] += n
		}
	}
	return nil
}

// A topValue is one of the values on most events.
type topValue struct {
	text   string
	events int64
}

// summary settles what a property's values are like.
func (kt *keyTally) summary(info *model.KeyInfo, m *manyValues) (distinct string, types [valueTypes]int64, top []topValue) {
	switch {
	case m != nil:
		return count(kt.distinct()), kt.types, kt.frequent(info, m)
	case kt.codes == nil:
		return "too many", kt.types, nil
	}
	for c, n := range kt.codes {
		if c == 0 || n == 0 {
			continue
		}
		top = append(top, topValue{info.Values[c], n})
		types[typeOf(info.Values[c])] += n
	}
	sortBy(top, func(v topValue) (int64, string) { return -v.events, v.text })
	return count(int64(len(top))), types, top
}

// typeMix writes the types of a property, most frequent first, and says whether
// they conflict: values that are not what most of them are, where most of them
// are not text, or at least 1 % of another kind.
func typeMix(types [valueTypes]int64) (text string, conflict bool) {
	var order []int
	var all int64
	for v, n := range types {
		if all += n; n > 0 {
			order = append(order, v)
		}
	}
	sortBy(order, func(v int) (int64, string) { return -types[v], "" })
	var parts []string
	for _, v := range order {
		if len(order) == 1 {
			return valueType(v).String(), false
		}
		parts = append(parts, valueType(v).String()+" "+percent(types[v], all))
	}
	if len(order) > 1 {
		rest := all - types[order[0]]
		conflict = valueType(order[0]) != textValue || rest*100 >= all
	}
	return strings.Join(parts, ", "), conflict
}

// edge is how long a property must have been missing, at least, at an end of the
// data to have appeared or vanished; rare ones must have been missing for five of
// their usual gaps.
const edge = 7

// presence says on which days a property was first and last seen, and whether it
// appeared after the data began or vanished before they end.
func presence(days []int32, last int) (from, to int, note string) {
	from, to = -1, -1
	seen := 0
	for i, n := range days {
		if n > 0 {
			if from < 0 {
				from = i
			}
			to = i
			seen++
		}
	}
	if from < 0 {
		return from, to, ""
	}
	quiet := max(edge, 5*(to-from+1)/seen)
	var notes []string
	if from > quiet {
		notes = append(notes, "appeared")
	}
	if last-to > quiet {
		notes = append(notes, "vanished")
	}
	return from, to, strings.Join(notes, ", ")
}

func (p *propertiesPlan) layout(b *Builder) error {
	r := p.r
	t, _ := b.Kernel().(*propertiesTally)
	if t == nil {
		t = newPropertiesTally(p)
	}
	b.A.Title = fmt.Sprintf("Properties · %s to %s · %s", r.FirstDay, r.LastDay, r.Cal.Zone)
	b.A.Definition = "A property is filled on an event if it has a value that is not empty. Types are what the values read like."
	b.Rows(len(p.keys), "events", "all events")
	all := b.TimesOf(len(p.keys), Self)
	bl := Block{Kind: TableBlock, Name: "properties", Title: "properties", Heads: []Head{
		{"events", true}, {"fill", true}, {"users", true}, {"distinct", true}, {"types", false}, {"top values", false}, {"first seen", false}, {"last seen", false}, {"", false}, {"per " + plural(p.width, "day"), false}}}
	order := make([]int, len(p.keys))
	for k := range order {
		order[k] = k
	}
	sortBy(order, func(k int) (int64, string) { return -b.TimesOf(k, Self), p.keys[k] })
	for _, k := range order {
		kt, info := &t.keys[k], &r.Info.Keys[k]
		key := "property." + p.keys[k]
		n := b.Rows(k, key, "events with "+p.keys[k])
		who := b.Count(k, key+".users", "users with "+p.keys[k])
		distinct, types, top := kt.summary(info, p.many[k])
		mix, conflict := typeMix(types)
		if conflict {
			mix += " — conflict"
			b.Warn("type-conflict", "%s holds values of several types: %s", p.keys[k], strings.TrimSuffix(mix, " — conflict"))
		}
		var values []string
		filled, named := b.TimesOf(k, Self), int64(0)
		for _, v := range top[:min(3, len(top))] {
			values = append(values, fmt.Sprintf("%s (%s)", shorten(v.text, 24), percent(v.events, filled)))
		}
		if p.many[k] != nil {
			for _, v := range top {
				named += v.events
			}
			values = append(values, fmt.Sprintf("each on at most 1 event in %s: %s together", count(frequentKept+1), percent(filled-named, filled)))
		}
		from, to, note := presence(kt.days, int(r.LastDay-r.FirstDay))
		day := func(i int) string {
			if i < 0 {
				return ""
			}
			return (r.FirstDay + model.Day(i)).String()
		}
		bl.Rows = append(bl.Rows, Row{Key: p.keys[k], Label: p.keys[k], Open: r.link(Query{Analysis: "property", ID: p.keys[k]}), Cells: []Cell{
			b.Cell(n), TextCell(percent(b.TimesOf(k, Self), all)), b.Cell(who), TextCell(distinct), TextCell(mix), TextCell(strings.Join(values, ", ")),
			TextCell(day(from)), TextCell(day(to)), TextCell(note), {Figure: NoFigure, Spark: bucketed(kt.days, p.width)},
		}})
	}
	b.Block(bl)
	if lines := spelled(r.Info); len(lines) > 0 {
		b.Block(Block{Kind: TextBlock, Name: "in-the-files", Title: "as the files spelled them", Lines: lines})
	}
	return nil
}

// bucketed adds days up into the columns of a sparkline.
func bucketed(days []int32, width int) []float64 {
	out := make([]float64, (len(days)+width-1)/width)
	for i, n := range days {
		out[i/width] += float64(n)
	}
	return out
}

// shorten cuts a value to n runes.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// spelled lists the properties whose values stood in the files as several types.
func spelled(in *model.Info) []string {
	var out []string
	for i, l := range in.Loads {
		for _, k := range l.Quality.Types {
			var parts []string
			kinds := 0
			for _, x := range []struct {
				n    int64
				word string
				real bool
			}{{k.Text, "text", true}, {k.Number, "number", true}, {k.Bool, "true/false", true}, {k.Time, "time", true}, {k.Null, "null", false}, {k.Compound, "object or list", true}} {
				if x.n > 0 {
					parts = append(parts, fmt.Sprintf("%d as %s", x.n, x.word))
					if x.real {
						kinds++
					}
				}
			}
			if kinds > 1 || k.Null > 0 || k.Compound > 0 {
				out = append(out, fmt.Sprintf("%s, load %d: %s", k.Key, i+1, strings.Join(parts, ", ")))
			}
		}
	}
	return out
}
