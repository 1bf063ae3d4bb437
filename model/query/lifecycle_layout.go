package query

import (
	"fmt"
	"slices"
	"strconv"

	"dwell/model"
	"dwell/model/lifecycle"
)

func (p *lifecyclePlan) layout(b *Builder) error {
	r := p.r
	b.A.Title = fmt.Sprintf("Active users · %s · by %s · %s · %s", p.activity.label, p.unit, r.Cal.WeekStart.String()[:3], r.Cal.Zone)
	b.A.Definition = fmt.Sprintf("A user is active on a local day with %s. DAU counts that day's users, WAU7 and MAU28 those of the 7 and 28 days ending with it; %ss are calendar %ss.", p.activity.label, p.unit, p.unit)
	days := &Chart{XLabel: "day", YLabel: "users", Unit: "users", Dates: true, Zero: true}
	for i := range p.days {
		days.X = append(days.X, float64(int(r.FirstDay)+i))
	}
	per := &Chart{XLabel: p.unit.String(), YLabel: "users", Unit: "users", Dates: true, Zero: true}
	for i := range p.periods {
		from, _ := r.Cal.Bounds(p.unit, p.first+model.Period(i))
		per.X, per.Labels = append(per.X, float64(from)), append(per.Labels, p.label(i))
	}
	b.Block(Block{Kind: ChartBlock, Name: "days", Title: "active users: DAU, WAU7, MAU28", Chart: days})
	b.Block(Block{Kind: ChartBlock, Name: "periods", Title: "lifecycle by " + p.unit.String(), Chart: per})
	for g := range b.Groups() {
		b.Group(g)
		p.means(b)
		p.daily(b, days)
		if err := p.table(b, per); err != nil {
			return err
		}
		p.sticky(b)
	}
	if p.open {
		how := "is still open: users missing in it are pending, not dormant"
		if r.Str("pending") == "dormant" {
			how = "is still open, and users missing in it count as dormant at once (pending=dormant)"
		}
		b.Warn("open-period", "the last %s, %s, %s", p.unit, p.label(p.periods-1), how)
	}
	return nil
}

// counts are the users of a window on each day.
func (p *lifecyclePlan) counts(b *Builder, window int) []int64 {
	out := make([]int64, p.days)
	for i := range out {
		out[i] = b.N(p.day(window, i), Self)
	}
	return out
}

// means adds the averages over the days whose window lies wholly in the data,
// and stickiness.
func (p *lifecyclePlan) means(b *Builder) {
	bl := Block{Kind: TableBlock, Name: b.Key("means"), Title: b.label("over the whole range"), Heads: []Head{{"value", true}}}
	add := func(key, label string, i int) {
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(i)}})
	}
	add("users", "active at all", b.Count(p.ever(), "users", "users active at all"))
	for w, win := range windows {
		n := p.counts(b, w)
		m, ok := lifecycle.Mean(n[min(win.width-1, len(n)):])
		add(win.key, "mean "+win.name, b.Stat(p.ever(), win.key+".mean", "mean "+win.name, m, !ok, "users"))
	}
	dau, mau := p.counts(b, 0), p.counts(b, 2)
	if p.r.Str("dau_mau") == "mean_ratio" {
		from := min(27, len(dau))
		v, ok := lifecycle.MeanRatio(dau[from:], mau[from:])
		add("dau_mau", "DAU/MAU, mean of ratios", b.Stat(p.ever(), "dau_mau", "DAU/MAU, mean of the days' ratios", v, !ok, "share"))
	} else {
		last := dau[max(0, len(dau)-28):]
		v, ok := lifecycle.DAUOverMAU(last, mau[len(mau)-1])
		add("dau_mau", "DAU/MAU, last 28 days", b.Stat(p.day(2, p.days-1), "dau_mau", "DAU/MAU of the last 28 days", v, !ok, "share"))
	}
	b.Block(bl)
}

// daily adds a figure for each day and window. A window that reaches back before
// the data is marked open: it does not hold all it would.
func (p *lifecyclePlan) daily(b *Builder, c *Chart) {
	for w, win := range windows {
		s := Series{Name: b.label(map[string]string{"dau": "DAU", "wau7": "WAU7", "mau28": "MAU28"}[win.key]), Open: make([]bool, p.days)}
		for i := range p.days {
			d := (p.r.FirstDay + model.Day(i)).String()
			f := b.Count(p.day(w, i), win.key+"."+d, win.name+", "+d)
			s.Y, s.Figures = append(s.Y, b.Fig(f).Value), append(s.Figures, f)
			s.Open[i] = i < win.width-1
		}
		c.Series = append(c.Series, s)
	}
}

// table adds the classes of each period, once the identity of SPEC V12 holds.
func (p *lifecyclePlan) table(b *Builder, chart *Chart) error {
	counts := make([]lifecycle.Count, p.periods)
	var total lifecycle.Count
	for i := range counts {
		for c := range lifecycle.Class(lifecycle.Classes) {
			counts[i].By[c] = b.N(p.class(i, c), Self)
		}
		if a := b.N(p.active(i), Self); a != counts[i].Active() {
			return fmt.Errorf("%w: %s %s has %d active users and %d in its classes", lifecycle.ErrIdentity, p.unit, p.label(i), a, counts[i].Active())
		}
		total.Merge(counts[i])
	}
	if err := lifecycle.Check(counts); err != nil {
		return err
	}
	if n := total.By[lifecycle.Carried]; n > 0 {
		b.Warn("truncated", "%d users first seen before %s may have come before the data begins: they are carried, not new (truncated=keep counts them as new)", n, p.seenBefore)
	} else {
		b.WarnTruncated(0)
	}
	classes := []lifecycle.Class{lifecycle.New, lifecycle.Carried, lifecycle.FirstUse, lifecycle.Returning, lifecycle.Resurrected, lifecycle.Dormant}
	classes = slices.DeleteFunc(classes, func(c lifecycle.Class) bool {
		return (c == lifecycle.Carried || c == lifecycle.FirstUse) && total.By[c] == 0
	})
	bl := Block{Kind: TableBlock, Name: b.Key("lifecycle"), Title: b.label("who they were, by " + p.unit.String()), Heads: []Head{{p.activeWord(), true}}}
	series := make([]Series, len(classes)+1)
	series[0].Name = b.label(p.activeWord())
	for k, c := range classes {
		series[k+1].Name = b.label(c.String())
		head := c.String()
		if c == lifecycle.Dormant && p.open && p.periods == 1 {
			head = p.word(0, c)
		}
		bl.Heads = append(bl.Heads, Head{head, true})
	}
	bl.Heads = append(bl.Heads, Head{"growth", true})
	for i := range p.periods {
		open := p.open && i == p.periods-1
		l := p.label(i)
		row := Row{Key: l, Label: l}
		if open {
			row.Label += " (open)"
		}
		add := func(slot int, word string, k int) {
			f := b.Count(slot, p.unit.String()+"."+l+"."+word, word+" in "+p.unit.String()+" "+l)
			cell := b.Cell(f)
			cell.Open = open
			row.Cells = append(row.Cells, cell)
			s := &series[k]
			s.Y, s.Figures, s.Open = append(s.Y, b.Fig(f).Value), append(s.Figures, f), append(s.Open, open)
		}
		add(p.active(i), "active", 0)
		for k, c := range classes {
			add(p.class(i, c), p.word(i, c), k+1)
		}
		ratio, ok := counts[i].Growth()
		ok = ok && p.word(i, lifecycle.Dormant) != "pending"
		cell := b.Cell(b.Stat(p.moved(i), p.unit.String()+"."+l+".growth", "growth ratio of "+p.unit.String()+" "+l+": came over went", ratio, !ok, "ratio"))
		cell.Open = open
		row.Cells = append(row.Cells, cell)
		bl.Rows = append(bl.Rows, row)
	}
	chart.Series = append(chart.Series, series...)
	b.Block(bl)
	return nil
}

// activeWord names the distinct users of a calendar period as SPEC does, apart
// from the trailing windows: WAUcal and MAUcal beside WAU7 and MAU28.
func (p *lifecyclePlan) activeWord() string {
	switch p.unit {
	case model.Weekly:
		return "active (WAUcal)"
	case model.Monthly:
		return "active (MAUcal)"
	}
	return "active"
}

// sticky adds on how many of the last 7 days the week's users were active.
func (p *lifecyclePlan) sticky(b *Builder) {
	bl := Block{Kind: TableBlock, Name: b.Key("stickiness"), Title: b.label(fmt.Sprintf("active days among the last %d, of users active in them", stickyDays)),
		Heads: []Head{{"at least", true}, {"exactly", true}}}
	for k := 1; k <= stickyDays; k++ {
		n := strconv.Itoa(k)
		days := n + " days"
		if k == 1 {
			days = "1 day"
		}
		bl.Rows = append(bl.Rows, Row{Key: n, Label: days, Cells: []Cell{
			b.Cell(b.Rate(p.atLeast(k), "days7.atleast."+n, "active on at least "+days+" of the last 7")),
			b.Cell(b.Rate(p.exactly(k), "days7.exactly."+n, "active on exactly "+days+" of the last 7")),
		}})
	}
	b.Block(bl)
}

// explain gives the lines that are particular to active users.
func (p *lifecyclePlan) explain(f *Figure) []ExplainLine {
	if f.Slot <= p.ever() {
		text := "distinct users with an active day in the window that ends with the day; days are local, a window of 7 or 28 days is closed by the end of its last day"
		if f.Kind == Stat {
			text = "mean over the days whose window lies wholly within the data; DAU/MAU is the mean DAU of the last 28 days over the distinct users of the same days, or with dau_mau=mean_ratio the mean of DAU_t/MAU_t over all days from the 28th on"
		}
		return []ExplainLine{{Head: "Formula", Text: text}}
	}
	if f.Slot < p.active(0) {
		return []ExplainLine{{Head: "Formula", Text: "users active on so many of the last 7 closed days ÷ users active on at least one of them"}}
	}
	at := (f.Slot - p.active(0)) % (lifecycle.Classes + 2)
	texts := []string{
		"users with an active day in the " + p.unit.String(),
		"active here for the first time ever",
		"active here for the first time, but first seen so early in the data that they may have been there before",
		"active here for the first time, known before by other events",
		"active here and in the " + p.unit.String() + " before",
		"active here, not in the " + p.unit.String() + " before, but in an earlier one",
		"active in the " + p.unit.String() + " before and not here; in the open last one they are pending, for they may still come",
		"(new + first-use + resurrected) ÷ dormant: over 1 more came than went; none while the " + p.unit.String() + " is open",
	}
	return []ExplainLine{
		{Head: "Definition", Text: texts[at]},
		{Head: "Formula", Text: "active = active before + new + carried + first-use + resurrected − dormant, checked for every period"},
	}
}

// work says in one sentence how a user stands in a figure.
func (p *lifecyclePlan) work(u *Person, f *Figure, in bool) string {
	days := p.activeDays(nil, u)
	if len(days) == 0 {
		return u.TL.ID + " has no active day."
	}
	text := fmt.Sprintf("%s was active on %d days, first on %s and last on %s", u.TL.ID, len(days), days[0], days[len(days)-1])
	if f.Slot >= p.active(0) {
		i := (f.Slot - p.active(0)) / (lifecycle.Classes + 2)
		from, to := p.r.Cal.Bounds(p.unit, p.first+model.Period(i))
		before, _ := p.r.Cal.Bounds(p.unit, p.first+model.Period(i)-1)
		text += fmt.Sprintf("; %d of them from %s to %s, %d in the %s before", lifecycle.Within(days, from, to-1), from, to-1, lifecycle.Within(days, before, from-1), p.unit)
	}
	return text + "."
}
