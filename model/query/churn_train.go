package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

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
	q := r.Q.With("at")
	q.AsOf = r.AsOf
	return r.eng.cacheKey(r.st, q)
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

// train fills the training table, fits, and tests. What the data do not allow is
// the model's Why; an error is only what stops every answer.
func (r *Run) train(s churnSetting) (*churnModel, error) {
	m := &churnModel{Saved: churn.Saved{
		Question: s.q, Data: r.Info.Version.Hash, Model: r.st.data.ModelHash,
		Train: s.cuts.Train.String(), Test: s.cuts.Test.String(),
	}}
	// Three passes make one bar: the table, the test, and the figures.
	all := r.progress
	r.progress = all.part(0, 3)
	defer func() { r.progress = all.part(2, 3) }()
	table, err := s.table(s.cuts.Train)
	if err != nil {
		return nil, err
	}
	r.progress = all.part(1, 3)
	// The guard is for features that know the future; silence itself only nears
	// the day on which it is due, which with the lost stage it may do to the day.
	opt := churn.Options{Stop: func() bool { return r.Ctx.Err() != nil }, Allow: s.isSilence}
	fitted, err := churn.Train(table, opt)
	if err != nil {
		if errors.Is(err, churn.ErrStopped) && r.Ctx.Err() != nil {
			return nil, r.Ctx.Err()
		}
		m.Why = "There is no model, and so no score: " + err.Error() + "."
		return m, nil
	}
	m.Fitted = *fitted
	var recency *churn.Model
	if name := s.recency(); name != "" {
		// The baseline may fail where the model does not; then it is left out.
		opt.Leak = 2
		recency, _ = churn.Train(table.Only(name), opt)
	}
	fs, err := s.test(fitted, recency)
	if err != nil {
		return nil, err
	}
	if m.Quality, err = churn.Judge(fs.model, leastTested, stat.Level); err != nil {
		m.Why = "There is no score, because the model could not be tested: " + err.Error() + "."
		return m, nil
	}
	if recency != nil {
		if m.Recency, err = churn.Judge(fs.recency, leastTested, stat.Level); err == nil {
			m.Base = true
		}
	}
	q := m.Quality
	m.Saved.Quality = churn.SavedQuality{Users: q.N, BaseRate: q.BaseRate, AUC: q.Area.AUC, Lo: q.Area.Lo, Hi: q.Area.Hi,
		Brier: q.Brier, Skill: q.Skill, LogLoss: q.LogLoss, RecencyAUC: m.Recency.Area.AUC, Verdict: q.Verdict}
	return m, nil
}

// isSilence says whether a feature measures the silence that churn is made of.
func (s *churnSetting) isSilence(name string) bool {
	i := slices.IndexFunc(s.refs, func(ref measure.Ref) bool { return ref.String() == name })
	return s.q.Definition == churn.ByStage && i >= 0 && slices.Contains([]string{"recency_days", "days_since", "overdue"}, s.refs[i].Name)
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

// recency is the feature of the recency-alone baseline: of the activity that is
// asked about, if it is among the features.
func (s *churnSetting) recency() string {
	for _, name := range []string{"days_since", "recency_days"} {
		if i := slices.IndexFunc(s.refs, func(ref measure.Ref) bool { return ref.Name == name }); i >= 0 {
			return s.refs[i].String()
		}
	}
	return ""
}

// table reads the features and outcomes of everybody eligible at a cut-off.
func (s *churnSetting) table(cut model.Day) (*churn.Table, error) {
	var names, units []string
	for i := range s.refs {
		names, units = append(names, s.refs[i].String()), append(units, s.measures.Family(i).Unit)
	}
	type acc struct {
		t *churn.Table
		k *scorer
	}
	total := churn.NewTable(names, units)
	err := Scan(s.r, s.needs(),
		func() *acc { return &acc{churn.NewTable(names, units), s.scorer()} },
		func(a *acc, p *Person) error {
			a.k.take(p)
			if st, churned := a.k.label(cut); st == churn.AtStake {
				a.k.features(cut)
				a.t.Add(a.k.values, a.k.known, churned)
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

// test predicts everybody eligible at the test's cut-off; recency may be nil.
func (s *churnSetting) test(m, recency *churn.Model) (forecasts, error) {
	at := -1
	if recency != nil {
		at = slices.IndexFunc(s.refs, func(ref measure.Ref) bool { return ref.String() == recency.Columns[0] })
	}
	type acc struct {
		fs forecasts
		k  *scorer
	}
	var total forecasts
	err := Scan(s.r, s.needs(),
		func() *acc { return &acc{k: s.scorer()} },
		func(a *acc, p *Person) error {
			a.k.take(p)
			st, churned := a.k.label(s.cuts.Test)
			if st != churn.AtStake {
				return nil
			}
			a.k.features(s.cuts.Test)
			a.fs.model = append(a.fs.model, stat.Forecast{P: m.Predict(a.k.values, a.k.known), Yes: churned})
			if at >= 0 {
				a.fs.recency = append(a.fs.recency, stat.Forecast{P: recency.Predict(a.k.values[at:at+1], a.k.known[at:at+1]), Yes: churned})
			}
			return nil
		},
		func(a *acc) error {
			total.model = append(total.model, a.fs.model...)
			total.recency = append(total.recency, a.fs.recency...)
			return nil
		})
	return total, err
}

func (s *churnSetting) needs() Needs {
	return Needs{Columns: s.filter.Columns, Amounts: s.filter.Amounts}
}

// SaveChurn trains the model of a churn question, or takes it from memory, and
// puts it on the shelf under a name. It fails with the reason where there is no
// model.
func (e *Engine) SaveChurn(ctx context.Context, q Query, name, note string, p Progress) error {
	q, err := q.Check()
	if err != nil {
		return err
	}
	if q.Analysis != "churn" {
		return fmt.Errorf("%s has no model to save: ask churn", q.Analysis)
	}
	if err := churnEntryName(name); err != nil {
		return err
	}
	st, err := e.hold(ctx, p)
	if err != nil {
		return err
	}
	defer func() { _ = st.drop() }() // nothing is read after this
	m, err := guarded(func() (*churnModel, error) {
		r, err := e.newRun(ctx, st, q, p)
		if err != nil {
			return nil, err
		}
		s, err := r.churnSetting()
		if err != nil {
			return nil, err
		}
		return r.churnModel(s)
	})
	if err != nil {
		return err
	}
	if !m.usable() {
		return errors.New(m.Why)
	}
	body, err := m.Format()
	if err != nil {
		return err
	}
	if _, err := e.shelf.Put(model.KindChurn, name, body, note); err != nil {
		return fmt.Errorf("the churn model %q was not saved: %w", name, err)
	}
	return nil
}

// ChurnModels lists the saved churn models, by name.
func (e *Engine) ChurnModels() ([]model.Entry, error) {
	entries, err := e.shelf.List(model.KindChurn)
	if err != nil {
		return nil, fmt.Errorf("the saved churn models cannot be listed: %w", err)
	}
	return entries, nil
}

// churnEntryName refuses names that no shelf entry should have.
func churnEntryName(name string) error {
	if name == "" || len(name) > 80 {
		return fmt.Errorf("%q cannot name a model: use up to 80 letters, digits and signs", name)
	}
	return nil
}
