package query

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/measure"
)

// Answer answers a question. The answer is shared: do not modify it.
func (e *Engine) Answer(ctx context.Context, q Query, p Progress) (*Answer, error) {
	st, err := e.hold(ctx, p)
	if err != nil {
		return nil, err
	}
	a, err := e.answerAt(ctx, st, q, p)
	return a, errors.Join(err, st.drop())
}

// answerAt answers a question of one state, which the caller holds.
func (e *Engine) answerAt(ctx context.Context, st *state, q Query, p Progress) (*Answer, error) {
	q, err := q.Check()
	if err != nil {
		return nil, err
	}
	key, err := e.cacheKey(st, q)
	if err != nil {
		return nil, err
	}
	if a := e.recall(key); a != nil {
		return e.aged(st, a), nil
	}
	st.users.Add(1) // for the run, which may outlive this asker
	return e.share(ctx, key, p, func(ctx context.Context, p Progress) (*Answer, error) {
		r, err := e.newRun(ctx, st, q, p)
		if err != nil {
			return nil, err
		}
		a, err := r.answer()
		switch {
		case err != nil:
			return nil, err
		case e.opt.Forget:
			a.index()
		default:
			e.keep(key, a)
		}
		return a, nil
	}, st.drop)
}

// Users is the list behind a figure of the answer to q: the users of the
// figure's key, or of one of its parts (KEY/of, KEY/lost, KEY/open,
// KEY/open-returned). They come from the same computation as the figure.
func (e *Engine) Users(ctx context.Context, q Query, key string, p Progress) (*List, error) {
	st, err := e.hold(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.drop() }() // a snapshot that was read to its end has nothing more to say
	a, err := e.answerAt(ctx, st, q, p)
	if err != nil {
		return nil, err
	}
	return e.behind(ctx, st, a, key, p)
}

// behind is the list behind a figure of an answer of the same state: both come
// from one data version.
func (e *Engine) behind(ctx context.Context, st *state, a *Answer, key string, p Progress) (*List, error) {
	f, part, err := figurePart(a, key)
	if err != nil {
		return nil, err
	}
	return guarded(func() (*List, error) {
		r, err := e.newRun(ctx, st, a.Query, p)
		if err != nil {
			return nil, err
		}
		return r.list(f, part)
	})
}

// within answers a question that another run asks. It takes no place among the
// running jobs, for the asker has one: runs that wait for one another's places
// would wait for ever.
func (r *Run) within(q Query) (*Answer, error) {
	q, err := q.Check()
	if err != nil {
		return nil, err
	}
	key, err := r.eng.cacheKey(r.st, q)
	if err != nil {
		return nil, err
	}
	if a := r.eng.recall(key); a != nil {
		return r.eng.aged(r.st, a), nil
	}
	inner, err := r.eng.newRun(r.Ctx, r.st, q, r.progress)
	if err != nil {
		return nil, err
	}
	a, err := inner.answer()
	if err != nil {
		return nil, err
	}
	r.eng.keep(key, a)
	return a, nil
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
	return nil, 0, fmt.Errorf("%w: %s has no figure %q%s: list its keys with --keys", ErrNoFigure, a.Address, key, didYouMean(key, all))
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
	r := &Run{Ctx: ctx, Q: q, Spec: a.Spec, machine: st.machine, Snap: st.snap, Info: st.info, Dict: st.dict, eng: e, st: st, an: a, progress: p}
	r.Schema, r.Cal, r.Roles = st.data.Schema, st.data.Schema.Cal, st.data.Schema.Roles
	if z := r.Str("zone"); z != "" && z != st.dict.Zone {
		if r.Schema, err = rezone(st, z); err != nil {
			return nil, err
		}
		r.Cal = r.Schema.Cal
		if r.machine, err = r.machineFor(); err != nil {
			return nil, err
		}
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
	return r, r.settleTruncation()
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
	if b.rows, err = r.overRows(plan, nil); err != nil {
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
	if !r.Spec.Windowed { // a list says itself whose it is
		if _, err := r.behindOf(); err != nil {
			return nil, err
		}
	}
	r.among.note(b)
	if r.lint(b); b.err != nil {
		return nil, b.err
	}
	return b.A, r.annotate(b.A)
}

// A target is the one list that a run is to collect.
type target struct {
	slot, group int
	part        Part
	limit       int // stop with so many; 0: all
}

// errEnough ends a scan that has found as many users as it was sent for.
var errEnough = errors.New("enough users were found")

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
	if plan.Kept != nil {
		if done, err := plan.Kept(t, total); done || err != nil {
			return total, nil, err
		}
	}
	needs := Needs{Names: plan.Names, Columns: plan.Columns, Amounts: plan.Amounts, Sources: plan.Sources}
	j, err := r.judging(plan.JudgeAtT)
	if err != nil {
		return nil, nil, err
	}
	var names map[model.NameID]bool // of the events shown to the kernel, where judges need all
	if j != nil && j.pop == nil {
		needs = j.widen(r, needs)
		if _, err := j.judge(r, needs); err != nil {
			return nil, nil, err
		}
		if plan.Names != nil {
			needs.Names, names = nil, map[model.NameID]bool{}
			for _, n := range plan.Names {
				if i := r.Info.NameIndex(n); i >= 0 {
					names[model.NameID(i)] = true
				}
			}
		}
	}
	var pop *Population
	if plan.Person {
		if pop, err = r.Population(); err != nil {
			return nil, nil, err
		}
	} else if j != nil {
		pop = j.pop
	}
	among, err := r.behindOf()
	if err != nil {
		return nil, nil, err
	}
	type acc struct {
		hits  *Hits
		k     Kernel
		judge *judge
		view  view
		seen  bool
	}
	var state Kernel
	var seen, asked bool
	all := r.everybody()
	err = Scan(r, needs,
		func() *acc {
			a := &acc{hits: fresh(), k: plan.Kernel()}
			if j != nil && j.pop == nil {
				a.judge, _ = j.judge(r, needs) // tried above
			}
			return a
		},
		func(a *acc, p *Person) error {
			if !among.has(p.TL.ID) {
				return nil
			}
			a.hits.mask, a.hits.id = all, p.TL.ID
			if pop != nil {
				p.Row = pop.Row(p.TL.ID)
			}
			if a.judge != nil {
				p.full, p.judge = p.TL, a.judge
				a.judge.fresh = true
				if names != nil && !a.view.cut(p, names) {
					return nil
				}
			} else if j != nil {
				if a.hits.mask = j.mask(p.Row); a.hits.mask == 0 {
					return nil
				}
			}
			a.seen = true
			a.k.Visit(p, a.hits)
			return a.hits.err
		},
		func(a *acc) error {
			total.merge(a.hits)
			if t != nil && t.limit > 0 && len(total.users) >= t.limit {
				return errEnough
			}
			seen, asked = seen || a.seen, asked || a.judge == nil || a.judge.asked
			if state == nil {
				state = a.k
				return nil
			}
			if m, ok := state.(Merger); ok {
				return m.Merge(a.k)
			}
			return nil
		})
	if f, ok := state.(Flusher); ok && err == nil {
		f.Flush(total)
	}
	if errors.Is(err, errEnough) {
		total.users, err = total.users[:t.limit], nil
	}
	if err == nil && seen && !asked {
		err = fmt.Errorf("%s takes where= and segment= but asks nobody: its kernel must call Run.At, or its plan set JudgeAtT", r.Spec.Name)
	}
	return total, state, err
}

// list collects the users of one part of a figure.
func (r *Run) list(f *Figure, part Part) (*List, error) {
	plan, err := r.an.plan(r)
	if err != nil {
		return nil, err
	}
	return r.collect(plan, f, part, 0)
}

// collect is list by a plan that is there already; with a limit, of the first
// users in the order of the data.
func (r *Run) collect(plan *Plan, f *Figure, part Part, limit int) (l *List, err error) {
	l = &List{Figure: *f, Part: partNames[part]}
	switch {
	case f.Slot == ownSlot && plan.List == nil:
		return nil, fmt.Errorf("%s: this figure has no list", f.Label)
	case f.Slot == ownSlot:
		l.Users, err = plan.List(f, part)
	case f.Slot < plan.Slots:
		var h *Hits
		if h, _, err = r.events(plan, &target{f.Slot, f.Group, part, limit}); err == nil {
			l.Users = h.users
		}
	default:
		var h *Hits
		if h, err = r.overRows(plan, &target{f.Slot - plan.Slots, f.Group, part, limit}); err == nil {
			l.Users = h.users
		}
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(l.Users, func(a, b User) int { return strings.Compare(a.ID, b.ID) })
	if part != Self {
		l.Figure.Key += "/" + partNames[part]
		l.Figure.Kind, l.Figure.Unit = Count, "users"
		l.Figure.Value, l.Figure.N = float64(len(l.Users)), int64(len(l.Users))
		l.Figure.Interval, l.Figure.None = false, false
	}
	if f.Pairs {
		l.Figure.Kind, l.Figure.Unit = Pairs, "user-intervals"
		l.Figure.Value, l.Figure.N = float64(len(l.Users)), int64(len(l.Users))
		l.Figure.Interval, l.Figure.None = false, false
	}
	return l, nil
}
