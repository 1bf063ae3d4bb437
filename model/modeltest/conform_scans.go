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
