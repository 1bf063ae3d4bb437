// Package measure is the vocabulary of numbers about one user: every measure has
// one name, one sentence that defines it, and one implementation, and the same
// name serves the user page, filters, stage rules, churn features and exports.
//
// A user measure is a number (a yes or no, a text, a day) about one user as of
// one local day, made from that user's events up to the end of that day and from
// where the user's own replay stands: never from later events, never from other
// users. Population measures rank a user among all; they are listed here, with
// the ranking function, and computed by the query engine over a Column. A stage
// rule may not use them: appending one user's file would move another's past.
//
// A Ref names a measure with its arguments. Compile turns Refs into a Set, and a
// Cursor walks one timeline forward in days:
//
//	set, err := measure.Compile([]measure.Ref{measure.Of("active_days", 28)}, schema)
//	cur := set.NewCursor()
//	err = snap.Scan(ctx, split, set.Filter(), func(tl *model.Timeline) error {
//		cur.Reset(tl)
//		cur.At(day, measure.State{})
//		v, known := cur.Value(0)
//		...
//	})
//
// What holds:
//
//   - A value is computed when asked for. Within one Reset days only move forward,
//     so each measure reads each event at most twice (as it enters and as it
//     leaves a window), whatever the number of days asked for.
//   - Nothing is known of a user before the first event: every value is missing.
//   - Missing is never zero: Value reports it apart, and no NaN is ever returned.
//   - A window of 30 is the last 30 local days, today among them.
//   - Sums are fixed-point, so a value does not depend on the days visited before.
//   - Drift tells when a value will change by the passage of time alone, so that
//     replay visits change days only.
//
// Populations keep whole numbers as int32, texts as codes, and fractions and sums
// as float64: a float32 would put a user whose ratio is exactly at a threshold on
// one side in a list and on the other in a replay.
package measure

import (
	"maps"

	"dwell/model"
)

// A Schema is what measures and rules are compiled against: one data version
// read through one dictionary and one calendar, with the numbers of a stage
// model.
type Schema struct {
	Info   *model.Info
	Dict   *model.Dictionary
	Roles  *model.Roles
	Cal    *model.Calendar
	Params map[string]float64 // the model's numbers: beat, G, need, usage …
	Stages []string           // the model's stage names, in order
	// Variants are the numbers of the model's variants, by State.Variant less one:
	// a measure that needs a beat takes that of the variant in force.
	Variants []map[string]float64
}

// NewSchema resolves a dictionary against a data version.
func NewSchema(info *model.Info, dict *model.Dictionary) (*Schema, error) {
	cal, err := dict.Calendar()
	if err != nil {
		return nil, err
	}
	return &Schema{Info: info, Dict: dict, Roles: dict.Roles(info), Cal: cal, Params: map[string]float64{}}, nil
}

// WithModel is a copy of the schema with the numbers and stage names of a model.
func (s *Schema) WithModel(params map[string]float64, stages []string) *Schema {
	c := *s
	c.Params, c.Stages, c.Variants = maps.Clone(params), append([]string(nil), stages...), nil
	return &c
}

// A State is where a replay stands on a day: what a measure may know of stages.
// The zero State is that of a user before any stage: dwell and stage are then
// missing, and the spell runs from the first event.
type State struct {
	Stage     int       // index into Schema.Stages
	Since     model.Day // the stage was entered
	SpellFrom model.Day // first event, or the last return from the lost stage
	Spell     int       // 0 for the first
	High      int       // highest stage ever, by index, the lost stage apart
	MaxDwell  int       // days; 0: the stage has none
	Variant   int       // whose numbers are in force: 0 the model's own
}
