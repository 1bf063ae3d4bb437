package measure

import (
	"math"

	"dwell/model"
	"dwell/model/stat"
)

// A drop compares the rate of active days in the last w days with the rate in
// the up to 4w days before, within the spell (SPEC R2.14, R2.15).
type drop struct{ w model.Day }

// A frame is the two windows on one day.
type frame struct {
	from     model.Day // the baseline's first day
	baseDays int       // days of the baseline observed; under w: too few, nothing is known
	base     int       // active days in it
	recent   int       // active days in the last w
}

func (d drop) frame(c *Cursor) (f frame, known bool) {
	f.from = max(c.spellFrom(), c.day-5*d.w+1)
	f.baseDays = int(c.day - d.w - f.from + 1)
	if f.baseDays < int(d.w) {
		return f, false
	}
	f.base = c.activeIn(f.from, c.day-d.w)
	f.recent = c.activeIn(c.day-d.w+1, c.day)
	return f, true
}

// next is when the frame's counts or lengths move by time alone.
func (d drop) next(c *Cursor) model.Day {
	spell := c.spellFrom()
	f, known := d.frame(c)
	if !known {
		return max(c.day+1, spell+2*d.w-1) // the day on which w days of baseline are there
	}
	next := Never
	if i := c.activeFrom(c.day - d.w + 1); i < c.na { // leaves the last window for the baseline
		next = c.act[i] + d.w
	}
	if f.base > 0 {
		if f.from == spell && c.day-5*d.w+1 < spell {
			return c.day + 1 // the baseline grows by a day each day
		}
		if i := c.activeFrom(f.from); i < c.na {
			next = min(next, c.act[i]+5*d.w)
		}
	}
	return next
}

// DropWindow is w of the early warning for a beat, in days: max(14, 2·beat).
func DropWindow(beat float64) int { return max(14, 2*int(math.RoundToEven(beat))) }

func buildDrop(val func(d drop, f frame) (float64, bool)) builder {
	return func(*Set, Ref) (maker, error) {
		of := func(c *Cursor) drop { return drop{model.Day(DropWindow(c.beat()))} }
		a := &plain{
			val: func(c *Cursor) (float64, bool) {
				d := of(c)
				f, known := d.frame(c)
				if !known {
					return 0, false
				}
				return val(d, f)
			},
			dri: func(c *Cursor) (model.Day, float64) { return of(c).next(c), 0 },
		}
		return func(*Cursor) acc { return a }, nil
	}
}

func baseActive(_ drop, f frame) (float64, bool)   { return float64(f.base), true }
func recentActive(_ drop, f frame) (float64, bool) { return float64(f.recent), true }
func rateBase(_ drop, f frame) (float64, bool) {
	return float64(f.base) / float64(f.baseDays), f.base > 0
}
func rateRecent(d drop, f frame) (float64, bool) {
	return float64(f.recent) / float64(d.w), f.base > 0
}

// rateRatio multiplies out, so that 14 of 20 days is 0.7 whatever the windows.
func rateRatio(d drop, f frame) (float64, bool) {
	if f.base == 0 {
		return 0, false
	}
	return float64(f.recent*f.baseDays) / float64(f.base*int(d.w)), true
}

func dropP(d drop, f frame) (float64, bool) {
	if f.base == 0 {
		return 0, false
	}
	return DropP(f.base, f.baseDays, f.recent, int(d.w)), true
}

// DropP is the exact one-sided p-value of a fall in the rate of active days: the
// probability, if the base+recent active days lay at random among all
// baseDays+recentDays days, that at most recent of them fall into the last
// recentDays (hypergeometric). Counts must not exceed their days; no active day
// at all gives 1.
//
// Fisher, R. A. (1935). "The Logic of Inductive Inference". J. R. Stat. Soc. 98: 39–82.
func DropP(base, baseDays, recent, recentDays int) float64 {
	return stat.HypergeomTail(recent, recentDays, base+recent, baseDays+recentDays)
}
