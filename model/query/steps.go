package query

import (
	"fmt"

	"dwell/model/funnel"
)

// stepsAnalysis is the step matrix: which events users do at step k before or
// after a chosen event.
func stepsAnalysis() analysis {
	return analysis{
		Spec: Spec{
			Name: "steps", Title: "Step matrix", Help: "share of users in each event at step k before or after a chosen event; two groups as a difference", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "around", Type: Text, Help: "the event at step 0: " + pickWhereHelp + "; left out: the first event of the path"},
				{Name: "occurrence", Type: Word, Values: []string{"first", "last"}, Default: "first", Help: "of several such events (or paths) of a user: the first or the last"},
				{Name: "before", Type: Int, Help: "how many steps before it are shown; left out: 3 with around="},
				{Name: "after", Type: Int, Default: "6", Min: 1, Help: "how many steps after it are shown"},
				{Name: "top", Type: Int, Default: "15", Min: 1, Help: "how many events are shown; the rest are counted together"},
			}, walkKeys(), groupKeys(), judgeKeys(), zoneKeys()),
		},
		check: func(q Query) error {
			if q.Get("around") == "" && q.Get("before") != "" {
				return fmt.Errorf("nothing comes before the first event of a path: before= needs around=")
			}
			if n := q.Value("after"); len(n) > 3 || len(q.Get("before")) > 3 {
				return fmt.Errorf("at most 999 steps can be shown")
			}
			_, err := walkQuery(q)
			return err
		},
		plan: func(r *Run) (*Plan, error) { return newSteps(r) },
	}
}

// A stepsPlan holds what kernel and layout share.
//
// Slots: the users with a path, then for each step a cell for each row: the names,
// the path not begun or ended; then the same cells for both groups together, and
// the users who are in both.
type stepsPlan struct {
	r      *Run
	needs  Needs
	walk   funnel.Walk
	centre *pick
	last   bool
	before int
	after  int
	names  *topNames
}

func newSteps(r *Run) (*Plan, error) {
	p := &stepsPlan{r: r, last: r.Str("occurrence") == "last", after: r.Int("after")}
	var err error
	if p.walk, err = walkQuery(r.Q); err != nil {
		return nil, err
	}
	if w := r.Str("around"); w != "" {
		k, err := r.pickWhere(w, &p.needs)
		if err != nil {
			return nil, fmt.Errorf("around=: %w", err)
		}
		p.centre, p.before = &k, 3
		if r.Q.Get("before") != "" {
			p.before = r.Int("before")
		}
	}
	if p.names, err = r.rankNames(r.Int("top")); err != nil {
		return nil, err
	}
	if p.columns()*p.rows() > maxCells/8 {
		return nil, fmt.Errorf("%d steps of %d events are too many: lower after=, before= or top=", p.columns(), p.rows())
	}
	return &Plan{Slots: p.both() + 1, Columns: p.needs.Columns, Amounts: p.needs.Amounts, Kernel: p.kernel, Layout: p.layout, Explain: p.explain, Work: p.work}, nil
}

func (p *stepsPlan) columns() int { return p.before + 1 + p.after }
func (p *stepsPlan) rows() int    { return p.names.n() + 1 }

// nothing is the row of users whose path has not begun or has ended.
func (p *stepsPlan) nothing() int { return p.rows() - 1 }

func (p *stepsPlan) cell(row, c int) int  { return 1 + c*p.rows() + row }
func (p *stepsPlan) union(row, c int) int { return p.cell(0, p.columns()) + c*p.rows() + row }
func (p *stepsPlan) both() int            { return p.union(0, p.columns()) }

// offset is the step of a column.
func (p *stepsPlan) offset(c int) int { return c - p.before }

func (p *stepsPlan) kernel() Kernel {
	w := &walker{r: p.r, walk: p.walk}
	row := make([]int, p.columns())
	return Visit(func(u *Person, h *Hits) {
		w.read(u)
		path, at, ok := w.around(u, p.centre, p.last)
		if !ok {
			return
		}
		mask := p.r.At(u, u.Days[w.steps[at]])
		h.In(mask)
		if h.Outside() {
			return
		}
		h.Hit(0, Self)
		for c := range row {
			row[c] = p.rowAt(u, w, path, at+p.offset(c))
			if !h.list {
				h.Hit(p.cell(row[c], c), Self)
				continue
			}
			for other := range p.rows() {
				h.Rate(p.cell(other, c), other == row[c])
			}
		}
		if len(p.r.Groups) != 2 {
			return
		}
		if mask == 3 {
			h.In(1)
			h.Hit(p.both(), Self)
		}
		h.In(1)
		for c := range row {
			h.Hit(p.union(row[c], c), Self)
		}
	})
}

// rowAt is the row of a user at a place among the steps.
func (p *stepsPlan) rowAt(u *Person, w *walker, path funnel.Path, at int) int {
	if at < path.From || at >= path.To {
		return p.nothing()
	}
	return int(p.names.place[u.TL.Name[w.steps[at]]])
}
