package query

import (
	"bytes"
	"context"
	"strings"

	"dwell/model"
)

// A Found is a user found by text.
type Found struct {
	ID  string
	By  string // "id", or the property that holds the text
	Has string // the value that does
}

// Find finds users whose id, or a property that the dictionary marks as
// searchable, holds the text, letter case ignored: the best matches first (see
// match), those as good as each other by name, numbers within names by their
// value. At most max users, each once. Searchable properties are looked up with every value a user
// ever had, not the last alone: an order number is a good handle long after.
func (e *Engine) Find(ctx context.Context, text string, max int) ([]Found, error) {
	st, err := e.hold(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.drop() }() // nothing more is read
	if text == "" || max <= 0 {
		return nil, nil
	}
	r, err := e.newRun(ctx, st, Query{Analysis: "users", AsOf: model.NoDay}, nil)
	if err != nil {
		return nil, err
	}
	best := bestFound{low: strings.ToLower(text), max: max}
	err = r.search(text, best.take)
	return best.found, err
}

// search calls fn with those that Find finds until fn returns false: users whose
// id starts with the text, then those with a value that does, then ids and values
// that hold it; each user once.
func (r *Run) search(text string, fn func(Found) bool) error {
	low := strings.ToLower(text)
	ix, err := r.findIndex()
	if err != nil {
		return err
	}
	ids, err := r.idIndex()
	if err != nil {
		return err
	}
	byValue := map[string]bool{} // users found by a value so far
	more := true
	value := func(prefix bool) bool {
		return ix.each(low, prefix, func(f Found) bool {
			id := strings.ToLower(f.ID)
			if byValue[f.ID] || strings.HasPrefix(id, low) || !prefix && strings.Contains(id, low) {
				return true // found before
			}
			byValue[f.ID] = true
			more = fn(f)
			return more
		})
	}
	between := func() bool { return value(true) }
	give := func(id string) bool {
		if len(byValue) > 0 && byValue[id] {
			return true
		}
		more = fn(Found{ID: id, By: "id", Has: id})
		return more
	}
	if ids != nil && low != "" && !strings.ContainsRune(low, 0) {
		err = ids.find(r.Ctx, low, between, give)
	} else {
		err = r.readFind(text, low, between, give)
	}
	if err != nil || !more {
		return err
	}
	value(false)
	return r.Ctx.Err()
}

// readFind is idIndex.find from the data themselves, which give ids that start
// with the text first, then the others.
func (r *Run) readFind(text, low string, between func() bool, give func(id string) bool) error {
	passed, more := false, true
	err := r.Snap.Find(r.Ctx, text, func(id string) bool {
		if !passed && !strings.HasPrefix(strings.ToLower(id), low) {
			passed = true
			if more = between(); !more {
				return false
			}
		}
		more = give(id)
		return more
	})
	if err == nil && more && !passed {
		between()
	}
	return err
}

// idIndex is the state's index of ids, made when it is first asked for; nil if
// there are too many.
func (r *Run) idIndex() (*idIndex, error) {
	r.st.finding.Lock()
	defer r.st.finding.Unlock()
	if r.st.ids == nil && !r.st.manyIDs {
		ix, err := newIDIndex(r.Ctx, r.Snap)
		if err != nil {
			return nil, err
		}
		r.st.ids, r.st.manyIDs = ix, ix == nil
	}
	return r.st.ids, nil
}

// A findIndex holds the values of the searchable properties of all users, letter
// case folded: one run of bytes a property, values parted by zeros. A search is a
// pass over the bytes, some milliseconds for a million users; nothing is sorted
// or hashed.
type findIndex struct{ props []findProp }

type findProp struct {
	name  string
	lower []byte   // \x00value\x00value …
	at    []uint32 // where each value starts in lower
	exact []string // values whose case differs from lower's, by entry; nil if none does
	user  []int32  // of each value
	ids   []string // of users with a value
}

// maxFindBytes bounds the index of one property: what lies beyond is not found.
const maxFindBytes = 1 << 30

// findIndex is the state's index, made when it is first asked for.
func (r *Run) findIndex() (*findIndex, error) {
	var cols []string
	for _, c := range r.Dict.Columns.Searchable {
		if r.Info.Key(c) != nil {
			cols = append(cols, c)
		}
	}
	if len(cols) == 0 {
		return &findIndex{}, nil
	}
	r.st.finding.Lock()
	defer r.st.finding.Unlock()
	if r.st.found != nil {
		return r.st.found, nil
	}
	whole := *r // nothing is left out for its date: a person is looked for, not counted
	whole.Cut = model.NoCut
	keys := make([]*model.KeyInfo, len(cols))
	total := make([]findProp, len(cols))
	for i, c := range cols {
		keys[i], total[i].name = r.Info.Key(c), c
	}
	err := Scan(&whole, Needs{Columns: cols},
		func() *[]findProp { p := make([]findProp, len(cols)); return &p },
		func(acc *[]findProp, p *Person) error {
			for c := range cols {
				(*acc)[c].add(p.TL, p.TL.Props[c], keys[c])
			}
			return nil
		},
		func(acc *[]findProp) error {
			for c := range cols {
				total[c].join(&(*acc)[c])
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	r.st.found = &findIndex{total}
	return r.st.found, nil
}

// add takes a person's distinct values. Values repeat mostly from one event to
// the next; the few that come back later are held against all of the person's.
func (p *findProp) add(tl *model.Timeline, col model.Column, key *model.KeyInfo) {
	first := len(p.at)
	last := ""
	for i := range tl.Len() {
		v := col.At(key, i)
		if v == "" || v == last || len(p.lower)+len(v) > maxFindBytes {
			continue
		}
		last = v
		low := strings.ToLower(v)
		if p.has(first, low) {
			continue
		}
		p.lower = append(p.lower, 0)
		p.at = append(p.at, uint32(len(p.lower)))
		p.lower = append(p.lower, low...)
		p.exact = append(p.exact, "")
		if low != v {
			p.exact[len(p.exact)-1] = strings.Clone(v)
		}
		if len(p.at) == first+1 {
			p.ids = append(p.ids, strings.Clone(tl.ID))
		}
		p.user = append(p.user, int32(len(p.ids)-1))
	}
}

func (p *findProp) has(from int, low string) bool {
	for i := from; i < len(p.at); i++ {
		if string(p.value(i)) == low {
			return true
		}
	}
	return false
}

func (p *findProp) value(i int) []byte {
	end := len(p.lower)
	if i+1 < len(p.at) {
		end = int(p.at[i+1]) - 1
	}
	return p.lower[p.at[i]:end]
}

func (p *findProp) join(o *findProp) {
	if len(p.lower)+len(o.lower) > maxFindBytes {
		return
	}
	base, ids := uint32(len(p.lower)), int32(len(p.ids))
	p.lower = append(p.lower, o.lower...)
	for _, at := range o.at {
		p.at = append(p.at, base+at)
	}
	p.exact = append(p.exact, o.exact...)
	for _, u := range o.user {
		p.user = append(p.user, ids+u)
	}
	p.ids = append(p.ids, o.ids...)
}

// each gives the users with a value that starts with the text, or that holds it.
func (ix *findIndex) each(low string, prefix bool, give func(Found) bool) bool {
	for i := range ix.props {
		if !ix.props[i].each(low, prefix, give) {
			return false
		}
	}
	return true
}

func (p *findProp) each(low string, prefix bool, give func(Found) bool) bool {
	if strings.ContainsRune(low, 0) {
		return true
	}
	want := []byte(low)
	if prefix {
		want = append([]byte{0}, want...)
	}
	entry := 0
	for from := 0; ; {
		hit := bytes.Index(p.lower[from:], want)
		if hit < 0 {
			return true
		}
		pos := from + hit
		for entry+1 < len(p.at) && int(p.at[entry+1]) <= pos+len(want)-1 {
			entry++
		}
		has := p.exact[entry]
		if has == "" {
			has = string(p.value(entry))
		}
		if !give(Found{ID: p.ids[p.user[entry]], By: p.name, Has: has}) {
			return false
		}
		from = int(p.at[entry]) + len(p.value(entry))
	}
}
