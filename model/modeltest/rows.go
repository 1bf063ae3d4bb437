package modeltest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dwell/model"
)

// A Row is one event as a test writes it down.
type Row struct {
	User   string
	Time   int64
	Dated  bool
	Event  string
	Amount model.Money // NoMoney where absent; zero is an amount
	Props  map[string]string
	Source int // index into the load's sources
}

// Batches cuts rows into batches of at most size rows of one source, numbered
// in order.
func Batches(rows []Row, size int) []*model.Batch {
	var out []*model.Batch
	for len(rows) > 0 {
		n := 1
		for n < min(len(rows), size) && rows[n].Source == rows[0].Source {
			n++
		}
		out = append(out, batch(rows[:n], len(out)))
		rows = rows[n:]
	}
	return out
}

func batch(rows []Row, seq int) *model.Batch {
	b := &model.Batch{Seq: seq, Source: rows[0].Source}
	keys := map[string]int{}
	for i := range rows {
		r := &rows[i]
		b.Line = append(b.Line, int64(i+1))
		b.User = append(b.User, []byte(r.User))
		b.Time = append(b.Time, r.Time)
		b.Dated = append(b.Dated, r.Dated)
		b.Event = append(b.Event, []byte(r.Event))
		b.Amount = append(b.Amount, r.Amount)
		for _, k := range sorted(r.Props) {
			c, ok := keys[k]
			if !ok {
				c = len(b.Props)
				keys[k] = c
				b.Props = append(b.Props, model.BatchCol{Key: k, Values: make([][]byte, len(rows))})
			}
			b.Props[c].Values[i] = []byte(r.Props[k])
		}
	}
	for c := range b.Props {
		if (seq+c)%2 == 1 { // both forms of a column come by
			thin(&b.Props[c])
		}
	}
	if !slices.Contains(b.Dated, true) {
		b.Dated = nil
	}
	if !slices.ContainsFunc(b.Amount, func(m model.Money) bool { return m != model.NoMoney }) {
		b.Amount = nil
	}
	return b
}

// thin keeps the rows that have a value alone.
func thin(c *model.BatchCol) {
	all := c.Values
	c.Values, c.At = nil, []int32{}
	for i, v := range all {
		if len(v) > 0 {
			c.Values, c.At = append(c.Values, v), append(c.At, int32(i))
		}
	}
}

func sorted(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Beginner is what takes loads.
type Beginner interface {
	Begin(ctx context.Context, plan model.LoadPlan) (model.Loader, error)
}

// Load loads rows through workers goroutines and commits.
func Load(t testing.TB, to Beginner, plan model.LoadPlan, rows []Row, workers int) (model.LoadInfo, error) {
	t.Helper()
	ld, err := to.Begin(context.Background(), plan)
	if err != nil {
		return model.LoadInfo{}, err
	}
	defer ld.Abort() // nothing, once it is committed
	bs := Batches(rows, 100)
	if workers == 1 {
		for _, b := range bs {
			if err := ld.Add(b); err != nil {
				return model.LoadInfo{}, fmt.Errorf("add: %w", err)
			}
		}
	} else {
		todo, errs := make(chan *model.Batch), make(chan error)
		for range workers {
			go func() {
				var first error
				for b := range todo {
					if err := ld.Add(b); err != nil && first == nil {
						first = err
					}
				}
				errs <- first
			}()
		}
		for _, b := range bs {
			todo <- b
		}
		close(todo)
		for range workers {
			if e := <-errs; e != nil && err == nil {
				err = e
			}
		}
		if err != nil {
			return model.LoadInfo{}, err
		}
	}
	return ld.Commit(model.Quality{Read: int64(len(rows))}, plan.Sources)
}

// Dump writes a snapshot's users with every column, names and not numbers, in
// the order of the scan: two data sets that hold the same give the same text.
func Dump(t testing.TB, snap model.Snapshot, f model.Filter) []string {
	t.Helper()
	var out []string
	for _, split := range snap.Splits(3) {
		err := snap.Scan(context.Background(), split, f, func(tl *model.Timeline) error {
			out = append(out, Text(snap.Info(), f, tl))
			return nil
		})
		if err != nil {
			t.Fatalf("scan %v: %v", split, err)
		}
	}
	return out
}

// AllColumns is a filter that reads everything.
func AllColumns(in *model.Info) model.Filter {
	f := model.Filter{Until: model.NoCut, Amounts: true, Sources: true}
	for i := range in.Keys {
		f.Columns = append(f.Columns, in.Keys[i].Name)
	}
	slices.Sort(f.Columns)
	return f
}

// Text writes one timeline, one line an event.
func Text(in *model.Info, f model.Filter, tl *model.Timeline) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q\n", tl.ID, tl.IDs)
	for i := range tl.Time {
		fmt.Fprintf(&b, " %d", tl.Time[i])
		if tl.IsDated(i) {
			b.WriteString("d")
		}
		fmt.Fprintf(&b, " %q", in.Names[tl.Name[i]].Name)
		if f.Amounts {
			fmt.Fprintf(&b, " amount=%s", tl.Amount[i])
		}
		if f.Sources {
			fmt.Fprintf(&b, " source=%s", in.Sources[tl.Source[i]].Path)
		}
		for c, key := range f.Columns {
			v := ""
			if k := in.Key(key); k != nil {
				v = tl.Props[c].At(k, i)
			} else if tl.Props[c].Plain == nil && len(tl.Props[c].Codes) != len(tl.Time) {
				v = "a column of another length"
			}
			if v != "" {
				fmt.Fprintf(&b, " %s=%q", key, v)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
