package query

import (
	"fmt"

	"dwell/model"
	"dwell/model/stage"
	"dwell/model/stat"
)

// scorecardAnalysis is one line a stage (SPEC R1.5): who is there, who came and
// went in a period, how long they stay, how many go on, what they bring.
func scorecardAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "scorecard", Title: "Scorecard", Help: "per stage: users, inflow, outflow, median dwell, conversion to the next stage, revenue per active user", ID: NoID,
			Keys: keys(spanKeys("30"), coinKeys(), groupKeys(), truncatedKeys(), zoneKeys())},
		check: checkSpan,
		plan:  planScorecard,
	}
}

// Slots of a stage in the scorecard.
const (
	cardUsers   = iota // at the end of the period
	cardIn             // entered it in the period
	cardOut            // left it in the period
	cardDwell          // values: first stay, ended or not
	cardConvert        // rate: of first stays long enough ago, those promoted in time
	cardActive         // active in the period while in the stage
	cardRevenue        // their net amounts in the period
	cardBuyers         // bought in the period while in the stage
	cardWorth          // net amounts so far of those who stand in it
	cardSlots
)

// A scorecard holds what kernel and layout share.
type scorecard struct {
	r       *Run
	his     *historian
	span    span
	buys    *buying
	entries []stage.EntryInfo
	within  []int // days for the promotion out of a stage; 0: there is none
}

func planScorecard(r *Run) (*Plan, error) {
	c := &scorecard{r: r, entries: r.machine.Entries()}
	var err error
	if c.span, err = r.span(30); err != nil {
		return nil, err
	}
	if c.buys, err = r.buying(); err != nil {
		return nil, err
	}
	if c.his, err = r.historian(c.buys.columns...); err != nil {
		return nil, err
	}
	c.within = r.promotionTimes()
	n := len(r.machine.Model().Stages)
	return c.his.on(&Plan{Slots: 1 + n*cardSlots, Values: true, Amounts: c.buys.money, JudgeAtT: true, List: r.coinList, Kernel: c.kernel, Layout: c.layout, Explain: c.explain}), nil
}

// promotionTimes is within how many days a stage's conversion is judged: its
// greatest dwell, or G where the model sets none; 0 where no promotion leaves it.
func (r *Run) promotionTimes() []int {
	m := r.machine.Model()
	out := make([]int, len(m.Stages))
	for _, s := range m.Stages {
		for _, e := range s.Enter {
			if e.Kind != stage.Promotion {
				continue
			}
			for _, from := range e.From {
				i := m.Index(from)
				if _, most := r.machine.Dwell(i); most > 0 {
					out[i] = most
				} else {
					out[i] = max(1, int(r.param("G", 30)))
				}
			}
		}
	}
	return out
}

func (c *scorecard) slot(stage, what int) int { return 1 + stage*cardSlots + what }

func (c *scorecard) kernel() Kernel {
	r := c.r
	s := c.his.staging()
	n := len(c.within)
	var list []stay
	seen := make([]bool, n)
	revenue := make([]model.Sum, n)
	paid, active, bought, first := make([]bool, n), make([]bool, n), make([]bool, n), make([]bool, n)
	return Visit(func(p *Person, h *Hits) {
		hist := s.To(p.TL, c.span.to)
		if len(hist.Transitions) == 0 {
			return
		}
		h.Hit(0, Self)
		h.Hit(c.slot(hist.Now(), cardUsers), Self)
		truncated := r.Truncated(p.Days[0])
		c.flows(hist, h, truncated, seen)
		list = stays(list[:0], hist, c.entries, c.span.to)
		clear(first)
		for i, st := range list {
			if first[st.stage] {
				continue
			}
			first[st.stage] = true
			if i == 0 && truncated {
				continue // entered it on a day nobody knows
			}
			h.Value(c.slot(st.stage, cardDwell), lifeValue(st.days(), st.ended))
			if w := c.within[st.stage]; w > 0 {
				up := st.ended && st.by.Kind == stage.Promotion && st.days() <= w
				if int(c.span.to-st.from) >= w {
					h.Rate(c.slot(st.stage, cardConvert), up)
				} else {
					h.OpenRate(c.slot(st.stage, cardConvert), up)
				}
			}
		}
		c.activity(p, hist, h, revenue, paid, active, bought)
	})
}

// flows counts who entered and left each stage in the period, each user once.
func (c *scorecard) flows(hist *stage.History, h *Hits, truncated bool, seen []bool) {
	for _, out := range []bool{false, true} {
		clear(seen)
		for i, t := range hist.Transitions {
			if t.Day < c.span.from || i == 0 && (truncated || out) {
				continue
			}
			at, what := int(t.To), cardIn
			if out {
				at, what = int(t.From), cardOut
			}
			if at >= 0 && !seen[at] {
				seen[at] = true
				h.Hit(c.slot(at, what), Self)
			}
		}
	}
}

// activity gives each of the period's active days and amounts to the stage the
// user was in at the end of that day.
func (c *scorecard) activity(p *Person, hist *stage.History, h *Hits, revenue []model.Sum, paid, active, bought []bool) {
	clear(revenue)
	clear(paid)
	clear(active)
	clear(bought)
	var worth model.Sum
	for i, d := range p.Days {
		m := c.buys.net(p, i)
		if m != model.NoMoney && d <= c.span.to {
			worth.Add(m)
		}
		if d < c.span.from || d > c.span.to {
			continue
		}
		at := hist.On(d)
		if at < 0 {
			continue
		}
		if c.r.Role(p, i).Active() {
			active[at] = true
		}
		if m != model.NoMoney {
			revenue[at].Add(m)
			paid[at] = true
			bought[at] = bought[at] || c.r.Role(p, i)&model.Purchase != 0
		}
	}
	if c.buys.money {
		m, err := worth.Money()
		if err != nil {
			h.Fail(fmt.Errorf("the revenue of %s: %w", p.TL.ID, err))
			return
		}
		h.Money(c.slot(hist.Now(), cardWorth), m)
	}
	for at := range active {
		if active[at] {
			h.Hit(c.slot(at, cardActive), Self)
		}
		if bought[at] {
			h.Hit(c.slot(at, cardBuyers), Self)
		}
		if paid[at] {
			m, err := revenue[at].Money()
			if err != nil {
				h.Fail(fmt.Errorf("the revenue of %s: %w", p.TL.ID, err))
				return
			}
			h.Money(c.slot(at, cardRevenue), m)
		}
	}
}

func (c *scorecard) layout(b *Builder) error {
	r := c.r
	b.A.Title = "Scorecard · " + c.span.String() + c.buys.title() + " · " + r.Cal.Zone
	b.A.Definition = "Users stand in a stage at the end of the period; inflow and outflow are users who entered or left it at least once in the period. Dwell is of each user's first stay, those still there censored (Kaplan–Meier). Conversion is the share of first stays promoted within the stage's greatest dwell (G where it has none), of those entered at least so long before the end. ARPU is the period's revenue over the period's active users, ARPPU over its buyers, each by the stage of that day; value to date is what the users who stand in the stage have brought so far, per user. Revenue is " + c.buys.moneyNote() + "."
	for g := range b.Groups() {
		b.Group(g)
		c.group(b)
	}
	if r.truncates {
		b.Warn("truncated", "Users first seen before %s may have come before the data begin: they are in no inflow, dwell or conversion of their first stage (truncated=keep takes them in).", r.truncatedBefore())
	}
	if c.span.from < r.FirstDay {
		b.Warn("before-data", "The period begins before the data do, on %s.", r.FirstDay)
	}
	return b.coins(c.buys.code)
}

func (c *scorecard) group(b *Builder) {
	bl := Block{Kind: TableBlock, Name: b.Key("scorecard"), Title: b.label("per stage, " + c.span.String()), Heads: []Head{
		{"users", true}, {"in", true}, {"out", true}, {"median days", true}, {"converted", true}, {"ARPU", true}, {"active", true}, {"revenue", true}, {"ARPPU", true}, {"buyers", true}, {"value to date", true}, {"of stays", true}, {"converted within", true}}}
	b.Count(0, "users", "users at the end of the period")
	for i, s := range c.r.machine.Model().Stages {
		key := func(what string) string { return "stage." + s.Name + "." + what }
		row := Row{Key: s.Name, Label: s.Label(), Apart: i == c.r.machine.Lost()}
		if c.span.to == c.r.AsOf {
			row.Rule = fmt.Sprintf("stage == %q", s.Name)
		}
		add := func(f int) { row.Cells = append(row.Cells, b.Cell(f)) }
		add(b.Count(c.slot(i, cardUsers), key("users"), s.Label()+", users"))
		add(b.Count(c.slot(i, cardIn), key("in"), s.Label()+", users who entered"))
		add(b.Count(c.slot(i, cardOut), key("out"), s.Label()+", users who left"))
		add(b.medianStay(c.slot(i, cardDwell), key("dwell"), s.Label()+", median days of a stay"))
		within := "no promotion leaves it"
		if w := c.within[i]; w > 0 {
			within = plural(w, "day")
			add(b.Rate(c.slot(i, cardConvert), key("converted"), fmt.Sprintf("%s, promoted within %d days", s.Label(), w)))
		} else {
			row.Cells = append(row.Cells, TextCell("—"))
		}
		act := b.Count(c.slot(i, cardActive), key("active"), s.Label()+", active in the period")
		if c.buys.money {
			rev := b.Sum(c.slot(i, cardRevenue), key("revenue"), s.Label()+", revenue", c.buys.unit)
			n := b.Fig(act).N
			add(b.Stat(c.slot(i, cardActive), key("arpu"), s.Label()+", revenue per active user", over(b.Fig(rev).Value, n), n == 0, c.buys.unit))
			add(act)
			add(rev)
			buyers := b.Count(c.slot(i, cardBuyers), key("buyers"), s.Label()+", bought in the period")
			add(b.Stat(c.slot(i, cardBuyers), key("arppu"), s.Label()+", revenue per buyer", over(b.Fig(rev).Value, b.Fig(buyers).N), b.Fig(buyers).N == 0, c.buys.unit))
			add(buyers)
			worth := b.Sum(c.slot(i, cardWorth), key("worth"), s.Label()+", revenue so far of those who stand in it", c.buys.unit)
			add(b.Stat(c.slot(i, cardWorth), key("value"), s.Label()+", value to date per user", over(b.Fig(worth).Value, b.Fig(worth).N), b.Fig(worth).N == 0, c.buys.unit))
		} else {
			row.Cells = append(row.Cells, TextCell("—"), b.Cell(act), TextCell("—"), TextCell("—"), TextCell("—"), TextCell("—"))
		}
		row.Cells = append(row.Cells, TextCell(censoredNote(b.Values(c.slot(i, cardDwell)))), TextCell(within))
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
	if !c.buys.money {
		b.Warn("no-money", "Revenue and ARPU are —. %s", c.buys.why)
	}
}

// over divides by a number of users; 0 by none.
func over(sum float64, n int64) float64 {
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// medianStay adds the Kaplan–Meier median of a slot's stays with its interval
// (Brookmeyer–Crowley); it has no value where fewer than half are seen to end.
func (b *Builder) medianStay(slot int, key, label string) int {
	curve := stayCurve(b.Values(slot))
	days, ok := curve.Reached(0.5)
	f := b.Stat(slot, key, label, days, !ok, "days")
	lo, hi := curve.ReachedInterval(0.5)
	if ok && lo.Known && hi.Known {
		x := b.Fig(f)
		x.Lo, x.Hi, x.Interval, x.Method = lo.Days, hi.Days, true, "Brookmeyer–Crowley 95 %"
	}
	return f
}

// stayCurve is the survival curve of stays as Hits.Value carried them.
func stayCurve(values []float64) stat.Curve {
	most := 0
	for _, v := range values {
		d, _ := lifeOf(v)
		most = max(most, d)
	}
	ended, open := make([]int64, most+1), make([]int64, most+1)
	for _, v := range values {
		if d, done := lifeOf(v); done {
			ended[d]++
		} else {
			open[d]++
		}
	}
	if len(values) == 0 {
		return nil
	}
	return stat.KaplanMeierCounts(ended, open, stat.Level)
}

// censoredNote says of how many stays a median is, and how many still go on.
func censoredNote(values []float64) string {
	open := 0
	for _, v := range values {
		if _, done := lifeOf(v); !done {
			open++
		}
	}
	if open == 0 {
		return fmt.Sprint(len(values))
	}
	return fmt.Sprintf("%d, %d open", len(values), open)
}

func (c *scorecard) explain(f *Figure) []ExplainLine {
	if f.Slot < 1 {
		return nil
	}
	texts := [cardSlots]string{
		"users in the stage at the end of the period's last day",
		"users with a transition into the stage in the period, each once",
		"users with a transition out of the stage in the period, each once",
		"product-limit median of each user's first stay; users still in the stage are censored on the period's last day (Kaplan, Meier 1958)",
		"first stays that ended by a promotion within the days named ÷ first stays entered at least so many days before the period's end; younger stays are open",
		"users with an active day in the period while in the stage; ARPU divides the revenue by them",
		"purchases less refunds of the period, by the stage at the end of their day",
		"users with a purchase in the period while in the stage; ARPPU divides the revenue by them",
		"purchases less refunds up to the period's end of the users who stand in the stage then; value to date divides it by them",
	}
	return []ExplainLine{{Head: "Formula", Text: texts[(f.Slot-1)%cardSlots]}}
}
