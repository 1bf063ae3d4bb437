package modeltest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dwell/model"
)

// times repeats a row.
func times(r Row, n int) []Row {
	out := make([]Row, n)
	for i := range out {
		out[i] = r
	}
	return out
}

func quality(t testing.TB, what string, got model.Quality, stored, already, dropped, equal int64) {
	t.Helper()
	if got.Stored != stored || got.Already != already || got.Dropped != dropped || got.Equal != equal {
		t.Errorf("%s: stored %d, already %d, dropped %d, equal %d; want %d, %d, %d, %d", what,
			got.Stored, got.Already, got.Dropped, got.Equal, stored, already, dropped, equal)
	}
}

// conformOccurrences: the k-th equal row of one source matches the k-th of
// another, so that what is stored is the greatest number in any source.
func conformOccurrences(t *testing.T, d Dataset) {
	r := rowAt("ann", day, "buy")
	r.Amount, r.Props = 1_000_000, map[string]string{"item": "x"}
	other := r
	other.Props = map[string]string{"item": "y"}
	more := r
	more.Props = map[string]string{"item": "x", "colour": "red"}

	quality(t, "two equal rows", mustLoad(t, d, plan("a", 1), times(r, 2)).Quality, 2, 0, 0, 1)
	quality(t, "five of them", mustLoad(t, d, plan("b", 1), append(times(r, 5), other)).Quality, 4, 2, 0, 4)
	quality(t, "five again", mustLoad(t, d, plan("c", 1), append(times(r, 5), other, more)).Quality, 1, 6, 0, 4)
	quality(t, "fewer", mustLoad(t, d, plan("d", 1), times(r, 1)).Quality, 0, 1, 0, 0)
	keep := plan("e", 1)
	keep.KeepEqual = true
	quality(t, "kept", mustLoad(t, d, keep, times(r, 6)).Quality, 6, 0, 0, 5)
	quality(t, "after kept ones", mustLoad(t, d, plan("g", 1), times(r, 7)).Quality, 1, 6, 0, 6)
	if got := snapshot(t, d).Info().Events; got != 14 {
		t.Errorf("%d events are stored, want 14", got)
	}
}

func conformOneLoad(t *testing.T, d Dataset) {
	r := rowAt("ann", day, "buy")
	second := r
	second.Source = 1
	third := r
	third.Source = 2
	rows := append(append(times(r, 2), times(second, 3)...), times(third, 3)...)
	quality(t, "three sources in a load", mustLoad(t, d, plan("a", 3), rows).Quality, 3, 5, 0, 5)
	s := snapshot(t, d)
	f := AllColumns(s.Info())
	tl, err := s.User(context.Background(), "ann", f)
	if err != nil {
		t.Fatal(err)
	}
	if got := Text(s.Info(), f, &tl); strings.Count(got, "source=a0") != 2 || strings.Count(got, "source=a1") != 1 {
		t.Errorf("the rows come from\n%s", got)
	}
}

// conformPieces: the pieces of a file that is followed are one source, and what one
// brings counts on in the next, whether it was stored or another source had it.
func conformPieces(t *testing.T, d Dataset) {
	r := rowAt("ann", day, "buy")
	piece := func(stream string, from, to int64) model.LoadPlan {
		return model.LoadPlan{Zone: "UTC", At: 1, Sources: []model.SourceInfo{{
			Path: stream, Digest: fmt.Sprint(stream, to), Stream: stream + "1", From: from, Bytes: to,
		}}}
	}
	counted := func(stream string, want bool) {
		t.Helper()
		if in := snapshot(t, d).Info(); in.Counted(stream) != want {
			t.Errorf("the rows of %s are counted: %t, want %t; the sources are %+v", stream, !want, want, in.Sources)
		}
	}
	mustLoad(t, d, plan("a", 1), times(r, 3))
	quality(t, "a piece with one of three", mustLoad(t, d, piece("f", 0, 1), times(r, 1)).Quality, 0, 1, 0, 0)
	quality(t, "a piece with the second", mustLoad(t, d, piece("f", 1, 2), times(r, 1)).Quality, 0, 1, 0, 1)
	d.Reopen(t)
	quality(t, "a piece with the third and two more", mustLoad(t, d, piece("f", 2, 3), times(r, 3)).Quality, 2, 1, 0, 3)
	mustLoad(t, d, plan("b", 1), times(r, 6))
	quality(t, "a piece with the sixth and seventh", mustLoad(t, d, piece("f", 3, 4), times(r, 2)).Quality, 1, 1, 0, 2)
	counted("f1", true)

	// An ordinary load leaves nothing to count on by where another source had rows.
	whole := plan("g", 1)
	whole.Sources[0].Digest = "g1"
	mustLoad(t, d, whole, append(times(r, 7), rowAt("bob", day, "buy")))
	counted("g1", false)
	rows := append(times(r, 7), rowAt("bob", day, "buy"), rowAt("bob", day, "buy"), r)
	quality(t, "the file counted anew", mustLoad(t, d, piece("g", 0, 2), rows).Quality, 2, 8, 0, 8)
	counted("g1", true)
	quality(t, "the piece after it", mustLoad(t, d, piece("g", 2, 3), []Row{r, rowAt("bob", day, "buy")}).Quality, 2, 0, 0, 2)
	if got := snapshot(t, d).Info().Events; got != 9+3 {
		t.Errorf("%d events are stored, want 12", got)
	}
}

func conformDedupe(t *testing.T, d Dataset) {
	r := rowAt("ann", day, "buy")
	p := plan("a", 1)
	p.Dedupe = true
	quality(t, "dedupe", mustLoad(t, d, p, append(times(r, 4), rowAt("ann", 2*day, "buy"))).Quality, 2, 0, 3, 0)
	p = plan("b", 1)
	p.Dedupe = true
	quality(t, "dedupe of what is there", mustLoad(t, d, p, times(r, 3)).Quality, 0, 1, 2, 0)
}

func conformKnownSource(t *testing.T, d Dataset) {
	mustLoad(t, d, plan("a", 1), []Row{rowAt("ann", day, "x")})
	before := snapshot(t, d).Info().Version
	if _, err := Load(t, d, plan("a", 1), []Row{rowAt("bob", day, "x")}, 1); !errors.Is(err, model.ErrKnownSource) {
		t.Errorf("the same source again gives %v, want ErrKnownSource", err)
	}
	d.Reopen(t)
	if got := snapshot(t, d).Info(); got.Version != before || got.Events != 1 {
		t.Errorf("after a refused load the version is %v with %d events, want %v with 1", got.Version, got.Events, before)
	}
	mustLoad(t, d, plan("b", 1), []Row{rowAt("bob", day, "x")})
}

// conformSeveralLoads wants one timeline a user, whatever loads brought it, and
// names and values right though each load numbers its own.
func conformSeveralLoads(t *testing.T, d Dataset) {
	want := map[string][]string{}
	for load := range 5 {
		var rows []Row
		for i := range 40 {
			r := rowAt("user"+strconv.Itoa((i*7+load)%23), int64(100*i+load)*1000, "event"+strconv.Itoa((i+load*3)%5))
			r.Props = map[string]string{"k" + strconv.Itoa((load+i)%3): "v" + strconv.Itoa((i*load)%7)}
			rows = append(rows, r)
		}
		slices.SortStableFunc(rows, func(a, b Row) int { return -cmp.Compare(a.Event, b.Event) })
		for i := range rows {
			want[rows[i].User] = append(want[rows[i].User], fmt.Sprint(rows[i].Time, rows[i].Event, rows[i].Props))
		}
		mustLoad(t, d, plan("f"+strconv.Itoa(load), 1), rows)
		d.Reopen(t)
	}
	s := snapshot(t, d)
	in := s.Info()
	if in.Users != int64(len(want)) || in.Events != 200 || len(in.Loads) != 5 || len(in.Sources) != 5 || in.Version.Ordinal != 5 {
		t.Errorf("info says %d users, %d events, %d loads, %d sources, ordinal %d", in.Users, in.Events, len(in.Loads), len(in.Sources), in.Version.Ordinal)
	}
	f := AllColumns(in)
	seen := 0
	for _, split := range s.Splits(4) {
		err := s.Scan(context.Background(), split, f, func(tl *model.Timeline) error {
			seen++
			if !slices.IsSorted(tl.Time) {
				return fmt.Errorf("%s is out of order", tl.ID)
			}
			var got []string
			for i := range tl.Time {
				props := map[string]string{}
				for c, k := range f.Columns {
					if v := tl.Props[c].At(in.Key(k), i); v != "" {
						props[k] = v
					}
				}
				got = append(got, fmt.Sprint(tl.Time[i], in.Names[tl.Name[i]].Name, props))
			}
			w := slices.Clone(want[tl.ID])
			slices.Sort(got)
			slices.Sort(w)
			if !slices.Equal(got, w) {
				return fmt.Errorf("%s has %q, want %q", tl.ID, got, w)
			}
			own, err := s.User(context.Background(), tl.ID, f)
			if err == nil && Text(in, f, &own) != Text(in, f, tl) {
				err = fmt.Errorf("%s differs between User and Scan:\n%s\n%s", tl.ID, Text(in, f, &own), Text(in, f, tl))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen != len(want) {
		t.Errorf("%d users were handed out, want %d", seen, len(want))
	}
	for i, l := range in.Loads {
		if in.Sources[i].Load != i || l.Quality.Stored != 40 {
			t.Errorf("load %d: source of load %d, %d stored", i, in.Sources[i].Load, l.Quality.Stored)
		}
	}
}

func conformIsolation(t *testing.T, d Dataset) {
	mustLoad(t, d, plan("f", 1), []Row{rowAt("a", 1, "e")})
	old := snapshot(t, d)
	before := Dump(t, old, AllColumns(old.Info()))
	ld, err := d.Begin(context.Background(), plan("g", 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := ld.Add(Batches([]Row{rowAt("a", 2, "new"), rowAt("b", 3, "e")}, 10)[0]); err != nil {
		t.Fatal(err)
	}
	if got := snapshot(t, d).Info().Events; got != 1 {
		t.Errorf("a load not yet committed shows %d events", got)
	}
	if _, err := ld.Commit(model.Quality{Read: 2}, plan("g", 1).Sources); err != nil {
		t.Fatal(err)
	}
	same(t, "the old snapshot", Dump(t, old, AllColumns(old.Info())), before)
	if got := snapshot(t, d).Info(); got.Events != 3 || got.Users != 2 || got.Version.Hash == old.Info().Version.Hash {
		t.Errorf("the new snapshot has %d events of %d users", got.Events, got.Users)
	}
}

func conformAbort(t *testing.T, d Dataset) {
	ld, err := d.Begin(context.Background(), plan("f", 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := ld.Add(Batches([]Row{rowAt("a", 2, "new")}, 10)[0]); err != nil {
		t.Fatal(err)
	}
	if err := ld.Abort(); err != nil {
		t.Fatal(err)
	}
	if err := ld.Abort(); err != nil {
		t.Errorf("a second Abort gives %v", err)
	}
	mustLoad(t, d, plan("f", 1), []Row{rowAt("b", 1, "e")})
	if in := snapshot(t, d).Info(); in.Events != 1 || len(in.Names) != 1 {
		t.Errorf("after an aborted load there are %d events and names %v", in.Events, in.Names)
	}
}
