package query

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"dwell/model/funnel"
)

// pathsAnalysis (journeys, for dwell paths names the folders) asks what users do next: the transitions from event to event, and
// the most common paths.
func pathsAnalysis() analysis {
	return analysis{
		Spec: Spec{
			Name: "journeys", Title: "Journeys", Help: "what users do next: transitions from event to event, and the most common paths from an event", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "from", Type: Text, Help: "the event with which the top paths begin: " + pickWhereHelp + "; left out: the first event"},
				{Name: "length", Type: Int, Default: "4", Min: 2, Help: "how many events of a path are looked at, at most 12"},
				{Name: "top", Type: Int, Default: "12", Min: 1, Help: "how many events the transitions show one by one; the rest are counted together"},
				{Name: "paths", Type: Int, Default: "20", Min: 1, Help: "how many paths are shown"},
			}, walkKeys(), groupKeys(), judgeKeys(), zoneKeys()),
		},
		check: func(q Query) error {
			if n := q.Value("length"); len(n) > 2 || len(n) == 2 && n > "12" {
				return fmt.Errorf("length=%s: paths of at most 12 events can be read", n)
			}
			if n := q.Value("paths"); len(n) > 4 {
				return fmt.Errorf("paths=%s: at most 9,999", n)
			}
			_, err := walkQuery(q)
			return err
		},
		plan: func(r *Run) (*Plan, error) { return newPaths(r) },
	}
}

// A pathsPlan holds what kernel and layout share.
//
// Slots: all transitions, the users with a path from the event, those with one of
// the rest; for each event those whom something follows; for each pair its users
// and its transitions; then the users of each path.
type pathsPlan struct {
	r      *Run
	needs  Needs
	walk   funnel.Walk
	centre *pick
	length int
	names  *topNames
	paths  []string       // keys of the shown paths, most users first
	place  map[string]int // of each
}

const (
	pathsAll = iota
	pathsUsers
	pathsRest
	pathsHead
)

func newPaths(r *Run) (*Plan, error) {
	p := &pathsPlan{r: r, length: r.Int("length")}
	var err error
	if p.walk, err = walkQuery(r.Q); err != nil {
		return nil, err
	}
	if w := r.Str("from"); w != "" {
		k, err := r.pickWhere(w, &p.needs)
		if err != nil {
			return nil, fmt.Errorf("from=: %w", err)
		}
		p.centre = &k
	}
	if p.names, err = r.rankNames(r.Int("top")); err != nil {
		return nil, err
	}
	if n := p.names.n(); n*n > maxCells/8 {
		return nil, fmt.Errorf("the transitions of %d events are too many: lower top=", n)
	}
	if err := p.rank(); err != nil {
		return nil, err
	}
	return &Plan{Slots: p.path(len(p.paths)), Columns: p.needs.Columns, Amounts: p.needs.Amounts, Kernel: p.kernel, Layout: p.layout, Explain: p.explain, Work: p.work}, nil
}

func (p *pathsPlan) left(row int) int { return pathsHead + row }
func (p *pathsPlan) pair(a, b int) int {
	return p.left(p.names.n()) + 2*(a*p.names.n()+b)
}
func (p *pathsPlan) path(i int) int { return p.pair(p.names.n(), 0) + i }

// sequence is a path's first events as a key: their names, and whether it ended.
func (p *pathsPlan) sequence(dst []byte, u *Person, w *walker, path funnel.Path, at int) []byte {
	for i := at; i < min(at+p.length, path.To); i++ {
		dst = binary.AppendUvarint(dst, uint64(u.TL.Name[w.steps[i]])+1)
	}
	if path.To-at < p.length {
		dst = append(dst, 0)
	}
	return dst
}

// rank finds the paths that most users take.
func (p *pathsPlan) rank() error {
	type tally struct {
		w *walker
		n map[string]int64
	}
	total := map[string]int64{}
	err := Scan(p.r, Needs{Columns: p.needs.Columns, Amounts: p.needs.Amounts},
		func() *tally { return &tally{&walker{r: p.r, walk: p.walk}, map[string]int64{}} },
		func(t *tally, u *Person) error {
			t.w.read(u)
			if path, at, ok := t.w.around(u, p.centre, false); ok {
				t.n[string(p.sequence(nil, u, t.w, path, at))]++
			}
			return nil
		},
		func(t *tally) error {
			for k, n := range t.n {
				total[k] += n
			}
			return nil
		})
	if err != nil {
		return err
	}
	p.place = map[string]int{}
	for k := range total {
		p.paths = append(p.paths, k)
	}
	// Equals stand by their names, which an append does not change.
	sortBy(p.paths, func(k string) (int64, string) { return -total[k], p.told(k) })
	p.paths = slices.Clone(p.paths[:min(len(p.paths), p.r.Int("paths"))])
	for i, k := range p.paths {
		p.place[k] = i
	}
	return nil
}

// events are the names of a sequence; ended says that nothing follows.
func (p *pathsPlan) events(key string) (names []string, ended bool) {
	body := []byte(key)
	for len(body) > 0 {
		n, size := binary.Uvarint(body)
		if size <= 0 || n == 0 {
			return names, true
		}
		names = append(names, p.r.Info.Names[n-1].Name)
		body = body[size:]
	}
	return names, false
}

// told is a sequence as a person reads it.
func (p *pathsPlan) told(key string) string {
	names, ended := p.events(key)
	s := strings.Join(names, " → ")
	if ended {
		s += " → (end)"
	}
	return s
}

func (p *pathsPlan) kernel() Kernel {
	w := &walker{r: p.r, walk: p.walk}
	n := p.names.n()
	count := make([]int64, n*n)
	follows := make([]bool, n)
	var key []byte
	return Visit(func(u *Person, h *Hits) {
		w.read(u)
		h.In(p.r.At(u, u.Days[0]))
		if h.Outside() {
			return
		}
		clear(count)
		clear(follows)
		all := int64(0)
		for _, path := range w.paths {
			for i := path.From; i+1 < path.To; i++ {
				a, b := p.rowAt(u, w, i), p.rowAt(u, w, i+1)
				count[a*n+b]++
				follows[a] = true
				all++
			}
		}
		if all > 0 {
			h.Times(pathsAll, Self, all)
		}
		for a := range n {
			if !follows[a] {
				continue
			}
			h.Hit(p.left(a), Self)
			for b := range n {
				switch times := count[a*n+b]; {
				case h.list:
					h.Rate(p.pair(a, b), times > 0)
					if times > 0 {
						h.Times(p.pair(a, b)+1, Self, times)
					}
				case times > 0:
					h.Hit(p.pair(a, b), Self)
					h.Times(p.pair(a, b)+1, Self, times)
				}
			}
		}
		path, at, ok := w.around(u, p.centre, false)
		if !ok {
			return
		}
		h.Hit(pathsUsers, Self)
		key = p.sequence(key[:0], u, w, path, at)
		i, shown := p.place[string(key)]
		if !shown {
			i = -1
			h.Hit(pathsRest, Self)
		}
		switch {
		case h.list:
			for k := range p.paths {
				h.Rate(p.path(k), k == i)
			}
		case shown:
			h.Hit(p.path(i), Self)
		}
	})
}

// rowAt is the row of a step's event.
func (p *pathsPlan) rowAt(u *Person, w *walker, i int) int {
	return int(p.names.place[u.TL.Name[w.steps[i]]])
}

// pathName is a path's key in figures.
func (p *pathsPlan) pathName(key string) string {
	names, ended := p.events(key)
	for i := range names {
		names[i] = pathKey(names[i])
	}
	if ended {
		names = append(names, "")
	}
	return "path." + strings.Join(names, ">")
}

// eventRow is what a person's event stands under.
func (p *pathsPlan) eventRow(row int) (key, label string) {
	key, label = p.names.key(p.r, row), p.names.label(p.r, row)
	return strings.TrimPrefix(key, "event."), label
}
