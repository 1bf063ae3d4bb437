package query

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/retention"
	"dwell/model/rule"
)

// What is kept of every user for one pair of start and return (retention.Past),
// packed: about fifteen bytes and one more for each day with a return. A segment
// is then cut anew without reading an event: its rule runs over columns that hold
// each user's measures on the day of their own start, and the pasts of those who
// meet it are tallied.
//
// They are gathered in one scan when a segment is first asked about; questions
// about everybody use them if they are there.

// pasts are all users in the order of the data.
type pasts struct {
	start []int32 // model.Day; neverStarted
	seen  []int32
	flags []byte
	ends  []uint32 // where each user's days end
	days  []byte   // distance of each day with a return from the one before, uvarint

	mu    sync.Mutex
	cols  map[string]*measure.Column // as of each user's start
	order []string                   // their names, least recently made first
}

const (
	neverStarted = math.MinInt32
	pastDated    = 1
)

// keptPasts is how many pairs of start and return a state keeps, and keptAtStart
// how many columns each of them.
const (
	keptPasts   = 2
	keptAtStart = 16
)

// pastsKept are the pasts of a state, by what they depend on.
type pastsKept struct {
	mu    sync.Mutex
	by    map[string]*pasts
	order []string
}

func (k *pastsKept) get(key string) *pasts {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.by[key]
}

func (k *pastsKept) put(key string, p *pasts) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.by == nil {
		k.by = map[string]*pasts{}
	}
	if k.by[key] == nil {
		k.order = append(k.order, key)
	}
	k.by[key] = p
	if len(k.order) > keptPasts {
		delete(k.by, k.order[0])
		k.order = k.order[1:]
	}
}

// kept answers a count from what is kept; lists, comparisons, landmarks, the users
// of another figure and definitions that are not Plain are read from events.
func (p *retentionPlan) kept(t *target, h *Hits) (bool, error) {
	r := p.r
	tallies := p.tallies()
	if t != nil || tallies == nil || r.Q.Get("of") != "" || p.start.where != nil || p.back.where != nil || r.Str("judge") == "landmark" {
		return false, nil
	}
	key := fmt.Sprintf("%s|%s|%s|%s|%s", r.Str("start"), r.Str("return"), r.Str("kind"), r.Cal.Zone, r.AsOf)
	ps := r.st.pasts.get(key)
	rules := r.everybody() == 0
	if !rules && (ps == nil || r.eng.opt.Forget) {
		return false, nil
	}
	var in measure.Bits
	if rules {
		compiled, refs, err := r.compileGroups(false)
		if err != nil {
			return false, err
		}
		var cols rule.ColumnList
		if ps, cols, err = p.gather(ps, refs.All()); err != nil {
			return false, err
		}
		r.st.pasts.put(key, ps)
		in = measure.NewBits(len(ps.start))
		if err := compiled[0].EvalColumns(cols, len(ps.start), in); err != nil {
			return false, err
		}
	}
	return true, ps.count(r, p, in, h)
}

// gather gives everybody's past, and the columns of measures on the day of their
// start. What ps has of it already is not read again.
func (p *retentionPlan) gather(ps *pasts, refs []measure.Ref) (*pasts, rule.ColumnList, error) {
	cols := make(rule.ColumnList, len(refs))
	var want []measure.Ref
	for i, ref := range refs {
		if ps != nil {
			cols[i] = ps.col(ref)
		}
		if cols[i] == nil {
			want = append(want, ref)
		}
	}
	if ps != nil && len(want) == 0 {
		return ps, cols, nil
	}
	ps, fresh, err := p.readPasts(ps, want)
	if err != nil {
		return nil, nil, err
	}
	for i := range cols {
		if cols[i] == nil {
			cols[i], fresh = fresh[0], fresh[1:]
		}
	}
	return ps, cols, nil
}

// readPasts scans everybody for the wanted columns, and for the pasts if ps is nil.
func (p *retentionPlan) readPasts(ps *pasts, want []measure.Ref) (*pasts, []*measure.Column, error) {
	r := p.r
	set, err := measure.Compile(want, r.Schema)
	if err != nil {
		return nil, nil, err
	}
	f := set.Filter()
	staged := false
	for i := range set.Len() {
		staged = staged || set.Family(i).Stage
	}
	if staged {
		f = r.machine.Widen(f)
		if _, err := r.Staging(f); err != nil {
			return nil, nil, err
		}
	}
	f.Amounts = f.Amounts || r.Roles.NeedsAmount()
	if _, err := set.NewCursorFor(f); err != nil {
		return nil, nil, err
	}
	type acc struct {
		ps     pasts
		reader *retention.Reader
		past   retention.Past
		cur    *measure.Cursor
		stages *Staging
		cols   []*measure.Column
	}
	fresh := ps == nil
	if fresh {
		ps = &pasts{cols: map[string]*measure.Column{}}
	}
	total := newColumns(set, int(r.Info.Users))
	err = Scan(r, Needs{Columns: f.Columns, Amounts: f.Amounts},
		func() *acc {
			a := &acc{reader: p.reader(), cols: newColumns(set, int(r.Info.Users)/splits)}
			a.cur, _ = set.NewCursorFor(f) // tried above
			if staged {
				a.stages, _ = r.Staging(f) // tried above
			}
			return a
		},
		func(a *acc, u *Person) error {
			day := r.AsOf
			started := a.reader.Past(u.TL, u.Days, &a.past)
			if started {
				day = a.past.Start
			}
			if fresh {
				a.ps.add(&a.past, started)
			}
			if len(a.cols) > 0 {
				a.cur.Reset(u.TL)
				var st measure.State
				if a.stages != nil {
					st = a.stages.To(u.TL, day).State
				}
				a.cur.At(day, st)
				for i := range a.cols {
					a.cols[i].Push(a.cur, i)
				}
			}
			return nil
		},
		func(a *acc) error {
			for i := range total {
				total[i].Concat(a.cols[i])
			}
			if fresh {
				return ps.join(&a.ps)
			}
			return nil
		})
	if err != nil {
		return nil, nil, err
	}
	for i, c := range total {
		if c.Len != len(ps.start) {
			return nil, nil, fmt.Errorf("the data gave %d users and then %d in one version: check the data set", len(ps.start), c.Len)
		}
		ps.store(want[i], c)
	}
	ps.trim()
	return ps, total, nil
}

// add packs one user.
func (ps *pasts) add(p *retention.Past, started bool) {
	if !started {
		p.Start, p.Seen, p.Dated, p.Days = neverStarted, 0, false, p.Days[:0]
	}
	flags := byte(0)
	if p.Dated {
		flags |= pastDated
	}
	last := p.Start
	for _, d := range p.Days {
		ps.days = binary.AppendUvarint(ps.days, uint64(d-last))
		last = d
	}
	ps.start, ps.seen = append(ps.start, int32(p.Start)), append(ps.seen, int32(p.Seen))
	ps.flags, ps.ends = append(ps.flags, flags), append(ps.ends, uint32(len(ps.days)))
}

// join appends the users of the next split.
func (ps *pasts) join(o *pasts) error {
	base := uint64(len(ps.days))
	if base+uint64(len(o.days)) > math.MaxUint32 {
		return fmt.Errorf("the users' active days take more than 4 GiB: more than can be kept for one question")
	}
	ps.days = append(ps.days, o.days...)
	for _, e := range o.ends {
		ps.ends = append(ps.ends, uint32(base)+e)
	}
	ps.start, ps.seen, ps.flags = append(ps.start, o.start...), append(ps.seen, o.seen...), append(ps.flags, o.flags...)
	return nil
}

// read unpacks one user; false if they never started.
func (ps *pasts) read(row int, p *retention.Past) bool {
	if ps.start[row] == neverStarted {
		return false
	}
	from := uint32(0)
	if row > 0 {
		from = ps.ends[row-1]
	}
	b := ps.days[from:ps.ends[row]]
	p.Start, p.Seen, p.Dated, p.Days = model.Day(ps.start[row]), model.Day(ps.seen[row]), ps.flags[row]&pastDated != 0, p.Days[:0]
	day := p.Start
	for len(b) > 0 {
		d, n := uint64(b[0]), 1
		if d >= 0x80 {
			d, n = binary.Uvarint(b)
		}
		day += model.Day(d)
		p.Days, b = append(p.Days, day), b[n:]
	}
	return true
}

func (ps *pasts) col(ref measure.Ref) *measure.Column {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.cols[ref.String()]
}

func (ps *pasts) store(ref measure.Ref, c *measure.Column) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	key := ref.String()
	if ps.cols[key] == nil {
		ps.order = append(ps.order, key)
	}
	ps.cols[key] = c
}

// trim drops the columns that were made first, beyond what is kept.
func (ps *pasts) trim() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for len(ps.order) > keptAtStart {
		delete(ps.cols, ps.order[0])
		ps.order = ps.order[1:]
	}
}

// count tallies the pasts of the users of in, of everybody if that is nil.
func (ps *pasts) count(r *Run, p *retentionPlan, in measure.Bits, h *Hits) error {
	n := r.eng.workers()
	parts := make([]*pastTallies, n)
	var wg sync.WaitGroup
	for w := range parts {
		parts[w] = p.tallies()
		wg.Go(func() {
			t := parts[w]
			for row := w * len(ps.start) / n; row < (w+1)*len(ps.start)/n; row++ {
				if row&0xFFFF == 0 && r.Ctx.Err() != nil {
					return
				}
				if (in == nil || in.Get(row)) && ps.read(row, &t.past) {
					t.take(&t.past)
				}
			}
		})
	}
	wg.Wait()
	if err := r.Ctx.Err(); err != nil {
		return err
	}
	for _, t := range parts[1:] {
		parts[0].merge(t)
	}
	parts[0].flush(h)
	r.tell(r.Info.Events)
	return nil
}
