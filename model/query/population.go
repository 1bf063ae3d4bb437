package query

import (
	"fmt"
	"slices"
	"sort"
	"sync"

	"dwell/model"
	"dwell/model/measure"
)

// A Population is every person on one day: stage, marks and measures, column by
// column, in the order in which the data give persons (bucket, then id). It is
// what lists, filters and stage counts run over. A column is computed when it is
// first asked for; the base columns when the population is built.
//
// Whole numbers and codes take 4 bytes a user, other numbers 8; the base columns
// stay under 200 bytes a user. Populations are shared: their columns do not
// change once they are there.
type Population struct {
	Day    model.Day
	Schema *measure.Schema

	ids     []byte   // all ids, one after the other
	ends    []uint32 // where each ends
	buckets []int32  // first row of each bucket, and the number of rows at the end
	states  []standing
	marks   []uint64 // as stage.History.Marks

	mu     sync.Mutex
	cols   map[string]*measure.Column
	extra  []string // columns that may be dropped, least recently asked first
	orders []sorting
	byID   []int32 // rows by id; made when first needed
}

// Len is the number of persons.
func (p *Population) Len() int { return len(p.ends) }

// ID is a row's person.
func (p *Population) ID(row int) string { return string(p.id(row)) }

func (p *Population) id(row int) []byte {
	from := uint32(0)
	if row > 0 {
		from = p.ends[row-1]
	}
	return p.ids[from:p.ends[row]]
}

// Row finds a person, or −1.
func (p *Population) Row(id string) int {
	b := model.BucketOf([]byte(id))
	lo, hi := int(p.buckets[b]), int(p.buckets[b+1])
	at := lo + sort.Search(hi-lo, func(i int) bool { return string(p.id(lo+i)) >= id })
	if at < hi && string(p.id(at)) == id {
		return at
	}
	return -1
}

// A reading is what one split of a population's scan gathers.
type reading struct {
	ids     []byte
	ends    []uint32
	buckets []int32 // of each row
	cur     *measure.Cursor
	cols    []*measure.Column
	states  []standing
	marks   []uint64
	stages  *Staging
}

// readColumns scans all persons and computes measures on the run's as-of day, in
// the order of refs. With pop nil it also gathers who there is.
func readColumns(r *Run, pop *Population, refs []measure.Ref) (*Population, []*measure.Column, error) {
	set, err := measure.Compile(refs, r.Schema)
	if err != nil {
		return nil, nil, err
	}
	gather := pop == nil
	f := set.Filter()
	if gather {
		f = r.machine.Widen(f)
	}
	if _, err := set.NewCursorFor(f); err != nil {
		return nil, nil, err
	}
	if _, err := r.Staging(r.machine.Widen(f)); err != nil {
		return nil, nil, err
	}
	if gather {
		pop = &Population{Day: r.AsOf, Schema: r.Schema, buckets: make([]int32, model.Buckets+1), cols: map[string]*measure.Column{}}
	}
	total := newColumns(set, int(r.Info.Users))
	rows := 0
	err = Scan(r, Needs{Columns: f.Columns, Amounts: f.Amounts},
		func() *reading {
			cur, _ := set.NewCursorFor(f) // tried above
			a := &reading{cur: cur, cols: newColumns(set, int(r.Info.Users)/splits)}
			if gather {
				a.stages, _ = r.Staging(f) // tried above
			}
			return a
		},
		func(a *reading, p *Person) error {
			if gather {
				a.ids = append(a.ids, p.TL.ID...)
				a.buckets = append(a.buckets, int32(model.BucketOf([]byte(p.TL.ID))))
			}
			a.ends = append(a.ends, uint32(len(a.ids)))
			a.cur.Reset(p.TL)
			if gather {
				h := a.stages.To(p.TL, r.AsOf)
				a.states, a.marks = append(a.states, standingOf(h)), append(a.marks, h.Marks)
				a.cur.At(r.AsOf, h.State)
			} else {
				row := pop.Row(p.TL.ID)
				if row < 0 {
					return fmt.Errorf("user %q came up in the second reading only: check the data set", p.TL.ID)
				}
				a.cur.At(r.AsOf, pop.states[row].state(r.machine))
			}
			for i := range a.cols {
				a.cols[i].Push(a.cur, i)
			}
			return nil
		},
		func(a *reading) error {
			if gather {
				base := uint32(len(pop.ids))
				if uint64(base)+uint64(len(a.ids)) > 1<<32-1 {
					return fmt.Errorf("the users' ids take more than 4 GiB: more than one population can hold")
				}
				pop.ids = append(pop.ids, a.ids...)
				for _, e := range a.ends {
					pop.ends = append(pop.ends, base+e)
				}
				pop.states = append(pop.states, a.states...)
				pop.marks = append(pop.marks, a.marks...)
				for _, b := range a.buckets {
					pop.buckets[b+1]++
				}
			}
			for i := range total {
				total[i].Concat(a.cols[i])
			}
			rows += len(a.ends)
			return nil
		})
	if err != nil {
		return nil, nil, err
	}
	if gather {
		for b := range model.Buckets {
			pop.buckets[b+1] += pop.buckets[b]
		}
		pop.ids, pop.ends = slices.Clip(pop.ids), slices.Clip(pop.ends)
	} else if rows != pop.Len() {
		return nil, nil, fmt.Errorf("the data gave %d users and then %d in one version: check the data set", pop.Len(), rows)
	}
	return pop, total, nil
}

func newColumns(set *measure.Set, n int) []*measure.Column {
	out := make([]*measure.Column, set.Len())
	for i := range out {
		out[i] = set.NewColumn(i, n)
	}
	return out
}
