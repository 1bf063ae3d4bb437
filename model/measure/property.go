package measure

import (
	"errors"
	"strconv"

	"dwell/model"
)

// A property is a column that a measure reads.
type property struct {
	key *model.KeyInfo
	at  int // among the Set's columns
}

func (s *Set) property(key string) property {
	return property{key: s.schema.Info.Key(key), at: s.column(key)}
}

// code is the value's code at place p, 0 where the event does not have it.
func (p *property) code(c *Cursor, place int) uint32 {
	codes := c.tl.Props[c.cols[p.at]].Codes
	if codes == nil {
		return 0
	}
	return codes[c.event(place)]
}

// text is the value at place p of a plain property.
func (p *property) text(c *Cursor, place int) string {
	plain := c.tl.Props[c.cols[p.at]].Plain
	if plain == nil {
		return ""
	}
	return plain[c.event(place)]
}

// A propAcc is a property's last (or first) non-empty value up to the day.
type propAcc struct {
	property
	first bool
	h     int
	have  bool
	found uint32 // the value's code, or
	plain string // the value itself
}

func (a *propAcc) reset() { a.h, a.have, a.found, a.plain = 0, false, 0, "" }

func (a *propAcc) value(c *Cursor) (float64, bool) {
	if a.first {
		for ; !a.have && a.h < c.n; a.h++ {
			a.take(c, a.h)
		}
	} else {
		// The newest value wins: look back from the day to what was seen before.
		for p := c.n - 1; p >= a.h && !a.take(c, p); p-- {
		}
		a.h = c.n
	}
	if a.key.Plain {
		return 0, a.have
	}
	return float64(a.found), a.have
}

func (a *propAcc) take(c *Cursor, p int) bool {
	if a.key.Plain {
		if t := a.text(c, p); t != "" {
			a.plain, a.have = t, true
			return true
		}
		return false
	}
	if code := a.code(c, p); code != 0 {
		a.found, a.have = code, true
		return true
	}
	return false
}

func (a *propAcc) drift(*Cursor) (model.Day, float64) { return Never, 0 }

func buildProp(first bool) builder {
	return func(s *Set, r Ref) (maker, error) {
		p := s.property(r.Key)
		return func(*Cursor) acc { return &propAcc{property: p, first: first} }, nil
	}
}

// A distinct counts different values in a window. With blanks each event
// without a value counts as one of its own (an order without a number).
type distinct struct {
	prop   property
	names  bool // counts event names instead
	blanks bool

	n     int
	codes []int32 // occurrences of each code
	used  []uint32
	plain map[string]int32
}

func (t *distinct) clear() {
	t.n = 0
	for _, code := range t.used {
		t.codes[code] = 0
	}
	t.used = t.used[:0]
	if len(t.plain) > 4096 {
		t.plain = nil // clearing a map costs its largest size ever
	}
	clear(t.plain)
}

func (t *distinct) put(c *Cursor, p, sign int) {
	if !t.names && t.prop.key.Plain {
		t.putPlain(t.prop.text(c, p), int32(sign))
		return
	}
	var code uint32
	if t.names {
		code = uint32(c.tl.Name[c.event(p)]) + 1
	} else {
		code = t.prop.code(c, p)
	}
	if code == 0 {
		if t.blanks {
			t.n += sign
		}
		return
	}
	for uint32(len(t.codes)) <= code {
		t.codes = append(t.codes, 0)
	}
	if sign > 0 && t.codes[code] == 0 {
		t.used = append(t.used, code)
		t.n++
	}
	t.codes[code] += int32(sign)
	if sign < 0 && t.codes[code] == 0 {
		t.n--
	}
}

func (t *distinct) putPlain(v string, sign int32) {
	if v == "" {
		if t.blanks {
			t.n += int(sign)
		}
		return
	}
	if t.plain == nil {
		t.plain = map[string]int32{}
	}
	k := t.plain[v] + sign
	switch {
	case k == 0:
		delete(t.plain, v)
		t.n--
	case k == 1 && sign > 0:
		t.plain[v] = k
		t.n++
	default:
		t.plain[v] = k
	}
}

func (t *distinct) value(*Cursor) (float64, bool) { return float64(t.n), true }

func buildDistinct(s *Set, r Ref) (func() tally, error) {
	if r.Key == EventName {
		return func() tally { return &distinct{names: true} }, nil
	}
	p := s.property(r.Key)
	return func() tally { return &distinct{prop: p} }, nil
}

// An affinity is the share of the commonest value among the events that have
// the property. It has no window: a maximum cannot be taken back cheaply.
type affinity struct {
	distinct
	total, top int32
}

func (t *affinity) clear() { t.distinct.clear(); t.total, t.top = 0, 0 }
func (t *affinity) put(c *Cursor, p, sign int) {
	t.distinct.put(c, p, sign)
	var k int32
	if t.prop.key.Plain {
		k = t.plain[t.prop.text(c, p)]
	} else if code := t.prop.code(c, p); code != 0 {
		k = t.codes[code]
	}
	if k > 0 {
		t.total++
		t.top = max(t.top, k)
	}
}
func (t *affinity) value(*Cursor) (float64, bool) {
	if t.total == 0 {
		return 0, false
	}
	return float64(t.top) / float64(t.total), true
}

func buildAffinity(s *Set, r Ref) (func() tally, error) {
	if r.Key == EventName {
		return nil, errors.New("affinity takes a property, not the event's name")
	}
	p := s.property(r.Key)
	return func() tally { return &affinity{distinct: distinct{prop: p}} }, nil
}

// ParseNumber reads a property's value as a number: decimal digits with an
// optional sign, point and exponent, and nothing else (no hexadecimal, no "inf").
func ParseNumber(s string) (float64, bool) {
	if s == "" || len(s) > 40 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b >= '0' && b <= '9', b == '.', b == '-', b == '+', b == 'e', b == 'E':
		default:
			return 0, false
		}
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil
}
