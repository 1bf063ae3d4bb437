package stage

import "github.com/go-faster/city"

// userGroups is how many random groups of whole users the bootstrap resamples:
// memory stays fixed whatever the number of users, and the spread of an estimate
// is itself known to a twentieth. A user's group is a hash of the id, so that
// the band does not depend on who counted first.
const userGroups = 256

// A group counts the gaps of some users, up to MaxHorizon; longer ones stand in
// the last place.
type group struct{ closed, open [MaxHorizon + 2]int64 }

// gapGroups are the gaps of all users by group, nil where a group has none: of
// few users, or in one of many splits, most groups stay empty.
type gapGroups [userGroups]*group

// of is the group of a user.
func (gs *gapGroups) of(id string) *group {
	return gs.at(int(city.CH64([]byte(id)) >> 56 % userGroups))
}

func (gs *gapGroups) at(i int) *group {
	if gs[i] == nil {
		gs[i] = &group{}
	}
	return gs[i]
}

func (gs *gapGroups) merge(o *gapGroups) {
	for i, g := range o {
		if g != nil {
			gs.at(i).add(g)
		}
	}
}

func (gs *gapGroups) sum() (all group) {
	for _, g := range gs {
		if g != nil {
			all.add(g)
		}
	}
	return all
}

func (g *group) add(o *group) {
	for i := range g.closed {
		g.closed[i] += o.closed[i]
		g.open[i] += o.open[i]
	}
}

// resampler sums the groups by weights, as the bootstrap asks some hundred times
// for. Of few users most places are empty: what is there is added, not all
// places. The sum stands until the next call.
func (gs *gapGroups) resampler() func(weights []int32) *group {
	type count struct {
		at   int
		n    int64
		open bool
	}
	var there [userGroups][]count
	for i, g := range gs {
		if g == nil {
			continue
		}
		for d := range g.closed {
			if n := g.closed[d]; n > 0 {
				there[i] = append(there[i], count{d, n, false})
			}
			if n := g.open[d]; n > 0 {
				there[i] = append(there[i], count{d, n, true})
			}
		}
	}
	var sum group
	return func(weights []int32) *group {
		sum = group{}
		for i, w := range weights {
			if w == 0 {
				continue
			}
			for _, c := range there[i] {
				if c.open {
					sum.open[c.at] += int64(w) * c.n
				} else {
					sum.closed[c.at] += int64(w) * c.n
				}
			}
		}
		return &sum
	}
}
