package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/measure"
	"dwell/model/stage"
)

// targetsAnalysis says whom to act on: scores weighed by what the users are
// worth.
func targetsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "targets", Title: "Whom to act on", Help: "users by expected loss = probability × expected value: the list, tiers with what the playbook suggests, how many to contact, the grid of value and risk, ready lists", ID: NoID,
			Keys: keys(churnKeys(), []KeySpec{
				{Name: "stage", Type: Text, Help: "only users who are in this stage on the as-of day"},
				{Name: "worth", Type: Word, Values: []string{"auto", "expected", "trailing", "to-date"}, Default: "auto", Help: "what is at stake with a user: what a repeat-buying model expects of the next year; what the last 365 days brought; all that was ever brought; auto: the first of them that the data allow"},
				{Name: "contact", Type: Int, Min: 1, Help: "how many users to contact, those with the highest expected loss first; a tenth of the scored if left out"},
				{Name: "success", Type: Float, Default: "0.1", Help: "the share of contacted leavers whom a contact keeps: an assumption, which only a test with a control group can settle"},
				{Name: "currency", Type: Text, Help: "of data in several currencies, the one in which users are worth something; amounts of different currencies are never added up"},
				{Name: "cost", Type: Float, Default: "0", Help: "what one contact costs, in the data's currency"},
			})},
		check: checkTargets,
		plan:  planTargets,
	}
}

func checkTargets(q Query) error {
	if v, err := strconv.ParseFloat(q.Value("success"), 64); err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("success=%s: a share from 0 to 1 is wanted", q.Value("success"))
	}
	if v, err := strconv.ParseFloat(q.Value("cost"), 64); err != nil || !(v >= 0 && v < math.MaxFloat64) {
		return fmt.Errorf("cost=%s: an amount of 0 or more is wanted", q.Value("cost"))
	}
	return checkChurn(q)
}

// The slots of the targets' kernel.
const (
	targetScored   = iota
	targetLikely   // probability from at=
	targetTop      // the tenth with the highest probability
	targetWorth    // the tenth with the highest expected loss
	targetLow      // the tenth with the lowest probability
	targetSeasonal // probability from at=, but silent in this time of year before
	targetContact  // the first contact= users
	targetTested   // as many at the test's cut-off, and those of them whose outcome was yes
	targetRest     // the others there
	targetGrid     // thirds of value × thirds of probability, low to high
	targetTiers    = targetGrid + 9
)

// A targetsPlan is one list of users to act on. Thirds, tenths and the number to
// contact are cut before the figures are made, by a pass of its own: a cut depends
// on all users.
type targetsPlan struct {
	*churnPlan
	stage    int // −1: all
	worth    targetWorthOf
	valued   bool   // the data have amounts
	coin     string // the currency they are weighed in, of several
	unvalued string // why they have none that add up, a sentence
	playbook *churn.Playbook
	why      string // there is no playbook
	unused   string // what it says of stages that the model has not
	cuts     targetCuts
	reach    *Reach
	wanted   int // contact=, 0: a tenth
}

// A targetWorthOf says what a user is worth: by a measure, or by a repeat-buying
// model as of the as-of day, and as of the test's.
type targetWorthOf struct {
	at          int // the measure, −1: none
	words       string
	note        string // how it was made, "" of a measure
	now, before *expectedWorth
}

// worthOf is a person's value on a cut-off, 0 where there is none.
func (t *targetsPlan) worthOf(k *scorer, id string, cut model.Day) float64 {
	w := &t.worth
	if w.now != nil {
		e := w.now
		if cut != t.set.cuts.Score {
			e = w.before
		}
		v, _ := e.of(id)
		return v
	}
	if w.at >= 0 && k.known[w.at] {
		return math.Max(k.values[w.at], 0)
	}
	return 0
}

func planTargets(r *Run) (*Plan, error) {
	c, err := r.churnPlan()
	if err != nil {
		return nil, err
	}
	t, err := r.targetsPlan(c)
	if err != nil {
		return nil, err
	}
	return &Plan{
		Columns: c.set.filter.Columns, Amounts: c.set.filter.Amounts,
		Slots: targetTiers + t.tiers()*t.perTier(),
		Kernel: func() Kernel {
			k := c.set.scorer()
			return Visit(func(p *Person, h *Hits) { t.visit(k, p, h) })
		},
		List:    r.coinList,
		Layout:  t.layout,
		Explain: t.explain,
	}, nil
}

// targetsPlan reads the question, and cuts where the model is usable.
func (r *Run) targetsPlan(c *churnPlan) (*targetsPlan, error) {
	t := &targetsPlan{churnPlan: c, stage: -1, wanted: r.Int("contact")}
	var err error
	if t.worth, err = t.weigh(r.Str("worth")); err != nil {
		return nil, err
	}
	t.valued = t.worth.words != ""
	p, err := r.eng.Playbook()
	if err != nil {
		return nil, err
	}
	t.playbook, t.why = p.Playbook, p.Broken
	if p.Version > 0 && p.Playbook != nil {
		t.unused = unusedStages(p.Playbook, r.machine.Model().Name, r.Schema.Stages)
	}
	if s := r.Str("stage"); s != "" {
		if t.stage = slices.Index(r.Schema.Stages, s); t.stage < 0 {
			return nil, fmt.Errorf("stage=: there is no stage %q%s", s, didYouMean(s, r.Schema.Stages))
		}
	}
	if !c.set.staged && c.model.usable() { // suggestions go by stage
		c.set.staged = true
		c.set.filter = r.Machine().Widen(c.set.filter)
		if _, err := r.Staging(c.set.filter); err != nil {
			return nil, err
		}
	}
	if c.model.usable() {
		if err := t.cut(r); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// trailing is how many days back a user's value is taken from.
const trailing = 365

// weigh chooses what users are worth.
func (t *targetsPlan) weigh(how string) (targetWorthOf, error) {
	r := t.r
	w := targetWorthOf{at: -1}
	buys, err := r.buying() // it judges currency=
	if err != nil {
		return w, err
	}
	t.coin = buys.code
	if t.unvalued = buys.why; !buys.money {
		if how != "auto" {
			return w, fmt.Errorf("worth=%s: there is no value to go by: %s", how, buys.why)
		}
		return w, nil
	}
	if how == "to-date" {
		if buys.coin >= 0 {
			w.words = "value to date in " + buys.code
			return w, t.spent(&w, buys, 0)
		}
		w.words = "value to date"
		return w, t.measured(&w, "revenue")
	}
	if how != "trailing" && t.model.usable() {
		e, why, err := t.expected()
		switch {
		case err != nil:
			return w, err
		case why == "":
			return e, nil
		case how == "expected":
			return w, fmt.Errorf("worth=expected: %s", why)
		}
	}
	w.words = fmt.Sprintf("value of the last %d days", trailing)
	if buys.coin >= 0 {
		w.words += " in " + buys.code
		return w, t.spent(&w, buys, trailing)
	}
	return w, t.measured(&w, fmt.Sprintf("revenue(%d)", trailing))
}

// measured makes a measure of what a user is worth.
func (t *targetsPlan) measured(w *targetWorthOf, name string) error {
	s, r := &t.set, t.r
	ref, err := r.columnRef(name)
	if err != nil {
		return err
	}
	if w.at = s.place(ref); w.at >= 0 {
		return nil
	}
	s.refs = append(s.refs, ref)
	w.at = len(s.refs) - 1
	if s.measures, err = measure.Compile(s.refs, r.Schema); err != nil {
		return err
	}
	f := s.measures.Widen(model.Filter{Columns: s.filter.Columns, Amounts: s.filter.Amounts})
	s.filter.Columns, s.filter.Amounts = f.Columns, f.Amounts
	return nil
}

// spent is what each user brought in the currency chosen of several, in the last
// days (0: ever) before the as-of day and before the test's: no measure knows
// currencies and refunds at once.
func (t *targetsPlan) spent(w *targetWorthOf, b *buying, days int) error {
	pop, err := t.r.Population()
	if err != nil {
		return err
	}
	cuts := [2]model.Day{t.set.cuts.Score, t.set.cuts.Test}
	w.now, w.before = &expectedWorth{unit: b.unit, pop: pop, v: make([]float64, pop.Len())}, &expectedWorth{unit: b.unit, pop: pop, v: make([]float64, pop.Len())}
	return Scan(t.r, b.needs(), b.reader, func(k *buyer, p *Person) error {
		row := pop.Row(p.TL.ID)
		if row < 0 {
			return nil
		}
		for i, e := range []*expectedWorth{w.now, w.before} {
			var sum model.Sum
			for _, d := range k.read(p, cuts[i]) {
				if days == 0 || d.day > cuts[i]-model.Day(days) {
					sum.Merge(d.spent)
				}
			}
			e.v[row] = math.Max(0, sum.Float()) // each row is one person's: no two write it
		}
		return nil
	}, func(*buyer) error { return nil })
}

// expected is what a repeat-buying model says of the next year, as of both days;
// why is the sentence of why it says nothing.
func (t *targetsPlan) expected() (w targetWorthOf, why string, err error) {
	r := t.r
	if w.now, err = r.expectedValues(trailing); err != nil || w.now.why != "" {
		if err == nil {
			why = w.now.why
		}
		return w, why, err
	}
	q := r.Q
	q.AsOf = t.set.cuts.Test
	coin, err := r.coin() // what is weighed today, whatever most amounts were in then
	if err != nil {
		return w, "", err
	}
	if coin != "" {
		q = q.With("currency", coin)
	}
	past, err := r.eng.newRun(r.Ctx, r.st, q, r.progress)
	if err != nil {
		return w, "", err
	}
	if w.before, err = past.expectedValues(trailing); err != nil {
		return w, "", err
	}
	w.at, w.words, w.note = -1, "value expected in a year", w.now.note
	if coin != "" {
		w.words += " in " + coin
	}
	return w, w.before.why, nil
}

// A scoredUser is one person on a cut-off.
type scoredUser struct {
	prob, value float64
	loss        float64 // what the lists are ordered by: probability × value, or the probability
	stage       int     // stage.NoStage: none
	lately      int     // days since the last activity
	seasonal    bool
}

// score looks at a person on a cut-off; ok is false for who is not scored.
func (t *targetsPlan) score(k *scorer, id string, cut model.Day) (u scoredUser, ok bool) {
	if st, _ := k.label(cut); st != churn.AtStake {
		return u, false
	}
	u.stage = stage.NoStage
	if k.hist != nil {
		u.stage = k.hist.On(cut)
	}
	if t.stage >= 0 && u.stage != t.stage {
		return u, false
	}
	k.features(cut)
	u.prob, u.value = k.predict(&t.model.Fitted), t.worthOf(k, id, cut)
	if u.loss = u.prob * u.value; !t.valued {
		u.loss = u.prob
	}
	u.lately, u.seasonal = k.lately(cut), t.set.q.Definition != churn.ByGoal && k.seasonal(cut)
	return u, true
}

// third is 0, 1 or 2: values equal to an edge stand below it.
func third(x float64, edges [2]float64) int {
	switch {
	case x <= edges[0]:
		return 0
	case x <= edges[1]:
		return 1
	}
	return 2
}

func (t *targetsPlan) visit(k *scorer, p *Person, h *Hits) {
	h.In(1)
	k.take(p)
	if !t.model.usable() {
		return
	}
	id, cuts := p.TL.ID, &t.cuts
	if st, yes := k.label(t.set.cuts.Test); st == churn.AtStake {
		if u, ok := t.score(k, id, t.set.cuts.Test); ok && !u.seasonal {
			if cuts.tested.has(u.loss, id) {
				h.Rate(targetTested, yes)
			} else {
				h.Rate(targetRest, yes)
			}
		}
	}
	u, ok := t.score(k, id, t.set.cuts.Score)
	if !ok {
		return
	}
	// The list is ordered by what is at stake; without amounts, by probability.
	first, second := u.loss, u.prob
	if !t.valued {
		second = u.value
	}
	var tier *churn.Tier
	if !u.seasonal && t.tiers() > 0 {
		tier = t.playbook.Tier(churn.Standpoint{Probability: u.prob, Risk: third(u.prob, cuts.risk), Value: third(u.value, cuts.value), Lately: u.lately})
	}
	hit := func(slot int, in bool) {
		if in {
			h.ScoreBeside(slot, first, second)
			h.More(slot, func() *UserMore { return t.more(k, &u, tier) })
		}
	}
	hit(targetScored, true)
	if u.seasonal { // their silence is of the time of year
		hit(targetSeasonal, true)
		return
	}
	hit(targetLikely, u.prob >= t.at)
	hit(targetTop, u.prob >= cuts.top)
	hit(targetWorth, u.loss >= cuts.worth && t.valued)
	hit(targetLow, u.prob <= cuts.low)
	hit(targetContact, cuts.contact.has(u.loss, id))
	hit(targetGrid+3*third(u.value, cuts.value)+third(u.prob, cuts.risk), t.valued)
	if tier != nil {
		at := t.tierSlot(tier.Name, -1)
		hit(at, true)
		hit(at+2+u.stage, true)
	}
}

// Of each tier there is a slot for all, one for users without a stage, and one a
// stage.
func (t *targetsPlan) perTier() int { return 2 + len(t.r.Schema.Stages) }

func (t *targetsPlan) tiers() int {
	if t.playbook == nil || t.set.q.Definition == churn.ByGoal {
		return 0 // tiers are about leaving
	}
	return len(t.playbook.Names())
}

// tierSlot is the slot of all of a tier, or of its users in a stage.
func (t *targetsPlan) tierSlot(name string, in int) int {
	at := targetTiers + t.perTier()*slices.Index(t.playbook.Names(), name)
	if in >= 0 {
		at += 2 + in
	}
	return at
}

// more is what the list says of a user: what is at stake, the tier with its
// suggestion, and the strongest signals that raise the probability.
func (t *targetsPlan) more(k *scorer, u *scoredUser, tier *churn.Tier) *UserMore {
	out := &UserMore{Value: u.value}
	if tier != nil {
		name := ""
		if u.stage != stage.NoStage {
			name = t.r.Schema.Stages[u.stage]
		}
		out.Tier, out.Suggest = tier.Name, t.playbook.Suggest(tier, name)
	}
	x, known := k.inputs(&t.model.Fitted)
	for _, why := range t.model.Fitted.Reasons(x, known) {
		if why.LogOdds > 0 && len(out.Why) < namedSignals {
			out.Why = append(out.Why, signalOf(&why))
		}
	}
	return out
}

// namedSignals is how many signals a line of a list names.
const namedSignals = 3
