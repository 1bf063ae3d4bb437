package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dwell/model"
)

// overviewAnalysis is the first page: who is in the data, how old it is, where
// the users stand, and whether they still come.
func overviewAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "overview", Title: "Overview", Help: "users, events, range and age of the data, stages, active users over time, the last load", ID: NoID,
			Keys: keys(groupKeys(), activityKeys(), zoneKeys())},
		plan: func(r *Run) (*Plan, error) { return newOverview(r) },
	}
}

// An overviewPlan holds what kernel and layout share. Slots: everybody's events,
// then the active users of each period; of the population: everybody, the
// living, the users of each stage.
type overviewPlan struct {
	r        *Run
	activity pick
	unit     model.PeriodUnit
	first    model.Period
	n        int
}

const (
	overviewRows = iota
	overviewPeriods
)

const (
	overviewAll = iota
	overviewLiving
	overviewStages
)

func newOverview(r *Run) (*Plan, error) {
	p := &overviewPlan{r: r, activity: r.activity(), unit: chartUnit(int(r.AsOf-r.FirstDay) + 1)}
	p.first = r.Cal.Period(p.unit, r.FirstDay)
	p.n = int(r.Cal.Period(p.unit, r.AsOf)-p.first) + 1
	if r.Info.Events == 0 {
		return &Plan{Layout: p.empty}, nil
	}
	lost := r.machine.Lost()
	return &Plan{
		Slots:    overviewPeriods + p.n,
		JudgeAtT: true,
		Kernel:   p.kernel,
		RowSlots: overviewStages + len(r.machine.Model().Stages),
		Rows: func(pop *Population, row int, h *Hits) {
			s := int(pop.states[row].stage)
			h.Hit(overviewAll, Self)
			if s != lost {
				h.Hit(overviewLiving, Self)
			}
			h.Hit(overviewStages+s, Self)
		},
		Layout: p.layout, Explain: p.explain,
	}, nil
}

func (p *overviewPlan) kernel() Kernel {
	return Visit(func(u *Person, h *Hits) {
		h.Times(overviewRows, Self, int64(u.TL.Len()))
		last := model.Period(-1 << 31)
		for i, d := range u.Days {
			if at := p.r.Cal.Period(p.unit, d); at != last && p.activity.match(u.TL, i) {
				if k := int(at - p.first); k >= 0 && k < p.n {
					h.Hit(overviewPeriods+k, Self)
				}
				last = at
			}
		}
	})
}

func (p *overviewPlan) row(slot int) int { return overviewPeriods + p.n + slot }

func (p *overviewPlan) empty(b *Builder) error {
	b.A.Title = "Overview"
	b.Block(Block{Kind: TextBlock, Name: "empty", Title: "nothing is loaded yet", Lines: []string{
		"dwell load FILE…   reads CSV or NDJSON events, plain, .gz or .zst",
		"dwell demo         loads an embedded sample",
	}})
	return nil
}

func (p *overviewPlan) layout(b *Builder) error {
	r := p.r
	b.A.Title = "Overview · " + asOfNote(r)
	b.A.volatile = r.Str("zone") != "" // aged knows the dictionary's zone alone
	b.A.Definition = fmt.Sprintf("Users are all with an event up to the as-of day; each stands in one stage. A user is active in each %s that holds %s of theirs.", p.unit, p.activity.label)
	chart := &Chart{XLabel: p.unit.String(), YLabel: "users", Unit: "users", Dates: true, Zero: true}
	for i := range p.n {
		from, _ := r.Cal.Bounds(p.unit, p.first+model.Period(i))
		chart.X = append(chart.X, float64(max(from, r.FirstDay)))
		chart.Labels = append(chart.Labels, r.Cal.PeriodLabel(p.unit, p.first+model.Period(i)))
	}
	for g := range b.Groups() {
		b.Group(g)
		p.facts(b)
		p.stages(b)
		p.active(b, chart)
	}
	b.Block(Block{Kind: ChartBlock, Name: "active", Title: "active users per " + p.unit.String(), Chart: chart})
	p.quality(b)
	return r.modelNotes(b)
}

// facts are the numbers one wants to know first.
func (p *overviewPlan) facts(b *Builder) {
	r := p.r
	bl := Block{Kind: TableBlock, Name: b.Key("facts"), Title: b.label("the data"), Heads: []Head{{"", true}}}
	add := func(key, label string, c Cell, open string) {
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{c}, Open: open})
	}
	add("users", "users", b.Cell(b.Count(p.row(overviewAll), "users", "users")), "")
	add("events", "events", b.Cell(b.Rows(overviewRows, "events", "events")), r.link(question("events")))
	add("living", "in a living stage", b.Cell(b.Count(p.row(overviewLiving), "living", "users in a living stage")), "")
	if b.group == 0 {
		add("range", "range", TextCell(fmt.Sprintf("%s to %s, %s", r.FirstDay, r.LastDay, plural(int(r.LastDay-r.FirstDay)+1, "day"))), "")
		add(ageRow, "its end is", TextCell(ageOf(r.eng, r.Info, r.Cal)), "")
		add("loads", "loaded from", TextCell(fmt.Sprintf("%s in %s", plural(filesOf(r.Info), "file"), plural(len(r.Info.Loads), "load"))), r.link(question("quality")))
	}
	b.Block(bl)
}

// ageRow is the key of the row that says how old the data are.
const ageRow = "age"

// ageOf says how old the end of the data is, by the engine's clock; without one,
// how old it was when it was loaded.
func ageOf(e *Engine, in *model.Info, cal *model.Calendar) string {
	end := cal.Begin(lastDay(in, cal) + 1)
	if e.opt.Now != nil {
		return old(time.Duration(e.opt.Now().UnixMilli()-end)*time.Millisecond) + " old"
	}
	at := in.Loads[len(in.Loads)-1].At
	if at == 0 {
		return "of unknown age"
	}
	return old(time.Duration(at-end)*time.Millisecond) + " older than the last load"
}

// aged is a kept answer as it reads today: the first page says how old the data
// are, and is kept all the same, for a second start must not wait for it.
func (e *Engine) aged(st *state, a *Answer) *Answer {
	if a.Query.Analysis != "overview" {
		return a
	}
	for i := range a.Blocks {
		for k := range a.Blocks[i].Rows {
			row := &a.Blocks[i].Rows[k]
			if row.Key != ageRow || !strings.HasSuffix(a.Blocks[i].Name, "facts") {
				continue
			}
			now := ageOf(e, st.info, st.data.Schema.Cal)
			if row.Cells[0].Text == now {
				return a
			}
			b := *a // answers are shared: this one is another
			b.Blocks = slices.Clone(a.Blocks)
			b.Blocks[i].Rows = slices.Clone(a.Blocks[i].Rows)
			b.Blocks[i].Rows[k].Cells = []Cell{TextCell(now)}
			return &b
		}
	}
	return a
}

// old writes an age in its largest fitting unit.
func old(d time.Duration) string {
	switch days := int(d.Hours() / 24); {
	case days < 1:
		return "less than a day"
	case days < 60:
		return plural(days, "day")
	case days < 730:
		return fmt.Sprintf("%s (%d days)", plural(days/30, "month"), days)
	default:
		return fmt.Sprintf("%.1f years", float64(days)/365.25)
	}
}

// stages are the users of each stage as bars, the lost apart.
func (p *overviewPlan) stages(b *Builder) {
	r := p.r
	bars := Block{Kind: BarBlock, Name: b.Key("stages"), Title: b.label("users by stage, " + confirmedWord(r.st.data.Confirmed)), Heads: []Head{{"users", true}}}
	for i, s := range r.machine.Model().Stages {
		f := b.Count(p.row(overviewStages+i), "stage."+s.Name, s.Label())
		bars.Rows = append(bars.Rows, Row{Key: s.Name, Label: s.Label(), Rule: "stage == " + strconv.Quote(s.Name), Apart: i == r.machine.Lost(), Colour: s.Colour, Cells: []Cell{b.Cell(f)}})
	}
	b.Block(bars)
}

// active adds the active users of each period; the open last one is marked.
func (p *overviewPlan) active(b *Builder, c *Chart) {
	s := Series{Name: p.r.Groups[b.group].Label(), Open: make([]bool, p.n)}
	for i := range p.n {
		f := b.Count(overviewPeriods+i, p.unit.String()+"."+c.Labels[i], "active in "+p.unit.String()+" "+c.Labels[i])
		s.Y, s.Figures = append(s.Y, b.Fig(f).Value), append(s.Figures, f)
	}
	_, to := p.r.Cal.Bounds(p.unit, p.first+model.Period(p.n-1))
	_, _, partial := p.r.partialDay()
	s.Open[p.n-1] = to-1 > p.r.AsOf || partial
	c.Series = append(c.Series, s)
}

// quality is the last load's report in one line.
func (p *overviewPlan) quality(b *Builder) {
	if len(p.r.Info.Loads) == 0 {
		return
	}
	last := &p.r.Info.Loads[len(p.r.Info.Loads)-1]
	b.Block(Block{Kind: TextBlock, Name: "quality", Title: "data quality", Lines: []string{qualityLine(last)}})
}

func (p *overviewPlan) explain(f *Figure) []ExplainLine {
	if f.Slot > overviewRows && f.Slot < overviewPeriods+p.n {
		return []ExplainLine{{Head: "Formula", Text: "distinct users with an active day in the " + p.unit.String() + "; the last one is open while the as-of day lies within it"}}
	}
	return nil
}

// filesOf is how many files the data came from; the pieces of one that was followed
// are one.
func filesOf(in *model.Info) (n int) {
	streams := map[string]bool{}
	for _, s := range in.Sources {
		if s.Stream == "" || !streams[s.Stream] {
			n++
		}
		streams[s.Stream] = true
	}
	return n
}
