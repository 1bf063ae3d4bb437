package store

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A bucket read back, partly from the spill file, is what the workers wrote of it, in
// order of user, time and row, however rows were divided among them; and so is the
// next one, read into the same arrays.
func TestBucketRowsAreWhatWasWritten(t *testing.T) {
	type row struct {
		user      string
		time, num int64
		tail      string
		source    uint32
	}
	r := rand.New(rand.NewPCG(9, 9))
	var b bucketRows
	for round, users := range []int{3000, 1, 700, 20} { // the table of ids grows beyond 256
		l := &loader{}
		for i := range 1 + round {
			l.workers = append(l.workers, &loadWorker{ordinal: i})
		}
		const bucket = 5
		var want []row
		dir, at := t.TempDir(), int64(1e12)
		for block := range 60 {
			w := l.workers[r.IntN(len(l.workers))]
			for range 200 {
				at += int64(r.IntN(1000))
				x := row{user: fmt.Sprintf("%.*s%d", r.IntN(12), "same beginning", r.IntN(users)), time: at, num: int64(len(want)), tail: fmt.Sprint("tail", r.IntN(99)), source: uint32(r.IntN(2))}
				if r.IntN(20) == 0 {
					x.time -= r.Int64N(1e10) // late, by more than fits into four bytes
				}
				w.bufs[bucket].add([]byte(x.user), x.time, x.num, x.source, []byte(x.tail))
				want = append(want, x)
			}
			if block%7 == 6 {
				if err := l.spill.write(dir, w.ordinal, &w.bufs); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := b.read(l, bucket); err != nil {
			t.Fatal(err)
		}
		l.spill.remove()
		slices.SortFunc(want, func(a, b row) int {
			return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.time, b.time), cmp.Compare(a.num, b.num))
		})
		var got []row
		for u, id := range b.users {
			for _, x := range b.rows[b.from[u]:b.from[u+1]] {
				got = append(got, row{id, x.time, x.num, string(x.tail(b.raw)), x.source})
			}
			if p, ok := b.place([]byte(id)); !ok || p != u || b.isOld(id) {
				t.Fatalf("round %d: user %q is at %d, %v, want %d", round, id, p, ok, u)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("round %d: %d rows came back otherwise than the %d written", round, len(got), len(want))
		}
		if _, ok := b.place([]byte("nobody")); ok {
			t.Error("a user who was not written is found")
		}
	}
}
