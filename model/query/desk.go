package query

import (
	"context"
	"fmt"

	"dwell/model"
)

// CountRule counts the users who meet a rule on the default as-of day, and all
// users, over the resident population: fast enough to ask at every key.
func (e *Engine) CountRule(ctx context.Context, rule string) (n, total int, err error) {
	return 0, 0, fmt.Errorf("rule %q cannot be counted", rule)
}

// PreviewDictionary says how many users each stage holds with the dictionary in
// force and with an edited one, which is not saved.
func (e *Engine) PreviewDictionary(ctx context.Context, d *model.Dictionary, p Progress) ([]StageChange, error) {
	return nil, errNotSaved
}

// Model is the stage model in force, with the numbers that the data suggest.
func (e *Engine) Model(ctx context.Context, p Progress) (*ModelState, error) {
	return nil, errNotSaved
}

// PreviewModel says how many users each stage holds before and after changing
// numbers of the model, which is not saved.
func (e *Engine) PreviewModel(ctx context.Context, params map[string]float64, p Progress) ([]StageChange, error) {
	return nil, errNotSaved
}

// ConfirmModel saves the model with the given numbers (nil: as they are) as one
// that a person has looked at, and reads the data through it from now on.
func (e *Engine) ConfirmModel(ctx context.Context, params map[string]float64, note string) error {
	return errNotSaved
}

// Explain says what a figure is: definition, formula, population, window, zone,
// interval, versions, and two of the data's own users worked through.
func (e *Engine) Explain(ctx context.Context, q Query, key string, p Progress) (*Explanation, error) {
	return nil, errNotSaved
}
