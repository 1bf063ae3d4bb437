package query

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/funnel"
	"dwell/model/stat"
)

// A walker cuts a person's events into paths: what the step matrix and the paths
// share. One belongs to one goroutine.
type walker struct {
	r    *Run
	walk funnel.Walk

	times []int64
	steps []int32
	paths []funnel.Path
}

// walkKeys say what one path is.
func walkKeys() []KeySpec {
	return []KeySpec{
		{Name: "path", Type: Word, Values: []string{"life", "session"}, Default: "life", Help: "a path is a user's whole life, or one session"},
		{Name: "gap", Type: Text, Default: "30min", Help: "with path=session: a silence strictly longer starts a new session"},
		{Name: "repeats", Type: Word, Values: []string{"keep", "collapse"}, Default: "keep", Help: "events of one name in a row are steps each, or one step"},
	}
}

// walkQuery is the walk that the query asks for.
func walkQuery(q Query) (w funnel.Walk, err error) {
	w.Collapse = q.Value("repeats") == "collapse"
	if q.Value("path") == "life" {
		if q.Get("gap") != "" {
			return w, fmt.Errorf("gap= parts a life into sessions: it belongs to path=session")
		}
		return w, nil
	}
	if w.Gap, err = parseDuration(q.Value("gap")); err != nil {
		return w, fmt.Errorf("gap=: %w", err)
	}
	if w.Gap == 0 {
		return w, fmt.Errorf("gap=: sessions without any silence between them cannot be told apart")
	}
	return w, nil
}

// read cuts the person's events into steps and paths. They stay until the next
// read. A date alone stands at its local midnight, but never before the event
// ahead of it.
func (w *walker) read(u *Person) {
	w.times = w.times[:0]
	for i, t := range u.TL.Time {
		if u.TL.IsDated(i) {
			t = w.r.Cal.Begin(u.Days[i])
		}
		if n := len(w.times); n > 0 {
			t = max(t, w.times[n-1])
		}
		w.times = append(w.times, t)
	}
	w.steps, w.paths = w.walk.Steps(w.steps[:0], w.paths[:0], w.times, u.TL.Name)
}

// around is the person's path in question, and the place of its centre among the
// steps: the first (or last) step that the pick chooses, or the very first step.
func (w *walker) around(u *Person, centre *pick, last bool) (p funnel.Path, at int, ok bool) {
	for i := range w.paths {
		p := w.paths[i]
		if last {
			p = w.paths[len(w.paths)-1-i]
		}
		if centre == nil {
			return p, p.From, p.From < p.To
		}
		for k := range p.To - p.From {
			at := p.From + k
			if last {
				at = p.To - 1 - k
			}
			if centre.match(u.TL, int(w.steps[at])) {
				return p, at, true
			}
		}
	}
	return p, 0, false
}

// Names that are shown one by one, and the rest together.
type topNames struct {
	order []model.NameID // the shown ones, most events first
	place []int32        // of each name: its index in order, or len(order) for the rest
	rest  bool           // there is a rest
}

// n is how many rows the names take.
func (k *topNames) n() int {
	if k.rest {
		return len(k.order) + 1
	}
	return len(k.order)
}

// label is a row's name; key is the same without signs that part keys.
func (k *topNames) label(r *Run, row int) string {
	if row == len(k.order) {
		return "(other events)"
	}
	return r.Info.Names[k.order[row]].Name
}

func (k *topNames) key(r *Run, row int) string {
	if row == len(k.order) {
		return "other"
	}
	return "event." + pathKey(r.Info.Names[k.order[row]].Name)
}

// pathKey writes a name so that > can part names in keys.
func pathKey(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "%", "%25"), ">", "%3E")
}

// rankNames finds the names with the most events up to the as-of day. It reads the
// data once, if not all names can be shown.
func (r *Run) rankNames(top int) (*topNames, error) {
	n := make([]int64, len(r.Info.Names))
	if len(n) > top {
		err := Scan(r, Needs{}, func() []int64 { return make([]int64, len(n)) },
			func(t []int64, u *Person) error {
				for _, name := range u.TL.Name {
					t[name]++
				}
				return nil
			},
			func(t []int64) error {
				for i := range t {
					n[i] += t[i]
				}
				return nil
			})
		if err != nil {
			return nil, err
		}
	}
	k := &topNames{place: make([]int32, len(n)), rest: len(n) > top}
	ids := make([]model.NameID, len(n))
	for i := range ids {
		ids[i] = model.NameID(i)
	}
	sortBy(ids, func(i model.NameID) (int64, string) { return -n[i], r.Info.Names[i].Name })
	k.order = slices.Clone(ids[:min(top, len(ids))])
	for i := range k.place {
		k.place[i] = int32(len(k.order))
	}
	for row, id := range k.order {
		k.place[id] = int32(row)
	}
	return k, nil
}

// derived adds a rate whose two counts the caller has, of a slot that the kernel
// fills only when its users are listed: figures that nearly everybody is in below
// the line would cost a hit a user and figure.
func (b *Builder) derived(slot int, hit, of int64, key, label string) int {
	f := Figure{Key: b.Key(key), Label: b.label(label), Kind: Rate, Slot: slot, Group: b.group, N: of, Unit: "share", None: of == 0}
	if of > 0 {
		f.Value = float64(hit) / float64(of)
		if iv, ok := stat.Wilson(hit, of, 0.95); ok {
			f.Lo, f.Hi, f.Interval, f.Method = iv.Lo, iv.Hi, true, "Wilson 95 %"
		}
	}
	return b.push(f)
}
