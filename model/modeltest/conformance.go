// Package modeltest holds what tests of several rooms need: rows written down
// by hand, loaded and dumped, and the conformance suite that every
// implementation of the ports passes.
//
//	modeltest.Conformance(t, modeltest.InMemory)
package modeltest

import (
	"context"
	"errors"
	"fmt"
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
//
// The random runs use the seeds given, or a fixed few.
func Conformance(t *testing.T, open func(t testing.TB) Dataset, seeds ...uint64) {
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
		{"Pieces", conformPieces},
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
	t.Run("Random", func(t *testing.T) { conformRandom(t, open, seeds) })
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
	nameless := model.Filter{Until: model.NoCut, Amounts: true, NoNames: true}
	n := 0
	err = s.Scan(context.Background(), model.Split{To: model.Buckets}, nameless, func(tl *model.Timeline) error {
		n += len(tl.Time)
		if tl.Name != nil || len(tl.Amount) != len(tl.Time) {
			return fmt.Errorf("%s has names nobody asked for, or no amounts", tl.ID)
		}
		return nil
	})
	if err != nil || n != 3 {
		t.Errorf("without names: %d events, %v", n, err)
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
