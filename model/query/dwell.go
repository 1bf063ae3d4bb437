package query

import (
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/stage"
	"dwell/model/stat"
)

// dwellAnalysis shows how long users stay in each stage, who is over the normal
// dwell, and what those who moved on had done that these had not.
func dwellAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "dwell", Title: "Dwell", Help: "how long users stay in each stage; the stalled map: who is over the normal dwell, and what the movers had done that these had not", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "stage", Type: Text, Help: "only this stage"},
			}, groupKeys(), truncatedKeys(), zoneKeys())},
		plan: planDwell,
	}
}

// overEdges part the stalled by how far over the greatest dwell they are, as
// multiples of it.
var overEdges = [...]float64{1, 1.25, 1.5, 2, 3}

var overLabels = [len(overEdges)]string{"up to ¼ over", "¼ to ½ over", "½ to 1 over", "1 to 2 times over", "more than 2 times over"}

// dwellPoints is how many points a dwell curve has at most.
const dwellPoints = 24

// A dwelling holds what kernel and layout share.
//
// Slots of a stage: its first stays (values), those at risk at each point, those
// in it now with a greatest dwell (as a rate: over it), the parts of the stalled
// map, then the comparison: the movers and the stalled (values of each measure)
// and a rate each for every event name.
type dwelling struct {
	r       *Run
	his     *historian
	entries []stage.EntryInfo
	only    int            // stage; −1: all
	points  []model.Day    // in days of stay
	names   []model.NameID // compared
	window  []model.Day    // of the comparison, by stage; 0: none
	most    []int          // greatest dwell by stage
}

// Slots of a stage in dwell, before the compared names.
const (
	dwellStays = iota
	dwellNow
	dwellOver
	dwellOverParts
	dwellRisk   = dwellOverParts + len(overEdges)
	dwellGroups = dwellRisk + dwellPoints // movers, stalled: values of measure 0, 1 …
)

// compared are the measures of the comparison.
var compared = [...]struct{ key, label string }{
	{"active_days", "active days"}, {"events", "events"}, {"names", "different events"}, {"revenue", "revenue"},
}

func (d *dwelling) group(stage, measure int, stalled bool) int {
	at := stage*d.width() + dwellGroups + 2*measure
	if stalled {
		at++
	}
	return at
}

func (d *dwelling) did(stage, name int, stalled bool) int {
	at := d.group(stage, len(compared), false) + 2*name
	if stalled {
		at++
	}
	return at
}

func (d *dwelling) at(stage, what int) int { return stage*d.width() + what }
func (d *dwelling) width() int             { return dwellGroups + 2*len(compared) + 2*len(d.names) }

// mostNames is how many event names the movers and the stalled are compared by.
const mostNames = 40

func planDwell(r *Run) (*Plan, error) {
	m := r.machine.Model()
	d := &dwelling{r: r, entries: r.machine.Entries(), only: -1}
	if s := r.Str("stage"); s != "" {
		if d.only = m.Index(s); d.only < 0 {
			return nil, fmt.Errorf("stage=: there is no stage %q%s", s, didYouMean(s, m.Names()))
		}
	}
	var err error
	if d.his, err = r.historian(); err != nil {
		return nil, err
	}
	for i := range m.Stages {
		least, most := r.machine.Dwell(i)
		d.most = append(d.most, most)
		w := 0
		if most > 0 {
			// Within the least dwell nobody can have been promoted, so that movers and
			// stalled are seen for the same days; else for a beat, or what there is of it.
			if w = least; w == 0 {
				w = max(1, min(most, int(r.param("beat", 7))))
			}
		}
		d.window = append(d.window, model.Day(w))
	}
	d.points = dwellGrid(int(r.AsOf - r.FirstDay))
	for i := range r.Info.Names {
		d.names = append(d.names, model.NameID(i))
	}
	slices.SortStableFunc(d.names, func(a, b model.NameID) int { return int(min(1, max(-1, r.Info.Names[b].Count-r.Info.Names[a].Count))) })
	d.names = d.names[:min(mostNames, len(d.names))]
	_, money := r.hasMoney()
	return d.his.on(&Plan{Slots: len(m.Stages) * d.width(), Values: true, Amounts: money, JudgeAtT: true, Kernel: d.kernel, Layout: d.layout, Explain: d.explain}), nil
}

// dwellGrid are the points of the curves, in days: every day at first, then
// wider apart, to the data's length.
func dwellGrid(days int) []model.Day {
	var out []model.Day
	for _, d := range []int{0, 1, 2, 4, 7, 10, 14, 21, 28, 42, 56, 70, 84, 112, 140, 168, 210, 252, 300, 365, 456, 547, 730, 1095} {
		if d <= max(days, 1) {
			out = append(out, model.Day(d))
		}
	}
	return out
}

func (d *dwelling) kernel() Kernel {
	r := d.r
	s := d.his.staging()
	var list []stay
	first := make([]bool, len(d.most))
	place := make([]int, len(r.Info.Names))
	for i := range place {
		place[i] = -1
	}
	for i, n := range d.names {
		place[n] = i
	}
	did := make([]bool, len(d.names))
	return Visit(func(p *Person, h *Hits) {
		hist := s.To(p.TL, r.AsOf)
		if len(hist.Transitions) == 0 {
			return
		}
		truncated := r.Truncated(p.Days[0])
		list = stays(list[:0], hist, d.entries, r.AsOf)
		clear(first)
		for i, st := range list {
			if d.only >= 0 && st.stage != d.only {
				continue
			}
			over := !st.ended && d.most[st.stage] > 0 && st.days() > d.most[st.stage]
			if !st.ended && d.most[st.stage] > 0 {
				h.Hit(d.at(st.stage, dwellNow), Self)
				h.Rate(d.at(st.stage, dwellOver), over)
				if over {
					h.Hit(d.at(st.stage, dwellOverParts+overPart(st.days(), d.most[st.stage])), Self)
				}
			}
			if first[st.stage] {
				continue
			}
			first[st.stage] = true
			if i == 0 && truncated {
				continue
			}
			h.Value(d.at(st.stage, dwellStays), lifeValue(st.days(), st.ended))
			for k, at := range d.points {
				if st.days() >= int(at) {
					h.Hit(d.at(st.stage, dwellRisk+k), Self)
				}
			}
			moved := st.ended && st.by.Kind == stage.Promotion
			if w := d.window[st.stage]; w > 0 && (moved || over) && st.days() >= int(w) {
				d.compare(p, h, st, over, place, did)
			}
		}
	})
}

// overPart is how far over the greatest dwell a stay is.
func overPart(days, most int) int {
	k := 0
	for k+1 < len(overEdges) && float64(days) > overEdges[k+1]*float64(most) {
		k++
	}
	return k
}

// compare takes what a mover or a stalled user did in the first days of the stay.
func (d *dwelling) compare(p *Person, h *Hits, st stay, stalled bool, place []int, did []bool) {
	clear(did)
	var active, events, names float64
	var money model.Sum
	last := model.NoDay
	for i, day := range p.Days {
		if day < st.from || day >= st.from+d.window[st.stage] {
			continue
		}
		events++
		if day != last && d.r.Role(p, i).Active() {
			active++
			last = day
		}
		if k := place[p.TL.Name[i]]; k >= 0 && !did[k] {
			did[k] = true
			names++
		}
		if m := d.r.net(p, i); m != model.NoMoney {
			money.Add(m)
		}
	}
	for k, v := range []float64{active, events, names, money.Float()} {
		h.Value(d.group(st.stage, k, stalled), v)
	}
	for k := range did {
		h.Rate(d.did(st.stage, k, stalled), did[k])
	}
}

func (d *dwelling) layout(b *Builder) error {
	r := d.r
	b.A.Title = "Dwell · " + asOfNote(r)
	b.A.Definition = "How long each user's first stay in a stage lasts, by whatever it ended; those still there are censored, not dropped (Kaplan–Meier). Stalled is who is in a stage longer than the model's greatest dwell. Movers left the stage by a promotion."
	chart := &Chart{XLabel: "days in the stage", YLabel: "share still there", Unit: "share", Zero: true, Step: true}
	for _, p := range d.points {
		chart.X = append(chart.X, float64(p))
	}
	b.Block(Block{Kind: ChartBlock, Name: "curves", Title: "share of users still in the stage, by days since they entered it", Chart: chart})
	for g := range b.Groups() {
		b.Group(g)
		d.curves(b, chart)
		d.stalled(b)
		for i := range d.most {
			if d.shows(i) && d.window[i] > 0 {
				d.comparison(b, i)
			}
		}
	}
	b.warnLeft("Users first seen before %s may have come before the data begin: their first stay began on a day nobody knows and is left out (truncated=keep takes it in).", r.truncatedBefore())
	return nil
}

func (d *dwelling) shows(stage int) bool { return d.only < 0 || d.only == stage }

// curves adds the Kaplan–Meier curve and quartiles of each stage.
func (d *dwelling) curves(b *Builder, chart *Chart) {
	table := Block{Kind: TableBlock, Name: b.Key("quartiles"), Title: b.label("after how many days so many have left"), Heads: []Head{{"first stays", true}, {"still there", true}, {"a quarter", true}, {"half", true}, {"95 % interval", true}, {"three quarters", true}, {"model's range", true}}}
	for i, s := range d.r.machine.Model().Stages {
		if !d.shows(i) {
			continue
		}
		slot := d.at(i, dwellStays)
		values := b.Values(slot)
		curve := stayCurve(values)
		row := Row{Key: s.Name, Label: s.Label(), Open: d.r.link(question("dwell", "stage", s.Name))}
		n := b.Count(slot, "stays."+s.Name, s.Label()+", first stays")
		open := int64(0)
		for _, v := range values {
			if _, done := lifeOf(v); !done {
				open++
			}
		}
		row.Cells = append(row.Cells, b.Cell(n), TextCell(count(open)))
		for _, q := range []struct {
			key, label string
			share      float64
		}{{"quarter", "a quarter", 0.75}, {"median", "half", 0.5}, {"three_quarters", "three quarters", 0.25}} {
			days, ok := curve.Reached(q.share)
			f := b.Stat(slot, q.key+"."+s.Name, s.Label()+", days until "+q.label+" have left", days, !ok, "days")
			row.Cells = append(row.Cells, b.Cell(f))
			if lo, hi := curve.ReachedInterval(q.share); ok && lo.Known && hi.Known {
				x := b.Fig(f)
				x.Lo, x.Hi, x.Interval, x.Method = lo.Days, hi.Days, true, "Brookmeyer–Crowley 95 %"
			}
			if q.key == "median" {
				row.Cells = append(row.Cells, TextCell(b.Fig(f).interval()))
			}
		}
		row.Cells = append(row.Cells, TextCell(dwellRange(d.r.machine, i)))
		table.Rows = append(table.Rows, row)
		d.series(b, chart, i, s.Label(), s.Name, curve)
	}
	b.Block(table)
}

// series adds the curve of one stage, with a figure at each point: those still at
// risk there.
func (d *dwelling) series(b *Builder, chart *Chart, i int, label, name string, curve stat.Curve) {
	line := Series{Name: b.label(label)}
	for k, at := range d.points {
		slot := d.at(i, dwellRisk+k)
		if b.N(slot, Self) == 0 {
			break
		}
		v, step := curve.At(float64(at))
		f := b.Stat(slot, fmt.Sprintf("still.%s.%d", name, at), fmt.Sprintf("%s, still there after %d days", label, at), v, false, "share")
		lo, hi := v, v
		if step != nil && step.Bounded {
			lo, hi = step.Lo, step.Hi
			x := b.Fig(f)
			x.Lo, x.Hi, x.Interval, x.Method = lo, hi, true, "Greenwood, log-log 95 %"
		}
		line.Y, line.Figures = append(line.Y, v), append(line.Figures, f)
		line.Lo, line.Hi = append(line.Lo, lo), append(line.Hi, hi)
	}
	chart.Series = append(chart.Series, line)
}

// stalled adds the map of those over the greatest dwell.
func (d *dwelling) stalled(b *Builder) {
	bl := Block{Kind: HeatBlock, Name: b.Key("stalled"), Title: b.label("stalled: over the model's greatest dwell, and how far"), Heads: []Head{{"greatest", true}, {"in it now", true}, {"over it", true}}}
	for _, l := range overLabels {
		bl.Heads = append(bl.Heads, Head{l, true})
	}
	for i, s := range d.r.machine.Model().Stages {
		if !d.shows(i) || d.most[i] == 0 {
			continue
		}
		row := Row{Key: s.Name, Label: s.Label(), Rule: fmt.Sprintf("stage == %q and dwell_days > %d", s.Name, d.most[i]), Cells: []Cell{TextCell(plural(d.most[i], "day")),
			b.Cell(b.Count(d.at(i, dwellNow), "now."+s.Name, s.Label()+", in it now")),
			b.Cell(b.Rate(d.at(i, dwellOver), "stalled."+s.Name, s.Label()+", share over "+plural(d.most[i], "day")))}}
		for k, l := range overLabels {
			row.Cells = append(row.Cells, b.Cell(b.Count(d.at(i, dwellOverParts+k), fmt.Sprintf("over.%s.%d", s.Name, k+1), s.Label()+", "+l)))
		}
		bl.Rows = append(bl.Rows, row)
	}
	if len(bl.Rows) == 0 {
		b.Warn("no-greatest-dwell", "The stage model sets no greatest dwell here: nobody can be stalled.")
		return
	}
	b.Block(bl)
}

func (d *dwelling) explain(f *Figure) []ExplainLine {
	if f.Slot < 0 {
		return nil
	}
	i, what := f.Slot/d.width(), f.Slot%d.width()
	switch {
	case what == dwellStays || what >= dwellRisk && what < dwellGroups:
		return []ExplainLine{{Head: "Formula", Text: "product-limit estimate over each user's first stay in the stage; who is still there is censored on the as-of day (Kaplan, Meier 1958); the users listed at a point are those whose stay has lasted so long"}}
	case what < dwellRisk:
		return []ExplainLine{{Head: "Formula", Text: fmt.Sprintf("users in the stage on the as-of day whose stay exceeds the model's %d days", d.most[i])}}
	}
	return []ExplainLine{{Head: "Formula", Text: fmt.Sprintf("what happened on the first %d days of the first stay; movers left by a promotion later, the stalled are still there and over the greatest dwell; both were there all those days", d.window[i])}}
}
