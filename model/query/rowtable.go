package query

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"dwell/model"
)

// A rowTable is the windowed table of raw events. It keeps the number of rows of
// each bucket, whatever their number: a window reads the buckets it touches
// again. Rows stand by bucket, then user, then time.
type rowTable struct {
	r     *Run
	f     *rowFilter
	heads []TableHead
	upto  []int // rows in buckets before each; the last is their number
	cut   model.Filter
	held  int // the bucket whose rows are in page
	page  []rawRow
	tail  string // of each row's address, behind the id: as-of day, zone
}

// A rawRow is one event as a table shows it.
type rawRow struct {
	key   string
	cells []string
	value *float64 // of the amount
	user  string
	ms    int64
	day   model.Day
}

func newRowTable(r *Run, f *rowFilter) (Table, error) {
	t := &rowTable{r: r, f: f, held: -1}
	t.tail = strings.TrimPrefix(r.link(Query{Analysis: "row", ID: "x"}), "row/x")
	t.cut = model.Filter{Until: r.Cut, Names: f.names, Amounts: true, Sources: true}
	t.heads = []TableHead{{Name: "time", Label: "time"}, {Name: "user", Label: "user"}, {Name: "event", Label: "event"}}
	if r.Info.Amounts {
		unit, _ := r.currency()
		t.heads = append(t.heads, TableHead{Name: "amount", Label: "amount", Unit: unit, Right: true})
	}
	for _, k := range r.Info.Keys {
		t.heads = append(t.heads, TableHead{Name: k.Name, Label: k.Name})
		t.cut.Columns = append(t.cut.Columns, k.Name)
	}
	t.heads = append(t.heads, TableHead{Name: "file", Label: "file"})
	counts := make([]int, model.Buckets)
	if f.user != "" {
		if err := t.read(r.Ctx, model.BucketOf([]byte(f.user))); err != nil {
			return nil, err
		}
		counts[t.held] = len(t.page)
	} else if err := t.count(counts); err != nil {
		return nil, err
	}
	t.upto = make([]int, model.Buckets+1)
	for b, n := range counts {
		t.upto[b+1] = t.upto[b] + n
	}
	return t, nil
}

// count passes over all events once and counts the rows of each bucket.
func (t *rowTable) count(counts []int) error {
	type tally struct{ of map[int]int }
	v := t.f.view(t.f.columns)
	return Scan(t.r, Needs{Names: t.f.names, Columns: t.f.columns},
		func() *tally { return &tally{map[int]int{}} },
		func(a *tally, u *Person) error {
			n := 0
			for i := range u.Days {
				if t.f.takes(u.TL, u.Days, i, v) {
					n++
				}
			}
			a.of[model.BucketOf([]byte(u.TL.ID))] += n
			return nil
		},
		func(a *tally) error {
			for b, n := range a.of {
				counts[b] += n
			}
			return nil
		})
}

// read makes the rows of one bucket (of the one user, if it is one user's table).
func (t *rowTable) read(ctx context.Context, bucket int) error {
	t.held, t.page = -1, t.page[:0]
	v := t.f.view(t.cut.Columns)
	var days []model.Day
	visit := func(tl *model.Timeline) error {
		days = t.r.Cal.Days(days[:0], tl)
		model.InDayOrder(days, tl)
		for i := range days {
			if t.f.takes(tl, days, i, v) {
				t.page = append(t.page, t.row(tl, days[i], i))
			}
		}
		return nil
	}
	if t.f.user != "" {
		tl, err := t.r.Snap.User(ctx, t.f.user, t.cut)
		if err != nil {
			return err
		}
		if err := visit(&tl); err != nil {
			return err
		}
	} else if err := t.r.Snap.Scan(ctx, model.Split{From: bucket, To: bucket + 1}, t.cut, visit); err != nil {
		return err
	}
	t.held = bucket
	return nil
}

func (t *rowTable) row(tl *model.Timeline, day model.Day, i int) rawRow {
	r := t.r
	row := rawRow{key: rowKey(tl, i), user: tl.ID, ms: tl.Time[i], day: day}
	row.cells = append(row.cells, r.Cal.Stamp(tl, i), tl.ID, r.Info.Names[tl.Name[i]].Name)
	if r.Info.Amounts {
		m := model.NoMoney
		if tl.Amount != nil {
			m = tl.Amount[i]
		}
		row.cells = append(row.cells, m.String())
		if m != model.NoMoney {
			v := m.Float()
			row.value = &v
		}
	}
	for k := range r.Info.Keys {
		row.cells = append(row.cells, tl.Props[k].At(&r.Info.Keys[k], i))
	}
	file := ""
	if tl.Source != nil && int(tl.Source[i]) < len(r.Info.Sources) {
		file = r.Info.Sources[tl.Source[i]].Path
	}
	row.cells = append(row.cells, file)
	return row
}

// rowKey names event i of a user: its time and name, its place among the events
// that share both, then the id, which may hold anything. It does not depend on
// which other names were read.
func rowKey(tl *model.Timeline, i int) string {
	return fmt.Sprintf("%d/%d/%d/%s", tl.Time[i], tl.Name[i], nth(tl, i), tl.ID)
}

// nth is how many events before i have its time and name.
func nth(tl *model.Timeline, i int) (n int) {
	for j := i - 1; j >= 0 && tl.Time[j] == tl.Time[i]; j-- {
		if tl.Name[j] == tl.Name[i] {
			n++
		}
	}
	return n
}

var errRowKey = errors.New("this is not the key of a raw row")

// A rowPlace is a row key read.
type rowPlace struct {
	ms   int64
	name model.NameID
	nth  int
	user string
}

func parseRowKey(key string) (p rowPlace, err error) {
	parts := strings.SplitN(key, "/", 4)
	if len(parts) != 4 {
		return p, fmt.Errorf("%w: %q", errRowKey, key)
	}
	ms, err1 := strconv.ParseInt(parts[0], 10, 64)
	name, err2 := strconv.ParseUint(parts[1], 10, 32)
	n, err3 := strconv.Atoi(parts[2])
	if err := errors.Join(err1, err2, err3); err != nil {
		return p, fmt.Errorf("%w: %q", errRowKey, key)
	}
	return rowPlace{ms, model.NameID(name), n, parts[3]}, nil
}

// Heads are the columns: time, user, event, amount, each property, file.
func (t *rowTable) Heads() []TableHead { return t.heads }

// Len is the number of rows; it is exact.
func (t *rowTable) Len() (n int, exact bool) { return t.upto[model.Buckets], true }

// Close has nothing to give back: the engine holds the data version.
func (t *rowTable) Close() error { return nil }

// Window is rows from … from+n−1, or fewer at the end.
func (t *rowTable) Window(ctx context.Context, from, n int) ([]TableRow, error) {
	total := t.upto[model.Buckets]
	from = max(from, 0)
	to := min(from+n, total)
	var out []TableRow
	for from < to {
		b := sort.Search(model.Buckets, func(b int) bool { return t.upto[b+1] > from })
		if t.held != b {
			if err := t.read(ctx, b); err != nil {
				return nil, err
			}
		}
		if len(t.page) != t.upto[b+1]-t.upto[b] {
			return nil, fmt.Errorf("the data gave %d rows and then %d in one version: check the data set", t.upto[b+1]-t.upto[b], len(t.page))
		}
		for ; from < to && from < t.upto[b+1]; from++ {
			row := &t.page[from-t.upto[b]]
			out = append(out, TableRow{Key: row.key, Cells: row.cells, Values: t.values(row), Open: "row/" + escape(row.key) + t.tail})
		}
	}
	return out, nil
}

// values holds the amount as a number; every other cell is text.
func (t *rowTable) values(row *rawRow) []*float64 {
	out := make([]*float64, len(t.heads))
	if t.r.Info.Amounts {
		out[3] = row.value
	}
	return out
}

// Seek is the index of the row with this key, or of where it would stand. In one
// user's table a day (YYYY-MM-DD) stands for the first row on or after it.
func (t *rowTable) Seek(key string) (int, error) {
	if day, err := model.ParseDay(key); err == nil && t.f.user != "" {
		return t.upto[t.held] + sort.Search(len(t.page), func(i int) bool { return t.page[i].day >= day }), nil
	}
	p, err := parseRowKey(key)
	if err != nil {
		return 0, err
	}
	b := model.BucketOf([]byte(p.user))
	if t.f.user != "" {
		b = t.held
	}
	if t.held != b {
		if err := t.read(context.WithoutCancel(t.r.Ctx), b); err != nil {
			return 0, err
		}
	}
	at := len(t.page)
	for i := range t.page {
		row := &t.page[i]
		if row.key == key {
			return t.upto[b] + i, nil
		}
		if i < at && (row.user > p.user || row.user == p.user && row.ms > p.ms) {
			at = i
		}
	}
	return t.upto[b] + at, nil
}
