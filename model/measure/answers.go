package measure

import (
	"slices"
	"strings"
	"unicode"

	"dwell/model"
)

// Answers tells what the feedback events of a data set answer: in which property
// and on which scale. A scale ends at its best answer: 10 is that of NPS, from 0;
// others are ratings, mostly 5, from 1.
//
// In the dictionary's rating column an answer is a rating. In its score column it
// is on the scale that the dictionary's answers give the event; else of 5 where no
// value of the column is greater; else, where several feedback events share the
// column, of 5 for those whose name speaks of ratings (stars, review); else of 10.
type Answers struct {
	Score, Rating *model.KeyInfo // nil where the data have no such column

	score  []float64 // best of the score column, by event name
	rating float64
}

// Answers resolves the dictionary against the data version.
func (s *Schema) Answers() *Answers {
	a := &Answers{}
	if s.Dict == nil {
		return a
	}
	key := func(name string) *model.KeyInfo {
		if name == "" {
			return nil
		}
		return s.Info.Key(name)
	}
	a.Score, a.Rating = key(s.Dict.Columns.Score), key(s.Dict.Columns.Rating)
	if a.Rating != nil {
		a.rating = scoreMost(a.Rating)
	}
	if a.Score == nil {
		return a
	}
	several := 0
	for i := range s.Info.Names {
		if s.Roles.Name(model.NameID(i))&model.Feedback != 0 {
			several++
		}
	}
	most := scoreMost(a.Score)
	a.score = make([]float64, len(s.Info.Names))
	for i, n := range s.Info.Names {
		a.score[i] = most
		if several > 1 && speaksOfRatings(n.Name) {
			a.score[i] = ratingMost
		}
		if best := s.Dict.Answers[n.Name]; best > 0 {
			a.score[i] = best
		}
	}
	return a
}

// Columns are the properties that answers stand in.
func (a *Answers) Columns() (out []string) {
	for _, k := range []*model.KeyInfo{a.Score, a.Rating} {
		if k != nil && !slices.Contains(out, k.Name) {
			out = append(out, k.Name)
		}
	}
	return out
}

// Read is the answer of a feedback event from the texts of its score and rating
// columns, and the best of its scale; ok is false where there is no answer, or one
// beyond its scale.
func (a *Answers) Read(name model.NameID, score, rating string) (x, best float64, ok bool) {
	if rating != "" && a.Rating != nil {
		if x, num := ParseNumber(rating); num && x >= model.Worst(a.rating) && x <= a.rating {
			return x, a.rating, true
		}
	}
	if score == "" || a.Score == nil {
		return 0, 0, false
	}
	best = a.score[name]
	x, num := ParseNumber(score)
	return x, best, num && x >= model.Worst(best) && x <= best
}

// Scales are the best answers of the scales that a feedback event may answer on,
// by its columns.
func (a *Answers) Scales(name model.NameID) (out []float64) {
	if a.Rating != nil {
		out = append(out, a.rating)
	}
	if a.Score != nil {
		out = append(out, a.score[name])
	}
	return out
}

// Place is where an answer lies on its scale, from −1, the worst, to 1.
func Place(x, best float64) float64 {
	least := model.Worst(best)
	return max(-1, 2*(x-least)/(best-least)-1)
}

// NPSBest is the best answer of the scale of NPS.
const NPSBest = 10

// ratingMost is the best of a rating's scale, 1 to 5; answers beyond it are on
// the scale of NPS, 0 to 10.
const ratingMost = 5

// scoreMost is the best of the scale of a column: 5 where no value is greater,
// 100 where most of the different values lie beyond 10, else 10.
func scoreMost(k *model.KeyInfo) float64 {
	if k.Plain {
		return NPSBest
	}
	most, numbers, beyond := 0.0, 0, 0
	for _, v := range k.Values {
		if x, ok := ParseNumber(v); ok {
			most = max(most, x)
			numbers++
			if x > NPSBest {
				beyond++
			}
		}
	}
	switch {
	case most <= ratingMost:
		return ratingMost
	case 2*beyond > numbers:
		return 100
	}
	return NPSBest
}

// speaksOfRatings says whether an event's name has a word of ratings and none of NPS.
func speaksOfRatings(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) })
	has := func(list ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	return has("rating", "ratings", "rated", "rate", "star", "stars", "review", "reviewed", "csat") && !has("nps", "promoter", "recommend")
}
