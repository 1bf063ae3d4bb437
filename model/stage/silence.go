package stage

import (
	"math/rand/v2"
	"slices"

	"dwell/model/stat"
)

// Silences counts the gaps between active days, of which those still open are
// censored: the other half of a Suggester, for gaps that the caller chooses. It
// is an accumulator; its memory does not grow with the users.
type Silences struct{ groups gapGroups }

// NewSilences starts an empty count.
func NewSilences() *Silences { return &Silences{} }

// Add counts one silence of a user: days long, and ended by activity or still open.
func (s *Silences) Add(id string, days int, ended bool) {
	g := s.groups.of(id)
	if ended {
		g.closed[min(days, MaxHorizon+1)]++
	} else {
		g.open[min(days, MaxHorizon+1)]++
	}
}

// Merge takes the silences of another count.
func (s *Silences) Merge(o *Silences) { s.groups.merge(&o.groups) }

// LeastSeen is how many silences must still be watched at the end of a chance's time.
// The curve's last steps rest on a handful: where the very last of them ends, the
// chance of coming back would be 100 %.
const LeastSeen = 10

// A Comeback is the chance that a user silent for so long comes back.
type Comeback struct {
	Days   int // of silence
	P      float64
	Known  bool // LeastSeen silences at least were watched for so long and so much more
	Band   stat.Interval
	Banded bool
}

// A Silence is what silences say: the suggested gap, as a Suggestion has it, and
// the chance of a return by length.
type Silence struct {
	Gap, RawGap, Horizon int
	Band                 stat.Interval
	Banded               bool
	Returns              []Comeback
}

// Estimate gives the suggested gap at a horizon (days), and for each length of
// silence in at the chance of coming back within so many days more:
//
//	P = 1 − S(s + within)/S(s)
//
// with S the Kaplan–Meier share of silences longer than s, open ones censored.
// Lengths beyond MaxHorizon − within are not known, nor those for which fewer than
// LeastSeen silences were watched to the end. Bands are of users resampled,
// since a user's gaps are alike; the generator's seed is fixed.
func (s *Silences) Estimate(horizon, within int, at []int) *Silence {
	out := &Silence{Horizon: horizon, Returns: make([]Comeback, len(at))}
	sum := s.groups.sum()
	out.RawGap, _ = sum.gap(horizon)
	out.Gap = clampGap(out.RawGap, horizon)
	longer := sum.longer(LeastSeen)
	for i, d := range at {
		r := &out.Returns[i]
		r.Days = d
		r.P, r.Known = longer.back(d, within)
	}
	rounds := make([][]float64, len(at))
	rng := rand.New(rand.NewPCG(1, 2))
	resample := s.groups.resampler()
	band, ok := stat.Bootstrap(userGroups, bootstrapRounds, stat.Level, rng, func(weights []int32) (float64, bool) {
		g := resample(weights)
		l := g.longer(1)
		for i, d := range at {
			if p, ok := l.back(d, within); ok {
				rounds[i] = append(rounds[i], p)
			}
		}
		raw, ok := g.gap(horizon)
		return float64(clampGap(raw, horizon)), ok
	})
	out.Band, out.Banded = band, ok
	for i := range at {
		if r := &out.Returns[i]; r.Known && 2*len(rounds[i]) >= bootstrapRounds {
			slices.Sort(rounds[i])
			r.Band.Lo, _ = stat.Quantile(rounds[i], (1-stat.Level)/2)
			r.Band.Hi, _ = stat.Quantile(rounds[i], (1+stat.Level)/2)
			r.Banded = true
		}
	}
	return out
}

// longerThan is S by days, and up to which day so many were at risk as were asked
// for.
type longerThan struct {
	s    [MaxHorizon + 1]float64
	seen int
}

func (g *group) longer(least int64) *longerThan {
	l := &longerThan{seen: -1}
	closed, open := g.closed[:MaxHorizon+1], g.open[:MaxHorizon+1]
	beyond := g.closed[MaxHorizon+1] + g.open[MaxHorizon+1]
	atRisk := beyond
	for i := range closed {
		atRisk += closed[i] + open[i]
	}
	s := 1.0
	for i := range closed {
		if atRisk >= least {
			l.seen = i
		}
		if atRisk > 0 {
			s *= 1 - float64(closed[i])/float64(atRisk)
		}
		l.s[i] = s
		atRisk -= closed[i] + open[i]
	}
	return l
}

// back is the chance of an end within so many days after d.
func (l *longerThan) back(d, within int) (p float64, ok bool) {
	if d < 0 || d+within > MaxHorizon || d+within > l.seen || l.s[d] <= 0 {
		return 0, false
	}
	return 1 - l.s[d+within]/l.s[d], true
}
