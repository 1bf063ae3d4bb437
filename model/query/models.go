package query

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/stage"
)

// Stage models on the shelf: each model has an entry of its own name, whose
// versions are what was ever put under it; the entry "model" is what was in
// force, version by version, the newest now.

// A ModelVersion is one version of a stage model.
type ModelVersion struct {
	Name    string
	Version int // of the entry it stands in; 0 of a preset
	Title   string
	Note    string
	At      int64 // ms; 0 of a preset
	Hash    string
	Stages  []string
	Frozen  bool // every number is given, none is a suggestion
	InForce bool
	// Older is set in Models where not this, the newest version, is in force but
	// that earlier one.
	Older  int
	Broken string // why it cannot be read; "" if it can
}

func versionOf(en model.Entry) ModelVersion {
	v := ModelVersion{Name: en.Name, Version: en.Version, Note: en.Note, At: en.At}
	m, err := stage.Parse(en.Body)
	if err != nil {
		v.Broken = err.Error()
		return v
	}
	v.Title, v.Hash, v.Stages, v.Frozen = m.Title, m.Hash(), m.Names(), m.Frozen()
	if en.Name == modelEntry {
		v.Name = m.Name
	}
	return v
}

// Models lists the newest version of every model on the shelf, and the presets
// that nobody has put there, by name.
func (e *Engine) Models() ([]ModelVersion, error) {
	entries, err := e.shelf.List(model.KindModel)
	if err != nil {
		return nil, fmt.Errorf("the stage models cannot be listed: %w", err)
	}
	now, err := e.ModelBody("", 0)
	if err != nil {
		return nil, err
	}
	var out []ModelVersion
	for _, en := range entries {
		if en.Name != modelEntry {
			v := versionOf(en)
			v.InForce = bytes.Equal(en.Body, now)
			out = append(out, v)
		}
	}
	for _, name := range stage.Presets() {
		if slices.ContainsFunc(out, func(v ModelVersion) bool { return v.Name == name }) {
			continue
		}
		_, body, err := stage.Preset(name)
		if err != nil {
			return nil, err
		}
		v := versionOf(model.Entry{Name: name, Body: body})
		v.InForce = bytes.Equal(body, now)
		out = append(out, v)
	}
	if i := slices.IndexFunc(out, func(v ModelVersion) bool { return v.InForce }); i < 0 {
		// An older version is in force.
		for i := range out {
			for n := out[i].Version - 1; n >= 1 && out[i].Older == 0; n-- {
				if en, err := e.shelf.Get(model.KindModel, out[i].Name, n); err == nil && bytes.Equal(en.Body, now) {
					out[i].InForce, out[i].Older = true, n
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b ModelVersion) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// ModelLog lists the versions of a model, newest first; of "" what has been in
// force on this data set.
func (e *Engine) ModelLog(name string) ([]ModelVersion, error) {
	entry := name
	if name == "" {
		entry = modelEntry
	}
	now, err := e.ModelBody("", 0)
	if err != nil {
		return nil, err
	}
	newest, err := e.shelf.Get(model.KindModel, entry, 0)
	if errors.Is(err, model.ErrNoEntry) {
		if name == "" {
			return nil, nil // the default preset has been in force from the first day
		}
		return nil, e.noModel(name)
	}
	if err != nil {
		return nil, fmt.Errorf("the stage model %q cannot be read: %w", name, err)
	}
	var out []ModelVersion
	for n := newest.Version; n >= 1; n-- {
		en, err := e.shelf.Get(model.KindModel, entry, n)
		if err != nil {
			continue // taken off the shelf: its number stays free
		}
		v := versionOf(en)
		v.InForce = bytes.Equal(en.Body, now) && !slices.ContainsFunc(out, func(o ModelVersion) bool { return o.InForce })
		out = append(out, v)
	}
	return out, nil
}

// ModelBody is the text of a model: of a version on the shelf (0: the newest),
// else of a preset; of "" the model in force.
func (e *Engine) ModelBody(name string, version int) ([]byte, error) {
	entry := name
	if name == "" {
		entry = modelEntry
	}
	en, err := e.shelf.Get(model.KindModel, entry, version)
	switch {
	case err == nil:
		return en.Body, nil
	case !errors.Is(err, model.ErrNoEntry):
		return nil, fmt.Errorf("the stage model %q cannot be read: %w", entry, err)
	case name == "" && version == 0:
		_, body, err := stage.Preset(stage.Default)
		return body, err
	case version == 0 && slices.Contains(stage.Presets(), name):
		_, body, err := stage.Preset(name)
		return body, err
	case version != 0 && e.onShelf(entry):
		return nil, fmt.Errorf("the stage model %q has no version %d: dwell model log %s lists them", name, version, name)
	case version != 0 && slices.Contains(stage.Presets(), name):
		return nil, fmt.Errorf("%q is a preset and has no versions yet: leave the version out", name)
	}
	return nil, e.noModel(name)
}

func (e *Engine) onShelf(name string) bool {
	_, err := e.shelf.Get(model.KindModel, name, 0)
	return err == nil
}

func (e *Engine) noModel(name string) error {
	names := stage.Presets()
	if all, err := e.shelf.List(model.KindModel); err == nil {
		for _, en := range all {
			if en.Name != modelEntry && !slices.Contains(names, en.Name) {
				names = append(names, en.Name)
			}
		}
	}
	slices.Sort(names)
	return fmt.Errorf("there is no stage model %q%s: there are %s", name, didYouMean(name, names), strings.Join(names, ", "))
}

// CheckModel reads a model file as PutModel would, against the data, and changes
// nothing. The model it gives has its numbers.
func (e *Engine) CheckModel(ctx context.Context, body []byte, p Progress) (*stage.Model, error) {
	m, err := stage.Parse(body)
	if err != nil {
		return nil, err
	}
	if err := nameable(m); err != nil {
		return nil, err
	}
	r, done, err := e.today(ctx, p)
	if err != nil {
		return nil, err
	}
	defer done()
	return r.ready(m)
}

// ready is a model with its numbers, found to work on the run's data. Numbers
// that are suggestions come from the data up to the run's as-of day.
func (r *Run) ready(m *stage.Model) (*stage.Model, error) {
	if !m.Frozen() {
		s, err := r.suggestion()
		if err != nil {
			return nil, err
		}
		if m, err = r.freeze(m, s); err != nil {
			return nil, err
		}
	}
	_, err := stage.Compile(m, r.Schema)
	return m, err
}

// suggestion is what the data up to the as-of day say about a model's numbers:
// that of the default day is kept.
func (r *Run) suggestion() (*stage.Suggestion, error) {
	if r.AsOf == r.st.data.AsOf {
		return r.st.suggestion(r.Ctx, r.eng, r.progress)
	}
	total := stage.NewSuggester(r.Schema, r.AsOf)
	err := Scan(r, Needs{Amounts: total.Filter().Amounts},
		func() *stage.Suggester { return stage.NewSuggester(r.Schema, r.AsOf) },
		func(s *stage.Suggester, p *Person) error { s.Add(p.TL); return nil },
		func(s *stage.Suggester) error { total.Merge(s); return nil })
	return total.Suggest(), err
}

func nameable(m *stage.Model) error {
	if m.Name == modelEntry {
		return fmt.Errorf("%w: %q is the shelf's own word for the model in force: give it another name", stage.ErrBadModel, m.Name)
	}
	return nil
}

// UseModel puts a model in force: a version on the shelf (0: the newest), or a
// preset. A preset's numbers are suggested from the data and wait to be
// confirmed.
func (e *Engine) UseModel(ctx context.Context, name string, version int, note string) error {
	body, err := e.ModelBody(name, version)
	if err != nil {
		return err
	}
	return e.PutModel(ctx, body, note)
}

// PutModel takes a model file as the stage model in force, as a new version of
// its name where its text is new. Its numbers, where they are expressions, are
// suggested from the data and wait for ConfirmModel. A model that does not work
// on the data is refused, and nothing is touched.
func (e *Engine) PutModel(ctx context.Context, body []byte, note string) error {
	if _, err := e.CheckModel(ctx, body, nil); err != nil {
		return err
	}
	m, err := stage.Parse(body)
	if err != nil {
		return err
	}
	dict, _, err := e.Dictionary()
	if err != nil {
		return err
	}
	d := *dict
	d.Confirmed = m.Frozen()
	_, err = e.putModel(ctx, m, body, &d, note)
	return err
}

// keepPreset puts the preset that has been in force from the beginning on the
// shelf, before another body takes its name: as version 1 it can be compared and
// come back. Presets put in force by a person have their version already.
func (e *Engine) keepPreset(name string, body []byte) error {
	if name != stage.Default {
		return nil
	}
	for _, entry := range []string{modelEntry, name} {
		if _, err := e.shelf.Get(model.KindModel, entry, 0); !errors.Is(err, model.ErrNoEntry) {
			return err
		}
	}
	_, preset, err := stage.Preset(name)
	if err != nil || bytes.Equal(preset, body) {
		return err
	}
	if _, err := e.shelf.Put(model.KindModel, name, preset, "the preset, in force until then"); err != nil {
		return fmt.Errorf("the stage model was not saved: %w", err)
	}
	return nil
}

// putModel keeps a model under its name and puts it in force, with the
// dictionary that says whether a person has confirmed its numbers. It gives the
// version under the model's name.
func (e *Engine) putModel(ctx context.Context, m *stage.Model, body []byte, dict *model.Dictionary, note string) (int, error) {
	if err := nameable(m); err != nil {
		return 0, err
	}
	version := 0
	if en, err := e.shelf.Get(model.KindModel, m.Name, 0); err == nil {
		for n := en.Version; n >= 1 && version == 0; n-- {
			if old, err := e.shelf.Get(model.KindModel, m.Name, n); err == nil && bytes.Equal(old.Body, body) {
				version = n
			}
		}
	}
	if version == 0 {
		if err := e.keepPreset(m.Name, body); err != nil {
			return 0, err
		}
		en, err := e.shelf.Put(model.KindModel, m.Name, body, note)
		if err != nil {
			return 0, fmt.Errorf("the stage model was not saved: %w", err)
		}
		version = en.Version
	}
	if _, err := e.shelf.Put(model.KindModel, modelEntry, body, note); err != nil {
		return 0, fmt.Errorf("the stage model was saved as version %d of %s, but is not in force: %w", version, m.Name, err)
	}
	_, old, err := e.Dictionary()
	if err == nil && bytes.Equal(old, dict.Format()) {
		return version, e.Reload(ctx)
	}
	return version, e.PutDictionary(ctx, dict, note)
}
