package modeltest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"dwell/model"
)

// conformRandom loads random rows into the data set and into Memory and compares
// everything that can be read.
func conformRandom(t *testing.T, open func(t testing.TB) Dataset, seeds []uint64) {
	if len(seeds) == 0 {
		seeds = []uint64{1, 2, 3, 4, 5, 6}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) { randomRun(t, open(t), rand.New(rand.NewPCG(seed, 77))) })
	}
}

func randomRun(t *testing.T, d Dataset, r *rand.Rand) {
	mem := model.NewMemory()
	var held []Row // rows that come again in later loads
	for load := range 2 + r.IntN(4) {
		sources := 1 + r.IntN(3)
		p := plan(fmt.Sprint("l", load, "s"), sources)
		p.KeepEqual, p.Dedupe = r.IntN(6) == 0, r.IntN(6) == 0
		var rows []Row
		for src := range sources {
			for range r.IntN(400) {
				row := randomRow(r)
				if len(held) > 0 && r.IntN(3) == 0 {
					row = held[r.IntN(len(held))]
				}
				row.Source = src
				rows = append(rows, row)
				held = append(held, row)
			}
		}
		want, err := Load(t, mem, p, rows, 1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Load(t, d, p, rows, 1+r.IntN(3))
		if err != nil {
			t.Fatal(err)
		}
		quality(t, fmt.Sprint("load ", load), got.Quality, want.Quality.Stored, want.Quality.Already, want.Quality.Dropped, want.Quality.Equal)
		if got.Users != want.Users {
			t.Errorf("load %d has %d users, want %d", load, got.Users, want.Users)
		}
		if r.IntN(2) == 0 {
			d.Reopen(t)
		}
		compare(t, snapshot(t, d), snapshot(t, memory{mem}), r)
	}
}

type memory struct{ *model.Memory }

func (memory) Reopen(testing.TB) {}

// InMemory is an empty model.Memory as a Dataset.
func InMemory(testing.TB) Dataset { return memory{model.NewMemory()} }

func randomRow(r *rand.Rand) Row {
	row := rowAt(fmt.Sprint("u", r.IntN(40)), int64(r.IntN(50))*day/2+int64(r.IntN(2)), fmt.Sprint("e", r.IntN(6)))
	if r.IntN(4) == 0 {
		row.Dated, row.Time = true, int64(r.IntN(25))*day
	}
	if r.IntN(3) == 0 {
		row.Amount = model.Money(r.IntN(5)-2) * 500_000
	}
	row.Props = map[string]string{}
	for k := range 4 {
		if r.IntN(3) == 0 {
			row.Props[fmt.Sprint("k", k)] = fmt.Sprint("v", r.IntN(3))
		}
	}
	return row
}

// compare reads two data sets in every way and wants the same.
func compare(t testing.TB, got, want model.Snapshot, r *rand.Rand) {
	t.Helper()
	g, w := got.Info(), want.Info()
	if g.Users != w.Users || g.Events != w.Events || g.First != w.First || g.Last != w.Last || g.Dated != w.Dated || g.Dates != w.Dates || g.Clock != w.Clock || g.Amounts != w.Amounts || g.Version.Ordinal != w.Version.Ordinal {
		t.Fatalf("info is\n%+v\nwant\n%+v", g, w)
	}
	for _, n := range w.Names {
		if i := g.NameIndex(n.Name); i < 0 || g.Names[i].Count != n.Count {
			t.Errorf("event %s is counted differently", n.Name)
		}
	}
	for _, k := range w.Keys {
		gk := g.Key(k.Name)
		if gk == nil || gk.Plain != k.Plain {
			t.Fatalf("property %s is %+v, want %+v", k.Name, gk, k)
		}
		a, b := slices.Sorted(slices.Values(gk.Values)), slices.Sorted(slices.Values(k.Values))
		if !slices.Equal(a, b) {
			t.Errorf("property %s has values %q, want %q", k.Name, a, b)
		}
	}
	f := AllColumns(w)
	same(t, "everything", Dump(t, got, f), Dump(t, want, f))
	f.Until = model.Cut{At: int64(r.IntN(26)) * day, Day: model.Day(r.IntN(26))}
	same(t, fmt.Sprint("cut ", f.Until), Dump(t, got, f), Dump(t, want, f))
	f.Names = []string{"e1", "e4"}
	f.Columns = []string{"k2"}
	same(t, "names", Dump(t, got, f), Dump(t, want, f))
	for i := range 42 {
		id := fmt.Sprint("u", i)
		a, errA := got.User(context.Background(), id, f)
		b, errB := want.User(context.Background(), id, f)
		if errors.Is(errA, model.ErrNoUser) != errors.Is(errB, model.ErrNoUser) || Text(g, f, &a) != Text(w, f, &b) && errB == nil {
			t.Fatalf("user %s is %v\n%s\nwant %v\n%s", id, errA, Text(g, f, &a), errB, Text(w, f, &b))
		}
	}
	var a, b []string
	_ = got.Find(context.Background(), "2", func(id string) bool { a = append(a, id); return true })
	_ = want.Find(context.Background(), "2", func(id string) bool { b = append(b, id); return true })
	if !slices.Equal(a, b) {
		t.Errorf("find gives %q, want %q", a, b)
	}
}
