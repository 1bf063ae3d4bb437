package query

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/churn"
)

// churnmodelsAnalysis lists the trained models that were saved: what each was
// asked, what it was worth on its test, and whether data or stage model have
// changed since. Its numbers are those of the day of saving; a model opens its
// test on the data as they are.
func churnmodelsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "churnmodels", Title: "Saved churn models", Help: "the trained models that were saved: kind, question, data version, seed, AUC, and whether data or stage model have changed since", ID: NoID},
		plan: planChurnmodels,
	}
}

func planChurnmodels(r *Run) (*Plan, error) {
	entries, err := r.eng.ChurnModels()
	if err != nil {
		return nil, err
	}
	return &Plan{Layout: func(b *Builder) error {
		b.A.volatile = true // the shelf changes without the data
		b.A.Title = "Saved churn models · " + plural(len(entries), "model")
		b.A.Definition = "Each model as it was saved: AUC and users are of its own test, on outcomes that its training had not seen. It is stale once data or stage model have changed: opened, it is tested on the data as they are."
		if len(entries) == 0 {
			b.Block(Block{Kind: TextBlock, Name: "models", Title: "No model has been saved", Lines: []string{"Ask churn, which trains and tests one; ctrl+s on its screen, or dwell churn --save NAME, keeps it here."}})
			return nil
		}
		bl := Block{Kind: TableBlock, Name: "models", Title: "Saved models", Heads: []Head{{Label: "kind"}, {Label: "AUC", Right: true}, {Label: "95 %"}, {Label: "state"}, {Label: "saved"}, {Label: "trained to"}, {Label: "tested", Right: true}, {Label: "base rate", Right: true}, {Label: "seed", Right: true}, {Label: "data"}, {Label: "list"}, {Label: "asked"}, {Label: "question"}, {Label: "note"}}}
		for _, en := range entries {
			bl.Rows = append(bl.Rows, r.savedRow(b, en))
		}
		b.Block(bl)
		return nil
	}}, nil
}

// savedRow is one saved model's line. One that cannot be read says why: it would
// be missed otherwise.
func (r *Run) savedRow(b *Builder, en model.Entry) Row {
	s, err := churn.ParseSaved(en.Body)
	if err != nil {
		return Row{Key: en.Name, Label: en.Name, Cells: []Cell{TextCell("unreadable"), TextCell(""), TextCell(""), TextCell(err.Error())}}
	}
	asked := strings.TrimPrefix(strings.TrimPrefix(s.Address, "churn"), "?")
	if asked == "" {
		asked = "the default question"
	}
	q, state := &s.Quality, r.staleness(s)
	own := func(key, what string, value float64, unit string) int {
		return b.Own(Figure{Key: "model." + en.Name + "." + key, Label: fmt.Sprintf("%s: %s · %s model · %s · trained to %s · seed %d · data %s · %s", en.Name, what, s.Fitted.Kind, state, s.Train, s.Seed, short(s.Data), asked),
			Kind: Read, Value: value, Unit: unit, N: int64(q.Users)})
	}
	auc := own("auc", "AUC of its test", q.AUC, "")
	g := b.Fig(auc)
	g.Interval, g.Lo, g.Hi, g.Method = q.Lo < q.Hi, q.Lo, q.Hi, "DeLong 95 %, as saved"
	act := TextCell("whom to act on")
	act.Go = r.link(question("targets", "saved", en.Name))
	return Row{Key: en.Name, Label: en.Name, Open: r.link(question("churn", "saved", en.Name)), Cells: []Cell{
		TextCell(string(s.Fitted.Kind)), b.Cell(auc), TextCell(fmt.Sprintf("%.3f to %.3f", q.Lo, q.Hi)), TextCell(state),
		TextCell(r.Cal.Time(en.At).Format("2006-01-02")), TextCell(s.Train),
		b.Cell(own("tested", "users tested on", float64(q.Users), "users")), b.Cell(own("base_rate", "base rate of its test", q.BaseRate, "share")),
		TextCell(strconv.FormatUint(s.Seed, 10)), TextCell(short(s.Data)), act, TextCell(asked), TextCell(s.Question.Sentence()), TextCell(en.Note),
	}}
}

// short is a hash as it is shown beside others.
func short(hash string) string { return hash[:min(8, len(hash))] }

// staleness says what has changed since a model was trained.
func (r *Run) staleness(s *churn.Saved) string {
	since := r.changedSince(s)
	if len(since) == 0 {
		return "as trained"
	}
	return "stale: other " + strings.Join(since, " and ")
}

// changedSince names what is not what a model was trained on.
func (r *Run) changedSince(s *churn.Saved) (since []string) {
	if s.Data != r.Info.Version.Hash {
		since = append(since, "data version")
	}
	if s.Model != r.st.data.ModelHash {
		since = append(since, "stage model")
	}
	return since
}

// RenameChurn gives a saved model another name.
func (e *Engine) RenameChurn(old, name string) error {
	if err := churnEntryName(name); err != nil {
		return err
	}
	en, err := e.savedChurn(old)
	if err != nil {
		return err
	}
	switch _, err := e.shelf.Get(model.KindChurn, name, 0); {
	case old == name:
		return fmt.Errorf("the model %q has that name already", name)
	case err == nil:
		return fmt.Errorf("there is a saved model %q already: remove it first, or choose another name", name)
	case !errors.Is(err, model.ErrNoEntry):
		return fmt.Errorf("the churn model %q was not renamed: %w", old, err)
	}
	if _, err := e.shelf.Put(model.KindChurn, name, en.Body, en.Note); err != nil {
		return fmt.Errorf("the churn model %q was not renamed: %w", old, err)
	}
	if err := e.shelf.Remove(model.KindChurn, old); err != nil {
		return fmt.Errorf("the churn model is saved as %q now, and %q could not be removed: %w", name, old, err)
	}
	return nil
}

// RemoveChurn takes a saved model off the shelf.
func (e *Engine) RemoveChurn(name string) error {
	if _, err := e.savedChurn(name); err != nil {
		return err
	}
	if err := e.shelf.Remove(model.KindChurn, name); err != nil {
		return fmt.Errorf("the churn model %q was not removed: %w", name, err)
	}
	return nil
}

// Named are the names of what lies on the shelf, of one kind: what a key whose
// KeySpec.Shelf is that kind may be given.
func (e *Engine) Named(kind string) ([]string, error) {
	entries, err := e.shelf.List(kind)
	if err != nil {
		return nil, fmt.Errorf("the shelf cannot be read: %w", err)
	}
	var out []string
	for _, en := range entries {
		out = append(out, en.Name)
	}
	return out, nil
}
