package churn

import (
	"errors"
	"strings"
	"testing"
)

// The default holds, and its tiers follow risk, value and reachability.
func TestDefaultPlaybook(t *testing.T) {
	p, err := ParsePlaybook(DefaultPlaybook())
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		u    Standpoint
		want string
	}{
		{Standpoint{0.9, 2, 2, 3}, "critical"},
		{Standpoint{0.9, 2, 1, 3}, "at risk"},
		{Standpoint{0.9, 2, 0, 30}, "at risk"}, // of little value, and a reminder inside would not be seen
		{Standpoint{0.9, 2, 0, 14}, "notice"},
		{Standpoint{0.4, 1, 2, 3}, "notice"},
		{Standpoint{0.1, 0, 2, 3}, ""},
	} {
		got := ""
		if tier := p.Tier(tc.u); tier != nil {
			got = tier.Name
		}
		if got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.u, got, tc.want)
		}
	}
	if got := p.Suggest(&p.Tiers[0], "maturity"); got != "a personal call, or a dedicated contact (maturity: loyalty and worth)" {
		t.Errorf("suggested: %q", got)
	}
	if names := strings.Join(p.Names(), ","); names != "critical,at risk,notice" {
		t.Errorf("tiers %s", names)
	}
}

// A case of stage and tier comes before both; errors say where.
func TestPlaybookFiles(t *testing.T) {
	p, err := ParsePlaybook([]byte("[[tier]]\nname = \"red\"\nrisk = \"middle\"\nsuggest = \"call\"\n[[case]]\nstage = \"growth\"\ntier = \"red\"\nsuggest = \"write\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Suggest(&p.Tiers[0], "growth"); got != "write" {
		t.Errorf("suggested: %q", got)
	}
	if p.Tier(Standpoint{Probability: 1}) != nil {
		t.Error("the lowest third is in a tier from the middle one")
	}
	for body, want := range map[string]string{
		"":                                       "no [[tier]]",
		"reach_days = 0\n[[tier]]\nname = \"a\"": "line 1, column 1: at least one day",
		"[[tier]]\nname = \"a\"\n\n[[tier]]\nname = \"b\"\nrisk = \"hihg\"":      `line 6, column 1: "hihg" is none of low, middle, high`,
		"[[tier]]\nname = \"a\"\nprobability = 1.5":                              "line 3, column 1: 1.5 is no probability",
		"[[tier]]\nname = \"a\"\nprobability = \"x\"":                            "line 3, column 15",
		"[[tier]]\nname = \"a\"\nchance = 0.5":                                   `line 3, column 1: there is no setting "tier.chance"`,
		"[[tier]]\nname = \"a\"\nprobabilty = 0.5":                               "(did you mean probability?)",
		"[[tier]]\nname = \"a\"\nreach = \"phone\"":                              `"phone" is none of product, message`,
		"[[tier]]\nsuggest = \"x\"":                                              "line 1, column 3: a tier needs a name",
		"[[tier]]\nname = \"a\"\n[[case]]\nstage = \"growth\"\ntier = \"b\"":     `line 5, column 1: there is no tier "b"`,
		"[[tier]]\nname = \"red\"\n[[case]]\nstage = \"growth\"\ntier = \"rde\"": "did you mean red",

		"[[tier]]\nname = \"a\"\n[[stage]]\nname = \"g\"\n[[stage]]\nname = \"g\"\n": `the stage "g" stands twice`,
		"[[tier]\nname": "line 1",
	} {
		if _, err := ParsePlaybook([]byte(body)); !errors.Is(err, ErrBadPlaybook) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", body, err, want)
		}
	}
}
