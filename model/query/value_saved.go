package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"dwell/model"
)

// A SavedFit is a fit of expected value on the shelf: the question that made it,
// the data it saw, and what it was worth on that data's own past. It is readable;
// Fit is what the program goes by.
type SavedFit struct {
	Address    string             `toml:"address" comment:"the question that was fitted"`
	On         string             `toml:"on" comment:"the last day that the fit knows"`
	Data       string             `toml:"data" comment:"hash of the data version"`
	Dictionary string             `toml:"dictionary" comment:"hash of the dictionary: what a purchase is"`
	Model      string             `toml:"model"`
	Buyers     int64              `toml:"buyers" comment:"fitted to; the search begins at fixed starts, so there is no seed"`
	Quality    []string           `toml:"quality" comment:"what such a forecast was worth, tested on the data of then"`
	Parameters map[string]float64 `toml:"parameters" comment:"as they are read: times are in weeks"`
	Fit        string             `toml:"fit,multiline" comment:"the whole fit, as the program reads it"`

	model *expectedModel
}

// parseSavedFit reads one from the shelf.
func parseSavedFit(body []byte) (*SavedFit, error) {
	s := &SavedFit{}
	if err := toml.Unmarshal(body, s); err != nil {
		return nil, fmt.Errorf("the saved fit cannot be read: %w", err)
	}
	s.model = &expectedModel{}
	if err := json.Unmarshal([]byte(s.Fit), s.model); err != nil {
		return nil, fmt.Errorf("the saved fit cannot be read: %w", err)
	}
	if !s.model.usable() {
		return nil, errors.New("the saved fit holds no model")
	}
	return s, nil
}

// SaveExpected fits the question of what users will bring, or takes the fit from
// memory, and puts it on the shelf under a name. It fails with the reason where
// there is none.
func (e *Engine) SaveExpected(ctx context.Context, q Query, name, note string, p Progress) error {
	q, err := q.Check()
	if err != nil {
		return err
	}
	switch {
	case q.Analysis != "expected":
		return fmt.Errorf("%s has no fit to save: ask expected", q.Analysis)
	case q.Get("saved") != "":
		return fmt.Errorf("saved=%s is a saved fit already", q.Get("saved"))
	}
	if err := churnEntryName(name); err != nil {
		return err
	}
	a, err := e.Answer(ctx, q, p) // for what it is worth
	if err != nil {
		return err
	}
	st, err := e.hold(ctx, p)
	if err != nil {
		return err
	}
	defer func() { _ = st.drop() }() // nothing is read after this
	m, err := guarded(func() (*expectedModel, error) {
		r, err := e.newRun(ctx, st, q, p)
		if err != nil {
			return nil, err
		}
		s, err := r.expectedSetting()
		if err != nil {
			return nil, err
		}
		if c := s.buys.code; c != "" && s.buys.coin >= 0 {
			q = q.With("currency", c) // whatever most amounts are in later
		}
		return r.expectedModel(&s, r.AsOf)
	})
	switch {
	case err != nil:
		return err
	case !m.usable():
		return fmt.Errorf("there is no fit to save: %s", m.Why)
	}
	fit, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("the fit %q: %w", name, err)
	}
	s := SavedFit{Address: Query{Analysis: q.Analysis, AsOf: model.NoDay, Params: q.Params}.String(), On: m.On.String(), Data: st.info.Version.Hash, Dictionary: st.dictHash,
		Model: kindNames[m.Repeat.Kind], Buyers: m.Buyers, Parameters: map[string]float64{}, Fit: string(fit)}
	for i, p := range m.Repeat.Kind.Names() {
		s.Parameters[p] = m.Repeat.Params[i]
	}
	if m.Spend != nil && m.SpendWhy == "" {
		s.Parameters["spend_p"], s.Parameters["spend_q"], s.Parameters["spend_v"] = m.Spend.P, m.Spend.Q, m.Spend.V
	}
	for _, bl := range a.Blocks {
		if bl.Name == "worth" {
			s.Quality = bl.Lines
		}
	}
	body, err := toml.Marshal(s)
	if err != nil {
		return fmt.Errorf("the fit %q: %w", name, err)
	}
	if _, err := e.shelf.Put(model.KindExpected, name, body, note); err != nil {
		return fmt.Errorf("the fit %q was not saved: %w", name, err)
	}
	return nil
}

// RemoveExpected takes a saved fit off the shelf.
func (e *Engine) RemoveExpected(name string) error {
	if _, err := e.savedFit(name); err != nil {
		return err
	}
	if err := e.shelf.Remove(model.KindExpected, name); err != nil {
		return fmt.Errorf("the fit %q was not removed: %w", name, err)
	}
	return nil
}

// savedFit finds a saved fit by name.
func (e *Engine) savedFit(name string) (*SavedFit, error) {
	names, err := e.Named(model.KindExpected)
	if err != nil {
		return nil, err
	}
	switch {
	case len(names) == 0:
		return nil, fmt.Errorf("saved=%s: no fit has been saved yet: dwell expected --save NAME does", name)
	case !slices.Contains(names, name):
		return nil, fmt.Errorf("there is no saved fit %q%s: use one of %s", name, didYouMean(name, names), strings.Join(names, ", "))
	}
	en, err := e.shelf.Get(model.KindExpected, name, 0)
	if err != nil {
		return nil, fmt.Errorf("the saved fit %q cannot be read: %w", name, err)
	}
	return parseSavedFit(en.Body)
}

// savedExpected is the setting of a saved fit: its own question, asked of these
// data.
func (r *Run) savedExpected(name string) (s expectedSetting, err error) {
	for _, k := range expectedKeys() {
		if v := r.Q.Get(k.Name); v != "" {
			return s, fmt.Errorf("saved=%s brings its own question: leave %s= out", name, k.Name)
		}
	}
	saved, err := r.eng.savedFit(name)
	if err != nil {
		return s, err
	}
	q, err := Parse(saved.Address)
	if err != nil {
		return s, fmt.Errorf("saved=%s: its question %q is not one any more: %w", name, saved.Address, err)
	}
	inner := Query{Analysis: "expected", AsOf: r.Q.AsOf, Params: q.Params}
	if z := r.Q.Get("zone"); z != "" {
		inner = inner.With("zone", z)
	}
	in, err := r.eng.newRun(r.Ctx, r.st, inner, r.progress)
	if err != nil {
		return s, fmt.Errorf("saved=%s: %w", name, err)
	}
	if s, err = in.expectedSetting(); err != nil {
		return s, fmt.Errorf("saved=%s: %w", name, err)
	}
	s.kind, s.saved, s.name = saved.model.Repeat.Kind, saved, name
	return s, nil
}

// fitsAnalysis lists the fits of expected value that were saved.
func fitsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "fits", Title: "Saved fits", Help: "the fits of expected value that were saved: model, day, buyers, what each was worth, stale or not; each opens its question on the data as they are", ID: NoID},
		plan: planFits,
	}
}

func planFits(r *Run) (*Plan, error) {
	entries, err := r.eng.shelf.List(model.KindExpected)
	if err != nil {
		return nil, fmt.Errorf("the saved fits cannot be listed: %w", err)
	}
	return &Plan{Layout: func(b *Builder) error {
		b.A.volatile = true // the shelf changes without the data
		b.A.Title = "Saved fits of expected value · " + plural(len(entries), "fit")
		b.A.Definition = "Each fit as it was saved. Opened, it foretells from the data as they are with the parameters of then, and is tested on them anew; it is stale once the data or the dictionary have changed. Trained churn models are in churnmodels."
		if len(entries) == 0 {
			b.Block(Block{Kind: TextBlock, Name: "fits", Title: "No fit has been saved", Lines: []string{"Ask expected, which fits one and tests it; ctrl+s on its screen, or dwell expected --save NAME, keeps it here."}})
			return nil
		}
		bl := Block{Kind: TableBlock, Name: "fits", Title: "Saved fits", Heads: []Head{{"model", false}, {"fitted to", true}, {"buyers", true}, {"state", false}, {"saved", false}, {"data", false}, {"asked", false}, {"worth then", false}, {"note", false}}}
		for _, en := range entries {
			s, err := parseSavedFit(en.Body)
			if err != nil {
				bl.Rows = append(bl.Rows, Row{Key: en.Name, Label: en.Name, Cells: []Cell{TextCell("unreadable"), TextCell(""), TextCell(""), TextCell(err.Error())}})
				continue
			}
			n := b.Own(Figure{Key: "fit." + en.Name + ".buyers", Label: en.Name + ": buyers that it was fitted to", Kind: Read, Value: float64(s.Buyers), Unit: "users", N: s.Buyers})
			bl.Rows = append(bl.Rows, Row{Key: en.Name, Label: en.Name, Open: r.link(question("expected", "saved", en.Name)), Cells: []Cell{
				TextCell(s.Model), TextCell(s.On), b.Cell(n), TextCell(r.fitState(s)), TextCell(r.Cal.Time(en.At).Format("2006-01-02")), TextCell(short(s.Data)),
				TextCell(s.Address), TextCell(strings.Join(s.Quality, " ")), TextCell(en.Note)}})
		}
		b.Block(bl)
		return nil
	}}, nil
}

// fitState says what has changed since a fit was saved.
func (r *Run) fitState(s *SavedFit) string {
	var since []string
	if s.Data != r.Info.Version.Hash {
		since = append(since, "data version")
	}
	if s.Dictionary != r.st.dictHash {
		since = append(since, "dictionary")
	}
	if len(since) == 0 {
		return "as fitted"
	}
	return "stale: other " + strings.Join(since, " and ")
}

// savedNote says with an answer by a saved fit what it goes by.
func (x *expecting) savedNote(b *Builder) {
	s := x.set.saved
	if s == nil {
		return
	}
	b.A.volatile = true // the shelf changes without the data
	b.A.Title += " · saved as " + x.set.name
	b.Warn("saved", "By the fit saved as %q: of %s, as of %s; %s.", x.set.name, s.Model, s.On, x.r.fitState(s))
	if x.test != nil && s.On > x.tested.String() {
		b.Warn("seen", "The fit knows what came until %s, so the test from %s on is of what it has seen: it flatters.", s.On, x.tested)
	}
}
