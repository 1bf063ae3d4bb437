package funnel

import "dwell/model"

// A Walk says what of a user's events is one path.
type Walk struct {
	// Gap parts a life into sessions: a gap strictly greater starts a new one
	// (SPEC 2, Session). 0: the whole life is one path. In ms.
	Gap int64
	// Collapse takes a run of one event name for one step.
	Collapse bool
}

// A Path is the events From … To−1 of a walk's steps.
type Path struct{ From, To int }

// Steps appends the indices of the events that are steps, in order: all of them,
// or with Collapse the first of each run of one name within a path. paths gets
// where each path begins and ends among them. times ascend; both slices have an
// entry an event and are not changed.
func (w Walk) Steps(steps []int32, paths []Path, times []int64, names []model.NameID) ([]int32, []Path) {
	for i := range times {
		fresh := i == 0 || w.Gap > 0 && times[i]-times[i-1] > w.Gap
		if fresh {
			paths = append(paths, Path{len(steps), len(steps)})
		}
		if !fresh && w.Collapse && names[i] == names[i-1] {
			continue
		}
		steps = append(steps, int32(i))
		paths[len(paths)-1].To = len(steps)
	}
	return steps, paths
}
