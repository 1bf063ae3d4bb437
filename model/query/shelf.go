package query

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"dwell/model"
	"dwell/model/stage"
)

// A Segment is a rule with a name, saved on the shelf.
type Segment struct {
	Name string `toml:"-"`
	Rule string `toml:"rule" comment:"who is in it"`
	Note string `toml:"note,omitempty"`
}

// Segments are the saved segments by name. One that cannot be read is an error:
// it would be missed otherwise.
func (e *Engine) Segments() ([]Segment, error) {
	entries, err := e.shelf.List(model.KindSegment)
	if err != nil {
		return nil, fmt.Errorf("the saved segments cannot be listed: %w", err)
	}
	var out []Segment
	for _, en := range entries {
		s := Segment{Name: en.Name}
		if err := toml.NewDecoder(bytes.NewReader(en.Body)).DisallowUnknownFields().Decode(&s); err != nil {
			return nil, fmt.Errorf("the saved segment %q cannot be read: %w", en.Name, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// Segment is one saved segment.
func (e *Engine) Segment(name string) (Segment, error) {
	all, err := e.Segments()
	if err != nil {
		return Segment{}, err
	}
	var ns []string
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
		ns = append(ns, s.Name)
	}
	return Segment{}, fmt.Errorf("there is no saved segment %q%s", name, didYouMean(name, ns))
}

// PutSegment saves a segment under its name, as a new version if the name is
// taken. Its rule must compile against the data as it stands.
func (e *Engine) PutSegment(ctx context.Context, s Segment) error {
	if s.Name == "" || len(s.Name) > 80 || strings.ContainsFunc(s.Name, func(r rune) bool { return !unicode.IsPrint(r) || r == '"' || r == '/' }) {
		return fmt.Errorf("%q cannot name a segment: use up to 80 letters, digits and signs, without quotes and slashes", s.Name)
	}
	if _, _, err := e.CountRule(ctx, s.Rule); err != nil {
		return err
	}
	body, err := toml.Marshal(s)
	if err != nil {
		return fmt.Errorf("segment %q: %w", s.Name, err)
	}
	if _, err := e.shelf.Put(model.KindSegment, s.Name, body, s.Note); err != nil {
		return fmt.Errorf("segment %q was not saved: %w", s.Name, err)
	}
	return nil
}

// RemoveSegment takes a segment off the shelf.
func (e *Engine) RemoveSegment(name string) error {
	return e.shelf.Remove(model.KindSegment, name)
}

// PutDictionary saves an edited dictionary and reads the data through it from
// now on. No event file is read again.
func (e *Engine) PutDictionary(ctx context.Context, d *model.Dictionary, note string) error {
	body := d.Format()
	if _, err := model.ParseDictionary(body); err != nil {
		return err
	}
	if _, err := e.shelf.Put(model.KindDictionary, model.KindDictionary, body, note); err != nil {
		return fmt.Errorf("the dictionary was not saved: %w", err)
	}
	return e.Reload(ctx)
}

// A StageChange is how many users a stage holds before and after a change.
type StageChange struct {
	Stage         string
	Before, After int64
}

// A ModelParam is one number of the stage model, with what speaks for it.
type ModelParam struct {
	Name          string
	Value         float64 // in force
	Suggested     float64 // from the data as it stands, if HasSuggestion
	HasSuggestion bool
	Evidence      string // one sentence
}

// A ModelState is the stage model in force.
type ModelState struct {
	Name      string
	Hash      string
	Stages    []string
	Params    []ModelParam
	Settings  []stage.Setting // every line of the model, in its order
	Confirmed bool            // a person has looked at the numbers
}
