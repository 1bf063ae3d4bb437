package measure_test

import (
	"math"
	"math/big"
	"slices"
	"sort"
	"strconv"
	"time"

	"dwell/model"
	"dwell/model/measure"
)

// slow is the plain version of every family: it looks at all events up to the
// day anew, with maps and loops over days, and shares no code with the package.
type slow struct {
	s   *measure.Schema
	tl  *model.Timeline
	day model.Day
	st  measure.State

	ev     []int // events up to the day, in order of days, then time
	dayOf  map[int]model.Day
	active map[model.Day]bool
	first  model.Day
}

func newSlow(s *measure.Schema, tl *model.Timeline, day model.Day, st measure.State) *slow {
	w := &slow{s: s, tl: tl, day: day, st: st, dayOf: map[int]model.Day{}, active: map[model.Day]bool{}}
	loc, _ := time.LoadLocation(s.Cal.Zone)
	for i := range tl.Time {
		t := time.UnixMilli(tl.Time[i]).In(loc)
		if tl.IsDated(i) {
			t = time.UnixMilli(tl.Time[i]).UTC()
		}
		d := model.DayOf(t.Date())
		if d > day {
			continue
		}
		w.ev = append(w.ev, i)
		w.dayOf[i] = d
		if w.role(i).Active() {
			w.active[d] = true
		}
	}
	sort.SliceStable(w.ev, func(a, b int) bool { return w.dayOf[w.ev[a]] < w.dayOf[w.ev[b]] })
	if len(w.ev) > 0 {
		w.first = w.dayOf[w.ev[0]]
	}
	return w
}

func (w *slow) role(i int) model.Role {
	a := model.NoMoney
	if w.tl.Amount != nil {
		a = w.tl.Amount[i]
	}
	return w.s.Roles.Of(w.tl.Name[i], a)
}

func (w *slow) prop(i int, key string) string {
	for k := range w.s.Info.Keys {
		if w.s.Info.Keys[k].Name == key {
			return w.tl.Props[k].At(&w.s.Info.Keys[k], i)
		}
	}
	return ""
}

// picked are the events a Ref counts.
func (w *slow) picked(r measure.Ref) (out []int) {
	for _, i := range w.ev {
		if r.Days > 0 && w.dayOf[i] <= w.day-model.Day(r.Days) {
			continue
		}
		if r.Event != "" && w.s.Info.Names[w.tl.Name[i]].Name != r.Event {
			continue
		}
		if r.Role != 0 && w.role(i)&r.Role == 0 {
			continue
		}
		if r.Where != nil && w.prop(i, "plan") != "pro" { // the one condition of these tests
			continue
		}
		out = append(out, i)
	}
	return out
}

// activeDays lists the active days of [from, to].
func (w *slow) activeDays(from, to model.Day) (out []model.Day) {
	for d := from; d <= to; d++ {
		if w.active[d] {
			out = append(out, d)
		}
	}
	return out
}

func (w *slow) spell() model.Day {
	if w.st == (measure.State{}) {
		return w.first
	}
	return w.st.SpellFrom
}

func (w *slow) recency() float64 {
	for d := w.day; d >= w.first; d-- {
		if w.active[d] {
			return float64(w.day - d)
		}
	}
	return float64(w.day - w.first)
}

// gap is the median gap between active days.
func (w *slow) gap() (float64, bool) {
	days := w.activeDays(w.first, w.day)
	var gaps []int
	for i := 1; i < len(days); i++ {
		gaps = append(gaps, int(days[i]-days[i-1]))
	}
	if len(gaps) == 0 {
		return 0, false
	}
	sort.Ints(gaps)
	if len(gaps)%2 == 1 {
		return float64(gaps[len(gaps)/2]), true
	}
	return float64(gaps[len(gaps)/2-1]+gaps[len(gaps)/2]) / 2, true
}

// money adds amounts by hand in whole millionths.
func (w *slow) money(evs []int, of func(i int) model.Money) float64 {
	total := new(big.Int)
	for _, i := range evs {
		if m := of(i); m != model.NoMoney {
			total.Add(total, big.NewInt(int64(m)))
		}
	}
	f, _ := new(big.Float).SetInt(total).Float64()
	return f / 1e6
}

func (w *slow) net(i int) model.Money {
	m, r := w.tl.Amount[i], w.role(i)
	switch {
	case m == model.NoMoney:
		return m
	case r&model.Refund != 0:
		return -max(m, -m)
	case r&model.Purchase != 0:
		return m
	}
	return 0
}

func (w *slow) orders(r measure.Ref) float64 {
	r.Role = model.Purchase
	seen, n := map[string]bool{}, 0
	for _, i := range w.picked(r) {
		o := w.prop(i, w.s.Dict.Columns.Order)
		if o == "" || !seen[o] {
			n++
		}
		seen[o] = true
	}
	return float64(n)
}

func yes(b bool) (float64, bool) {
	if b {
		return 1, true
	}
	return 0, true
}

// ends are contract end and effect days of cancellations, event by event.
func (w *slow) contract() (end model.Day, effects []model.Day) {
	end = model.NoDay
	for _, i := range w.ev {
		cols := w.s.Dict.Columns
		if cols.PaidUntil != "" {
			if d, err := model.ParseDay(w.prop(i, cols.PaidUntil)); err == nil {
				end = d
			}
		} else if cols.Period != "" && w.role(i)&model.Purchase != 0 {
			y, m, d := w.dayOf[i].Civil()
			switch w.prop(i, "period") {
			case "month":
				e := model.DayOf(y, m+1, d)
				if _, em, _ := e.Civil(); em != (m%12)+1 { // the month is too short: its last day
					e = model.DayOf(y, m+2, 1) - 1
				}
				end = max(end, e)
			case "10":
				end = max(end, w.dayOf[i]+10)
			}
		}
		if w.role(i)&model.Cancel != 0 {
			effects = append(effects, max(end, w.dayOf[i]))
		}
	}
	return end, effects
}

// drop counts days one by one.
func (w *slow) drop() (base, baseDays, recent, n int, known bool) {
	beat := int(math.RoundToEven(w.s.Params["beat"]))
	n = max(14, 2*beat)
	for d := w.day - model.Day(5*n) + 1; d <= w.day; d++ {
		switch {
		case d > w.day-model.Day(n):
			if w.active[d] {
				recent++
			}
		case d >= w.spell():
			baseDays++
			if w.active[d] {
				base++
			}
		}
	}
	return base, baseDays, recent, n, baseDays >= n
}

// hyper sums the hypergeometric probabilities with whole numbers of any size.
func hyper(base, baseDays, recent, recentDays int) float64 {
	c := func(n, k int) *big.Int { return new(big.Int).Binomial(int64(n), int64(k)) }
	all, act := baseDays+recentDays, base+recent
	sum := new(big.Int)
	for k := 0; k <= recent; k++ {
		if act-k <= baseDays {
			sum.Add(sum, new(big.Int).Mul(c(recentDays, k), c(baseDays, act-k)))
		}
	}
	f, _ := new(big.Rat).SetFrac(sum, c(all, act)).Float64()
	return f
}

func (w *slow) value(r measure.Ref) (float64, bool) {
	if len(w.ev) == 0 {
		return 0, false
	}
	staged := w.st != measure.State{}
	role := map[string]model.Role{"refunds": model.Refund, "complaints": model.Complaint, "cancels": model.Cancel,
		"shares": model.Social, "invites": model.Invite, "key_actions": model.KeyAction}
	if x, ok := role[r.Name]; ok {
		r.Role = x
		return float64(len(w.picked(r))), true
	}
	switch r.Name {
	case "count", "events":
		return float64(len(w.picked(r))), true
	case "sum":
		if r.Key == measure.Amount {
			return w.money(w.picked(r), func(i int) model.Money { return w.tl.Amount[i] }), true
		}
		return w.money(w.picked(r), func(i int) model.Money {
			x, err := strconv.ParseFloat(w.prop(i, r.Key), 64)
			if err != nil {
				return model.NoMoney
			}
			return model.Money(math.RoundToEven(x * 1e6))
		}), true
	case "distinct", "affinity":
		seen, most, total := map[string]int{}, 0, 0
		for _, i := range w.picked(r) {
			v := w.s.Info.Names[w.tl.Name[i]].Name
			if r.Key != measure.EventName {
				v = w.prop(i, r.Key)
			}
			if v != "" {
				seen[v]++
				total++
				most = max(most, seen[v])
			}
		}
		if r.Name == "distinct" {
			return float64(len(seen)), true
		}
		return float64(most) / float64(max(total, 1)), total > 0
	case "prop", "first":
		evs := slices.Clone(w.ev)
		if r.Name == "prop" {
			slices.Reverse(evs)
		}
		for _, i := range evs {
			if v := w.prop(i, r.Key); v != "" {
				k := w.s.Info.Key(r.Key)
				return float64(max(0, slices.Index(k.Values, v))), true
			}
		}
		return 0, false
	case "active_days":
		days := map[model.Day]bool{}
		for _, i := range w.picked(r) {
			if w.role(i).Active() {
				days[w.dayOf[i]] = true
			}
		}
		return float64(len(days)), true
	case "active_share":
		from := w.first
		if r.Days > 0 {
			from = max(from, w.day-model.Day(r.Days)+1)
		}
		return float64(len(w.activeDays(from, w.day))) / float64(w.day-from+1), true
	case "sessions":
		n, have, last := 0, false, int64(0)
		for _, i := range w.ev {
			if !w.role(i).Active() {
				continue
			}
			if (!have || w.tl.Time[i]-last > 30*60*1000) && (r.Days == 0 || w.dayOf[i] > w.day-model.Day(r.Days)) {
				n++
			}
			have, last = true, w.tl.Time[i]
		}
		return float64(n), true
	case "active_today":
		return yes(w.active[w.day])
	case "tenure_days":
		return float64(w.day - w.first), true
	case "recency_days":
		return w.recency(), true
	case "days_since", "first_day", "last_day":
		evs := w.picked(r)
		if len(evs) == 0 {
			return 0, false
		}
		last := w.dayOf[evs[len(evs)-1]]
		switch r.Name {
		case "days_since":
			return float64(w.day - last), true
		case "last_day":
			return float64(last), true
		}
		return float64(w.dayOf[evs[0]]), true
	case "attitude":
		return w.attitude()
	case "gap_median_days":
		return w.gap()
	case "usage_gap_days":
		g, _ := w.gap()
		return g, len(w.activeDays(w.first, w.day)) >= 3
	case "overdue":
		scale := math.RoundToEven(w.s.Params["beat"])
		if g, _ := w.gap(); len(w.activeDays(w.first, w.day)) >= 3 {
			scale = max(scale, g)
		}
		return w.recency() / scale, true
	case "milestones_135":
		n := 0
		for _, m := range [][2]int{{1, 7}, {3, 14}, {5, 28}} {
			if len(w.activeDays(w.first, min(w.day, w.first+model.Day(m[1])-1))) >= m[0] {
				n++
			}
		}
		return float64(n), true
	case "stage":
		return float64(w.st.Stage + 1), staged
	case "high_water":
		return float64(w.st.High + 1), staged
	case "spell":
		return float64(w.st.Spell), staged
	case "dwell_days":
		return float64(w.day - w.st.Since), staged
	case "max_dwell":
		return float64(w.st.MaxDwell), w.st.MaxDwell > 0
	case "spell_active_days":
		return float64(len(w.activeDays(w.spell(), w.day))), true
	case "beats_active_4":
		beat, n := model.Day(math.RoundToEven(w.s.Params["beat"])), 0
		for k := model.Day(0); k < 4; k++ {
			hit := false
			for d := w.day - (k+1)*beat + 1; d <= w.day-k*beat; d++ {
				hit = hit || d >= w.spell() && w.active[d]
			}
			if hit {
				n++
			}
		}
		return float64(n), true
	case "cancelled_today":
		_, effects := w.contract()
		return yes(slices.Contains(effects, w.day))
	case "contract_open":
		end, _ := w.contract()
		return yes(w.day < end)
	case "contract_days_left":
		end, _ := w.contract()
		return float64(max(0, end-w.day)), end != model.NoDay
	case "orders":
		return w.orders(r), true
	case "revenue":
		return w.money(w.picked(r), w.net), true
	case "aov":
		n := w.orders(r)
		return w.money(w.picked(r), w.net) / max(n, 1), n > 0
	case "refunded":
		r.Role = model.Refund
		return -w.money(w.picked(r), w.net), true
	}
	base, baseDays, recent, n, known := w.drop()
	switch r.Name {
	case "base_active":
		return float64(base), known
	case "recent_active":
		return float64(recent), known
	case "rate_base":
		return float64(base) / float64(max(baseDays, 1)), known && base > 0
	case "rate_recent":
		return float64(recent) / float64(n), known && base > 0
	case "rate_ratio":
		return float64(recent) * float64(baseDays) / (float64(max(base, 1)) * float64(n)), known && base > 0
	case "drop_p":
		if !known || base == 0 {
			return 0, false
		}
		return hyper(base, baseDays, recent, n), true
	}
	panic("no slow version of " + r.Name)
}

// attitude adds up every act anew: SPEC R2.9 by the dictionary's weights.
func (w *slow) attitude() (sum float64, told bool) {
	f := w.s.Dict.Affinity
	for _, i := range w.ev {
		fade := math.Pow(0.5, float64(w.day-w.dayOf[i])/f.HalfLife)
		role := w.role(i)
		worth := 0.0
		if own, named := f.Events[w.s.Info.Names[w.tl.Name[i]].Name]; named {
			worth, told = own, told || own != 0
		} else {
			for part, weight := range map[model.Role]float64{model.Invite: f.Invite, model.Social: f.Social, model.Complaint: f.Complaint} {
				if role&part != 0 && weight != 0 {
					worth, told = worth+weight, true
				}
			}
		}
		for k, key := range w.s.Info.Keys {
			if role&model.Feedback == 0 || key.Name != w.s.Dict.Columns.Score || f.NPS == 0 {
				continue
			}
			// The column holds 1e3, so that its scale is 0 to 10; 3 is −0.4 on it.
			if key.Values[w.tl.Props[k].Codes[i]] == "3" {
				worth, told = worth-0.4*f.NPS, true
			}
		}
		sum += worth * fade
	}
	return sum, told
}
