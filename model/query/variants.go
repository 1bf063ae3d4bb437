package query

import (
	"encoding/json"
	"fmt"
	"strings"

	"dwell/model/measure"
	"dwell/model/rule"
	"dwell/model/stage"
)

// freeze gives a model its numbers: its own from what all users suggest, those of
// a variant that are suggestions from the users who meet its rule on the run's
// as-of day.
func (r *Run) freeze(m *stage.Model, s *stage.Suggestion) (*stage.Model, error) {
	of := make([]*stage.Suggestion, len(m.Variants))
	for i, v := range m.Variants {
		if !v.Suggests() {
			continue
		}
		var err error
		if of[i], err = r.suggestionOf(v); err != nil {
			return nil, err
		}
	}
	return m.Freeze(s, of...)
}

// suggestionOf is what the users who meet a variant's rule suggest, from the cache
// or from a pass over all events. The rule is judged before there is a stage model:
// it may not ask for stages or the model's numbers.
func (r *Run) suggestionOf(v stage.Variant) (*stage.Suggestion, error) {
	key := "suggest/of/1/" + hashOf([]byte(strings.Join([]string{r.Info.Version.Hash, r.st.dictHash, r.Cal.Zone, r.AsOf.String(), v.When, programVersion, r.eng.opt.Version}, "|")))
	if kept, ok := r.st.ofVariants.Load(key); ok {
		return kept.(*stage.Suggestion), nil
	}
	if r.eng.cache != nil {
		if body, ok := r.eng.cache.Recall(key); ok {
			s := &stage.Suggestion{}
			if json.Unmarshal(body, s) == nil {
				r.st.ofVariants.Store(key, s)
				return s, nil
			}
		}
	}
	schema := r.Schema.WithModel(nil, nil)
	var refs measure.Refs
	when, err := rule.Compile(v.When, rule.Env{Schema: schema, Refs: &refs})
	var set *measure.Set
	if err == nil {
		set, err = measure.Compile(refs.All(), schema)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the variant %s: its numbers are suggested from the users who meet its rule, so the rule may ask neither for stages nor for the model's numbers: %w", stage.ErrBadModel, v.Name, err)
	}
	type part struct {
		s   *stage.Suggester
		cur *measure.Cursor
	}
	total := stage.NewSuggester(schema, r.AsOf)
	f := set.Widen(total.Filter())
	if _, err := set.NewCursorFor(f); err != nil {
		return nil, err
	}
	err = Scan(r, Needs{Columns: f.Columns, Amounts: f.Amounts},
		func() *part {
			cur, _ := set.NewCursorFor(f) // tried above
			return &part{stage.NewSuggester(schema, r.AsOf), cur}
		},
		func(a *part, p *Person) error {
			a.cur.Reset(p.TL)
			a.cur.At(r.AsOf, measure.State{})
			if when.Holds(a.cur) {
				a.s.Add(p.TL)
			}
			return nil
		},
		func(a *part) error { total.Merge(a.s); return nil })
	if err != nil {
		return nil, err
	}
	out := total.Suggest()
	r.st.ofVariants.Store(key, out)
	if body, err := json.Marshal(out); err == nil && r.eng.cache != nil {
		r.eng.cache.Keep(key, body)
	}
	return out, nil
}

// variantBlock shows each variant's rule and numbers, with the users who are under
// it where users gives their figure, and what the data suggest for it.
func (r *Run) variantBlock(b *Builder, users func(i int) Cell) error {
	m := r.machine.Model()
	if len(m.Variants) == 0 {
		return nil
	}
	bl := Block{Kind: TableBlock, Name: b.Key("variants"), Title: b.label("Variants: other numbers for the users who meet a rule, the first that holds"), Heads: []Head{{"users now", true}, {"number", true}, {"suggested", true}, {"when, or evidence", false}}}
	for i, v := range m.Variants {
		bl.Rows = append(bl.Rows, Row{Key: v.Name, Label: v.Name, Cells: []Cell{users(i), TextCell(""), TextCell(""), TextCell(v.When)}})
		for _, o := range v.Params {
			suggested, why, err := r.overrideNote(m, i, o)
			if err != nil {
				return err
			}
			value := TextCell(Number(r.Schema.Variants[i][o.Name]))
			bl.Rows = append(bl.Rows, Row{Key: v.Name + "." + o.Name, Label: "  " + o.Name, Cells: []Cell{TextCell(""), value, TextCell(suggested), TextCell(why)}})
		}
	}
	b.Block(bl)
	return nil
}

// overrideNote is what the data suggest for a variant's number now, and why.
func (r *Run) overrideNote(m *stage.Model, i int, o stage.Override) (suggested, why string, err error) {
	switch {
	case o.Number != "":
		return "—", ByFormula + o.Number, nil
	case o.Suggest == "":
		return "—", "given by the variant", nil
	}
	v := m.Variants[i]
	s, err := r.suggestionOf(v)
	if err != nil {
		return "", "", err
	}
	of := make([]*stage.Suggestion, i+1)
	of[i] = s
	all, err := r.suggestion()
	if err != nil {
		return "", "", err
	}
	fresh, err := m.Thaw().Freeze(all, of...)
	if err != nil {
		return "", "", err
	}
	for _, p := range fresh.Variants[i].Params {
		if p.Name == o.Name {
			suggested = Number(p.Value)
		}
	}
	return suggested, evidence(stage.Param{Name: o.Name, Suggest: o.Suggest}, s), nil
}
