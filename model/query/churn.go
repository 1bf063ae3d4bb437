package query

import (
	"fmt"
	"strings"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/stat"
)

// Churn: who will leave within the horizon, said by a model that is trained on
// the data's own past and tested on it before it may say anything. The ladder of
// cut-offs and the mathematics stand in package churn; here are the scans.
//
// Each pass over the data fills the table of one cut-off: the oldest trains the
// first step of the back-test, and every later one tests the model before it and
// trains the next. The kernel of the answer makes the figures: it computes each user's probability afresh at the test's
// cut-off and on the as-of day, so that a figure and its list cannot differ.

// churnAnalysis is the question of who will leave.
func churnAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "churn", Title: "Churn", Help: "who will leave, or reach a goal: a model trained now, what it is worth, and whom it points at", ID: NoID,
			Keys: keys(churnKeys())},
		check: checkChurn,
		plan:  planChurn,
	}
}

// churnKeys say what is foretold and by what; every question about scores has
// them.
func churnKeys() []KeySpec {
	return []KeySpec{
		{Name: "by", Type: Word, Values: []string{"gap", "silence", "stage", "contract"}, Default: "gap", Help: "what churn is: gap days of silence are reached within the horizon; no activity at all within it; the lost stage is entered; or the contract ends (paid_until or period of the dictionary, or an event that cancels)"},
		{Name: "event", Type: Text, Default: "active", Help: "what counts as activity: " + pickHelp},
		{Name: "goal", Type: Text, Help: "foretell that this is done within the horizon, instead of churn: " + pickHelp},
		{Name: "who", Type: Word, Values: []string{"leads", "active", "silent", "all"}, Default: "leads", Help: "of goal=, who is scored: active users who never reached it; all active users; users silent for gap days; everybody"},
		{Name: "gap", Type: Int, Min: 1, Help: "days of silence that are churn, and that keep a user from being scored; the stage model's G if left out"},
		{Name: "horizon", Type: Int, Min: 1, Help: "days in which churn is looked for; the gap if left out, or what the data have room for"},
		{Name: "model", Type: Word, Values: []string{"logistic", "boosting", "hazard"}, Default: "logistic", Help: "a regularised logistic regression; gradient-boosted trees; or the hazard of each user's own rhythm"},
		{Name: "seed", Type: Int, Min: 1, Default: "1", Help: "of what training draws by chance"},
		{Name: "folds", Type: Int, Min: 1, Default: "4", Help: "how many cut-offs the back-test has, one horizon apart, as far as the data go back"},
		{Name: "at", Type: Float, Default: "0.5", Help: "the probability, from 0 to 1, from which a user counts as at risk"},
		{Name: "features", Type: Text, Default: churnFeatures, Help: "the measures and properties that the model may use, parted by commas"},
		{Name: "monotone", Type: Text, Help: "of model=boosting, measures that may only raise or only lower the probability: recency_days:up,orders:down"},
		{Name: "saved", Type: Text, Shelf: model.KindChurn, Help: "score by the saved model of this name, and test it, instead of training one"},
		{Name: "where", Type: RuleType, Help: "train on, test and score only users who meet the rule on the day of each cut-off"},
		{Name: "segment", Type: Text, Shelf: model.KindSegment, Help: "only users of the saved segment, on the day of each cut-off"},
	}
}

func checkChurn(q Query) error {
	if q.Get("saved") != "" {
		for _, k := range []string{"by", "event", "goal", "who", "gap", "horizon", "model", "seed", "features", "monotone", "where", "segment"} {
			if q.Get(k) != "" {
				return fmt.Errorf("%s= has no say with saved=, whose model says what is foretold: leave it out", k)
			}
		}
	}
	switch {
	case len(q.All("where")) > 1 || len(q.All("segment")) > 1:
		return fmt.Errorf("a model is trained on one set of users: give where= and segment= once, and ask of each set by itself")
	case q.Get("monotone") != "" && q.Value("model") != "boosting":
		return fmt.Errorf("monotone= is about boosted trees: ask with model=boosting")
	case q.Get("goal") == "" && q.Get("who") != "":
		return fmt.Errorf("who= says whose goal is foretold: name the goal with goal=")
	case q.Get("goal") != "" && q.Get("by") != "":
		return fmt.Errorf("by= says what churn is, and goal= asks for something else: leave one out")
	}
	if q.Value("by") == "contract" {
		for _, k := range []string{"gap", "event"} {
			if q.Get(k) != "" {
				return fmt.Errorf("%s= has no say with by=contract, where contracts decide: leave it out", k)
			}
		}
	}
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
	churnWarned           // tested users who would have been at risk, and those of them who churned
	churnLead             // days from the warning to the churn, of those
	churnBand             // ten bands of probability …
	churnBin       = churnBand + churnBins
	churnFold      = churnBin + churnBins // tested users of each step of the back-test
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
	c, err := r.churnPlan()
	if err != nil {
		return nil, err
	}
	return &Plan{
		Columns: c.set.filter.Columns, Amounts: c.set.filter.Amounts, Values: true,
		Slots:   churnFold + len(c.set.folds),
		Kernel:  func() Kernel { return &churnKernel{c: c, s: c.set.scorer()} },
		Layout:  c.layout,
		Explain: c.explain,
		Work:    c.work,
	}, nil
}

// churnPlan reads the question and trains its model, or finds it trained.
func (r *Run) churnPlan() (*churnPlan, error) {
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
	return c, nil
}

// A churnKernel hits the slots of one split's persons.
type churnKernel struct {
	c *churnPlan
	s *scorer
}

// Visit looks at the person at each step of the ladder, days going forward.
func (k *churnKernel) Visit(p *Person, h *Hits) {
	m, s, cuts := k.c.model, k.s, k.c.set.cuts
	s.take(p)
	h.In(1)
	for i, f := range k.c.set.folds {
		if st, _ := s.label(f.Test); st == churn.AtStake {
			h.Hit(churnFold+i, Self)
		}
	}
	if st, churned := s.label(cuts.Train); st == churn.AtStake {
		h.Hit(churnTrained, Self)
		h.Rate(churnTrainRate, churned)
	}
	if st, day, churned := s.due(cuts.Test); st == churn.AtStake {
		h.Hit(churnTested, Self)
		h.Rate(churnTestRate, churned)
		if m.usable() {
			s.features(cuts.Test)
			prob := s.predict(&m.Fitted)
			h.Rate(churnBin+binOf(prob), churned)
			if prob >= k.c.at {
				h.Rate(churnWarned, churned)
				if churned {
					h.Value(churnLead, float64(day-cuts.Test))
				}
			}
		}
	}
	switch st, _ := s.label(cuts.Score); {
	case st == churn.Outside:
	case st == churn.Silent || st == churn.Unseen: // of these some were never active
		h.Hit(churnSilent, Self)
	case st == churn.Safe || st == churn.Apart:
		h.Hit(churnSafe, Self)
	case m.usable():
		s.features(cuts.Score)
		prob := s.predict(&m.Fitted)
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
type forecasts struct{ model, recency, rule []stat.Forecast }

// binLabel names a tenth: "20–30%".
func binLabel(i int) string { return fmt.Sprintf("%d–%d%%", 100*i/churnBins, 100*(i+1)/churnBins) }

// churnName is a feature as a person reads it.
func churnName(name string) string { return strings.ReplaceAll(name, "_", " ") }
