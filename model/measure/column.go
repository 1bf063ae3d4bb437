package measure

import "math/bits"

// Bits is a set of row numbers, one bit a row; rows beyond its length are out.
type Bits []uint64

// NewBits has room for n rows, none of them in.
func NewBits(n int) Bits { return make(Bits, (n+63)/64) }

// Get says whether row i is in.
func (b Bits) Get(i int) bool { return i>>6 < len(b) && b[i>>6]>>(i&63)&1 != 0 }

// Set puts row i in.
func (b Bits) Set(i int) { b[i>>6] |= 1 << (i & 63) }

// Put puts row i in or out.
func (b Bits) Put(i int, in bool) {
	if in {
		b[i>>6] |= 1 << (i & 63)
	} else {
		b[i>>6] &^= 1 << (i & 63)
	}
}

// Count is the number of rows that are in.
func (b Bits) Count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// And keeps the rows that are in o too; o must be as long.
func (b Bits) And(o Bits) {
	for i := range b {
		b[i] &= o[i]
	}
}

// AndNot takes out the rows that are in o; o must be as long.
func (b Bits) AndNot(o Bits) {
	for i := range b {
		b[i] &^= o[i]
	}
}

// Each calls fn with the rows that are in, ascending, until it returns false.
func (b Bits) Each(fn func(i int) bool) {
	for w, x := range b {
		for ; x != 0; x &= x - 1 {
			if !fn(w<<6 + bits.TrailingZeros64(x)) {
				return
			}
		}
	}
}

// A Column is one measure of a whole population, one entry a user. Exactly one of
// Ints, Reals, Codes and Flags is in use. It takes 4 bytes a user for whole
// numbers, days and texts, 8 for fractions and sums, one bit for yes and no, and
// a bit more where some are missing.
type Column struct {
	Ref  Ref
	Type Type
	Len  int

	Ints  []int32
	Reals []float64
	Codes []uint32 // into Dict; 0 is missing
	Flags Bits
	Known Bits     // nil: known for all, or Codes says it
	Dict  []string // Dict[0] == ""

	whole, plain, missing bool
	index                 map[string]uint32 // of a Dict of its own
}

// NewColumn is an empty column for the measure of slot i, with room for n users.
func (s *Set) NewColumn(i, n int) *Column {
	f := s.fams[i]
	c := &Column{Ref: s.refs[i], Type: f.Type, whole: f.Whole}
	switch {
	case f.Type == Text:
		c.Codes = make([]uint32, 0, n)
		c.Dict = s.dicts[i]
		if c.Dict == nil {
			c.plain, c.Dict = true, []string{""}
		}
	case f.Type == Bool:
		c.Flags = make(Bits, 0, (n+63)/64)
	case f.Whole:
		c.Ints = make([]int32, 0, n)
	default:
		c.Reals = make([]float64, 0, n)
	}
	return c
}

// NewRanked is a column of whole scores or of percentiles made by ranking.
func NewRanked(ref Ref, whole bool, n int) *Column {
	c := &Column{Ref: ref, Type: Number, whole: whole}
	if whole {
		c.Ints = make([]int32, 0, n)
	} else {
		c.Reals = make([]float64, 0, n)
	}
	return c
}

// Push appends the cursor's value of slot i, for which the column was made.
func (c *Column) Push(cur *Cursor, i int) {
	if c.plain {
		c.AppendText(cur.Text(i))
		return
	}
	v, known := cur.Value(i)
	c.Append(v, known)
}

// Append appends one value; texts as codes into Dict.
func (c *Column) Append(v float64, known bool) {
	i := c.Len
	c.Len++
	if !known {
		v = 0
	}
	switch {
	case c.Type == Text:
		c.Codes = append(c.Codes, uint32(v))
		return
	case c.Type == Bool:
		if len(c.Flags)*64 <= i {
			c.Flags = append(c.Flags, 0)
		}
		c.Flags.Put(i, v != 0)
	case c.whole:
		c.Ints = append(c.Ints, int32(v))
	default:
		c.Reals = append(c.Reals, v)
	}
	c.know(i, known)
}

// know notes whether row i is known; Known exists from the first missing one on.
func (c *Column) know(i int, known bool) {
	if known && !c.missing {
		return
	}
	if !c.missing {
		c.missing = true
		c.Known = NewBits(i + 1)
		for j := range i {
			c.Known.Set(j)
		}
	}
	if len(c.Known)*64 <= i {
		c.Known = append(c.Known, 0)
	}
	c.Known.Put(i, known)
}

// AppendText appends a text; of a property with a dictionary of the data's own,
// one that is in it.
func (c *Column) AppendText(v string) {
	if c.index == nil {
		c.index = make(map[string]uint32, len(c.Dict))
		for i, d := range c.Dict {
			c.index[d] = uint32(i)
		}
	}
	code, ok := c.index[v]
	if !ok {
		code = uint32(len(c.Dict))
		c.Dict = append(c.Dict, v)
		c.index[v] = code
	}
	c.Codes = append(c.Codes, code)
	c.Len++
}

// Concat appends the rows of a column of the same measure.
func (c *Column) Concat(o *Column) {
	if c.plain {
		for _, code := range o.Codes {
			c.AppendText(o.Dict[code])
		}
		return
	}
	for i := range o.Len {
		v, known := o.At(i)
		c.Append(v, known)
	}
}

// At is the value of row i, as Cursor.Value gives it.
func (c *Column) At(i int) (v float64, known bool) {
	switch {
	case c.Codes != nil:
		return float64(c.Codes[i]), c.Codes[i] != 0
	case c.Flags != nil:
		v = b2f(c.Flags.Get(i))
	case c.Ints != nil:
		v = float64(c.Ints[i])
	default:
		v = c.Reals[i]
	}
	return v, c.Known == nil || c.Known.Get(i)
}

// Text is the text of row i, "" where missing.
func (c *Column) Text(i int) string { return c.Dict[c.Codes[i]] }

// Bytes is what the column holds in memory, its dictionary included if it is
// its own.
func (c *Column) Bytes() int {
	n := 4*cap(c.Ints) + 8*cap(c.Reals) + 4*cap(c.Codes) + 8*cap(c.Flags) + 8*cap(c.Known)
	if c.plain {
		for _, v := range c.Dict {
			n += 2*16 + len(v) + 4 // in Dict and as a key of index
		}
	}
	return n
}
