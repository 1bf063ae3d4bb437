package query

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"dwell/model"
	"dwell/model/survival"
)

// survivalAnalysis asks how long users live: the share not yet churned by age,
// with its interval and the numbers at risk.
func survivalAnalysis() analysis {
	return analysis{
		Spec: Spec{
			Name: "survival", Title: "Survival", Help: "how long users stay: the share not yet churned by age, with numbers at risk, median, mean, fits and comparison", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "by", Type: Text, Help: "compare by cohort, channel, a property at the start, or at a landmark by stage or any measure"},
				{Name: "cohort", Type: Word, Values: []string{"week", "month", "quarter"}, Default: "month", Help: "period of the start that by=cohort goes by"},
				{Name: "top", Type: Int, Min: 1, Default: "6", Help: "how many values of by= are told apart; the others stand together"},
				{Name: "spells", Type: Word, Values: []string{"one", "all"}, Default: "one", Help: "one spell of each user (spell=), or all of them pooled: user-spells, with intervals from resampling users"},
				{Name: "every", Type: Int, Min: 1, Help: "days between the rows; left out: as many as make about twenty"},
				{Name: "until", Type: Int, Min: 1, Help: "the last day shown, to which the mean is restricted; left out: as far as somebody is at risk in every group"},
				{Name: "fit", Type: Word, Values: []string{"best", "weibull", "exponential", "lognormal", "loglogistic"}, Default: "best", Help: "the family whose forecast is drawn; best is the one of the lowest AIC"},
				{Name: "forecast", Type: Int, Min: 1, Help: "draw the fitted curve with its band, and so many days beyond the data"},
			}, lifeKeys(), groupKeys(), truncatedKeys(), zoneKeys()),
		},
		check: func(q Query) error {
			if q.Get("by") == "" {
				for _, k := range []string{"cohort", "top"} {
					if q.Get(k) != "" {
						return fmt.Errorf("%s= says how by= is cut: give by=", k)
					}
				}
			}
			if q.Get("cohort") != "" && q.Get("by") != "cohort" {
				return fmt.Errorf("cohort= is the period of by=cohort")
			}
			if q.Get("by") != "" && max(len(q.All("where")), len(q.All("segment"))) > 1 {
				return fmt.Errorf("by= makes groups, and so do several where= or segment=: compare by one of them")
			}
			if q.Get("by") != "" && q.Get("forecast") != "" {
				return fmt.Errorf("forecast= is drawn for one curve a group: narrow with where= instead of by=")
			}
			if q.Get("fit") != "" && q.Get("forecast") == "" {
				return fmt.Errorf("fit= chooses the family of forecast=: give both, or neither")
			}
			if q.Value("spells") == "all" {
				switch {
				case q.Value("spell") != "1":
					return fmt.Errorf("spell= asks for one spell of each user, spells=all for all of them: give one")
				case q.Get("signup") != "":
					return fmt.Errorf("signup= is the beginning of the first spell: spells=all counts later ones too")
				case q.Get("forecast") != "":
					return fmt.Errorf("forecast= has its band from lives that are independent, and spells of one user are not: leave spells=all out")
				}
			}
			if n := atoi(q.Value("top")); n > maxGroups {
				return fmt.Errorf("%d groups are too many to compare: at most %d", n, maxGroups)
			}
			return checkLife(q)
		},
		plan: func(r *Run) (*Plan, error) { return newSurvival(r) },
	}
}

// A survivalPlan holds what kernel and layout share.
//
// Slots: first the fates, then for each curve (stratum) its users, died and
// censored, then for each row of the grid at risk, died and censored in it.
type survivalPlan struct {
	r      *Run
	def    *lifeDef
	by     *strata
	needs  Needs
	every  int // days between rows
	rows   int
	plan   *Plan
	family string
	beyond int // days of forecast
}

// The slots before those of the curves.
const (
	lifeAll = iota // everybody counted
	lifeTruncated
	lifeNotYet
	lifeDead
	lifeUnstarted
	lifeMissing // no value of by=
	lifeSlots
)

// The slots of a curve, and of a row of it.
const (
	curveUsers = iota
	curveDied
	curveCensored
	curveSlots
)

const (
	rowRisk = iota
	rowDied
	rowCensored
	rowSlots
)

func (p *survivalPlan) curve(s int) int    { return lifeSlots + s*(curveSlots+rowSlots*(p.rows+1)) }
func (p *survivalPlan) row(s, i int) int   { return p.curve(s) + curveSlots + i*rowSlots }
func (p *survivalPlan) days(i int) float64 { return float64(i * p.every) }

// gridRows is about how many rows a table of ages has.
const gridRows = 20

// niceSteps are the distances between rows that a person reads easily.
var niceSteps = [...]int{1, 2, 5, 7, 14, 30, 60, 90, 180, 365, 730, 1825, 3650}

func newSurvival(r *Run) (*Plan, error) {
	p := &survivalPlan{r: r, family: r.Str("fit"), beyond: r.Int("forecast")}
	var err error
	if p.def, err = newLifeDef(r, &p.needs); err != nil {
		return nil, err
	}
	p.def.every = r.Str("spells") == "all"
	if err := r.refuseBehaviour(p.def); err != nil {
		return nil, err
	}
	if p.by, err = newStrata(r, p.def, &p.needs); err != nil {
		return nil, err
	}
	// The rows reach as far as the data: the same for an answer and its lists.
	longest := int(r.AsOf-r.FirstDay) + 1
	if p.def.landmark != model.NoDay {
		longest = int(r.AsOf-p.def.landmark) + 1
	}
	if p.def.signup != "" {
		longest += 3650 // sign-ups may lie long before the data
	}
	if r.Int("until") > 0 {
		longest = min(longest, r.Int("until"))
	}
	if p.every = r.Int("every"); p.every == 0 {
		for _, p.every = range niceSteps {
			if longest/p.every <= gridRows {
				break
			}
		}
	}
	p.rows = (longest + p.every - 1) / p.every
	if n := (p.rows + 1) * p.by.len(); n > maxCells/rowSlots/max(1, len(r.Groups)) || p.rows > maxGridRows {
		return nil, fmt.Errorf("every=%d makes %d rows: choose a longer distance between them", p.every, p.rows)
	}
	p.plan = &Plan{
		Columns: p.needs.Columns, Amounts: p.needs.Amounts,
		Slots:   p.curve(p.by.len()),
		Kernel:  p.kernel,
		Layout:  p.layout,
		List:    p.list,
		Explain: p.explain,
		Work:    p.work,
	}
	return p.plan, nil
}

// maxGridRows bounds the rows of a table of ages.
const maxGridRows = 4000

// lives are equal lives by their numbers.
type lives map[survival.Life]int64

func (l lives) add(x survival.Life, n int64) { l[x] += n }

// list is the lives in a fixed order, each once with its count.
func (l lives) list() []survival.Life {
	out := make([]survival.Life, 0, len(l))
	for x, n := range l {
		x.Count = n
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b survival.Life) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Entry, b.Entry), cmp.Compare(deadFirst(a), deadFirst(b)))
	})
	return out
}

func deadFirst(l survival.Life) int {
	if l.Died {
		return 0
	}
	return 1
}

// A survivalKernel gathers the lives of every group and curve beside the hits.
type survivalKernel struct {
	p      *survivalPlan
	reader lifeReader
	value  *strataValuer
	found  [][]lives // by group and curve
	shared int64     // users in several groups

	pools [][]*survival.Pool  // of spells=all, by group and curve
	own   [][][]survival.Life // of the person at hand, likewise
}

func (p *survivalPlan) kernel() Kernel {
	k := &survivalKernel{p: p, reader: lifeReader{def: p.def}, value: p.by.valuer()}
	for range p.r.Groups {
		row := make([]lives, p.by.len())
		for i := range row {
			row[i] = lives{}
		}
		k.found = append(k.found, row)
	}
	if p.def.every {
		k.pool()
	}
	return k
}

// Visit implements Kernel.
func (k *survivalKernel) Visit(u *Person, h *Hits) {
	p := k.p
	if p.def.every {
		k.visitSpells(u, h)
		return
	}
	l, why := k.reader.read(u)
	day := l.judge
	if why == unstarted || why == truncated {
		day = u.Days[0]
	}
	h.In(p.r.At(u, day))
	if h.Outside() {
		return
	}
	if slot, out := lifeFate(why); out {
		h.Hit(slot, Self)
		return
	}
	s := k.value.stratum(u, l)
	if s < 0 {
		h.Hit(lifeMissing, Self)
		return
	}
	p.hits(s, l, h)
	if bits.OnesCount64(h.mask) > 1 {
		k.shared++
	}
	for g := range k.found {
		if h.mask&(1<<g) != 0 {
			k.found[g][s].add(l.Life, 1)
		}
	}
}

// hits puts a life into the figures of its curve.
func (p *survivalPlan) hits(s int, l life, h *Hits) {
	pair := p.pairOf(l)
	h.Times(lifeAll, Self, pair)
	at := p.curve(s)
	h.Times(at+curveUsers, Self, pair)
	end := curveCensored
	if l.Died {
		end = curveDied
	}
	h.Times(at+end, Self, pair)
	p.rowHits(s, l.Life, h, pair)
}

// lifeFate is the slot of those who are in no estimate.
func lifeFate(f fate) (slot int, out bool) {
	switch f {
	case truncated:
		return lifeTruncated, true
	case notYet:
		return lifeNotYet, true
	case dead:
		return lifeDead, true
	case unstarted:
		return lifeUnstarted, true
	}
	return 0, false
}

// rowHits puts a life into the rows: at risk at each age it is watched at, and
// among those who ended since the row before.
func (p *survivalPlan) rowHits(s int, l survival.Life, h *Hits, pair int64) {
	for i := 0; i <= p.rows; i++ {
		t := p.days(i)
		if t <= l.Time && (l.Entry == 0 || l.Entry < t) {
			h.Times(p.row(s, i)+rowRisk, Self, pair)
		}
		if l.Time <= t && (i == 0 || l.Time > p.days(i-1)) {
			end := rowCensored
			if l.Died {
				end = rowDied
			}
			h.Times(p.row(s, i)+end, Self, pair)
			break
		}
	}
}

// Merge implements Merger.
func (k *survivalKernel) Merge(next Kernel) error {
	o := next.(*survivalKernel)
	k.shared += o.shared
	for g := range k.pools {
		for s := range k.pools[g] {
			k.pools[g][s].Merge(o.pools[g][s])
		}
	}
	for g := range k.found {
		for s := range k.found[g] {
			for l, n := range o.found[g][s] {
				k.found[g][s].add(l, n)
			}
		}
	}
	return nil
}

// list is the users behind a comparison of groups: those of all of them.
func (p *survivalPlan) list(*Figure, Part) (out []User, err error) {
	for g := range p.r.Groups {
		l, err := p.r.collect(p.plan, &Figure{Kind: Count, Slot: lifeAll, Group: g}, Self, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, l.Users...)
	}
	return out, nil
}
