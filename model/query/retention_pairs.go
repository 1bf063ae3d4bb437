package query

import (
	"fmt"
	"math/rand/v2"

	"dwell/model/retention"
	"dwell/model/stat"
)

// Several segments on one chart are compared with the first, column by column: the
// difference of the pooled rates with Newcombe's interval, which holds for disjoint
// groups alone, or where starts recur with one from resampling users. Where users are in both, what only one has is compared: B∖A
// against A∖B (SPEC 2, Intervals).
//
// Slots of a comparison, all in the first group's place: the users in both, then
// for each column without the left truncated and with them: the users of either
// denominator, A∖B and B∖A.

const pairSlots = 3

func (p *retentionPlan) pairBase(g int) int {
	return p.size(p.rows) + (g-1)*(1+2*pairSlots*len(p.cols))
}

// pairs is the first slot after the comparisons of so many groups.
func (p *retentionPlan) pairs(groups int) int { return p.pairBase(max(groups, 1)) }

func (p *retentionPlan) pair(g, c int, all bool, which int) int {
	return p.pairBase(g) + 1 + pairSlots*p.pooled(c, all) + which
}

// pairColumn is the column of a comparison's slot, −1 for the users in both.
func (p *retentionPlan) pairColumn(slot int) int {
	at := (slot - p.size(p.rows)) % (1 + 2*pairSlots*len(p.cols))
	if at == 0 {
		return -1
	}
	return (at - 1) / pairSlots % len(p.cols)
}

// comparePairs puts a life into the comparisons of its groups with the first.
func (p *retentionPlan) comparePairs(l *retention.Life, mask uint64, pair int64, h *Hits) {
	inA := mask&1 != 0
	h.In(1)
	for g := 1; g < len(p.r.Groups); g++ {
		inB := mask>>g&1 != 0
		switch {
		case inA && inB:
			h.Times(p.pairBase(g), Self, pair)
			continue
		case !inA && !inB:
			continue
		}
		which := 1
		if inB {
			which = 2
		}
		for c, cell := range l.Cells {
			for _, all := range []bool{false, true} {
				if l.Truncated && !all {
					continue
				}
				retentionHit(h, p.pair(g, c, all, which), cell, pair)
				if cell.Closed() {
					h.Times(p.pair(g, c, all, 0), Self, pair)
				}
			}
		}
	}
}

// pair adds a life's closed cells to the person's own sums on one side of each
// comparison. Who is in both groups with this start is on neither.
func (k *retentionKernel) pair(l *retention.Life, mask uint64) {
	p := k.p
	for g := 1; g < len(p.r.Groups); g++ {
		inA, inB := mask&1 != 0, mask>>g&1 != 0
		if inA == inB {
			continue
		}
		at := 0
		if inB {
			at = 2
		}
		for c, cell := range l.Cells {
			if !cell.Closed() {
				continue
			}
			for _, all := range []bool{false, true} {
				if l.Truncated && !all {
					continue
				}
				own := &k.sides[(g-1)*2*len(p.cols)+p.pooled(c, all)]
				own[at]++
				if cell == retention.Back {
					own[at+1]++
				}
			}
		}
	}
}

// resampled is the interval of a difference where starts recur: of users drawn once
// for both sides.
func (p *retentionPlan) resampled(b *Builder, g, c int, all bool) (stat.Interval, bool) {
	k, ok := b.Kernel().(*retentionKernel)
	if !ok {
		return stat.Interval{}, false
	}
	i := (g-1)*2*len(p.cols) + p.pooled(c, all)
	var ps []stat.Pairing
	for x, n := range k.pairings[i] {
		ps = append(ps, stat.Pairing{N: n, ADen: int64(x[0]), ANum: int64(x[1]), BDen: int64(x[2]), BNum: int64(x[3])})
	}
	return stat.DifferenceBootstrap(ps, bootstrapRounds, stat.Level, rand.New(rand.NewPCG(3, uint64(i))))
}

// differences adds a block for each group but the first.
func (p *retentionPlan) differences(b *Builder, all bool) {
	for g := 1; g < b.Groups(); g++ {
		b.Group(0)
		first, other := p.r.Groups[0], p.r.Groups[g]
		a, o := first.Label(), other.Label()
		both := b.N(p.pairBase(g), Self)
		if both > 0 {
			a, o = first.Label()+" ∖ "+other.Label(), other.Label()+" ∖ "+first.Label()
			b.Warn("overlap", "%s are in both %s and %s: no interval holds for the difference of overlapping groups, so those in one alone are compared.", countOf(both, "user"), first.Label(), other.Label())
		}
		name := "difference." + other.Name + "-" + first.Name
		bl := Block{Kind: TableBlock, Name: name, Title: fmt.Sprintf("difference: %s less %s", o, a), Heads: []Head{{"difference", true}, {"95 % interval", true}, {o, true}, {"of", true}, {a, true}, {"of", true}}}
		for c := range p.cols {
			sa, so := p.pair(g, c, all, 1), p.pair(g, c, all, 2)
			xa, na, xo, no := b.N(sa, Self), b.N(sa, Of), b.N(so, Self), b.N(so, Of)
			f := Figure{
				Key: name + "." + p.unit() + "." + p.column(c), Label: fmt.Sprintf("%s %s: %s less %s", p.word(), p.column(c), o, a),
				Kind: Stat, Unit: "share", N: b.N(p.pair(g, c, all, 0), Self), None: na == 0 || no == 0, Slot: p.pair(g, c, all, 0), Pairs: p.def.Each,
			}
			if !f.None {
				f.Value = float64(xo)/float64(no) - float64(xa)/float64(na)
				iv, ok := stat.Newcombe(xa, na, xo, no, stat.Level)
				f.Method = "Newcombe 95 %"
				if p.def.Each { // users count several times, maybe on both sides
					iv, ok = p.resampled(b, g, c, all)
					f.Method = "user bootstrap 95 %"
				}
				if f.Lo, f.Hi, f.Interval = iv.Lo, iv.Hi, ok; !ok {
					f.Method = ""
				}
			}
			iv := ""
			if f.Interval {
				iv = percentText(f.Lo, f.Hi)
			}
			i := b.push(f)
			bl.Rows = append(bl.Rows, Row{Key: p.column(c), Label: p.word() + " " + p.column(c), Cells: []Cell{
				b.Cell(i), TextCell(iv), TextCell(count(xo)), TextCell(count(no)), TextCell(count(xa)), TextCell(count(na))}})
		}
		b.Block(bl)
	}
}
