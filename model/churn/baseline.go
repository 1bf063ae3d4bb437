package churn

// A Flag is the dumbest of models: two groups, each given its own share of the
// training users who came out yes. The 30 % rule is one: whose rate of active
// days has fallen below 0.7 of its own baseline, and who not (SPEC R2.14).
type Flag struct {
	Below   float64 // who has a value below it is flagged
	Flagged float64 // probability
	Others  float64
	Users   int // flagged in training
}

// NewFlag learns the two shares from a column. A group that nobody is in takes
// the base rate.
func NewFlag(t *Table, column int, below float64) Flag {
	f := Flag{Below: below}
	var n, yes [2]float64
	for i, y := range t.Yes {
		g := 0
		if (t.Known[column] == nil || t.Known[column][i]) && t.X[column][i] < below {
			g = 1
		}
		n[g]++
		if y {
			yes[g]++
		}
	}
	base := 0.0
	if all := n[0] + n[1]; all > 0 {
		base = (yes[0] + yes[1]) / all
	}
	f.Others, f.Flagged, f.Users = base, base, int(n[1])
	if n[0] > 0 {
		f.Others = yes[0] / n[0]
	}
	if n[1] > 0 {
		f.Flagged = yes[1] / n[1]
	}
	return f
}

// Predict is the probability of a user with this value.
func (f Flag) Predict(x float64, known bool) float64 {
	if known && x < f.Below {
		return f.Flagged
	}
	return f.Others
}
