package measure

import "dwell/model"

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
}

// NewSchema resolves a dictionary against a data version.
func NewSchema(info *model.Info, dict *model.Dictionary) (*Schema, error) {
	cal, err := dict.Calendar()
	if err != nil {
		return nil, err
	}
	return &Schema{Info: info, Dict: dict, Roles: dict.Roles(info), Cal: cal, Params: map[string]float64{}}, nil
}

// A State is where a replay stands on a day: what a measure may know of stages.
// The zero State is that of a user before any stage.
type State struct {
	Stage     int       // index into Schema.Stages
	Since     model.Day // the stage was entered
	SpellFrom model.Day // first event, or the last return from the lost stage
	Spell     int       // 0 for the first
	High      int       // highest stage ever, by index, the lost stage apart
	MaxDwell  int       // days; 0: the stage has none
}
