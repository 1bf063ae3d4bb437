package value

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"dwell/model"
	"dwell/model/stat"
)

// ErrShort says that the data cannot hold a back-test.
var ErrShort = errors.New("the data are too short to test a forecast on their own past")

// Origins are the days from which forecasts of so many weeks can be tested on data
// of the days [first, asOf]: asOf less one, two, … horizons, as long as at least
// as many weeks of history lie before, at most most of them, ascending. Their
// horizons do not overlap. It fails with ErrShort.
func Origins(first, asOf model.Day, weeks, most int) ([]model.Day, error) {
	if weeks < 1 || most < 1 {
		return nil, fmt.Errorf("a back-test needs at least one origin and one week ahead, not %d and %d", most, weeks)
	}
	var out []model.Day
	for k := 1; k <= most; k++ {
		o := int64(asOf) - int64(k)*7*int64(weeks)
		if o-int64(first) < 7*int64(weeks) {
			break
		}
		out = append(out, model.Day(o))
	}
	if out == nil {
		have := (int64(asOf) - int64(first)) / 7
		if have < 2 {
			return nil, fmt.Errorf("%w: there are only %d weeks", ErrShort, max(0, have))
		}
		return nil, fmt.Errorf("%w: a horizon of %d weeks needs as many before it, and there are %d weeks in all; ask for at most %d", ErrShort, weeks, have, have/2)
	}
	slices.Reverse(out)
	return out, nil
}

// An Outcome is one period of one origin: what was foretold, and what came.
type Outcome struct {
	Origin model.Day
	Period int // 0 the first after the origin; −1 the whole horizon
	Purchases,
	Buyers Test
	Drift Drift // the band's drift, measured on earlier origins alone
}

// A Test is one figure foretold, beside a naive forecast: that the buyers known at
// the origin do a period as they did on average in as many periods before it, first
// purchases not counted (of buyers: the mean over the periods).
type Test struct {
	Predicted
	Actual float64
	Naive  float64
}

// Within says whether the band held the figure.
func (t Test) Within() bool { return t.Band.Lo <= t.Actual && t.Actual <= t.Band.Hi }

// Error is the forecast less the figure, relative to the forecast.
func (t Test) Error() float64 {
	if t.Mean > 0 {
		return (t.Mean - t.Actual) / t.Mean
	}
	return 0
}

// A Coverage counts how often bands held.
type Coverage struct {
	Periods, Within int
	// Of them, those before which other forecasts had ended, so that their bands
	// could learn from errors: the first bands allow for no drift at all.
	Learned, LearnedWithin int
	Level                  float64 // that they were made for
	// Of the absolute errors, summed over the periods: the model's and the naive
	// forecast's, over the sum of the figures.
	Model, Naive float64

	total float64 // of the figures
}

// Rate is the share that held; 0 of none.
func (c Coverage) Rate() float64 {
	if c.Periods == 0 {
		return 0
	}
	return float64(c.Within) / float64(c.Periods)
}

// Sentence is the coverage as a person reads it.
func (c Coverage) Sentence() string {
	if c.Periods == 0 {
		return "not tested: no period of the past could be foretold"
	}
	better := "no better than"
	switch {
	case c.Model < 0.98*c.Naive:
		better = "better than"
	case c.Model > 1.02*c.Naive:
		better = "worse than"
	}
	learned := ""
	if 0 < c.Learned && c.Learned < c.Periods {
		learned = fmt.Sprintf(", %d of the %d whose width was learned from errors before them (%.0f %%)", c.LearnedWithin, c.Learned, 100*float64(c.LearnedWithin)/float64(c.Learned))
	}
	return fmt.Sprintf("the %.0f %% band held %d of %d past periods (%.0f %%)%s; errors of %.0f %% of the total, %s repeating the weeks before (%.0f %%)",
		100*c.Level, c.Within, c.Periods, 100*c.Rate(), learned, 100*c.Model, better, 100*c.Naive)
}

// A BackTest is a forecast made and judged at several days of the past.
type BackTest struct {
	Kind     Kind
	Level    float64
	Weeks    int // horizon of each origin
	Origins  []model.Day
	Outcomes []Outcome // by origin, then by period, the whole last
	// Trouble holds, of origins that could not be tested, why.
	Trouble map[model.Day]error
	// Purchases and Buyers count single weeks, Whole… whole horizons. The weeks of
	// one origin share their model, so they hold less than as many independent
	// ones. Origins before which nothing could be measured have a band without
	// drift; First says how many periods that were.
	Purchases, Buyers           Coverage
	WholePurchases, WholeBuyers Coverage
	First                       int
	// Drift, of all origins, is what a forecast from today should allow for.
	Drift Drift

	early []Outcome // rehearsals of the origin being judged
}

// A Rolling gathers what a back-test needs of each user; the zero value is not
// ready, see NewRolling. Of a user it keeps a history at each origin, counted
// together with equal ones, and what came after.
type Rolling struct {
	weeks      int
	origins    []origin
	rehearsals []origin // of the first origins, likewise
}

// The first origins have hardly a past whose errors they could learn from: from
// some days before each of them is foretold as well, with what was fitted on it, for
// the weeks up to it.
const (
	rehearsed  = 2 // origins
	rehearsals = 4 // days before each
)

// An origin is one day from which is foretold.
type origin struct {
	day          model.Day
	until        model.Day // of a rehearsal: the origin that it is for; its outcomes after are not known
	sample       Sample    // to learn from
	apart        Sample    // foretold alone
	came, before seen
}

// NewRolling begins a back-test at these origins (see Origins) of forecasts so many
// weeks ahead.
func NewRolling(origins []model.Day, weeks int) *Rolling {
	r := &Rolling{weeks: weeks}
	for i, d := range slices.Sorted(slices.Values(origins)) {
		r.origins = append(r.origins, origin{day: d, came: newSeen(weeks), before: newSeen(weeks)})
		for k := 1; k <= rehearsals && i < rehearsed; k++ {
			back := max(k, (k*weeks+rehearsals-1)/rehearsals)
			if back > weeks {
				break
			}
			r.rehearsals = append(r.rehearsals, origin{day: d - model.Day(7*back), until: d, came: newSeen(weeks), before: newSeen(weeks)})
		}
	}
	return r
}

// Add counts one user's buying days: ascending, each once, not changed or kept.
// Users without a purchase by an origin are not known at it.
func (r *Rolling) Add(days []model.Day) { r.add(days, true) }

// AddApart counts a user who is foretold and compared like the others, and whom no
// fit learns from: who may have bought before the data begin. Where an origin has
// too few others, it learns from these as well.
func (r *Rolling) AddApart(days []model.Day) { r.add(days, false) }

func (r *Rolling) add(days []model.Day, learn bool) {
	n := r.weeks
	for i := range len(r.origins) + len(r.rehearsals) {
		o := r.at(i)
		h, err := HistoryOf(days, o.day)
		if err != nil {
			continue
		}
		if learn {
			o.sample.Add(h)
		} else {
			o.apart.Add(h)
		}
		o.came.begin()
		o.before.begin()
		for _, d := range days[1:] { // the first purchase is no return
			switch {
			case d > o.day+model.Day(7*n):
			case d > o.day:
				o.came.add(int(d-o.day-1) / 7)
			case d > o.day-model.Day(7*n):
				o.before.add(int(o.day-d) / 7)
			}
		}
	}
}

// Merge counts another's users; o has the same origins and horizon and is not
// changed.
func (r *Rolling) Merge(o *Rolling) {
	for i := range len(r.origins) + len(r.rehearsals) {
		a, b := r.at(i), o.at(i)
		a.sample.Merge(&b.sample)
		a.apart.Merge(&b.apart)
		a.came.merge(&b.came)
		a.before.merge(&b.before)
	}
}

// at is the i-th origin, rehearsals last.
func (r *Rolling) at(i int) *origin {
	if i < len(r.origins) {
		return &r.origins[i]
	}
	return &r.rehearsals[i-len(r.origins)]
}

// Judge fits and forecasts at each origin with what was known then, and compares
// with what came.
//
// The band at an origin allows for the drift measured on origins whose horizon had
// ended by then, never on itself or later ones; at the first ones, also on weeks
// before them, foretold from a little earlier with the fit of the origin itself. Each fit begins where the one
// before ended, and elsewhere. Judge fails with ErrStopped, or with the last
// origin's reason where none could be tested.
func (r *Rolling) Judge(k Kind, o Outlook, fit Options) (*BackTest, error) {
	o.Periods, o.Weeks = r.weeks, 1
	if err := o.Check(); err != nil {
		return nil, err
	}
	o = o.filled()
	if fit.Stop == nil {
		fit.Stop = o.Stop
	}
	b := &BackTest{Kind: k, Level: o.Level, Weeks: r.weeks, Trouble: map[model.Day]error{}}
	var last error
	for i := range r.origins {
		at := &r.origins[i]
		if o.Progress != nil {
			o.Progress(i, len(r.origins))
		}
		b.Origins = append(b.Origins, at.day)
		all := &at.sample
		if at.apart.Buyers() > 0 {
			all = &Sample{}
			all.Merge(&at.sample)
			all.Merge(&at.apart)
		}
		from := &at.sample
		if from.Buyers() < fit.filled().Least {
			from = all
		}
		m, err := Fit(k, from, fit)
		if err == nil {
			fit.From = &m.Params
			if err = r.rehearse(b, at, m, o); err == nil {
				err = b.judge(at, all, m, o)
			}
		}
		if errors.Is(err, ErrStopped) {
			return nil, err
		}
		if err != nil {
			b.Trouble[at.day], last = err, err
		}
	}
	if len(b.Outcomes) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrShort, cmp.Or(last, errors.New("no origin")))
	}
	for i := range b.Outcomes {
		c := &b.Outcomes[i]
		if c.Period < 0 {
			b.WholePurchases.count(c.Purchases, c.Drift)
			b.WholeBuyers.count(c.Buyers, c.Drift)
			continue
		}
		b.Purchases.count(c.Purchases, c.Drift)
		b.Buyers.count(c.Buyers, c.Drift)
		if c.Drift.From == 0 {
			b.First++
		}
	}
	for _, c := range [4]*Coverage{&b.Purchases, &b.Buyers, &b.WholePurchases, &b.WholeBuyers} {
		c.close(o.Level)
	}
	b.early = nil
	b.Drift = b.drift(model.Day(math.MaxInt32))
	return b, nil
}

// rehearse foretells the weeks before an origin with the fit made on it:
// what it is off by is known on the origin.
func (r *Rolling) rehearse(b *BackTest, at *origin, m *Repeat, o Outlook) error {
	b.early = b.early[:0]
	for i := range r.rehearsals {
		p := &r.rehearsals[i]
		if p.until != at.day {
			continue
		}
		all := &Sample{}
		all.Merge(&p.sample)
		all.Merge(&p.apart)
		if all.Buyers() == 0 {
			continue
		}
		o.Periods, o.Drift = int(p.until-p.day)/7, Drift{}
		f, err := m.Forecast(all, o)
		if err != nil {
			return err
		}
		for k, w := range f.Weeks {
			b.early = append(b.early, Outcome{Origin: p.day, Period: k, Purchases: Test{Predicted: w.Purchases, Actual: p.came.purchases[k]}, Buyers: Test{Predicted: w.Buyers, Actual: p.came.buyers[k]}})
		}
		if o.Periods == b.Weeks {
			b.early = append(b.early, Outcome{Origin: p.day, Period: -1, Purchases: Test{Predicted: f.Total.Purchases, Actual: p.came.purchases[b.Weeks]}, Buyers: Test{Predicted: f.Total.Buyers, Actual: p.came.buyers[b.Weeks]}})
		}
	}
	return nil
}

// judge is one origin's forecast and what came of it.
func (b *BackTest) judge(at *origin, all *Sample, m *Repeat, o Outlook) error {
	n := o.Periods
	o.Drift = b.drift(at.day)
	f, err := m.Forecast(all, o)
	if err != nil {
		return err
	}
	var naive, naiveBuyers float64 // a period
	for i := range n {
		naive += at.before.purchases[i] / float64(n)
		naiveBuyers += at.before.buyers[i] / float64(n)
	}
	for i, w := range f.Weeks {
		b.Outcomes = append(b.Outcomes, Outcome{Origin: at.day, Period: i, Drift: o.Drift,
			Purchases: Test{w.Purchases, at.came.purchases[i], naive},
			Buyers:    Test{w.Buyers, at.came.buyers[i], naiveBuyers}})
	}
	b.Outcomes = append(b.Outcomes, Outcome{Origin: at.day, Period: -1, Drift: o.Drift,
		Purchases: Test{f.Total.Purchases, at.came.purchases[n], naive * float64(n)},
		Buyers:    Test{f.Total.Buyers, at.came.buyers[n], at.before.buyers[n]}})
	return nil
}

// seen counts purchases and buyers by period, the whole last.
type seen struct {
	purchases, buyers []float64
	last              []int // the user counted last in each
	user              int
}

func newSeen(n int) seen {
	return seen{make([]float64, n+1), make([]float64, n+1), make([]int, n+1), 0}
}

func (s *seen) begin() { s.user++ }

func (s *seen) add(period int) {
	for _, i := range [2]int{period, len(s.last) - 1} {
		s.purchases[i]++
		if s.last[i] != s.user {
			s.last[i] = s.user
			s.buyers[i]++
		}
	}
}

func (s *seen) merge(o *seen) {
	for i := range s.purchases {
		s.purchases[i] += o.purchases[i]
		s.buyers[i] += o.buyers[i]
	}
}

func (c *Coverage) count(t Test, d Drift) {
	held := 0
	if t.Within() {
		held = 1
	}
	c.Periods++
	c.Within += held
	if d.From > 0 {
		c.Learned++
		c.LearnedWithin += held
	}
	c.Model += math.Abs(t.Mean - t.Actual)
	c.Naive += math.Abs(t.Naive - t.Actual)
	c.total += t.Actual
}

func (c *Coverage) close(level float64) {
	c.Level = level
	if c.total > 0 {
		c.Model /= c.total
		c.Naive /= c.total
	}
}

// drift measures the relative errors beyond chance and the parameters' uncertainty
// of the origins whose horizon had ended by day, and of the rehearsals. Errors of
// weeks near one another are alike: a span of so many horizons counts as so many
// independent errors, and few of them widen the drift as Student's distribution
// asks.
func (b *BackTest) drift(day model.Day) (d Drift) {
	var each, whole [2]excess
	first, last := int64(math.MaxInt64), int64(0)
	for i := range len(b.Outcomes) + len(b.early) {
		c := &Outcome{}
		if i < len(b.Outcomes) {
			if c = &b.Outcomes[i]; int64(c.Origin)+7*int64(b.Weeks) > int64(day) {
				continue
			}
		} else {
			c = &b.early[i-len(b.Outcomes)]
		}
		first, last = min(first, int64(c.Origin)), max(last, int64(c.Origin)+7*int64(c.Period+1))
		at := &each
		if c.Period < 0 {
			at = &whole
		}
		at[0].add(c.Purchases)
		at[1].add(c.Buyers)
	}
	// Where single periods drift, their sum does too, by at least as much as if they
	// drifted independently: few whole horizons alone may show nothing by luck.
	least := 1 / math.Sqrt(float64(b.Weeks))
	d = Drift{Purchases: each[0].sd(), Buyers: each[1].sd(), From: each[0].n}
	d.TotalPurchases = math.Max(whole[0].sd(), least*d.Purchases)
	d.TotalBuyers = math.Max(whole[1].sd(), least*d.Buyers)
	if d.From > 0 {
		t := distuv.StudentsT{Sigma: 1, Nu: math.Max(1, float64(last-first)/float64(7*b.Weeks))}
		wide := t.Quantile(0.5+b.Level/2) / stat.NormalQuantile(0.5+b.Level/2)
		for _, x := range []*float64{&d.Purchases, &d.Buyers, &d.TotalPurchases, &d.TotalBuyers} {
			*x *= wide
		}
	}
	return d
}

// An excess is the mean of squared relative errors less what was to be expected.
type excess struct {
	sum float64
	n   int
}

func (e *excess) add(t Test) {
	if t.Mean > 0 {
		own := (t.Chance*t.Chance + t.Parameters*t.Parameters) / (t.Mean * t.Mean)
		e.sum += t.Error()*t.Error() - own
		e.n++
	}
}

func (e *excess) sd() float64 {
	if e.n == 0 || e.sum <= 0 {
		return 0
	}
	return math.Sqrt(e.sum / float64(e.n))
}
