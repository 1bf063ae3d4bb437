package value

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
)

// A TierRule divides users by what they have brought so far. The zero value is no
// rule; DefaultTiers is the default.
//
// Of shares: {0.2, 0.5} are the best 20 % of users, those down to the best 50 %,
// and the rest. Of thresholds: {1000, 200} are users who brought at least 1000,
// at least 200, and less. Whoever brought nothing, or got more back than he paid,
// is in the lowest tier by either. Users who brought the same are in the same
// tier, the higher one: a tier may hold more than its share, never part of a tie.
//
// Membership on a day follows from the values as of that day alone: the same rule
// on the same past day gives the same tiers.
type TierRule struct {
	Shares     []float64     // of users from the best, ascending, within (0, 1)
	Thresholds []model.Money // descending, above 0
}

// DefaultTiers are high (the best fifth), middle (down to the best half), low.
func DefaultTiers() TierRule { return TierRule{Shares: []float64{0.2, 0.5}} }

// ParseTiers reads "share:0.2,0.5" or "amount:1000,200".
func ParseTiers(s string) (r TierRule, err error) {
	kind, list, found := strings.Cut(s, ":")
	if !found || kind != "share" && kind != "amount" {
		return r, fmt.Errorf("%q is no rule of tiers: write share:0.2,0.5 for the best 20 %% and 50 %% of users, or amount:1000,200 for what they brought at least", s)
	}
	for _, w := range strings.Split(list, ",") {
		x, err := strconv.ParseFloat(strings.TrimSpace(w), 64)
		if err != nil {
			return r, fmt.Errorf("%q in the rule of tiers %q is not a number", w, s)
		}
		if kind == "share" {
			r.Shares = append(r.Shares, x)
			continue
		}
		m, ok := model.MoneyOf(x)
		if !ok {
			return r, fmt.Errorf("%q in the rule of tiers %q is no amount", w, s)
		}
		r.Thresholds = append(r.Thresholds, m)
	}
	return r, r.Check()
}

// String is the rule as ParseTiers reads it.
func (r TierRule) String() string {
	var w []string
	for _, x := range r.Shares {
		w = append(w, strconv.FormatFloat(x, 'g', -1, 64))
	}
	for _, m := range r.Thresholds {
		w = append(w, m.String())
	}
	if len(r.Shares) > 0 {
		return "share:" + strings.Join(w, ",")
	}
	return "amount:" + strings.Join(w, ",")
}

// mostTiers bounds the cuts, so that tiers have names a person can tell apart.
const mostTiers = 4

// Check fails unless the rule can divide users.
func (r TierRule) Check() error {
	n := len(r.Shares) + len(r.Thresholds)
	switch {
	case len(r.Shares) > 0 && len(r.Thresholds) > 0:
		return fmt.Errorf("a rule of tiers goes by shares or by amounts, not by both")
	case n == 0 || n > mostTiers:
		return fmt.Errorf("a rule of tiers needs 1 to %d cuts, not %d", mostTiers, n)
	}
	for i, x := range r.Shares {
		if !(x > 0 && x < 1) || i > 0 && x <= r.Shares[i-1] {
			return fmt.Errorf("the shares of tiers rise between 0 and 1, such as 0.2,0.5; %v does not", x)
		}
	}
	for i, m := range r.Thresholds {
		if m <= 0 || m > model.MaxMoney || i > 0 && m >= r.Thresholds[i-1] {
			return fmt.Errorf("the amounts of tiers fall and are above 0, such as 1000,200; %s does not", m)
		}
	}
	return nil
}

// Names are the tiers from the best.
func (r TierRule) Names() []string {
	switch len(r.Shares) + len(r.Thresholds) {
	case 1:
		return []string{"high", "low"}
	case 2:
		return []string{"high", "middle", "low"}
	case 3:
		return []string{"top", "high", "middle", "low"}
	}
	return []string{"top", "high", "middle", "low", "lowest"}
}

// Tiers are a rule's cuts on one population.
type Tiers struct {
	Rule TierRule
	Cuts []model.Money // least value of each tier but the lowest, descending
}

// Cut applies the rule to what the users of a population brought as of a day.
// values is not changed. A cut that would fall on users who brought nothing is 0
// and its tier takes those who brought anything.
func (r TierRule) Cut(values []model.Money) Tiers {
	t := Tiers{Rule: r, Cuts: slices.Clone(r.Thresholds)}
	if len(r.Shares) == 0 {
		return t
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	for _, share := range r.Shares {
		k := int(math.Ceil(share*float64(len(sorted)) - 1e-9)) // that many from the best
		cut := model.Money(1)
		if k > 0 && k <= len(sorted) {
			cut = max(cut, sorted[len(sorted)-k])
		}
		t.Cuts = append(t.Cuts, cut)
	}
	return t
}

// Of is a user's tier, 0 the best.
func (t Tiers) Of(value model.Money) int {
	for i, cut := range t.Cuts {
		if value != model.NoMoney && value >= cut {
			return i
		}
	}
	return len(t.Cuts)
}
