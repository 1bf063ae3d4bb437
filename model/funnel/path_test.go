package funnel

import (
	"slices"
	"testing"

	"dwell/model"
)

func TestWalk(t *testing.T) {
	times := []int64{0, 10, 20, 51, 60, 91}
	names := []model.NameID{1, 1, 2, 2, 2, 1}
	for _, tc := range []struct {
		w     Walk
		steps []int32
		paths []Path
	}{
		{Walk{}, []int32{0, 1, 2, 3, 4, 5}, []Path{{0, 6}}},
		{Walk{Gap: 30}, []int32{0, 1, 2, 3, 4, 5}, []Path{{0, 3}, {3, 5}, {5, 6}}}, // 31 parts, 30 does not
		{Walk{Gap: 31}, []int32{0, 1, 2, 3, 4, 5}, []Path{{0, 6}}},
		{Walk{Collapse: true}, []int32{0, 2, 5}, []Path{{0, 3}}},
		{Walk{Gap: 30, Collapse: true}, []int32{0, 2, 3, 5}, []Path{{0, 2}, {2, 3}, {3, 4}}},
	} {
		steps, paths := tc.w.Steps(nil, nil, times, names)
		if !slices.Equal(steps, tc.steps) || !slices.Equal(paths, tc.paths) {
			t.Errorf("%+v: %v %v, want %v %v", tc.w, steps, paths, tc.steps, tc.paths)
		}
	}
	if s, p := (Walk{Gap: 1}).Steps(nil, nil, nil, nil); len(s)+len(p) > 0 {
		t.Error("nobody walks no path")
	}
}
