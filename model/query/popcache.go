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
		w.bytes([]byte(ref.String()))
		put(&w, c.Ints, func(b []byte, v int32) []byte { return binary.LittleEndian.AppendUint32(b, uint32(v)) })
		put(&w, c.Reals, func(b []byte, v float64) []byte { return binary.LittleEndian.AppendUint64(b, math.Float64bits(v)) })
		put(&w, c.Codes, binary.LittleEndian.AppendUint32)
		put(&w, c.Flags, binary.LittleEndian.AppendUint64)
		put(&w, c.Known, binary.LittleEndian.AppendUint64)
	}
	return w.out
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
		if string(d.bytes()) != ref.String() {
			return nil, errBadPopulation
		}
		c := set.NewColumn(i, 0)
		c.Len = n
		keep(&c.Ints, get(&d, 4, i32))
		keep(&c.Reals, get(&d, 8, func(b []byte) float64 { return math.Float64frombits(u64(b)) }))
		keep(&c.Codes, get(&d, 4, u32))
		if f := get(&d, 8, u64); f != nil {
			c.Flags = f
		}
		if k := get(&d, 8, u64); k != nil {
			c.Known = k
		}
		if max(len(c.Ints), len(c.Reals), len(c.Codes), len(c.Flags)*64) < n {
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
