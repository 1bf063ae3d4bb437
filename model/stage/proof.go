package stage

import (
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/rule"
)

// A Clause is one condition of a rule with the numbers that met it, or did not.
type Clause struct {
	Text    string // as in the model: "spell_active_days >= need + 1"
	Holds   bool   // as written
	Not     bool   // it stands under a not: the rule wants it not to hold
	Plain   string // in words: "4 active days since 2011-01-04 (4 are needed)"
	Measure string // the one measure it reads, as in rules; "" if several or none
	Unit    string
	Value   float64 // of the measure
	Known   bool    // the measure has a value
	Op      string  // < <= > >= == !=; "" where it is no comparison with a number
	Bound   float64 // what it was compared with, worked out
	Events  []int   // the events behind the value: indices into the timeline
}

// A Proof says why one transition happened. It is recomputed from the user's
// timeline; Clauses alone, judged again, give the same verdict.
type Proof struct {
	Transition
	Rule     string   // EntryInfo.ID
	When     string   // the whole rule; "" for the start
	FromName string   // "" for the start
	ToName   string   //
	Least    int      // days the stage left had to last; 0 where the rule ignores dwell
	Lasted   int      // days it did last
	Variant  string   // whose numbers were in force; "" for the model's own
	Clauses  []Clause // those that met the rule
	Events   []int    // behind them, in order, each once
	Sentence string   // the whole in plain words
	// Near is the promotion that came nearest and did not happen, on the same day
	// from the stage entered; nil if there is none to be had.
	Near *Near
}

// A Near is a promotion that did not happen.
type Near struct {
	Rule    string
	Stage   int
	Missing []Clause // what did not hold
	Wait    int      // days of least dwell still to go
	Plain   string   // "missing for growth: 2 more active days"
}

// A Prover proves transitions of one machine. It belongs to one goroutine.
type Prover struct {
	r   *Replayer
	m   *Machine        // of the variant in force on the day
	cur *measure.Cursor // its cursor, the replayer's own
	h   History
}

// NewProver makes a prover for timelines scanned with Machine.Filter.
func (m *Machine) NewProver() *Prover {
	r := m.NewReplayer()
	return &Prover{m: m, r: r, cur: r.cur}
}

// stand moves to a day of the history in hand, under the variant of that day.
func (p *Prover) stand(day model.Day, st measure.State) {
	p.r.use(p.h.Variant(day), day, st)
	p.m, p.cur = p.r.m, p.r.cur
}

// NewProverFor makes a prover for timelines scanned with a wider filter.
func (m *Machine) NewProverFor(f model.Filter) (*Prover, error) {
	r, err := m.NewReplayerFor(f)
	if err != nil {
		return nil, err
	}
	return &Prover{m: m, r: r, cur: r.cur}, nil
}

// Prove proves transition i of the history up to the as-of day. It fails if
// there is no such transition.
func (p *Prover) Prove(tl *model.Timeline, asOf model.Day, i int) (*Proof, error) {
	p.r.Replay(tl, asOf, &p.h)
	if i < 0 || i >= len(p.h.Transitions) {
		return nil, fmt.Errorf("there is no transition %d: the history up to %s has %d", i, asOf, len(p.h.Transitions))
	}
	t := p.h.Transitions[i]
	m := p.r.base.in(p.h.Variant(t.Day))
	e := m.entries[t.Entry]
	out := &Proof{Transition: t, Rule: e.ID, When: e.When, ToName: m.model.Stages[t.To].Name, Variant: p.r.base.Variants()[p.h.Variant(t.Day)]}
	var before measure.State
	for _, x := range p.h.Transitions[:i] {
		before = m.enter(before, x)
	}
	if i > 0 {
		before.MaxDwell = m.stages[before.Stage].max
	}
	p.r.reset(tl)
	p.stand(t.Day, before)
	if e.Kind == Start {
		out.Events = p.cur.Events(t.Day, t.Day)
		out.Events = out.Events[:min(1, len(out.Events))]
	} else {
		out.FromName = m.model.Stages[t.From].Name
		out.Lasted = int(t.Day - before.Since)
		if e.Kind == Promotion {
			out.Least = m.stages[t.From].min
		}
		out.Clauses = p.clauses(e.check.rule, true)
		for _, c := range out.Clauses {
			out.Events = append(out.Events, c.Events...)
		}
		slices.Sort(out.Events)
		out.Events = slices.Compact(out.Events)
	}
	out.Sentence = p.sentence(out, e.Kind)
	after := m.enter(before, t)
	p.stand(t.Day, after)
	out.Near = p.near(after)
	return out, nil
}

// clauses are the conditions that made a rule come out as it did.
func (p *Prover) clauses(r *rule.Rule, verdict bool) (out []Clause) {
	for _, rc := range r.Proof(p.cur) {
		if rc.Decides {
			out = append(out, p.clause(rc, rc.Holds != verdict))
		}
	}
	return out
}

// mirrored turns a comparison round: 3 < x is x > 3.
var mirrored = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

// clause works one clause out on the cursor's day. A clause that decides against
// its own truth stands under a not.
func (p *Prover) clause(rc rule.Clause, not bool) Clause {
	c := Clause{Text: rc.Text, Holds: rc.Holds, Not: not}
	for _, slot := range rc.Slots {
		ref := p.m.set.Ref(slot)
		c.Events = append(c.Events, p.behind(ref)...)
		if len(rc.Slots) > 1 {
			continue
		}
		c.Measure, c.Unit = ref.String(), p.m.set.Family(slot).Unit
		c.Value, c.Known = p.cur.Value(slot)
		// The side that is the bare measure; a formula of it has other units.
		switch {
		case rc.Op == "":
		case rc.KnownRight && rc.KnownLeft == c.Known && rc.Left == c.Value:
			c.Op, c.Bound = rc.Op, rc.Right
		case rc.KnownLeft && rc.KnownRight == c.Known && rc.Right == c.Value:
			c.Op, c.Bound = mirrored[rc.Op], rc.Left
		}
	}
	slices.Sort(c.Events)
	c.Events = slices.Compact(c.Events)
	c.Plain = p.plain(c)
	if len(rc.Slots) > 1 && rc.Op != "" && rc.KnownLeft && rc.KnownRight {
		c.Plain = fmt.Sprintf("%s (%s %s %s)", c.Plain, short(rc.Left), rc.Op, short(rc.Right))
	}
	return c
}

// behind are the events that a measure's value came from: those of the spell, of
// the window, of the day, or the last active day's.
func (p *Prover) behind(ref measure.Ref) []int {
	day, st := p.cur.Day(), p.cur.State()
	from := p.cur.First()
	want := model.Role.Active
	switch ref.Name {
	case "recency_days", "overdue":
		if last := p.lastActive(); last != model.NoDay {
			from = last
		}
	case "active_today":
		from = day
	case "spell_active_days":
		from = st.SpellFrom
	case "beats_active_4":
		from = max(st.SpellFrom, day-4*model.Day(p.beat())+1)
	case "cancelled_today":
		want = func(r model.Role) bool { return r&model.Cancel != 0 }
	case "contract_open":
		want = func(r model.Role) bool { return r&model.Purchase != 0 }
	case "stage", "dwell_days", "max_dwell", "high_water", "spell", "tenure_days":
		return nil
	default:
		if ref.Days > 0 {
			from = max(from, day-model.Day(ref.Days)+1)
		}
		if ref.Event != "" || ref.Role != 0 || ref.Name == "events" {
			want = func(r model.Role) bool { return ref.Role == 0 || r&ref.Role != 0 }
		}
	}
	return slices.DeleteFunc(p.cur.Events(from, day), func(i int) bool {
		return !want(p.role(i)) || ref.Event != "" && p.m.schema.Info.Names[p.cur.Timeline().Name[i]].Name != ref.Event
	})
}

func (p *Prover) role(i int) model.Role {
	tl, amount := p.cur.Timeline(), model.NoMoney
	if tl.Amount != nil {
		amount = tl.Amount[i]
	}
	return p.m.schema.Roles.Of(tl.Name[i], amount)
}

// lastActive is the last active day up to the cursor's, or NoDay.
func (p *Prover) lastActive() model.Day {
	all := p.cur.Events(p.cur.First(), p.cur.Day())
	for k := len(all) - 1; k >= 0; k-- {
		if p.role(all[k]).Active() {
			return p.m.schema.Cal.EventDay(p.cur.Timeline(), all[k])
		}
	}
	return model.NoDay
}

func (p *Prover) beat() int { v, _ := p.m.model.Param("beat"); return int(v) }

// near is the promotion out of the state's stage that lacks least. Its Plain
// says what is missing, as the subject of a sentence.
func (p *Prover) near(st measure.State) *Near {
	m := p.m
	var best *Near
	least := 0.0
	for _, e := range m.stages[st.Stage].up {
		n := &Near{Rule: m.entries[e].ID, Stage: m.entries[e].to}
		n.Wait = max(0, m.stages[st.Stage].min-int(p.cur.Day()-st.Since))
		lack := 0.0
		if n.Wait > 0 {
			lack = float64(n.Wait) / float64(m.stages[st.Stage].min)
		}
		if r := m.entries[e].check.rule; !r.Holds(p.cur) {
			n.Missing = p.clauses(r, false)
			for _, c := range n.Missing {
				lack += shortfall(c)
			}
		}
		if len(n.Missing) == 0 && n.Wait == 0 {
			continue // it holds, and comes tomorrow: one promotion a day
		}
		if best == nil || lack < least {
			n.Plain = p.missing(n, st)
			best, least = n, lack
		}
	}
	return best
}

// shortfall is how far a clause is from holding, as a share of what it asks for;
// 1 where that cannot be said.
func shortfall(c Clause) float64 {
	if c.Op == "" || !c.Known || c.Bound == 0 {
		return 1
	}
	d := (c.Bound - c.Value) / c.Bound
	return min(1, max(d, -d))
}
