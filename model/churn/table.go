package churn

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Table is what a model is trained on: one row a user, one column a feature.
type Table struct {
	Names []string // of the features, as in rules: recency_days, count("purchase", 30)
	Units []string // days, events …; "" where a feature has none
	X     [][]float64
	Known [][]bool // Known[f] nil: feature f is known for everybody
	Yes   []bool   // outcome: churned
	IDs   []string // of the rows, for messages; may be nil

	Outcome string // what a yes is, in messages; "": churned
	Other   string // what a no is; "": stayed

	// Texts[f], where it is not nil, makes feature f a property: its values are
	// places in this list.
	Texts [][]string
}

// texts is what the values of a column stand for, nil for numbers.
func (t *Table) texts(c int) []string {
	if t.Texts == nil {
		return nil
	}
	return t.Texts[c]
}

// NewTable is a table without rows.
func NewTable(names, units []string) *Table {
	return &Table{Names: names, Units: units, X: make([][]float64, len(names)), Known: make([][]bool, len(names))}
}

// Add appends a row. known may be nil: everything is known. Values of unknown
// features are not looked at.
func (t *Table) Add(values []float64, known []bool, yes bool) {
	n := len(t.Yes)
	for f, x := range values {
		k := known == nil || known[f]
		if !k && t.Known[f] == nil {
			t.Known[f] = make([]bool, n, n+1)
			for i := range t.Known[f] {
				t.Known[f][i] = true
			}
		}
		if t.Known[f] != nil {
			t.Known[f] = append(t.Known[f], k)
		}
		if !k {
			x = 0
		}
		t.X[f] = append(t.X[f], x)
	}
	t.Yes = append(t.Yes, yes)
}

// Append adds the rows of another table of the same features.
func (t *Table) Append(o *Table) {
	n, m := len(t.Yes), len(o.Yes)
	for f := range t.X {
		if t.Known[f] != nil || o.Known[f] != nil {
			t.Known[f] = append(orAll(t.Known[f], n), orAll(o.Known[f], m)...)
		}
		t.X[f] = append(t.X[f], o.X[f]...)
	}
	t.Yes = append(t.Yes, o.Yes...)
	t.IDs = append(t.IDs, o.IDs...)
}

func orAll(known []bool, n int) []bool {
	if known != nil {
		return known
	}
	all := make([]bool, n)
	for i := range all {
		all[i] = true
	}
	return all
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.Yes) }

// Row copies row i into values and known.
func (t *Table) Row(i int, values []float64, known []bool) {
	for f := range t.X {
		values[f] = t.X[f][i]
		known[f] = t.Known[f] == nil || t.Known[f][i]
	}
}

// Churned is the number of rows whose outcome is yes.
func (t *Table) Churned() (n int) {
	for _, y := range t.Yes {
		if y {
			n++
		}
	}
	return n
}

// What makes training impossible, each with its reason in the wrapping error.
var (
	ErrTooFew    = errors.New("too few users to learn from")
	ErrOneClass  = errors.New("all users came out the same")
	ErrNotFinite = errors.New("a feature is not a finite number")
	ErrNothing   = errors.New("no feature tells users apart")
	ErrSeparated = errors.New("the features tell the outcomes apart without a single mistake")
	ErrLeak      = errors.New("a feature knows the future, or is the outcome by another name")
	ErrDiverged  = errors.New("the fit did not converge")
	ErrStopped   = errors.New("training was stopped")
)

// most bounds the values of features: squares of greater ones are no numbers.
const most = 1e150

// users writes a number of users.
func users(n int) string {
	if n == 1 {
		return "1 user"
	}
	return fmt.Sprintf("%d users", n)
}

// check refuses what no model can be made from.
func (t *Table) check(least int) error {
	yes, n := t.Churned(), t.Len()
	did, not := cmp.Or(t.Outcome, "churned"), cmp.Or(t.Other, "stayed")
	switch no := n - yes; {
	case n < 2*least:
		return fmt.Errorf("%w: %s, and %d are needed", ErrTooFew, users(n), 2*least)
	case yes == 0:
		return fmt.Errorf("%w: none of %d users %s; ask for another horizon or gap", ErrOneClass, n, did)
	case no == 0:
		return fmt.Errorf("%w: all %d users %s; ask for another horizon or gap", ErrOneClass, n, did)
	case yes < least:
		return fmt.Errorf("%w: %d of %d users %s, and %d are needed; ask for another horizon or gap", ErrTooFew, yes, n, did, least)
	case no < least:
		return fmt.Errorf("%w: %d of %d users %s, and %d are needed; ask for another horizon or gap", ErrTooFew, no, n, not, least)
	}
	for f, col := range t.X {
		for i, x := range col {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				who := fmt.Sprintf("row %d", i+1)
				if t.IDs != nil {
					who = "user " + t.IDs[i]
				}
				return fmt.Errorf("%w: %s of %s is %v; mend the value or leave the feature out", ErrNotFinite, t.Names[f], who, x)
			}
			if math.Abs(x) > most {
				return fmt.Errorf("%w that can be reckoned with: %s of row %d is %g; mend the value or leave the feature out", ErrNotFinite, t.Names[f], i+1, x)
			}
		}
	}
	return nil
}

// Only is the table with the columns of these names, sharing their values.
func (t *Table) Only(names ...string) *Table {
	o := &Table{Yes: t.Yes, IDs: t.IDs, Outcome: t.Outcome, Other: t.Other}
	for c, n := range t.Names {
		if slices.Contains(names, n) {
			o.Names, o.Units = append(o.Names, n), append(o.Units, t.Units[c])
			o.X, o.Known = append(o.X, t.X[c]), append(o.Known, t.Known[c])
			o.Texts = append(o.Texts, t.texts(c))
		}
	}
	return o
}
