// Package value says what users have brought and what they may still bring: the
// repeat-buying models, spending, contracts, forecasts with bands that are tested
// on the data's own past, and the plain accounts beside them (RFM, tiers, the
// parts of a change of revenue, the movements of recurring revenue).
//
// The idea: a buyer is three numbers (how often she came back, her age at the last
// purchase, her age today), so a million buyers are a table of a few thousand
// distinct rows with counts. Add fills it, Fit climbs its likelihood from several
// starts and says how it ended, and every later question about one buyer is closed
// arithmetic without allocation.
//
//	var s value.Sample
//	for _, days := range buyingDays {          // ascending, each day once
//		h, err := value.HistoryOf(days, asOf)
//		…
//		s.Add(h)
//	}
//	m, err := value.Fit(value.MBG, &s, value.Options{Stop: stopped})
//	if err != nil { … value.ErrNoFit and its like: fall back to an Empirical curve }
//	m.Notes()                                    // to be shown with every figure of m
//	if m.Leaves { m.Alive(h) }                   // P(alive); without signs of leaving it is undetermined
//	m.Expected(h, 26)                            // purchases expected in 26 weeks
//	m.ExpectedInterval(h, 26, stat.Level)        // of that expectation, from the uncertainty of the parameters
//	m.Worth(h, spend.Expected(x, zbar), value.Discount{Steps: 12, Weeks: 4.345, Rate: 0.01})
//
// The sum over buyers is a Forecast with a band, of any subset's Sample; a Rolling,
// filled in the same pass, makes such forecasts at days of the past and counts how
// often the band held:
//
//	origins, err := value.Origins(first, asOf, weeks, 13)
//	r := value.NewRolling(origins, weeks)      // r.Add(days) of every user; r.Merge
//	past, err := r.Judge(value.MBG, value.Outlook{}, value.Options{})
//	past.Purchases.Sentence()                  // "the 80 % band held 48 of 56 past periods …"
//	f, err := m.Forecast(&s, value.Outlook{Periods: weeks, Drift: past.Drift})
//
// Invariants. Time is in weeks (days/7) after the first purchase wherever a field
// does not say otherwise; rates are fractions. No result is NaN: what cannot be
// estimated is an error with its reason. Equal samples give equal models, bit for
// bit, in whatever order they were added. The package reads no data, starts no
// goroutine and knows no clock; a fitted model is immutable and safe for many
// goroutines; long work asks Options.Stop. Random numbers come from the caller.
//
// The names follow the lifecycle's own words: SPEC's days_since is RFM's recency,
// and History.Last is age_at_last; the two never share a label.
package value

import (
	"errors"
	"fmt"
	"math"

	"dwell/model"
)

// What can go wrong. Each is wrapped in a sentence that says where and what to try.
var (
	ErrTooFew    = errors.New("too few buyers to fit a model")
	ErrNoRepeats = errors.New("too few buyers came back: how often the others will cannot be learned from them")
	ErrAlike     = errors.New("all buyers are alike: their differences are what the model is about")
	ErrNoFit     = errors.New("the fit did not settle")
	ErrStopped   = errors.New("stopped")
	ErrBad       = errors.New("not a history of purchases")
)

// A History is one buyer as of one day.
type History struct {
	Repeats int     // buying days (or occasions) after the first
	Last    float64 // age at the last purchase, in weeks; 0 where Repeats is 0
	Age     float64 // weeks since the first purchase
}

// HistoryOf counts one purchase a day. days are ascending, each once, and those
// after asOf are not read. It fails with ErrBad if none is left.
func HistoryOf(days []model.Day, asOf model.Day) (History, error) {
	n := len(days)
	for n > 0 && days[n-1] > asOf {
		n--
	}
	if n == 0 {
		return History{}, fmt.Errorf("%w: no purchase up to %v", ErrBad, asOf)
	}
	return History{n - 1, float64(days[n-1]-days[0]) / 7, float64(asOf-days[0]) / 7}, nil
}

// Check fails with ErrBad unless the numbers can be a buyer's.
func (h History) Check() error {
	switch {
	case math.IsNaN(h.Last) || math.IsNaN(h.Age) || math.IsInf(h.Last, 0) || math.IsInf(h.Age, 0):
		return fmt.Errorf("%w: the ages %v and %v are not finite", ErrBad, h.Last, h.Age)
	case h.Repeats < 0 || h.Last < 0 || h.Age < h.Last:
		return fmt.Errorf("%w: %d repeat purchases, the last at age %v of %v", ErrBad, h.Repeats, h.Last, h.Age)
	case h.Repeats == 0 && h.Last != 0:
		return fmt.Errorf("%w: no repeat purchase, yet the last at age %v", ErrBad, h.Last)
	case h.Repeats > 0 && h.Last == 0:
		return fmt.Errorf("%w: %d repeat purchases at age 0; count a day once", ErrBad, h.Repeats)
	}
	return nil
}
