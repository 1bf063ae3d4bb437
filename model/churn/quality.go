package churn

import (
	"errors"
	"fmt"

	"dwell/model/stat"
)

// A Quality is what a model was worth on users and days it had not seen.
type Quality struct {
	stat.Score
	Area        stat.Area
	Calibration stat.Calibration
	Better      bool   // than guessing: the interval of the AUC lies above one half
	Verdict     string // the same in words, with the figures
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
	if err := errors.Join(e1, e2, e3); err != nil {
		return Quality{}, err
	}
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
