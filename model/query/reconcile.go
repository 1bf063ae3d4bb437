package query

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"dwell/model"
)

// reconcileAnalysis says why two definitions of one figure differ: which users are
// in one and not in the other, and which rule parts each of them.
//
// The keys in which the two questions differ are switched from a to b one at a
// time in a fixed order, each switch being a question of its own. A user in a and
// not in b is put to the last switch at which they left, one in b and not in a to
// the last at which they joined: so each user stands at exactly one rule, and
//
//	b − a = Σ joined − Σ left
//
// holds exactly. Another order could put a user to another rule where two rules
// must come together; the order is part of the answer.
func reconcileAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "reconcile", Title: "Reconcile", Help: "why two definitions of one figure differ: the users in a not b and b not a, by the rule that parts them", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "a", Type: Address, Help: "the one question, escaped"},
				{Name: "b", Type: Address, Help: "the other, of the same analysis"},
				{Name: "figure", Type: Text, Help: "the key of the figure in both, as week.4"},
				{Name: "figureb", Type: Text, Help: "its key in b, where that is another"},
			})},
		check: func(q Query) error {
			a, b, err := sides(q)
			switch {
			case err != nil:
				return err
			case a.Analysis != b.Analysis:
				return fmt.Errorf("a= asks %s and b= asks %s: two definitions of one analysis are reconciled, compare puts different ones side by side", a.Analysis, b.Analysis)
			case a.ID != b.ID:
				return fmt.Errorf("a= asks %s/%s and b= %s/%s: the same %s is reconciled", a.Analysis, a.ID, b.Analysis, b.ID, a.Analysis)
			case q.Get("figure") == "":
				return fmt.Errorf("figure= says which figure is reconciled: give its key, as figure=week.4")
			}
			return nil
		},
		plan: planReconcile,
	}
}

// reconcileOrder is the fixed order of the switches, with what each rule is called.
// Keys that are not named here follow, by name.
var reconcileOrder = [...]struct{ key, rule string }{
	{"@", "as-of day (open period)"}, {"zone", "time zone"}, {"window", "window: calendar or 24 h"}, {"round", "rounding to the hour"},
	{"unit", "length of the interval"}, {"every", "length of the interval"}, {"zero", "what interval 0 asks for"},
	{"kind", "start kind"}, {"start", "start event"}, {"return", "return event"}, {"returns", "number of returns"}, {"activity", "what makes a day active"},
	{"step", "steps"}, {"order", "order of the steps"}, {"try", "first or best try"}, {"grace", "grace between steps"}, {"exclude", "excluded events"}, {"between", "excluded events"}, {"exclusion", "what an excluded event does"},
	{"hold", "property held constant"}, {"count", "what is counted"}, {"from", "days of entry"}, {"to", "days of entry"},
	{"mode", "on, on-or-after, bracket or streak"}, {"brackets", "brackets"}, {"within", "equal follow-up"},
	{"eligible", "eligibility"}, {"pending", "open period"}, {"truncated", "left truncation"}, {"new", "who is new"},
	{"cohort", "cohort period"}, {"intervals", "number of intervals"}, {"judge", "when groups are judged"}, {"landmark", "when groups are judged"},
	{"segment", "segment"}, {"where", "rule of the group"}, {"of", "population"}, {"key", "population"},
}

// A reconciled is one switch: its keys (several where one alone makes no question,
// or no such figure), the answer behind it, and who left and joined for good.
type reconciled struct {
	keys   []string
	ask    *Answer
	figure string // the figure's key in it

	part [2]reconciledUsers // the figure's users; a rate's denominator
}

// reconciledUsers are the users of one switch who part a and b.
type reconciledUsers struct{ left, joined []User }

// A reconciliation holds the switches; the first is a itself.
type reconciliation struct {
	r     *Run
	steps []reconciled
	rate  bool
	sets  [2]struct{ a, b, onlyA, onlyB, both []User }
}

func planReconcile(r *Run) (*Plan, error) {
	a, b, err := sides(r.Q)
	if err != nil {
		return nil, err
	}
	p := &reconciliation{r: r}
	if err := p.path(withPreset(a), withPreset(b)); err != nil {
		return nil, err
	}
	if err := p.part(); err != nil {
		return nil, err
	}
	return &Plan{Layout: p.layout, List: p.list}, nil
}

// valuesOf are a key's values, of "@" the day.
func valuesOf(q Query, key string) []string {
	if key == "@" {
		return []string{q.AsOf.String()}
	}
	return q.All(key)
}

// switched is q with one key as in b.
func switched(q, b Query, key string) Query {
	if key == "@" {
		q.AsOf = b.AsOf
		return q
	}
	return q.With(key, b.All(key)...)
}

// differing are the keys in which two questions differ, in the fixed order.
func differing(a, b Query) (out []string) {
	all := []string{"@"}
	for _, q := range []Query{a, b} {
		for _, p := range q.Params {
			all = append(all, p.Key)
		}
	}
	slices.Sort(all)
	for _, key := range slices.Compact(all) {
		if !slices.Equal(valuesOf(a, key), valuesOf(b, key)) {
			out = append(out, key)
		}
	}
	place := func(key string) int {
		for i := range reconcileOrder {
			if reconcileOrder[i].key == key {
				return i
			}
		}
		return len(reconcileOrder)
	}
	sort.SliceStable(out, func(i, j int) bool { return place(out[i]) < place(out[j]) })
	return out
}

// path answers a, every switch that makes a question, and b.
func (p *reconciliation) path(a, b Query) error {
	var err error
	if a, err = a.Check(); err != nil {
		return fmt.Errorf("a=: %w", err)
	}
	if b, err = b.Check(); err != nil {
		return fmt.Errorf("b=: %w", err)
	}
	names := []string{p.r.Str("figure")}
	if other := p.r.Str("figureb"); other != "" {
		names = append(names, other)
	}
	answer := func(q Query, names ...string) (reconciled, error) {
		ask, err := p.r.within(q)
		if err != nil {
			return reconciled{}, err
		}
		for _, name := range names {
			if ask.Figure(name) != nil {
				return reconciled{ask: ask, figure: name}, nil
			}
		}
		_, _, err = figurePart(ask, names[0])
		return reconciled{}, err
	}
	first, err := answer(a, names[0])
	if err != nil {
		return fmt.Errorf("a=: %w", err)
	}
	last, err := answer(b, names[len(names)-1])
	if err != nil {
		return fmt.Errorf("b=: %w", err)
	}
	fa, fb := first.ask.Figure(first.figure), last.ask.Figure(last.figure)
	switch {
	case fa.Kind != fb.Kind:
		return fmt.Errorf("%s is a %s in a and a %s in b: figures of one kind are reconciled", fa.Key, fa.Kind, fb.Kind)
	case fa.Kind == Sum || fa.Kind == Rows || fa.Kind == Read:
		return fmt.Errorf("%s is a %s: the users of counts and rates are reconciled; compare puts both side by side", fa.Key, fa.Kind)
	}
	p.rate = fa.Kind == Rate
	p.steps = []reconciled{first}
	keys := differing(a, b)
	if len(keys) == 0 && first.figure == last.figure {
		return fmt.Errorf("a= and b= are the same question, %s: there is nothing to reconcile", a)
	}
	q, waiting := a, []string(nil)
	for _, key := range keys {
		q = switched(q, b, key)
		waiting = append(waiting, key)
		if slices.Equal(waiting, keys[len(keys)-len(waiting):]) && key == keys[len(keys)-1] {
			break // this is b
		}
		checked, err := q.Check()
		if err != nil {
			continue // half a change: it goes with the next key
		}
		step, err := answer(checked, names...)
		if err != nil || step.ask.Figure(step.figure).Kind != fa.Kind {
			if p.r.Ctx.Err() != nil {
				return p.r.Ctx.Err()
			}
			continue
		}
		step.keys, waiting = waiting, nil
		p.steps = append(p.steps, step)
	}
	last.keys = waiting
	p.steps = append(p.steps, last)
	return nil
}

// part finds out at which switch each user left or joined for good.
func (p *reconciliation) part() error {
	parts := []Part{Self}
	if p.rate {
		parts = append(parts, Of)
	}
	type place struct {
		user    User
		inA, in bool
		seen    int // the last switch that had them
		last    int // the last switch that changed it
	}
	name := func(u User) string { return fmt.Sprintf("%s\x00%d", u.ID, u.Times) } // a user may be there for several intervals
	for which, part := range parts {
		users := map[string]*place{}
		for i, s := range p.steps {
			key := s.figure
			if part != Self {
				key += "/" + partNames[part]
			}
			l, err := p.r.eng.behind(p.r.Ctx, p.r.st, s.ask, key, p.r.progress)
			if err != nil {
				return err
			}
			for _, u := range l.Users {
				at := users[name(u)]
				if at == nil {
					at = &place{user: u}
					users[name(u)] = at
				}
				switch {
				case i == 0:
					at.inA, at.in = true, true
				case !at.in:
					at.in, at.last = true, i
				}
				at.seen = i
			}
			for _, at := range users {
				if at.in && at.seen != i {
					at.in, at.last = false, i
				}
			}
		}
		set := &p.sets[which]
		for _, id := range placesByName(users) {
			at := users[id]
			step := &p.steps[at.last].part[which]
			if at.inA {
				set.a = append(set.a, at.user)
			}
			if at.in {
				set.b = append(set.b, at.user)
			}
			switch {
			case at.inA && at.in:
				set.both = append(set.both, at.user)
			case at.inA:
				set.onlyA, step.left = append(set.onlyA, at.user), append(step.left, at.user)
			case at.in:
				set.onlyB, step.joined = append(set.onlyB, at.user), append(step.joined, at.user)
			}
		}
		sum := 0
		for i := range p.steps {
			sum += len(p.steps[i].part[which].joined) - len(p.steps[i].part[which].left)
		}
		if sum != len(set.b)-len(set.a) {
			return fmt.Errorf("the parts add to %d and the difference is %d: this is a fault of the program", sum, len(set.b)-len(set.a))
		}
	}
	return nil
}

func placesByName[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// rule names a switch for a person, word in keys.
func (s *reconciled) rule() string {
	var out []string
	for _, key := range s.keys {
		name := key + "="
		for i := range reconcileOrder {
			if reconcileOrder[i].key == key {
				name = reconcileOrder[i].rule
			}
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

func (s *reconciled) word() string {
	return strings.ReplaceAll(strings.Join(s.keys, "+"), "@", "as-of")
}

// to says what a switch sets.
func (s *reconciled) to(b Query) string {
	var out []string
	for _, key := range s.keys {
		switch v := valuesOf(b, key); {
		case key == "@" && b.AsOf == model.NoDay:
			out = append(out, "the last day")
		case key == "@":
			out = append(out, "@"+v[0])
		case len(v) == 0:
			out = append(out, key+"="+orNone(b.Value(key)))
		default:
			out = append(out, key+"="+strings.Join(v, ", "))
		}
	}
	return strings.Join(out, " ")
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// partWords are the names of the two parts in keys and heads.
var partWords = [2]struct{ key, head string }{{"", "in the figure"}, {"of.", "in its denominator"}}

func (p *reconciliation) layout(b *Builder) error {
	first, last := &p.steps[0], &p.steps[len(p.steps)-1]
	fa, fb := first.ask.Figure(first.figure), last.ask.Figure(last.figure)
	b.A.Title = "Reconcile · " + fa.Label + " · " + first.ask.Title + " — " + last.ask.Title
	b.A.Definition = "The keys in which the questions differ are switched from a to b one at a time, in the order of the table. Each user in a and not in b stands at the last switch at which they left, each in b and not in a at the last at which they joined: the parts add to the difference exactly."
	count := func(key, label string, users []User) int {
		f := Figure{Key: key, Label: label, Kind: Count, Value: float64(len(users)), N: int64(len(users)), Unit: "users"}
		if fa.Pairs || fa.Kind == Pairs {
			f.Kind, f.Unit = Pairs, "user-intervals"
		}
		return b.Own(f)
	}
	for which := range p.parts() {
		set, w := &p.sets[which], partWords[which]
		bl := Block{Kind: TableBlock, Name: w.key + "sets", Title: "users " + w.head, Heads: []Head{{"users", true}, {"question", false}}}
		for _, x := range []struct {
			key, label string
			users      []User
			link       string
		}{{"a", "a", set.a, first.ask.Address}, {"b", "b", set.b, last.ask.Address}, {"both", "in both", set.both, ""}, {"only-a", "in a, not in b", set.onlyA, ""}, {"only-b", "in b, not in a", set.onlyB, ""}} {
			bl.Rows = append(bl.Rows, Row{Key: x.key, Label: x.label, Cells: []Cell{b.Cell(count(w.key+x.key, "users "+w.head+": "+x.label, x.users)), {Figure: NoFigure, Text: x.link, Go: x.link}}})
		}
		b.Block(bl)
		steps := Block{Kind: TableBlock, Name: w.key + "rules", Title: "by the rule that parts them, " + w.head, Heads: []Head{{"left", true}, {"joined", true}, {"net", true}, {"then", true}, {"switched to", false}}}
		for i := range p.steps[1:] {
			s := &p.steps[i+1]
			word := w.key + "by." + s.word()
			left, joined := s.part[which].left, s.part[which].joined
			then := fmt.Sprint(p.size(i+1, which))
			if p.rate {
				then = rateText(s.ask.Figure(s.figure))
			}
			steps.Rows = append(steps.Rows, Row{Key: s.word(), Label: s.rule(), Cells: []Cell{
				b.Cell(count(word+".left", "left by "+s.rule(), left)), b.Cell(count(word+".joined", "joined by "+s.rule(), joined)),
				TextCell(fmt.Sprintf("%+d", len(joined)-len(left))), TextCell(then), {Figure: NoFigure, Text: s.to(last.ask.Query), Go: s.ask.Address}}})
		}
		steps.Rows = append(steps.Rows, Row{Key: "sum", Label: "together", Cells: []Cell{
			TextCell(fmt.Sprint(len(set.onlyA))), TextCell(fmt.Sprint(len(set.onlyB))), TextCell(fmt.Sprintf("%+d", len(set.b)-len(set.a))), TextCell(""), TextCell("")}})
		b.Block(steps)
	}
	if p.rate {
		b.Block(Block{Kind: TextBlock, Name: "rates", Title: "the rates", Lines: []string{"a: " + rateText(fa) + fmt.Sprintf(" of %d", fa.N), "b: " + rateText(fb) + fmt.Sprintf(" of %d", fb.N)}})
	}
	if fa.Key != fb.Key {
		b.Warn("two-figures", "The figure is %s in a and %s in b; on the way the one that is there is taken.", fa.Key, fb.Key)
	}
	b.A.volatile = first.ask.volatile || last.ask.volatile
	return nil
}

// parts is how many sets are reconciled: a rate has a denominator as well.
func (p *reconciliation) parts() int {
	if p.rate {
		return 2
	}
	return 1
}

// size is how many users a switch's figure (or denominator) has.
func (p *reconciliation) size(i, which int) int64 {
	f := p.steps[i].ask.Figure(p.steps[i].figure)
	if p.rate && which == 0 {
		return returned(f)
	}
	return f.N
}

func (p *reconciliation) list(f *Figure, part Part) ([]User, error) {
	which, key := 0, f.Key
	if rest, ok := strings.CutPrefix(key, "of."); ok {
		which, key = 1, rest
	}
	set := &p.sets[which]
	if users, ok := map[string][]User{"a": set.a, "b": set.b, "both": set.both, "only-a": set.onlyA, "only-b": set.onlyB}[key]; ok {
		return slices.Clone(users), nil
	}
	for i := range p.steps[1:] {
		s := &p.steps[i+1]
		switch key {
		case "by." + s.word() + ".left":
			return slices.Clone(s.part[which].left), nil
		case "by." + s.word() + ".joined":
			return slices.Clone(s.part[which].joined), nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrNoFigure, f.Key)
}
