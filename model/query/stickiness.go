package query

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"dwell/model"
	"dwell/model/lifecycle"
	"dwell/model/stat"
)

// stickinessAnalysis asks on how many days of a week or month its users were
// active: exactly and at least, and of the last 7 and 28 days (L7, L28).
func stickinessAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "stickiness", Title: "Stickiness", Help: "on how many days of a week or month its users were active, exactly and at least; L7 and L28; the usage interval", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "unit", Type: Word, Values: []string{"week", "month"}, Default: "week", Help: "the calendar period whose active days are counted"},
			}, activityKeys(), groupKeys(), zoneKeys())},
		plan: planStickiness,
	}
}

// A stickinessPlan holds what kernel and layout share.
//
// Slots: users with an active day, those with three of all and by themselves (of
// whom the usage interval is), L7 and L28 at least and exactly d, all closed periods together, then each
// closed period.
type stickinessPlan struct {
	r        *Run
	activity pick
	unit     model.PeriodUnit
	most     int // days of the longest period
	first    model.Period
	closed   int // periods that lie wholly in the data
}

const (
	stickyUsers = iota
	stickyUsage
	stickyGaps
	stickyRecent
)

// recentWindows are the widths of L7 and L28.
var recentWindows = [...]int{7, 28}

// recent is "active on at least (exactly) d of the last w days".
func (p *stickinessPlan) recent(w, d int, exact bool) int {
	at := stickyRecent
	for i := range w {
		at += 2 * recentWindows[i]
	}
	if exact {
		at += recentWindows[w]
	}
	return at + d - 1
}

// days is the same of a period; −1 is all together.
func (p *stickinessPlan) days(period, d int, exact bool) int {
	at := stickyRecent + 2*(recentWindows[0]+recentWindows[1]) + (period+1)*2*p.most
	if exact {
		at += p.most
	}
	return at + d - 1
}

func planStickiness(r *Run) (*Plan, error) {
	unit, err := model.ParseUnit(r.Str("unit"))
	if err != nil {
		return nil, err
	}
	p := &stickinessPlan{r: r, activity: r.activity(), unit: unit, most: 7, first: r.Cal.Period(unit, r.FirstDay)}
	if unit == model.Monthly {
		p.most = 31
	}
	last := r.Cal.Period(unit, r.AsOf)
	if _, to := r.Cal.Bounds(unit, last); to-1 > r.AsOf {
		last--
	}
	p.closed = max(0, int(last-p.first)+1)
	return &Plan{Slots: p.days(p.closed, 1, false), JudgeAtT: true, Values: true, Layout: p.layout, Explain: p.explain, Kernel: func() Kernel {
		k := &stickinessKernel{p: p, clusters: make([]map[[2]int64]int64, len(r.Groups)*2*p.most)}
		for i := range k.clusters {
			k.clusters[i] = map[[2]int64]int64{}
		}
		return k
	}}, nil
}

// A stickinessKernel counts active days by period; a user brings several periods,
// so clusters say how many users are alike in a column (see retentionKernel).
type stickinessKernel struct {
	p        *stickinessPlan
	clusters []map[[2]int64]int64 // [group][at least d, exactly d]: users by (periods, of them so)
	active   []model.Day
	own      []int64
}

// Visit counts one person's active days.
func (k *stickinessKernel) Visit(u *Person, h *Hits) {
	p, r := k.p, k.p.r
	k.active = k.active[:0]
	for i, d := range u.Days {
		if (len(k.active) == 0 || k.active[len(k.active)-1] != d) && p.activity.match(u.TL, i) {
			k.active = append(k.active, d)
		}
	}
	if len(k.active) == 0 {
		return
	}
	h.Hit(stickyUsers, Self)
	gap, ok := lifecycle.UsageGap(k.active)
	h.Rate(stickyUsage, ok)
	if ok {
		h.Value(stickyGaps, gap)
	}
	for w, width := range recentWindows {
		n := lifecycle.Within(k.active, r.AsOf-model.Day(width)+1, r.AsOf)
		for d := 1; n > 0 && d <= width; d++ {
			h.Rate(p.recent(w, d, false), n >= d)
			h.Rate(p.recent(w, d, true), n == d)
		}
	}
	k.own = append(k.own[:0], make([]int64, 2*p.most)...)
	var periods int64
	for i := 0; i < len(k.active); {
		at := r.Cal.Period(p.unit, k.active[i])
		from, to := r.Cal.Bounds(p.unit, at)
		n := 0
		for i < len(k.active) && k.active[i] < to {
			i, n = i+1, n+1
		}
		if int(at-p.first) >= p.closed {
			break
		}
		periods++
		y, m, day := from.Civil()
		pair := int64(y)*10_000 + int64(m)*100 + int64(day)
		for d := 1; d <= p.most; d++ {
			for half, in := range []bool{n >= d, n == d} {
				h.Rate(p.days(int(at-p.first), d, half == 1), in)
				slot, part := p.days(-1, d, half == 1), Lost
				if in {
					k.own[half*p.most+d-1]++
					part = Self
				}
				h.Times(slot, Of, pair)
				h.Times(slot, part, pair)
			}
		}
	}
	if periods == 0 || h.list {
		return
	}
	for g := range h.n {
		if h.mask>>g&1 != 0 {
			for i, n := range k.own {
				k.clusters[g*2*p.most+i][[2]int64{periods, n}]++
			}
		}
	}
}

// Merge adds the next split's users.
func (k *stickinessKernel) Merge(next Kernel) error {
	for i, m := range next.(*stickinessKernel).clusters {
		for c, n := range m {
			k.clusters[i][c] += n
		}
	}
	return nil
}

func (p *stickinessPlan) layout(b *Builder) error {
	b.A.Title = fmt.Sprintf("Stickiness · days of %s in a %s · calendar · %s · %s", p.activity.label, p.unit, p.r.Cal.WeekStart.String()[:3], p.r.Cal.Zone)
	b.A.Definition = fmt.Sprintf("Share of the users active in a calendar %s (at least one day with %s) who were active on exactly, or at least, so many of its days; only %ss that have closed. All %ss together count user-%ss, not users. L7 and L28 are the last 7 and 28 days.", p.unit, p.activity.label, p.unit, p.unit, p.unit)
	chart := &Chart{XLabel: "active days of the " + p.unit.String(), YLabel: "share of its active users, at least so many days", Unit: "share", Zero: true}
	for d := 1; d <= p.most; d++ {
		chart.X, chart.Labels = append(chart.X, float64(d)), append(chart.Labels, strconv.Itoa(d))
	}
	b.Block(Block{Kind: ChartBlock, Name: "curve", Title: "active on at least so many days, all closed " + p.unit.String() + "s together", Chart: chart})
	for g := range b.Groups() {
		b.Group(g)
		p.group(b, chart)
	}
	if p.closed == 0 {
		b.Warn("open-period", "No %s has closed yet: only the last 7 and 28 days are shown.", p.unit)
	} else if from, _ := p.r.Cal.Bounds(p.unit, p.first); from < p.r.FirstDay {
		b.Warn("short-first", "The data begin on %s, within the first %s: its users had fewer days to be seen on.", p.r.FirstDay, p.unit)
	}
	return nil
}

func dayWord(d int) string { return plural(d, "day") }

func (p *stickinessPlan) group(b *Builder, chart *Chart) {
	k := b.Kernel().(*stickinessKernel)
	u := p.unit.String()
	both := []string{"atleast", "exactly"}
	words := []string{"at least ", "exactly "}
	bl := Block{Kind: TableBlock, Name: b.Key("all"), Title: b.label("all closed " + u + "s together (user-" + u + "s)"), Heads: []Head{{"at least", true}, {"95 % interval", true}, {"exactly", true}, {"95 % interval", true}}}
	series := Series{Name: p.r.Groups[b.group].Label()}
	for d := 1; d <= p.most; d++ {
		row := Row{Key: strconv.Itoa(d), Label: dayWord(d)}
		for half := range both {
			i := b.Rate(p.days(-1, d, half == 1), u+"."+both[half]+"."+strconv.Itoa(d), "active on "+words[half]+dayWord(d)+" of a "+u)
			f := b.Fig(i)
			f.Pairs, f.Interval, f.Method = true, false, ""
			var cs []stat.Cluster
			for c, n := range k.clusters[b.group*2*p.most+half*p.most+d-1] {
				cs = append(cs, stat.Cluster{N: n, Num: c[1], Den: c[0]})
			}
			if iv, ok := stat.RatioBootstrap(cs, bootstrapRounds, 0.95, rand.New(rand.NewPCG(2, uint64(d)))); ok && !f.None {
				f.Lo, f.Hi, f.Interval, f.Method = iv.Lo, iv.Hi, true, "user bootstrap 95 %"
			}
			row.Cells = append(row.Cells, b.Cell(i), TextCell(f.between()))
			if half == 0 && !f.None {
				series.Y, series.Figures, series.Lo, series.Hi = append(series.Y, f.Value), append(series.Figures, i), append(series.Lo, f.Lo), append(series.Hi, f.Hi)
			}
		}
		bl.Rows = append(bl.Rows, row)
	}
	chart.Series = append(chart.Series, series)
	b.Block(bl)
	for w, width := range recentWindows {
		name := "L" + strconv.Itoa(width)
		bl := Block{Kind: TableBlock, Name: b.Key(name), Title: b.label(fmt.Sprintf("%s: active days of the last %d, of users active in them", name, width)), Heads: []Head{{"at least", true}, {"exactly", true}}}
		for d := 1; d <= width; d++ {
			row := Row{Key: strconv.Itoa(d), Label: dayWord(d)}
			for half := range both {
				row.Cells = append(row.Cells, b.Cell(b.Rate(p.recent(w, d, half == 1), fmt.Sprintf("%s.%s.%d", name, both[half], d), fmt.Sprintf("active on %s%s of the last %d", words[half], dayWord(d), width))))
			}
			bl.Rows = append(bl.Rows, row)
		}
		b.Block(bl)
	}
	p.periods(b)
	p.usage(b)
}

// periods adds the share active on at least so many days, period by period.
func (p *stickinessPlan) periods(b *Builder) {
	u := p.unit.String()
	heat := Block{Kind: HeatBlock, Name: b.Key("periods"), Title: b.label("by " + u + ": active on at least so many days"), Heads: []Head{}}
	for d := 1; d <= p.most; d++ {
		heat.Heads = append(heat.Heads, Head{"≥ " + strconv.Itoa(d), true})
	}
	for i := range p.closed {
		label := p.r.Cal.PeriodLabel(p.unit, p.first+model.Period(i))
		row := Row{Key: label, Label: label}
		for d := 1; d <= p.most; d++ {
			f := b.Rate(p.days(i, d, false), u+"."+label+".atleast."+strconv.Itoa(d), fmt.Sprintf("active on at least %s of the %s %s", dayWord(d), u, label))
			b.Rate(p.days(i, d, true), u+"."+label+".exactly."+strconv.Itoa(d), fmt.Sprintf("active on exactly %s of the %s %s", dayWord(d), u, label))
			row.Cells = append(row.Cells, b.Cell(f))
		}
		heat.Rows = append(heat.Rows, row)
	}
	b.Block(heat)
}

// usage adds the usage interval, and the share of users it does not speak for.
func (p *stickinessPlan) usage(b *Builder) {
	gaps := slices.Clone(b.Values(stickyGaps))
	slices.Sort(gaps)
	m, ok := stat.Median(gaps)
	i := b.Stat(stickyGaps, "usage", "usage interval: median of users' own median gaps", m, !ok, "days")
	if iv, ok := stat.MedianInterval(gaps, 0.95); ok {
		f := b.Fig(i)
		f.Lo, f.Hi, f.Interval, f.Method = iv.Lo, iv.Hi, true, "order statistics 95 %"
	}
	share := b.Rate(stickyUsage, "usage.users", "users with at least three active days, of whom it is")
	b.Block(Block{Kind: TableBlock, Name: b.Key("usage"), Title: b.label("usage interval"), Heads: []Head{{"value", true}, {"95 % interval", true}}, Rows: []Row{
		{Key: "usage", Label: "median gap between active days", Cells: []Cell{b.Cell(i), TextCell(b.Fig(i).between())}},
		{Key: "usage.users", Label: "share of users it speaks for", Cells: []Cell{b.Cell(share), TextCell(b.Fig(share).between())}},
	}})
}

func (p *stickinessPlan) explain(f *Figure) []ExplainLine {
	text := "users active on so many days ÷ users active on at least one day, of the same " + p.unit.String() + " or window"
	switch {
	case f.Slot == stickyGaps:
		text = "median over users with at least three active days of their own median gap between them"
	case f.Slot == stickyUsage:
		text = "users with at least three active days ÷ users with one"
	case f.Pairs:
		text = "user-" + p.unit.String() + "s with so many active days ÷ user-" + p.unit.String() + "s with at least one; a user counts once for each, so the interval draws users"
	}
	return []ExplainLine{{Head: "Formula", Text: text}}
}
