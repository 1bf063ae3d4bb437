package query

import (
	"fmt"
	"strings"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/measure"
	"dwell/model/stage"
	"dwell/model/stat"
)

// Churn: who will leave within the horizon, said by a model that is trained on
// the data's own past and tested on it before it may say anything. The ladder of
// cut-offs and the mathematics stand in package churn; here are the scans.
//
// One pass over the data fills the training table as of the training cut-off, a
// second collects the forecasts of the test, and the kernel of the answer makes
// the figures: it computes each user's probability afresh at the test's
// cut-off and on the as-of day, so that a figure and its list cannot differ.

// churnFeatures are the measures that a model is trained on unless others are
// named; those that the data cannot feed are left out.
const churnFeatures = "recency_days,tenure_days,active_days,active_days(7),active_days(28),active_days(90),gap_median_days,overdue,beats_active_4,rate_ratio,dwell_days,spell,milestones_135," +
	"sessions(28),distinct(event,90),key_actions,shares(90),invites(90),complaints(90),orders,orders(90),revenue,revenue(90),refunds(90),contract_open"

// churnAnalysis is the question of who will leave.
func churnAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "churn", Title: "Churn", Help: "who will leave: a model trained now, what it is worth, and whom it points at", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "by", Type: Word, Values: []string{"gap", "silence", "stage"}, Default: "gap", Help: "what churn is: gap days of silence are reached within the horizon; no activity at all within it; or the lost stage is entered"},
				{Name: "event", Type: Text, Default: "active", Help: "what counts as activity: " + pickHelp},
				{Name: "gap", Type: Int, Min: 1, Help: "days of silence that are churn, and that keep a user from being scored; the stage model's G if left out"},
				{Name: "horizon", Type: Int, Min: 1, Help: "days in which churn is looked for; the gap if left out, or what the data have room for"},
				{Name: "at", Type: Float, Default: "0.5", Help: "the probability, from 0 to 1, from which a user counts as at risk"},
				{Name: "features", Type: Text, Default: churnFeatures, Help: "the measures that the model may use, parted by commas"},
			})},
		check: func(q Query) error {
			if q.Value("by") == "stage" {
				for _, k := range []string{"gap", "event"} {
					if q.Get(k) != "" {
						return fmt.Errorf("%s= has no say with by=stage, where the stage model's rules decide: leave it out", k)
					}
				}
			}
			var at float64
			if _, err := fmt.Sscan(q.Value("at"), &at); err != nil || at <= 0 || at >= 1 {
				return fmt.Errorf("at=%s: a probability above 0 and below 1 is wanted", q.Value("at"))
			}
			return nil
		},
		plan: planChurn,
	}
}

// The slots of the churn kernel.
const (
	churnTrained   = iota // users trained on (count), and the rate of those who churned
	churnTrainRate        //
	churnTested           // users tested on (count and statistics)
	churnTestRate         //
	churnScored           // users with a probability today
	churnSilent           // users without one, being silent or lost already
	churnSafe             // users without one, who cannot churn within the horizon
	churnAtRisk           //
	churnBand             // ten bands of probability …
	churnBin       = churnBand + churnBins
	churnSlots     = churnBin + churnBins
	churnBins      = churn.Bins
)

// A churnPlan is one churn question, its model trained or the reason why not.
type churnPlan struct {
	r     *Run
	set   churnSetting
	model *churnModel
	at    float64
}

func planChurn(r *Run) (*Plan, error) {
	set, err := r.churnSetting()
	if err != nil {
		return nil, err
	}
	m, err := r.churnModel(set)
	if err != nil {
		return nil, err
	}
	c := &churnPlan{r: r, set: set, model: m}
	if _, err := fmt.Sscan(r.Str("at"), &c.at); err != nil {
		return nil, fmt.Errorf("at=: %w", err)
	}
	return &Plan{
		Columns: set.filter.Columns, Amounts: set.filter.Amounts,
		Slots:   churnSlots,
		Kernel:  func() Kernel { return &churnKernel{c: c, s: set.scorer()} },
		Layout:  c.layout,
		Explain: c.explain,
		Work:    c.work,
	}, nil
}

// A churnSetting is a churn question against one data version, before training.
type churnSetting struct {
	r        *Run
	q        churn.Question
	pick     pick
	cuts     churn.Cuts
	refs     []measure.Ref
	measures *measure.Set
	filter   model.Filter
	staged   bool     // a feature or the definition knows stages
	dropped  []string // features that the data cannot feed
	short    string   // why the horizon is shorter than the gap, or ""
}

// churnSetting fixes everything that must not depend on the outcome.
func (r *Run) churnSetting() (churnSetting, error) {
	s := churnSetting{r: r}
	var err error
	if s.pick, err = r.pick(r.Str("event")); err != nil {
		return s, fmt.Errorf("event=: %w", err)
	}
	s.q = churn.Question{Definition: churn.Definition(r.Str("by")), Gap: r.Int("gap"), Horizon: r.Int("horizon")}
	if e := r.Str("event"); e != "active" {
		s.q.Event = s.pick.label
		if !s.pick.all && s.pick.role == 0 {
			s.q.Event = fmt.Sprintf("the event %q", s.pick.label)
		}
	}
	if s.q.Gap == 0 {
		s.q.Gap = int(r.param("G", 30))
	}
	if s.q.Horizon == 0 {
		s.q.Horizon = s.q.Gap
		// The ladder needs two horizons, and a quarter of the data as history.
		if room := max(1, 3*(int(r.AsOf-r.FirstDay)+1)/8); s.q.Horizon > room {
			s.q.Horizon = room
			s.short = fmt.Sprintf("The horizon is %d days, not the %d of the gap: the data have no room for training and test with more.", room, s.q.Gap)
		}
	}
	if r.AsOf > r.LastDay {
		// Days without data would count as silence.
		return s, fmt.Errorf("the data end on %s, and who has left by %s is not known: ask for churn@%s or an earlier day", r.LastDay, r.AsOf, r.LastDay)
	}
	if s.cuts, err = s.q.Cuts(r.FirstDay, r.AsOf); err != nil {
		return s, err
	}
	if err := s.resolve(r.Str("features")); err != nil {
		return s, fmt.Errorf("features=: %w", err)
	}
	return s, nil
}

// resolve compiles the features. A default one that the data cannot feed is
// left out; one that was asked for by name is an error.
func (s *churnSetting) resolve(list string) error {
	r := s.r
	own := list != churnFeatures
	names := splitColumns(list)
	if s.q.Event != "" && !own && s.pick.role == 0 && !s.pick.all {
		// Another activity event: its own recency is what the silence is made of.
		e := fmt.Sprintf("%q", r.Info.Names[s.pick.name].Name)
		names = append(names, "days_since("+e+")", "count("+e+",28)", "count("+e+",90)")
	} else if s.q.Event != "" && !own && s.pick.role != 0 {
		e := s.pick.role.String()
		names = append(names, "days_since("+e+")", "count("+e+",28)", "count("+e+",90)")
	}
	seen := map[string]bool{}
	for _, name := range names {
		ref, err := r.columnRef(name)
		if err == nil && seen[ref.String()] {
			continue
		}
		if err == nil {
			seen[ref.String()] = true
			err = s.usable(ref)
		}
		switch {
		case err == nil:
			s.refs = append(s.refs, ref)
		case own:
			return err
		default:
			s.dropped = append(s.dropped, name)
		}
	}
	if len(s.refs) == 0 {
		return fmt.Errorf("no measure is left that these data can feed")
	}
	var err error
	if s.measures, err = measure.Compile(s.refs, r.Schema); err != nil {
		return err
	}
	s.staged = s.q.Definition == churn.ByStage
	for i := range s.refs {
		s.staged = s.staged || s.measures.Family(i).Stage
	}
	s.filter = s.measures.Filter()
	if s.staged {
		s.filter = r.Machine().Widen(s.filter)
		if _, err := r.Staging(s.filter); err != nil {
			return err
		}
	}
	_, err = s.measures.NewCursorFor(s.filter)
	return err
}

// usable says why a measure cannot be a feature.
func (s *churnSetting) usable(ref measure.Ref) error {
	set, err := measure.Compile([]measure.Ref{ref}, s.r.Schema)
	if err != nil {
		return err
	}
	switch f := set.Family(0); {
	case f.Type == measure.Text || f.Type == measure.Day:
		return fmt.Errorf("%s is a %s, and a feature must be a number or a yes or no", ref, f.Type)
	default:
		if why := s.r.Schema.Unavailable(f); why != "" {
			return fmt.Errorf("%s: %s", ref, why)
		}
	}
	return nil
}

// A scorer computes one user's labels, features and probabilities. It belongs
// to one goroutine.
type scorer struct {
	s      *churnSetting
	cur    *measure.Cursor
	stages *Staging       // nil: nothing knows stages
	hist   *stage.History // of the person, to the as-of day
	active []model.Day
	values []float64
	known  []bool
}

func (s *churnSetting) scorer() *scorer {
	cur, err := s.measures.NewCursorFor(s.filter)
	if err != nil {
		panic(err) // resolve has made one
	}
	k := &scorer{s: s, cur: cur, values: make([]float64, len(s.refs)), known: make([]bool, len(s.refs))}
	if s.staged {
		if k.stages, err = s.r.Staging(s.filter); err != nil {
			panic(err) // resolve has made one
		}
	}
	return k
}

// take turns to a person.
func (k *scorer) take(p *Person) {
	k.active = k.active[:0]
	for i, d := range p.Days {
		if n := len(k.active); (n == 0 || k.active[n-1] != d) && k.s.pick.match(p.TL, i) {
			k.active = append(k.active, d)
		}
	}
	k.cur.Reset(p.TL)
	if k.stages != nil {
		k.hist = k.stages.To(p.TL, k.s.cuts.Score)
	}
}

// label judges the person at a cut-off.
func (k *scorer) label(cut model.Day) (st churn.Standing, churned bool) {
	if k.s.q.Definition != churn.ByStage {
		return k.s.q.Label(k.active, cut)
	}
	switch k.hist.On(cut) {
	case stage.NoStage:
		return churn.Unseen, false
	case k.hist.Lost:
		return churn.Silent, false
	}
	for _, t := range k.hist.Transitions {
		if t.Day > cut && t.Day <= cut+model.Day(k.s.q.Horizon) && int(t.To) == k.hist.Lost {
			return churn.AtStake, true
		}
	}
	return churn.AtStake, false
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

// A churnKernel hits the slots of one split's persons.
type churnKernel struct {
	c *churnPlan
	s *scorer
}

// Visit looks at the person at each step of the ladder.
func (k *churnKernel) Visit(p *Person, h *Hits) {
	m, s, cuts := k.c.model, k.s, k.c.set.cuts
	s.take(p)
	if st, churned := s.label(cuts.Train); st == churn.AtStake {
		h.Hit(churnTrained, Self)
		h.Rate(churnTrainRate, churned)
	}
	if st, churned := s.label(cuts.Test); st == churn.AtStake {
		h.Hit(churnTested, Self)
		h.Rate(churnTestRate, churned)
		if m.usable() {
			s.features(cuts.Test)
			h.Rate(churnBin+binOf(m.Fitted.Predict(s.values, s.known)), churned)
		}
	}
	switch st, _ := s.label(cuts.Score); {
	case st == churn.Silent || st == churn.Unseen: // of these some were never active
		h.Hit(churnSilent, Self)
	case st == churn.Safe:
		h.Hit(churnSafe, Self)
	case m.usable():
		s.features(cuts.Score)
		prob := m.Fitted.Predict(s.values, s.known)
		h.Score(churnScored, prob)
		h.Score(churnBand+binOf(prob), prob)
		if prob >= k.c.at {
			h.Score(churnAtRisk, prob)
		}
	}
}

// binOf is the tenth in which a probability lies.
func binOf(p float64) int { return min(max(int(p*churnBins), 0), churnBins-1) }

// forecasts are what the test's users were given and what became of them.
type forecasts struct{ model, recency []stat.Forecast }

// binLabel names a tenth: "20–30%".
func binLabel(i int) string { return fmt.Sprintf("%d–%d%%", 100*i/churnBins, 100*(i+1)/churnBins) }

// churnName is a feature as a person reads it.
func churnName(name string) string { return strings.ReplaceAll(name, "_", " ") }
