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

// voiceAnalysis is what users say where they are asked or complain: NPS by stage,
// ratings over time, complaints, cancel reasons, contacts before loss (SPEC R1.11).
func voiceAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "voice", Title: "Voice", Help: "what users say: NPS by stage with interval and response rate, ratings over time, complaints, cancel reasons, contacts before loss", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "unit", Type: Word, Values: units(), Default: "month", Help: "length of a period of the rating trend"},
				{Name: "before", Type: Int, Min: 1, Default: "30", Help: "contacts before a loss are looked for from so many days before the last activity to as many after it"},
			}, groupKeys(), zoneKeys())},
		plan: planVoice,
	}
}

// Slots of a stage in voice.
const (
	voiceUsers    = iota // who were in the stage at some time
	voiceAnswered        // rate: of them, answered there; its users with their last answer
	voiceValue           // values: the last answer given in the stage
	voicePromoter        // rates over those who answered
	voiceDetractor
	voiceComplain // rate: complained while in the stage
	voiceSlots
)

// A voice holds what kernel and layout share.
//
// Slots: lost users, with a contact before it (a rate); those not lost on a day
// like it (compared at the same length of time); then the stages, the periods of
// the trend, the cancel reasons.
type voice struct {
	r       *Run
	his     *historian
	n       int // stages
	lost    int
	unit    model.PeriodUnit
	first   model.Period
	periods int
	before  model.Day
	score   int // place of the score column among the plan's columns; −1: none
	scoreOf *model.KeyInfo
	nps     bool // answers go to 10; else they are ratings
	most    float64
	reason  int
	reasons *model.KeyInfo
	has     model.Role // of feedback, complaint, cancel: those in the data
}

const (
	voiceLoss   = iota // rate: users lost, with a contact in the days before
	voiceOthers        // rate: living users, with a contact in the last so many days
	voiceCancelled
	voiceStages
)

func (v *voice) stage(i, what int) int { return voiceStages + i*voiceSlots + what }
func (v *voice) period(i int) int      { return v.stage(v.n, 0) + i }
func (v *voice) because(i int) int     { return v.period(v.periods) + i }

// mostReasons is how many cancel reasons are shown.
const mostReasons = 200

func planVoice(r *Run) (*Plan, error) {
	v := &voice{r: r, n: len(r.machine.Model().Stages), lost: r.machine.Lost(), before: model.Day(r.Int("before")), score: -1, reason: -1}
	for _, role := range []model.Role{model.Feedback, model.Complaint, model.Cancel} {
		if r.hasRole(role) {
			v.has |= role
		}
	}
	if v.has == 0 {
		return &Plan{Layout: v.silent}, nil
	}
	var err error
	if v.unit, err = model.ParseUnit(r.Str("unit")); err != nil {
		return nil, err
	}
	v.first = r.Cal.Period(v.unit, r.FirstDay)
	v.periods = int(r.Cal.Period(v.unit, r.AsOf)-v.first) + 1
	var columns []string
	c := r.Dict.Columns
	if v.scoreOf = r.Info.Key(c.Score); c.Score != "" && v.scoreOf != nil && v.has&model.Feedback != 0 {
		v.score, columns = len(columns), append(columns, c.Score)
		v.scale()
	}
	if v.reasons = r.Info.Key(c.Reason); c.Reason != "" && v.reasons != nil && v.has&model.Cancel != 0 && !v.reasons.Plain {
		v.reason, columns = len(columns), append(columns, c.Reason)
	}
	if v.his, err = r.historian(columns...); err != nil {
		return nil, err
	}
	slots := v.because(0)
	if v.reason >= 0 {
		slots = v.because(min(mostReasons, len(v.reasons.Values)) + 1)
	}
	return v.his.on(&Plan{Slots: slots, Values: true, JudgeAtT: true, Kernel: v.kernel, Layout: v.layout, Explain: v.explain}), nil
}

// scale tells answers of 0 to 10 from ratings: by the greatest value there is.
func (v *voice) scale() {
	for _, text := range v.scoreOf.Values {
		if x, ok := measure.ParseNumber(text); ok {
			v.most = math.Max(v.most, x)
		}
	}
	v.nps = v.scoreOf.Plain || v.most > 5
}

// answer is the score of event i; ok is false where it is none.
func (v *voice) answer(p *Person, i int) (float64, bool) {
	if v.score < 0 || v.r.Role(p, i)&model.Feedback == 0 {
		return 0, false
	}
	x, ok := measure.ParseNumber(p.TL.Props[v.score].At(v.scoreOf, i))
	return x, ok && x >= 0 && x <= 10
}

func (v *voice) kernel() Kernel {
	r := v.r
	s := v.his.staging()
	was, complained := make([]bool, v.n), make([]bool, v.n)
	last := make([]float64, v.n)
	sums, times := make([]float64, v.periods), make([]int, v.periods)
	reasons := map[int]bool{}
	return Visit(func(p *Person, h *Hits) {
		hist := s.To(p.TL, r.AsOf)
		if len(hist.Transitions) == 0 {
			return
		}
		clear(was)
		clear(complained)
		clear(sums)
		clear(times)
		clear(reasons)
		for i := range last {
			last[i] = math.NaN()
		}
		for _, t := range hist.Transitions {
			was[t.To] = true
		}
		cancelled := false
		for i, d := range p.Days {
			at := hist.On(d)
			role := r.Role(p, i)
			if x, ok := v.answer(p, i); ok {
				last[at] = x
				k := int(r.Cal.Period(v.unit, d) - v.first)
				sums[k] += x
				times[k]++
			}
			complained[at] = complained[at] || role&model.Complaint != 0
			if role&model.Cancel != 0 {
				cancelled = true
				if v.reason >= 0 {
					reasons[v.reasonOf(p, i)] = true
				}
			}
		}
		for at := range v.n {
			if !was[at] {
				continue
			}
			h.Hit(v.stage(at, voiceUsers), Self)
			h.Rate(v.stage(at, voiceComplain), complained[at])
			answered := !math.IsNaN(last[at])
			h.Rate(v.stage(at, voiceAnswered), answered)
			if answered {
				h.Value(v.stage(at, voiceValue), last[at])
				h.Rate(v.stage(at, voicePromoter), last[at] >= 9)
				h.Rate(v.stage(at, voiceDetractor), last[at] <= 6)
			}
		}
		for k := range times {
			if times[k] > 0 {
				h.Value(v.period(k), sums[k]/float64(times[k]))
			}
		}
		if cancelled {
			h.Hit(voiceCancelled, Self)
		}
		for k := range reasons {
			h.Hit(v.because(k), Self)
		}
		v.contacts(p, h, hist.Transitions[len(hist.Transitions)-1].Day, hist.Now())
	})
}

// reasonOf is the slot of a cancellation's reason: 0 without one, the last for
// those beyond the first.
func (v *voice) reasonOf(p *Person, i int) int {
	text := p.TL.Props[v.reason].At(v.reasons, i)
	k := slices.Index(v.reasons.Values, text)
	if k < 0 || k >= mostReasons {
		return min(mostReasons, len(v.reasons.Values))
	}
	return k
}

// contacts looks for complaints and cancellations in the days before a loss; of
// the living in as many days before the as-of day.
func (v *voice) contacts(p *Person, h *Hits, since model.Day, now int) {
	end, slot := v.r.AsOf, voiceOthers
	if now == v.lost {
		// A loss by silence falls due G days after the last active day: the days
		// around that one are what counts.
		end, slot = since, voiceLoss
		for i := len(p.Days) - 1; i >= 0; i-- {
			if p.Days[i] <= since && v.r.Role(p, i).Active() {
				end = min(end, p.Days[i]+v.before)
				break
			}
		}
	}
	from := end - 2*v.before + 1 // as long for both
	contact := false
	for i, d := range p.Days {
		contact = contact || d >= from && d <= end && v.r.Role(p, i)&model.Complaint != 0
	}
	h.Rate(slot, contact)
}

func (v *voice) silent(b *Builder) error {
	b.A.Title = "Voice · " + asOfNote(b.Run)
	b.A.Definition = "What users say, where the data hold it."
	b.Block(Block{Kind: TextBlock, Name: "voice", Title: "nothing is said here", Lines: []string{
		"No event of the data means feedback, complaint or cancel, so there are no answers, complaints or reasons to show.",
		"If some do, give them that meaning in the dictionary (dwell dictionary), and name the column of the score and of the cancel reason.",
	}})
	return nil
}

func (v *voice) layout(b *Builder) error {
	b.A.Title = "Voice · " + asOfNote(v.r)
	b.A.Definition = "Each user's last answer given while in a stage counts there once; the response rate is of all who were ever in the stage. NPS is the share of 9–10 minus that of 0–6, in points. These are signals, not reasons, but for the reasons that users gave themselves."
	if v.has&model.Feedback == 0 {
		b.Warn("no-feedback", "NPS and ratings are —: no event of the data means feedback.")
	} else if v.score < 0 {
		b.Warn("no-score", "NPS and ratings are —: the dictionary names no score column.")
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
	scored := v.score >= 0
	bl := Block{Kind: TableBlock, Name: b.Key("stages"), Title: b.label("by the stage in which it was said"), Heads: []Head{{"users", true}, {"answered", true}, {"score", true}, {"95 % interval", true}, {"complained", true}}}
	bl.Heads[2].Label = "mean rating"
	if v.nps {
		bl.Heads[2].Label = "NPS"
		bl.Heads = append(bl.Heads, Head{"9–10", true}, Head{"0–6", true})
	}
	for i, s := range v.r.machine.Model().Stages {
		row := Row{Key: s.Name, Label: s.Label(), Apart: i == v.lost, Cells: []Cell{b.Cell(b.Count(v.stage(i, voiceUsers), "stage."+s.Name, s.Label()+", users ever in it"))}}
		if scored {
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
		if scored && v.nps {
			row.Cells = append(row.Cells,
				b.Cell(b.Rate(v.stage(i, voicePromoter), "promoters."+s.Name, s.Label()+", promoters (9–10)")),
				b.Cell(b.Rate(v.stage(i, voiceDetractor), "detractors."+s.Name, s.Label()+", detractors (0–6)")))
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
	if scored {
		v.trend(b)
	}
	v.reasonBlock(b)
	if v.has&model.Complaint != 0 && v.lost >= 0 {
		v.beforeLoss(b)
	}
}

// opinion is NPS with its interval, or the mean rating.
func (v *voice) opinion(b *Builder, i int, name, label string) (f int, interval string) {
	slot := v.stage(i, voiceValue)
	values := b.Values(slot)
	if !v.nps {
		mean, iv, ok := meanOf(values)
		f = b.Stat(slot, "rating."+name, label+", mean rating", mean, len(values) == 0, "points")
		if !ok {
			return f, ""
		}
		x := b.Fig(f)
		x.Lo, x.Hi, x.Interval, x.Method = iv.Lo, iv.Hi, true, "normal 95 %"
		return f, fmt.Sprintf("%.2f–%.2f", iv.Lo, iv.Hi)
	}
	nps, iv, ok := npsOf(values)
	f = b.Stat(slot, "nps."+name, label+", NPS", nps, len(values) == 0, "points")
	if !ok {
		return f, ""
	}
	x := b.Fig(f)
	x.Lo, x.Hi, x.Interval, x.Method = iv.Lo, iv.Hi, true, "normal 95 %, adjusted (Rocks 2016)"
	return f, fmt.Sprintf("%+.0f to %+.0f", iv.Lo, iv.Hi)
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
	return nps, stat.Interval{Lo: math.Max(-100, 100*(p-q-half)), Hi: math.Min(100, 100*(p-q+half))}, true
}

// meanOf is a mean with its normal interval; ok is false under two values.
func meanOf(values []float64) (mean float64, iv stat.Interval, ok bool) {
	var m stat.Moments
	for _, x := range values {
		m.Add(x)
	}
	mean, _ = m.Mean()
	sd, ok := m.StdDev()
	half := stat.NormalQuantile(0.5+stat.Level/2) * sd / math.Sqrt(float64(max(1, len(values))))
	return mean, stat.Interval{Lo: mean - half, Hi: mean + half}, ok
}

// trend is the mean score of each period, of the users who answered in it.
func (v *voice) trend(b *Builder) {
	c := &Chart{XLabel: v.unit.String(), YLabel: "mean score", Unit: "points", Dates: true}
	line := Series{Name: v.r.Groups[b.group].Label()}
	for k := range v.periods {
		from, to := v.r.Cal.Bounds(v.unit, v.first+model.Period(k))
		label := v.r.Cal.PeriodLabel(v.unit, v.first+model.Period(k))
		values := b.Values(v.period(k))
		if len(values) == 0 {
			continue
		}
		mean, iv, ok := meanOf(values)
		f := b.Stat(v.period(k), "score."+label, "mean score in "+label, mean, false, "points")
		if !ok {
			iv = stat.Interval{Lo: mean, Hi: mean}
		} else {
			x := b.Fig(f)
			x.Lo, x.Hi, x.Interval, x.Method = iv.Lo, iv.Hi, true, "normal 95 %, over users"
		}
		c.X, c.Labels = append(c.X, float64(from)), append(c.Labels, label)
		line.Y, line.Figures = append(line.Y, mean), append(line.Figures, f)
		line.Lo, line.Hi, line.Open = append(line.Lo, iv.Lo), append(line.Hi, iv.Hi), append(line.Open, to-1 > v.r.AsOf)
	}
	if len(c.X) == 0 {
		return
	}
	c.Series = []Series{line}
	b.Block(Block{Kind: ChartBlock, Name: b.Key("trend"), Title: b.label("mean score by " + v.unit.String() + ", each user's answers as one"), Chart: c})
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
