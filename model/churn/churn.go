// Package churn predicts who will leave, or reach a goal: a question fixed
// beforehand, a model of the measures of the day (a regularised logistic
// regression, gradient-boosted trees, or the hazard of each user's own rhythm),
// and tests on the data's own past that are shown before any score.
//
// The idea is a ladder of three days, H days (the horizon) apart:
//
//	train = T − 2H      test = T − H      T = the as-of day
//	features ≤ train, labels in (train, test]
//	          features ≤ test, labels in (test, T]
//	                             features ≤ T: the scores
//
// What was trained below train and judged on (test, T] is the very model that
// scores the users of T. No label overlaps the features of its own step, and
// nothing after T is read.
//
// Invariants: users who are already silent (or in the lost stage) are not
// scored; a prediction is the sum of its contributions exactly; equal tables
// give equal models, bit for bit; what cannot be estimated is an error with its
// reason, never a number. The package reads no data and starts no goroutine: the
// caller fills a Table and may stop a fit through Options.Stop.
//
//	m, err := churn.Train(table, churn.Options{})
//	p := m.Predict(values, known)
//	for _, r := range m.Reasons(values, known) { fmt.Println(r.Feature.Name, r.LogOdds) }
package churn

import (
	"errors"
	"fmt"
	"slices"

	"dwell/model"
)

// A Definition says what it is to have churned.
type Definition string

const (
	// ByGap: silence reaches Gap days within the horizon. A later return does
	// not undo it (SPEC 2, gap churn: the death time is last activity + G).
	ByGap Definition = "gap"
	// BySilence: no activity at all within the horizon, whatever Gap; Gap says
	// only who is eligible.
	BySilence Definition = "silence"
	// ByStage: the stage model's lost stage is entered within the horizon,
	// cancellations and open contracts included.
	ByStage Definition = "stage"
	// ByContract: a contract that holds at the cut-off ends within the horizon, by
	// cancellation or because it is not renewed. Who has none is not scored, nor is
	// who has paid beyond the horizon.
	ByContract Definition = "contract"
	// ByGoal: an event is done within the horizon. Who is asked about is Who.
	ByGoal Definition = "goal"
)

// A Who says whose goal is foretold.
type Who string

const (
	Leads  Who = "leads"  // active within Gap days, and the goal never reached so far
	Active Who = "active" // active within Gap days
	Quiet  Who = "silent" // silent for Gap days or more: will they come back?
	All    Who = "all"    // everybody seen so far
)

// A Question is what is predicted. It is printed on every figure.
type Question struct {
	Definition Definition `toml:"definition"`
	Event      string     `toml:"event"`           // activity, in words: the event "purchase"; "" for any active day
	Gap        int        `toml:"gap"`             // days of silence; also: who has been silent as long is not scored
	Horizon    int        `toml:"horizon"`         // days after the cut-off in which the outcome is looked for
	Goal       string     `toml:"goal,omitempty"`  // of ByGoal, in words
	Who        Who        `toml:"who,omitempty"`   // of ByGoal
	Among      string     `toml:"among,omitempty"` // only users for whom this rule holds at the cut-off; "": all
}

// Happened is what a user did whose outcome is yes, and Stayed what the others did.
func (q Question) Happened() string {
	if q.Definition == ByGoal {
		return "reached the goal"
	}
	return "churned"
}

// Stayed is the other outcome in words.
func (q Question) Stayed() string {
	if q.Definition == ByGoal {
		return "did not"
	}
	return "stayed"
}

// Sentence is the question as a person reads it.
func (q Question) Sentence() string {
	if q.Among != "" {
		return q.whole() + " Only users of whom, at the cut-off, holds: " + q.Among + "."
	}
	return q.whole()
}

func (q Question) whole() string {
	what := "any active day"
	if q.Event != "" {
		what = q.Event
	}
	switch q.Definition {
	case ByGoal:
		who := fmt.Sprintf("users active in the %s up to the cut-off", days(q.Gap))
		switch q.Who {
		case Leads:
			who += " who have never reached the goal"
		case Quiet:
			who = fmt.Sprintf("users silent for %s or more at the cut-off", days(q.Gap))
		case All:
			who = "everybody seen by the cut-off"
		}
		return fmt.Sprintf("Goal: %s in the %s after the cut-off. Activity is %s. Scored: %s.", q.Goal, days(q.Horizon), what, who)
	case ByContract:
		return fmt.Sprintf("Churned: the contract ends in the %s after the cut-off, cancelled or not renewed. Scored: users with a contract at the cut-off that is not paid for beyond those %s, for such a one cannot end within them.", days(q.Horizon), days(q.Horizon))
	case ByStage:
		return fmt.Sprintf("Churned: enters the lost stage in the %s after the cut-off. Scored: everybody not in it at the cut-off.", days(q.Horizon))
	case BySilence:
		return fmt.Sprintf("Churned: no activity in the %s after the cut-off. Activity is %s. Scored: users active in the %s up to the cut-off.", days(q.Horizon), what, days(q.Gap))
	}
	scored := fmt.Sprintf("users silent for less than %s at the cut-off", days(q.Gap))
	if q.Horizon < q.Gap {
		silent := fmt.Sprintf("%d to %s", q.Gap-q.Horizon, days(q.Gap-1))
		if q.Horizon == 1 {
			silent = "just " + days(q.Gap-1)
		}
		scored = fmt.Sprintf("users silent for %s at the cut-off: silent for less, a user cannot get to %s within the horizon and is safe", silent, days(q.Gap))
	}
	return fmt.Sprintf("Churned: %s without activity are reached in the %s after the cut-off, even if the user returns later. Activity is %s. Scored: %s.", days(q.Gap), days(q.Horizon), what, scored)
}

// days writes a number of days with its noun: "the 1 day after", "the 30 days after".
func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// A Standing says whether a user can be scored on a day.
type Standing uint8

const (
	Unseen  Standing = iota // no activity yet
	Silent                  // for Gap days or more: gone already
	Safe                    // cannot churn within the horizon: too lately active, or paid beyond it
	AtStake                 // scored
	Apart                   // not asked about: has reached the goal, or is not silent
	Outside                 // not one of the users who are asked about
)

// Cuts are the last days that features may know of, at each step of the ladder.
type Cuts struct{ Train, Test, Score model.Day }

// ErrShort says that the data cannot hold the ladder.
var ErrShort = errors.New("the data are too short for this horizon")

// Cuts fixes the cut-offs for data of the days [first, asOf]. The training
// cut-off needs at least one day of history: it fails with ErrShort, wrapped
// in a sentence that names the longest horizon there is room for.
func (q Question) Cuts(first, asOf model.Day) (Cuts, error) {
	if q.Horizon < 1 || q.Gap < 1 {
		return Cuts{}, fmt.Errorf("gap and horizon must be at least one day, not %d and %d", q.Gap, q.Horizon)
	}
	c := Cuts{Train: asOf - model.Day(2*q.Horizon), Test: asOf - model.Day(q.Horizon), Score: asOf}
	if q.Horizon > int(asOf-first) || c.Train < first {
		have := int(asOf-first) + 1
		if most := (have - 1) / 2; most > 0 {
			return Cuts{}, fmt.Errorf("%w: %d days of data, and training and test need twice the %d days of the horizon and a history before; ask for a horizon of at most %d", ErrShort, have, q.Horizon, most)
		}
		return Cuts{}, fmt.Errorf("%w: there are data of only %s, and three days are the fewest that can be learned from and tested on", ErrShort, days(have))
	}
	return c, nil
}

// Goals judges one user at a cut-off under ByGoal: from the days of activity and
// those of the goal, ascending, each once. reached is the day of the first goal
// in the horizon, 0 where there is none.
func (q Question) Goals(active, goal []model.Day, cut model.Day) (st Standing, reached model.Day, yes bool) {
	next, _ := slices.BinarySearch(active, cut+1)
	done, _ := slices.BinarySearch(goal, cut+1)
	if next == 0 && done == 0 {
		return Unseen, 0, false
	}
	silent := next == 0 || int(cut-active[next-1]) >= q.Gap
	switch q.Who {
	case Quiet:
		if !silent {
			return Apart, 0, false
		}
	case Leads, Active:
		if silent {
			return Silent, 0, false
		}
		if q.Who == Leads && done > 0 {
			return Apart, 0, false
		}
	}
	if done < len(goal) && goal[done] <= cut+model.Day(q.Horizon) {
		return AtStake, goal[done], true
	}
	return AtStake, 0, false
}

// Label judges one user at a cut-off from the days of activity, ascending, each
// once. churned is meant of users AtStake alone. Days after cut+Horizon are not
// looked at. A user active on the very day on which silence falls due has not
// churned. It serves ByGap and BySilence; ByStage comes from a replay.
//
// Users who cannot churn within the horizon are Safe and not scored: counted as
// kept they would make any model look good that knows recency.
func (q Question) Label(active []model.Day, cut model.Day) (st Standing, churned bool) {
	st, _, churned = q.Due(active, cut)
	return st, churned
}

// Due is Label with the day on which the user churned: of BySilence the end of
// the horizon, when it is known.
func (q Question) Due(active []model.Day, cut model.Day) (st Standing, due model.Day, churned bool) {
	next, _ := slices.BinarySearch(active, cut+1)
	if next == 0 {
		return Unseen, 0, false
	}
	last := active[next-1]
	if int(cut-last) >= q.Gap {
		return Silent, 0, false
	}
	end := cut + model.Day(q.Horizon)
	if q.Definition == BySilence {
		return AtStake, end, next == len(active) || active[next] > end
	}
	if last+model.Day(q.Gap) > end {
		return Safe, 0, false
	}
	for {
		due := last + model.Day(q.Gap)
		switch {
		case due > end:
			return AtStake, 0, false
		case next == len(active) || active[next] > due:
			return AtStake, due, true
		}
		last = active[next]
		next++
	}
}
