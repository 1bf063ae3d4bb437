package store

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"dwell/model"
)

// judgement is n different rows of one user and time before an equality: each is known
// already, by stored rows or hidden ones, or stands in the load a second time, or is new.
type judgement struct {
	c    *commit
	e    equality
	rows []packedRow
	old  []oldRow
}

func newJudgement(n int, piece bool) *judgement {
	j := &judgement{c: &commit{l: &loader{names: newNumbering(), keys: newNumbering()}, own: miss, keepEqual: []bool{false}, whole: []uint32{0}}}
	j.c.l.names.list = []string{"seen"}
	j.c.l.keys.list = []string{"row"}
	if j.c.piece = piece; piece {
		j.c.own = 1
	}
	j.e.reset()
	tail := func(dst []byte, i int) []byte {
		dst = binary.AppendUvarint(appendTailHead(dst, 0, false, model.NoMoney), 1)
		return appendTailPlain(dst, 0, fmt.Sprint("value ", i))
	}
	add := func(i int) {
		from := len(j.e.raw)
		j.e.raw = tail(j.e.raw, i)
		j.rows = append(j.rows, packedRow{num: int64(len(j.rows)), at: tailAt(from, len(j.e.raw)-from)})
	}
	for i := range n {
		add(i)
		switch i % 4 {
		case 0:
			from := len(j.e.arena)
			j.e.arena = tail(j.e.arena, i)
			j.old = append(j.old, oldRow{at: tailAt(from, len(j.e.arena)-from)})
		case 1:
			if piece {
				hash := j.e.contentHash(j.c, j.rows[len(j.rows)-1].tail(j.e.raw))
				j.e.hidden["u"] = append(j.e.hidden["u"], hiddenRow{user: "u", hash: hash, count: 1})
			}
		case 2:
			add(i)
		}
	}
	slices.SortFunc(j.e.hidden["u"], orderHidden)
	return j
}

// Rows of one user and time, however many and different, are judged in steps in
// proportion to their number.
func TestJudgingTakesStepsInProportion(t *testing.T) {
	for _, piece := range []bool{false, true} {
		for _, n := range []int{100, 10_000, 80_000} {
			j := newJudgement(n, piece)
			drop := make([]bool, len(j.rows))
			j.e.group(j.c, "u", j.rows, j.old, drop)
			if most := int64(4 * (len(j.rows) + len(j.old))); j.e.occ.steps > most {
				t.Errorf("%d rows beside %d stored ones (piece %v) take %d steps: at most %d", len(j.rows), len(j.old), piece, j.e.occ.steps, most)
			}
			dropped := 0
			for _, d := range drop {
				if d {
					dropped++
				}
			}
			if q := j.e.quality; dropped != n/4 || q.already != int64(n/4) {
				t.Errorf("%d rows (piece %v): %d are dropped, %d already there, %d equal", n, piece, dropped, q.already, q.equal)
			}
		}
	}
}

// A table that has held a large group gives its memory back at the next small one.
func TestContentsShrink(t *testing.T) {
	var c contents
	c.reset(keptContents * 10)
	c.reset(3)
	if cap(c.slots) > keptContents {
		t.Errorf("%d slots are kept", cap(c.slots))
	}
}
