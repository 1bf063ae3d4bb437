package churn

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"dwell/model/stat"
)

// A Quality is what a model was worth on users and days it had not seen.
type Quality struct {
	stat.Score
	Area        stat.Area
	Calibration stat.Calibration
	Precision   float64       // area under the precision–recall curve, as a sum; guessing gives the base rate
	Top         stat.TopShare // of the tenth with the highest probabilities
	Bands       Bands
	Better      bool   // than guessing: the interval of the AUC lies above one half
	Verdict     string // the same in words, with the figures
}

// Bands are the intervals of scores that have no interval of their own, from
// resampling whole users.
type Bands struct {
	OK                                              bool // they hold
	Rounds                                          int
	Precision, Brier, Skill, LogLoss, TopRate, Lift stat.Interval
}

// Bins of the calibration curve.
const Bins = 10

// Judge scores forecasts against outcomes. With fewer than least of either
// outcome it fails with ErrTooFew or ErrOneClass: no test, no score.
//
// The verdict is plain: an AUC interval that holds 0.5 is "no better than
// guessing", one wholly below it "worse than guessing".
func Judge(fs []stat.Forecast, least int, level float64) (Quality, error) {
	yes := 0
	for _, f := range fs {
		if f.Yes {
			yes++
		}
	}
	switch no := len(fs) - yes; {
	case len(fs) == 0:
		return Quality{}, fmt.Errorf("%w: nobody to test on", ErrTooFew)
	case yes == 0 || no == 0:
		return Quality{}, fmt.Errorf("%w in the test (%d users): it can say nothing about a score", ErrOneClass, len(fs))
	case yes < least || no < least:
		return Quality{}, fmt.Errorf("%w in the test: %d churned and %d stayed, and %d of each are needed", ErrTooFew, yes, no, least)
	}
	var q Quality
	var e1, e2, e3 error
	q.Score, e1 = stat.Assess(fs)
	q.Area, e2 = stat.AUC(fs, level)
	q.Calibration, e3 = stat.Calibrate(fs, Bins)
	var e4, e5 error
	q.Precision, e4 = stat.AveragePrecision(fs)
	q.Top, e5 = stat.AtTop(fs, (len(fs)+9)/10)
	if err := errors.Join(e1, e2, e3, e4, e5); err != nil {
		return Quality{}, err
	}
	q.Bands = q.resample(fs, level)
	a := q.Area
	figures := fmt.Sprintf("AUC %.3f", a.AUC)
	if a.Bounded {
		figures = fmt.Sprintf("AUC %.3f (%.0f %% interval %.3f to %.3f)", a.AUC, 100*level, a.Lo, a.Hi)
	}
	switch {
	case !a.Bounded && a.AUC > 0.5:
		// Classes that do not overlap: nothing to estimate an interval from.
		q.Better, q.Verdict = true, "Better than guessing: "+figures+"."
	case a.Bounded && a.Lo > 0.5:
		q.Better, q.Verdict = true, "Better than guessing: "+figures+"."
	case a.Bounded && a.Hi < 0.5:
		q.Verdict = "Worse than guessing: " + figures + "."
	default:
		q.Verdict = "No better than guessing: " + figures + "."
	}
	if q.Skill <= 0 {
		q.Verdict += " The probabilities are no nearer the truth than always saying the base rate."
	}
	return q, nil
}

// draws bounds the work of resampling, in users drawn.
const draws = 10_000_000

// resample draws the users again, with replacement, and takes as the interval of
// each score its value on all and ± as many of its standard deviations over the
// draws as the level asks for, held within what the score can be. The draws
// depend on the number of users alone.
//
// Efron, B.; Tibshirani, R. J. (1993). An Introduction to the Bootstrap, chapters
// 6 and 13.
func (q *Quality) resample(fs []stat.Forecast, level float64) Bands {
	n := len(fs)
	b := Bands{Rounds: min(max(draws/n, 40), 300)}
	s := slices.Clone(fs)
	slices.SortStableFunc(s, func(a, b stat.Forecast) int { return cmp.Compare(b.P, a.P) })
	loss := make([]float64, n) // log loss of each
	for i, f := range s {
		p := f.P
		if !f.Yes {
			p = 1 - p
		}
		loss[i] = -math.Log(math.Min(math.Max(p, 1e-15), 1-1e-15))
	}
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	weights := make([]int32, n)
	var m [6]stat.Moments
	for range b.Rounds {
		clear(weights)
		for range n {
			weights[rng.IntN(n)]++
		}
		if v, ok := drawn(s, loss, weights); ok {
			for k, x := range v {
				m[k].Add(x)
			}
		}
	}
	z := -normal(level)
	for k, d := range []struct {
		at     *stat.Interval
		mid    float64
		lo, hi float64
	}{{&b.Precision, q.Precision, 0, 1}, {&b.Brier, q.Brier, 0, 1}, {&b.Skill, q.Skill, math.Inf(-1), 1}, {&b.LogLoss, q.LogLoss, 0, math.Inf(1)},
		{&b.TopRate, q.Top.Precision, 0, 1}, {&b.Lift, q.Top.Lift, 0, math.Inf(1)}} {
		sd, ok := m[k].StdDev()
		if !ok || !finite(sd) {
			return Bands{}
		}
		*d.at = stat.Interval{Lo: math.Max(d.lo, d.mid-z*sd), Hi: math.Min(d.hi, d.mid+z*sd)}
	}
	b.OK = true
	return b
}

// normal is the lower bound of the standard normal's middle share.
func normal(level float64) float64 { return math.Sqrt2 * math.Erfinv(-level) }

// drawn are the six scores of one draw; users stand by probability, the highest
// first, and those tied at the edge of the top tenth count in proportion.
func drawn(s []stat.Forecast, loss []float64, weights []int32) (v [6]float64, ok bool) {
	n := float64(len(s))
	yes := 0.0
	for i, f := range s {
		if f.Yes {
			yes += float64(weights[i])
		}
	}
	if yes == 0 || yes == n {
		return v, false
	}
	top := math.Ceil(n / 10)
	var users, hits, topHits float64
	for i := 0; i < len(s); {
		var tied, tiedHits float64
		j := i
		for ; j < len(s) && s[j].P == s[i].P; j++ {
			w := float64(weights[j])
			tied += w
			y := 0.0
			if s[j].Yes {
				tiedHits += w
				y = 1
			}
			v[1] += w * (s[j].P - y) * (s[j].P - y)
			v[3] += w * loss[j]
		}
		if room := top - users; room > 0 && tied > 0 {
			topHits += tiedHits * math.Min(1, room/tied)
		}
		users, hits = users+tied, hits+tiedHits
		if users > 0 {
			v[0] += tiedHits / yes * hits / users
		}
		i = j
	}
	base := yes / n
	v[1] /= n
	v[2] = 1 - v[1]/(base*(1-base))
	v[3] /= n
	v[4] = topHits / top
	v[5] = v[4] / base
	return v, true
}
