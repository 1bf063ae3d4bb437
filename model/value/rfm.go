package value

import (
	"errors"
	"slices"

	"dwell/model"
)

// ErrNobody says that there is nobody to score.
var ErrNobody = errors.New("nobody bought in the window: there is nobody to score")

// An RFM holds one user's three numbers as of a day.
type RFM struct {
	DaysSince int32       // recency: days since the last purchase, fewer is better
	Frequency int32       // buying days, or orders; the caller says which
	Monetary  model.Money // sum, or mean; the caller says which
}

// A Code is the three scores, each from 1 to 5, 5 best: recency, frequency,
// monetary.
type Code [3]uint8

// String is the code as three digits, 555 the best.
func (c Code) String() string { return string([]byte{'0' + c[0], '0' + c[1], '0' + c[2]}) }

// Index numbers the codes from 0 (111) to 124 (555).
func (c Code) Index() int { return 25*int(c[0]-1) + 5*int(c[1]-1) + int(c[2]-1) }

// CodeAt is the code with this index.
func CodeAt(i int) Code { return Code{uint8(i/25) + 1, uint8(i/5%5) + 1, uint8(i%5) + 1} }

// A Scale scores by quintiles of the users it was made from.
//
// The cut points are the 20, 40, 60 and 80 % quantiles (type 7 of Hyndman and
// Fan) and a score is 1 plus the number of cuts strictly below the value, recency
// turned around. So equal values have equal scores; where many agree, a score is
// left out (if over 40 % bought once, frequency has no 2), which Used shows;
// where all agree, there is one score: 1, of recency 5. Users who spent nothing
// or got more back than they paid are scored like the others, from below.
//
// The comparison needs no interpolation: between the two order statistics that a
// quantile lies between there is no user, so a user is above the cut if and only
// if he is above the lower of them.
type Scale struct {
	Users int
	// Cuts are the lower order statistics, at 20, 40, 60 and 80 %.
	Days, Frequency [4]int32
	Monetary        [4]model.Money
	used            [3][5]int
}

// NewScale makes the scale of users with at least one purchase. users is not
// changed. It fails with ErrNobody.
func NewScale(users []RFM) (*Scale, error) {
	if len(users) == 0 {
		return nil, ErrNobody
	}
	s := &Scale{Users: len(users)}
	ints, money := make([]int32, len(users)), make([]model.Money, len(users))
	at := func(k int) int { return k * (len(users) - 1) / 5 }
	for i, u := range users {
		ints[i], money[i] = u.DaysSince, u.Monetary
	}
	slices.Sort(ints)
	slices.Sort(money)
	for k := range 4 {
		s.Days[k], s.Monetary[k] = ints[at(k+1)], money[at(k+1)]
	}
	for i, u := range users {
		ints[i] = u.Frequency
	}
	slices.Sort(ints)
	for k := range 4 {
		s.Frequency[k] = ints[at(k+1)]
	}
	for _, u := range users {
		for d, x := range s.Score(u) {
			s.used[d][x-1]++
		}
	}
	return s, nil
}

// Score is a user's code. A user who was not there when the scale was made is
// scored by its cuts (as for moves between two dates under one scale).
func (s *Scale) Score(u RFM) Code {
	c := Code{5, 1, 1}
	for k := range 4 {
		if u.DaysSince > s.Days[k] {
			c[0]--
		}
		if u.Frequency > s.Frequency[k] {
			c[1]++
		}
		if u.Monetary > s.Monetary[k] {
			c[2]++
		}
	}
	return c
}

// Used is how many users have each score from 1 to 5 of a dimension (0 recency,
// 1 frequency, 2 monetary); 0 marks a score left out.
func (s *Scale) Used(dimension int) [5]int { return s.used[dimension] }

// Scores is how many different scores a dimension has.
func (s *Scale) Scores(dimension int) (n int) {
	for _, users := range s.used[dimension] {
		if users > 0 {
			n++
		}
	}
	return n
}
