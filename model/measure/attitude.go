package measure

import (
	"math"

	"dwell/model"
)

// attitudeHalf is after how many days an act counts half: a quarter of a year.
const attitudeHalf = 90

// attitudeWeights are what acts tell of a user's attitude. An answer counts from
// −1, the worst of its scale, to 1, the best.
const (
	inviteWeight    = 2.0
	socialWeight    = 1.0
	complaintWeight = -2.0
)

// An attitudeAcc adds up what acts tell, each halved every attitudeHalf days. The
// sum is carried from event day to event day, never to a day that was merely
// looked at, so that it does not depend on the days visited.
type attitudeAcc struct {
	score *property // of answers; nil: there is no such column
	most  float64   // of the answers' scale

	h   int
	sum float64
	day model.Day // of the last act
}

func (a *attitudeAcc) reset() { a.h, a.sum, a.day = 0, 0, model.NoDay }

// weight is what the event at place p tells; ok is false if nothing.
func (a *attitudeAcc) weight(c *Cursor, p int) (w float64, ok bool) {
	role := c.role[p]
	if role&model.Invite != 0 {
		w, ok = w+inviteWeight, true
	}
	if role&model.Social != 0 {
		w, ok = w+socialWeight, true
	}
	if role&model.Complaint != 0 {
		w, ok = w+complaintWeight, true
	}
	if role&model.Feedback != 0 && a.score != nil {
		if x, num := ParseNumber(a.said(c, p)); num && x >= 0 && x <= a.most {
			least := 0.0
			if a.most == ratingMost {
				least = 1
			}
			w, ok = w+math.Max(-1, 2*(x-least)/(a.most-least)-1), true
		}
	}
	return w, ok
}

func (a *attitudeAcc) value(c *Cursor) (float64, bool) {
	for ; a.h < c.n; a.h++ {
		if w, ok := a.weight(c, a.h); ok {
			if a.day != model.NoDay {
				a.sum *= faded(c.days[a.h] - a.day)
			}
			a.sum += w
			a.day = c.days[a.h]
		}
	}
	if a.day == model.NoDay {
		return 0, false
	}
	return a.sum * faded(c.day-a.day), true
}

// drift: it fades a little every day, and not along a line.
func (a *attitudeAcc) drift(c *Cursor) (model.Day, float64) {
	if a.day == model.NoDay || a.sum == 0 {
		return Never, 0
	}
	return c.day + 1, 0
}

func faded(days model.Day) float64 { return math.Exp2(-float64(days) / attitudeHalf) }

// ratingMost is the best of a rating's scale, 1 to 5; answers beyond it are on
// the scale of NPS, 0 to 10.
const ratingMost = 5

// ScoreMost is the best of the scale of a score column: 5 where no value is
// greater, else 10.
func ScoreMost(k *model.KeyInfo) float64 {
	if k.Plain {
		return 10
	}
	for _, v := range k.Values {
		if x, ok := ParseNumber(v); ok && x > ratingMost {
			return 10
		}
	}
	return ratingMost
}

func buildAttitude(s *Set, _ Ref) (maker, error) {
	var score *property
	most := 10.0
	if col := s.schema.Dict.Columns.Score; col != "" && s.schema.Info.Key(col) != nil {
		p := s.property(col)
		score, most = &p, ScoreMost(s.schema.Info.Key(col))
	}
	return func(*Cursor) acc { return &attitudeAcc{score: score, most: most} }, nil
}

// said is the answer's text at place p.
func (a *attitudeAcc) said(c *Cursor, p int) string {
	if a.score.key.Plain {
		return a.score.text(c, p)
	}
	return a.score.key.Values[a.score.code(c, p)]
}
