package query

import (
	"context"
	"strings"

	"dwell/model"
)

// An idIndex holds the ids of all users, letter case folded, in one run of
// bytes, so that each key somebody types is one pass over memory, of a few
// milliseconds for a million users, and a user found costs no allocation. It
// takes the ids' length and five bytes for each user, twice where some id has
// capitals.
type idIndex struct {
	lower string   // \x00id\x00id … \x00
	at    []uint32 // where each starts in lower, and where one more would

	exact   string // the ids as written, one after the other; "" if none differs
	exactAt []uint32
}

// maxIDBytes bounds an idIndex; more ids than that are read again from the data
// for every search.
const maxIDBytes = 256 << 20

// newIDIndex reads all ids; nil without an error if they are too many.
func newIDIndex(ctx context.Context, snap model.Snapshot) (*idIndex, error) {
	ix, err := readIDs(ctx, snap, maxIDBytes)
	if ix == nil || err != nil {
		return nil, err
	}
	return ix, ctx.Err()
}

func readIDs(ctx context.Context, snap model.Snapshot, most int) (*idIndex, error) {
	users := int(snap.Info().Users)
	ix := &idIndex{at: make([]uint32, 0, users+1)}
	var lower, exact strings.Builder
	differ, fits := false, true
	err := snap.Find(ctx, "", func(id string) bool {
		low := strings.ToLower(id)
		if fits = lower.Len()+len(low)+2 <= most && exact.Len()+len(id) <= most; !fits {
			return false
		}
		if low != id && !differ { // the first that differs: those before it are as written
			differ = true
			ix.exactAt = make([]uint32, 0, users+1)
			for i, from := range ix.at {
				to := lower.Len()
				if i+1 < len(ix.at) {
					to = int(ix.at[i+1]) - 1
				}
				ix.exactAt = append(ix.exactAt, uint32(exact.Len()))
				exact.WriteString(lower.String()[from:to])
			}
		}
		if differ {
			ix.exactAt = append(ix.exactAt, uint32(exact.Len()))
			exact.WriteString(id)
		}
		lower.WriteByte(0)
		ix.at = append(ix.at, uint32(lower.Len()))
		lower.WriteString(low)
		return true
	})
	if err != nil || !fits {
		return nil, err
	}
	lower.WriteByte(0)
	ix.lower, ix.exact = lower.String(), exact.String()
	ix.at = append(ix.at, uint32(len(ix.lower)))
	if differ {
		ix.exactAt = append(ix.exactAt, uint32(len(ix.exact)))
	}
	return ix, nil
}

// id is user i as written.
func (ix *idIndex) id(i int) string {
	if ix.exactAt != nil {
		return ix.exact[ix.exactAt[i]:ix.exactAt[i+1]]
	}
	return ix.lower[ix.at[i] : ix.at[i+1]-1]
}

// from is the first user at or after i whose bytes end behind pos: there are
// many hits close together, or few far apart, so it looks in growing steps.
func (ix *idIndex) from(i, pos int) int {
	step := 1
	for i+step < len(ix.at)-1 && int(ix.at[i+step]) <= pos {
		i += step
		step *= 2
	}
	for ; step > 0; step /= 2 {
		if i+step < len(ix.at)-1 && int(ix.at[i+step]) <= pos {
			i += step
		}
	}
	return i
}

// find calls fn with the ids that hold low, which is folded and holds no zero
// byte, in the order of the data: those that start with it first, then, after
// between has been called, the others. False of either ends it.
func (ix *idIndex) find(ctx context.Context, low string, between func() bool, fn func(id string) bool) error {
	const ask = 1 << 12
	var inside []int32
	for i, pos, n := 0, 0, 0; ; n++ {
		if n%ask == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		hit := strings.Index(ix.lower[pos:], low)
		if hit < 0 || pos+hit >= len(ix.lower)-1 {
			break
		}
		pos += hit
		i = ix.from(i, pos)
		if pos == int(ix.at[i]) {
			if !fn(ix.id(i)) {
				return nil
			}
		} else {
			inside = append(inside, int32(i))
		}
		if pos = int(ix.at[i+1]); i+1 == len(ix.at)-1 {
			break
		}
	}
	if !between() {
		return nil
	}
	for n, i := range inside {
		if n%ask == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !fn(ix.id(int(i))) {
			return nil
		}
	}
	return nil
}
