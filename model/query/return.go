package query

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/stage"
	"dwell/model/stat"
)

// returnAnalysis asks who comes back from silence: the chance of a return by its
// length, with the gap suggested from it.
func returnAnalysis() analysis {
	return analysis{
		Spec: Spec{
			Name: "return", Title: "Return", Help: "the chance of coming back by length of silence, with the suggested gap G and how many came back after it", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "within", Type: Int, Min: 1, Help: "days in which the return must come; left out: 90, of short data half the horizon, but 30 at least"},
				{Name: "gap", Type: Int, Min: 1, Help: "days of silence that make a churn; the stage model's G if left out"},
				{Name: "every", Type: Int, Min: 1, Help: "days between the rows; left out: as many as make about twenty"},
			}, activityKeys(), groupKeys(), zoneKeys()),
		},
		check: func(q Query) error {
			for _, k := range []string{"within", "gap", "every"} {
				if n := atoi(q.Value(k)); n > stage.MaxHorizon {
					return fmt.Errorf("%s= of %d days is too long: silences are compared over at most %d", k, n, stage.MaxHorizon)
				}
			}
			return nil
		},
		plan: func(r *Run) (*Plan, error) { return newReturn(r) },
	}
}

// A returnPlan holds what kernel and layout share.
//
// Slots: for each row (length of silence) its silences, those ended within, those
// not decided yet, the users behind them, the users silent so long now, and those
// ended at any time; then everybody with a silence.
type returnPlan struct {
	r       *Run
	active  pick
	within  int
	gap     int
	horizon int
	rows    []int // lengths of silence, ascending
}

const (
	silenceAll   = iota // pairs: silences that reached the row's length
	silenceBack         // pairs: of them, ended within
	silenceOpen         // pairs: of them, neither ended nor seen so long yet
	silenceUsers        // users behind them
	silenceNow          // users silent so long on the as-of day
	silenceEver         // pairs: of them, ended at any time
	silenceSlots        // of a row
)

func (p *returnPlan) row(i int) int { return i * silenceSlots }

// anybody is the slot of all users with a silence, after the rows.
func (p *returnPlan) anybody() int { return p.row(len(p.rows)) }

func newReturn(r *Run) (*Plan, error) {
	p := &returnPlan{r: r, active: r.activity(), within: r.Int("within"), gap: int(r.param("G", stage.GapFloor))}
	if r.Str("gap") != "" {
		p.gap = r.Int("gap")
	}
	p.horizon = min(stage.MaxHorizon, int(r.AsOf-r.FirstDay)/2)
	if p.within == 0 {
		p.within = max(stage.GapFloor, min(90, p.horizon/2))
	}
	last := max(min(p.horizon, stage.MaxHorizon-p.within), 0)
	every := r.Int("every")
	if every == 0 {
		for _, every = range niceSteps {
			if last/every <= gridRows {
				break
			}
		}
	}
	for d := 0; d <= last; d += every {
		p.rows = append(p.rows, d)
	}
	// The gap itself is a row: what came back after it is what it is judged by.
	if !slices.Contains(p.rows, p.gap) {
		p.rows = append(p.rows, p.gap)
		slices.Sort(p.rows)
	}
	return &Plan{
		Slots:   p.anybody() + 1,
		Kernel:  p.kernel,
		Layout:  p.layout,
		Explain: p.explain,
		Work:    p.work,
	}, nil
}

// A returnKernel gathers the silences of every group beside the hits.
type returnKernel struct {
	p     *returnPlan
	days  []model.Day
	found []*stage.Silences // by group
	seen  []uint64          // by slot: groups in which the person stands already
}

func (p *returnPlan) kernel() Kernel {
	k := &returnKernel{p: p, seen: make([]uint64, p.anybody()+1)}
	for range p.r.Groups {
		k.found = append(k.found, stage.NewSilences())
	}
	return k
}

// Visit implements Kernel. Each silence is judged on the day it begins.
func (k *returnKernel) Visit(u *Person, h *Hits) {
	p := k.p
	k.days = p.active.days(k.days[:0], u)
	clear(k.seen)
	for i, day := range k.days {
		mask := p.r.At(u, day)
		length, ended := int(p.r.AsOf-day), false
		if i+1 < len(k.days) {
			length, ended = int(k.days[i+1]-day), true
		}
		for g, s := range k.found {
			if mask&(1<<g) != 0 {
				s.Add(u.TL.ID, length, ended)
			}
		}
		k.once(h, mask, p.anybody())
		for j, s := range p.rows {
			if !reached(length, ended, s) {
				break
			}
			at := p.row(j)
			h.In(mask)
			h.Times(at+silenceAll, Self, int64(length))
			switch {
			case ended && length <= s+p.within:
				h.Times(at+silenceBack, Self, int64(length))
			case !ended && length < s+p.within:
				h.Times(at+silenceOpen, Self, int64(length))
			}
			if ended {
				h.Times(at+silenceEver, Self, int64(length))
			}
			k.once(h, mask, at+silenceUsers)
			if !ended {
				h.In(mask)
				h.Hit(at+silenceNow, Self)
			}
		}
	}
	if len(k.days) == 0 {
		p.r.At(u, u.Days[0]) // nobody's silence begins: asked all the same
	}
}

// reached says whether a silence has lasted s days: activity on day s itself ends
// it just in time.
func reached(length int, ended bool, s int) bool { return length > s || !ended && length >= s }

// once puts the person into a slot, at most once in each group.
func (k *returnKernel) once(h *Hits, mask uint64, slot int) {
	if fresh := mask &^ k.seen[slot]; fresh != 0 {
		h.In(fresh)
		h.Hit(slot, Self)
		k.seen[slot] |= fresh
	}
}

// Merge implements Merger.
func (k *returnKernel) Merge(next Kernel) error {
	for g, s := range next.(*returnKernel).found {
		k.found[g].Merge(s)
	}
	return nil
}

// days appends the days on which a person did what is picked, each once.
func (k *pick) days(dst []model.Day, p *Person) []model.Day {
	for i, d := range p.Days {
		if (len(dst) == 0 || dst[len(dst)-1] != d) && k.match(p.TL, i) {
			dst = append(dst, d)
		}
	}
	return dst
}

func (p *returnPlan) layout(b *Builder) error {
	b.A.Title = fmt.Sprintf("Return from silence · within %d days · activity is %s · horizon %d days · %s", p.within, p.active.label, p.horizon, p.r.Cal.Zone)
	b.A.Definition = p.definition()
	chart := &Chart{XLabel: "days of silence so far", YLabel: fmt.Sprintf("chance to come back within %d days", p.within), Unit: "share", Zero: true}
	for _, s := range p.rows {
		chart.X = append(chart.X, float64(s))
	}
	chart.Marks = append(chart.Marks, Mark{X: float64(p.gap), Text: "G in force"})
	b.Block(Block{Kind: ChartBlock, Name: "curve", Title: b.A.Title, Chart: chart})
	k := b.Kernel().(*returnKernel)
	for g := range p.r.Groups {
		b.Group(g)
		e := k.found[g].Estimate(p.horizon, p.within, p.rows)
		p.suggested(b, e, chart)
		p.table(b, e, chart)
	}
	return nil
}

func (p *returnPlan) suggested(b *Builder, e *stage.Silence, chart *Chart) {
	t := Block{Kind: TableBlock, Name: b.Key("gap"), Title: b.label("The gap G that makes a churn"), Heads: []Head{{"days", true}, {"evidence", false}}}
	n := b.N(p.anybody(), Self)
	i := b.Stat(p.anybody(), "gap.suggested", "suggested gap G", float64(e.Gap), n == 0, "days")
	band := "too few users for a band"
	if e.Banded && n > 1 {
		f := b.Fig(i)
		f.Lo, f.Hi, f.Interval, f.Method = e.Band.Lo, e.Band.Hi, true, "95 %, users resampled"
		band = fmt.Sprintf("95 %% band %s–%s", Number(e.Band.Lo), Number(e.Band.Hi))
	}
	how := fmt.Sprintf("by %d days %.0f %% of the returns within H = %d days have come; %s", e.RawGap, 100*stage.GapShare, e.Horizon, band)
	switch {
	case e.RawGap == 0:
		how = fmt.Sprintf("nobody came back within H = %d days: floor and horizon decide", e.Horizon)
	case e.RawGap != e.Gap:
		how += fmt.Sprintf("; floor %d, ceiling H", stage.GapFloor)
	}
	t.Rows = append(t.Rows, Row{Key: "suggested", Label: "suggested", Cells: []Cell{b.Cell(i), TextCell(how)}})
	at := p.row(slices.Index(p.rows, p.gap))
	lost := b.Pairs(at+silenceAll, "gap.lost", fmt.Sprintf("past silences of %d days (churn entries)", p.gap))
	back := b.Pairs(at+silenceEver, "gap.returned", "of them, ended by a return at any time so far")
	ls, rs := b.N(at+silenceAll, Self), b.N(at+silenceEver, Self)
	share := 0.0
	if ls > 0 {
		share = float64(rs) / float64(ls)
	}
	sh := b.Stat(at+silenceUsers, "gap.share", "share of past churn entries that returned", share, ls == 0, "share")
	t.Rows = append(t.Rows,
		Row{Key: "force", Label: "in force", Cells: []Cell{TextCell(fmt.Sprint(p.gap)), TextCell("of the question, or else of the stage model")}},
		Row{Key: "lost", Label: "churn entries so far", Cells: []Cell{b.Cell(lost), TextCell("silences that reached it")}},
		Row{Key: "returned", Label: "of them returned", Cells: []Cell{b.Cell(back), TextCell("at any time up to the as-of day")}},
		Row{Key: "share", Label: "share returned", Cells: []Cell{b.Cell(sh), TextCell("the late ones had less time to")}})
	b.Block(t)
	if len(p.r.Groups) == 1 && n > 0 {
		chart.Marks = append(chart.Marks, Mark{X: float64(e.Gap), Text: "G suggested"})
	}
	if e.Gap < 30 || e.Gap > 90 {
		b.Warn("gap-range", "%s", b.label(fmt.Sprintf("A gap of %d days is outside the 30 to 90 days of common practice: look at the rhythm of use before taking either.", e.Gap)))
	}
}

func (p *returnPlan) table(b *Builder, e *stage.Silence, chart *Chart) {
	t := Block{Kind: TableBlock, Name: b.Key("table"), Title: b.label(fmt.Sprintf("Back within %d days, by length of silence", p.within)), Heads: []Head{
		{"chance", true}, {"95 %", true}, {"silences", true}, {"came back", true}, {"undecided", true}, {"silent now", true}}}
	s := Series{Name: p.r.Groups[b.group].Label()}
	for i, r := range e.Returns {
		at := p.row(i)
		key, when := fmt.Sprintf("silence.%d.", r.Days), fmt.Sprintf("after %d days of silence", r.Days)
		fig := b.Stat(at+silenceUsers, key+"return", fmt.Sprintf("chance to come back within %d days, %s", p.within, when), r.P, !r.Known, "share")
		y, lo, hi, text := math.NaN(), math.NaN(), math.NaN(), ""
		if r.Known {
			y, lo, hi = r.P, r.P, r.P
			if r.Banded {
				f := b.Fig(fig)
				f.Lo, f.Hi, f.Interval, f.Method = r.Band.Lo, r.Band.Hi, true, "95 %, users resampled"
				lo, hi = r.Band.Lo, r.Band.Hi
				text = fmt.Sprintf("%.1f–%.1f %%", 100*lo, 100*hi)
			}
		}
		s.Y, s.Lo, s.Hi, s.Figures = append(s.Y, y), append(s.Lo, lo), append(s.Hi, hi), append(s.Figures, fig)
		label := fmt.Sprintf("%d days", r.Days)
		if r.Days == p.gap {
			label += " = G"
		}
		t.Rows = append(t.Rows, Row{Key: fmt.Sprint(r.Days), Label: label, Cells: []Cell{b.Cell(fig), TextCell(text),
			b.Cell(b.Pairs(at+silenceAll, key+"silences", "silences that lasted so long, "+when)),
			b.Cell(b.Pairs(at+silenceBack, key+"back", fmt.Sprintf("of them ended within %d days more, %s", p.within, when))),
			b.Cell(b.Pairs(at+silenceOpen, key+"open", "of them not decided yet, "+when)),
			b.Cell(b.Count(at+silenceNow, key+"now", "silent now, "+when))}})
	}
	// The axis reaches to G, whether or not the chance is known so far.
	for keep := p.keep(e); len(s.Y) > keep && math.IsNaN(s.Y[len(s.Y)-1]); {
		n := len(s.Y) - 1
		s.Y, s.Lo, s.Hi, s.Figures = s.Y[:n], s.Lo[:n], s.Hi[:n], s.Figures[:n]
	}
	chart.Series = append(chart.Series, s)
	b.Block(t)
}

// keep is how many rows are drawn at least: those up to the G in force and suggested.
func (p *returnPlan) keep(e *stage.Silence) int {
	most := max(p.gap, e.Gap)
	for i, s := range p.rows {
		if s >= most {
			return i + 1
		}
	}
	return len(p.rows)
}

func (p *returnPlan) definition() string {
	return fmt.Sprintf("A silence begins on a day with %s and ends on the next one; it has lasted s days if there is none in the s days after. Its chance to end within %d days more is 1 − S(s+%d)/S(s), S the Kaplan–Meier share of silences longer than s, open ones censored on %s; it is given while at least %d silences have been watched for so long. A user has several silences: lists name each. G is the least gap by which %.0f %% of the returns within H have come, H half the observed range, at most %d days. Rules are judged on the day a silence begins.",
		p.active.label, p.within, p.within, p.r.AsOf, stage.LeastSeen, 100*stage.GapShare, stage.MaxHorizon)
}

func (p *returnPlan) explain(f *Figure) []ExplainLine {
	out := []ExplainLine{{Head: "Definition", Text: p.definition()}, {Head: "Population", Text: "silences of all users with an active day"}}
	if g := p.r.Groups[f.Group]; g.Rule != "" {
		out[1].Text += ", of those for whom " + g.Rule + " holds on the day the silence begins"
	}
	switch {
	case strings.HasSuffix(f.Key, "gap.suggested"):
		out = append(out, ExplainLine{Head: "Formula", Text: fmt.Sprintf("least G with F(G) ≥ %.2f · F(%d), F = 1 − S; at least %d days, at most the horizon", stage.GapShare, p.horizon, stage.GapFloor)})
	case strings.HasSuffix(f.Key, "gap.share"):
		out = append(out, ExplainLine{Head: "Formula", Text: "churn entries that ended in a return ÷ churn entries; a count of what has happened, not a chance"})
	case f.Kind == Stat:
		out = append(out, ExplainLine{Head: "Formula", Text: fmt.Sprintf("1 − S(s+%d)/S(s); the list has the users with such a silence", p.within)})
	}
	if !f.Interval {
		return out
	}
	return append(out, ExplainLine{Head: "Interval", Text: fmt.Sprintf("from %s to %s: %.0f %% of the estimates when users are drawn again; a user's silences stay together", Number(f.Lo), Number(f.Hi), 100*stat.Level)})
}

// work says what a user's longest silence was.
func (p *returnPlan) work(u *Person, _ *Figure, _ bool) string {
	days := p.active.days(nil, u)
	if len(days) == 0 {
		return u.TL.ID + " was never active."
	}
	longest, at, ended := -1, model.Day(0), false
	for i, d := range days {
		length, end := int(p.r.AsOf-d), false
		if i+1 < len(days) {
			length, end = int(days[i+1]-d), true
		}
		if length > longest {
			longest, at, ended = length, d, end
		}
	}
	if ended {
		return fmt.Sprintf("The longest silence of %s began on %s and ended after %d days.", u.TL.ID, at, longest)
	}
	return fmt.Sprintf("The longest silence of %s began on %s and is open, %d days so far.", u.TL.ID, at, longest)
}
