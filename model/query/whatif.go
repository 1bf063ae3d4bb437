package query

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/measure"
)

// whatifAnalysis is one user's score taken apart: each measure's part of it, how
// it came about since an earlier day, and what it would be with other values.
func whatifAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "whatif", Title: "What if", Help: "why one user's score is what it is, what moved it, and what it would be with other values", ID: NeedsID, IDIs: "user id",
			Keys: keys(churnKeys(), []KeySpec{
				{Name: "set", Type: Text, Repeat: true, Help: "a measure's value to try, as recency_days:3 or country:DE, within what training users had; may be given for several"},
				{Name: "since", Type: DayType, Help: "the earlier day of the comparison; 28 days before if left out"},
			})},
		check: func(q Query) error {
			if err := checkChurn(q); err != nil {
				return err
			}
			for _, s := range q.All("set") {
				if name, value := cutSet(s); name == "" || value == "" {
					return fmt.Errorf("set=%s: write a measure, a colon and a value: recency_days:3", s)
				}
			}
			return nil
		},
		plan: planWhatif,
	}
}

// cutSet parts NAME:VALUE at its last colon.
func cutSet(s string) (name, value string) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return "", ""
	}
	return strings.TrimSpace(s[:at]), strings.TrimSpace(s[at+1:])
}

// A Subject is one user of whom a what-if is asked: Try is pure and quick enough
// for every key that is pressed.
type Subject struct {
	ID      string
	Day     model.Day
	Model   *churn.Model
	Columns []string // of the model, as set= takes them
	Values  []float64
	Known   []bool

	set     *churnSetting
	verdict string // what the model is worth
	base    float64
}

// Try is what the model says of the user with other values.
func (b *Subject) Try(changes []churn.Change) churn.Trial {
	return b.Model.Try(b.Values, b.Known, changes)
}

// Change reads one set=, or says what may be set.
func (b *Subject) Change(s string) (churn.Change, error) {
	name, value := cutSet(s)
	at := slices.IndexFunc(b.Columns, func(c string) bool { return c == name || churnName(c) == name })
	if at < 0 {
		return churn.Change{}, fmt.Errorf("set=%s: the model has no measure %q%s", s, name, didYouMean(name, b.Columns))
	}
	if dict := b.texts(at); dict != nil {
		code := slices.Index(dict, value)
		if code < 1 {
			return churn.Change{}, fmt.Errorf("set=%s: %s has no value %q%s", s, name, value, didYouMean(value, dict[1:]))
		}
		return churn.Change{Column: at, Value: float64(code)}, nil
	}
	if value == "yes" || value == "no" {
		value = map[string]string{"yes": "1", "no": "0"}[value]
	}
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return churn.Change{}, fmt.Errorf("set=%s: %q is not a number", s, value)
	}
	return churn.Change{Column: at, Value: x}, nil
}

// texts are the values of a property's column, nil for a number.
func (b *Subject) texts(column int) []string {
	at := slices.IndexFunc(b.set.refs, func(ref measure.Ref) bool { return columnName(ref) == b.Columns[column] })
	if at < 0 {
		return nil
	}
	return b.set.measures.Dict(at)
}

// WhatIf reads a user to ask about: q is a whatif question. It fails with the
// reason where there is no model, or the user is not scored.
func (e *Engine) WhatIf(ctx context.Context, q Query, p Progress) (*Subject, error) {
	return ofModel(ctx, e, q, "whatif", "is about no such user", p, func(c *churnPlan) (*Subject, error) {
		o, err := c.one(c.r.Q.ID)
		if err != nil {
			return nil, err
		}
		if o.why != "" {
			return nil, fmt.Errorf("%s: %s", c.r.Q.ID, o.why)
		}
		return o.subject(), nil
	})
}

// ofModel hands do the trained model behind a question of one analysis; another
// question is refused for what it lacks.
func ofModel[T any](ctx context.Context, e *Engine, q Query, analysis, lacks string, p Progress, do func(c *churnPlan) (T, error)) (out T, err error) {
	if q, err = q.Check(); err != nil {
		return out, err
	}
	if q.Analysis != analysis {
		return out, fmt.Errorf("%s %s: ask %s", q.Analysis, lacks, analysis)
	}
	st, err := e.hold(ctx, p)
	if err != nil {
		return out, err
	}
	defer func() { _ = st.drop() }() // nothing is read after this
	return guarded(func() (T, error) {
		r, err := e.newRun(ctx, st, q, p)
		if err != nil {
			return out, err
		}
		c, err := r.churnPlan()
		if err != nil {
			return out, err
		}
		return do(c)
	})
}

// A oneUser is a person before a trained model.
type oneUser struct {
	c   *churnPlan
	id  string
	p   *Person
	k   *scorer
	why string // there is no score; "" if there is
}

// one reads one person for the plan's model.
func (c *churnPlan) one(id string) (*oneUser, error) {
	o := &oneUser{c: c, id: id}
	f := c.set.filter
	f.Until = c.r.Cut
	tl, err := c.r.user(id, f)
	if err != nil {
		return nil, err
	}
	switch {
	case !c.model.usable():
		o.why = c.model.Why
		return o, nil
	case tl.Len() == 0:
		o.why = "not scored: no event up to " + c.r.AsOf.String() + "."
		return o, nil
	}
	o.p = &Person{TL: &tl, Days: c.r.Cal.Days(nil, &tl), Row: -1}
	model.InDayOrder(o.p.Days, o.p.TL)
	o.k = c.set.scorer()
	o.k.take(o.p)
	if st, _ := o.k.label(c.set.cuts.Score); st != churn.AtStake {
		o.why = "not scored: " + c.set.unscored(st) + "."
	}
	return o, nil
}

// subject computes the user's values as of the as-of day.
func (o *oneUser) subject() *Subject {
	o.k.features(o.c.set.cuts.Score)
	m := &o.c.model.Fitted
	x, known := o.k.inputs(m)
	return &Subject{ID: o.id, Day: o.c.set.cuts.Score, Model: m, Columns: m.Columns, Values: slices.Clone(x), Known: slices.Clone(known), set: &o.c.set,
		verdict: o.c.model.Quality.Verdict, base: o.c.model.Quality.BaseRate}
}

// A whatifPlan is one user's answer.
type whatifPlan struct {
	o       *oneUser
	b       *Subject
	since   model.Day
	then    *churn.Trial // nil: not scored on that day, or before the data
	thenWhy string
	now     churn.Trial
	tried   *churn.Trial
	changes []churn.Change
}

func planWhatif(r *Run) (*Plan, error) {
	c, err := r.churnPlan()
	if err != nil {
		return nil, err
	}
	o, err := c.one(r.Q.ID)
	if err != nil {
		return nil, err
	}
	w := &whatifPlan{o: o, since: r.Day("since")}
	if w.since == model.NoDay {
		w.since = r.AsOf - 28
	}
	if w.since >= r.AsOf {
		return nil, fmt.Errorf("since=%s: an earlier day than %s is wanted", w.since, r.AsOf)
	}
	if o.why == "" {
		if st, _ := o.k.label(w.since); st == churn.AtStake {
			o.k.features(w.since) // before the later day: a cursor goes forward
			x, known := o.k.inputs(&c.model.Fitted)
			t := c.model.Fitted.Try(x, known, nil)
			w.then = &t
		} else {
			w.thenWhy = c.set.unscored(st)
		}
		w.b = o.subject()
		w.now = w.b.Try(nil)
		for _, s := range r.Strs("set") {
			ch, err := w.b.Change(s)
			if err != nil {
				return nil, err
			}
			w.changes = append(w.changes, ch)
		}
		if len(w.changes) > 0 {
			t := w.b.Try(w.changes)
			w.tried = &t
		}
	}
	return &Plan{Layout: w.layout, List: w.list, Explain: w.explain}, nil
}

// list is the user of every figure.
func (w *whatifPlan) list(*Figure, Part) ([]User, error) {
	return []User{{ID: w.o.id, Amount: model.NoMoney}}, nil
}

func (w *whatifPlan) explain(f *Figure) []ExplainLine {
	out := []ExplainLine{{Head: "Definition", Text: w.o.c.set.q.Sentence()}}
	if strings.HasPrefix(f.Key, "part.") {
		text := "coefficient × (value − mean of the training users)"
		if w.b.Model.Kind != churn.LogisticKind {
			text = "exact Shapley value: the mean, over all orders in which the measures could become known, of what this one adds"
		}
		out = append(out, ExplainLine{Head: "Formula", Text: text + ", in log-odds; the parts and the average add to the prediction"})
	}
	return append(out, ExplainLine{Head: "Quality", Text: w.o.c.model.Quality.Verdict})
}

func (w *whatifPlan) layout(b *Builder) error {
	c := w.o.c
	b.A.volatile = c.set.saved != nil
	b.A.Title = fmt.Sprintf("What if · %s · %s · %s", w.o.id, c.what(), asOfNote(b.Run))
	b.A.Definition = c.set.q.Sentence()
	b.Block(Block{Kind: TextBlock, Name: "question", Title: "The question", Lines: []string{c.set.q.Sentence()}})
	if w.o.why != "" {
		b.Block(Block{Kind: TextBlock, Name: "score", Title: "No score", Lines: []string{capital(w.o.why)}})
		return nil
	}
	own := func(key, label string, v float64, unit string) Cell {
		return b.Cell(b.Own(Figure{Key: key, Label: label, Kind: Stat, Value: v, Unit: unit, N: 1}))
	}
	score := Block{Kind: TableBlock, Name: "score", Title: "The score", Heads: []Head{{Label: "probability", Right: true}, {Label: "log-odds", Right: true}, {Label: ""}}}
	line := func(key, label string, p, e float64, note string) {
		score.Rows = append(score.Rows, Row{Key: key, Label: label, Cells: []Cell{own(key, label, p, "share"), TextCell(fmt.Sprintf("%+.3f", e)), TextCell(note)}})
	}
	line("now", "on "+w.b.Day.String(), w.now.Probability, w.now.LogOdds, c.model.Quality.Verdict)
	if w.then != nil {
		line("then", "on "+w.since.String(), w.then.Probability, w.then.LogOdds, "by the same model")
	}
	if w.tried != nil {
		line("tried", "if it were so", w.tried.Probability, w.tried.LogOdds, w.triedNote())
	}
	avg := c.model.Fitted.Average()
	line("average", "the average user", 1/(1+math.Exp(-avg)), avg, "what the parts are counted from")
	score.Rows = append(score.Rows, Row{Key: "base", Label: "base rate in the test", Cells: []Cell{TextCell(churnPercent(c.model.Quality.BaseRate)), TextCell(""), TextCell("")}})
	b.Block(score)
	w.parts(b, own)
	w.moved(b, own)
	if w.tried != nil && w.tried.Far > 1 {
		b.Warn("far-from-data", "Far from the data: hardly any training user had such values together (%.1f times the distance that one in a hundred exceeds). The model guesses there.", w.tried.Far)
	}
	if w.now.Far > 1 {
		b.Warn("unusual-user", "The user is unlike the training users (%.1f times the distance that one in a hundred of them exceeds): trust the score less.", w.now.Far)
	}
	b.Warn("signals", "Signals, not causes: a changed value tells what the model says of such a user, not what an action would do to this one.")
	return nil
}

// triedNote says which values were held within those seen.
func (w *whatifPlan) triedNote() string {
	var out []string
	for _, at := range w.tried.Held {
		least, most, _ := w.b.Model.Seen(at)
		out = append(out, fmt.Sprintf("%s is held at %s: training users had %s to %s", churnName(w.b.Columns[at]), churnNumber(w.tried.Values[at]), churnNumber(least), churnNumber(most)))
	}
	return strings.Join(out, "; ")
}

// label and value of a reason, as a row shows them.
func reasonLabel(r *churn.Reason) string {
	if r.Feature.Level != "" {
		return churnName(r.Feature.Name)
	}
	return churnName(r.Feature.Label())
}

func reasonValue(r *churn.Reason) string {
	switch {
	case r.Feature.Level != "":
		return r.Feature.Level
	case r.Feature.Absent && r.Value != 0:
		return "yes"
	case r.Feature.Absent:
		return "no"
	case !r.Known:
		return "—"
	case r.Held():
		return churnNumber(r.Own) + " (as " + churnNumber(r.Value) + ")"
	}
	return churnNumber(r.Own)
}

// reasonKey finds the same reason in another trial.
func reasonKey(r *churn.Reason) string {
	if r.Feature.Level != "" {
		return r.Feature.Name
	}
	return r.Feature.Label()
}

// parts are the contributions as bars.
func (w *whatifPlan) parts(b *Builder, own func(key, label string, v float64, unit string) Cell) {
	bl := Block{Kind: TableBlock, Name: "parts", Title: "What makes the score: each measure's part, in log-odds",
		Heads: []Head{{Label: "value", Right: true}, {Label: "usual", Right: true}, {Label: "part", Right: true}, {Label: "lowers | raises"}}}
	tried := map[string]*churn.Reason{}
	most := 0.0
	for i := range w.now.Reasons {
		most = math.Max(most, math.Abs(w.now.Reasons[i].LogOdds))
	}
	if w.tried != nil {
		bl.Heads = append(bl.Heads, Head{Label: "if", Right: true}, Head{Label: "part then", Right: true})
		for i := range w.tried.Reasons {
			r := &w.tried.Reasons[i]
			tried[reasonKey(r)] = r
		}
	}
	for i := range w.now.Reasons {
		r := &w.now.Reasons[i]
		usual := churnNumber(r.Feature.Mean)
		if r.Feature.Level != "" {
			usual = churnPercent(r.Feature.Mean) + " " + r.Feature.Level
			if r.Feature.Level == churn.OtherLevel {
				usual = ""
			}
		}
		key := "part." + reasonKey(r)
		row := Row{Key: key, Label: reasonLabel(r), Cells: []Cell{TextCell(reasonValue(r)), TextCell(usual), own(key, reasonLabel(r)+": part of the log-odds", r.LogOdds, "log-odds"), TextCell(partBar(r.LogOdds, most))}}
		if w.tried != nil {
			value, part := Cell{Figure: NoFigure, Blank: true}, Cell{Figure: NoFigure, Blank: true}
			if t := tried[reasonKey(r)]; t != nil {
				value, part = TextCell(reasonValue(t)), TextCell(fmt.Sprintf("%+.3f", t.LogOdds))
			}
			row.Cells = append(row.Cells, value, part)
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

// partBar draws a part to the left or right of a line, in plain characters.
func partBar(x, most float64) string {
	const wide = 8
	n := 0
	if most > 0 {
		n = int(math.Round(math.Abs(x) / most * wide))
	}
	if x < 0 {
		return strings.Repeat(" ", wide-n) + strings.Repeat("-", n) + "|" + strings.Repeat(" ", wide)
	}
	return strings.Repeat(" ", wide) + "|" + strings.Repeat("+", n) + strings.Repeat(" ", wide-n)
}

// moved splits the change since an earlier day by measure: the parts of the two
// days are counted from the same average, so their differences add up exactly.
func (w *whatifPlan) moved(b *Builder, own func(key, label string, v float64, unit string) Cell) {
	if w.then == nil {
		b.Block(Block{Kind: TextBlock, Name: "moved", Title: "What moved it since " + w.since.String(), Lines: []string{"There is no score of " + w.since.String() + " to compare with: " + w.thenWhy + "."}})
		return
	}
	bl := Block{Kind: TableBlock, Name: "moved", Title: fmt.Sprintf("What moved it from %s to %s, in log-odds", w.since, w.b.Day),
		Heads: []Head{{Label: "then", Right: true}, {Label: "now", Right: true}, {Label: "moved", Right: true}}}
	type move struct {
		label, then, now, key string
		by                    float64
	}
	var moves []move
	then := map[string]*churn.Reason{}
	for i := range w.then.Reasons {
		then[reasonKey(&w.then.Reasons[i])] = &w.then.Reasons[i]
	}
	for i := range w.now.Reasons {
		r := &w.now.Reasons[i]
		if o := then[reasonKey(r)]; o != nil { // the same features on both days
			moves = append(moves, move{reasonLabel(r), reasonValue(o), reasonValue(r), reasonKey(r), r.LogOdds - o.LogOdds})
		}
	}
	slices.SortStableFunc(moves, func(a, b move) int {
		if math.Abs(a.by) > math.Abs(b.by) {
			return -1
		} else if math.Abs(a.by) < math.Abs(b.by) {
			return 1
		}
		return 0
	})
	for _, m := range moves {
		if m.by == 0 && m.then == m.now {
			continue
		}
		key := "moved." + m.key
		bl.Rows = append(bl.Rows, Row{Key: key, Label: m.label, Cells: []Cell{TextCell(m.then), TextCell(m.now), own(key, m.label+": moved the log-odds by", m.by, "log-odds")}})
	}
	bl.Rows = append(bl.Rows, Row{Key: "moved", Label: "all together", Cells: []Cell{TextCell(churnShare(w.then.Probability)), TextCell(churnShare(w.now.Probability)), own("moved", "log-odds moved by", w.now.LogOdds-w.then.LogOdds, "log-odds")}, Apart: true})
	b.Block(bl)
}
