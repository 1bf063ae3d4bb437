package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/funnel"
)

// An attribution says which value of a property a try is counted under.
type attribution uint8

const (
	byFirst attribution = iota // the first value that a step of the try has
	byLast                     // the last
	byStep                     // that of one step
	byAll                      // one funnel for each value, of the events that have it
)

// A breakdown divides a funnel by the values of a property. Its rows are fixed
// before the scan: the values with the most users among the steps' events, then
// the rest and who has none.
type breakdown struct {
	info *model.KeyInfo
	col  int // among the plan's columns
	how  attribution
	step int // of byStep, from 0

	rows []breakRow
	row  []int32 // of each value; row[0] of no value
	away int     // row of users who have not reached the step of byStep; −1
}

type breakRow struct{ key, label string }

// newBreakdown chooses the values by a pass of its own, where there are more than
// can be shown.
func (p *funnelPlan) newBreakdown() (*breakdown, error) {
	r := p.r
	b := &breakdown{away: -1}
	var err error
	if b.col, err = r.column(r.Str("breakdown"), &p.needs); err != nil {
		return nil, err
	}
	if b.info = r.Info.Key(r.Str("breakdown")); b.info.Plain {
		return nil, fmt.Errorf("%s has more values than can be told apart: it names things, it does not divide users", b.info.Name)
	}
	switch word := r.Str("attribution"); word {
	case "first":
	case "last":
		b.how = byLast
	case "all":
		b.how = byAll
	default:
		n, err := strconv.Atoi(strings.TrimPrefix(word, "step-"))
		if err != nil || n > len(p.steps) {
			return nil, fmt.Errorf("attribution=%s: the funnel has %d steps", word, len(p.steps))
		}
		b.how, b.step = byStep, n-1
	}
	values := len(b.info.Values) - 1
	users := make([]int64, values+1)
	if top := r.Int("top"); values > top {
		if users, err = p.usersOfValues(b); err != nil {
			return nil, err
		}
	}
	order := make([]int, values)
	for i := range order {
		order[i] = i + 1
	}
	sortBy(order, func(v int) (int64, string) { return -users[v], b.info.Values[v] })
	b.row = make([]int32, values+1)
	add := func(key, label string) int {
		b.rows = append(b.rows, breakRow{key, label})
		return len(b.rows) - 1
	}
	for i, v := range order {
		if i < r.Int("top") {
			b.row[v] = int32(add("value."+b.info.Values[v], b.info.Values[v]))
		}
	}
	if values > r.Int("top") {
		rest := int32(add("other", "(other values)"))
		for _, v := range order[r.Int("top"):] {
			b.row[v] = rest
		}
	}
	b.row[0] = int32(add("none", "(no value)"))
	if b.how == byStep && b.step > 0 {
		b.away = add("unreached", fmt.Sprintf("(not at step %d)", b.step+1))
	}
	return b, nil
}

// usersOfValues counts the users of each value among the events of steps.
func (p *funnelPlan) usersOfValues(b *breakdown) ([]int64, error) {
	total := make([]int64, len(b.info.Values))
	type tally struct {
		n    []int64
		last []int32 // the person who was counted last, so that each counts once
		who  int32
	}
	err := Scan(p.r, Needs{Names: p.names(), Columns: p.needs.Columns, Amounts: p.needs.Amounts},
		func() *tally { return &tally{n: make([]int64, len(total)), last: make([]int32, len(total))} },
		func(t *tally, u *Person) error {
			t.who++
			codes := u.TL.Props[b.col].Codes
			for i := range u.Days {
				if codes == nil || codes[i] == 0 || t.last[codes[i]] == t.who || p.bits(u.TL, i) == 0 {
					continue
				}
				t.last[codes[i]] = t.who
				t.n[codes[i]]++
			}
			return nil
		},
		func(t *tally) error {
			for v, n := range t.n {
				total[v] += n
			}
			return nil
		})
	return total, err
}

// rowOf is the row of a try, for attributions that look at one value of it.
func (b *breakdown) rowOf(u *Person, res *funnel.Result, src []int32) int {
	codes := u.TL.Props[b.col].Codes
	at := func(k int) uint32 {
		if codes == nil {
			return 0
		}
		return codes[src[res.At[k]]]
	}
	switch b.how {
	case byStep:
		if res.Depth <= b.step {
			return b.away
		}
		return int(b.row[at(b.step)])
	case byLast:
		for k := res.Depth - 1; k >= 0; k-- {
			if v := at(k); v != 0 {
				return int(b.row[v])
			}
		}
	default:
		for k := range res.Depth {
			if v := at(k); v != 0 {
				return int(b.row[v])
			}
		}
	}
	return int(b.row[0])
}

// present are the values on a user's events, ascending: with byAll each makes a
// funnel of its own.
func (b *breakdown) present(codes []uint32, used []int32) (out []uint32) {
	for _, i := range used {
		if v := codes[i]; !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}
