package model

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
)

// Money is an amount in millionths of its unit (of a currency, or of whatever
// the amount column counts). Fixed point, so that a sum does not depend on the
// order of its terms.
type Money int64

const (
	// Unit is one whole unit of money.
	Unit Money = 1_000_000
	// NoMoney marks an event without an amount. It is not zero.
	NoMoney Money = math.MinInt64
	// MaxMoney bounds the absolute amount of one event: 10^12 units. Ingest
	// rejects a row beyond it by reason.
	MaxMoney Money = 1_000_000_000_000 * Unit
)

// ErrOverflow says that a sum of amounts does not fit.
var ErrOverflow = errors.New("the sum of the amounts is too large to hold exactly")

// Float is the amount in whole units.
func (m Money) Float() float64 { return float64(m) / float64(Unit) }

// String is the exact decimal amount without trailing zeros; "" for NoMoney.
func (m Money) String() string {
	if m == NoMoney {
		return ""
	}
	neg, u := m < 0, uint64(m)
	if neg {
		u = -u
	}
	s := strconv.FormatUint(u/uint64(Unit), 10)
	if f := u % uint64(Unit); f != 0 {
		d := strconv.FormatUint(f+uint64(Unit), 10)[1:]
		for d[len(d)-1] == '0' {
			d = d[:len(d)-1]
		}
		s += "." + d
	}
	if neg {
		s = "-" + s
	}
	return s
}

// MoneyOf rounds x units to the nearest millionth, half to even. ok is false if
// x is not finite or beyond MaxMoney.
func MoneyOf(x float64) (m Money, ok bool) {
	r := math.RoundToEven(x * float64(Unit))
	if !(math.Abs(r) <= float64(MaxMoney)) {
		return 0, false
	}
	return Money(r), true
}

// A Sum adds amounts exactly in 128 bits. The zero value is an empty sum.
type Sum struct {
	hi int64
	lo uint64
}

// Add adds one amount; NoMoney adds nothing.
func (s *Sum) Add(m Money) {
	if m == NoMoney {
		m = 0 // and no branch: amounts come and go unpredictably
	}
	var c uint64
	s.lo, c = bits.Add64(s.lo, uint64(m), 0)
	s.hi += int64(m)>>63 + int64(c)
}

// AddEach adds every amount of a column, as Add does, in its own way: the halves
// of the amounts are summed apart, so that no addition waits for the carry of
// the one before. 2^30 halves fit in 64 bits.
func (s *Sum) AddEach(column []Money) {
	for len(column) > 0 {
		part := column[:min(len(column), 1<<30)]
		column = column[len(part):]
		var lo, hi int64
		for _, m := range part {
			if m == NoMoney {
				m = 0
			}
			lo += int64(m) & math.MaxUint32
			hi += int64(m) >> 32
		}
		s.Merge(Sum{hi: hi >> 32, lo: uint64(hi) << 32})
		s.Merge(Sum{lo: uint64(lo)})
	}
}

// Merge adds another sum.
func (s *Sum) Merge(o Sum) {
	var c uint64
	s.lo, c = bits.Add64(s.lo, o.lo, 0)
	s.hi += o.hi + int64(c)
}

// Money is the sum, or ErrOverflow if it does not fit in Money.
func (s Sum) Money() (Money, error) {
	if s.hi != int64(s.lo)>>63 || Money(s.lo) == NoMoney {
		return 0, ErrOverflow
	}
	return Money(s.lo), nil
}

// Float is the sum in whole units, rounded to a float64.
//
// The halves of a negative sum nearly cancel, so it is rounded by its absolute
// value: otherwise −1 millionth would come out as 0.
func (s Sum) Float() float64 {
	hi, lo, unit := uint64(s.hi), s.lo, float64(Unit)
	if s.hi < 0 {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, unit = 0-hi-borrow, -unit
	}
	return (float64(hi)*18446744073709551616 + float64(lo)) / unit
}
