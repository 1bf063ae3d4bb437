package modeltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"dwell/model"
)

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
