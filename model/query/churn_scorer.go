package query

import (
	"math"
	"slices"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/measure"
	"dwell/model/stage"
)

// A scorer computes one user's labels, features and probabilities. It belongs
// to one goroutine.
type scorer struct {
	s      *churnSetting
	cur    *measure.Cursor
	who    *judge // who is asked about; nil: everybody
	tl     *model.Timeline
	stages *Staging       // nil: nothing knows stages
	hist   *stage.History // of the person, to the as-of day
	whole  Person         // of churn.ByContract: the person
	terms  []spell        // its contracts, with what the as-of day knows of them
	paid   []spell        // the same with what a cut-off knows
	active []model.Day
	goals  []model.Day
	values []float64 // of every measure of the setting
	known  []bool

	m  *churn.Model // of at
	at []int        // where the model's columns stand among the setting's measures
	x  []float64
	k  []bool
}

func (s *churnSetting) scorer() *scorer {
	cur, err := s.measures.NewCursorFor(s.filter)
	if err != nil {
		panic(err) // compile has made one
	}
	k := &scorer{s: s, cur: cur, values: make([]float64, len(s.refs)), known: make([]bool, len(s.refs))}
	if s.who != nil {
		if k.who, err = s.who.judge(s.whose, s.needs()); err != nil {
			panic(err) // compile has made one
		}
	}
	if s.staged {
		if k.stages, err = s.r.Staging(s.filter); err != nil {
			panic(err) // compile has made one
		}
	}
	return k
}

// take turns to a person.
func (k *scorer) take(p *Person) {
	k.active, k.goals = k.active[:0], k.goals[:0]
	byGoal := k.s.q.Definition == churn.ByGoal
	for i, d := range p.Days {
		if n := len(k.active); (n == 0 || k.active[n-1] != d) && k.s.pick.match(p.TL, i) {
			k.active = append(k.active, d)
		}
		if n := len(k.goals); byGoal && (n == 0 || k.goals[n-1] != d) && k.s.goal.match(p.TL, i) {
			k.goals = append(k.goals, d)
		}
	}
	k.tl = p.TL
	if d := k.s.terms; d != nil {
		k.whole, k.terms = *p, (&lifeReader{def: d}).contractSpells(k.terms[:0], p)
	}
	if k.who != nil {
		k.who.fresh = true
	}
	if p.judge != nil {
		p.judge.asked = true // by a judge of our own, on each cut-off
	}
	k.cur.Reset(p.TL)
	if k.stages != nil {
		k.hist = k.stages.To(p.TL, k.s.cuts.Score)
	}
}

// label judges the person at a cut-off.
func (k *scorer) label(cut model.Day) (st churn.Standing, yes bool) {
	st, _, yes = k.due(cut)
	return st, yes
}

// due is label with the day of the outcome where it is yes.
func (k *scorer) due(cut model.Day) (st churn.Standing, day model.Day, yes bool) {
	if st, day, yes = k.fate(cut); st != churn.Unseen && k.who != nil && k.who.at(k.tl, cut) == 0 {
		return churn.Outside, 0, false
	}
	return st, day, yes
}

// fate is due whoever is asked about.
func (k *scorer) fate(cut model.Day) (st churn.Standing, day model.Day, yes bool) {
	switch k.s.q.Definition {
	case churn.ByStage:
	case churn.ByContract:
		return k.term(cut)
	case churn.ByGoal:
		return k.s.q.Goals(k.active, k.goals, cut)
	default:
		return k.s.q.Due(k.active, cut)
	}
	switch k.hist.On(cut) {
	case stage.NoStage:
		return churn.Unseen, 0, false
	case k.hist.Lost:
		return churn.Silent, 0, false
	}
	for _, t := range k.hist.Transitions {
		if t.Day > cut && t.Day <= cut+model.Day(k.s.q.Horizon) && int(t.To) == k.hist.Lost {
			return churn.AtStake, t.Day, true
		}
	}
	return churn.AtStake, 0, false
}

// term judges the person's contracts at a cut-off. Who has paid for every day of
// the horizon, as far as the cut-off knows, cannot churn within it and is Safe.
func (k *scorer) term(cut model.Day) (st churn.Standing, day model.Day, yes bool) {
	for _, s := range k.terms {
		switch {
		case s.start > cut:
			return st, 0, false
		case s.died && s.end <= cut:
			st = churn.Silent
		case k.paidBeyond(cut):
			return churn.Safe, 0, false
		case s.died && s.end <= cut+model.Day(k.s.q.Horizon):
			return churn.AtStake, s.end, true
		default:
			return churn.AtStake, 0, false
		}
	}
	return st, 0, false
}

// paidBeyond says whether what is paid, as the day of the cut-off knows it, ends
// after the horizon. A contract that only a cancellation ends is never paid.
func (k *scorer) paidBeyond(cut model.Day) bool {
	if k.s.terms.paid < 0 {
		return false
	}
	known := k.whole
	n, _ := slices.BinarySearch(known.Days, cut+1)
	known.Days = known.Days[:n]
	k.paid = (&lifeReader{def: k.s.terms}).contractSpells(k.paid[:0], &known)
	return len(k.paid) > 0 && k.paid[len(k.paid)-1].last > cut+model.Day(k.s.q.Horizon)
}

// features fills values and known as of a day. Days must not go back between
// two calls of take.
func (k *scorer) features(day model.Day) {
	var st measure.State
	if k.stages != nil {
		st = k.s.r.Machine().StateOn(k.hist, day)
	}
	k.cur.At(day, st)
	for i := range k.values {
		k.values[i], k.known[i] = k.cur.Value(i)
	}
}

// inputs are values and known in the order of a model's columns.
func (k *scorer) inputs(m *churn.Model) ([]float64, []bool) {
	if k.m != m {
		k.m, k.at = m, k.at[:0]
		for _, name := range m.Columns {
			k.at = append(k.at, slices.IndexFunc(k.s.refs, func(ref measure.Ref) bool { return columnName(ref) == name }))
		}
		k.x, k.k = make([]float64, len(k.at)), make([]bool, len(k.at))
	}
	for i, at := range k.at {
		if at < 0 { // a saved model's measure that these data do not have
			k.x[i], k.k[i] = 0, false
			continue
		}
		k.x[i], k.k[i] = k.values[at], k.known[at]
	}
	return k.x, k.k
}

// predict is a model's probability for the person on the day of features.
func (k *scorer) predict(m *churn.Model) float64 { return m.Predict(k.inputs(m)) }

// lately is the days since the person's last activity, on a cut-off.
func (k *scorer) lately(cut model.Day) int {
	if next, _ := slices.BinarySearch(k.active, cut+1); next > 0 {
		return int(cut - k.active[next-1])
	}
	return math.MaxInt32
}

// year is how far back a season lies, in days.
const year = 365

// A season is a time of coming: so many active days within so many days of the
// silence, with no gap among them of a third of its length.
const (
	seasonDays   = 5
	seasonWithin = 120
)

// seasonal says whether the person has been silent for so long as to be gone at
// the same time of an earlier year, between two seasons of coming: the days that
// the horizon covers, a year or more before, lie mostly in a silence of Gap days,
// with five active days in the 120 days before it and after it each, and is three
// times as long as any gap among those. Who comes rarely anyhow has no season. The data
// must reach Gap days further back than that, or everybody's first absence would
// look like one.
func (k *scorer) seasonal(cut model.Day) bool {
	gap, horizon := model.Day(k.s.q.Gap), model.Day(k.s.q.Horizon)
	known, _ := slices.BinarySearch(k.active, cut+1)
	for i := seasonDays; i+seasonDays <= known; i++ {
		from, to := k.active[i-1], k.active[i]
		if to-from < gap || from-k.active[i-seasonDays] > seasonWithin || k.active[i+seasonDays-1]-to > seasonWithin {
			continue
		}
		usual := model.Day(0)
		for j := i - seasonDays + 1; j < i+seasonDays; j++ {
			if j != i {
				usual = max(usual, k.active[j]-k.active[j-1])
			}
		}
		if to-from < 3*usual {
			continue
		}
		for back := model.Day(year); cut-back >= k.s.r.FirstDay+gap; back += year {
			begin, end := max(from, cut-back), min(to, cut-back+horizon)
			if 2*(end-begin) >= horizon {
				return true
			}
		}
	}
	return false
}
