package query

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/stage"
)

// A finding is what was found of one question, and what it speaks for.
type finding struct {
	key, label    string
	was, is       Figure // as shown; None where there is none
	change        Figure
	slot, slotNow int    // whose users the figures are
	word          string // of the verdict
	verdict       string // in full
	edit          *proposal
}

// weighed is everything that the advice says.
type weighed struct {
	cycle    stage.CycleShift
	arpu     stage.ArpuTrend
	jump     stage.Jump
	findings []finding
	joint    *proposal // of several numbers; nil where there are not several
}

// weigh turns counts into findings and proposals.
func (p *advicePlan) weigh(v *adviser) (*weighed, error) {
	w := &weighed{cycle: v.cal.CycleShift(), arpu: v.cal.ArpuTrend(), jump: v.cal.Jump()}
	w.findings = append(w.findings, p.cycle(v, w.cycle), p.worth(w.arpu), p.activity(v, w.jump))
	all := v.sug.Suggest()
	params, err := p.numbers(all)
	if err != nil {
		return nil, err
	}
	others, err := p.variants(all)
	if err != nil {
		return nil, err
	}
	params = append(params, others...)
	w.findings = append(w.findings, params...)
	w.together(params)
	p.proposed = []proposal{}
	for _, f := range w.findings {
		if f.edit != nil {
			p.proposed = append(p.proposed, *f.edit)
		}
	}
	if w.joint != nil {
		p.proposed = append(p.proposed, *w.joint)
	}
	return w, nil
}

// sentence is a finding in words, with the interval of what changed.
func (f *finding) sentence() string {
	band := ""
	for _, fig := range []Figure{f.change, f.is} {
		if fig.Interval && band == "" {
			band = fmt.Sprintf(" (%s: %s to %s.)", fig.Method, rounded(fig.Lo), rounded(fig.Hi))
		}
	}
	return f.label + ": " + strings.TrimSuffix(f.verdict, ".") + "." + band
}

// rounded writes a number for a sentence, with three digits that count.
func rounded(x float64) string {
	s := strconv.FormatFloat(x, 'g', 3, 64)
	if strings.Contains(s, "e") {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return s
}

// together adds the edit that takes all suggested numbers at once: some are made
// from others, and an edit of one leaves those as they are.
func (w *weighed) together(params []finding) {
	all := proposal{key: "numbers", text: "all numbers as suggested"}
	for _, f := range params {
		if f.edit != nil {
			all.with = append(all.with, f.edit.with...)
		}
	}
	if len(all.with) > 1 {
		w.joint = &all
	}
}

func none(label, unit string) Figure { return Figure{Label: label, Unit: unit, None: true} }

// cycle is the advice of SPEC R2.17.
func (p *advicePlan) cycle(v *adviser, s stage.CycleShift) finding {
	what := "days of activity"
	if p.buys {
		what = "purchases"
	}
	c := v.cal
	f := finding{key: "cycle", label: "median gap between " + what, slot: advEarly, slotNow: advLate}
	for i, to := range []*Figure{&f.was, &f.is} {
		from := []model.Day{c.Early, c.Late}[i]
		*to = none(fmt.Sprintf("%s that start in the %d days from %s", f.label, c.Follow, from), "days")
		if s.Reached[i] {
			to.Value, to.None = s.Median[i], false
		}
	}
	f.change = none("change of the "+f.label, "days")
	switch {
	case c.Follow < 1 || s.Gaps[0] == 0 && s.Gaps[1] == 0:
		f.word = "too little"
		f.verdict = "nobody has come back in time to compare two windows"
	case !s.Reached[0] || !s.Reached[1]:
		f.word = "not reached"
		f.verdict = fmt.Sprintf("the median is not reached: more than half of the gaps last longer than the %d days each is followed", c.Follow)
	case !s.Known:
		f.word = "too little"
		f.verdict = fmt.Sprintf("too few gaps to compare: %d and then %d", s.Gaps[0], s.Gaps[1])
	default:
		f.change.Value, f.change.None = s.Median[1]-s.Median[0], false
		f.change.Interval, f.change.Lo, f.change.Hi, f.change.Method = true, s.Change.Lo, s.Change.Hi, "95 % by resampling users"
		f.word, f.verdict = "no change", "no change that stands out from chance"
		if s.Distinct {
			f.word, f.verdict = "changed", "changed, and the model's exploration goes by the old cycle"
			if x, ok := p.scaled("cycle", p.explore, s.Median[1]/max(s.Median[0], 1)); ok {
				f.edit = &x
			}
			if a, b := 100*s.First[0]/s.Gaps[0], 100*s.First[1]/s.Gaps[1]; a-b > 10 || b-a > 10 {
				f.verdict += fmt.Sprintf(". But %d %% of the gaps before and %d %% of those now begin on a user's first day: who is there has changed too", a, b)
			}
		}
	}
	return f
}

// worth is the advice of SPEC R2.18.
func (p *advicePlan) worth(t stage.ArpuTrend) finding {
	name := p.r.machine.Model().Stages[p.mature].Label()
	f := finding{key: "arpu", label: "revenue per active user in " + name, slot: advMature, slotNow: advMature}
	unit, _ := p.r.hasMoney()
	f.was, f.is = none(f.label+", first month", unit), none(f.label+", last month", unit)
	f.change = none("change a month of "+f.label+", as a share of its mean", "share")
	if n := len(t.Arpu); n > 1 {
		f.was.Value, f.was.None = t.Arpu[0], t.Users[0] == 0
		f.is.Value, f.is.None = t.Arpu[n-1], t.Users[n-1] == 0
	}
	switch {
	case !p.money:
		f.was.None, f.is.None = true, true
		f.word, f.verdict = "no amounts", "the data have no amounts that can be added up"
	case !t.Known:
		f.word, f.verdict = "too little", "too short, or too few mature users, for a trend (4 months of 10 users each)"
	default:
		f.change.Value, f.change.None = t.Slope, false
		f.change.Interval, f.change.Lo, f.change.Hi, f.change.Method = true, t.Band.Lo, t.Band.Hi, "95 % by resampling users"
		if t.Growing {
			f.word, f.verdict = "grows", "still grows: no reason to shorten it"
			break
		}
		f.word, f.verdict = "stands still", "growth cannot be told from none"
		s := p.r.machine.Model().Stages[p.mature]
		f.edit = &proposal{key: "arpu", with: []string{fmt.Sprintf("%s.max_dwell=%d", s.Name, p.shorter)},
			text: fmt.Sprintf("%s: most %d → %d days (sets the mark stalled, moves nobody)", s.Label(), p.longest, p.shorter)}
		if least, _ := p.r.machine.Dwell(p.mature); least > p.shorter {
			f.edit = nil
			f.verdict += fmt.Sprintf("; its least dwell of %d days leaves no room", least)
		}
	}
	return f
}

// activity is the advice of SPEC R2.19.
func (p *advicePlan) activity(v *adviser, j stage.Jump) finding {
	f := finding{key: "activity", label: "active days of regular users", slot: advPresent, slotNow: advPresent}
	f.was, f.is = none(f.label+" before the change, as a share of all days", "share"), none(f.label+" after it, as a share of all days", "share")
	f.change = none(f.label+": after over before", "ratio")
	if !j.Known {
		f.word, f.verdict = "too little", "too short, or too few users, to look for a jump (16 weeks of 10 users each)"
		return f
	}
	day := v.cal.WeekFrom[j.At]
	f.was.Value, f.was.None, f.is.Value, f.is.None = j.Before, false, j.After, false
	if j.Before > 0 {
		f.change.Value, f.change.None = j.After/j.Before, false
		f.change.Interval, f.change.Lo, f.change.Hi, f.change.Method = true, j.Ratio.Lo, j.Ratio.Hi, "95 % by resampling users, the week held"
	}
	p0 := "p = " + strconv.FormatFloat(j.P, 'f', 3, 64)
	switch {
	case !j.Jumped:
		f.word, f.verdict = "no jump", "no jump that stands out ("+p0+")"
	case j.After < j.Before:
		f.word, f.verdict = "fell", fmt.Sprintf("fell in the week of %s (%s); a longer exploration answers a rise, not a fall", day, p0)
	default:
		f.word, f.verdict = "rose", fmt.Sprintf("rose in the week of %s (%s); a season looks the same, and the cause is not in the data", day, p0)
		if x, ok := p.scaled("activity", p.explore, 2); ok {
			f.edit = &x
		}
	}
	return f
}

func (p *advicePlan) layout(b *Builder) error {
	v, ok := b.Kernel().(*adviser)
	if !ok {
		v = &adviser{p: p, cal: stage.NewRecalibrator(p.r.FirstDay, p.r.AsOf), sug: stage.NewSuggester(p.r.Schema, p.r.AsOf), ages: stage.NewBoundaries()}
	}
	w, err := p.weigh(v)
	if err != nil {
		return err
	}
	b.A.Title = "Recalibration advice · " + p.r.machine.Model().Name + " · " + asOfNote(p.r)
	b.A.Definition = "What speaks for changing the stage model. Each proposal is an edit to look at; nothing is changed before somebody accepts it."
	table := Block{Kind: TableBlock, Name: "advice", Title: "What was looked at", Heads: []Head{{Label: "before", Right: true}, {Label: "now", Right: true}, {Label: "change", Right: true}, {Label: "found"}}}
	words := Block{Kind: TextBlock, Name: "words", Title: "In words"}
	edits := Block{Kind: TableBlock, Name: "edits", Title: "Proposals (enter opens one as an edit)", Heads: []Head{{Label: "would move", Right: true}, {Label: "edit"}}}
	for _, f := range w.findings {
		row := Row{Key: f.key, Label: f.label}
		for i, fig := range []Figure{f.was, f.is, f.change} {
			fig.Key, fig.Kind = f.key+"."+[]string{"before", "now", "change"}[i], Stat
			slot := f.slot
			if i > 0 {
				slot = f.slotNow
			}
			at := b.Stat(slot, fig.Key, fig.Label, fig.Value, fig.None, fig.Unit)
			to := b.Fig(at)
			to.Interval, to.Lo, to.Hi, to.Method = fig.Interval, fig.Lo, fig.Hi, fig.Method
			row.Cells = append(row.Cells, b.Cell(at))
		}
		row.Cells = append(row.Cells, TextCell(f.word))
		words.Lines = append(words.Lines, f.sentence())
		if f.edit != nil {
			row.Open = p.query(*f.edit).String()
		}
		table.Rows = append(table.Rows, row)
	}
	b.Block(table)
	for _, x := range p.proposed {
		a, err := p.r.within(p.query(x))
		if err != nil {
			return fmt.Errorf("the proposal %s: %w", x.text, err)
		}
		moved, open := a.Figure("moved"), p.query(x).String()
		n := int64(math.Round(moved.Value * float64(moved.N)))
		own := b.Own(Figure{Key: "moves." + x.key, Label: "users who would be in another stage: " + x.text, Kind: Count, Value: float64(n), Unit: "users", N: n})
		edits.Rows = append(edits.Rows, Row{Key: x.key, Label: x.text, Open: open, Cells: []Cell{b.Cell(own), {Figure: NoFigure, Text: open, Go: open}}})
	}
	if len(edits.Rows) == 0 {
		b.Block(Block{Kind: TextBlock, Name: "edits", Title: "Proposals", Lines: []string{"Nothing found that speaks for changing the model."}})
	} else {
		b.Block(edits)
	}
	b.Block(words)
	if p.money && w.arpu.Known && !w.arpu.Growing {
		at := b.Count(advStalled, "arpu.stalled", fmt.Sprintf("users in %s for more than %d days", p.r.machine.Model().Stages[p.mature].Label(), p.shorter))
		b.Block(Block{Kind: TableBlock, Name: "stalled", Title: "Who a shorter maturity would mark", Heads: []Head{{Label: "users", Right: true}},
			Rows: []Row{{Key: "stalled", Label: b.Fig(at).Label, Cells: []Cell{b.Cell(at)}}}})
	}
	p.boundaries(b, v)
	p.charts(b, v, w)
	return nil
}

// charts show the two series that trends were looked for in.
func (p *advicePlan) charts(b *Builder, v *adviser, w *weighed) {
	if n := len(w.jump.Rate); n > 1 {
		ch := &Chart{XLabel: "week", YLabel: "share of days", Unit: "share", Dates: true, Zero: true, Series: []Series{{Name: "share of their days", Y: w.jump.Rate}}}
		for _, d := range v.cal.WeekFrom {
			ch.X = append(ch.X, float64(d))
		}
		if w.jump.Jumped {
			ch.Marks = append(ch.Marks, Mark{X: ch.X[w.jump.At], Text: "activity changes"})
		}
		b.Block(Block{Kind: ChartBlock, Name: "activity", Title: "Active days of those known for over 28 days who came in the last 28, by week", Chart: ch})
	}
	if n := len(w.arpu.Arpu); n > 1 && p.money {
		unit, _ := p.r.hasMoney()
		ch := &Chart{XLabel: "30 days from", YLabel: "revenue per active user", Unit: unit, Dates: true, Zero: true, Series: []Series{{Name: "mature users", Y: w.arpu.Arpu}}}
		for _, d := range v.cal.MonthFrom {
			ch.X = append(ch.X, float64(d))
		}
		b.Block(Block{Kind: ChartBlock, Name: "arpu", Title: "What mature users brought, by 30 days", Chart: ch})
	}
}
