package query

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"dwell/model"
)

// A census is how many events of each name every local day holds, and how many
// persons were first seen on it: what it takes to see that a day has no data, that
// the list of events changed, or that everybody came in the first days. It is gathered
// with the numbers of the stage model where those are suggested (staging.go), else
// in a pass of its own, and kept in the cache for the data version.
//
// It reaches to the data's last day; who asks as of an earlier day reads only so
// far. Days are those of the dictionary's zone.
type census struct {
	First model.Day  // of the columns of Names
	Names [][]uint32 // by model.NameID: events of each day from First on; nil beyond the names that are told apart
	All   []uint32   // of all names
	Came  []uint32   // persons first seen on each day
}

// censusNames is how many names are told apart, the most frequent, and censusCells
// bounds names × days.
const (
	censusNames = 300
	censusCells = 4_000_000
)

// newCensus is an empty census of the state's data.
func (st *state) newCensus() *census {
	in, cal := st.info, st.data.Schema.Cal
	c := &census{First: firstDay(in, cal), Names: make([][]uint32, len(in.Names))}
	if in.Events > 0 {
		// A date alone may lie a day beside the instants' first and last.
		c.First--
		c.All = make([]uint32, min(int(lastDay(in, cal)-c.First)+2, maxDays))
		c.Came = make([]uint32, len(c.All))
	}
	return c
}

// told says which names are told apart.
func (st *state) told(days int) []bool {
	order := make([]int, len(st.info.Names))
	for i := range order {
		order[i] = i
	}
	sortBy(order, func(i int) (int64, string) { return -st.info.Names[i].Count, st.info.Names[i].Name })
	out := make([]bool, len(order))
	for _, i := range order[:min(len(order), censusNames, censusCells/max(days, 1))] {
		out[i] = true
	}
	return out
}

// add counts one person's events.
func (c *census) add(tl *model.Timeline, cal *model.Calendar, told []bool) {
	for i, n := range tl.Name {
		at := int(cal.EventDay(tl, i) - c.First)
		if at < 0 || at >= len(c.All) {
			continue
		}
		c.All[at]++
		if i == 0 {
			c.Came[at]++
		}
		if int(n) >= len(told) || !told[n] {
			continue
		}
		if c.Names[n] == nil {
			c.Names[n] = make([]uint32, len(c.All))
		}
		c.Names[n][at]++
	}
}

// merge adds the census of other persons.
func (c *census) merge(o *census) {
	for at, n := range o.All {
		c.All[at] += n
	}
	for at, n := range o.Came {
		c.Came[at] += n
	}
	for name, days := range o.Names {
		if c.Names[name] == nil {
			c.Names[name] = days
			continue
		}
		for at, n := range days {
			c.Names[name][at] += n
		}
	}
}

func (st *state) censusKey(e *Engine) string {
	return "census/2/" + hashOf([]byte(strings.Join([]string{st.info.Version.Hash, st.data.Schema.Cal.Zone, programVersion, e.opt.Version}, "|")))
}

// keepCensus takes what a pass has gathered.
func (st *state) keepCensus(e *Engine, c *census) {
	st.counted = c
	if e.cache == nil {
		return
	}
	if body, err := json.Marshal(c); err == nil {
		e.cache.Keep(st.censusKey(e), body)
	}
}

// census is the state's census: kept, from the cache, or from a pass over all
// events.
func (st *state) census(ctx context.Context, e *Engine, p Progress) (*census, error) {
	st.suggesting.Lock()
	defer st.suggesting.Unlock()
	if st.counted != nil {
		return st.counted, nil
	}
	if e.cache != nil {
		if body, ok := e.cache.Recall(st.censusKey(e)); ok {
			c := &census{}
			if json.Unmarshal(body, c) == nil && len(c.Names) == len(st.info.Names) {
				st.counted = c
				return c, nil
			}
		}
	}
	r := st.passing(ctx, e, p)
	total := st.newCensus()
	told := st.told(len(total.All))
	err := Scan(r, Needs{}, st.newCensus,
		func(c *census, p *Person) error { c.add(p.TL, r.Cal, told); return nil },
		func(c *census) error { total.merge(c); return nil })
	if err != nil {
		return nil, err
	}
	st.keepCensus(e, total)
	return total, nil
}

// passing is a run for a pass over all the state's events.
func (st *state) passing(ctx context.Context, e *Engine, p Progress) *Run {
	schema := st.data.Schema
	return &Run{Ctx: ctx, Snap: st.snap, Info: st.info, Schema: schema, Cal: schema.Cal, Dict: st.dict, Roles: schema.Roles,
		AsOf: st.data.AsOf, Cut: schema.Cal.Cut(st.data.AsOf), eng: e, st: st, progress: p}
}

// empty are the days without any event between two days that are not empty.
func (c *census) empty(from, to model.Day) (out []model.Day) {
	for d := from; d <= to; d++ {
		if c.on(c.All, d) == 0 {
			out = append(out, d)
		}
	}
	return out
}

// came says whether anybody was first seen between two days, both included.
func (c *census) came(from, to model.Day) bool {
	for d := from; d <= to; d++ {
		if c.on(c.Came, d) > 0 {
			return true
		}
	}
	return false
}

func (c *census) on(days []uint32, d model.Day) uint32 {
	if at := int(d - c.First); at >= 0 && at < len(days) {
		return days[at]
	}
	return 0
}

// A listChange is an event name that begins or ends within the data.
type listChange struct {
	Name   model.NameID
	Begins model.Day // NoDay: with the data
	Ends   model.Day // its last day; NoDay: with the data
	Share  float64   // of all events while it was there
}

// A name counts as begun late where, were its events spread like all events,
// changeFloor of them would be expected before its first day: by chance none at all
// happens once in e^changeFloor then, and in clusters of users still hardly ever.
// Ended early likewise. Names of under changeShare of the events while they were
// there make nobody look more active.
const (
	changeFloor = 30
	changeShare = 0.01
)

// changes are the names that begin or end between two days, which are the first and
// last looked at, the earliest change first.
func (c *census) changes(from, to model.Day) (out []listChange) {
	var total float64
	sums := make([]float64, to-from+2) // events before each day
	for d := from; d <= to; d++ {
		total += float64(c.on(c.All, d))
		sums[d-from+1] = total
	}
	for name, days := range c.Names {
		if days == nil {
			continue
		}
		first, last, n := model.NoDay, model.NoDay, 0.0
		for d := from; d <= to; d++ {
			if k := c.on(days, d); k > 0 {
				if first == model.NoDay {
					first = d
				}
				last, n = d, n+float64(k)
			}
		}
		if n == 0 {
			continue
		}
		before, after := sums[first-from], total-sums[last-from+1]
		x := listChange{Name: model.NameID(name), Begins: model.NoDay, Ends: model.NoDay, Share: n / (total - before - after)}
		if n*before/total >= changeFloor {
			x.Begins = first
		}
		if n*after/total >= changeFloor {
			x.Ends = last
		}
		if x.Share >= changeShare && (x.Begins != model.NoDay || x.Ends != model.NoDay) {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b listChange) int { return int(a.when() - b.when()) })
	return out
}

// when is the first day on which the list was another than the day before.
func (x listChange) when() model.Day {
	if x.Begins != model.NoDay {
		return x.Begins
	}
	return x.Ends + 1
}
