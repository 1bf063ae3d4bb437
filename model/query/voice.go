package query

import (
	"math"
	"slices"

	"dwell/model"
	"dwell/model/measure"
)

// voiceAnalysis is what users say where they are asked or complain: NPS by stage,
// ratings over time, complaints, cancel reasons, contacts before loss (SPEC R1.11).
func voiceAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "voice", Title: "Voice", Help: "what users say: NPS by stage with interval and response rate, ratings by stage and over time, complaints, cancel reasons, contacts before loss; who shares, invites and was brought in by whom", ID: NoID,
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
	voiceRated    // rate: gave a rating there
	voiceRating   // values: the last rating given in the stage
	voiceShared   // rate: did a social act while in the stage
	voiceInvited  // rate: invited somebody while in it
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
	answers *measure.Answers
	score   int     // place of the score column among the plan's columns; −1: none
	rating  int     // of the rating column
	nps     bool    // some feedback event answers on the scale of NPS
	best    float64 // of the ratings' scale; 0: no feedback event is a rating
	scales  bool    // there are several such scales: ratings are shown on that of best
	reason  int
	reasons *model.KeyInfo
	has     model.Role     // of feedback, complaint, cancel, social, invite: those in the data
	inviter int            // place of the inviter column; −1: none
	brought map[string]int // users brought in, by inviter
}

const (
	voiceLoss   = iota // rate: users lost, with a contact in the days before
	voiceOthers        // rate: living users, with a contact in the last so many days
	voiceCancelled
	voiceBrought  // rate: users who name an inviter
	voiceInviters // who is named by others, with how many
	voiceStages
)

func (v *voice) stage(i, what int) int { return voiceStages + i*voiceSlots + what }
func (v *voice) period(i int) int      { return v.stage(v.n, 0) + i }
func (v *voice) rated(i int) int       { return v.period(v.periods) + i } // a period's ratings
func (v *voice) because(i int) int     { return v.rated(v.periods) + i }

// mostReasons is how many cancel reasons are shown.
const mostReasons = 200

func planVoice(r *Run) (*Plan, error) {
	v := &voice{r: r, n: len(r.machine.Model().Stages), lost: r.machine.Lost(), before: model.Day(r.Int("before")), score: -1, rating: -1, reason: -1, inviter: -1}
	for _, role := range []model.Role{model.Feedback, model.Complaint, model.Cancel, model.Social, model.Invite} {
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
	v.answers = r.Schema.Answers()
	if v.has&model.Feedback != 0 {
		if k := v.answers.Score; k != nil {
			v.score, columns = len(columns), append(columns, k.Name)
		}
		if k := v.answers.Rating; k != nil && slices.Contains(columns, k.Name) {
			v.rating = v.score
		} else if k != nil {
			v.rating, columns = len(columns), append(columns, k.Name)
		}
		v.scale()
	}
	if v.reasons = r.Info.Key(c.Reason); c.Reason != "" && v.reasons != nil && v.has&model.Cancel != 0 && !v.reasons.Plain {
		v.reason, columns = len(columns), append(columns, c.Reason)
	}
	if k := r.Info.Key(c.Inviter); c.Inviter != "" && k != nil {
		if v.inviter = slices.Index(columns, c.Inviter); v.inviter < 0 {
			v.inviter, columns = len(columns), append(columns, c.Inviter)
		}
		if v.brought, err = r.broughtIn(k); err != nil {
			return nil, err
		}
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

// scale finds out which scales the feedback events answer on.
func (v *voice) scale() {
	for i := range v.r.Info.Names {
		if v.r.Roles.Name(model.NameID(i))&model.Feedback == 0 {
			continue
		}
		for _, best := range v.answers.Scales(model.NameID(i)) {
			switch {
			case best == measure.NPSBest:
				v.nps = true
			case v.best == 0:
				v.best = best
			case v.best != best:
				v.scales = true
			}
		}
	}
}

// answer is the answer of event i, of a rating on the scale of best; ok is false
// where it is none.
func (v *voice) answer(p *Person, i int) (x float64, nps, ok bool) {
	if v.score < 0 && v.rating < 0 || v.r.Role(p, i)&model.Feedback == 0 {
		return 0, false, false
	}
	text := func(at int, k *model.KeyInfo) string {
		if at < 0 {
			return ""
		}
		return p.TL.Props[at].At(k, i)
	}
	x, best, ok := v.answers.Read(p.TL.Name[i], text(v.score, v.answers.Score), text(v.rating, v.answers.Rating))
	if ok && best != measure.NPSBest && best != v.best {
		x = model.Worst(v.best) + (measure.Place(x, best)+1)/2*(v.best-model.Worst(v.best))
	}
	return x, best == measure.NPSBest, ok
}

func (v *voice) kernel() Kernel {
	r := v.r
	s := v.his.staging()
	was, complained, shared, invited := make([]bool, v.n), make([]bool, v.n), make([]bool, v.n), make([]bool, v.n)
	last, stars := make([]float64, v.n), make([]float64, v.n)
	said, rated := newMeans(v.periods), newMeans(v.periods)
	reasons := map[int]bool{}
	return Visit(func(p *Person, h *Hits) {
		hist := s.To(p.TL, r.AsOf)
		if len(hist.Transitions) == 0 {
			return
		}
		clear(was)
		clear(complained)
		clear(shared)
		clear(invited)
		said.reset()
		rated.reset()
		clear(reasons)
		for i := range last {
			last[i], stars[i] = math.NaN(), math.NaN()
		}
		for _, t := range hist.Transitions {
			was[t.To] = true
		}
		cancelled := false
		for i, d := range p.Days {
			at := hist.On(d)
			role := r.Role(p, i)
			if x, nps, ok := v.answer(p, i); ok {
				k := int(r.Cal.Period(v.unit, d) - v.first)
				if nps {
					last[at] = x
					said.add(k, x)
				} else {
					stars[at] = x
					rated.add(k, x)
				}
			}
			complained[at] = complained[at] || role&model.Complaint != 0
			shared[at] = shared[at] || role&model.Social != 0
			invited[at] = invited[at] || role&model.Invite != 0
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
			h.Rate(v.stage(at, voiceShared), shared[at])
			h.Rate(v.stage(at, voiceInvited), invited[at])
			answered := !math.IsNaN(last[at])
			h.Rate(v.stage(at, voiceAnswered), answered)
			if answered {
				h.Value(v.stage(at, voiceValue), last[at])
				h.Rate(v.stage(at, voicePromoter), last[at] >= 9)
				h.Rate(v.stage(at, voiceDetractor), last[at] <= 6)
			}
			rated := !math.IsNaN(stars[at])
			h.Rate(v.stage(at, voiceRated), rated)
			if rated {
				h.Value(v.stage(at, voiceRating), stars[at])
			}
		}
		said.each(func(k int, mean float64) { h.Value(v.period(k), mean) })
		rated.each(func(k int, mean float64) { h.Value(v.rated(k), mean) })
		if cancelled {
			h.Hit(voiceCancelled, Self)
		}
		if v.inviter >= 0 {
			h.Rate(voiceBrought, inviterOf(p, v.inviter, r.Info.Key(r.Dict.Columns.Inviter)) != "")
			if n := v.brought[p.TL.ID]; n > 0 {
				h.Score(voiceInviters, float64(n))
			}
		}
		for k := range reasons {
			h.Hit(v.because(k), Self)
		}
		v.contacts(p, h, hist.Transitions[len(hist.Transitions)-1].Day, hist.Now())
	})
}

// A means is one user's mean answers by period.
type means struct {
	sums  []float64
	times []int
}

func newMeans(n int) *means { return &means{make([]float64, n), make([]int, n)} }

func (m *means) reset() {
	clear(m.sums)
	clear(m.times)
}

func (m *means) add(k int, x float64) {
	m.sums[k] += x
	m.times[k]++
}

func (m *means) each(f func(k int, mean float64)) {
	for k, n := range m.times {
		if n > 0 {
			f(k, m.sums[k]/float64(n))
		}
	}
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
		"Nor does one mean social or invite. If some do, give them that meaning in the dictionary (dwell dictionary), and name the column of the score, of the cancel reason and of the inviter.",
	}})
	return nil
}
