package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"

	"dwell/model"
	"dwell/model/stat"
	"dwell/model/value"
)

// An expectedSetting says whose future is foretold, from what.
type expectedSetting struct {
	kind   value.Kind // "" for the empirical curve alone
	buys   *buying
	valued bool      // what purchases bring is foretold too
	seen   model.Day // buyers who first bought before it are left out of the fit; NoDay: nobody is
	saved  *SavedFit // on the shelf, instead of a fit; nil: none
	name   string    // of saved
}

// kinds are the models by their words in addresses.
var kinds = map[string]value.Kind{"mbg": value.MBG, "bg": value.BG, "pareto": value.Pareto, "empirical": ""}

// kindNames are the models' own names.
var kindNames = map[value.Kind]string{value.MBG: "MBG/NBD", value.BG: "BG/NBD", value.Pareto: "Pareto/NBD", "": "empirical curve"}

// expectedSetting reads the question's choice.
func (r *Run) expectedSetting() (s expectedSetting, err error) {
	if name := r.Str("saved"); name != "" && r.Spec.Key("saved") != nil {
		return r.savedExpected(name)
	}
	s = expectedSetting{kind: kinds[r.Str("model")], seen: r.seenBefore()}
	if s.buys, err = r.buying(); err != nil {
		return s, err
	}
	s.valued = s.buys.money
	if w := r.Str("event"); w != "" {
		k, err := r.pick(w)
		if err != nil {
			return s, fmt.Errorf("event=: %w", err)
		}
		// What is no purchase brings no money.
		s.buys.pick, s.valued = &k, s.valued && r.buysBy(&k)
		if s.buys.money = s.valued; !s.valued {
			s.buys.coin, s.buys.code = -1, "" // and is in no currency
		}
	} else if !r.hasRole(model.Purchase) {
		return s, fmt.Errorf("no event is a purchase: say what is bought in the dictionary, or ask of another act with event=, such as event=active")
	}
	return s, nil
}

// buysBy says whether a choice of events means purchases.
func (r *Run) buysBy(k *pick) bool {
	switch {
	case k.all || k.active:
		return false
	case k.role != 0:
		return k.role == model.Purchase
	}
	return r.Roles.Name(k.name)&model.Purchase != 0
}

// truncated says that a buyer may have bought before the data begin, so that the
// first purchase known is none to count ages from.
func (s *expectedSetting) truncated(days []buyDay) bool {
	return s.seen != model.NoDay && len(days) > 0 && days[0].day < s.seen
}

// A shopper is one buyer as the models see them.
type shopper struct {
	history value.History
	mean    float64 // what the purchases after the first brought each; 0 where there is none
}

// shopper reads a buyer as of a day; ok is false for who has not bought by then.
// One purchase a day; refunds count from the second purchase day on.
func (s *expectedSetting) shopper(days []buyDay, on model.Day) (b shopper, ok bool) {
	first, last, n := model.NoDay, model.NoDay, 0
	var later model.Sum
	for i := range days {
		d := &days[i]
		if d.day > on {
			break
		}
		if first != model.NoDay && d.day > first {
			later.Merge(d.spent)
		}
		if !d.bought {
			continue
		}
		if n++; first == model.NoDay {
			first = d.day
		}
		last = d.day
	}
	if n == 0 {
		return b, false
	}
	b.history = value.History{Repeats: n - 1, Last: float64(last-first) / 7, Age: float64(on-first) / 7}
	if n > 1 && s.valued {
		b.mean = later.Float() / float64(n-1)
	}
	return b, true
}

// An expectedModel is what was fitted as of one day, or the sentences that say why
// not. It is shared: it does not change.
type expectedModel struct {
	On       model.Day
	Buyers   int64 // in the fit
	Whole    bool  // the fit has left truncated buyers too: there are hardly others
	Repeat   *value.Repeat
	Why      string // Repeat may not be used: why
	Spend    *value.Spend
	SpendWhy string
	Mean     float64 // of a purchase, over all buyers: where Spend may not be used
}

// usable says that the repeat-buying model may speak.
func (m *expectedModel) usable() bool { return m.Repeat != nil && m.Why == "" }

// determined says that P(alive) means something: that the data show buyers leaving.
func (m *expectedModel) determined() bool { return m.usable() && m.Repeat.Leaves }

// expecteds keeps the models fitted on a state, by question and day.
type expecteds struct {
	mu    sync.Mutex
	kept  map[string]*expectedModel
	build chan struct{} // holds one
}

// keptExpecteds bounds the models in memory: they are small.
const keptExpecteds = 64

// expectedKey names a model by everything it depends on: the question without what
// changes no model.
func (r *Run) expectedKey(on model.Day) (string, error) {
	q := Query{Analysis: "expected", AsOf: on}
	for _, k := range append(expectedKeys(), zoneKeys()...) {
		if v := r.Q.All(k.Name); len(v) > 0 && r.Spec.Key(k.Name) != nil {
			q = q.With(k.Name, v...)
		}
	}
	return r.eng.cacheKey(r.st, q)
}

// expectedModel is the model of a setting as of a day: remembered, or fitted now.
func (r *Run) expectedModel(s *expectedSetting, on model.Day) (*expectedModel, error) {
	if s.saved != nil {
		m := *s.saved.model
		m.On = on
		return &m, nil
	}
	key, err := r.expectedKey(on)
	if err != nil {
		return nil, err
	}
	e := &r.st.expecteds
	select {
	case e.build <- struct{}{}:
		defer func() { <-e.build }()
	case <-r.Ctx.Done():
		return nil, r.Ctx.Err()
	}
	e.mu.Lock()
	m := e.kept[key]
	e.mu.Unlock()
	if m != nil {
		return m, nil
	}
	if m = r.recallExpected(key); m == nil { // what could not be fitted is tried again: it takes no time
		if m, err = r.fitExpected(s, on); err != nil {
			return nil, err
		}
		if r.eng.cache != nil && m.usable() {
			if body, err := json.Marshal(m); err == nil {
				r.eng.cache.Keep("fitted/"+key, body)
			}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.kept == nil || len(e.kept) >= keptExpecteds {
		e.kept = map[string]*expectedModel{}
	}
	e.kept[key] = m
	return m, nil
}

// recallExpected finds a model that another process has fitted on the same data.
func (r *Run) recallExpected(key string) *expectedModel {
	if r.eng.cache == nil {
		return nil
	}
	body, ok := r.eng.cache.Recall("fitted/" + key)
	if !ok {
		return nil
	}
	m := &expectedModel{}
	if json.Unmarshal(body, m) != nil || !m.usable() {
		return nil // damaged, or another version's: it is derived, so fit again
	}
	return m
}

// fitExpected reads everybody's purchases up to a day and fits both models. What
// the data do not allow is a sentence in the model; an error is only what stops
// every answer.
func (r *Run) fitExpected(s *expectedSetting, on model.Day) (*expectedModel, error) {
	type acc struct {
		read   *buyer
		sample [2]value.Sample // of all, and of those who are not left truncated
		spend  [2]value.Spending
		spent  model.Sum
		days   int64
	}
	fresh := func() *acc { return &acc{read: s.buys.reader()} }
	total := fresh()
	all := r.progress
	r.progress = all.part(0, 2)
	err := Scan(r, s.buys.needs(), fresh, func(a *acc, p *Person) error {
		days := a.read.read(p, on)
		b, ok := s.shopper(days, on)
		if !ok {
			return nil
		}
		for _, d := range days {
			a.spent.Merge(d.spent)
		}
		a.days += int64(b.history.Repeats) + 1
		for i := range a.sample {
			if i == 0 || !s.truncated(days) {
				a.sample[i].Add(b.history)
				a.spend[i].Add(b.history.Repeats, b.mean)
			}
		}
		return nil
	}, func(a *acc) error {
		for i := range a.sample {
			total.sample[i].Merge(&a.sample[i])
			total.spend[i].Merge(&a.spend[i])
		}
		total.spent.Merge(a.spent)
		total.days += a.days
		return nil
	})
	r.progress = all
	if err != nil {
		return nil, err
	}
	m := &expectedModel{On: on}
	sample, spend := &total.sample[1], &total.spend[1]
	if sample.Buyers() < leastFit && total.sample[0].Buyers() >= leastFit {
		m.Whole = true
		sample, spend = &total.sample[0], &total.spend[0]
	}
	m.Buyers = sample.Buyers()
	if total.days > 0 {
		m.Mean = total.spent.Float() / float64(total.days)
	}
	o := value.Options{Stop: func() bool { return r.Ctx.Err() != nil }, Progress: r.fitting(all)}
	if s.kind == "" {
		m.Why = "the empirical curve was asked for"
	} else if m.Repeat, err = value.Fit(s.kind, sample, o); err != nil {
		if m.Why = err.Error(); errors.Is(err, value.ErrStopped) {
			return nil, r.Ctx.Err()
		}
	}
	switch {
	case !s.valued:
		m.SpendWhy = "there are no amounts to add up"
	default:
		if m.Spend, err = value.FitSpend(spend, o); err != nil {
			if m.SpendWhy = err.Error(); errors.Is(err, value.ErrStopped) {
				return nil, r.Ctx.Err()
			}
		}
	}
	return m, nil
}

// leastFit is how many buyers a fit needs, as the models have it.
const leastFit = 50

// fitting tells a fit's starts as the second half of a job.
func (r *Run) fitting(all Progress) func(done, total int) {
	if all == nil {
		return nil
	}
	return func(done, total int) { all.part(1, 2)(int64(done)*r.Info.Events/int64(max(1, total)), r.Info.Events) }
}

// An estimate is one buyer's future.
type estimate struct {
	shopper
	alive     float64 // P(alive); 0 to 1
	purchases float64 // expected within the horizon
	each      float64 // what a purchase is expected to bring
	money     float64 // expected, discounted
	valued    bool
	modelled  bool // alive and purchases are the model's, not the curve's
	sure      bool // alive may be shown: it is the model's, and determined
}

// worth is what buyers are ordered by: money, or purchases where there is none.
func (e *estimate) worth() float64 {
	if e.valued {
		return e.money
	}
	return e.purchases
}

// A pastCurve is what like buyers did in the data's own past: it stands in where no
// model fits.
type pastCurve struct {
	value.Empirical
	cut model.Day // whose next Weeks were looked at
	why string    // there is none: a sentence's end
}

// pastCurve looks at what buyers did in the weeks before a day: as many as are
// looked ahead, or half of what the data have.
func (r *Run) pastCurve(s *expectedSetting, on model.Day, ahead value.Discount) (*pastCurve, error) {
	days := min(int(math.Round(7*ahead.Horizon())), int(on-r.FirstDay)/2)
	total := &pastCurve{Empirical: value.Empirical{Weeks: float64(days) / 7}, cut: on - model.Day(days)}
	if days < 7 {
		total.why = "the data reach back too little"
		return total, nil
	}
	type acc struct {
		read *buyer
		of   value.Empirical
	}
	err := Scan(r, s.buys.needs(),
		func() *acc { return &acc{read: s.buys.reader()} },
		func(a *acc, p *Person) error {
			bought := a.read.read(p, on)
			b, ok := s.shopper(bought, total.cut)
			if !ok {
				return nil
			}
			n := 0
			for _, d := range bought {
				if d.bought && d.day > total.cut {
					n++
				}
			}
			return a.of.Add(b.history, n)
		},
		func(a *acc) error { total.Merge(&a.of); return nil })
	if err == nil && total.Buyers() < leastCurve {
		total.why = fmt.Sprintf("only %s had bought by %s, and %d are needed", plural(int(total.Buyers()), "user"), total.cut, leastCurve)
	}
	return total, err
}

// leastCurve is how many buyers an empirical curve is made of at least.
const leastCurve = 30

// A foreteller estimates buyers; it belongs to one goroutine. Equal histories are
// computed once.
type foreteller struct {
	m     *expectedModel
	curve *pastCurve // nil where the model may speak
	s     *expectedSetting
	ahead value.Discount
	known map[value.History][3]float64 // alive, purchases, discounted purchases
}

// keptHistories bounds what a foreteller remembers.
const keptHistories = 1 << 16

// A foretelling is a fitted model looking so far ahead; with the curve that stands in
// where there is no model.
type foretelling struct {
	*expectedModel
	curve *pastCurve
	ahead value.Discount
	short bool // ahead is shorter than was asked: as long as the past that is known
}

// foretelling fits as of a day, or remembers the fit.
func (r *Run) foretelling(s *expectedSetting, on model.Day, ahead value.Discount) (*foretelling, error) {
	m, err := r.expectedModel(s, on)
	if err != nil {
		return nil, err
	}
	t := &foretelling{expectedModel: m, ahead: ahead}
	most := 0.0
	switch {
	case !m.usable():
		if t.curve, err = r.pastCurve(s, on, ahead); err == nil && t.curve.why == "" {
			most = t.curve.Weeks
		}
	default:
		most = m.Repeat.Reach()
	}
	if most > 0 && most < ahead.Horizon()*(1-1e-9) {
		// The past that is known is no longer: nothing is carried beyond it.
		t.short = true
		t.ahead.Steps = max(1, int(math.Round(most/ahead.Weeks)))
		t.ahead.Weeks = most / float64(t.ahead.Steps)
		t.ahead.Rate = math.Pow(1+ahead.Rate, t.ahead.Weeks/ahead.Weeks) - 1
	}
	return t, err
}

// silent says that nothing can be foretold, and why.
func (t *foretelling) silent() string {
	if t.curve == nil {
		return ""
	}
	return t.curve.why
}

func (t *foretelling) foreteller(s *expectedSetting) *foreteller {
	return &foreteller{m: t.expectedModel, curve: t.curve, s: s, ahead: t.ahead, known: map[value.History][3]float64{}}
}

// of estimates a buyer from the purchases up to the model's day; ok is false for
// who has not bought by then, or where nothing can be said.
func (f *foreteller) of(days []buyDay) (e estimate, ok bool) {
	b, ok := f.s.shopper(days, f.m.On)
	if !ok {
		return e, false
	}
	e.shopper, e.valued = b, f.s.valued
	v, ok := f.known[b.history]
	if !ok {
		if v, ok = f.history(b.history); !ok {
			return e, false
		}
		if len(f.known) < keptHistories {
			f.known[b.history] = v
		}
	}
	e.alive, e.purchases, e.modelled, e.sure = v[0], v[1], f.m.usable(), f.m.determined()
	if e.valued {
		e.each = f.m.each(b)
		e.money = v[2] * e.each
	}
	return e, true
}

// history is alive, purchases and discounted purchases of a history.
func (f *foreteller) history(h value.History) (v [3]float64, ok bool) {
	m := f.m
	if !m.usable() {
		past, ok := f.past(h)
		if !ok {
			return v, false
		}
		n := past.Purchases * f.ahead.Horizon() / f.curve.Weeks
		return [3]float64{past.Bought, n, n * spread(f.ahead)}, true
	}
	v[0], v[1] = m.Repeat.Alive(h), m.Repeat.Expected(h, f.ahead.Horizon())
	if v[2] = v[1]; f.ahead.Rate != 0 {
		v[2] = m.Repeat.Discounted(h, f.ahead)
	}
	return v, true
}

// past is what buyers like one did.
func (f *foreteller) past(h value.History) (value.Past, bool) {
	if f.curve == nil || f.curve.why != "" {
		return value.Past{}, false
	}
	return f.curve.Of(h, stat.Level)
}

// spread is what purchases spread evenly over a horizon lose by a discount.
func spread(d value.Discount) float64 {
	sum, factor := 0.0, 1.0
	for range d.Steps {
		factor /= 1 + d.Rate
		sum += factor
	}
	return sum / float64(d.Steps)
}

// each is what a purchase of a buyer is expected to bring.
func (m *expectedModel) each(b shopper) float64 {
	switch {
	case m.Spend != nil && m.SpendWhy == "":
		return m.Spend.Expected(b.history.Repeats, b.mean)
	case b.mean > 0:
		return b.mean
	}
	return max(0, m.Mean)
}
