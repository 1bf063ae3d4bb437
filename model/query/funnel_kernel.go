package query

import (
	"slices"
	"sort"

	"dwell/model"
	"dwell/model/funnel"
)

// A funnelKernel reads one person at a time. Beside scratch space it keeps, where
// held values are counted, how many users have how many of them: rates of values
// that are clustered in users get their interval from the users.
type funnelKernel struct {
	p      *funnelPlan
	reader *funnel.Reader

	events []funnel.Event
	src    []int32  // index of each event in the timeline
	held   []uint32 // ordinal of each event's value of hold=, from 1; 0: it has none; before grouping
	ends   []int    // of held: where the events of each value end, in events
	words  map[string]uint32
	codes  map[uint32]uint32

	own      map[int][2]int32           // of the person at hand: closed and reached, by group and rate
	clusters map[int]map[[2]int32]int64 // users by such a pair
}

func (p *funnelPlan) newKernel() *funnelKernel {
	reader, err := funnel.New(p.def)
	if err != nil {
		panic(err) // the same definition was tried in newFunnel
	}
	return &funnelKernel{p: p, reader: reader, words: map[string]uint32{}, codes: map[uint32]uint32{},
		own: map[int][2]int32{}, clusters: map[int]map[[2]int32]int64{}}
}

// cluster adds a closed try to the person's own sums.
func (k *funnelKernel) cluster(h *Hits, slot int, in bool) {
	for g := range h.n {
		if h.mask>>g&1 == 0 {
			continue
		}
		n := k.own[g*h.slots+slot]
		n[0]++
		if in {
			n[1]++
		}
		k.own[g*h.slots+slot] = n
	}
}

// settle adds the person's own sums to the clusters.
func (k *funnelKernel) settle() {
	for at, n := range k.own {
		if k.clusters[at] == nil {
			k.clusters[at] = map[[2]int32]int64{}
		}
		k.clusters[at][n]++
	}
	clear(k.own)
}

// Merge adds the clusters of the next split.
func (k *funnelKernel) Merge(next Kernel) error {
	for at, m := range next.(*funnelKernel).clusters {
		if k.clusters[at] == nil {
			k.clusters[at] = map[[2]int32]int64{}
		}
		for c, n := range m {
			k.clusters[at][c] += n
		}
	}
	return nil
}

// An outcome is one try with where it came from.
type outcome struct {
	funnel.Result
	src  []int32 // index in the timeline of each event the result speaks of
	at   []funnel.Event
	held uint32 // ordinal of the held value
}

// entry is the timeline's index of the event by which the user is judged.
func (o *outcome) entry() int {
	if o.Depth > 0 {
		return int(o.src[o.At[0]])
	}
	return int(o.src[o.Entry])
}

// lag is the time from step k−1 to step k in seconds. With grace a step may stand
// before the one it follows; that is no time.
func (o *outcome) lag(k int) float64 {
	return max(0, float64(o.at[o.At[k]].At-o.at[o.At[k-1]].At)/1000)
}

// total is the time from the entry to the last step in seconds.
func (o *outcome) total() float64 {
	return max(0, float64(o.at[o.At[o.Depth-1]].At-o.at[o.At[0]].At)/1000)
}

// bits are the steps that event i may be.
func (p *funnelPlan) bits(tl *model.Timeline, i int) (steps uint32) {
	for k := range p.steps {
		if p.steps[k].match(tl, i) {
			steps |= 1 << k
		}
	}
	return steps
}

// Visit puts one person into the figures.
func (k *funnelKernel) Visit(u *Person, h *Hits) {
	k.read(u)
	for _, o := range k.outcomes(0, nil) {
		if !k.enter(u, h, &o) {
			continue
		}
		k.hit(h, 0, &o)
		if by := k.p.by; by != nil && by.how != byAll && o.Depth > 0 {
			k.hit(h, 1+by.rowOf(u, &o.Result, o.src), &o)
		}
	}
	if by := k.p.by; by != nil && by.how == byAll {
		k.visitAll(u, h)
	}
	k.settle()
}

// visitAll makes a funnel of the events of each row's values. The row of the other
// values holds one of each user's: the deepest.
func (k *funnelKernel) visitAll(u *Person, h *Hits) {
	by := k.p.by
	codes := u.TL.Props[by.col].Codes
	if codes == nil {
		codes = make([]uint32, u.TL.Len())
	}
	var rows []int32
	var best []outcome
	for _, v := range by.present(codes, k.src) {
		row := by.row[v]
		for _, o := range k.outcomes(v, codes) {
			at := slices.Index(rows, row)
			if at < 0 || k.p.holds {
				rows, best = append(rows, row), append(best, o)
			} else {
				best[at] = k.join(best[at], o)
			}
		}
	}
	for i := range best {
		if k.enter(u, h, &best[i]) {
			k.hit(h, 1+int(rows[i]), &best[i])
		}
	}
}

// enter says in which groups the try is, judged on the day of its entry.
func (k *funnelKernel) enter(u *Person, h *Hits, o *outcome) bool {
	if k.p.groups {
		h.In(k.p.r.At(u, u.Days[o.entry()]))
	}
	return !h.Outside()
}

// read turns the timeline into a funnel's events, in the order of their instants:
// a date alone stands at its local midnight.
func (k *funnelKernel) read(u *Person) {
	p, tl := k.p, u.TL
	k.events, k.src = k.events[:0], k.src[:0]
	sorted := true
	for i := range tl.Time {
		e := funnel.Event{At: tl.Time[i], Steps: p.bits(tl, i)}
		if e.Steps == 0 {
			for x := range p.out {
				if p.out[x].match(tl, i) {
					e.Out |= p.gaps[x]
				}
			}
			if e.Out == 0 && p.def.Order != funnel.Exact {
				continue
			}
		}
		if tl.IsDated(i) {
			e.At = p.r.Cal.Begin(u.Days[i])
		}
		n := len(k.events)
		sorted = sorted && (n == 0 || k.events[n-1].At <= e.At)
		k.events, k.src = append(k.events, e), append(k.src, int32(i))
	}
	if !sorted {
		ord := make([]int, len(k.events))
		for i := range ord {
			ord[i] = i
		}
		sort.SliceStable(ord, func(a, b int) bool { return k.events[ord[a]].At < k.events[ord[b]].At })
		events, src := make([]funnel.Event, len(ord)), make([]int32, len(ord))
		for i, o := range ord {
			events[i], src[i] = k.events[o], k.src[o]
		}
		k.events, k.src = events, src
	}
	k.hold(tl)
}

// hold numbers the values of the held property in the order of their appearance.
func (k *funnelKernel) hold(tl *model.Timeline) {
	k.held = k.held[:0]
	if k.p.hold < 0 {
		return
	}
	clear(k.words)
	clear(k.codes)
	col := tl.Props[k.p.hold]
	for _, i := range k.src {
		var n uint32
		switch {
		case col.Plain != nil && col.Plain[i] != "":
			if n = k.words[col.Plain[i]]; n == 0 {
				n = uint32(len(k.words) + 1)
				k.words[col.Plain[i]] = n
			}
		case col.Codes != nil && col.Codes[i] != 0:
			if n = k.codes[col.Codes[i]]; n == 0 {
				n = uint32(len(k.codes) + 1)
				k.codes[col.Codes[i]] = n
			}
		}
		k.held = append(k.held, n)
	}
	k.group()
}

// group puts the events of each held value together, each value's in order; those
// without one come first and are in no try.
func (k *funnelKernel) group() {
	n := len(k.words) + len(k.codes) + 1
	k.ends = slices.Grow(k.ends[:0], n)[:n]
	clear(k.ends)
	for _, v := range k.held {
		k.ends[v]++
	}
	for v := 1; v < n; v++ {
		k.ends[v] += k.ends[v-1]
	}
	events, src := make([]funnel.Event, len(k.events)), make([]int32, len(k.src))
	for i := len(k.held) - 1; i >= 0; i-- {
		k.ends[k.held[i]]--
		events[k.ends[k.held[i]]], src[k.ends[k.held[i]]] = k.events[i], k.src[i]
	}
	k.events, k.src = events, src
	// ends has become where each begins; the next one's beginning is the end.
	k.ends = append(k.ends[1:], len(events))
}

// outcomes are the user's tries: one of the user, or with count=holds one of each
// held value. With codes only events of the value count.
func (k *funnelKernel) outcomes(value uint32, codes []uint32) (out []outcome) {
	if k.p.hold < 0 {
		if o, ok := k.outcome(0, value, codes); ok {
			out = append(out, o)
		}
		return out
	}
	for n := uint32(1); n <= uint32(len(k.words)+len(k.codes)); n++ {
		o, ok := k.outcome(n, value, codes)
		switch {
		case !ok:
		case k.p.holds || len(out) == 0:
			out = append(out, o)
		default:
			out[0] = k.join(out[0], o)
		}
	}
	return out
}

// join is what two outcomes of one user say of the user: the deeper decides, and
// unless it converted, nothing is closed while either may go deeper.
func (k *funnelKernel) join(a, b outcome) outcome {
	if deeper(&b, &a) {
		a, b = b, a
	}
	if !a.Converted(k.p.def.Steps) {
		a.Closed = a.Closed && b.Closed
	}
	return a
}

// deeper says whether a decides for a user rather than b: it goes deeper, or as
// deep from an earlier entry.
func deeper(a, b *outcome) bool {
	if a.Depth != b.Depth || a.Depth == 0 {
		return a.Depth > b.Depth
	}
	return a.at[a.At[0]].At < b.at[b.At[0]].At
}

// outcome reads the events of one held value (0: all) and one value of the
// breakdown (codes nil: all). ok is false where nobody entered.
func (k *funnelKernel) outcome(held, value uint32, codes []uint32) (o outcome, ok bool) {
	events, src := k.events, k.src
	if held != 0 {
		events, src = events[k.ends[held-1]:k.ends[held]], src[k.ends[held-1]:k.ends[held]]
	}
	if codes != nil {
		all, from := events, src
		events, src = nil, nil
		for i, e := range all {
			if codes[from[i]] == value {
				events, src = append(events, e), append(src, from[i])
			}
		}
	}
	o = outcome{Result: k.reader.Read(events), src: src, at: events, held: held}
	return o, o.Depth > 0 || o.Removed
}

// hit puts one try into the figures of a section.
func (k *funnelKernel) hit(h *Hits, section int, o *outcome) {
	p := k.p
	hit := func(slot int) {
		if p.holds {
			h.Times(slot, Self, int64(o.held))
		} else {
			h.Hit(slot, Self)
		}
	}
	if o.Removed {
		hit(p.extra(section, funnelRemoved))
		return
	}
	closed := o.Closed || p.all
	rate := func(slot int, in bool) {
		switch {
		case p.holds:
			k.pair(h, slot, closed, in, int64(o.held))
		case closed:
			h.Rate(slot, in)
		default:
			h.OpenRate(slot, in)
		}
	}
	for s := range p.def.Steps {
		if s < o.Depth {
			hit(p.step(section, s, funnelReached))
		}
		if s > 0 {
			rate(p.step(section, s, funnelOverall), s < o.Depth)
			if s <= o.Depth {
				rate(p.step(section, s, funnelFrom), s < o.Depth)
			}
			if s < o.Depth && closed {
				h.Value(p.step(section, s, funnelTime), o.lag(s))
			}
		}
	}
	last := o.Depth - 1
	switch {
	case o.Converted(p.def.Steps):
		if closed {
			h.Value(p.extra(section, funnelTotal), o.total())
		}
	case closed:
		hit(p.step(section, last, funnelDropped))
	default:
		hit(p.step(section, last, funnelUndecided))
	}
	if !o.Closed && !o.Converted(p.def.Steps) {
		hit(p.extra(section, funnelOpen))
	}
	if o.Stopped {
		hit(p.extra(section, funnelStopped))
	}
}

// pair is Hits.Rate and OpenRate for one held value of a user.
func (k *funnelKernel) pair(h *Hits, slot int, closed, in bool, held int64) {
	side, all := Self, Of
	switch {
	case closed && !in:
		side = Lost
	case !closed:
		side, all = OpenReturned, Open
	}
	h.Times(slot, all, held)
	if closed || in {
		h.Times(slot, side, held)
	}
	if closed {
		k.cluster(h, slot, in)
	}
}
