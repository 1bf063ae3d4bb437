package query

import (
	"fmt"
	"math"
	"strings"
)

func (t *tiering) layout(b *Builder) error {
	r := t.r
	by := t.by()
	who := ""
	if t.coin != "" {
		who = " and money in " + t.coin
	}
	how := "percentiles " + r.Str("tiers") + " of all users with an event" + who + " up to the day, ties at the middle of their ranks"
	if t.cuts == nil {
		how = "what " + t.rule.String() + " says (of users from the best, ties together; or of what they brought at least)"
	}
	b.A.Title = "Value tiers by " + by + t.title() + " · " + asOfNote(r)
	b.A.Definition = fmt.Sprintf("Tiers of %s cut at %s; a user on a cut stands above it. The moves compare the tier at the end of %s, judged by the same rule from what was known then, with that at the end of %s. %s", by, how, t.days[1], t.days[0], t.timesNote())
	for g := range b.Groups() {
		b.Group(g)
		t.group(b)
	}
	if t.days[1] < r.FirstDay {
		b.Warn("before-data", "%s lies before the data begin on %s: everybody is new.", t.days[1], r.FirstDay)
	}
	if r.truncates {
		b.Warn("truncated", "Users first seen before %s may have come before the data begin: how long their first tier had lasted is not known, and they are in no median time of it (truncated=keep takes them in).", r.truncatedBefore())
	}
	return b.coins(t.coin)
}

// by is the measure in words.
func (t *tiering) by() string {
	if t.coin == "" {
		return t.r.columnLabel(t.ref)
	}
	plain := t.ref
	plain.Where = nil
	return columnLabel(plain)
}

func (t *tiering) title() string {
	if t.coin == "" {
		return ""
	}
	return " · in " + t.coin
}

// timesNote says how times in tiers are told.
func (t *tiering) timesNote() string {
	every := "of every day"
	if n := len(t.grid); n > 2 {
		if step := t.grid[n-1] - t.grid[n-2]; step > 1 || t.grid[1]-t.grid[0] > 1 {
			step = max(step, t.grid[1]-t.grid[0])
			every = fmt.Sprintf("of every %d days back from %s, so that times are told to within as much", step, t.days[0])
		}
	}
	return "Median times go by the tiers at the end " + every + ": of a tier, of each user's first stay in it, those still there censored (Kaplan–Meier); of a move, the days in the tier until it was left. Tiers cut by rank are also left because others rise."
}

// label names a tier; one more than there are is for who has no value.
func (t *tiering) label(i int) string {
	switch {
	case i == t.n() && t.coin != "":
		return "nothing in " + t.coin
	case i == t.n():
		return "no value"
	case i > t.n():
		return "not there yet"
	}
	return t.names[i]
}

func (t *tiering) key(i int) string {
	switch {
	case i == t.n():
		return "none"
	case i > t.n():
		return "new"
	}
	return "t" + fmt.Sprint(i+1)
}

// bound writes one value of the tiers' measure: money with two decimals, numbers
// that are not whole with up to three, thousands parted.
func (t *tiering) bound(v float64) string {
	if t.money {
		return parted(v, 2)
	}
	if v == math.Trunc(v) {
		return parted(v, 0)
	}
	return parted(v, 3)
}

// bounds are the lowest and highest value of a tier on the as-of day, from the
// values of all users.
func (t *tiering) bounds(i int) string {
	lo, hi, any := 0.0, 0.0, false
	for _, x := range t.sorted {
		if t.of(t.on[0], x, true) != i {
			continue
		}
		if !any {
			lo, any = x, true
		}
		hi = x
	}
	if !any {
		return "—"
	}
	return t.bound(lo) + " to " + t.bound(hi)
}

func (t *tiering) group(b *Builder) {
	all := b.Count(tierAll, "users", "users")
	total := 0.0
	for i := range t.n() {
		total += b.SumOf(t.tier(i)).Float()
	}
	bl := Block{Kind: TableBlock, Name: b.Key("tiers"), Title: b.label("the tiers, highest first"), Heads: []Head{{"users", true}, {"of users", true}, {"value", true}, {"of value", true}, {"value from … to", true}, {"median days", true}, {"95 % interval", true}, {"of stays", true}}}
	for i := t.n() - 1; i >= 0; i-- {
		n := b.Count(t.tier(i), "tier."+t.key(i), t.label(i))
		sum := b.Sum(t.tier(i), "tier."+t.key(i)+".value", t.label(i)+", "+t.by()+" in all", t.unit)
		stay := b.medianStay(t.stay(i), "tier."+t.key(i)+".days", t.label(i)+", median days of a first stay")
		share := "—"
		if total > 0 {
			share = shareText(b.Fig(sum).Value / total)
		}
		bl.Rows = append(bl.Rows, Row{Key: t.key(i), Label: t.label(i), Rule: t.meets(i), Cells: []Cell{b.Cell(n), TextCell(percent(b.Fig(n).N, b.Fig(all).N)), b.Cell(sum), TextCell(share), TextCell(t.bounds(i)), b.Cell(stay), TextCell(b.Fig(stay).interval()), TextCell(censoredNote(b.Values(t.stay(i))))}})
	}
	if b.N(t.tier(t.n()), Self) > 0 {
		n := b.Count(t.tier(t.n()), "tier.none", t.label(t.n()))
		bl.Rows = append(bl.Rows, Row{Key: "none", Label: t.label(t.n()), Apart: true, Cells: []Cell{b.Cell(n), TextCell(percent(b.Fig(n).N, b.Fig(all).N)), TextCell("—"), TextCell("—"), TextCell(""), TextCell(""), TextCell(""), TextCell("")}})
	}
	b.Block(bl)
	full, last := 0, 0
	for i := range t.n() {
		if b.N(t.tier(i), Self) > 0 {
			full, last = full+1, i
		}
	}
	if full == 1 {
		b.Warn("one-tier", "All users with a value stand in one tier, %s: %s parts nobody where the tiers are cut.", t.label(last), t.by())
	}

	sums := Block{Kind: TableBlock, Name: b.Key("moved"), Title: b.label(fmt.Sprintf("since %s", t.days[1])), Heads: []Head{{"users", true}}}
	for _, l := range []struct {
		slot       int
		key, label string
	}{{tierUp, "up", "up: in a higher tier than then"}, {tierDown, "down", "down: in a lower tier than then"}, {tierStay, "stayed", "in the same tier"}, {tierNew, "new", "not there yet then"}} {
		n := b.Count(l.slot, l.key, l.label)
		if l.slot == tierUp || l.slot == tierDown {
			b.Fig(n).Carry, b.Fig(n).Beside = t.by(), "on "+t.days[1].String()
		}
		sums.Rows = append(sums.Rows, Row{Key: l.key, Label: l.label, Cells: []Cell{b.Cell(n)}})
	}
	b.Block(sums)
	t.moves(b)
}

// moves is the matrix of tiers then and now, as shares of who stood in the row,
// and the moves one by one with their intervals.
func (t *tiering) moves(b *Builder) {
	heat := Block{Kind: HeatBlock, Name: b.Key("moves"), Title: b.label(fmt.Sprintf("from the tier of %s (row) to that of %s (column)", t.days[1], t.days[0])), Heads: []Head{{"users", true}}}
	list := Block{Kind: TableBlock, Name: b.Key("list"), Title: b.label("every move"), Heads: []Head{{"users", true}, {"of", true}, {"share", true}, {"95 % interval", true}, {"median days", true}, {"95 % interval", true}}}
	var cols []int
	for i := t.n() - 1; i >= 0; i-- {
		cols = append(cols, i)
	}
	none := false
	for a := range t.n() + 2 {
		none = none || b.N(t.move(a, t.n()), Self) > 0
	}
	if none {
		cols = append(cols, t.n())
	}
	for _, c := range cols {
		heat.Heads = append(heat.Heads, Head{t.label(c), true})
	}
	for _, a := range append(append([]int(nil), cols...), t.n()+1) {
		of := b.N(t.move(a, 0), Of)
		if of == 0 {
			continue
		}
		row := Row{Key: t.key(a), Label: t.label(a), Cells: []Cell{TextCell(count(of))}}
		for _, c := range cols {
			name := t.key(a) + "." + t.key(c)
			if b.N(t.move(a, c), Self) == 0 {
				row.Cells = append(row.Cells, Cell{Figure: NoFigure, Blank: true})
				continue
			}
			label := t.label(a) + " → " + t.label(c)
			rate := b.Rate(t.move(a, c), "rate."+name, label+", share")
			n := b.Count(t.move(a, c), "move."+name, label)
			row.Cells = append(row.Cells, b.Cell(rate))
			took, iv := TextCell(""), ""
			if a < t.n() && c < t.n() && a != c {
				var med int
				med, iv = b.medianOf(t.took(a, c), "days."+name, label+", median days in "+t.label(a)+" before")
				took = b.Cell(med)
			}
			list.Rows = append(list.Rows, Row{Key: name, Label: label, Cells: []Cell{b.Cell(n), TextCell(count(of)), b.Cell(rate), TextCell(b.Fig(rate).interval()), took, TextCell(iv)}})
		}
		heat.Rows = append(heat.Rows, row)
	}
	b.Block(heat)
	b.Block(list)
}

func (t *tiering) explain(f *Figure) []ExplainLine {
	text := "the user's percentile among all users with an event up to the day, 100 × (share below + half the share equal), compared with the cuts " + strings.Join(numberList(t.cuts), ", ") + "; a value equal to a cut stands above it"
	if t.cuts == nil {
		text = "the user's value compared with the least value of each tier but the lowest, which the rule " + t.rule.String() + " gives on the day"
	}
	switch {
	case f.Kind == Stat && f.Slot >= t.took(0, 0):
		text = "days from the first to the last day in the tier before the move; the interval is by order statistics, the list of those whose stay is known from its first day"
	case f.Kind == Stat:
		text = "the Kaplan–Meier median of each user's first stay in the tier, stays that go on being censored; the interval is Brookmeyer and Crowley's"
	}
	if f.Kind == Sum {
		text = t.by() + " of the tier's users on the as-of day, added exactly"
	}
	return []ExplainLine{{Head: "Formula", Text: text}, {Head: "Window", Text: fmt.Sprintf("events up to the end of %s for the tier now, up to the end of %s for the tier then", t.days[0], t.days[1])}}
}

func numberList(xs []float64) (out []string) {
	for _, x := range xs {
		out = append(out, Number(x))
	}
	return out
}
