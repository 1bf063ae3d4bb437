package query

import (
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/measure"
	"dwell/model/stat"
)

// A churnModel is a trained and tested model, or the sentence that says why
// there is none. It is shared: it does not change.
type churnModel struct {
	churn.Saved
	Why     string // "" for a model that may score
	Quality churn.Quality
	Recency churn.Quality // of the baseline that knows recency alone
	Base    bool          // Recency holds
	Rule    churn.Quality // of the 30 % rule
	Ruled   bool          // Rule holds
	Flagged int           // training users whom the 30 % rule flags
	Folds   []churnStep   // of the back-test, the oldest first; the last is Quality
}

// A churnStep is one step of the back-test: trained on what was known at one
// cut-off, tested a horizon later.
type churnStep struct {
	Train, Test string
	Why         string // "" for a step that could be tested
	Users       int    // tested
	BaseRate    float64
	Area        stat.Area
	Precision   float64 // area under the precision–recall curve
	Skill       float64
	Recency     float64 // AUC of recency alone, if Base
	Base        bool
}

// usable says whether the model may score: it has been trained, and tested.
func (m *churnModel) usable() bool { return m.Why == "" }

// churns keeps the models trained on a state, by question.
type churns struct {
	mu    sync.Mutex
	kept  map[string]*churnModel
	build chan struct{} // holds one: one training at a time bounds memory
}

func (c *churns) get(key string) *churnModel {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept[key]
}

// churnKey names a model by everything it depends on: the question without the
// threshold, which changes no model, on its day.
func (r *Run) churnKey() (string, error) {
	q := r.churnQuery().With("at")
	q.AsOf = r.AsOf
	key, err := r.eng.cacheKey(r.st, q)
	if name := r.Str("saved"); err == nil && name != "" {
		e, err := r.eng.savedChurn(name)
		if err != nil {
			return "", err
		}
		key += hashOf(e.Body)
	}
	return key, err
}

// churnQuery is the churn question within the run's own: several questions ask
// for scores, and their model is one.
func (r *Run) churnQuery() Query {
	q := Query{Analysis: "churn", AsOf: r.Q.AsOf}
	for _, k := range churnKeys() {
		if v := r.Q.All(k.Name); len(v) > 0 {
			q = q.With(k.Name, v...)
		}
	}
	return q
}

// trained is the model of the run's question if there is one already, else nil.
func (r *Run) trained() (*churnModel, error) {
	key, err := r.churnKey()
	if err != nil {
		return nil, err
	}
	if m := r.st.churns.get(key); m != nil {
		return m, nil
	}
	return r.recallModel(key), nil
}

// recallModel finds a model that another process has trained on the same data
// under the same definitions.
func (r *Run) recallModel(key string) *churnModel {
	if r.eng.cache == nil {
		return nil
	}
	body, ok := r.eng.cache.Recall("trained/" + key)
	if !ok {
		return nil
	}
	m := &churnModel{}
	if json.Unmarshal(body, m) != nil || m.Why == "" && len(m.Fitted.Features) == 0 {
		return nil // damaged, or another version's: it is derived, so train again
	}
	return m
}

func (r *Run) keepModel(key string, m *churnModel) {
	if r.eng.cache == nil {
		return
	}
	if body, err := json.Marshal(m); err == nil {
		r.eng.cache.Keep("trained/"+key, body)
	}
}

// keptChurns bounds the models in memory.
const keptChurns = 32

// churnModel is the model of a setting: remembered, or trained and tested now.
func (r *Run) churnModel(s churnSetting) (*churnModel, error) {
	key, err := r.churnKey()
	if err != nil {
		return nil, err
	}
	c := &r.st.churns
	if m := c.get(key); m != nil {
		return m, nil
	}
	select {
	case c.build <- struct{}{}:
		defer func() { <-c.build }()
	case <-r.Ctx.Done():
		return nil, r.Ctx.Err()
	}
	if m := c.get(key); m != nil { // another run has trained it meanwhile
		return m, nil
	}
	m := r.recallModel(key)
	if m == nil {
		if m, err = r.train(s); err != nil {
			return nil, err
		}
		r.keepModel(key, m)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= keptChurns {
		c.kept = map[string]*churnModel{}
	}
	c.kept[key] = m
	return m, nil
}

// train fills the table of each cut-off, fits on one and tests on the next. What
// the data do not allow is the model's Why; an error is only what stops every
// answer.
func (r *Run) train(s churnSetting) (*churnModel, error) {
	q := r.churnQuery().With("at").With("folds")
	q.AsOf = model.NoDay
	m := &churnModel{Saved: churn.Saved{
		Question: s.q, Address: q.String(), Data: r.Info.Version.Hash, Model: r.st.data.ModelHash, Seed: s.seed,
		Train: s.cuts.Train.String(), Test: s.cuts.Test.String(),
	}}
	// The passes make one bar: a table for each cut-off, and the figures.
	all, parts := r.progress, int64(len(s.folds)+2)
	defer func() { r.progress = all.part(parts-1, parts) }()
	r.progress = all.part(0, parts)
	var before *churn.Table
	var err error
	if s.saved == nil {
		if before, err = s.table(s.folds[0].Train); err != nil {
			return nil, err
		}
	} else {
		m.Saved = *s.saved
	}
	for i, f := range s.folds {
		r.progress = all.part(int64(i+1), parts)
		now, err := s.table(f.Test)
		if err != nil {
			return nil, err
		}
		one, err := s.step(before, now, i+1 == len(s.folds))
		if err != nil {
			return nil, err
		}
		step := churnStep{Train: f.Train.String(), Test: f.Test.String(), Why: one.Why}
		if one.Why == "" {
			q := one.Quality
			step.Users, step.BaseRate, step.Area, step.Precision, step.Skill = q.N, q.BaseRate, q.Area, q.Precision, q.Skill
			step.Recency, step.Base = one.Recency.Area.AUC, one.Base
		}
		m.Folds = append(m.Folds, step)
		if i+1 == len(s.folds) {
			m.Why, m.Fitted = one.Why, one.Fitted
			m.Quality, m.Recency, m.Base, m.Rule, m.Ruled, m.Flagged = one.Quality, one.Recency, one.Base, one.Rule, one.Ruled, one.Flagged
		}
		before = now
	}
	return m, nil
}

// inShort is the quality as it is saved with the model.
func (m *churnModel) inShort() churn.SavedQuality {
	q := &m.Quality
	return churn.SavedQuality{Users: q.N, BaseRate: q.BaseRate, AUC: q.Area.AUC, Lo: q.Area.Lo, Hi: q.Area.Hi,
		Brier: q.Brier, Skill: q.Skill, LogLoss: q.LogLoss, RecencyAUC: m.Recency.Area.AUC, RuleAUC: m.Rule.Area.AUC, Verdict: q.Verdict}
}

// step trains on the table of one cut-off and tests on that of the next: the
// model beside the baselines. A saved model is tested alone.
func (s *churnSetting) step(before, now *churn.Table, last bool) (*churnModel, error) {
	m := &churnModel{}
	var fitted, recency *churn.Model
	var rule *churn.Flag
	if s.saved != nil {
		fitted = &s.saved.Fitted
	} else {
		var err error
		if fitted, err = churn.Train(before.Only(s.names()...), s.options(last)); err != nil {
			if errors.Is(err, churn.ErrStopped) && s.r.Ctx.Err() != nil {
				return nil, s.r.Ctx.Err()
			}
			m.Why = "There is no model, and so no score: " + err.Error() + "."
			return m, nil
		}
		if s.recency >= 0 {
			// A baseline may fail where the model does not; then it is left out.
			recency, _ = churn.Train(before.Only(before.Names[s.recency]), churn.Options{Leak: 2})
		}
		if s.ratio >= 0 {
			f := churn.NewFlag(before, s.ratio, ruleDrop)
			rule, m.Flagged = &f, f.Users
		}
	}
	m.Fitted = *fitted
	fs := s.test(now, fitted, recency, rule)
	var err error
	if m.Quality, err = churn.Judge(fs.model, leastTested, stat.Level); err != nil {
		m.Why = "There is no score, because the model could not be tested: " + err.Error() + "."
		return m, nil
	}
	if recency != nil {
		m.Recency, err = churn.Judge(fs.recency, leastTested, stat.Level)
		m.Base = err == nil
	}
	if rule != nil {
		m.Rule, err = churn.Judge(fs.rule, leastTested, stat.Level)
		m.Ruled = err == nil
	}
	return m, nil
}

// ruleDrop is what is left of the rate of active days where the 30 % rule speaks
// (SPEC R2.14).
const ruleDrop = 0.7

// mostAlike is the correlation from which two features are one: below it each may
// know something that the other does not.
const mostAlike = 0.99

// options are those of every training of the question; resample asks for the
// coefficients' intervals.
func (s *churnSetting) options(resample bool) churn.Options {
	return churn.Options{
		Kind: s.kind, Question: s.q, Resample: resample, Alike: mostAlike,
		Boosting: churn.Boosting{Seed: s.seed}, Parallel: s.r.eng.parallel, Monotone: s.monotone,
		Stop: func() bool { return s.r.Ctx.Err() != nil },
		// The guard is for features that know the future. Silence up to the cut-off
		// cannot, and may decide alone: it nears the day on which the lost stage is
		// due, and where everybody comes every day, who is silent has left.
		Allow: s.isSilence,
	}
}

// parallel shares n pieces of work among the engine's workers. A panic in one is
// raised again in the caller's goroutine, where the run recovers it.
func (e *Engine) parallel(n int, f func(i int)) {
	w := min(e.workers(), n)
	if w < 2 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	faults := make([]any, w)
	for k := range w {
		wg.Go(func() {
			defer func() { faults[k] = recover() }()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
	for _, v := range faults {
		if v != nil {
			panic(v)
		}
	}
}

// isSilence says whether a feature measures the silence that churn is made of.
func (s *churnSetting) isSilence(name string) bool {
	i := slices.IndexFunc(s.refs, func(ref measure.Ref) bool { return columnName(ref) == name })
	return i >= 0 && slices.Contains([]string{"recency_days", "days_since", "overdue"}, s.refs[i].Name)
}

// part is the i-th of n equal parts of a job's progress.
func (p Progress) part(i, n int64) Progress {
	if p == nil {
		return nil
	}
	return func(done, total int64) { p(i*total+done, n*total) }
}

// leastTested is how many users of each outcome a test needs.
const leastTested = 10

// table reads the measures and outcomes of everybody eligible at a cut-off.
func (s *churnSetting) table(cut model.Day) (*churn.Table, error) {
	type acc struct {
		t *churn.Table
		k *scorer
	}
	total := s.blank()
	err := Scan(s.r, s.needs(),
		func() *acc { return &acc{s.blank(), s.scorer()} },
		func(a *acc, p *Person) error {
			a.k.take(p)
			if st, yes := a.k.label(cut); st == churn.AtStake {
				a.k.features(cut)
				a.t.Add(a.k.values, a.k.known, yes)
				a.t.IDs = append(a.t.IDs, p.TL.ID)
			}
			return nil
		},
		func(a *acc) error {
			total.Append(a.t)
			return nil
		})
	return total, err
}

// blank is a table of the setting's measures without rows.
func (s *churnSetting) blank() *churn.Table {
	var names, units []string
	var texts [][]string
	for i := range s.refs {
		names, units = append(names, columnName(s.refs[i])), append(units, s.measures.Family(i).Unit)
		texts = append(texts, s.measures.Dict(i))
	}
	t := churn.NewTable(names, units)
	t.Texts, t.Outcome, t.Other = texts, s.q.Happened(), s.q.Stayed()
	return t
}

// test predicts a table's users; recency and rule may be nil.
func (s *churnSetting) test(t *churn.Table, m, recency *churn.Model, rule *churn.Flag) forecasts {
	var fs forecasts
	k := scorer{s: s, values: make([]float64, len(s.refs)), known: make([]bool, len(s.refs))}
	for i, yes := range t.Yes {
		t.Row(i, k.values, k.known)
		fs.model = append(fs.model, stat.Forecast{P: k.predict(m), Yes: yes})
		if recency != nil {
			at := s.recency
			fs.recency = append(fs.recency, stat.Forecast{P: recency.Predict(k.values[at:at+1], k.known[at:at+1]), Yes: yes})
		}
		if rule != nil {
			fs.rule = append(fs.rule, stat.Forecast{P: rule.Predict(k.values[s.ratio], k.known[s.ratio]), Yes: yes})
		}
	}
	return fs
}

func (s *churnSetting) needs() Needs {
	return Needs{Columns: s.filter.Columns, Amounts: s.filter.Amounts}
}
