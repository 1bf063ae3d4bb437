package query

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/measure"
)

// SaveChurn trains the model of a churn question, or takes it from memory, and
// puts it on the shelf under a name. It fails with the reason where there is no
// model.
func (e *Engine) SaveChurn(ctx context.Context, q Query, name, note string, p Progress) error {
	q, err := q.Check()
	if err != nil {
		return err
	}
	switch {
	case q.Analysis != "churn":
		return fmt.Errorf("%s has no model to save: ask churn", q.Analysis)
	case q.Get("saved") != "":
		return fmt.Errorf("saved=%s is a saved model already", q.Get("saved"))
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
	// Of a model that comes from the cache the short quality is not there: both
	// qualities have one name in its file.
	out := m.Saved
	out.Quality = m.inShort()
	body, err := out.Format()
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

// savedChurn finds a saved model by name.
func (e *Engine) savedChurn(name string) (model.Entry, error) {
	all, err := e.ChurnModels()
	if err != nil {
		return model.Entry{}, err
	}
	var names []string
	for _, en := range all {
		if en.Name == name {
			return en, nil
		}
		names = append(names, en.Name)
	}
	if len(names) == 0 {
		return model.Entry{}, fmt.Errorf("saved=%s: no model has been saved yet: dwell churn --save NAME does", name)
	}
	return model.Entry{}, fmt.Errorf("there is no saved model %q%s: use one of %s", name, didYouMean(name, names), strings.Join(names, ", "))
}

// churnEntryName refuses names that no shelf entry should have.
func churnEntryName(name string) error {
	if name == "" || len(name) > 80 || strings.ContainsAny(name, "/\\\"") {
		return fmt.Errorf("%q cannot name a model: use up to 80 letters, digits and signs, without quotes and slashes", name)
	}
	return nil
}

// savedSetting is the setting of a saved model: its own question and measures,
// asked of these data. Values of properties are found again by name; a value
// that these data do not have meets nobody.
func (r *Run) savedSetting(name string) (churnSetting, error) {
	en, err := r.eng.savedChurn(name)
	if err != nil {
		return churnSetting{}, err
	}
	saved, err := churn.ParseSaved(en.Body)
	if err != nil {
		return churnSetting{}, fmt.Errorf("saved=%s: %w", name, err)
	}
	q, err := Parse(saved.Address)
	if err != nil {
		return churnSetting{}, fmt.Errorf("%w: its question %q is not one any more: %w", errNoSaved, saved.Address, err)
	}
	inner, err := r.eng.newRun(r.Ctx, r.st, Query{Analysis: "churn", AsOf: r.Q.AsOf, Params: q.Params}, r.progress)
	if err != nil {
		return churnSetting{}, err
	}
	s, err := inner.churnSetting()
	if err != nil {
		return s, fmt.Errorf("%w: %w", errNoSaved, err)
	}
	// The numbers may have been suggested by other data: the model's own hold.
	s.r, s.saved, s.short, s.q, s.dropped = r, saved, "", saved.Question, nil
	if err := s.climb(1); err != nil {
		return s, err
	}
	s.refs = nil
	for _, column := range saved.Fitted.Columns {
		ref, err := r.columnRef(column)
		if err == nil {
			err = s.usable(ref)
		}
		if err != nil {
			return s, fmt.Errorf("%w: it goes by %s, and %w", errNoSaved, column, err)
		}
		s.refs = append(s.refs, ref)
	}
	s.features = len(s.refs)
	if err := s.compile(); err != nil {
		return s, err
	}
	fs := saved.Fitted.Features
	for i := range fs {
		if f := &fs[i]; f.Level != "" {
			dict := s.measures.Dict(slices.IndexFunc(s.refs, func(ref measure.Ref) bool { return columnName(ref) == f.Name }))
			f.Code = float64(slices.Index(dict, f.Level))
		}
	}
	return s, nil
}

// overlap says whether a saved model's outcomes reach beyond the test's cut-off:
// then it has seen some of what it is tested on.
func (s *churnSetting) overlap() bool {
	if s.saved == nil {
		return false
	}
	d, err := model.ParseDay(s.saved.Train)
	return err != nil || d+model.Day(s.saved.Question.Horizon) > s.cuts.Test
}
