package churn

import (
	"cmp"
	"fmt"
	"math"
)

// compared is about how many users two features are compared on.
const compared = 50_000

// unlike leaves out features that say almost the same of these users as an earlier
// one: with both, the fit gives the one a weight and takes it back with the other,
// so that a reason "more orders" would raise what "more active days" lowers. What
// they say together is what each says alone. m.Alike names them.
func (m *Model) unlike(x [][]float64, most float64) [][]float64 {
	kept := m.Features[:0:0]
	var cols [][]float64
	for i := range m.Features {
		f := &m.Features[i]
		twin := -1
		for j := range kept {
			if math.Abs(correlation(x[i], cols[j])) >= most {
				twin = j
				break
			}
		}
		if twin >= 0 {
			m.Alike = append(m.Alike, fmt.Sprintf("%s (as %s)", f.Label(), kept[twin].Label()))
			continue
		}
		kept, cols = append(kept, *f), append(cols, x[i])
	}
	m.Features = kept
	return cols
}

// correlation is Pearson's, over evenly spaced users where they are many; 0 where
// a column is constant.
func correlation(a, b []float64) float64 {
	step := 1 + len(a)/compared
	var n, ma, mb, aa, bb, ab float64
	for i := 0; i < len(a); i += step { // Welford's update, for two columns
		n++
		da, db := a[i]-ma, b[i]-mb
		ma += da / n
		mb += db / n
		aa += da * (a[i] - ma)
		bb += db * (b[i] - mb)
		ab += da * (b[i] - mb)
	}
	if aa <= 0 || bb <= 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// A value of a property is suspect if its users had the outcome so much less, or
// so much more, than all that hardly any exception is left: a twentieth of those
// expected, where at least so many are.
const (
	suspectShare = 20
	suspectLeast = 20
)

// suspect names the values of properties that almost decide the outcome. A
// property that was joined to the events afterwards, as the status a customer has
// today, carries its outcome back to before the cut-off; the guard on one feature's
// ranking does not see it, because who leaves after the horizon carries it too.
// It may be innocent (nobody leaves a plan that runs for years), so it is said
// and not refused.
func (t *Table) suspect(f *Feature, col []float64) string {
	if f.Level == "" && (!f.Absent || t.texts(f.Column) == nil) {
		return ""
	}
	n, yes := 0, 0
	for i, v := range col {
		if v != 0 && !math.IsNaN(v) {
			if n++; t.Yes[i] {
				yes++
			}
		}
	}
	p := share(t.Yes)
	for _, side := range []struct {
		k    int
		p    float64
		word string
	}{{yes, p, cmp.Or(t.Outcome, "churned")}, {n - yes, 1 - p, cmp.Or(t.Other, "stayed")}} {
		if want := float64(n) * side.p; want >= suspectLeast && float64(side.k)*suspectShare < want {
			few := "none"
			if side.k > 0 {
				few = fmt.Sprint(side.k)
			}
			return fmt.Sprintf("%s: %s of %s %s, where %.0f would if it did not matter", f.Label(), few, users(n), side.word, want)
		}
	}
	return ""
}
