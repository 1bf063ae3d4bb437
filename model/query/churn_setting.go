package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/measure"
)

// churnFeatures are the measures that a model is trained on unless others are
// named; those that the data cannot feed are left out. Properties with a few
// values join them (churnProperties).
const churnFeatures = "recency_days,tenure_days,active_days,active_days(7),active_days(28),active_days(90),gap_median_days,overdue,beats_active_4,rate_ratio,dwell_days,spell,milestones_135," +
	"sessions(28),distinct(event,90),key_actions,shares(90),invites(90),complaints(90),orders,orders(90),revenue,revenue(90),refunds(90),contract_open"

// A churnSetting is a churn question against one data version, before training:
// everything that must not depend on the outcome.
type churnSetting struct {
	r        *Run
	q        churn.Question
	kind     churn.Kind
	seed     uint64
	pick     pick // activity
	goal     pick // of churn.ByGoal
	cuts     churn.Cuts
	folds    []churn.Cuts  // the back-test's steps, the oldest first; the last is cuts
	refs     []measure.Ref // the features, then what else is looked at
	features int           // how many of refs are features
	ratio    int           // place of the 30 % rule's measure in refs, −1 if the data cannot feed it
	recency  int           // of the silence itself
	worth    int           // of the value to date
	measures *measure.Set
	filter   model.Filter
	staged   bool     // a feature or the definition knows stages
	dropped  []string // features that the data cannot feed
	short    string   // why the horizon is shorter than the gap, or ""
	saved    *churn.Saved
	who      *judging        // of where= and segment=; nil: everybody
	whose    *Run            // that who was made from
	terms    *lifeDef        // of churn.ByContract: what contracts are read from
	monotone map[string]int8 // by feature: 1 may only raise, −1 only lower
}

// churnSetting reads the question's keys.
func (r *Run) churnSetting() (churnSetting, error) {
	if name := r.Str("saved"); name != "" {
		return r.savedSetting(name)
	}
	s := churnSetting{r: r, kind: churn.Kind(r.Str("model")), seed: uint64(r.Int("seed"))}
	var err error
	if s.pick, err = r.pick(r.Str("event")); err != nil {
		return s, fmt.Errorf("event=: %w", err)
	}
	s.q = churn.Question{Definition: churn.Definition(r.Str("by")), Gap: r.Int("gap"), Horizon: r.Int("horizon")}
	s.q.Event = s.pick.words()
	if g := r.Str("goal"); g != "" {
		if s.goal, err = r.pick(g); err != nil {
			return s, fmt.Errorf("goal=: %w", err)
		}
		s.q.Definition, s.q.Goal, s.q.Who = churn.ByGoal, s.goal.words(), churn.Who(r.Str("who"))
		if s.q.Goal == "" {
			s.q.Goal = "any active day"
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
			s.short = fmt.Sprintf("The horizon is %s, not the %d of the gap: the data have no room for training and test with more.", plural(room, "day"), s.q.Gap)
		}
	}
	if s.who, err = r.judging(false); err != nil {
		return s, err
	}
	if s.whose = r; s.who != nil {
		s.q.Among = r.Groups[0].Rule
	}
	if err := s.climb(r.Int("folds")); err != nil {
		return s, err
	}
	if s.kind == churn.HazardKind && (s.q.Definition == churn.ByGoal || s.q.Definition == churn.ByStage || s.q.Definition == churn.ByContract || s.q.Event != "") {
		return s, fmt.Errorf("model=hazard goes by each user's own rhythm of active days and foretells silence: ask it of by=gap or by=silence, without event= and goal=")
	}
	if err := s.resolve(r.Str("features")); err != nil {
		if errors.Is(err, errNoContracts) {
			return s, fmt.Errorf("by=contract: %w; by=gap goes by silence", err)
		}
		return s, fmt.Errorf("features=: %w", err)
	}
	if s.monotone, err = s.onlyWays(r.Str("monotone")); err != nil {
		return s, fmt.Errorf("monotone=: %w", err)
	}
	return s, nil
}

// onlyWays reads monotone=: features with the one way that each may move the
// probability.
func (s *churnSetting) onlyWays(list string) (map[string]int8, error) {
	out := map[string]int8{}
	if list == "" {
		return out, nil
	}
	for _, part := range splitColumns(list) {
		name, way := cutSet(part)
		sign := map[string]int8{"up": 1, "down": -1}[way]
		switch names := s.names(); {
		case sign == 0:
			return nil, fmt.Errorf("%q: write a measure, a colon and up or down: recency_days:up", part)
		case !slices.Contains(names, name):
			return nil, fmt.Errorf("the model has no measure %q%s", name, didYouMean(name, names))
		}
		out[name] = sign
	}
	return out, nil
}

// words are a pick in a sentence about activity, "" for any active day.
func (k *pick) words() string {
	switch {
	case k.active:
		return ""
	case !k.all && k.role == 0:
		return fmt.Sprintf("the event %q", k.label)
	}
	return k.label
}

// climb fixes the cut-offs: those of the answer, and earlier ones for the
// back-test, as far as the data go.
func (s *churnSetting) climb(folds int) error {
	r := s.r
	if r.AsOf > r.LastDay {
		// Days without data would count as silence.
		return fmt.Errorf("the data end on %s, and who has left by %s is not known: ask for churn@%s or an earlier day", r.LastDay, r.AsOf, r.LastDay)
	}
	var err error
	if s.cuts, err = s.q.Cuts(r.FirstDay, r.AsOf); err != nil {
		return err
	}
	s.folds = []churn.Cuts{s.cuts}
	for at := s.cuts; len(s.folds) < folds; {
		at = churn.Cuts{Train: at.Train - model.Day(s.q.Horizon), Test: at.Train, Score: at.Test}
		if at.Train < r.FirstDay {
			break
		}
		s.folds = append([]churn.Cuts{at}, s.folds...)
	}
	return nil
}

// resolve compiles the features and the measures of the baselines. A default
// feature that the data cannot feed is left out; one that was asked for by name
// is an error.
func (s *churnSetting) resolve(list string) error {
	r := s.r
	own := list != churnFeatures
	names := splitColumns(list)
	if !own {
		names = append(names, r.churnProperties()...)
		for _, k := range []pick{s.pick, s.goal} {
			// Another activity event: its own recency is what the silence is made of.
			var e string
			switch {
			case k.roles == nil || k.all || k.active:
				continue
			case k.role != 0:
				e = k.role.String()
			default:
				e = fmt.Sprintf("%q", r.Info.Names[k.name].Name)
			}
			names = append(names, "days_since("+e+")", "count("+e+",28)", "count("+e+",90)")
		}
	}
	if s.kind == churn.HazardKind {
		if own {
			return fmt.Errorf("model=hazard has features of its own (%s): leave the key out", strings.Join(churn.RhythmColumns(), ", "))
		}
		names = churn.RhythmColumns()
	}
	for _, name := range names {
		ref, err := r.columnRef(name)
		if err == nil && s.place(ref) >= 0 {
			continue
		}
		if err == nil {
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
	s.features = len(s.refs)
	return s.compile()
}

// compile adds the measures that are looked at beside the features.
func (s *churnSetting) compile() error {
	r := s.r
	extra := func(ref measure.Ref) int {
		if at := s.place(ref); at >= 0 {
			return at
		}
		if s.usable(ref) != nil {
			return -1
		}
		s.refs = append(s.refs, ref)
		return len(s.refs) - 1
	}
	s.ratio, s.worth = extra(measure.Of("rate_ratio")), extra(measure.Of("revenue"))
	s.recency = slices.IndexFunc(s.refs[:s.features], func(ref measure.Ref) bool { return ref.Name == "days_since" })
	if s.recency < 0 || s.q.Definition == churn.ByGoal {
		s.recency = extra(measure.Of("recency_days"))
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
	if s.q.Definition == churn.ByContract {
		s.terms = &lifeDef{r: r, contract: true, gap: 1}
		n := Needs{Columns: s.filter.Columns, Amounts: s.filter.Amounts}
		if err := s.terms.contractColumns(&n); err != nil {
			return err
		}
		s.filter.Columns, s.filter.Amounts = n.Columns, n.Amounts
	}
	if s.who != nil {
		n := s.who.widen(s.whose, Needs{Columns: s.filter.Columns, Amounts: s.filter.Amounts})
		s.filter.Columns, s.filter.Amounts = n.Columns, n.Amounts
		if _, err := s.who.judge(s.whose, n); err != nil {
			return err
		}
	}
	if s.staged {
		s.filter = r.Machine().Widen(s.filter)
		if _, err := r.Staging(s.filter); err != nil {
			return err
		}
	}
	_, err = s.measures.NewCursorFor(s.filter)
	return err
}

// place is where a measure stands among refs, or −1.
func (s *churnSetting) place(ref measure.Ref) int {
	return slices.IndexFunc(s.refs, func(o measure.Ref) bool { return o.String() == ref.String() })
}

// names of the features, as the model knows them.
func (s *churnSetting) names() []string {
	var out []string
	for _, ref := range s.refs[:s.features] {
		out = append(out, columnName(ref))
	}
	return out
}

// usable says why a measure cannot be a feature.
func (s *churnSetting) usable(ref measure.Ref) error {
	set, err := measure.Compile([]measure.Ref{ref}, s.r.Schema)
	if err != nil {
		return err
	}
	switch f := set.Family(0); {
	case f.Type == measure.Day:
		return fmt.Errorf("%s is a %s, and a feature must be a number, a yes or no, or a property of few values", ref, f.Type)
	case f.Type == measure.Text && set.Dict(0) == nil:
		return fmt.Errorf("%s has too many different values for a feature", ref)
	default:
		if why := s.r.Schema.Unavailable(f); why != "" {
			return fmt.Errorf("%s: %s", ref, why)
		}
	}
	return nil
}

// The properties that join the default features: at most so many, each with no
// more than so many values.
const (
	churnProps      = 8
	churnPropValues = 30
)

// churnProperties are the properties that say something of a user in a few
// words: the plan first, the channel at the start, then others. Properties that
// are personal, that number things, or that a measure knows already stay out;
// which of their values count is chosen by the training users.
func (r *Run) churnProperties() []string {
	c := &r.Dict.Columns
	taken := append([]string{c.Currency, c.Item, c.Order, c.Inviter, c.PaidUntil, c.Period, c.Score, c.Alias, c.Reason, c.Arm}, c.Personal...)
	var out []string
	add := func(name string, first bool) {
		k := r.Info.Key(name)
		if name == "" || k == nil || k.Plain || len(k.Values) < 3 || len(k.Values) > churnPropValues+1 || slices.Contains(taken, name) || len(out) == churnProps {
			return
		}
		text := false
		for _, v := range k.Values[1:] {
			t := typeOf(v)
			text = text || t == textValue || t == boolValue
		}
		if !text {
			return
		}
		taken = append(taken, name)
		ref := measure.Property(name)
		if first {
			ref = measure.Ref{Name: "first", Key: name}
		}
		out = append(out, columnName(ref))
	}
	add(c.Plan, false)
	add(c.Channel, true)
	for _, k := range r.Info.Keys {
		add(k.Name, false)
	}
	return out
}

// errNoSaved says that a saved model does not answer these data.
var errNoSaved = errors.New("the saved model cannot be used here")
