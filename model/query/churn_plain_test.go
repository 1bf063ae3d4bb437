package query

import (
	"strings"
	"testing"
)

// A coefficient that a person reads has no exponent, however small its unit.
func TestPlain(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want string
	}{{0, "0.0000"}, {1.2345, "1.23"}, {-0.98765, "-0.9877"}, {0.0012345, "0.0012"}, {4.4567e-05, "0.0000446"}, {-7.26e-06, "-0.00000726"}, {1e-12, "0"}} {
		if got := Plain(c.x); got != c.want {
			t.Errorf("Plain(%v) = %q, want %q", c.x, got, c.want)
		}
	}
	for _, c := range []struct {
		unit string
		x    float64
		want string
	}{{"days", 0.5, "days"}, {"money", 4.4567e-05, "money; per 1,000 0.045"}, {"", -0.00037, "per 100 -0.037"}, {"money", 2e-8, "money; per 1,000,000 0.02"}, {"money", 2e-12, "money"}} {
		if got := perUnit(c.unit, c.x); got != c.want {
			t.Errorf("perUnit(%q, %v) = %q, want %q", c.unit, c.x, got, c.want)
		}
	}
	for x := 1e-11; x < 1e9; x *= 3.7 {
		if s := churnNumber(x) + Plain(x) + significant(x, 6); strings.ContainsAny(s, "eE") {
			t.Errorf("%v is written with an exponent: %s", x, s)
		}
	}
}
