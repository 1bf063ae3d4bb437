package query

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/measure"
)

// Answer answers a question. The answer is shared: do not modify it.
func (e *Engine) Answer(ctx context.Context, q Query, p Progress) (*Answer, error) {
	q, err := q.Check()
	if err != nil {
		return nil, err
	}
	st, err := e.hold(ctx)
	if err != nil {
		return nil, err
	}
	key := e.cacheKey(st, q)
	if a := e.recall(key); a != nil {
		return a, st.drop()
	}
	a, err := e.share(ctx, key, p, func(ctx context.Context, p Progress) (*Answer, error) {
		r, err := e.newRun(ctx, st, q, p)
		if err != nil {
			return nil, err
		}
		a, err := r.answer()
		if err == nil {
			e.keep(key, a)
		}
		return a, err
	}, st.drop)
	return a, err
}

// Users is the list behind a figure of the answer to q: the users of the
// figure's key, or of one of its parts (KEY/of, KEY/lost, KEY/open,
// KEY/open-returned). They come from the same computation as the figure.
func (e *Engine) Users(ctx context.Context, q Query, key string, p Progress) (*List, error) {
	a, err := e.Answer(ctx, q, nil)
	if err != nil {
		return nil, err
	}
	f, part, err := figurePart(a, key)
	if err != nil {
		return nil, err
	}
	st, err := e.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.drop() }() // a snapshot that was read to its end has nothing more to say
	if v := st.info.Version; v != a.Data {
		return nil, fmt.Errorf("the data has changed (%s is now %s): ask again", a.Data, v)
	}
	r, err := e.newRun(ctx, st, a.Query, p)
	if err != nil {
		return nil, err
	}
	return r.list(f, part)
}

// figurePart finds a figure by key, with the part after its last slash.
func figurePart(a *Answer, key string) (*Figure, Part, error) {
	if f := a.Figure(key); f != nil {
		return f, Self, nil
	}
	for p := Of; p < parts; p++ {
		if base, ok := cutSuffix(key, "/"+partNames[p]); ok {
			f := a.Figure(base)
			if f == nil {
				break
			}
			if f.Kind != Rate {
				return nil, 0, fmt.Errorf("%q is a %s: only a rate has a list %q", base, f.Kind, partNames[p])
			}
			return f, p, nil
		}
	}
	var all []string
	for i := range a.Figures {
		all = append(all, a.Figures[i].Key)
	}
	return nil, 0, fmt.Errorf("%s has no figure %q%s: list its keys with --keys", a.Address, key, didYouMean(key, all))
}

func cutSuffix(s, suffix string) (string, bool) {
	if len(s) > len(suffix) && s[len(s)-len(suffix):] == suffix {
		return s[:len(s)-len(suffix)], true
	}
	return s, false
}

// newRun resolves a question against a state.
func (e *Engine) newRun(ctx context.Context, st *state, q Query, p Progress) (*Run, error) {
	a, err := find(q.Analysis)
	if err != nil {
		return nil, err
	}
	r := &Run{Ctx: ctx, Q: q, Spec: a.Spec, Snap: st.snap, Info: st.info, Dict: st.dict, eng: e, st: st, an: a, progress: p}
	r.Schema, r.Cal, r.Roles = st.data.Schema, st.data.Schema.Cal, st.data.Schema.Roles
	if z := r.Str("zone"); z != "" && z != st.dict.Zone {
		if r.Schema, err = rezone(st, z); err != nil {
			return nil, err
		}
		r.Cal = r.Schema.Cal
	}
	last := lastDay(st.info, r.Cal)
	r.AsOf = q.AsOf
	if r.AsOf == model.NoDay {
		r.AsOf = last
	}
	r.Cut = r.Cal.Cut(r.AsOf)
	r.FirstDay, r.LastDay = r.AsOf, min(last, r.AsOf)
	if st.info.Events > 0 {
		r.FirstDay = min(firstDay(st.info, r.Cal), r.LastDay)
	}
	if r.Groups, err = r.groups(); err != nil {
		return nil, err
	}
	return r, nil
}

// rezone is the state's schema with days of another zone.
func rezone(st *state, zone string) (*measure.Schema, error) {
	d := *st.dict
	d.Zone = zone
	cal, err := d.Calendar()
	if err != nil {
		return nil, err
	}
	s := *st.data.Schema
	s.Cal, s.Dict = cal, &d
	return &s, nil
}

// answer runs the plan and lays the result out.
func (r *Run) answer() (*Answer, error) {
	plan, err := r.an.plan(r)
	if err != nil {
		return nil, err
	}
	b := &Builder{Run: r, slots: plan.Slots, A: &Answer{
		Query: r.Q, Address: r.Q.String(), Title: r.Spec.Title, AsOf: r.AsOf, Zone: r.Cal.Zone,
		Data: r.Info.Version, Model: r.st.data.ModelHash,
	}}
	if b.hits, b.state, err = r.events(plan, nil); err != nil {
		return nil, err
	}
	if b.rows, err = r.rows(plan, nil); err != nil {
		return nil, err
	}
	if plan.Layout == nil {
		return nil, fmt.Errorf("%s has no layout", r.Spec.Name)
	}
	if err := plan.Layout(b); err != nil {
		return nil, err
	}
	if b.err != nil {
		return nil, b.err
	}
	r.lint(b)
	return b.A, nil
}

// A target is the one list that a run is to collect.
type target struct {
	slot, group int
	part        Part
}

// events runs the plan's kernel over the timelines: counting, or collecting the
// users of a target.
func (r *Run) events(plan *Plan, t *target) (*Hits, Kernel, error) {
	fresh := func() *Hits { return newHits(len(r.Groups), plan.Slots, plan.Values) }
	if t != nil {
		fresh = func() *Hits {
			return &Hits{slots: plan.Slots, n: len(r.Groups), list: true, group: t.group, slot: t.slot, part: t.part}
		}
	}
	total := fresh()
	if plan.Kernel == nil {
		return total, nil, nil
	}
	type acc struct {
		hits *Hits
		k    Kernel
		walk walk
	}
	var state Kernel
	all := r.everybody()
	judge, err := r.judge(plan.JudgeAtT || plan.Rows != nil)
	if err != nil {
		return nil, nil, err
	}
	err = Scan(r, Needs{Names: plan.Names, Columns: plan.Columns, Amounts: plan.Amounts, Sources: plan.Sources},
		func() *acc { return &acc{hits: fresh(), k: plan.Kernel()} },
		func(a *acc, p *Person) error {
			a.hits.mask, a.hits.id = all, p.TL.ID
			if judge != nil {
				p.Row = a.walk.row(judge, p.TL.ID)
				if plan.JudgeAtT {
					if a.hits.mask = judge.mask(p.Row); a.hits.mask == 0 {
						return nil
					}
				}
			}
			a.k.Visit(p, a.hits)
			return a.hits.err
		},
		func(a *acc) error {
			total.merge(a.hits)
			if state == nil {
				state = a.k
				return nil
			}
			if m, ok := state.(Merger); ok {
				return m.Merge(a.k)
			}
			return nil
		})
	return total, state, err
}

// list collects the users of one part of a figure.
func (r *Run) list(f *Figure, part Part) (*List, error) {
	plan, err := r.an.plan(r)
	if err != nil {
		return nil, err
	}
	l := &List{Figure: *f, Part: partNames[part]}
	switch {
	case f.Slot == ownSlot && plan.List == nil:
		return nil, fmt.Errorf("%s: this figure has no list", f.Label)
	case f.Slot == ownSlot:
		l.Users, err = plan.List(f, part)
	case f.Slot < plan.Slots:
		var h *Hits
		if h, _, err = r.events(plan, &target{f.Slot, f.Group, part}); err == nil {
			l.Users = h.users
		}
	default:
		var h *Hits
		if h, err = r.rows(plan, &target{f.Slot - plan.Slots, f.Group, part}); err == nil {
			l.Users = h.users
		}
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(l.Users, func(a, b User) int { return compareIDs(a.ID, b.ID) })
	if part != Self {
		l.Figure.Key += "/" + partNames[part]
		l.Figure.Kind, l.Figure.Unit = Count, "users"
		l.Figure.Value, l.Figure.N = float64(len(l.Users)), int64(len(l.Users))
		l.Figure.Interval, l.Figure.None = false, false
	}
	return l, nil
}

// errNoPopulation says that a plan asks for rows outside a population.
var errNoPopulation = errors.New("there is no population")
