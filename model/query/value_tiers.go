package query

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/value"
)

// tiersAnalysis divides users into value tiers by a declared rule and shows who
// moved between tiers since an earlier day. Both days are judged by the same rule
// from the events up to that day alone, so a tier of the past is the same whenever
// it is asked for.
func tiersAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "tiers", Title: "Value tiers", Help: "users by value tier, the tiers' share of all value, and the moves up and down since a day", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "value", Type: Text, Help: "the measure that tiers go by: revenue, revenue(90), orders …; revenue, or active_days where there are no amounts, if left out"},
				{Name: "tiers", Type: Text, Default: "20,80", Help: "the percentiles at which tiers are cut, among all users on the day: 80 makes the top 20 % a tier"},
				{Name: "rule", Type: Text, Help: "another rule instead of percentiles: amount:1000,200 (brought at least so much) or share:0.2,0.5 (the best so many of users, ties together)"},
				{Name: "names", Type: Text, Help: "the tiers' names from the lowest up, parted by commas; low, middle, high for three"},
				{Name: "since", Type: Text, Default: "month", Help: "the earlier day of the moves: yesterday, week, month, load, or a day YYYY-MM-DD"},
			}, groupKeys(), zoneKeys())},
		check: func(q Query) error {
			if q.Get("rule") != "" && q.Get("tiers") != "" {
				return fmt.Errorf("rule= and tiers= both say how tiers are cut: give one of them")
			}
			n := 0
			if rule := q.Get("rule"); rule != "" {
				t, err := value.ParseTiers(rule)
				if err != nil {
					return fmt.Errorf("rule=: %w", err)
				}
				n = len(t.Names())
			} else {
				cuts, err := tierCuts(q.Value("tiers"))
				if err != nil {
					return err
				}
				n = len(cuts) + 1
			}
			if names := q.Get("names"); names != "" && len(strings.Split(names, ",")) != n {
				return fmt.Errorf("names=%s names %s, and the rule makes %d", names, plural(len(strings.Split(names, ",")), "tier"), n)
			}
			return checkSince(q)
		},
		plan: planTiers,
	}
}

// A tiering holds what kernel and layout share. Tiers are numbered from the lowest
// up; one more is for users without a value.
//
// Slots: everybody, the moved up, down, stayed; each tier (with money); then
// tier × tier from the earlier day (one more row: not there yet) as rates of the
// row's users.
type tiering struct {
	r      *Run
	ref    measure.Ref
	set    *measure.Set
	filter model.Filter
	staged bool
	cuts   []float64      // percentiles, rising; nil with rule
	rule   value.TierRule // of rule=; zero without
	tiers  [2]value.Tiers // by it, on each day
	names  []string
	days   [2]model.Day // as of, and since
	sorted [2][]float64 // all users' known values on each day, ascending
	unit   string
	money  bool // value is in units of money: sums are exact
}

const (
	tierAll = iota
	tierUp
	tierDown
	tierStay
	tierNew
	tierSlots
)

func (t *tiering) n() int            { return len(t.cuts) + len(t.rule.Shares) + len(t.rule.Thresholds) + 1 }
func (t *tiering) tier(i int) int    { return tierSlots + i }
func (t *tiering) move(a, b int) int { return tierSlots + t.n() + 1 + a*(t.n()+1) + b }

func planTiers(r *Run) (*Plan, error) {
	t := &tiering{r: r}
	var err error
	if w := r.Str("rule"); w != "" {
		t.rule, err = value.ParseTiers(w)
	} else {
		t.cuts, err = tierCuts(r.Str("tiers"))
	}
	if err != nil {
		return nil, err
	}
	if t.ref, err = r.valueRef(); err != nil {
		return nil, err
	}
	if t.set, err = measure.Compile([]measure.Ref{t.ref}, r.Schema); err != nil {
		return nil, err
	}
	fam := t.set.Family(0)
	if fam.Type != measure.Number || fam.Kind == measure.Population {
		return nil, fmt.Errorf("value=: %s is no number of the user's own, so it divides nobody by value", t.ref)
	}
	t.name(fam)
	t.days[0] = r.AsOf
	if t.days[1], err = r.sinceDay(r.Str("since")); err != nil {
		return nil, err
	}
	if t.days[1] >= r.AsOf {
		return nil, fmt.Errorf("since=%s is %s, which is not before the as-of day %s", r.Str("since"), t.days[1], r.AsOf)
	}
	t.filter, t.staged = t.set.Filter(), fam.Stage
	if t.staged {
		t.filter = r.machine.Widen(t.filter)
	}
	if _, err := t.set.NewCursorFor(t.filter); err != nil {
		return nil, err
	}
	if err := t.rank(); err != nil {
		return nil, err
	}
	return &Plan{Slots: t.move(t.n()+1, t.n()) + 1, Columns: t.filter.Columns, Amounts: t.filter.Amounts, JudgeAtT: true, Kernel: t.kernel, Layout: t.layout, Explain: t.explain}, nil
}

// name gives the tiers names and the value a unit.
func (t *tiering) name(fam measure.Family) {
	t.unit, t.money = fam.Unit, fam.Money
	if fam.Money {
		t.unit, _ = t.r.currency()
		if cur := t.r.onlyCurrency(t.ref); cur != "" {
			t.unit = cur
		}
	}
	switch names := t.r.Q.Get("names"); {
	case names != "":
		t.names = strings.Split(names, ",")
		for i := range t.names {
			t.names[i] = strings.TrimSpace(t.names[i])
		}
	case t.cuts == nil:
		t.names = t.rule.Names()
		slices.Reverse(t.names)
	case t.n() == 2:
		t.names = []string{"low", "high"}
	case t.n() == 3:
		t.names = []string{"low", "middle", "high"}
	default:
		for i := range t.n() {
			t.names = append(t.names, "tier "+strconv.Itoa(i+1))
		}
	}
}

// A tierValuer reads one user's value on both days; it belongs to one goroutine.
type tierValuer struct {
	t   *tiering
	cur *measure.Cursor
	st  *Staging
}

func (t *tiering) tierValuer() *tierValuer {
	v := &tierValuer{t: t}
	v.cur, _ = t.set.NewCursorFor(t.filter) // tried by the plan
	if t.staged {
		v.st, _ = t.r.Staging(t.filter)
	}
	return v
}

// read is a user's value on the earlier day and on the as-of day: index as days.
// there says that the user had an event by then, known that there is a value.
func (v *tierValuer) read(p *Person) (x [2]float64, known, there [2]bool) {
	v.cur.Reset(p.TL)
	for _, i := range []int{1, 0} { // days going forward
		on := v.t.days[i]
		if there[i] = p.Days[0] <= on; !there[i] {
			continue
		}
		var st measure.State
		if v.st != nil {
			st = v.st.To(p.TL, on).State
		}
		v.cur.At(on, st)
		x[i], known[i] = v.cur.Value(0)
	}
	return x, known, there
}

// rank gathers all users' values on both days: percentiles are among everybody,
// whichever groups are shown.
func (t *tiering) rank() error {
	type acc struct {
		v  *tierValuer
		of [2][]float64
	}
	err := Scan(t.r, Needs{Columns: t.filter.Columns, Amounts: t.filter.Amounts},
		func() *acc { return &acc{v: t.tierValuer()} },
		func(a *acc, p *Person) error {
			x, known, _ := a.v.read(p)
			for i := range known {
				if known[i] {
					a.of[i] = append(a.of[i], x[i])
				}
			}
			return nil
		},
		func(a *acc) error {
			for i := range a.of {
				t.sorted[i] = append(t.sorted[i], a.of[i]...)
			}
			return nil
		})
	for i := range t.sorted {
		slices.Sort(t.sorted[i])
		if t.cuts == nil {
			t.tiers[i] = t.rule.Cut(amounts(t.sorted[i]))
		}
	}
	return err
}

// of is the tier of a value on day i of the two.
func (t *tiering) of(i int, x float64, known bool) int {
	if !known {
		return t.n()
	}
	if t.cuts == nil {
		m, ok := model.MoneyOf(x)
		if !ok {
			return t.n()
		}
		return t.n() - 1 - t.tiers[i].Of(m)
	}
	x = midRank(t.sorted[i], x)
	tier := 0
	for tier < len(t.cuts) && x >= t.cuts[tier] {
		tier++
	}
	return tier
}

// amounts are values as the rules of tiers read them; those too large to be are
// left out, as they are in no tier.
func amounts(xs []float64) (out []model.Money) {
	for _, x := range xs {
		if m, ok := model.MoneyOf(x); ok {
			out = append(out, m)
		}
	}
	return out
}

func (t *tiering) kernel() Kernel {
	v := t.tierValuer()
	return Visit(func(p *Person, h *Hits) {
		x, known, there := v.read(p)
		now, was := t.of(0, x[0], known[0]), t.n()+1
		if there[1] {
			was = t.of(1, x[1], known[1])
		}
		h.Hit(tierAll, Self)
		if m, ok := model.MoneyOf(x[0]); ok && known[0] {
			h.Money(t.tier(now), m)
		} else {
			h.Hit(t.tier(now), Self)
		}
		for to := range t.n() + 1 {
			h.Rate(t.move(was, to), to == now)
		}
		switch {
		case was > t.n():
			h.Hit(tierNew, Self)
		case was == t.n() || now == t.n():
		case now > was:
			h.ScoreBeside(tierUp, x[0], x[1])
		case now < was:
			h.ScoreBeside(tierDown, x[0], x[1])
		default:
			h.Hit(tierStay, Self)
		}
	})
}

// meets is the rule that a tier's users meet on the as-of day; "" where the rule
// language has no words for it.
func (t *tiering) meets(i int) string {
	name, lo, hi := t.ref.String(), "", ""
	switch {
	case t.cuts != nil && name != "revenue":
		return ""
	case t.cuts != nil:
		name = "value_pct"
		if i > 0 {
			lo = Number(t.cuts[i-1])
		}
		if i < len(t.cuts) {
			hi = Number(t.cuts[i])
		}
	default:
		cuts := t.tiers[0].Cuts // descending: of tiers from the best
		if at := t.n() - 1 - i; at < len(cuts) {
			lo = cuts[at].String()
		}
		if at := t.n() - 2 - i; at >= 0 {
			hi = cuts[at].String()
		}
	}
	var parts []string
	if lo != "" {
		parts = append(parts, name+" >= "+lo)
	}
	if hi != "" {
		parts = append(parts, name+" < "+hi)
	}
	return strings.Join(parts, " and ")
}

// midRank is the percentile of x among sorted values, ties at the middle of their
// ranks, as the measure value_pct has it.
func midRank(sorted []float64, x float64) float64 {
	lo, _ := slices.BinarySearch(sorted, x)
	hi := lo + sort.Search(len(sorted)-lo, func(i int) bool { return sorted[lo+i] > x })
	return 100 * (float64(lo) + float64(hi-lo)/2) / float64(len(sorted))
}
