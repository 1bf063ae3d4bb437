package query

import (
	"fmt"
	"math"
	"strconv"

	"dwell/model"
	"dwell/model/value"
)

// forecastAnalysis foretells the next weeks: how many users will stand in each
// stage, how many will be active, how many will buy; tested on the data's own past.
func forecastAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "forecast", Title: "Forecast", Help: "the next weeks' stage populations, active users and buyers with bands, how often such bands held in the past, and a naive forecast beside", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "weeks", Type: Int, Min: 1, Default: "8", Help: "how many weeks ahead, 52 at most"},
				{Name: "band", Type: Float, Default: "0.8", Help: "the share of simulated futures that the band holds"},
				{Name: "event", Type: Text, Help: "what a purchase is; what the dictionary calls one if left out: " + pickHelp},
				{Name: "seed", Type: Int, Min: 1, Default: "1", Help: "of the simulated futures"},
			}, truncatedKeys(), zoneKeys())},
		check: func(q Query) error {
			var x float64
			if _, err := fmt.Sscan(q.Value("band"), &x); err != nil || !(x >= 0.5 && x <= 0.99) {
				return fmt.Errorf("band=%s: a share from 0.5 to 0.99 is wanted", q.Value("band"))
			}
			if n, err := strconv.Atoi(q.Value("weeks")); q.Value("weeks") != "" && (err != nil || n > forecastAhead) {
				return fmt.Errorf("weeks=%s: at most %d weeks ahead can be asked for", q.Value("weeks"), forecastAhead)
			}
			return nil
		},
		plan: planForecast,
	}
}

const (
	forecastAhead   = 52  // weeks looked ahead at most
	forecastBack    = 260 // weeks looked back at most
	forecastShown   = 26  // past weeks shown
	forecastLeast   = 8   // weeks that a forecast needs
	forecastOrigins = 40  // past weeks before the horizon that are forecast from, at most
	forecastPast    = 28  // of all of them so many, evenly
	forecastDraws   = 300
	forecastTrials  = 100 // draws of a forecast from the past
)

// buyerClasses are how often buyers have bought: the kinds of the chain of buyers.
var buyerClasses = [...]int{1, 2, 5, 10} // up to; more is the last class

func buyerClass(days int) (class int) {
	for class < len(buyerClasses) && days > buyerClasses[class] {
		class++
	}
	return class
}

// A forecast is one question about the weeks to come. Weeks end on the as-of day,
// seven days before, and so on.
//
// Slots: everybody, everybody with a purchase; then of each week shown the active
// users, the buyers, and the users of each stage at its end.
type forecast struct {
	r      *Run
	his    *historian
	buys   *buying
	any    bool // there are purchases
	weeks  int  // of the past, all
	first  int  // the first that may be learned from
	shown  int
	ahead  int
	band   float64
	names  []string
	stages *outlook // nil: why says so
	buyers *outlook
	why    string
	model  *value.BackTest // of buyers known, by the repeat-buying model; nil without
	fit    *value.Forecast
	noFit  string
}

// An outlook is a chain's forecast and what such forecasts were worth.
type outlook struct {
	chain *chain
	weeks []weekAhead
	naive []float64 // of each kind, and last of those who act
	tests []trial   // likewise
	from  int       // past weeks whose forecasts were corrected and count
	// learned says that past errors have corrected the forecast.
	learned bool
}

// A trial counts how past forecasts of one figure went.
type trial struct {
	periods, within   int
	off, naive, total float64 // absolute errors, summed; and the figures
	wide              float64 // widths of the bands, summed
}

const (
	foreAll = iota
	foreBuyers
	foreWeeks
)

func (f *forecast) slot(week, what int) int { return foreWeeks + week*(2+len(f.names)) + what }

// end is the last day of a week of the past.
func (f *forecast) end(week int) model.Day { return f.r.AsOf - model.Day(7*(f.weeks-1-week)) }

func planForecast(r *Run) (*Plan, error) {
	f := &forecast{r: r, ahead: min(r.Int("weeks"), forecastAhead)}
	if _, err := fmt.Sscan(r.Str("band"), &f.band); err != nil {
		return nil, fmt.Errorf("band=: %w", err)
	}
	for _, s := range r.machine.Model().Stages {
		f.names = append(f.names, s.Name)
	}
	var err error
	if f.buys, err = r.buying(); err != nil {
		return nil, err
	}
	f.any = r.hasRole(model.Purchase)
	if w := r.Str("event"); w != "" {
		k, err := r.pick(w)
		if err != nil {
			return nil, fmt.Errorf("event=: %w", err)
		}
		f.buys.pick, f.any = &k, true
	}
	if f.his, err = r.historian(f.buys.columns...); err != nil {
		return nil, err
	}
	f.weeks = min(int(r.AsOf-r.FirstDay+1)/7, forecastBack)
	f.shown = min(f.weeks, forecastShown)
	if seen := r.seenBefore(); seen != model.NoDay {
		for f.first < f.weeks && f.end(f.first)-7 < seen {
			f.first++
		}
	}
	if f.weeks-f.first < forecastLeast {
		f.why = f.tooShort()
	}
	return f.his.on(&Plan{Slots: f.slot(f.shown, 0), Kernel: f.kernel, Layout: f.layout, Explain: f.explain}), nil
}

// tooShort says how much data a forecast needs, how much there is, and what can be
// done about it.
func (f *forecast) tooShort() string {
	r := f.r
	days := max(0, int(r.AsOf-r.FirstDay)+1)
	out := fmt.Sprintf("Nothing is foretold: a forecast learns from at least %d whole weeks (%d days), and up to %s there are %s, %s.",
		forecastLeast, 7*forecastLeast, r.AsOf, plural(days, "day"), plural(f.weeks, "whole week"))
	if f.first == 0 {
		return out
	}
	left := "none remains"
	if n := f.weeks - f.first; n > 0 {
		left = fmt.Sprintf("%d remain", n)
	}
	out += fmt.Sprintf(" Weeks before %s are left out, since users first seen then may not be new: %s.", r.seenBefore(), left)
	if f.weeks >= forecastLeast {
		out += " truncated=keep takes them in, and is enough."
	}
	return out
}

// testedFrom is how many weeks to learn from a forecast of the past needs before it
// can be corrected, as it is today, and compared with what came.
func (f *forecast) testedFrom() int {
	past, outcomes := 0, 0
	for outcomes < leastCorrecting {
		past++
		outcomes += min(f.ahead, past)
	}
	return forecastLeast + past + 1
}

// A panel is what one scan gathers.
type panel struct {
	st             *Staging
	read           *buyer
	stages, buyers *chain
	active         []model.Day
	bought         []model.Day
	rolling        *value.Rolling
	sample         value.Sample
}

// foretell reads everybody's weeks, and forecasts from today and from past weeks. It
// is part of the layout: the lists behind the figures are of users as they are, and
// wait for no simulation.
func (f *forecast) foretell() error {
	r := f.r
	quiet := min(60, int(math.Ceil(r.param("G", 30)/7))+1)
	kinds := len(buyerClasses) + 1
	origins, noTest := value.Origins(r.FirstDay, r.AsOf, f.ahead, forecastOrigins)
	fresh := func() *panel {
		return &panel{st: f.his.staging(), read: f.buys.reader(), rolling: value.NewRolling(origins, f.ahead),
			stages: newChain(len(f.names), quiet, f.weeks, f.first), buyers: newChain(kinds, 52, f.weeks, f.first)}
	}
	total := fresh()
	all := r.progress
	r.progress = all.part(0, 3)
	n := Needs{Columns: f.his.need.Columns, Amounts: true}
	err := Scan(r, n, fresh, func(a *panel, p *Person) error { f.visit(a, p); return nil },
		func(a *panel) error {
			total.stages.add(a.stages)
			total.buyers.add(a.buyers)
			total.rolling.Merge(a.rolling)
			total.sample.Merge(&a.sample)
			return nil
		})
	r.progress = all
	if err != nil {
		return err
	}
	f.stages, err = f.look(total.stages, all.part(1, 3))
	if err == nil && f.any {
		f.buyers, err = f.look(total.buyers, all.part(2, 3))
		if err == nil {
			err = f.known(total, noTest)
		}
	}
	return err
}

// known forecasts what the buyers known today do, by the repeat-buying model.
func (f *forecast) known(a *panel, noTest error) error {
	stop := func() bool { return f.r.Ctx.Err() != nil }
	look := value.Outlook{Periods: f.ahead, Weeks: 1, Level: f.band, Seed: uint64(f.r.Int("seed")), Stop: stop}
	fail := func(err error) error {
		if stop() {
			return f.r.Ctx.Err()
		}
		f.noFit = err.Error()
		return nil
	}
	m, err := value.Fit(value.MBG, &a.sample, value.Options{Stop: stop})
	if err != nil {
		return fail(err)
	}
	if noTest == nil {
		if f.model, err = a.rolling.Judge(value.MBG, look, value.Options{Stop: stop}); err != nil {
			return fail(err)
		}
		look.Drift = f.model.Drift
	}
	if f.fit, err = m.Forecast(&a.sample, look); err != nil {
		return fail(err)
	}
	return nil
}

// visit counts one person's weeks.
func (f *forecast) visit(a *panel, p *Person) {
	r := f.r
	hist := a.st.To(p.TL, r.AsOf)
	a.active = r.ActiveDays(a.active[:0], p)
	f.count(a.stages, p.Days[0], a.active, func(d model.Day) int { return hist.On(d) })
	a.bought = a.bought[:0]
	if !f.any {
		return
	}
	for _, d := range a.read.read(p, r.AsOf) {
		if d.bought {
			a.bought = append(a.bought, d.day)
		}
	}
	if len(a.bought) == 0 {
		return
	}
	n := 0
	f.count(a.buyers, a.bought[0], a.bought, func(d model.Day) int {
		for n < len(a.bought) && a.bought[n] <= d {
			n++
		}
		return buyerClass(n)
	})
	// The fit learns from those it foretells. Left truncated buyers, whose first
	// purchase is hardly their first, are among them: without them the forecast of
	// Online Retail's known buyers is off by half as much again.
	a.rolling.Add(a.bought)
	if h, err := value.HistoryOf(a.bought, r.AsOf); err == nil {
		a.sample.Add(h)
	}
}

// count puts a person's weeks into a chain: there from a day on, acting on days,
// of a kind at the end of each week.
func (f *forecast) count(c *chain, there model.Day, acts []model.Day, kind func(model.Day) int) {
	from, last, i := 0, there, 0
	if before := f.end(0) - 7; there <= before { // where the person was when the first week began
		for ; i < len(acts) && acts[i] <= before; i++ {
			last = acts[i]
		}
		if k := kind(before); k >= 0 {
			from = c.place(k, int(before-last)/7)
		}
	}
	for w := range f.weeks {
		end := f.end(w)
		if end < there {
			continue
		}
		acted := false
		for ; i < len(acts) && acts[i] <= end; i++ {
			acted = acted || acts[i] > end-7
			last = acts[i]
		}
		k := kind(end)
		if k < 0 {
			continue
		}
		c.moves[w][c.move(from, k, acted)]++
		from = c.place(k, int(end-last)/7)
	}
}

// look forecasts from the last week, and from past weeks to say what that is worth
// and to correct it.
func (f *forecast) look(c *chain, p Progress) (*outlook, error) {
	o := &outlook{chain: c, tests: make([]trial, c.kinds+1)}
	seed := uint64(f.r.Int("seed"))
	last := f.weeks - 1
	begin := max(f.first+forecastLeast-1, last-f.ahead-forecastOrigins+1)
	past := pastForecasts{kinds: c.kinds, ahead: f.ahead, share: f.band}
	step := max(1, (last-begin+forecastPast-1)/forecastPast)
	for w := last - 1 - (last-1-begin)/step*step; w >= 0 && w < last; w += step {
		if err := f.r.Ctx.Err(); err != nil {
			return nil, err
		}
		if p != nil {
			p(int64(w-begin)*f.r.Info.Events/int64(last-begin+1), f.r.Info.Events)
		}
		one := pastForecast{week: w, naive: c.naive(w), weeks: c.foretell(w, min(f.ahead, last-w), forecastTrials, f.band, seed)}
		for i := range one.weeks {
			one.came = append(one.came, c.came(w+1+i))
		}
		past.all = append(past.all, one)
	}
	for i := range past.all {
		if one := &past.all[i]; past.corrected(one.week, one, func(k int, x corrected, came float64, naive float64) { o.tests[k].add(x, came, naive) }) {
			o.from++
		}
	}
	now := pastForecast{week: last, naive: c.naive(last), weeks: c.foretell(last, f.ahead, forecastDraws, f.band, seed)}
	o.naive = now.naive
	o.learned = past.corrected(last, &now, nil)
	o.weeks = now.weeks
	return o, nil
}

// add counts a forecast and what came.
func (t *trial) add(x corrected, came, naive float64) {
	t.periods++
	if x.lo <= came && came <= x.hi {
		t.within++
	}
	t.off += math.Abs(x.mean - came)
	t.wide += x.hi - x.lo
	t.naive += math.Abs(naive - came)
	t.total += came
}

func (f *forecast) kernel() Kernel {
	st, read := f.his.staging(), f.buys.reader()
	var active []model.Day
	return Visit(func(p *Person, h *Hits) {
		r := f.r
		hist := st.To(p.TL, r.AsOf)
		h.Hit(foreAll, Self)
		active = r.ActiveDays(active[:0], p)
		days := read.read(p, r.AsOf)
		bought := false
		for i := range days {
			bought = bought || days[i].bought
		}
		if bought {
			h.Hit(foreBuyers, Self)
		}
		i, j := 0, 0
		for w := range f.shown {
			end := f.end(f.weeks - f.shown + w)
			acted, buys := false, false
			for ; i < len(active) && active[i] <= end; i++ {
				acted = acted || active[i] > end-7
			}
			for ; j < len(days) && days[j].day <= end; j++ {
				buys = buys || days[j].bought && days[j].day > end-7
			}
			if acted {
				h.Hit(f.slot(w, 0), Self)
			}
			if buys {
				h.Hit(f.slot(w, 1), Self)
			}
			if at := hist.On(end); at >= 0 {
				h.Hit(f.slot(w, 2+at), Self)
			}
		}
	})
}
