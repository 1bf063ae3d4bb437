package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/churn"
)

// The playbook on the shelf: whom to look after first, and what is suggested. It
// has one name; every version is kept.

const kindPlaybook = "playbook"

// A PlaybookState is the playbook in force.
type PlaybookState struct {
	Playbook *churn.Playbook // nil where Broken
	Body     []byte
	Version  int // on the shelf; 0: the default, nothing has been put there
	Note     string
	At       int64  // ms; 0 of the default
	Broken   string // why what lies on the shelf cannot be used; "" if it can
}

// Playbook is the playbook in force. A file on the shelf that cannot be read, by
// a hand's edit, is said and not replaced in silence.
func (e *Engine) Playbook() (PlaybookState, error) {
	en, err := e.shelf.Get(kindPlaybook, kindPlaybook, 0)
	switch {
	case errors.Is(err, model.ErrNoEntry):
		body := churn.DefaultPlaybook()
		p, err := churn.ParsePlaybook(body)
		return PlaybookState{Playbook: p, Body: body}, err
	case err != nil:
		return PlaybookState{}, fmt.Errorf("the playbook cannot be read: %w", err)
	}
	s := PlaybookState{Body: en.Body, Version: en.Version, Note: en.Note, At: en.At}
	if s.Playbook, err = churn.ParsePlaybook(en.Body); err != nil {
		s.Broken = err.Error()
	}
	return s, nil
}

// PutPlaybook puts a playbook on the shelf, and in force. It fails with the line
// and column of what is wrong.
func (e *Engine) PutPlaybook(body []byte, note string) (version int, err error) {
	if _, err := e.CheckPlaybook(body); err != nil {
		return 0, err
	}
	en, err := e.shelf.Put(kindPlaybook, kindPlaybook, body, note)
	if err != nil {
		return 0, fmt.Errorf("the playbook was not saved: %w", err)
	}
	return en.Version, nil
}

// CheckPlaybook reads a playbook as PutPlaybook does, and changes nothing: its stages
// must be those of the stage model in force, or of another that could be.
func (e *Engine) CheckPlaybook(body []byte) (PlaybookState, error) {
	s := PlaybookState{Body: body}
	var err error
	if s.Playbook, err = churn.ParsePlaybook(body); err != nil {
		return s, err
	}
	now, err := e.shelfModel()
	if err != nil {
		return s, err
	}
	all, err := e.Models()
	if err != nil {
		return s, err
	}
	err = s.Playbook.CheckStages(body, func(name string) string {
		if slices.Contains(now.Names(), name) || slices.ContainsFunc(all, func(v ModelVersion) bool { return slices.Contains(v.Stages, name) }) {
			return ""
		}
		return fmt.Sprintf("no stage is named %q%s: the stage model %s has %s", name, didYouMean(name, now.Names()), now.Name, strings.Join(now.Names(), ", "))
	})
	s.Note = unusedStages(s.Playbook, now.Name, now.Names())
	return s, err
}

// unusedStages says which of a playbook's stages the model in force has not; "" if
// it has all.
func unusedStages(p *churn.Playbook, model string, stages []string) string {
	var out []string
	for _, name := range p.StageNames() {
		if !slices.Contains(stages, name) {
			out = append(out, name+didYouMean(name, stages))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return fmt.Sprintf("The stage model in force, %s, has no stage %s: what the playbook says of it holds for nobody. It has %s.", model, strings.Join(out, ", nor "), strings.Join(stages, ", "))
}

// DropPlaybook takes the playbook off the shelf: the default is in force again.
func (e *Engine) DropPlaybook() error {
	return e.shelf.Remove(kindPlaybook, kindPlaybook)
}

// playbookHash is the part of a cache key for answers that read the playbook.
func (e *Engine) playbookHash(q Query) (string, error) {
	if q.Analysis != "targets" {
		return "", nil
	}
	s, err := e.Playbook()
	return hashOf(s.Body), err
}
