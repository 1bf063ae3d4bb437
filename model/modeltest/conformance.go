package modeltest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dwell/model"
)

// A Dataset is what the conformance suite tries: a Source that takes loads.
type Dataset interface {
	model.Source
	Beginner
	// Reopen closes the data set and opens it as another process would. A data
	// set that lives in memory does nothing.
	Reopen(t testing.TB)
}

// Conformance holds a data set to what the ports promise. open gives an empty
// one, closed at the end of the test.
func Conformance(t *testing.T, open func(t testing.TB) Dataset) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Dataset)
	}{
		{"Empty", conformEmpty},
		{"Columns", conformColumns},
		{"Cuts", conformCuts},
		{"Names", conformNames},
		{"Ties", conformTies},
		{"Occurrences", conformOccurrences},
		{"OccurrencesInOneLoad", conformOneLoad},
		{"Dedupe", conformDedupe},
		{"KnownSource", conformKnownSource},
		{"SeveralLoads", conformSeveralLoads},
		{"Users", conformUsers},
		{"Find", conformFind},
		{"Cancel", conformCancel},
		{"Callback", conformCallback},
		{"Isolation", conformIsolation},
		{"Abort", conformAbort},
		{"Splits", conformSplits},
		{"Plain", conformPlain},
		{"LongUser", conformLongUser},
		{"Impossible", conformImpossible},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
	t.Run("Random", func(t *testing.T) { conformRandom(t, open) })
}

const day = 86_400_000

func rowAt(user string, ms int64, event string) Row {
	return Row{User: user, Time: ms, Event: event, Amount: model.NoMoney}
}

// plan is a load of n sources whose names and digests start with name.
func plan(name string, n int) model.LoadPlan {
	p := model.LoadPlan{Zone: "UTC", Mapping: "m", At: 1}
	for i := range n {
		p.Sources = append(p.Sources, model.SourceInfo{Path: fmt.Sprint(name, i), Digest: fmt.Sprint("digest ", name, i), Bytes: 10, Rows: 1})
	}
	return p
}

func mustLoad(t testing.TB, d Dataset, p model.LoadPlan, rows []Row) model.LoadInfo {
	t.Helper()
	info, err := Load(t, d, p, rows, 1)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return info
}

func snapshot(t testing.TB, d Dataset) model.Snapshot {
	t.Helper()
	s, err := d.Snapshot(context.Background())
	if err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d users, want %d", what, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: user %d is\n%s\nwant\n%s", what, i, got[i], want[i])
		}
	}
}

func conformEmpty(t *testing.T, d Dataset) {
	s := snapshot(t, d)
	in := s.Info()
	if in.Users != 0 || in.Events != 0 || len(in.Names) != 0 || len(in.Loads) != 0 {
		t.Errorf("an empty data set has %+v", in)
	}
	if got := Dump(t, s, model.Filter{Until: model.NoCut, Columns: []string{"x"}}); len(got) != 0 {
		t.Errorf("an empty data set has users: %q", got)
	}
	if _, err := s.User(context.Background(), "a", model.Filter{Until: model.NoCut}); !errors.Is(err, model.ErrNoUser) {
		t.Errorf("User gives %v, want ErrNoUser", err)
	}
	info := mustLoad(t, d, plan("none", 1), nil)
	if info.Quality.Stored != 0 || info.Users != 0 {
		t.Errorf("a load without rows stored %d", info.Quality.Stored)
	}
}

func conformColumns(t *testing.T, d Dataset) {
	r := rowAt("ann", 5*day, "buy")
	r.Amount, r.Props = -2_500_000, map[string]string{"plan": "pro", "note": "a,\"b\""}
	r2 := rowAt("ann", 6*day, "see")
	r2.Props = map[string]string{"plan": "free"}
	r3 := rowAt("bob", 7*day+1, "buy")
	r3.Amount = 0
	mustLoad(t, d, plan("f", 1), []Row{r, r2, r3})
	d.Reopen(t)
	s := snapshot(t, d)
	in := s.Info()
	if in.Users != 2 || in.Events != 3 || in.First != 5*day || in.Last != 7*day+1 || !in.Amounts || in.Dated {
		t.Errorf("info is %+v", in)
	}
	if in.NameIndex("buy") < 0 || in.Names[in.NameIndex("buy")].Count != 2 {
		t.Errorf("names are %+v", in.Names)
	}
	if k := in.Key("plan"); k == nil || len(k.Values) != 3 || k.Values[0] != "" {
		t.Errorf("key plan is %+v", k)
	}
	f := model.Filter{Until: model.NoCut, Columns: []string{"note", "nobody knows", "plan"}, Amounts: true, Sources: true}
	tl, err := s.User(context.Background(), "ann", f)
	if err != nil {
		t.Fatal(err)
	}
	want := "\"ann\" [\"ann\"]\n 432000000 \"buy\" amount=-2.5 source=f0 note=\"a,\\\"b\\\"\" plan=\"pro\"\n 518400000 \"see\" amount= source=f0 plan=\"free\"\n"
	if got := Text(in, f, &tl); got != want {
		t.Errorf("ann is\n%s\nwant\n%s", got, want)
	}
	bare := model.Filter{Until: model.NoCut}
	err = s.Scan(context.Background(), model.Split{To: model.Buckets}, bare, func(tl *model.Timeline) error {
		if tl.Amount != nil || tl.Source != nil || len(tl.Props) != 0 {
			return fmt.Errorf("%s has columns nobody asked for", tl.ID)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// conformCuts reads up to a day: a date alone goes by its day, a time by the
// instant.
func conformCuts(t *testing.T, d Dataset) {
	dated := rowAt("ann", 10*day, "dated")
	dated.Dated = true
	early := rowAt("bob", 10*day-1, "early")
	mustLoad(t, d, plan("f", 1), []Row{rowAt("ann", 9*day+5, "timed"), dated, rowAt("ann", 10*day+3_600_000, "late"), early})
	s := snapshot(t, d)
	for _, c := range []struct {
		cut  model.Cut
		want string
	}{
		{model.NoCut, "timed dated late early"},
		{model.Cut{At: 10*day + 3_600_000, Day: 10}, "timed dated early"},
		{model.Cut{At: 10 * day, Day: 10}, "timed dated early"}, // a zone behind UTC
		{model.Cut{At: 10*day + 3_600_001, Day: 9}, "timed late early"},
		{model.Cut{At: 9 * day, Day: 9}, ""},
	} {
		var got []string
		f := model.Filter{Until: c.cut}
		for _, id := range []string{"ann", "bob"} {
			tl, err := s.User(context.Background(), id, f)
			if err != nil {
				t.Fatalf("cut %v: %v", c.cut, err)
			}
			for _, n := range tl.Name {
				got = append(got, s.Info().Names[n].Name)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("cut %v: User gives %q, want %q", c.cut, got, c.want)
		}
		n := 0
		for _, split := range s.Splits(2) {
			err := s.Scan(context.Background(), split, f, func(tl *model.Timeline) error { n += tl.Len(); return nil })
			if err != nil {
				t.Fatal(err)
			}
		}
		if n != len(strings.Fields(c.want)) {
			t.Errorf("cut %v: Scan gives %d events, want %d", c.cut, n, len(strings.Fields(c.want)))
		}
	}
}

func conformNames(t *testing.T, d Dataset) {
	var rows []Row
	for i := range 30 {
		rows = append(rows, rowAt("u"+strconv.Itoa(i%3), int64(i)*day, []string{"a", "b", "c", "d"}[i%4]))
	}
	mustLoad(t, d, plan("f", 1), rows)
	s := snapshot(t, d)
	for _, names := range [][]string{{"b"}, {"d", "a"}, {"nobody"}, {}} {
		got := 0
		f := model.Filter{Until: model.NoCut, Names: names}
		err := s.Scan(context.Background(), model.Split{To: model.Buckets}, f, func(tl *model.Timeline) error {
			if tl.Len() == 0 {
				return errors.New("a user without an event was handed out")
			}
			for _, n := range tl.Name {
				if !slices.Contains(names, s.Info().Names[n].Name) {
					return fmt.Errorf("%q was let through", s.Info().Names[n].Name)
				}
			}
			got += tl.Len()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for i := range rows {
			if slices.Contains(names, rows[i].Event) {
				want++
			}
		}
		if got != want {
			t.Errorf("names %q: %d events, want %d", names, got, want)
		}
	}
}

// conformTies wants events of one time in order of load, then of row.
func conformTies(t *testing.T, d Dataset) {
	mustLoad(t, d, plan("f", 1), []Row{rowAt("ann", day, "z"), rowAt("ann", day, "a"), rowAt("ann", 0, "m"), rowAt("ann", day, "k")})
	mustLoad(t, d, plan("g", 1), []Row{rowAt("ann", 2*day, "y"), rowAt("ann", day, "b"), rowAt("ann", day, "c")})
	s := snapshot(t, d)
	var got []string
	err := s.Scan(context.Background(), model.Split{To: model.Buckets}, model.Filter{Until: model.NoCut}, func(tl *model.Timeline) error {
		for _, n := range tl.Name {
			got = append(got, s.Info().Names[n].Name)
		}
		return nil
	})
	if want := "m z a k b c y"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("order is %q, %v, want %q", got, err, want)
	}
}

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

func conformUsers(t *testing.T, d Dataset) {
	ids := []string{"a", "a\x00", "a\x00b", "A", "ä", "日本", "a b", strings.Repeat("x", model.MaxUser), "\xff\xfe", "0"}
	var rows []Row
	for i, id := range ids {
		rows = append(rows, rowAt(id, int64(i), "e"))
	}
	mustLoad(t, d, plan("f", 1), rows)
	d.Reopen(t)
	s := snapshot(t, d)
	for i, id := range ids {
		tl, err := s.User(context.Background(), id, model.Filter{Until: model.NoCut})
		if err != nil || tl.ID != id || tl.Len() != 1 || tl.Time[0] != int64(i) || len(tl.IDs) != 1 || tl.IDs[0] != id {
			t.Errorf("user %q comes as %q with %d events: %v", id, tl.ID, tl.Len(), err)
		}
	}
	for _, id := range []string{"", "b", "a\x00\x00", "日", strings.Repeat("x", 100_000)} {
		if _, err := s.User(context.Background(), id, model.Filter{Until: model.NoCut}); !errors.Is(err, model.ErrNoUser) {
			t.Errorf("user %.20q gives %v, want ErrNoUser", id, err)
		}
	}
	if tl, err := s.User(context.Background(), "a", model.Filter{Until: model.NoCut, Names: []string{"other"}}); err != nil || tl.Len() != 0 {
		t.Errorf("a user without such events gives %d and %v, want none and no error", tl.Len(), err)
	}
}

func conformFind(t *testing.T, d Dataset) {
	mustLoad(t, d, plan("f", 1), []Row{rowAt("Anna", 1, "e"), rowAt("anton", 1, "e"), rowAt("Joanna", 1, "e"), rowAt("bob", 1, "e"), rowAt("ÄNNE", 1, "e")})
	mustLoad(t, d, plan("g", 1), []Row{rowAt("Anna", 2, "e"), rowAt("susan", 1, "e")})
	s := snapshot(t, d)
	find := func(text string, most int) (out []string) {
		t.Helper()
		err := s.Find(context.Background(), text, func(id string) bool {
			out = append(out, id)
			return len(out) < most
		})
		if err != nil {
			t.Fatalf("find %q: %v", text, err)
		}
		return out
	}
	got := find("AN", 99)
	if len(got) == 4 {
		slices.Sort(got[:2])
		slices.Sort(got[2:])
	}
	if want := []string{"Anna", "anton", "Joanna", "susan"}; !slices.Equal(got, want) {
		t.Errorf("find AN gives %q, want %q", got, want)
	}
	if got := find("änne", 99); !slices.Equal(got, []string{"ÄNNE"}) {
		t.Errorf("find änne gives %q", got)
	}
	if got := find("nobody", 99); got != nil {
		t.Errorf("find nobody gives %q", got)
	}
	if got := find("", 99); len(got) != 6 {
		t.Errorf("find of nothing gives %q, want all six", got)
	}
	if got := find("an", 1); len(got) != 1 {
		t.Errorf("find went on after it was told to stop: %q", got)
	}
}

func conformCancel(t *testing.T, d Dataset) {
	var rows []Row
	for i := range 20_000 {
		rows = append(rows, rowAt("u"+strconv.Itoa(i%5000), int64(i), "e"))
	}
	mustLoad(t, d, plan("f", 1), rows)
	s := snapshot(t, d)
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err := s.Scan(ctx, model.Split{To: model.Buckets}, model.Filter{Until: model.NoCut}, func(tl *model.Timeline) error {
		n += tl.Len()
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || n > 10_000 {
		t.Errorf("a cancelled scan gives %v after %d events", err, n)
	}
	if _, err := s.User(ctx, "u1", model.Filter{Until: model.NoCut}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled User gives %v", err)
	}
}

func conformCallback(t *testing.T, d Dataset) {
	mustLoad(t, d, plan("f", 1), []Row{rowAt("a", 1, "e"), rowAt("b", 1, "e")})
	s := snapshot(t, d)
	stop := errors.New("enough")
	n := 0
	err := s.Scan(context.Background(), model.Split{To: model.Buckets}, model.Filter{Until: model.NoCut}, func(*model.Timeline) error {
		n++
		return stop
	})
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("an error of the callback gives %v after %d users", err, n)
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

func conformSplits(t *testing.T, d Dataset) {
	var rows []Row
	for i := range 3000 {
		rows = append(rows, rowAt("u"+strconv.Itoa(i%700), int64(i), "e"))
	}
	mustLoad(t, d, plan("f", 1), rows)
	s := snapshot(t, d)
	for _, n := range []int{-1, 0, 1, 2, 3, 7, 1024, 5000} {
		splits := s.Splits(n)
		at, users := 0, map[string]int{}
		last := ""
		bucket := 0
		for _, sp := range splits {
			if sp.From != at || sp.To <= sp.From {
				t.Fatalf("Splits(%d): %v does not follow on %d", n, sp, at)
			}
			at = sp.To
			err := s.Scan(context.Background(), sp, model.Filter{Until: model.NoCut}, func(tl *model.Timeline) error {
				b := model.BucketOf([]byte(tl.ID))
				if b < sp.From || b >= sp.To || b < bucket || b == bucket && tl.ID <= last {
					return fmt.Errorf("%s of bucket %d is out of order in %v", tl.ID, b, sp)
				}
				bucket, last = b, tl.ID
				users[tl.ID]++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if at != model.Buckets || len(users) != 700 || len(splits) > max(n, 1) {
			t.Errorf("Splits(%d): %d ranges up to %d with %d users", n, len(splits), at, len(users))
		}
	}
}

// conformPlain gives a key more values than are numbered, in its second load
// and with repeats on both sides of the limit.
func conformPlain(t *testing.T, d Dataset) {
	value := func(i int) map[string]string {
		return map[string]string{"session": "s" + strconv.Itoa(i), "kind": "k" + strconv.Itoa(i%3)}
	}
	var first, second []Row
	for i := range 50 {
		r := rowAt("u"+strconv.Itoa(i%7), int64(i), "e")
		r.Props = value(i)
		first = append(first, r)
	}
	for i := range model.PlainAbove + 500 {
		r := rowAt("u"+strconv.Itoa(i%400), int64(1000+i), "e")
		r.Props = value(i)
		second = append(second, r)
	}
	for i := range 100 {
		r := rowAt("v", int64(i), "e")
		r.Props = value(i * 700)
		second = append(second, r)
	}
	mustLoad(t, d, plan("f", 1), first)
	if _, err := Load(t, d, plan("g", 1), second, 2); err != nil {
		t.Fatal(err)
	}
	quality(t, "the same rows again", mustLoad(t, d, plan("h", 1), second[model.PlainAbove-2000:]).Quality, 0, 2600, 0, 0)
	d.Reopen(t)
	s := snapshot(t, d)
	if k := s.Info().Key("session"); k == nil || !k.Plain || k.Values != nil {
		t.Fatalf("session is not plain")
	}
	f := model.Filter{Until: model.NoCut, Columns: []string{"session", "kind"}}
	n := 0
	err := s.Scan(context.Background(), model.Split{To: model.Buckets}, f, func(tl *model.Timeline) error {
		for i, ms := range tl.Time {
			at := int(ms)
			switch {
			case tl.ID == "v":
				at *= 700
			case at >= 1000:
				at -= 1000
			}
			want := value(at)
			if got := tl.Props[0].At(s.Info().Key("session"), i); got != want["session"] {
				return fmt.Errorf("%s at %d has session %q, want %q", tl.ID, ms, got, want["session"])
			}
			if got := tl.Props[1].At(s.Info().Key("kind"), i); got != want["kind"] {
				return fmt.Errorf("%s at %d has kind %q, want %q", tl.ID, ms, got, want["kind"])
			}
			n++
		}
		return nil
	})
	if err != nil || n != len(first)+len(second) {
		t.Errorf("%d events of %d: %v", n, len(first)+len(second), err)
	}
}

// conformLongUser gives one user more events than fit anywhere at once.
func conformLongUser(t *testing.T, d Dataset) {
	const n = 70_000
	rows := make([]Row, 0, n+2)
	for i := range n {
		r := rowAt("bot", int64(i%1000)*day+int64(i), "e"+strconv.Itoa(i%3))
		if i%2 == 0 {
			r.Props = map[string]string{"p": strconv.Itoa(i % 11)}
		}
		rows = append(rows, r)
	}
	rows = append(rows, rowAt("bos", 5, "e1"), rowAt("a", 5, "e1"))
	mustLoad(t, d, plan("f", 1), rows)
	mustLoad(t, d, plan("g", 1), []Row{rowAt("bot", 500*day, "extra"), rowAt("bot", 2000*day, "extra")})
	d.Reopen(t)
	s := snapshot(t, d)
	f := model.Filter{Until: model.NoCut, Columns: []string{"p"}}
	own, err := s.User(context.Background(), "bot", f)
	if err != nil || own.Len() != n+2 || !slices.IsSorted(own.Time) {
		t.Fatalf("User gives %d events: %v", own.Len(), err)
	}
	half := model.Filter{Until: model.Cut{At: 500 * day, Day: 499}, Columns: []string{"p"}, Names: []string{"e1"}}
	for _, f := range []model.Filter{f, half} {
		one, err := s.User(context.Background(), "bot", f)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		err = s.Scan(context.Background(), model.Split{To: model.Buckets}, f, func(tl *model.Timeline) error {
			if tl.ID == "bot" {
				found = true
				if Text(s.Info(), f, tl) != Text(s.Info(), f, &one) {
					return errors.New("the long user differs between User and Scan")
				}
			}
			return nil
		})
		if err != nil || !found {
			t.Errorf("found %t: %v", found, err)
		}
	}
}

// conformImpossible counts users with more than 10,000 events on one day.
func conformImpossible(t *testing.T, d Dataset) {
	var rows []Row
	for i := range 10_001 {
		rows = append(rows, rowAt("bot", day+int64(i), "e"), rowAt("busy", int64(i)*day/5000, "e"))
	}
	if got := mustLoad(t, d, plan("f", 1), rows).Quality.Impossible; got != 1 {
		t.Errorf("%d users have an impossible day, want 1", got)
	}
}

// conformRandom loads random rows into the data set and into Memory and compares
// everything that can be read. DWELL_SEED repeats one run.
func conformRandom(t *testing.T, open func(t testing.TB) Dataset) {
	seeds := []uint64{1, 2, 3, 4, 5, 6}
	if s := os.Getenv("DWELL_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds = []uint64{n}
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
	if g.Users != w.Users || g.Events != w.Events || g.First != w.First || g.Last != w.Last || g.Dated != w.Dated || g.Amounts != w.Amounts || g.Version.Ordinal != w.Version.Ordinal {
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
