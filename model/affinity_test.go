package model

import (
	"errors"
	"strings"
	"testing"
)

func TestAffinityFormula(t *testing.T) {
	a := DefaultAffinity()
	if got, want := a.Formula(), "2·invitation + 1·social act + 1·answer of 0–10 (−1 … 1) + 1·rating (−1 … 1) − 2·complaint, each halved every 90 days"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	a = Affinity{HalfLife: 30, Complaint: -0.5, Events: map[string]float64{"bug report": -3}}
	if got, want := a.Formula(), `−0.5·complaint − 3·"bug report", each halved every 30 days`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := (&Affinity{HalfLife: 1}).Formula(); !strings.Contains(got, "every weight is 0") {
		t.Error(got)
	}
}

// What cannot be is refused with its place; a file without the table has the
// program's own weights, and one with some of the settings keeps the others.
func TestAffinityInDictionary(t *testing.T) {
	for body, want := range map[string]string{
		"zone = 'UTC'\n[affinity]\nhalf_life = 0\n":        "line 3, column 13: half_life is 0",
		"[affinity]\n  invite = nan\n":                     "line 2, column 12: the weight of invite is NaN",
		"[affinity]\nsocial = 1001\n":                      "line 2, column 10: the weight of social is 1001",
		"[affinity]\nsocial = 'much'\n":                    "line 2, column 10",
		"[affinity]\nhalf_live = 30\n":                     "line 2, column 1: there is no setting \"affinity.half_live\": [affinity] has half_life, invite",
		"[affinity.events]\n'bug report' = -inf\n":         "line 2, column 16: the weight of bug report is -Inf",
		"[answers]\nreview = 1\n":                          "line 2, column 10: the best answer of \"review\" is 1",
		"[events]\nbuy = 'purchase'\nopen = 'nonsense'\n":  "line 3, column 8: event \"open\"",
		"week_start = 'monday'\nzone = 'Nowhere/At_All'\n": "line 2, column 8",
		"zone = 'UTC'\nweek_start = 'noday'\n":             "line 2, column 14",
		"starts = 'whole'\n":                               "line 1, column 10",
		"[columns]\nscore = 'score'\nratings = 'x'\n":      "line 3, column 1: there is no setting \"columns.ratings\": [columns] has currency",
	} {
		_, err := ParseDictionary([]byte(body))
		if !errors.Is(err, ErrBadDictionary) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", body, err, want)
		}
	}
	d, err := ParseDictionary([]byte("[affinity]\nhalf_life = 30.5\n[affinity.events]\n'bug report' = -3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if a := d.Affinity; a.HalfLife != 30.5 || a.Invite != 2 || a.Events["bug report"] != -3 {
		t.Errorf("%+v", a)
	}
	if d, err := ParseDictionary([]byte("zone = 'UTC'\n")); err != nil || d.Affinity.Formula() != NewDictionary().Affinity.Formula() {
		t.Errorf("%+v, %v", d, err)
	}
}
