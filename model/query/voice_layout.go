package query

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stat"
)

func (v *voice) layout(b *Builder) error {
	b.A.Title = "Voice · " + asOfNote(v.r)
	b.A.Definition = "Each user's last answer given while in a stage counts there once; the response rate is of all who were ever in the stage. NPS is the share of 9–10 minus that of 0–6, in points. These are signals, not reasons, but for the reasons that users gave themselves."
	if v.has&model.Feedback == 0 {
		b.Warn("no-feedback", "NPS and ratings are —: no event of the data means feedback.")
	} else if v.score < 0 && v.rating < 0 {
		b.Warn("no-score", "NPS and ratings are —: the dictionary names no score or rating column.")
	}
	if v.scales {
		b.Warn("scales", "Ratings are on several scales: all are shown on that of %g.", v.best)
	}
	if v.has&model.Complaint == 0 {
		b.Warn("no-complaints", "Complaints are —: no event of the data means complaint.")
	}
	if v.has&model.Cancel != 0 && v.reason < 0 {
		b.Warn("no-reasons", "Cancel reasons are —: the dictionary names no reason column, or each reason is another text.")
	}
	for g := range b.Groups() {
		b.Group(g)
		v.group(b)
	}
	return nil
}

func (v *voice) group(b *Builder) {
	bl := Block{Kind: TableBlock, Name: b.Key("stages"), Title: b.label("by the stage in which it was said"), Heads: []Head{{"users", true}, {"answered", true}, {"NPS", true}, {"95 % interval", true}, {"complained", true}}}
	if v.nps {
		bl.Heads = append(bl.Heads, Head{"9–10", true}, Head{"0–6", true})
	}
	for i, s := range v.r.machine.Model().Stages {
		row := Row{Key: s.Name, Label: s.Label(), Apart: i == v.lost, Cells: []Cell{b.Cell(b.Count(v.stage(i, voiceUsers), "stage."+s.Name, s.Label()+", users ever in it"))}}
		if v.nps {
			f, iv := v.opinion(b, i, s.Name, s.Label())
			row.Cells = append(row.Cells, b.Cell(b.Rate(v.stage(i, voiceAnswered), "answered."+s.Name, s.Label()+", response rate")), b.Cell(f), TextCell(iv))
		} else {
			row.Cells = append(row.Cells, TextCell("—"), TextCell("—"), TextCell(""))
		}
		if v.has&model.Complaint != 0 {
			row.Cells = append(row.Cells, b.Cell(b.Rate(v.stage(i, voiceComplain), "complained."+s.Name, s.Label()+", complained while in it")))
		} else {
			row.Cells = append(row.Cells, TextCell("—"))
		}
		if v.nps {
			row.Cells = append(row.Cells,
				b.Cell(b.Rate(v.stage(i, voicePromoter), "promoters."+s.Name, s.Label()+", promoters (9–10)")),
				b.Cell(b.Rate(v.stage(i, voiceDetractor), "detractors."+s.Name, s.Label()+", detractors (0–6)")))
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
	if v.nps {
		v.trend(b, "trend", "score", "mean answer of 0 to 10", measure.NPSBest, v.period)
	}
	if v.best > 0 {
		v.ratings(b)
		v.trend(b, "ratings.trend", "rated", "mean rating", v.best, v.rated)
	}
	v.reasonBlock(b)
	if v.has&model.Complaint != 0 && v.lost >= 0 {
		v.beforeLoss(b)
	}
	v.social(b)
}

// opinion is NPS with its interval.
func (v *voice) opinion(b *Builder, i int, name, label string) (f int, interval string) {
	slot := v.stage(i, voiceValue)
	values := b.Values(slot)
	nps, iv, ok := npsOf(values)
	f = b.Stat(slot, "nps."+name, label+", NPS", nps, len(values) == 0, "points")
	if !ok {
		return f, ""
	}
	x := b.Fig(f)
	x.Lo, x.Hi, x.Interval, x.Method = iv.Lo, iv.Hi, true, "normal 95 %, adjusted (Rocks 2016)"
	return f, fmt.Sprintf("%+.0f to %+.0f", iv.Lo, iv.Hi)
}

// ratings is the mean of the last ratings given in each stage.
func (v *voice) ratings(b *Builder) {
	bl := Block{Kind: TableBlock, Name: b.Key("ratings"), Title: b.label(fmt.Sprintf("ratings, %g the best, by the stage in which they were given", v.best)), Heads: []Head{{"rated", true}, {"mean rating", true}, {"95 % interval", true}}}
	for i, s := range v.r.machine.Model().Stages {
		slot := v.stage(i, voiceRating)
		mean, iv, ok := meanOf(b.Values(slot), v.best)
		f := b.Stat(slot, "rating."+s.Name, s.Label()+", mean rating", mean, len(b.Values(slot)) == 0, "points")
		text := ""
		if ok {
			x := b.Fig(f)
			x.Lo, x.Hi, x.Interval, x.Method = iv.Lo, iv.Hi, true, "normal 95 %"
			text = fmt.Sprintf("%.2f–%.2f", iv.Lo, iv.Hi)
		}
		bl.Rows = append(bl.Rows, Row{Key: s.Name, Label: s.Label(), Apart: i == v.lost, Cells: []Cell{b.Cell(b.Rate(v.stage(i, voiceRated), "rates."+s.Name, s.Label()+", gave a rating")), b.Cell(f), TextCell(text)}})
	}
	b.Block(bl)
}

// npsOf is the net promoter score in points, with an adjusted Wald interval: three
// answers are added, ¾ each to promoters and detractors and 1½ between, so that
// few answers give no empty interval.
//
// Rocks, B. (2016). "Interval Estimation for the 'Net Promoter Score'". The
// American Statistician 70 (4): 365–372 (adjusted Wald, AW(¾, 1½, ¾)).
func npsOf(answers []float64) (nps float64, iv stat.Interval, ok bool) {
	var up, down float64
	for _, x := range answers {
		switch {
		case x >= 9:
			up++
		case x <= 6:
			down++
		}
	}
	n := float64(len(answers))
	if n == 0 {
		return 0, iv, false
	}
	nps = 100 * (up - down) / n
	m := n + 3
	p, q := (up+0.75)/m, (down+0.75)/m
	half := stat.NormalQuantile(0.5+stat.Level/2) * math.Sqrt((p+q-(p-q)*(p-q))/m)
	// Of very few answers that all agree the three added ones may push the end
	// past the estimate: it is drawn back to it.
	return nps, stat.Interval{Lo: math.Min(nps, math.Max(-100, 100*(p-q-half))), Hi: math.Max(nps, math.Min(100, 100*(p-q+half)))}, true
}

// meanOf is a mean with its normal interval; ok is false under two values.
// The interval is cut at the scale's ends.
func meanOf(values []float64, best float64) (mean float64, iv stat.Interval, ok bool) {
	var m stat.Moments
	for _, x := range values {
		m.Add(x)
	}
	mean, _ = m.Mean()
	sd, ok := m.StdDev()
	half := stat.NormalQuantile(0.5+stat.Level/2) * sd / math.Sqrt(float64(max(1, len(values))))
	return mean, stat.Interval{Lo: math.Max(model.Worst(best), mean-half), Hi: math.Min(best, mean+half)}, ok
}

// trend is the mean answer of each period, of the users who answered in it.
func (v *voice) trend(b *Builder, name, key, label string, best float64, slot func(int) int) {
	c := &Chart{XLabel: v.unit.String(), YLabel: label, Unit: "points", Dates: true}
	line := Series{Name: v.r.Groups[b.group].Label()}
	for k := range v.periods {
		from, to := v.r.Cal.Bounds(v.unit, v.first+model.Period(k))
		when := v.r.Cal.PeriodLabel(v.unit, v.first+model.Period(k))
		values := b.Values(slot(k))
		if len(values) == 0 {
			continue
		}
		mean, iv, ok := meanOf(values, best)
		f := b.Stat(slot(k), key+"."+when, label+" in "+when, mean, false, "points")
		if !ok {
			iv = stat.Interval{Lo: mean, Hi: mean}
		} else {
			x := b.Fig(f)
			x.Lo, x.Hi, x.Interval, x.Method = iv.Lo, iv.Hi, true, "normal 95 %, over users"
		}
		c.X, c.Labels = append(c.X, float64(from)), append(c.Labels, when)
		line.Y, line.Figures = append(line.Y, mean), append(line.Figures, f)
		line.Lo, line.Hi, line.Open = append(line.Lo, iv.Lo), append(line.Hi, iv.Hi), append(line.Open, to-1 > v.r.AsOf)
	}
	if len(c.X) == 0 {
		return
	}
	c.Series = []Series{line}
	b.Block(Block{Kind: ChartBlock, Name: b.Key(name), Title: b.label(label + " by " + v.unit.String() + ", each user's answers as one"), Chart: c})
}

func (v *voice) reasonBlock(b *Builder) {
	if v.has&model.Cancel == 0 {
		return
	}
	bl := Block{Kind: BarBlock, Name: b.Key("reasons"), Title: b.label("cancel reasons, by users"), Heads: []Head{{"users", true}}}
	bl.Rows = append(bl.Rows, Row{Key: "cancelled", Label: "cancelled at all", Apart: true, Cells: []Cell{b.Cell(b.Count(voiceCancelled, "cancelled", "users who cancelled"))}})
	if v.reason >= 0 {
		var rows []Row
		n := min(mostReasons, len(v.reasons.Values))
		for k := range n + 1 {
			if b.N(v.because(k), Self) == 0 {
				continue
			}
			label, key := "no reason given", "none"
			if k == n {
				label, key = "other reasons", "others"
			} else if k > 0 {
				label = v.reasons.Values[k]
				key = "is." + label
			}
			rows = append(rows, Row{Key: key, Label: shorten(strings.TrimSpace(label), 60), Cells: []Cell{b.Cell(b.Count(v.because(k), "reason."+key, label))}})
		}
		slices.SortStableFunc(rows, func(x, y Row) int {
			return int(b.Fig(y.Cells[0].Figure).N - b.Fig(x.Cells[0].Figure).N)
		})
		bl.Rows = append(bl.Rows, rows...)
	}
	b.Block(bl)
}

// beforeLoss compares contacts of the lost before it with those of the living.
func (v *voice) beforeLoss(b *Builder) {
	lost := b.Rate(voiceLoss, "contact.lost", "lost users with a complaint around their last activity")
	living := b.Rate(voiceOthers, "contact.living", fmt.Sprintf("living users with a complaint in the last %d days", 2*v.before))
	bl := Block{Kind: TableBlock, Name: b.Key("before"), Title: b.label("complaints and support contacts before loss"), Heads: []Head{{"rate", true}, {"95 % interval", true}, {"of", true}}}
	for _, x := range []struct {
		key, label string
		f          int
	}{{"lost", fmt.Sprintf("the lost, from %d days before their last activity to %d after", v.before, v.before), lost}, {"living", fmt.Sprintf("the living, in the last %d days", 2*v.before), living}} {
		bl.Rows = append(bl.Rows, Row{Key: x.key, Label: x.label, Cells: []Cell{b.Cell(x.f), TextCell(b.Fig(x.f).interval()), TextCell(count(b.Fig(x.f).N))}})
	}
	b.Block(bl)
}

func (v *voice) explain(f *Figure) []ExplainLine {
	switch {
	case strings.Contains(f.Key, "nps."):
		return []ExplainLine{{Head: "Formula", Text: "100 × (users whose last answer in the stage is 9 or 10 − users whose is 0 to 6) ÷ users who answered there; interval by the adjusted Wald form of Rocks (2016)"}}
	case f.Slot == voiceLoss:
		return []ExplainLine{{Head: "Formula", Text: fmt.Sprintf("users in the lost stage with a complaint from %d days before to %d days after their last active day ÷ users in the lost stage", v.before, v.before)}}
	}
	return nil
}
