package sample

import "dwell/model"

// A Phase of a person's life as the generator drew it. The words are its own,
// not the stages of any model: what a model calls a stage is to be compared
// with them, not read from them.
type Phase string

const (
	Curious Phase = "curious" // knows the product, has not signed up
	Trying  Phase = "trying"  // signed up, has not made it a habit
	Settled Phase = "settled" // uses it at the person's own rate
	Devoted Phase = "devoted" // uses it more than that
	Fading  Phase = "fading"  // the rate falls day by day
	Away    Phase = "away"    // alive and silent: travels, or comes for a season
	Gone    Phase = "gone"    // dead: nothing follows, ever
)

// A Stretch is the time [From, To) spent in a phase, ms since 1970 UTC.
type Stretch struct {
	Phase    Phase
	From, To int64
}

// A Person is what the generator knows of one person and the file does not say.
type Person struct {
	ID      string   // under which the person acts
	IDs     []string // with the anonymous id of the time before sign-up, if there was one
	Phases  []Stretch
	Death   int64 // ms of the moment after which nothing happens; 0: alive at the end
	Signup  int64 // ms; 0: never
	Rate    float64
	Taste   float64 // how well the product suits the person, standard normal before channel and arm
	Season  bool    // comes for some months of the year only
	Arm     string
	Channel string
	Inviter string
	Devices []string
}

// Truth is what tests may know and analyses may not.
type Truth struct {
	Seed     uint64
	From, To int64 // the data's range [From, To), ms
	People   []Person

	DoubleDay  model.Day // DoubleName fired twice for those on the web that day
	DoubleName string
	LostKey    string       // the property that app events did not carry …
	LostDays   [2]model.Day // … from the first of these days up to, without, the second
}

// PhaseAt is the phase a person is in at an instant, "" before the first contact.
func (p *Person) PhaseAt(ms int64) Phase {
	for _, s := range p.Phases {
		if s.From <= ms && ms < s.To {
			return s.Phase
		}
	}
	return ""
}
