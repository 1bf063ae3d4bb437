package query

import (
	"dwell/model"
	"dwell/model/retention"
)

// Retention of Plain definitions is counted by start day: how many users started
// on it, and how many of them came back in each column. Where those who did not
// stand follows from the day alone, so a user costs as many steps as they have
// returns within the table, not one for each of its columns. Flush turns the
// tallies into the hits that retentionKernel.life would have made of every user.

// pastTallies counts one group.
type pastTallies struct {
	p      *retentionPlan
	reader *retention.Reader
	past   retention.Past
	backs  []int32
	days   []dayTally // twice the start day from the day before the first, odd for the truncated
}

// A dayTally is the users who started on one day: how many, of how many the
// start is a date alone, and then how many came back in each column.
type dayTally []uint32

const (
	tallyUsers = iota
	tallyDated
	tallyBacks
)

// tallies are for a plan whose lives can be counted so; else nil.
func (p *retentionPlan) tallies() *pastTallies {
	if !p.def.Plain() || len(p.r.Groups) > 1 {
		return nil
	}
	return &pastTallies{p: p, reader: p.reader()}
}

// visit counts one person.
func (t *pastTallies) visit(u *Person) {
	if t.reader.Past(u.TL, u.Days, &t.past) && t.p.r.At(u, t.past.Start) != 0 {
		t.take(&t.past)
	}
}

// take counts a past.
func (t *pastTallies) take(past *retention.Past) {
	at := t.place(past.Start)
	if t.reader.Truncated(past) {
		at++
	}
	day := t.day(at)
	day[tallyUsers]++
	if past.Dated {
		day[tallyDated]++
	}
	t.backs = t.reader.Backs(t.backs[:0], past)
	for _, c := range t.backs {
		day[tallyBacks+c]++
	}
}

func (t *pastTallies) place(start model.Day) int { return int(start-t.p.r.FirstDay+1) * 2 }

func (t *pastTallies) day(at int) dayTally {
	for len(t.days) <= at {
		t.days = append(t.days, nil)
	}
	if t.days[at] == nil {
		t.days[at] = make(dayTally, tallyBacks+len(t.p.cols))
	}
	return t.days[at]
}

// merge adds the tallies of the next split.
func (t *pastTallies) merge(o *pastTallies) {
	for at, from := range o.days {
		if from == nil {
			continue
		}
		to := t.day(at)
		for i, n := range from {
			to[i] += n
		}
	}
}

// flush turns the tallies into hits.
func (t *pastTallies) flush(h *Hits) {
	p := t.p
	h.In(1)
	for at, day := range t.days {
		if day == nil {
			continue
		}
		start, truncated := p.r.FirstDay-1+model.Day(at/2), at%2 == 1
		row, n := int(t.reader.Cohort(start)-p.first), int64(day[tallyUsers])
		h.many(p.count(retentionPeople), Self, n)
		h.many(p.count(retentionAll), Self, n)
		h.many(p.size(row), Self, n)
		if truncated {
			h.many(p.count(retentionTruncated), Self, n)
		} else {
			h.many(p.count(retentionUsers), Self, n)
		}
		h.many(p.count(retentionDated), Self, int64(day[tallyDated]))
		for c, cell := range t.reader.Standing(start) {
			back := int64(day[tallyBacks+c])
			t.cell(h, row, c, truncated, cell.Returned(), back)
			t.cell(h, row, c, truncated, cell, n-back)
		}
	}
}

// cell puts n users into the slots of a cell.
func (t *pastTallies) cell(h *Hits, row, c int, truncated bool, cell retention.Cell, n int64) {
	p := t.p
	if p.mean && cell.Closed() {
		h.many(p.averaged(c, true), Self, n)
		if !p.truncatedRow(row) {
			h.many(p.averaged(c, false), Self, n)
		}
	}
	slots := [3]int{p.cell(row, c), p.pooled(c, true), p.pooled(c, false)}
	last := 3
	if truncated {
		last = 2
	}
	in, also := retentionParts(cell)
	for _, slot := range slots[:last] {
		h.many(slot, in, n)
		if also != in {
			h.many(slot, also, n)
		}
	}
}
