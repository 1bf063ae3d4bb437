package value

import (
	"errors"
	"testing"

	"dwell/model/stat"
	"dwell/sample/reference"
)

// survivors makes contracts of a cohort's survivors by year, the last observed.
func survivors(t *testing.T, c *Contracts, left []int64) {
	t.Helper()
	for y := 1; y < len(left); y++ {
		for range left[y-1] - left[y] {
			if err := c.Add(y, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range left[len(left)-1] {
		if err := c.Add(len(left)-1, false); err != nil {
			t.Fatal(err)
		}
	}
}

// Fader and Hardie (2007), table 1: of 1000 customers, those left after each year.
var (
	highEnd = []int64{1000, 869, 743, 653, 593, 551, 517, 491}
	regular = []int64{1000, 631, 468, 382, 326, 289, 262, 241}
)

func TestContractPublished(t *testing.T) {
	for _, c := range []struct {
		name        string
		left        []int64
		alpha, beta float64 // their table 3
	}{{"high end", highEnd, 0.668, 3.806}, {"regular", regular, 0.704, 1.182}} {
		var s Contracts
		survivors(t, &s, c.left)
		m, err := FitContract(&s, Options{})
		if err != nil {
			t.Fatal(c.name, err)
		}
		within(t, c.name+" alpha", m.Alpha, c.alpha, 6e-4)
		within(t, c.name+" beta", m.Beta, c.beta, 6e-4)
	}
}

func TestContractPeer(t *testing.T) {
	type segment struct {
		Fit           struct{ Alpha, Beta float64 } `json:"peer_fit"`
		LogLikelihood float64                       `json:"log_likelihood_per_customer_at_fit"`
		Survival      []float64                     `json:"predicted_survival_years_1_to_12"`
		Rate          []float64                     `json:"predicted_retention_rate_years_1_to_12"`
		Remaining     []float64                     `json:"derl_discount_0.10_years_0_to_11"`
	}
	var file struct {
		High    segment `json:"high_end"`
		Regular segment
		AtOne   float64 `json:"log_likelihood_high_end_at_alpha_1_beta_1"`
		Multi   struct {
			Survivors [][]int64                     `json:"input_survivors"`
			Fit       struct{ Alpha, Beta float64 } `json:"peer_fit"`
		} `json:"multi_cohort"`
	}
	reference.JSON(t, "sbg.json", &file)
	for i, p := range []segment{file.High, file.Regular} {
		var s Contracts
		survivors(t, &s, [][]int64{highEnd, regular}[i])
		m, err := FitContract(&s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(m.Convergence.Sentence())
		near(t, "alpha", m.Alpha, p.Fit.Alpha, 1e-3)
		near(t, "beta", m.Beta, p.Fit.Beta, 1e-3)
		within(t, "log-likelihood", m.Convergence.LogLikelihood, 1000*p.LogLikelihood, 0.01)
		if i == 0 {
			within(t, "log-likelihood at 1, 1", s.LogLikelihood(1, 1), 1000*file.AtOne, 0.01)
		}
		for y := 1; y <= 12; y++ {
			near(t, "survival", m.Survival(y), p.Survival[y-1], 1e-3)
			near(t, "retention", m.Renews(y-1), p.Rate[y-1], 1e-3)
			near(t, "stays", m.Stays(0, y), p.Survival[y-1], 1e-3)
		}
		for n, want := range p.Remaining {
			got, ok := m.Remaining(n, 0.10)
			if !ok {
				t.Fatal("no remaining lifetime")
			}
			near(t, "remaining lifetime", got, want, 1e-3)
			// Own oracle: the sum itself; the first period paid is not discounted.
			near(t, "remaining lifetime, added up", got, 1.1*m.Periods(n, 2000, 0.10), 1e-9)
		}
	}
	var s Contracts
	for _, cohort := range file.Multi.Survivors {
		survivors(t, &s, cohort)
	}
	m, err := FitContract(&s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "alpha of cohorts", m.Alpha, file.Multi.Fit.Alpha, 1e-3)
	near(t, "beta of cohorts", m.Beta, file.Multi.Fit.Beta, 1e-3)
}

func TestContractLaws(t *testing.T) {
	var s Contracts
	survivors(t, &s, highEnd)
	m, err := FitContract(&s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range s.Curve(m, stat.Level) {
		within(t, "observed survival", r.Survival, float64(highEnd[i+1])/1000, 1e-12)
		if r.AtRisk != highEnd[i] || !(r.Interval.Lo <= r.Rate && r.Rate <= r.Interval.Hi) {
			t.Errorf("opportunity %d: %+v", r.Opportunity, r)
		}
		if i > 0 && !(m.Renews(i) > m.Renews(i-1)) {
			t.Errorf("renewal does not rise with age at %d", i)
		}
	}
	iv, ok := m.Interval(func(m *Contract) float64 { return m.Survival(12) }, stat.Level)
	if !ok || !(iv.Lo < 0.378 && 0.394 < iv.Hi && iv.Hi-iv.Lo < 0.2) {
		t.Errorf("interval of the survival in year 12: %v; it held 0.394 in the end", iv)
	}
	if _, ok := m.Remaining(3, 0); ok {
		t.Error("an undiscounted lifetime is given though it is infinite")
	}
}

func TestContractTrouble(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Contracts
		want error
	}{
		{"empty", Contracts{}, ErrTooFew},
		{"ten", Contracts{Lost: []int64{0, 5}, Kept: []int64{0, 5}}, ErrTooFew},
		{"nobody left", Contracts{Lost: []int64{0, 0, 0}, Kept: []int64{0, 500, 500}}, ErrNoEnds},
		{"one opportunity", Contracts{Lost: []int64{0, 100}, Kept: []int64{0, 900}}, ErrNoFit},
		{"all alike", Contracts{Lost: []int64{0, 500, 250, 125, 62, 31}, Kept: []int64{0, 0, 0, 0, 0, 32}}, ErrNoFit},
		{"all left at once", Contracts{Lost: []int64{0, 900}, Kept: []int64{0, 0}}, ErrNoFit},
	} {
		m, err := FitContract(&c.s, Options{})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v (%+v)", c.name, err, c.want, m)
		}
	}
	var s Contracts
	for _, bad := range []int{-1, mostPeriods + 1} {
		if !errors.Is(s.Add(bad, false), ErrBad) {
			t.Errorf("%d opportunities were taken", bad)
		}
	}
	if !errors.Is(s.Add(0, true), ErrBad) {
		t.Error("somebody left without an opportunity")
	}
	if got := s.Curve(nil, stat.Level); got != nil {
		t.Errorf("a curve of nobody: %v", got)
	}
}
