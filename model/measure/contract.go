package measure

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"dwell/model"
)

// A contract follows paid periods and cancellations. A period that ends on day
// e is open on the days before e. Where the dictionary names paid_until, the last
// value seen holds (a contract may be shortened); else each purchase with a period
// pays from its day on, and the latest end holds.
//
// A cancellation takes effect on its own day, or, if a contract is open then, on
// the day that contract ends, as known when it was cancelled.
type contract struct {
	until  *property
	ends   []model.Day // of each code of until; NoDay where not a date
	period *property
	spans  []span // of each code of period
	cal    *model.Calendar

	h       int
	end     model.Day   // of the last paid period; NoDay
	effects []model.Day // days on which cancellations take effect, ascending
}

// Contracts says whether the data tell of paid periods: by the paid_until column,
// or, where the dictionary names none, by a period on purchases.
func (s *Schema) Contracts() bool {
	if s.Dict == nil {
		return false
	}
	cols := s.Dict.Columns
	column := cols.PaidUntil
	if column == "" {
		column = cols.Period
	}
	return column != "" && s.Info.Key(column) != nil
}

// What is asked of a contract.
type contractAsk uint8

const (
	cancelledToday contractAsk = iota
	contractOpen
	contractLeft
)

func buildContract(ask contractAsk) builder {
	return func(s *Set, _ Ref) (maker, error) {
		proto := contract{cal: s.schema.Cal}
		var cols model.Columns
		if s.schema.Dict != nil {
			cols = s.schema.Dict.Columns
		}
		switch {
		case cols.PaidUntil != "" && s.schema.Info.Key(cols.PaidUntil) != nil:
			p := s.property(cols.PaidUntil)
			proto.until = &p
			for _, v := range p.key.Values {
				proto.ends = append(proto.ends, paidUntil(v, proto.cal))
			}
		case cols.PaidUntil == "" && cols.Period != "" && s.schema.Info.Key(cols.Period) != nil:
			p := s.property(cols.Period)
			proto.period = &p
			for _, v := range p.key.Values {
				proto.spans = append(proto.spans, parseSpan(v))
			}
		}
		return func(*Cursor) acc {
			a := &contractAcc{contract: proto, ask: ask}
			a.reset()
			return a
		}, nil
	}
}

func (k *contract) reset() { k.h, k.end, k.effects = 0, model.NoDay, k.effects[:0] }

func (k *contract) advance(c *Cursor) {
	for ; k.h < c.n; k.h++ {
		day := c.days[k.h]
		switch {
		case k.until != nil:
			end := model.NoDay
			if k.until.key.Plain {
				end = paidUntil(k.until.text(c, k.h), k.cal)
			} else {
				end = k.ends[k.until.code(c, k.h)]
			}
			if end != model.NoDay {
				k.end = end
			}
		case k.period != nil && c.role[k.h]&model.Purchase != 0:
			var sp span
			if k.period.key.Plain {
				sp = parseSpan(k.period.text(c, k.h))
			} else {
				sp = k.spans[k.period.code(c, k.h)]
			}
			if sp != (span{}) {
				k.end = max(k.end, sp.after(day))
			}
		}
		if c.role[k.h]&model.Cancel != 0 {
			e := max(day, k.end)
			if at, there := slices.BinarySearch(k.effects, e); !there {
				k.effects = slices.Insert(k.effects, at, e)
			}
		}
	}
	for len(k.effects) > 0 && k.effects[0] < c.day {
		k.effects = append(k.effects[:0], k.effects[1:]...)
	}
}

// A contractAcc is contract_open, contract_days_left or cancelled_today.
type contractAcc struct {
	contract
	ask contractAsk
}

func (a *contractAcc) value(c *Cursor) (float64, bool) {
	a.advance(c)
	switch a.ask {
	case contractOpen:
		return flag(c.day < a.end)
	case contractLeft:
		if a.end == model.NoDay {
			return 0, false
		}
		return float64(max(0, a.end-c.day)), true
	}
	return flag(len(a.effects) > 0 && a.effects[0] == c.day)
}

func (a *contractAcc) drift(c *Cursor) (model.Day, float64) {
	switch {
	case a.ask == contractOpen && c.day < a.end:
		return a.end, 0
	case a.ask == contractLeft && c.day < a.end:
		return a.end, -1
	case a.ask == cancelledToday && len(a.effects) > 0:
		return max(a.effects[0], c.day+1), 0
	}
	return Never, 0
}

// paidUntil reads a date, or an instant, whose local day it takes; NoDay if it is
// neither.
func paidUntil(v string, cal *model.Calendar) model.Day {
	if v == "" {
		return model.NoDay
	}
	if d, err := model.ParseDay(v); err == nil {
		return d
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		t, err := time.Parse(layout, v)
		if err != nil {
			continue
		}
		if layout == time.RFC3339Nano {
			return cal.Day(t.UnixMilli())
		}
		return model.Day(t.Unix() / 86400) // already local
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		switch {
		case n >= 100_000_000_000: // milliseconds
			return cal.Day(n)
		case n >= 100_000_000: // seconds
			return cal.Day(n * 1000)
		}
	}
	return model.NoDay
}

// A span is the length of a paid period.
type span struct{ months, days int }

// after is the day that ends a period begun on d; a month from the 31st ends on
// the last day of a shorter month.
func (s span) after(d model.Day) model.Day {
	if s.months > 0 {
		y, m, day := d.Civil()
		first := model.DayOf(y, m+time.Month(s.months), 1)
		_, _, last := (model.DayOf(y, m+time.Month(s.months+1), 1) - 1).Civil()
		d = first + model.Day(min(day, last)) - 1
	}
	return d + model.Day(s.days)
}

// parseSpan reads month, year, week, quarter, "3 months", "P1Y", or a number of
// days; the zero span if it is none of them.
func parseSpan(v string) span {
	v = strings.ToLower(strings.TrimSpace(v))
	v = strings.TrimPrefix(v, "p")
	digits := len(v) - len(strings.TrimLeft(v, "0123456789"))
	n := 1
	if digits > 0 {
		var err error
		if n, err = strconv.Atoi(v[:digits]); err != nil || n < 1 || n > MaxDays {
			return span{}
		}
	}
	unit := strings.Trim(v[digits:], " _-")
	switch unit {
	case "":
		if digits == 0 {
			return span{}
		}
		return span{days: n}
	case "d", "day", "days", "daily":
		return span{days: n}
	case "w", "week", "weeks", "weekly":
		return span{days: 7 * n}
	case "m", "mo", "month", "months", "monthly":
		return span{months: n}
	case "q", "quarter", "quarters", "quarterly":
		return span{months: 3 * n}
	case "y", "yr", "year", "years", "yearly", "annual", "annually":
		return span{months: 12 * n}
	}
	return span{}
}
