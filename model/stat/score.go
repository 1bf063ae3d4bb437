package stat

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// A Forecast is one user's predicted probability and what came true.
type Forecast struct {
	P   float64
	Yes bool
}

// ErrOneClass says that all outcomes are equal, so that nothing can be ranked.
var ErrOneClass = errors.New("all outcomes are equal: there is nothing to tell apart")

// An Area is an area under the ROC curve with its interval. Bounded is false
// where the interval has no width to estimate: under two users in a class, or
// classes that do not overlap.
type Area struct {
	AUC     float64
	StdErr  float64
	Bounded bool
	Interval
}

// AUC is the chance that a user who came true was given a higher probability
// than one who did not, ties counting half. The interval is DeLong's, normal
// and held within [0, 1]. fs may be in any order and is not changed. It fails
// with ErrOneClass.
//
// DeLong, E. R.; DeLong, D. M.; Clarke-Pearson, D. L. (1988). "Comparing the
// Areas under Two or More Correlated Receiver Operating Characteristic Curves".
// Biometrics 44 (3): 837–845; by mid-ranks as in Sun, X.; Xu, W. (2014), IEEE
// Signal Processing Letters 21 (11): 1389–1393.
func AUC(fs []Forecast, level float64) (Area, error) {
	var yes, no []float64
	for _, f := range fs {
		if f.Yes {
			yes = append(yes, f.P)
		} else {
			no = append(no, f.P)
		}
	}
	m, n := float64(len(yes)), float64(len(no))
	if m == 0 || n == 0 {
		return Area{}, ErrOneClass
	}
	slices.Sort(yes)
	slices.Sort(no)
	// For each user the share of the other class on the right side of it.
	var a, b Moments
	for _, p := range yes {
		a.Add(below(no, p) / n)
	}
	for _, p := range no {
		b.Add(1 - below(yes, p)/m)
	}
	auc, _ := a.Mean()
	sa, okA := a.StdDev()
	sb, okB := b.StdDev()
	out := Area{AUC: auc}
	if se := math.Sqrt(sa*sa/m + sb*sb/n); okA && okB && se > 0 {
		out.StdErr, out.Bounded = se, true
		out.Lo, out.Hi = math.Max(0, auc-z(level)*se), math.Min(1, auc+z(level)*se)
	}
	return out, nil
}

// below counts the ascending values under p, equal ones half.
func below(sorted []float64, p float64) float64 {
	lo, _ := slices.BinarySearch(sorted, p)
	hi := lo
	for hi < len(sorted) && sorted[hi] == p {
		hi++
		if hi-lo > 16 { // long ties: search for the end instead
			hi, _ = slices.BinarySearchFunc(sorted, p, func(x, p float64) int {
				if x <= p {
					return -1
				}
				return 1
			})
			break
		}
	}
	return float64(lo) + float64(hi-lo)/2
}

// descending is a sorted copy, highest probability first.
func descending(fs []Forecast) []Forecast {
	s := slices.Clone(fs)
	slices.SortFunc(s, func(a, b Forecast) int { return cmp.Compare(b.P, a.P) })
	return s
}

// AveragePrecision is the area under the precision–recall curve as a sum of
// precision over steps of recall, equal probabilities in one step (the form of
// scikit-learn, without interpolation). The base rate is what guessing gives.
// It fails with ErrOneClass.
func AveragePrecision(fs []Forecast) (float64, error) {
	s := descending(fs)
	var yes int
	for _, f := range s {
		if f.Yes {
			yes++
		}
	}
	if yes == 0 || yes == len(s) {
		return 0, ErrOneClass
	}
	var sum float64
	hits, before := 0, 0
	for i, f := range s {
		if f.Yes {
			hits++
		}
		if i+1 == len(s) || s[i+1].P != f.P {
			sum += float64(hits-before) / float64(yes) * float64(hits) / float64(i+1)
			before = hits
		}
	}
	return sum, nil
}

// A Score is how good probabilities were, beside what always saying the base
// rate would have scored.
type Score struct {
	N        int
	BaseRate float64 // share that came true
	Brier    float64 // mean squared error, 0 best
	Skill    float64 // 1 − Brier/Brier of the base rate; above 0 is better than it. 0 if all outcomes are equal
	LogLoss  float64 // mean −log of the probability given to what came true, in nats
}

// Assess scores forecasts. Probabilities are held 1e-15 away from 0 and 1 for
// the log loss alone. It fails with ErrNoUsers.
//
// Brier, G. W. (1950). "Verification of Forecasts Expressed in Terms of
// Probability". Monthly Weather Review 78 (1): 1–3.
func Assess(fs []Forecast) (Score, error) {
	if len(fs) == 0 {
		return Score{}, ErrNoUsers
	}
	s := Score{N: len(fs)}
	for _, f := range fs {
		y, q := 0.0, 1-f.P
		if f.Yes {
			y, q = 1, f.P
		}
		s.BaseRate += y
		s.Brier += (f.P - y) * (f.P - y)
		s.LogLoss -= math.Log(math.Min(math.Max(q, 1e-15), 1-1e-15))
	}
	n := float64(len(fs))
	s.BaseRate /= n
	s.Brier /= n
	s.LogLoss /= n
	if ref := s.BaseRate * (1 - s.BaseRate); ref > 0 {
		s.Skill = 1 - s.Brier/ref
	}
	return s, nil
}

// A TopShare says how the k users with the highest probabilities came out.
type TopShare struct {
	K         int
	Hits      float64 // came true among them; ties at the edge count in proportion
	Precision float64
	Recall    float64
	Lift      float64 // precision over base rate
}

// AtTop looks at the k highest probabilities. Users tied at the edge count in
// proportion, so that the answer does not hang on the order of fs. It fails with
// ErrOneClass; k is held within [1, len(fs)].
func AtTop(fs []Forecast, k int) (TopShare, error) {
	s := descending(fs)
	yes := 0
	for _, f := range s {
		if f.Yes {
			yes++
		}
	}
	if yes == 0 || yes == len(s) {
		return TopShare{}, ErrOneClass
	}
	k = min(max(k, 1), len(s))
	edge := s[k-1].P
	sure, sureHits, tied, tiedHits := 0, 0, 0, 0
	for _, f := range s {
		hit := 0
		if f.Yes {
			hit = 1
		}
		switch {
		case f.P > edge:
			sure, sureHits = sure+1, sureHits+hit
		case f.P == edge:
			tied, tiedHits = tied+1, tiedHits+hit
		}
	}
	t := TopShare{K: k, Hits: float64(sureHits) + float64(k-sure)*float64(tiedHits)/float64(tied)}
	t.Precision = t.Hits / float64(k)
	t.Recall = t.Hits / float64(yes)
	t.Lift = t.Precision / (float64(yes) / float64(len(s)))
	return t, nil
}
