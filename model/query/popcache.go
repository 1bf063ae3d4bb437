package query

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"

	"dwell/model/measure"
)

// A population is derived from the data alone, and making it is the longest wait
// of a large data set: so that of the default day is kept through the Cache port,
// as its arrays stand in memory. The key names everything it depends on.

// popVersion is the first byte of a stored population.
const popVersion = 1

// minPopCache is the number of users from which a population is worth keeping:
// below it, making one takes less than a blink.
const minPopCache = 20_000

func (r *Run) popKey() string {
	return "population/" + hashOf([]byte(strings.Join([]string{
		r.Info.Version.Hash, r.st.dictHash, r.machine.Hash(), r.Cal.Zone, r.AsOf.String(), programVersion, r.eng.opt.Version,
	}, "|")))
}

// cachable says whether the run's population may be kept: the default day's, so
// that a walk through many days does not fill the disk.
func (r *Run) cachable() bool {
	return r.eng.cache != nil && r.AsOf == r.st.data.AsOf && r.Info.Users >= minPopCache
}

// encode writes the population and its columns in the order of refs.
func (p *Population) encode(refs []measure.Ref) []byte {
	w := popWriter{out: make([]byte, 0, p.Bytes()+p.Len()*20)}
	w.byte(popVersion)
	w.int(len(p.ends))
	w.bytes(p.ids)
	put(&w, p.ends, binary.LittleEndian.AppendUint32)
	put(&w, p.buckets, func(b []byte, v int32) []byte { return binary.LittleEndian.AppendUint32(b, uint32(v)) })
	put(&w, p.marks, binary.LittleEndian.AppendUint64)
	put(&w, p.states, func(b []byte, s standing) []byte {
		b = binary.LittleEndian.AppendUint32(b, uint32(s.since))
		b = binary.LittleEndian.AppendUint32(b, uint32(s.spellFrom))
		return append(b, byte(s.stage), byte(s.high), byte(s.spell), byte(s.spell>>8))
	})
	w.int(len(refs))
	for _, ref := range refs {
		c := p.cols[ref.String()]
		w.column(ref, c)
	}
	return w.out
}

// column writes one column under the name of its measure.
func (w *popWriter) column(ref measure.Ref, c *measure.Column) {
	w.bytes([]byte(ref.String()))
	put(w, c.Ints, func(b []byte, v int32) []byte { return binary.LittleEndian.AppendUint32(b, uint32(v)) })
	put(w, c.Reals, func(b []byte, v float64) []byte { return binary.LittleEndian.AppendUint64(b, math.Float64bits(v)) })
	put(w, c.Codes, binary.LittleEndian.AppendUint32)
	put(w, c.Flags, binary.LittleEndian.AppendUint64)
	put(w, c.Known, binary.LittleEndian.AppendUint64)
}

// column reads what the writer's column wrote into an empty one of n users; false
// if it is not that.
func (d *popReader) column(ref measure.Ref, c *measure.Column, n int) bool {
	if string(d.bytes()) != ref.String() {
		return false
	}
	c.Len = n
	u64 := func(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
	keep(&c.Ints, get(d, 4, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }))
	keep(&c.Reals, get(d, 8, func(b []byte) float64 { return math.Float64frombits(u64(b)) }))
	keep(&c.Codes, get(d, 4, func(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }))
	if f := get(d, 8, u64); f != nil {
		c.Flags = f
	}
	if k := get(d, 8, u64); k != nil {
		c.Known = k
	}
	return !d.bad && max(len(c.Ints), len(c.Reals), len(c.Codes), len(c.Flags)*64) >= n
}

// Columns beyond the base are kept one by one, so that a user's page and a rule
// need not read everybody at a second start: plain measures and properties, not
// those with numbers of their own, of which a line that is typed asks many.

func (r *Run) columnKey(ref measure.Ref) string {
	return "column/" + hashOf([]byte(r.popKey()+"|"+ref.String()))
}

func plainRef(ref measure.Ref) bool { return ref.Days == 0 && ref.Where == nil }

// recallColumns takes what the cache has of the wanted columns, and gives those it
// has not.
func (p *Population) recallColumns(r *Run, want []measure.Ref, fresh map[string]*measure.Column) (rest []measure.Ref) {
	if !r.cachable() {
		return want
	}
	for _, ref := range want {
		c := p.recallColumn(r, ref)
		if c == nil {
			rest = append(rest, ref)
			continue
		}
		fresh[ref.String()] = c
		p.store(ref, c)
	}
	return rest
}

func (p *Population) recallColumn(r *Run, ref measure.Ref) *measure.Column {
	c := r.emptyColumn(ref)
	if c == nil {
		return nil
	}
	body, ok := r.eng.cache.Recall(r.columnKey(ref))
	if !ok {
		return nil
	}
	d := popReader{in: body}
	if d.byte() != popVersion || !d.column(ref, c, p.Len()) || len(d.in) > 0 {
		return nil // damaged, and derived: it is read anew
	}
	for _, code := range c.Codes {
		if int(code) >= len(c.Dict) {
			return nil
		}
	}
	return c
}

// emptyColumn is a column for a measure that is kept, nil for any other.
func (r *Run) emptyColumn(ref measure.Ref) *measure.Column {
	if !plainRef(ref) {
		return nil
	}
	set, err := measure.Compile([]measure.Ref{ref}, r.Schema)
	if err != nil {
		return nil
	}
	return set.NewColumn(0, 0)
}

// keepColumn hands a column that was read to the cache.
func (r *Run) keepColumn(ref measure.Ref, c *measure.Column) {
	if !r.cachable() {
		return
	}
	if e := r.emptyColumn(ref); e == nil || len(e.Dict) != len(c.Dict) {
		return // texts of its own, which the column alone would not tell
	}
	w := popWriter{out: make([]byte, 0, c.Len*9+64)}
	w.byte(popVersion)
	w.column(ref, c)
	r.eng.cache.Keep(r.columnKey(ref), w.out)
}

// errBadPopulation says that stored bytes are no population of this run.
var errBadPopulation = errors.New("the stored population cannot be read")

// decodePopulation reads what encode wrote for the same refs.
func decodePopulation(r *Run, refs []measure.Ref, body []byte) (*Population, error) {
	set, err := measure.Compile(refs, r.Schema)
	if err != nil {
		return nil, err
	}
	d := popReader{in: body}
	if d.byte() != popVersion {
		return nil, errBadPopulation
	}
	p := &Population{Day: r.AsOf, Schema: r.Schema, cols: map[string]*measure.Column{}}
	n := d.int()
	p.ids = append([]byte(nil), d.bytes()...)
	u32 := func(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
	i32 := func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }
	u64 := func(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
	p.ends = get(&d, 4, u32)
	p.buckets = get(&d, 4, i32)
	p.marks = get(&d, 8, u64)
	p.states = get(&d, 12, func(b []byte) standing {
		return standing{since: i32(b), spellFrom: i32(b[4:]), stage: int8(b[8]), high: int8(b[9]), spell: int16(binary.LittleEndian.Uint16(b[10:]))}
	})
	if d.int() != len(refs) {
		return nil, errBadPopulation
	}
	for i, ref := range refs {
		c := set.NewColumn(i, 0)
		if !d.column(ref, c, n) {
			return nil, errBadPopulation
		}
		p.cols[ref.String()] = c
	}
	if d.bad || len(p.ends) != n || len(p.states) != n || len(p.marks) != n || n > 0 && int(p.ends[n-1]) != len(p.ids) {
		return nil, errBadPopulation
	}
	return p, nil
}

// keep replaces a slice only if something was stored: which of a column's slices
// is in use is told by which is not nil.
func keep[T any](dst *[]T, src []T) {
	if src != nil {
		*dst = src
	}
}

type popWriter struct{ out []byte }

func (w *popWriter) byte(b byte) { w.out = append(w.out, b) }
func (w *popWriter) int(n int)   { w.out = binary.AppendUvarint(w.out, uint64(n)) }
func (w *popWriter) bytes(b []byte) {
	w.int(len(b))
	w.out = append(w.out, b...)
}

func put[T any](w *popWriter, vs []T, one func([]byte, T) []byte) {
	w.int(len(vs))
	for _, v := range vs {
		w.out = one(w.out, v)
	}
}

// A popReader reads without trusting: what does not fit sets bad.
type popReader struct {
	in  []byte
	bad bool
}

func (d *popReader) take(n int) []byte {
	if n < 0 || n > len(d.in) {
		d.bad, d.in = true, nil
		return nil
	}
	b := d.in[:n]
	d.in = d.in[n:]
	return b
}

func (d *popReader) byte() byte {
	if b := d.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (d *popReader) int() int {
	v, n := binary.Uvarint(d.in)
	if n <= 0 || v > math.MaxInt32*64 {
		d.bad, d.in = true, nil
		return 0
	}
	d.in = d.in[n:]
	return int(v)
}

func (d *popReader) bytes() []byte { return d.take(d.int()) }

func get[T any](d *popReader, size int, one func([]byte) T) []T {
	n := d.int()
	if n == 0 {
		return nil
	}
	b := d.take(n * size)
	if b == nil {
		return nil
	}
	out := make([]T, n)
	for i := range out {
		out[i] = one(b[i*size:])
	}
	return out
}
