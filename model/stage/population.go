package stage

import "dwell/model"

// Populations counts the users in each stage on every day of a range. It is an
// accumulator over histories: one for each split, merged.
type Populations struct {
	from, to model.Day // both included
	diff     [][]int64 // by stage: how the count changes on each day
	buf      []Interval
}

// Populations starts an empty count for the days from … to, both included.
func (m *Machine) Populations(from, to model.Day) *Populations {
	p := &Populations{from: from, to: to, diff: make([][]int64, len(m.stages))}
	for i := range p.diff {
		p.diff[i] = make([]int64, max(0, int(to-from)+2))
	}
	return p
}

// Add counts one user. Days after the history's as-of day are not known and
// count nobody.
func (p *Populations) Add(h *History) {
	p.buf = h.Intervals(p.buf[:0])
	for _, in := range p.buf {
		from, to := max(in.From, p.from), min(in.To, p.to+1)
		if from < to {
			p.diff[in.Stage][from-p.from]++
			p.diff[in.Stage][to-p.from]--
		}
	}
}

// Merge takes the users of another count over the same days.
func (p *Populations) Merge(o *Populations) {
	for i := range p.diff {
		for j, n := range o.diff[i] {
			p.diff[i][j] += n
		}
	}
}

// Counts are the users in a stage at the end of each day, from the first on.
func (p *Populations) Counts(stage int) []int64 {
	out := make([]int64, len(p.diff[stage])-1)
	n := int64(0)
	for i := range out {
		n += p.diff[stage][i]
		out[i] = n
	}
	return out
}
