package stat

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// The worked example of scikit-learn's roc_auc_score and
// average_precision_score: AUC 0.75, average precision 0.8333.
func TestScoresExample(t *testing.T) {
	fs := []Forecast{{0.1, false}, {0.4, false}, {0.35, true}, {0.8, true}}
	a, err := AUC(fs, Level)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "AUC", a.AUC, 0.75, 1e-12)
	ap, err := AveragePrecision(fs)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "AP", ap, 5.0/6, 1e-12)
	// scikit-learn, log_loss and brier_score_loss by hand:
	s, err := Assess(fs)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Brier", s.Brier, (0.01+0.16+0.4225+0.04)/4, 1e-12)
	near(t, "log loss", s.LogLoss, -(math.Log(0.9)+math.Log(0.6)+math.Log(0.35)+math.Log(0.8))/4, 1e-12)
	near(t, "skill", s.Skill, 1-s.Brier/0.25, 1e-12)
}

func TestScoresEdges(t *testing.T) {
	one := []Forecast{{0.3, true}, {0.4, true}}
	if _, err := AUC(one, Level); !errors.Is(err, ErrOneClass) {
		t.Errorf("one class: %v", err)
	}
	if _, err := AveragePrecision(nil); !errors.Is(err, ErrOneClass) {
		t.Errorf("nobody: %v", err)
	}
	if _, err := Assess(nil); !errors.Is(err, ErrNoUsers) {
		t.Errorf("nobody: %v", err)
	}
	if s, _ := Assess([]Forecast{{0, true}, {1, false}}); math.IsInf(s.LogLoss, 0) {
		t.Error("log loss of a certain error is infinite")
	}
	same := []Forecast{{0.5, true}, {0.5, false}, {0.5, false}, {0.5, true}}
	if a, _ := AUC(same, Level); a.AUC != 0.5 {
		t.Errorf("all tied: AUC %v", a.AUC)
	}
	if top, _ := AtTop(same, 1); top.Lift != 1 {
		t.Errorf("all tied: lift %v", top.Lift)
	}
	apart := []Forecast{{0.9, true}, {0.8, true}, {0.2, false}, {0.1, false}}
	if a, _ := AUC(apart, Level); a.AUC != 1 || a.Bounded {
		t.Errorf("apart: %+v", a)
	}
	if c, _ := Calibrate(apart, 10); c.Fitted {
		t.Errorf("perfect separation was fitted: %+v", c)
	}
}

// AUC, its variance and average precision against their definitions in full.
func TestScoresSlow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := []Forecast{{0.5, true}, {0.5, false}, {0.25, true}, {0.75, false}}
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			fs = append(fs, Forecast{float64(rapid.IntRange(0, 8).Draw(t, "p")) / 8, rapid.Bool().Draw(t, "yes")})
		}
		var yes, no []float64
		for _, f := range fs {
			if f.Yes {
				yes = append(yes, f.P)
			} else {
				no = append(no, f.P)
			}
		}
		psi := func(y, n float64) float64 {
			switch {
			case y > n:
				return 1
			case y == n:
				return 0.5
			}
			return 0
		}
		m, n := float64(len(yes)), float64(len(no))
		auc, v10, v01 := 0.0, make([]float64, len(yes)), make([]float64, len(no))
		for i, y := range yes {
			for j, x := range no {
				auc += psi(y, x) / (m * n)
				v10[i] += psi(y, x) / n
				v01[j] += psi(y, x) / m
			}
		}
		variance := func(v []float64) (s float64) {
			for _, x := range v {
				s += (x - auc) * (x - auc) / float64(len(v)-1)
			}
			return s / float64(len(v))
		}
		a, err := AUC(fs, Level)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(a.AUC-auc) > 1e-12 || a.Bounded && math.Abs(a.StdErr-math.Sqrt(variance(v10)+variance(v01))) > 1e-12 {
			t.Fatalf("AUC %+v, want %v ± %v", a, auc, math.Sqrt(variance(v10)+variance(v01)))
		}
		// Precision and recall at every threshold.
		ap, recall := 0.0, 0.0
		for th := 8; th >= 0; th-- {
			tp, all := 0.0, 0.0
			for _, f := range fs {
				if f.P >= float64(th)/8 {
					all++
					if f.Yes {
						tp++
					}
				}
			}
			if all > 0 {
				ap += (tp/m - recall) * tp / all
				recall = tp / m
			}
		}
		got, err := AveragePrecision(fs)
		if err != nil || math.Abs(got-ap) > 1e-12 {
			t.Fatalf("average precision %v %v, want %v", got, err, ap)
		}
	})
}

// Forecasts that are right on average have line 0, 1; those sharpened by two
// have slope ½.
func TestCalibration(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var good, sharp []Forecast
	for range 40_000 {
		x := rng.NormFloat64()
		p := 1 / (1 + math.Exp(-x))
		yes := rng.Float64() < p
		good = append(good, Forecast{p, yes})
		sharp = append(sharp, Forecast{1 / (1 + math.Exp(-2*x)), yes})
	}
	c, err := Calibrate(good, 10)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "slope", c.Slope, 1, 0.05)
	near(t, "intercept", c.Intercept, 0, 0.05)
	near(t, "ECE", c.ECE, 0, 0.01)
	c, _ = Calibrate(sharp, 10)
	near(t, "slope of sharpened", c.Slope, 0.5, 0.03)
	n := 0
	for _, b := range c.Bins {
		n += b.N
	}
	if n != len(sharp) {
		t.Errorf("bins hold %d, want %d", n, len(sharp))
	}
	if _, err := Calibrate(nil, 10); !errors.Is(err, ErrNoUsers) {
		t.Errorf("nobody: %v", err)
	}
}
