package sample

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	msHour = int64(3_600_000)
	msDay  = 24 * msHour
)

// A life is one person while being drawn.
type life struct {
	Person
	rng     *rand.Rand
	born    int64 // first contact
	country int
	touches int // contacts before sign-up
	plan    int // into plans; -1: free
	shares  []float64
	theme   int
	buys    float64 // purchases a session
	email   string
	active  int64 // moment of activation; 0: never
}

// live draws the phases of a life from its latent numbers: how well the product
// suits the person (taste), the rate of use, and waiting times to the next turn
// that depend on taste. No count of anything the person does enters, so no rule
// about counts can be read back from it.
//
// Hazards a day, with z the taste including channel and arm:
//
//	settled  → devoted 1/110·exp(0.4z)  fading 1/120·exp(−0.6z)  away 1/330  gone 1/300·exp(−0.5z)
//	devoted  → fading  1/220·exp(−0.4z) away 1/600
//	fading   lasts 18–70 days, then settled (one in five) or gone
//	away     lasts 45 days and an exponential 60, then settled
func (l *life) live(end int64) {
	z := l.Taste
	at := l.born
	if l.Signup == 0 {
		l.Death = l.born + int64(l.rng.ExpFloat64()*6*float64(msDay))
		l.stretch(Curious, at, l.Death)
		l.finish(end)
		return
	}
	if l.Signup > at {
		l.stretch(Curious, at, l.Signup)
	}
	at = l.Signup
	trying := days(3 + 9*(l.rng.ExpFloat64()+l.rng.ExpFloat64())/2)
	keep := -1.5 + 0.8*z
	if l.chance(logistic(0.5 + 0.9*z)) {
		l.active = at + min(days(2*l.rng.ExpFloat64())+int64(l.rng.IntN(40)+3)*60_000, trying-60_000)
		keep = 0.75 + 0.8*z
	}
	l.stretch(Trying, at, at+trying)
	at += trying
	phase := Settled
	if !l.chance(logistic(keep)) {
		phase = Gone
	}
	for at < end && phase != Gone {
		from := at
		next := phase
		switch phase {
		case Settled:
			up, down := math.Exp(0.4*z)/110, math.Exp(-0.6*z)/120
			leave, drop := 1.0/330, math.Exp(-0.5*z)/300
			if l.plan >= 0 {
				leave = 0 // who pays stays or cancels
			}
			sum := up + down + leave + drop
			at += days(l.rng.ExpFloat64() / sum)
			switch u := l.rng.Float64() * sum; {
			case u < up:
				next = Devoted
			case u < up+down:
				next = Fading
			case u < up+down+leave:
				next = Away
			default:
				next = Gone
			}
		case Devoted:
			down, leave := math.Exp(-0.4*z)/220, 1.0/600
			if l.plan >= 0 {
				leave = 0
			}
			at += days(l.rng.ExpFloat64() / (down + leave))
			next = Fading
			if l.rng.Float64()*(down+leave) > down {
				next = Away
			}
		case Fading:
			at += days(18 + 52*l.rng.Float64())
			next = Gone
			if l.chance(0.2) {
				next = Settled
			}
		case Away:
			at += days(45 + 60*l.rng.ExpFloat64())
			next = Settled
		}
		l.stretch(phase, from, at)
		phase = next
	}
	if phase == Gone && at < end {
		l.Death = at
	}
	if l.Season {
		l.seasons()
	}
	l.finish(end)
}

// seasons turns the settled and devoted time outside January to March and
// September, October into away.
func (l *life) seasons() {
	var out []Stretch
	for _, s := range l.Phases {
		if s.Phase != Settled && s.Phase != Devoted {
			out = append(out, s)
			continue
		}
		for at := s.From; at < s.To; {
			to, in := seasonEdge(at)
			to = min(to, s.To)
			p := Away
			if in {
				p = s.Phase
			}
			if n := len(out); n > 0 && out[n-1].Phase == p {
				out[n-1].To = to
			} else {
				out = append(out, Stretch{p, at, to})
			}
			at = to
		}
	}
	l.Phases = out
}

// finish cuts the phases at the end of the data and adds the time after death.
func (l *life) finish(end int64) {
	if l.Death >= end {
		l.Death = 0
	}
	l.Phases = slices.DeleteFunc(l.Phases, func(s Stretch) bool { return s.From >= end })
	if n := len(l.Phases); n > 0 {
		l.Phases[n-1].To = min(l.Phases[n-1].To, end)
	}
	if l.Death > 0 {
		l.stretch(Gone, l.Death, end)
	}
}

func (l *life) stretch(p Phase, from, to int64) {
	if to > from {
		l.Phases = append(l.Phases, Stretch{p, from, to})
	}
}

// factor is the intensity of use at an instant as a multiple of the own rate.
func (l *life) factor(ms int64) float64 {
	for _, s := range l.Phases {
		if ms < s.From || ms >= s.To {
			continue
		}
		switch s.Phase {
		case Trying:
			return 1.3
		case Settled:
			return 1
		case Devoted:
			return mostFactor
		case Fading:
			return 1 - 0.85*float64(ms-s.From)/float64(s.To-s.From)
		}
	}
	return 0
}

const mostFactor = 1.7

func (l *life) chance(p float64) bool { return l.rng.Float64() < p }

// pick draws an index by weight.
func (l *life) pick(n int, weight func(int) float64) int {
	sum := 0.0
	for i := range n {
		sum += weight(i)
	}
	u := l.rng.Float64() * sum
	for i := range n - 1 {
		if u -= weight(i); u < 0 {
			return i
		}
	}
	return n - 1
}

// poisson draws a Poisson number by Knuth's product, fit for small means.
func (l *life) poisson(mean float64) int {
	n, limit := -1, math.Exp(-mean)
	for p := 1.0; p > limit; n++ {
		p *= l.rng.Float64()
	}
	return n
}

func days(d float64) int64 { return int64(d * float64(msDay)) }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
