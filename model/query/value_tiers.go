package query

import (
	"fmt"
	"math"
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
				{Name: "currency", Type: Text, Help: coinHelp},
			}, groupKeys(), truncatedKeys(), zoneKeys())},
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
// row's users; then each tier's first stays, and for each move from tier to tier
// the days in the first before it.
type tiering struct {
	r      *Run
	ref    measure.Ref
	set    *measure.Set
	filter model.Filter
	staged bool
	cuts   []float64      // percentiles, rising; nil with rule
	rule   value.TierRule // of rule=; zero without
	names  []string
	days   [2]model.Day // as of, and since
	grid   []model.Day  // on whose ends tiers are judged, ascending: the days among them
	on     [2]int       // where the days are in the grid
	cut    [][]float64  // of each day of the grid: the least value of each tier but the lowest, ascending
	sorted []float64    // all users' known values on the as-of day, ascending
	coin   string       // the currency counted, of several: who has nothing in it has no value
	paid   int          // its column among the scan's
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
func (t *tiering) stay(i int) int    { return t.move(t.n()+1, t.n()) + 1 + i }
func (t *tiering) took(a, b int) int { return t.stay(t.n()) + a*t.n() + b }

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
	buys, err := r.buying() // it judges currency=
	if err != nil {
		return nil, err
	}
	if t.ref, t.coin, err = r.valueRef(buys); err != nil {
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
	if t.coin != "" {
		t.paid = slices.Index(t.filter.Columns, r.Dict.Columns.Currency)
	}
	if _, err := t.set.NewCursorFor(t.filter); err != nil {
		return nil, err
	}
	if err := t.rank(); err != nil {
		return nil, err
	}
	return &Plan{Slots: t.took(t.n(), 0), Values: true, List: r.coinList, Columns: t.filter.Columns, Amounts: t.filter.Amounts, JudgeAtT: true, Kernel: t.kernel, Layout: t.layout, Explain: t.explain}, nil
}

// name gives the tiers names and the value a unit.
func (t *tiering) name(fam measure.Family) {
	t.unit, t.money = fam.Unit, fam.Money
	if fam.Money {
		if t.unit, _ = t.r.currency(); t.coin != "" {
			t.unit = t.coin
		} else if cur := t.r.onlyCurrency(t.ref); cur != "" {
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

// A tierValuer reads one user's value on the days of the grid; it belongs to one
// goroutine.
type tierValuer struct {
	t     *tiering
	cur   *measure.Cursor
	st    *Staging
	x     []float64 // by day of the grid
	known []bool
	there int // the first day of the grid on whose end the user was known; len(x): none
}

func (t *tiering) tierValuer() *tierValuer {
	v := &tierValuer{t: t, x: make([]float64, len(t.grid)), known: make([]bool, len(t.grid))}
	v.cur, _ = t.set.NewCursorFor(t.filter) // tried by the plan
	if t.staged {
		v.st, _ = t.r.Staging(t.filter)
	}
	return v
}

// read fills in a user's values.
func (v *tierValuer) read(p *Person) {
	v.cur.Reset(p.TL)
	v.there, _ = slices.BinarySearch(v.t.grid, p.Days[0])
	paid := v.t.firstPaid(p)
	for i := range v.x {
		v.x[i], v.known[i] = 0, false
		if i < v.there {
			continue
		}
		var st measure.State
		if v.st != nil {
			st = v.st.To(p.TL, v.t.grid[i]).State
		}
		v.cur.At(v.t.grid[i], st)
		if v.x[i], v.known[i] = v.cur.Value(0); v.t.grid[i] < paid {
			v.known[i] = false
		}
	}
}

// firstPaid is the first day with an amount in the currency counted; of data in one,
// the first day.
func (t *tiering) firstPaid(p *Person) model.Day {
	if t.coin == "" {
		return p.Days[0]
	}
	key := t.r.Info.Key(t.filter.Columns[t.paid])
	for i, d := range p.Days {
		if p.TL.Props[t.paid].At(key, i) == t.coin && t.r.net(p, i) != model.NoMoney {
			return d
		}
	}
	return math.MaxInt32
}

// tier is the user's tier on a day of the grid; n where there is no value, n + 1
// before the user was there.
func (v *tierValuer) tier(day int) int {
	if day < v.there {
		return v.t.n() + 1
	}
	return v.t.of(day, v.x[day], v.known[day])
}

// The days on which tiers are judged: as many as there are up to mostTierDays, of
// many users fewer, so that their values stay within memory, and of measures that
// need stages fewer still.
const (
	mostTierDays   = 128
	mostTierValues = 16 << 20
	mostStageDays  = 16
)

// days of the grid: the as-of day and back in equal steps to the first of the data,
// with the earlier day of the moves.
func (t *tiering) steps() {
	r := t.r
	most := min(mostTierDays, max(2, int(mostTierValues/max(1, r.Info.Users))))
	if t.staged {
		most = min(most, mostStageDays)
	}
	all := int(r.AsOf-r.FirstDay) + 1
	step := model.Day(max(1, (all+most-1)/most))
	for d := r.AsOf; d >= r.FirstDay; d -= step {
		t.grid = append(t.grid, d)
	}
	t.grid = append(t.grid, t.days[:]...)
	slices.Sort(t.grid)
	t.grid = slices.Compact(t.grid)
	for i, d := range t.days {
		t.on[i], _ = slices.BinarySearch(t.grid, d)
	}
}

// rank gathers all users' values on the days of the grid: tiers are cut among
// everybody, whichever groups are shown.
func (t *tiering) rank() error {
	t.steps()
	type acc struct {
		v  *tierValuer
		of [][]float64
	}
	all := make([][]float64, len(t.grid))
	err := Scan(t.r, Needs{Columns: t.filter.Columns, Amounts: t.filter.Amounts},
		func() *acc { return &acc{v: t.tierValuer(), of: make([][]float64, len(t.grid))} },
		func(a *acc, p *Person) error {
			a.v.read(p)
			for i, known := range a.v.known {
				if known {
					a.of[i] = append(a.of[i], a.v.x[i])
				}
			}
			return nil
		},
		func(a *acc) error {
			for i := range a.of {
				all[i] = append(all[i], a.of[i]...)
			}
			return nil
		})
	for i := range all {
		slices.Sort(all[i])
		t.cut = append(t.cut, t.cutting(all[i]))
	}
	t.sorted = all[t.on[0]]
	return err
}

// cutting are the least values of the tiers but the lowest, by ascending values of
// everybody on a day.
func (t *tiering) cutting(sorted []float64) (out []float64) {
	if t.cuts == nil {
		for _, m := range t.rule.Cut(amounts(sorted)).Cuts {
			out = append(out, m.Float())
		}
		slices.Reverse(out)
		return out
	}
	for _, cut := range t.cuts {
		i := sort.Search(len(sorted), func(i int) bool { return midRank(sorted, sorted[i]) >= cut })
		least := math.Inf(1) // nobody is so high
		if i < len(sorted) {
			least = sorted[i]
		}
		out = append(out, least)
	}
	return out
}

// of is the tier of a value on a day of the grid.
func (t *tiering) of(day int, x float64, known bool) int {
	if !known {
		return t.n()
	}
	tier := 0
	if t.cuts == nil {
		m, ok := model.MoneyOf(x)
		if !ok {
			return t.n()
		}
		x = m.Float() // as the rule's amounts are
	}
	for tier < len(t.cut[day]) && x >= t.cut[day][tier] {
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
		v.read(p)
		now, was := v.tier(t.on[0]), v.tier(t.on[1])
		x := v.x[t.on[0]]
		h.Hit(tierAll, Self)
		if m, ok := model.MoneyOf(x); ok && v.known[t.on[0]] {
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
			h.ScoreBeside(tierUp, x, v.x[t.on[1]])
		case now < was:
			h.ScoreBeside(tierDown, x, v.x[t.on[1]])
		default:
			h.Hit(tierStay, Self)
		}
		t.stays(v, p, was, now, h)
	})
}

// stays walks through the user's tiers: first stays are hit with their days, and a
// move since the earlier day with the days in the tier it left. A stay that may
// have begun before the data do has no days.
func (t *tiering) stays(v *tierValuer, p *Person, was, now int, h *Hits) {
	seen := uint64(0)
	truncated := t.r.Truncated(p.Days[0])
	begin := p.Days[0] // of the stay
	before := false    // there was a stay before it
	for day := v.there; day < len(t.grid); {
		tier := v.tier(day)
		end := day + 1
		for end < len(t.grid) && v.tier(end) == tier {
			end++
		}
		ended := end < len(t.grid)
		last := t.grid[len(t.grid)-1] + 1
		if ended {
			last = t.grid[end]
		}
		if tier < t.n() && (before || !truncated) {
			if seen>>tier&1 == 0 {
				h.Value(t.stay(tier), lifeValue(int(last-begin), ended))
			}
			if ended && day <= t.on[1] && t.on[1] < end && was == tier && now < t.n() && now != was {
				h.Value(t.took(was, now), float64(last-begin))
			}
		}
		if tier < t.n() {
			seen |= 1 << tier
		}
		begin, before, day = last, true, end
	}
}

// meets is the rule that a tier's users meet on the as-of day; "" where the rule
// language has no words for it.
func (t *tiering) meets(i int) string {
	name, lo, hi := t.ref.String(), "", ""
	switch {
	case t.cuts != nil && (name != "revenue" || t.coin != ""):
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
		cuts := t.cut[t.on[0]]
		if i > 0 {
			lo = Number(cuts[i-1])
		}
		if i < len(cuts) {
			hi = Number(cuts[i])
		}
	}
	var parts []string
	if lo != "" {
		parts = append(parts, name+" >= "+lo)
	}
	if t.coin != "" && (lo == "" || strings.HasPrefix(lo, "-") || lo == "0") {
		return "" // who has nothing in the currency would meet it
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
