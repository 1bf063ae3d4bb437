package measure

import (
	"math"

	"dwell/model"
)

// An attitudeAcc adds up what acts tell by the dictionary's formula
// (model.Affinity), each halved every half-life. The sum is carried from event
// day to event day, never to a day that was merely looked at, so that it does not
// depend on the days visited.
type attitudeAcc struct {
	*attitude
	h   int
	sum float64
	day model.Day // of the last act
}

// An attitude is the formula made ready for one data version.
type attitude struct {
	f             model.Affinity
	answers       *Answers
	score, rating *property                // of answers; nil: there is no such column
	named         map[model.NameID]float64 // weights of single names
}

func (a *attitudeAcc) reset() { a.h, a.sum, a.day = 0, 0, model.NoDay }

// An Act is one event that tells of a user's attitude.
type Act struct {
	Event  int // in the timeline
	What   string
	Weight float64 // of the formula
	Worth  float64 // Weight, of an answer times where it lies on its scale
}

// acts calls f for what the event at place p tells, part by part.
func (a *attitude) acts(c *Cursor, p int, f func(what string, weight, worth float64)) {
	role, name := c.role[p], c.tl.Name[c.event(p)]
	if w, own := a.named[name]; own {
		if w != 0 {
			f(c.set.schema.Info.Names[name].Name, w, w)
		}
	} else {
		for _, part := range []struct {
			role   model.Role
			what   string
			weight float64
		}{{model.Invite, "invitation", a.f.Invite}, {model.Social, "social act", a.f.Social}, {model.Complaint, "complaint", a.f.Complaint}} {
			if role&part.role != 0 && part.weight != 0 {
				f(part.what, part.weight, part.weight)
			}
		}
	}
	if role&model.Feedback == 0 {
		return
	}
	x, best, ok := a.answers.Read(name, a.text(a.score, c, p), a.text(a.rating, c, p))
	what, weight := "rating", a.f.Rating
	if best == NPSBest {
		what, weight = "answer of 0–10", a.f.NPS
	}
	if ok && weight != 0 {
		f(what, weight, weight*Place(x, best))
	}
}

// text is a property's text at place p, "" without one.
func (a *attitude) text(of *property, c *Cursor, p int) string {
	switch {
	case of == nil:
		return ""
	case of.key.Plain:
		return of.text(c, p)
	}
	return of.key.Values[of.code(c, p)]
}

func (a *attitudeAcc) value(c *Cursor) (float64, bool) {
	for ; a.h < c.n; a.h++ {
		worth, told := 0.0, false
		a.acts(c, a.h, func(_ string, _, w float64) { worth, told = worth+w, true })
		if told {
			if a.day != model.NoDay {
				a.sum *= a.faded(c.days[a.h] - a.day)
			}
			a.sum += worth
			a.day = c.days[a.h]
		}
	}
	if a.day == model.NoDay {
		return 0, false
	}
	return a.sum * a.faded(c.day-a.day), true
}

// drift: it fades a little every day, and not along a line.
func (a *attitudeAcc) drift(c *Cursor) (model.Day, float64) {
	if a.day == model.NoDay || a.sum == 0 {
		return Never, 0
	}
	return c.day + 1, 0
}

func (a *attitude) faded(days model.Day) float64 { return math.Exp2(-float64(days) / a.f.HalfLife) }

func buildAttitude(s *Set, _ Ref) (maker, error) {
	a := &attitude{f: s.schema.affinity(), answers: s.schema.Answers(), named: map[model.NameID]float64{}}
	if k := a.answers.Score; k != nil {
		p := s.property(k.Name)
		a.score = &p
	}
	if k := a.answers.Rating; k != nil {
		p := s.property(k.Name)
		a.rating = &p
	}
	for name, w := range a.f.Events {
		if i := s.schema.Info.NameIndex(name); i >= 0 {
			a.named[model.NameID(i)] = w
		}
	}
	return func(*Cursor) acc { return &attitudeAcc{attitude: a, day: model.NoDay} }, nil
}

// affinity is the dictionary's formula, the program's own without a dictionary.
func (s *Schema) affinity() model.Affinity {
	if s.Dict == nil {
		return model.DefaultAffinity()
	}
	return s.Dict.Affinity
}

// Attitude lists the acts up to the cursor's day that made the value of slot i,
// which is the measure attitude, in the order of days. It allocates.
func (c *Cursor) Attitude(i int) (out []Act) {
	a, ok := c.accs[i].(*attitudeAcc)
	if !ok {
		return nil
	}
	for p := range c.n {
		a.acts(c, p, func(what string, weight, worth float64) {
			out = append(out, Act{Event: c.event(p), What: what, Weight: weight, Worth: worth})
		})
	}
	return out
}

// Define is a family's definition over these data: of attitude, and of the
// axis that ranks it, with the weights that the dictionary declares.
func (s *Schema) Define(f Family) string {
	formula := s.affinity()
	switch f.Name {
	case "attitude":
	case "affinity_score":
		return f.Definition + " Attitude is " + formula.Formula() + "."
	default:
		return f.Definition
	}
	return "What acts tell of the user's attitude: " + formula.Formula() + "; missing without such an event. The weights stand under [affinity] in the dictionary and are yours to change."
}
