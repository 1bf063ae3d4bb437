package query

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dwell/model"
)

// memoryOf has one event of each user, with a value of one property.
func memoryOf(t *testing.T, ids, values []string) *model.Memory {
	t.Helper()
	mem := model.NewMemory()
	b := &model.Batch{}
	mail := model.BatchCol{Key: "mail"}
	for i, id := range ids {
		b.Line, b.User, b.Time = append(b.Line, int64(i+1)), append(b.User, []byte(id)), append(b.Time, int64(i+1)*1000)
		b.Event, b.Amount = append(b.Event, []byte("open")), append(b.Amount, model.NoMoney)
		mail.Values = append(mail.Values, []byte(values[i]))
	}
	b.Props = append(b.Props, mail)
	l, err := mem.Begin(context.Background(), model.LoadPlan{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: int64(b.Len())}, []model.SourceInfo{{Path: "rows", Digest: fmt.Sprint(ids), Rows: int64(b.Len())}}); err != nil {
		t.Fatal(err)
	}
	d := model.NewDictionary()
	d.Columns.Searchable = []string{"mail"}
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, d.Format(), ""); err != nil {
		t.Fatal(err)
	}
	return mem
}

// words draws distinct short texts of few letters, so that they often hold one
// another, and differ in case alone.
func words(r *rand.Rand, n int, letters []rune) []string {
	seen := map[string]bool{}
	for len(seen) < n {
		var s []rune
		for range 1 + r.IntN(6) {
			s = append(s, letters[r.IntN(len(letters))])
		}
		seen[string(s)] = true
	}
	out := make([]string, 0, n)
	for s := range seen {
		out = append(out, s)
	}
	slices.Sort(out)
	r.Shuffle(n, func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// The index gives what the data give, in their order, whatever the ids are made
// of, and ends where it is told to.
func TestIDsAreFoundAsInTheData(t *testing.T) {
	ctx := context.Background()
	for seed, letters := range []string{"u0129", "ab1AB", "aBÄäß东İ", "xY\x01.", "ab\x00A"} {
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		ids := words(r, 400, []rune(letters))
		snap, err := memoryOf(t, ids, ids).Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		ix, err := newIDIndex(ctx, snap)
		if err != nil || ix == nil {
			t.Fatalf("no index of %d ids: %v", len(ids), err)
		}
		texts := append(words(r, 60, []rune(letters)), ids[:20]...)
		for _, c := range letters {
			texts = append(texts, string(c))
		}
		for _, text := range texts {
			low := strings.ToLower(text)
			if strings.ContainsRune(low, 0) {
				continue // search asks the data
			}
			stop := r.IntN(40)
			list := func(find func(fn func(id string) bool) error) (got []string) {
				if err := find(func(id string) bool { got = append(got, id); return len(got) != stop }); err != nil {
					t.Fatal(err)
				}
				return got
			}
			want := list(func(fn func(string) bool) error { return snap.Find(ctx, text, fn) })
			starts := 0
			for _, id := range want {
				if strings.HasPrefix(strings.ToLower(id), low) {
					starts++
				}
			}
			passed := -1
			got := list(func(fn func(string) bool) error {
				n := 0
				return ix.find(ctx, low, func() bool { passed = n; return true }, func(id string) bool { n++; return fn(id) })
			})
			if !slices.Equal(got, want) {
				t.Fatalf("%q among %q: %q, in the data %q", text, ids, got, want)
			}
			if passed != starts && !(passed == -1 && len(got) == stop) {
				t.Fatalf("%q: %d ids before the others, want %d", text, passed, starts)
			}
		}
		if few, err := readIDs(ctx, snap, 100); few != nil || err != nil {
			t.Errorf("an index of at most 100 bytes: %v, %v", few, err)
		}
		if err := snap.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Find gives the best of all users, each once, as going through everybody does.
func TestFindIsTheObviousSearch(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 7))
		letters := []rune([]string{"u01A", "abC7"}[seed%2])
		ids, values := words(r, 200, letters), words(r, 200, letters)
		mem := memoryOf(t, ids, values)
		e, err := New(mem, mem, nil, Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		for range 80 {
			text, most := words(r, 1, letters)[0], 1+r.IntN(30)
			text = text[:1+r.IntN(min(3, len(text)))]
			b := bestFound{low: strings.ToLower(text), max: most}
			var want []Found
			for i, id := range ids {
				byID, byValue := Found{id, "id", id}, Found{id, "mail", values[i]}
				lid, lval := strings.ToLower(id), strings.ToLower(values[i])
				switch {
				case strings.HasPrefix(lid, b.low):
					want = append(want, byID)
				case strings.HasPrefix(lval, b.low):
					want = append(want, byValue)
				case strings.Contains(lid, b.low):
					want = append(want, byID)
				case strings.Contains(lval, b.low):
					want = append(want, byValue)
				}
			}
			slices.SortFunc(want, func(x, y Found) int {
				if c := b.grade(&x) - b.grade(&y); c != 0 {
					return c
				}
				if c := natural(x.Has, y.Has); c != 0 {
					return c
				}
				return natural(x.ID, y.ID)
			})
			got, err := e.Find(ctx, text, most)
			if err != nil {
				t.Fatal(err)
			}
			if want = want[:min(most, len(want))]; !slices.Equal(got, want) {
				t.Fatalf("seed %d: the best %d for %q are %v, going through everybody %v", seed, most, text, got, want)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// slowNatural is natural without its way for plain letters.
func slowNatural(a, b string) int {
	x, y := strings.ToLower(a), strings.ToLower(b)
	for x != "" && y != "" {
		dx, dy := digits(x), digits(y)
		if dx > 0 && dy > 0 {
			nx, ny := strings.TrimLeft(x[:dx], "0"), strings.TrimLeft(y[:dy], "0")
			if c := len(nx) - len(ny); c != 0 {
				return c
			}
			if c := strings.Compare(nx, ny); c != 0 {
				return c
			}
			x, y = x[dx:], y[dy:]
			continue
		}
		if x[0] != y[0] {
			return int(x[0]) - int(y[0])
		}
		x, y = x[1:], y[1:]
	}
	if c := len(x) - len(y); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

func TestNaturalHasOneOrder(t *testing.T) {
	sign := func(n int) int { return min(1, max(-1, n)) }
	r := rand.New(rand.NewPCG(1, 9))
	all := words(r, 300, []rune("aA0129ÄäK"))
	for _, a := range all {
		for _, b := range all {
			if got, want := sign(natural(a, b)), sign(slowNatural(a, b)); got != want {
				t.Fatalf("natural(%q, %q) is %d, letter by letter %d", a, b, got, want)
			}
		}
	}
}
