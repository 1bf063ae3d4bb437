package ingest

import (
	"bytes"
	"math"
	"math/big"
	"math/bits"
	"strconv"

	"dwell/model"
)

// A decimal is m / 10^s exactly, 0 ≤ s ≤ 18. Amounts are computed in decimals
// so that 6 × 2.55 is 15.3 and not 15.299999999999999; what does not fit is
// computed again in big.Rat.
type decimal struct {
	m int64
	s int
}

var pow10 = [19]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// parseDecimal reads [+-]digits[.digits][e[+-]digits]. ok says that b is such a
// number, fits that the decimal holds it.
func parseDecimal(b []byte) (d decimal, ok, fits bool) {
	i, neg := 0, false
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		neg = b[i] == '-'
		i++
	}
	var m uint64
	digits, seen, point := 0, false, false
	fits = true
	for ; i < len(b); i++ {
		c := b[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		seen = true
		if digits++; m == 0 && c == '0' {
			digits = 0
		}
		if digits > 18 {
			fits = false
		} else {
			m = m*10 + uint64(c-'0')
		}
		if point {
			d.s++
		}
	}
	if !seen {
		return d, false, false
	}
	if i < len(b) {
		if b[i] != 'e' && b[i] != 'E' {
			return d, false, false
		}
		e, err := strconv.Atoi(string(bytes.TrimPrefix(b[i+1:], []byte("+"))))
		if err != nil || len(b)-i > 6 || bytes.HasPrefix(b[i+1:], []byte("+-")) {
			return d, false, false
		}
		d.s -= e
		for d.s < 0 && m != 0 && m < 1e17 {
			m, d.s = m*10, d.s+1
		}
		if m == 0 {
			d.s = 0
		}
	}
	for d.s > 18 && m%10 == 0 && fits {
		m, d.s = m/10, d.s-1
	}
	d.m = int64(m)
	if neg {
		d.m = -d.m
	}
	return d, true, fits && d.s >= 0 && d.s <= 18
}

// mul multiplies; ok is false if the product does not fit.
func (d decimal) mul(e decimal) (decimal, bool) {
	d, e = d.trim(), e.trim()
	hi, lo := bits.Mul64(abs64(d.m), abs64(e.m))
	if hi != 0 || lo > math.MaxInt64 || d.s+e.s > 18 {
		return decimal{}, false
	}
	p := int64(lo)
	if (d.m < 0) != (e.m < 0) {
		p = -p
	}
	return decimal{p, d.s + e.s}, true
}

// add adds; ok is false if the sum does not fit.
func (d decimal) add(e decimal) (decimal, bool) {
	if d.s < e.s {
		d, e = e, d
	}
	hi, lo := bits.Mul64(abs64(e.m), uint64(pow10[d.s-e.s]))
	if hi != 0 || lo > math.MaxInt64 {
		return decimal{}, false
	}
	m := int64(lo)
	if e.m < 0 {
		m = -m
	}
	sum := d.m + m
	if (sum > d.m) != (m > 0) && m != 0 {
		return decimal{}, false
	}
	return decimal{sum, d.s}, sum != math.MinInt64
}

// trim drops zeros at the end of the fraction.
func (d decimal) trim() decimal {
	for d.s > 0 && d.m%10 == 0 {
		d.m, d.s = d.m/10, d.s-1
	}
	return d
}

// money rounds to a millionth, half to even. rounded says that something was
// lost; ok is false beyond model.MaxMoney.
func (d decimal) money() (m model.Money, rounded, ok bool) {
	if d.s <= 6 {
		hi, lo := bits.Mul64(abs64(d.m), uint64(pow10[6-d.s]))
		if hi != 0 || lo > uint64(model.MaxMoney) {
			return 0, false, false
		}
		m = model.Money(lo)
		if d.m < 0 {
			m = -m
		}
		return m, false, true
	}
	div := uint64(pow10[d.s-6])
	q, r := abs64(d.m)/div, abs64(d.m)%div
	if r > div-r || r == div-r && q%2 == 1 {
		q++
	}
	if q > uint64(model.MaxMoney) {
		return 0, false, false
	}
	m = model.Money(q)
	if d.m < 0 {
		m = -m
	}
	return m, r != 0, true
}

func (d decimal) rat() *big.Rat { return big.NewRat(d.m, pow10[d.s]) }

// ratMoney is money for an exact fraction of any size.
func ratMoney(r *big.Rat) (m model.Money, rounded, ok bool) {
	n := new(big.Int).Mul(r.Num(), big.NewInt(int64(model.Unit)))
	q, rem := new(big.Int).QuoRem(n, r.Denom(), new(big.Int))
	if rem.Sign() != 0 {
		rounded = true
		twice := new(big.Int).Abs(rem)
		c := twice.Lsh(twice, 1).Cmp(r.Denom())
		if c > 0 || c == 0 && q.Bit(0) == 1 {
			q.Add(q, big.NewInt(int64(n.Sign())))
		}
	}
	if !q.IsInt64() || q.Int64() > int64(model.MaxMoney) || q.Int64() < -int64(model.MaxMoney) {
		return 0, false, false
	}
	return model.Money(q.Int64()), rounded, true
}

func abs64(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}
