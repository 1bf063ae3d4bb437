package query

import (
	"math/rand/v2"

	"dwell/model/retention"
	"dwell/model/stat"
)

// A retentionKernel reads lives into hits. Where starts recur a user has several
// lives, so the pooled intervals need to know how many each user brings: clusters
// count the users alike, by group and pooled column.
type retentionKernel struct {
	p        *retentionPlan
	reader   *retention.Reader
	clusters []map[[2]int32]int64 // [group][pooled column]: users by (closed, back)
	own      [][2]int32           // of the person being visited, likewise

	// Of a comparison of two groups, by group less one and pooled column: users by
	// (closed, back) in the first group alone and in the other alone.
	pairings []map[[4]int32]int64
	sides    [][4]int32 // of the person being visited, likewise

	tallies *pastTallies // counts instead where lives are simple enough; nil: they are not
}

func (p *retentionPlan) kernel() *retentionKernel {
	k := &retentionKernel{p: p, reader: p.reader(), tallies: p.tallies()}
	if p.def.Each {
		n := len(p.r.Groups) * 2 * len(p.cols)
		k.own, k.clusters = make([][2]int32, n), make([]map[[2]int32]int64, n)
		for i := range k.clusters {
			k.clusters[i] = map[[2]int32]int64{}
		}
		n = (len(p.r.Groups) - 1) * 2 * len(p.cols)
		k.sides, k.pairings = make([][4]int32, n), make([]map[[4]int32]int64, n)
		for i := range k.pairings {
			k.pairings[i] = map[[4]int32]int64{}
		}
	}
	return k
}

// Visit puts each of a person's lives where it belongs.
func (k *retentionKernel) Visit(u *Person, h *Hits) {
	p := k.p
	if k.tallies != nil && !h.list {
		k.tallies.visit(u)
		return
	}
	lives := k.reader.Read(u.TL, u.Days)
	clear(k.own)
	clear(k.sides)
	var met uint64 // groups the person has been counted in
	for i := range lives {
		l := &lives[i]
		mask := p.r.At(u, l.Start)
		if mask == 0 {
			continue
		}
		if fresh := mask &^ met; fresh != 0 {
			h.In(fresh)
			h.Hit(p.count(retentionPeople), Self)
			met |= mask
		}
		h.In(mask)
		k.life(u, l, mask, h)
	}
	for i, c := range k.own {
		if c[0] > 0 && !h.list {
			k.clusters[i][c]++
		}
	}
	for i, c := range k.sides {
		if (c[0] > 0 || c[2] > 0) && !h.list {
			k.pairings[i][c]++
		}
	}
}

func (k *retentionKernel) life(u *Person, l *retention.Life, mask uint64, h *Hits) {
	p := k.p
	row, pair := int(l.Cohort-p.first), p.pairOf(l)
	h.Times(p.count(retentionAll), Self, pair)
	h.Times(p.size(row), Self, pair)
	if l.Truncated {
		h.Times(p.count(retentionTruncated), Self, pair)
	} else {
		h.Times(p.count(retentionUsers), Self, pair)
	}
	if u.TL.IsDated(l.At) {
		h.Times(p.count(retentionDated), Self, pair)
	}
	for c, cell := range l.Cells {
		if p.mean && cell.Closed() {
			h.Times(p.averaged(c, true), Self, pair)
			if !p.truncatedRow(row) {
				h.Times(p.averaged(c, false), Self, pair)
			}
		}
		retentionHit(h, p.cell(row, c), cell, pair)
		retentionHit(h, p.pooled(c, true), cell, pair)
		if !l.Truncated {
			retentionHit(h, p.pooled(c, false), cell, pair)
		}
		if k.own != nil && cell.Closed() {
			k.cluster(mask, c, l.Truncated, cell == retention.Back)
		}
	}
	if len(p.r.Groups) > 1 {
		p.comparePairs(l, mask, pair, h)
		if k.own != nil {
			k.pair(l, mask)
		}
		h.In(mask)
	}
}

// cluster adds a closed cell to the person's own sums.
func (k *retentionKernel) cluster(mask uint64, c int, truncated, back bool) {
	n := 2 * len(k.p.cols)
	for g := range k.p.r.Groups {
		if mask>>g&1 == 0 {
			continue
		}
		for _, all := range []bool{false, true} {
			if truncated && !all {
				continue
			}
			own := &k.own[g*n+k.p.pooled(c, all)]
			own[0]++
			if back {
				own[1]++
			}
		}
	}
}

// retentionParts is where somebody stands in a rate by their standing in a cell: one
// part, or two that differ.
func retentionParts(cell retention.Cell) (in, also Part) {
	switch cell {
	case retention.Back:
		return Of, Self
	case retention.Lost:
		return Of, Lost
	case retention.RunningBack:
		return Open, OpenReturned
	}
	return Open, Open
}

// retentionHit is Hits.Rate and OpenRate for a user's standing in a cell, with the
// interval where users come several times.
func retentionHit(h *Hits, slot int, cell retention.Cell, pair int64) {
	in, also := retentionParts(cell)
	h.Times(slot, in, pair)
	if also != in {
		h.Times(slot, also, pair)
	}
}

// Merge adds the clusters of the next split.
func (k *retentionKernel) Merge(next Kernel) error {
	o := next.(*retentionKernel)
	if k.tallies != nil {
		k.tallies.merge(o.tallies)
	}
	for i, m := range o.pairings {
		for c, n := range m {
			k.pairings[i][c] += n
		}
	}
	for i, m := range o.clusters {
		for c, n := range m {
			k.clusters[i][c] += n
		}
	}
	return nil
}

// Flush turns tallies into hits.
func (k *retentionKernel) Flush(h *Hits) {
	if k.tallies != nil && !h.list {
		k.tallies.flush(h)
	}
}

// bootstrapRounds is how often users are drawn for an interval.
const bootstrapRounds = 400

// clustered gives a pooled rate of user-intervals its interval: users are drawn,
// each with all their intervals, for these are not independent (SPEC 2).
func (p *retentionPlan) clustered(b *Builder, f *Figure) {
	f.Pairs = true
	k, ok := b.Kernel().(*retentionKernel)
	if !ok || f.None || f.Slot >= 2*len(p.cols) {
		return
	}
	var cs []stat.Cluster
	for c, n := range k.clusters[f.Group*2*len(p.cols)+f.Slot] {
		cs = append(cs, stat.Cluster{N: n, Num: int64(c[1]), Den: int64(c[0])})
	}
	iv, ok := stat.RatioBootstrap(cs, bootstrapRounds, 0.95, rand.New(rand.NewPCG(1, uint64(f.Slot))))
	f.Interval, f.Method = ok, ""
	if ok {
		f.Lo, f.Hi, f.Method = iv.Lo, iv.Hi, "user bootstrap 95 %"
	}
}
