package funnel

import (
	"testing"

	"dwell/model"
)

func TestMilestone(t *testing.T) {
	const start model.Day = 100
	for _, tc := range []struct {
		m    Milestone
		days []model.Day
		met  bool
	}{
		{Milestone{1, 7}, []model.Day{100}, true},
		{Milestone{1, 7}, []model.Day{106}, true},
		{Milestone{1, 7}, []model.Day{107}, false}, // offset 7 is not below 7
		{Milestone{3, 14}, []model.Day{100, 101}, false},
		{Milestone{3, 14}, []model.Day{100, 101, 113, 400}, true},
		{Milestone{1, 1}, nil, false},
	} {
		if got := tc.m.Met(start, tc.days); got != tc.met {
			t.Errorf("%s by %v: %v", tc.m, tc.days, got)
		}
	}
	if m := (Milestone{1, 7}); m.Due(start, 105) || !m.Due(start, 106) {
		t.Error("seven days are due with the end of the seventh")
	}
	if p := Preset135(); len(p) != 3 || p[2] != (Milestone{5, 28}) {
		t.Errorf("%v", p)
	}
}
