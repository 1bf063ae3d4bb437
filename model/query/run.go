package query

import (
	"context"
	"strconv"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stage"
)

// A Run is one question against one data version: what a plan and its kernel
// may read. Its fields do not change once the plan has it, and its methods may
// be called by many goroutines, but where they say otherwise.
type Run struct {
	Ctx    context.Context
	Q      Query // as asked; Str and its like fill in defaults
	Spec   Spec
	Snap   model.Snapshot
	Info   *model.Info
	Schema *measure.Schema // with the stage model's numbers and names; its calendar is Cal
	Cal    *model.Calendar // of zone= or the dictionary
	Dict   *model.Dictionary
	Roles  *model.Roles
	AsOf   model.Day // the last day that is read
	Cut    model.Cut // the same, for a Filter

	FirstDay model.Day // local day of the data's first event
	LastDay  model.Day // local day of the data's last event, or AsOf if that is earlier

	Groups []Group // from where= and segment=; one, everybody, if neither is given

	eng     *Engine
	st      *state
	an      analysis
	machine *stage.Machine
	segs    *[]Segment // read once
	among   *among     // of of= and key=, found once; nil before
	// truncates: the rule for the left truncated is on, and leaves somebody.
	truncates bool
	progress  Progress
}

// A Group is the users of one where= or segment=. The first is everybody if
// neither is given.
type Group struct {
	Name  string // in keys: a saved segment's name, or "1", "2" … for rules; "" for everybody
	Title string // for a person: the segment's name, or the rule as it was asked
	Rule  string // everything that makes the group; "" for everybody
}

// Label is how a group is named to a person.
func (g Group) Label() string {
	if g.Title != "" {
		return g.Title
	}
	return "everybody"
}

// Str is the value of a key, or its default.
func (r *Run) Str(key string) string { return r.Q.value(&r.Spec, key) }

// Strs are the values of a repeated key, or of a list of names.
func (r *Run) Strs(key string) []string { return r.Q.values(&r.Spec, key) }

// Int is the value of an Int key.
func (r *Run) Int(key string) int {
	n, err := strconv.Atoi(r.Str(key))
	if err != nil {
		return 0 // Parse has let nothing but numbers through; "" is 0
	}
	return n
}

// Day is the value of a DayType key, NoDay if it is not given.
func (r *Run) Day(key string) model.Day {
	d, err := model.ParseDay(r.Str(key))
	if err != nil {
		return model.NoDay
	}
	return d
}

// Role is what event i of the person means.
func (r *Run) Role(p *Person, i int) model.Role {
	m := model.NoMoney
	if p.TL.Amount != nil {
		m = p.TL.Amount[i]
	}
	return r.Roles.Of(p.TL.Name[i], m)
}

// ActiveDays appends the person's active days (SPEC 2, Activity) to dst,
// ascending, each once.
func (r *Run) ActiveDays(dst []model.Day, p *Person) []model.Day {
	for i, d := range p.Days {
		if (len(dst) == 0 || dst[len(dst)-1] != d) && r.Role(p, i).Active() {
			dst = append(dst, d)
		}
	}
	return dst
}

// segments are the saved segments, as they stand when first asked for.
func (r *Run) segments() ([]Segment, error) {
	if r.segs == nil {
		all, err := r.eng.Segments()
		if err != nil {
			return nil, err
		}
		r.segs = &all
	}
	return *r.segs, nil
}
