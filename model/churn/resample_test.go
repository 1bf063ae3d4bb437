package churn

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"dwell/model/stat"
)

// Without a penalty the spread of resampled coefficients is the standard error
// that statsmodels gives, but for chance and for how well the model fits.
func TestResampledAgainstStandardErrors(t *testing.T) {
	var want struct {
		Free struct {
			SE map[string]float64 `json:"se"`
		} `json:"logit_unpenalised_statsmodels"`
	}
	if err := json.Unmarshal(peers(t)["telco"], &want); err != nil {
		t.Fatal(err)
	}
	train, _ := telco(t).Split()
	m, err := Train(train, Options{Clip: -1, Leak: 2, Ridge: 1e-9, Resample: true})
	if err != nil {
		t.Fatal(err)
	}
	if m.Resampled < leastRounds {
		t.Fatalf("%d draws", m.Resampled)
	}
	for i := range m.Features {
		f := &m.Features[i]
		se := (f.CoefHi - f.CoefLo) / 2 / 1.959964 * f.SD
		if ratio := se / want.Free.SE[f.Name]; !(ratio > 0.8 && ratio < 1.25) {
			t.Errorf("%s: spread %.4f, standard error %.4f", f.Name, se, want.Free.SE[f.Name])
		}
	}
}

// One step from the minimum is as good as a fit anew: against the slow bootstrap.
func TestResampledAgainstFits(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const n = 600
	tab := NewTable([]string{"a", "b"}, []string{"", ""})
	for range n {
		a, b := rng.NormFloat64(), rng.ExpFloat64()
		tab.Add([]float64{a, b}, nil, rng.Float64() < sigmoid(a-b))
	}
	m, err := Train(tab, Options{Clip: -1, Ridge: 20, Resample: true})
	if err != nil {
		t.Fatal(err)
	}
	var slow [2]stat.Moments
	for range 300 {
		x, yes := [][]float64{{}, {}}, []bool{}
		for range n {
			i := rng.IntN(n)
			for c := range x {
				x[c] = append(x[c], (tab.X[c][i]-m.Features[c].Mean)/m.Features[c].SD)
			}
			yes = append(yes, tab.Yes[i])
		}
		// The standardisation is kept.
		f, err := logistic(x, yes, []float64{0, 0}, []float64{1, 1}, 20, Job{})
		if err != nil {
			t.Fatal(err)
		}
		slow[0].Add(f.Coef[0])
		slow[1].Add(f.Coef[1])
	}
	for c := range slow {
		f := &m.Features[c]
		sd, _ := slow[c].StdDev()
		if ratio := (f.CoefHi - f.CoefLo) / 2 / 1.959964 * f.SD / sd; math.Abs(ratio-1) > 0.2 {
			t.Errorf("%s: interval of ± %.4f, fits anew spread by %.4f", f.Name, (f.CoefHi-f.CoefLo)/2*f.SD, sd)
		}
	}
}
