package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/value"
)

// Value expected from now on: how many purchases a buyer will still make, and what
// they will bring. A repeat-buying model is fitted to all buyers' histories, and
// Gamma-Gamma to what their purchases brought; where one does not settle, a table
// of what like buyers did in the data's own past stands in for it, and says so.
//
// The same scan that fits as of the as-of day fits as of an earlier day too, so
// that every answer shows what such a forecast was worth.
//
// Other rooms ask with [Run.expectedValues] for what each user is expected to
// bring.

// expectedAnalysis is the question of what users will still bring.
func expectedAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "expected", Title: "Value expected", Help: "purchases and value expected of each buyer from now on, P(alive), tested on the data's own past; buyers by expected value", ID: NoID,
			Keys: keys(expectedKeys(), []KeySpec{
				{Name: "saved", Type: Text, Shelf: model.KindExpected, Help: "go by the saved fit of this name, and test it, instead of fitting"},
				{Name: "horizon", Type: Text, Default: "12m", Help: "how far ahead: days (90), weeks (39w) or months of 4.345 weeks (12m)"},
				{Name: "discount", Type: Float, Default: "0", Help: "what value loses a month: 0.01 is 1 % a month"},
				{Name: "top", Type: Int, Default: "15", Min: 1, Help: "how many buyers are shown; the figures list all"},
			}, groupKeys(), zoneKeys())},
		check: checkExpected,
		plan:  planExpected,
	}
}

// expectedKeys say by what a buyer's future is foretold: the model depends on them.
func expectedKeys() []KeySpec {
	return slices.Concat([]KeySpec{
		{Name: "model", Type: Word, Values: []string{"mbg", "bg", "pareto", "empirical"}, Default: "mbg", Help: "MBG/NBD (a one-time buyer may be gone), BG/NBD (never is), Pareto/NBD, or what like buyers did in the past"},
		{Name: "event", Type: Text, Help: "what a purchase is; what the dictionary calls one if left out: " + pickHelp},
	}, moneyKeys(), truncatedKeys())
}

func checkExpected(q Query) error {
	if _, err := horizonOf(q.Value("horizon"), q.Value("discount")); err != nil {
		return err
	}
	return nil
}

// maxHorizon bounds how far ahead is looked, in weeks.
const maxHorizon = 520

// horizonOf reads horizon= and discount=, which is a month's whatever the steps.
func horizonOf(text, discount string) (d value.Discount, err error) {
	bad := fmt.Errorf("horizon=%s is not a number of days, of weeks (39w) or of months (12m), up to ten years", text)
	n, weeks := text, 1.0/7
	switch {
	case strings.HasSuffix(text, "m"):
		n, weeks = text[:len(text)-1], value.Month
	case strings.HasSuffix(text, "w"):
		n, weeks = text[:len(text)-1], 1
	case strings.HasSuffix(text, "d"):
		n = text[:len(text)-1]
	}
	k, err := strconv.Atoi(n)
	if err != nil || k < 1 || float64(k)*weeks > maxHorizon {
		return d, bad
	}
	rate, err := strconv.ParseFloat(discount, 64)
	if err != nil || rate < 0 || rate >= 1 {
		return d, fmt.Errorf("discount=%s: a share of 0 or more and under 1 a month is wanted, such as 0.01", discount)
	}
	d = value.Discount{Steps: k, Weeks: weeks}
	switch {
	case rate == 0: // then the steps change nothing
		d.Steps, d.Weeks = 1, float64(k)*weeks
	case weeks < 1: // days are discounted by the week
		d.Steps = int(math.Ceil(float64(k) * weeks))
		d.Weeks = float64(k) * weeks / float64(d.Steps)
	}
	if rate > 0 {
		d.Rate = math.Pow(1+rate, d.Weeks/value.Month) - 1
	}
	return d, nil
}

// horizonNote is a horizon in words.
func horizonNote(d value.Discount) string {
	days := int(math.Round(7 * d.Horizon()))
	if days%7 == 0 {
		return plural(days/7, "week")
	}
	return fmt.Sprintf("%d days (%.1f weeks)", days, d.Horizon())
}

// Slots of expected values.
const (
	expBuyers = iota // with a purchase: worth as money
	expNone          // without
	expFitted        // of them, in the fit
	expAlive         // ten bands of P(alive)
	expTenth  = expAlive + expBands
	expTest   = expTenth + expBands // users by repeats, as of the test's day, with what they bought since
	expSlots  = expTest + expClasses
	expBands  = 10
)

// expClasses are the repeat purchases by which the test is told: 0 … 6, and more.
const expClasses = 8

// An expecting is one question about what users will bring.
type expecting struct {
	r       *Run
	set     expectedSetting
	ahead   value.Discount
	model   *foretelling
	tested  model.Day    // the test's cut-off; NoDay where the data are too short
	test    *foretelling // fitted as of it, looking ahead to testEnd
	testEnd model.Day
	cuts    []float64 // ascending: where the tenths of expected value begin
	top     int
}

func planExpected(r *Run) (*Plan, error) {
	x := &expecting{r: r, top: r.Int("top"), tested: model.NoDay}
	var err error
	if x.ahead, err = horizonOf(r.Str("horizon"), r.Str("discount")); err != nil {
		return nil, err
	}
	if x.set, err = r.expectedSetting(); err != nil {
		return nil, err
	}
	all := r.progress
	defer func() { r.progress = all.part(3, 4) }()
	r.progress = all.part(0, 4)
	if x.model, err = r.foretelling(&x.set, r.AsOf, x.ahead); err != nil {
		return nil, err
	}
	x.ahead = x.model.ahead
	r.progress = all.part(1, 4)
	if err := x.backtest(); err != nil {
		return nil, err
	}
	r.progress = all.part(2, 4)
	if err := x.cut(); err != nil {
		return nil, err
	}
	return x.set.buys.on(&Plan{Slots: expSlots, JudgeAtT: true, Kernel: x.kernel, Layout: x.layout, Explain: x.explain, Work: x.work}), nil
}

// backtest fits as of an earlier day, so that what was expected from it can be set
// beside what came.
func (x *expecting) backtest() (err error) {
	days := min(int(math.Round(7*x.ahead.Horizon())), int(x.r.AsOf-x.r.FirstDay)/2)
	if days < 14 {
		return nil
	}
	x.tested = x.r.AsOf - model.Day(days)
	if x.test, err = x.r.foretelling(&x.set, x.tested, value.Discount{Steps: 1, Weeks: float64(days) / 7}); err != nil {
		return err
	}
	if x.testEnd = x.tested + model.Day(math.Round(7*x.test.ahead.Horizon())); x.test.silent() != "" {
		x.test = nil
	}
	return nil
}

// cut finds the tenths of expected value, which depend on all buyers.
func (x *expecting) cut() error {
	type acc struct {
		k    *foreteller
		read *buyer
		v    []float64
	}
	var all []float64
	err := Scan(x.r, x.set.buys.needs(),
		func() *acc { return &acc{k: x.model.foreteller(&x.set), read: x.set.buys.reader()} },
		func(a *acc, p *Person) error {
			if e, ok := a.k.of(a.read.read(p, x.r.AsOf)); ok {
				a.v = append(a.v, e.worth())
			}
			return nil
		},
		func(a *acc) error { all = append(all, a.v...); return nil })
	slices.Sort(all)
	for i := range expBands {
		if len(all) > 0 {
			x.cuts = append(x.cuts, all[i*len(all)/expBands])
		}
	}
	return err
}

// tenth is the tenth of a buyer's expected value, 0 the lowest. Equal values stand
// in one tenth.
func (x *expecting) tenth(v float64) int {
	at := 0
	for at+1 < len(x.cuts) && v >= x.cuts[at+1] {
		at++
	}
	return at
}

// An expectedKernel adds what figures need beside hits, by group.
type expectedKernel struct {
	x         *expecting
	now, then *foreteller // then is nil where there is no test
	read      *buyer
	sums      []expectedSums
}

// expectedSums are one group's.
type expectedSums struct {
	purchases, alive float64
	test             [expClasses]struct{ expected, naive, spentExpected, spent float64 }
	top              []expectedLine
}

// An expectedLine is one buyer of the list shown.
type expectedLine struct {
	id string
	estimate
}

func (x *expecting) kernel() Kernel {
	k := &expectedKernel{x: x, read: x.set.buys.reader(), now: x.model.foreteller(&x.set), sums: make([]expectedSums, len(x.r.Groups))}
	if x.test != nil {
		k.then = x.test.foreteller(&x.set)
	}
	return k
}

// Visit estimates one person.
func (k *expectedKernel) Visit(p *Person, h *Hits) {
	x := k.x
	days := k.read.read(p, x.r.AsOf)
	e, ok := k.now.of(days)
	if !ok {
		h.Hit(expNone, Self)
		return
	}
	h.worth(expBuyers, e, x.set.valued)
	if x.model.Whole || !x.set.truncated(days) {
		h.Hit(expFitted, Self)
	}
	h.worth(expAlive+bandOf(e.alive), e, x.set.valued)
	h.worth(expTenth+x.tenth(e.worth()), e, x.set.valued)
	if !h.list {
		for g := range k.sums {
			if h.mask>>g&1 != 0 {
				s := &k.sums[g]
				s.purchases += e.purchases
				s.alive += e.alive
				s.keep(expectedLine{p.TL.ID, e}, x.top)
			}
		}
	}
	k.tested(days, h)
}

// tested compares what was expected of the buyer as of the test's cut-off with
// what came.
func (k *expectedKernel) tested(days []buyDay, h *Hits) {
	x := k.x
	if k.then == nil {
		return
	}
	e, ok := k.then.of(days)
	if !ok {
		return
	}
	bought, before, spent, first := 0, 0, model.Sum{}, true
	span := x.testEnd - x.tested
	for _, d := range days {
		if d.bought && first { // no return, which a repetition would repeat
			first = false
			continue
		}
		switch {
		case d.day > x.testEnd:
		case d.day > x.tested:
			if d.bought {
				bought++
			}
			spent.Merge(d.spent)
		case d.day > x.tested-span && d.bought:
			before++
		}
	}
	class := min(e.history.Repeats, expClasses-1)
	h.Times(expTest+class, Self, int64(bought))
	if h.list {
		return
	}
	for g := range k.sums {
		if h.mask>>g&1 != 0 {
			t := &k.sums[g].test[class]
			t.expected += e.purchases
			t.naive += float64(before)
			t.spentExpected += e.money
			t.spent += spent.Float()
		}
	}
}

// keep puts a buyer among the group's top ones.
func (s *expectedSums) keep(l expectedLine, top int) {
	at, _ := slices.BinarySearchFunc(s.top, l, func(a, b expectedLine) int {
		switch {
		case a.worth() != b.worth():
			if a.worth() > b.worth() {
				return -1
			}
			return 1
		}
		return strings.Compare(a.id, b.id)
	})
	if at < top {
		s.top = slices.Insert(s.top, at, l)
		s.top = s.top[:min(len(s.top), top)]
	}
}

// Merge adds the next split's users.
func (k *expectedKernel) Merge(next Kernel) error {
	for g := range k.sums {
		a, b := &k.sums[g], &next.(*expectedKernel).sums[g]
		a.purchases += b.purchases
		a.alive += b.alive
		for i := range a.test {
			a.test[i].expected += b.test[i].expected
			a.test[i].naive += b.test[i].naive
			a.test[i].spentExpected += b.test[i].spentExpected
			a.test[i].spent += b.test[i].spent
		}
		for _, l := range b.top {
			a.keep(l, k.x.top)
		}
	}
	return nil
}

// bandOf is the tenth in which a probability lies.
func bandOf(p float64) int { return min(max(int(p*expBands), 0), expBands-1) }

// worth puts a buyer into a slot with what they are expected to bring: as money
// where there is any.
func (h *Hits) worth(slot int, e estimate, valued bool) {
	n := len(h.users)
	if m, ok := model.MoneyOf(e.money); ok && valued {
		h.Money(slot, m)
	} else {
		h.Hit(slot, Self)
	}
	if len(h.users) > n {
		h.users[n].Score, h.users[n].Beside = e.worth(), e.alive
	}
}
