package query

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"dwell/model"
	"dwell/model/rule"
	"dwell/model/stage"
)

// today makes a run of the current state on the default as-of day. done gives
// the state back.
func (e *Engine) today(ctx context.Context, p Progress) (r *Run, done func(), err error) {
	st, err := e.hold(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	done = func() { _ = st.drop() } // nothing more is read
	if r, err = e.newRun(ctx, st, Query{Analysis: "users", AsOf: model.NoDay}, p); err != nil {
		done()
		return nil, nil, err
	}
	return r, done, nil
}

// CountRule counts the users who meet a rule on the default as-of day, and all
// users, over the resident population: fast enough to ask at every key, once the
// population is there and holds the columns that the rule reads.
func (e *Engine) CountRule(ctx context.Context, src string) (n, total int, err error) {
	r, done, err := e.today(ctx, nil)
	if err != nil {
		return 0, 0, err
	}
	defer done()
	pop, err := guarded(r.Population)
	if err != nil {
		return 0, 0, err
	}
	in, err := r.match(pop, src)
	if err != nil {
		return 0, pop.Len(), err
	}
	return in.Count(), pop.Len(), nil
}

// RuleNames lists what a rule may say over the data, for completion and help.
func (e *Engine) RuleNames(ctx context.Context) ([]rule.Name, error) {
	r, done, err := e.today(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer done()
	env, err := r.env(nil, true)
	if err != nil {
		return nil, err
	}
	return rule.Names(env), nil
}

// PreviewDictionary says how many users each stage holds with the dictionary in
// force and with an edited one, which is not saved.
func (e *Engine) PreviewDictionary(ctx context.Context, d *model.Dictionary, p Progress) ([]StageChange, error) {
	return e.preview(ctx, p, func(*Run) (*model.Dictionary, *stage.Model, error) {
		m, err := e.shelfModel()
		return d, m, err
	})
}

// PreviewModel says how many users each stage holds before and after changing
// numbers of the model, which is not saved.
func (e *Engine) PreviewModel(ctx context.Context, params map[string]float64, p Progress) ([]StageChange, error) {
	return e.preview(ctx, p, func(r *Run) (*model.Dictionary, *stage.Model, error) {
		m, err := changed(r.st.model, params)
		return r.st.dict, m, err
	})
}

// preview stages everybody twice: as it stands, and under another dictionary and
// model over the same data version.
func (e *Engine) preview(ctx context.Context, p Progress, other func(*Run) (*model.Dictionary, *stage.Model, error)) ([]StageChange, error) {
	r, done, err := e.today(ctx, p)
	if err != nil {
		return nil, err
	}
	defer done()
	d, m, err := other(r)
	if err != nil {
		return nil, err
	}
	body := d.Format()
	if _, err := model.ParseDictionary(body); err != nil {
		return nil, err
	}
	st, err := guarded(func() (*state, error) { return newState(ctx, e, r.Snap, d, body, m, p) })
	if err != nil {
		return nil, err
	}
	before, err := r.stageCounts()
	if err != nil {
		return nil, err
	}
	next, err := e.newRun(ctx, st, Query{Analysis: "users", AsOf: model.NoDay}, p)
	if err != nil {
		return nil, err
	}
	after, err := next.stageCounts()
	if err != nil {
		return nil, err
	}
	var out []StageChange
	for i, name := range r.machine.Model().Names() {
		out = append(out, StageChange{Stage: name, Before: before[i], After: after[name2index(next, name)]})
	}
	return out, nil
}

// name2index is the stage of that name in the other run's model, which has the
// same stages: a preview changes numbers and meanings, not stages.
func name2index(r *Run, name string) int { return max(0, r.machine.Model().Index(name)) }

// stageCounts is how many users each stage holds on the run's as-of day: from
// the resident population, or by replaying everybody.
func (r *Run) stageCounts() ([]int64, error) {
	counts := make([]int64, len(r.machine.Model().Stages))
	if pop := r.st.pops.find(r); pop != nil {
		for _, s := range pop.states {
			counts[s.stage]++
		}
		return counts, nil
	}
	f := r.machine.Filter(r.AsOf)
	if _, err := r.Staging(f); err != nil {
		return nil, err
	}
	type acc struct {
		s *Staging
		n []int64
	}
	err := Scan(r, Needs{Columns: f.Columns, Amounts: f.Amounts},
		func() *acc {
			s, _ := r.Staging(f) // tried above
			return &acc{s, make([]int64, len(counts))}
		},
		func(a *acc, p *Person) error {
			if now := a.s.To(p.TL, r.AsOf).Now(); now >= 0 {
				a.n[now]++
			}
			return nil
		},
		func(a *acc) error {
			for i, n := range a.n {
				counts[i] += n
			}
			return nil
		})
	return counts, err
}

// Model is the stage model in force, with the numbers that the data suggest.
func (e *Engine) Model(ctx context.Context, p Progress) (*ModelState, error) {
	st, err := e.hold(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.drop() }() // nothing more is read
	ps, err := st.params(ctx, e, p)
	if err != nil {
		return nil, err
	}
	return &ModelState{Name: st.model.Name, Hash: st.machine.Hash(), Stages: st.model.Names(), Params: ps, Settings: st.model.Settings(), Confirmed: st.data.Confirmed}, nil
}

// params are the model's numbers with what the data suggest for them.
func (st *state) params(ctx context.Context, e *Engine, p Progress) ([]ModelParam, error) {
	s, err := st.suggestion(ctx, e, p)
	if err != nil {
		return nil, err
	}
	open := *st.model
	open.Params = slices.Clone(open.Params)
	for i := range open.Params {
		if open.Params[i].Suggest != "" {
			open.Params[i].Frozen = false
		}
	}
	fresh, err := open.Freeze(s)
	if err != nil {
		return nil, err
	}
	var out []ModelParam
	for i, q := range st.model.Params {
		m := ModelParam{Name: q.Name, Value: q.Value, Evidence: evidence(q, s)}
		if q.Suggest != "" {
			m.HasSuggestion, m.Suggested = true, fresh.Params[i].Value
		}
		out = append(out, m)
	}
	return out, nil
}

// ByFormula begins the evidence of a number that is made from others.
const ByFormula = "by the formula "

// evidence says in one sentence where a number's suggestion comes from.
func evidence(q stage.Param, s *stage.Suggestion) string {
	switch q.Suggest {
	case "":
		return "given by the model"
	case "usage_interval()":
		if s.Assumed {
			return fmt.Sprintf("nobody of %s has three active days: taken from all gaps, or assumed", countOf(s.Users, "user"))
		}
		return fmt.Sprintf("median of the own median gaps of %s with at least 3 active days; %s of %s have fewer", ofThem(s.Regular, "user"), percentOf(s.Users-s.Regular, max(s.Users, 1)), ofThem(s.Users, "user"))
	case "suggested_gap()":
		out := fmt.Sprintf("90 %% of the returns seen within %s come within %s (%s, %d still open)", plural(s.Horizon, "day"), plural(s.RawGap, "day"), ofThem(s.Gaps, "gap"), s.Open)
		switch {
		case s.Horizon == 0:
			out = "the data are too short for a return: the shortest gap that may be set"
		case s.RawGap == 0:
			out = fmt.Sprintf("nobody came back within %s: the shortest gap that may be set", plural(s.Horizon, "day"))
		}
		if s.Gap != s.RawGap && s.RawGap > 0 {
			out += fmt.Sprintf("; at least %d", stage.GapFloor)
		}
		if s.Banded {
			out += fmt.Sprintf("; resampling users gives %s to %s", rounded(s.Band.Lo), rounded(s.Band.Hi))
		}
		if s.Lost > 0 {
			out += fmt.Sprintf("; %d of %d silences of that length ended in a return", s.Returned, s.Lost)
		}
		return out
	}
	return ByFormula + q.Suggest
}

// ofThem is a number with its noun.
func ofThem(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// changed is the model with other numbers.
func changed(m *stage.Model, params map[string]float64) (*stage.Model, error) {
	var err error
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if m, err = m.With(name, params[name]); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// ConfirmModel saves the model with the given numbers (nil: as they are) as one
// that a person has looked at, and reads the data through it from now on.
func (e *Engine) ConfirmModel(ctx context.Context, params map[string]float64, note string) error {
	st, err := e.hold(ctx, nil)
	if err != nil {
		return err
	}
	m, err := changed(st.model, params)
	if err == nil {
		_, err = stage.Compile(m, st.data.Schema)
	}
	dict := *st.dict
	_ = st.drop() // nothing more is read
	if err != nil {
		return err
	}
	dict.Confirmed = true
	_, err = e.putModel(ctx, m, m.Format(), &dict, note)
	return err
}
