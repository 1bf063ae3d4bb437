package value

import (
	"fmt"
	"math"
	"slices"

	"dwell/model"
)

// A Movement is what happened to a customer's monthly recurring revenue.
type Movement uint8

const (
	NewRevenue  Movement = iota // paid for the first time
	Expansion                   // pays more
	Contraction                 // pays less, one of several subscriptions ended included
	ChurnedOut                  // the last subscription ended
	Reactivated                 // had ended, pays again
	Movements                   // their number
)

var movementWords = [Movements]string{"new", "expansion", "contraction", "churn", "reactivation"}

// String is the movement's word.
func (m Movement) String() string { return movementWords[m] }

// Move names the change of a customer's recurring revenue from before to after,
// both summed over all his subscriptions and not below 0; paid says whether he
// ever paid before. ok is false where nothing changed.
//
// The names are SPEC 2's, which are ChartMogul's.
func Move(before, after model.Money, paid bool) (m Movement, ok bool) {
	switch {
	case after == before:
		return 0, false
	case before == 0 && paid:
		return Reactivated, true
	case before == 0:
		return NewRevenue, true
	case after == 0:
		return ChurnedOut, true
	case after > before:
		return Expansion, true
	}
	return Contraction, true
}

// A Subscription is one paid span of one customer: he pays Monthly on the days
// [From, Until).
type Subscription struct {
	From, Until model.Day
	Monthly     model.Money
}

// A Step is one change of a customer's recurring revenue, on the day it took
// effect.
type Step struct {
	Day           model.Day
	Before, After model.Money
	Movement      Movement
}

// Steps are the changes of one customer's recurring revenue over all his life, a
// day's changes as one (an upgrade is one subscription ended and another begun).
// A subscription that begins within grace days after the last one ended continues
// it: a renewal paid late is no churn. subs is not changed; those with no days or
// no amount are left out. The changes up to any day add up to what he pays on it.
// It fails with model.ErrOverflow where a day's sum does not fit.
func Steps(subs []Subscription, grace int) ([]Step, error) {
	live := make([]Subscription, 0, len(subs))
	for _, s := range subs {
		if s.From < s.Until && s.Monthly > 0 {
			live = append(live, s)
		}
	}
	slices.SortFunc(live, func(a, b Subscription) int { return int(a.From) - int(b.From) })
	// Bridge short pauses: whoever pays nothing for at most grace days went on.
	end := model.NoDay
	last := -1 // of the subscription that ends latest
	for i, s := range live {
		if last >= 0 && s.From > end && int64(s.From)-int64(end) <= int64(grace) {
			live[last].Until = s.From
		}
		if s.Until > end || last < 0 {
			end, last = s.Until, i
		}
	}
	days := make([]model.Day, 0, 2*len(live))
	for _, s := range live {
		days = append(days, s.From, s.Until)
	}
	slices.Sort(days)
	days = slices.Compact(days)
	var out []Step
	var now model.Money
	for _, d := range days {
		var all model.Sum
		for _, s := range live {
			if s.From <= d && d < s.Until {
				all.Add(s.Monthly)
			}
		}
		sum, err := all.Money()
		if err != nil {
			return nil, err
		}
		if m, ok := Move(now, sum, len(out) > 0); ok {
			out = append(out, Step{d, now, sum, m})
			now = sum
		}
	}
	return out, nil
}

// daysAMonth is the mean length of a month.
const daysAMonth = 365.25 / 12

// Monthly is an amount paid for so many months and days as an amount a month,
// rounded to millionths; a month of a yearly payment is a twelfth of it, of days
// 30.4375. It fails where the span is not positive or the amount negative.
func Monthly(amount model.Money, months, days int) (model.Money, error) {
	span := float64(months) + float64(days)/daysAMonth
	if amount == model.NoMoney || amount < 0 || !(span > 0) {
		return 0, fmt.Errorf("%s for %d months and %d days is no recurring revenue: it needs an amount from 0 and a span above 0", amount, months, days)
	}
	if days == 0 {
		n := model.Money(months)
		return (amount + n/2) / n, nil
	}
	m := math.RoundToEven(float64(amount) / span)
	if m > float64(model.MaxMoney) {
		return 0, model.ErrOverflow
	}
	return model.Money(m), nil
}
