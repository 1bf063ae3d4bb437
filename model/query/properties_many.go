package query

import (
	"maps"
	"math/bits"
	"slices"

	"dwell/model"
)

// A counter for each of a property's values in each part of the data would grow
// with the values: a property with more than frequentKept of them counts apart
// only those that may be frequent, found in a pass of their own; the others are
// counted together. Types, distinct values and every figure stay exact.
type manyValues struct {
	codes []uint32         // of the values counted apart, ascending
	place map[uint32]int32 // of each in codes
	kinds []valueType      // of every value
	n     int64            // events with a value
}

// findFrequent reads the properties of many values and settles which of their
// values are counted apart.
func (p *propertiesPlan) findFrequent() error {
	p.many = make([]*manyValues, len(p.keys))
	var wide []int
	var columns []string
	for k := range p.keys {
		if info := &p.r.Info.Keys[k]; !info.Plain && len(info.Values) > frequentKept {
			wide, columns = append(wide, k), append(columns, p.keys[k])
		}
	}
	if wide == nil {
		return nil
	}
	fresh := func() []*frequent {
		out := make([]*frequent, len(wide))
		for i := range out {
			out[i] = newFrequent()
		}
		return out
	}
	total := fresh()
	err := Scan(p.r, Needs{Columns: columns}, fresh,
		func(fs []*frequent, u *Person) error {
			for i, k := range wide {
				col, values := u.TL.Props[i], p.r.Info.Keys[k].Values
				for e := range u.Days {
					if has(col, e) {
						fs[i].add(values[col.Codes[e]])
						fs[i].n++
					}
				}
			}
			return nil
		},
		func(fs []*frequent) error {
			for i, f := range fs {
				total[i].merge(f)
			}
			return nil
		})
	if err != nil {
		return err
	}
	for i, k := range wide {
		p.many[k] = newManyValues(&p.r.Info.Keys[k], total[i])
	}
	return nil
}

func newManyValues(info *model.KeyInfo, f *frequent) *manyValues {
	m := &manyValues{place: map[uint32]int32{}, kinds: make([]valueType, len(info.Values)), n: f.n}
	for c, v := range info.Values {
		if c == 0 {
			continue // "", which is no value
		}
		m.kinds[c] = typeOf(v)
		if _, ok := f.count[v]; ok {
			m.place[uint32(c)] = 0
		}
	}
	m.codes = slices.Sorted(maps.Keys(m.place))
	for i, c := range m.codes {
		m.place[c] = int32(i)
	}
	return m
}

// add counts one event with a value.
func (kt *keyTally) add(m *manyValues, code uint32) {
	kt.types[m.kinds[code]]++
	kt.seen[code/64] |= 1 << (code % 64)
	if i, ok := m.place[code]; ok {
		kt.codes[i]++
	}
}

// distinct is how many values were seen.
func (kt *keyTally) distinct() (n int64) {
	for _, b := range kt.seen {
		n += int64(bits.OnesCount64(b))
	}
	return n
}

// frequent are the values on more than one event in frequentKept+1, most frequent
// first: none of those is missing.
func (kt *keyTally) frequent(info *model.KeyInfo, m *manyValues) (top []topValue) {
	for i, c := range m.codes {
		if n := kt.codes[i]; n*(frequentKept+1) > m.n {
			top = append(top, topValue{info.Values[c], n})
		}
	}
	sortBy(top, func(v topValue) (int64, string) { return -v.events, v.text })
	return top
}
