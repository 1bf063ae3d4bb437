package query

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"dwell/model"
)

// An Annotation is a dated note of a person (a release, a campaign, an outage):
// it stands on every chart over days (SPEC R2.20).
type Annotation struct {
	Day  model.Day
	Text string
}

// name is the annotation's name on the shelf: one for each day and text.
func (a Annotation) name() string { return a.Day.String() + " " + hashOf([]byte(a.Text)) }

type annotationFile struct {
	Day  string `toml:"day"`
	Text string `toml:"text"`
}

// Annotations are all notes, by day.
func (e *Engine) Annotations() ([]Annotation, error) {
	entries, err := e.shelf.List(model.KindAnnotation)
	if err != nil {
		return nil, fmt.Errorf("the annotations cannot be listed: %w", err)
	}
	var out []Annotation
	for _, en := range entries { // by name, which begins with the day
		var f annotationFile
		if err := toml.NewDecoder(bytes.NewReader(en.Body)).DisallowUnknownFields().Decode(&f); err != nil {
			return nil, fmt.Errorf("the annotation %q cannot be read: %w", en.Name, err)
		}
		d, err := model.ParseDay(f.Day)
		if err != nil {
			return nil, fmt.Errorf("the annotation %q: %w", en.Name, err)
		}
		out = append(out, Annotation{Day: d, Text: f.Text})
	}
	return out, nil
}

// PutAnnotation saves a note.
func (e *Engine) PutAnnotation(a Annotation) error {
	if strings.TrimSpace(a.Text) == "" || a.Day == model.NoDay {
		return fmt.Errorf("an annotation has a day and a text")
	}
	body, err := toml.Marshal(annotationFile{a.Day.String(), a.Text})
	if err != nil {
		return fmt.Errorf("the annotation was not saved: %w", err)
	}
	if _, err := e.shelf.Put(model.KindAnnotation, a.name(), body, ""); err != nil {
		return fmt.Errorf("the annotation was not saved: %w", err)
	}
	return nil
}

// RemoveAnnotation takes a note off the shelf.
func (e *Engine) RemoveAnnotation(a Annotation) error {
	return e.shelf.Remove(model.KindAnnotation, a.name())
}

// annotate puts the notes on the answer's charts over days.
func (r *Run) annotate(a *Answer) error {
	var notes []Annotation
	read := false
	for i := range a.Blocks {
		ch := a.Blocks[i].Chart
		if ch == nil || !ch.Dates || len(ch.X) == 0 {
			continue
		}
		if !read {
			var err error
			if notes, err = r.eng.Annotations(); err != nil {
				return err
			}
			read = true
		}
		for _, n := range notes {
			if x := float64(n.Day); x >= ch.X[0] && x <= ch.X[len(ch.X)-1] {
				ch.Marks = append(ch.Marks, Mark{X: x, Text: n.Text})
			}
		}
	}
	return nil
}
