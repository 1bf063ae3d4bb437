package query

import (
	"errors"
	"fmt"
	"strings"

	"dwell/model"
)

// user reads one person, as Snapshot.User does. Where there is none of that id the
// error names ids that are near: those that hold it, else those that begin as it
// does.
func (r *Run) user(id string, f model.Filter) (model.Timeline, error) {
	tl, err := r.Snap.User(r.Ctx, id, f)
	if !errors.Is(err, model.ErrNoUser) {
		return tl, err
	}
	const offered = 3
	runes := []rune(id)
	for n := len(runes); n > len(runes)/2 && n > 0; n-- {
		near := bestFound{low: strings.ToLower(string(runes[:n])), max: offered}
		if ferr := r.search(string(runes[:n]), near.take); ferr != nil || len(near.found) == 0 {
			continue
		}
		var ids []string
		for _, x := range near.found {
			ids = append(ids, x.ID)
		}
		return tl, fmt.Errorf("%w; ids that are near: %s (dwell users --find TEXT, or : and part of the id in the explorer, looks for more)", err, strings.Join(ids, ", "))
	}
	return tl, fmt.Errorf("%w, and no id is near it: dwell users --find TEXT, or : and part of an id in the explorer, looks for one", err)
}
