package query

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stat"
)

// compareAnalysis sets two or more users, or segments, side by side: stages,
// marks and measures; or two questions, figure by figure (versus.go).
func compareAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "compare", Title: "Side by side", Help: "users (user=A&user=B) or segments (segment= or where= twice) side by side: stages, marks, measures, differences; or two questions, a= and b=, figure by figure", ID: NoID,
			Keys: keys(sideKeys(), []KeySpec{
				{Name: "user", Type: Text, Repeat: true, Help: "a user to compare; two to six of them"},
				{Name: "columns", Type: Text, Help: "the measures compared, parted by commas; those that lists show if left out"},
			}, groupKeys(), zoneKeys())},
		check: func(q Query) error {
			if isVersus(q) {
				return checkVersus(q)
			}
			users, groups := q.All("user"), max(len(q.All("where")), len(q.All("segment")))
			switch {
			case len(users) > 0 && (groups > 0 || q.Get("of") != ""):
				return fmt.Errorf("user= compares users, where= and segment= compare groups: ask for one or the other")
			case len(users) == 1 || len(users) > mostCompared:
				return fmt.Errorf("compare sets two to %d users side by side: %d given", mostCompared, len(users))
			case len(users) == 0 && (groups == 1 || groups > mostCompared):
				return fmt.Errorf("compare needs two to %d of a kind: user=A&user=B, or two segment=, or two where=", mostCompared)
			}
			for i, u := range users {
				if slices.Contains(users[:i], u) {
					return fmt.Errorf("user=%s is given twice", u)
				}
			}
			return nil
		},
		plan: func(r *Run) (*Plan, error) {
			if isVersus(r.Q) {
				return planVersus(r)
			}
			if users := r.Q.All("user"); len(users) > 0 {
				return planCompareUsers(r, users)
			}
			if len(r.Groups) < 2 {
				return &Plan{Layout: compareHow}, nil
			}
			return planCompareGroups(r)
		},
	}
}

// compareHow answers the bare question: with what there is to compare.
func compareHow(b *Builder) error {
	b.A.Title = "Side by side"
	b.A.Definition = "Two users, or two groups of users, as of one day."
	b.Block(Block{Kind: TextBlock, Name: "how", Title: "nothing is chosen yet", Lines: []string{
		"compare?user=A&user=B              two to six users",
		"compare?segment=A&segment=B        saved segments",
		"compare?where=RULE&where=RULE      rules, such as plan == \"pro\"",
	}})
	return nil
}

// mostCompared is how many columns stand side by side at 80 cells.
const mostCompared = 6

// comparedRefs are the measures of columns=, or those that lists and pages show.
func (r *Run) comparedRefs() ([]measure.Ref, error) {
	if c := r.Str("columns"); c != "" {
		refs, err := r.columnRefs(c)
		if err != nil {
			return nil, fmt.Errorf("columns=: %w", err)
		}
		return refs, nil
	}
	var refs []measure.Ref
	for _, ref := range append(pageMeasures(), measure.Of("attitude"), measure.Of("behaviour_score"), measure.Of("value_score"), measure.Of("affinity_score")) {
		fam, _, _ := measure.Lookup(ref.Name)
		if r.Schema.Unavailable(fam) == "" {
			refs = append(refs, ref)
		}
	}
	return refs, nil
}

// planCompareUsers reads the users' rows of the population: the same numbers as
// every list shows.
func planCompareUsers(r *Run, users []string) (*Plan, error) {
	pop, err := r.Population()
	if err != nil {
		return nil, err
	}
	rows := make([]int, len(users))
	for i, u := range users {
		if rows[i] = pop.Row(u); rows[i] < 0 {
			if _, err := r.Snap.User(r.Ctx, u, model.Filter{Until: r.Cut}); err != nil {
				return nil, fmt.Errorf("user=%s: %w", u, err)
			}
			return nil, fmt.Errorf("user=%s has no event up to %s", u, r.AsOf)
		}
	}
	refs, err := r.comparedRefs()
	if err != nil {
		return nil, err
	}
	cols, err := pop.Columns(r, refs)
	if err != nil {
		return nil, err
	}
	return &Plan{
		List: func(f *Figure, _ Part) ([]User, error) {
			for i := range users {
				if strings.HasPrefix(f.Key, fmt.Sprintf("user.%d.", i+1)) {
					return []User{{ID: users[i], Amount: model.NoMoney}}, nil
				}
			}
			return nil, fmt.Errorf("%s: this figure is of none of the users", f.Key)
		},
		Layout: func(b *Builder) error {
			b.A.Title = strings.Join(users, " beside ") + " · " + asOfNote(r)
			b.A.Definition = "The users' stages, marks and measures as of the day, each from the user's own events up to it; ranks are among all users of that day."
			bl := Block{Kind: TableBlock, Name: "compare", Title: "side by side"}
			for _, u := range users {
				bl.Heads = append(bl.Heads, Head{u, true})
			}
			line := func(key, label string, cell func(i int) Cell) {
				row := Row{Key: key, Label: label}
				for i := range users {
					row.Cells = append(row.Cells, cell(i))
				}
				bl.Rows = append(bl.Rows, row)
			}
			line("since", "in the stage since", func(i int) Cell { return TextCell(model.Day(pop.states[rows[i]].since).String()) })
			line("marks", "marks", func(i int) Cell {
				var names []string
				for k, name := range r.machine.Marks() {
					if pop.marks[rows[i]]>>k&1 != 0 {
						names = append(names, strings.ReplaceAll(name, "_", " "))
					}
				}
				return TextCell(strings.Join(names, ", "))
			})
			for k, ref := range refs {
				fam, _, _ := measure.Lookup(ref.Name)
				line(ref.String(), columnLabel(ref), func(i int) Cell {
					v, known := cols[k].At(rows[i])
					switch {
					case cols[k].Type == measure.Number:
						f := b.Own(Figure{Key: fmt.Sprintf("user.%d.%s", i+1, ref), Label: users[i] + ", " + columnLabel(ref), Kind: Stat, Value: v, None: !known, Unit: r.unitOf(fam), N: 1})
						return b.Cell(f)
					case !known:
						return TextCell("—")
					case cols[k].Type == measure.Text:
						return TextCell(cols[k].Text(rows[i]))
					case cols[k].Type == measure.Day:
						return TextCell(model.Day(v).String())
					}
					return TextCell(map[bool]string{true: "yes", false: "no"}[v != 0])
				})
			}
			line("page", "page", func(i int) Cell {
				return Cell{Figure: NoFigure, Text: "open", Go: r.link(Query{Analysis: "user", ID: users[i]})}
			})
			b.Block(bl)
			return nil
		},
	}, nil
}

// unitOf is a measure's unit, of money the currency.
func (r *Run) unitOf(fam measure.Family) string {
	if fam.Unit == "money" {
		unit, _ := r.currency()
		return unit
	}
	return fam.Unit
}

// Slots of compared groups: their users, then each stage and each mark as rates,
// then the values of each measure.
type comparing struct {
	r       *Run
	refs    []measure.Ref
	cols    []*measure.Column
	stages  int
	marks   int
	overlap [mostCompared][mostCompared]bool
}

func (c *comparing) stage(i int) int { return 1 + i }
func (c *comparing) mark(i int) int  { return c.stage(c.stages) + i }
func (c *comparing) value(i int) int { return c.mark(c.marks) + i }

func planCompareGroups(r *Run) (*Plan, error) {
	c := &comparing{r: r, stages: len(r.machine.Model().Stages), marks: len(r.machine.Marks())}
	all, err := r.comparedRefs()
	if err != nil {
		return nil, err
	}
	for _, ref := range all {
		if fam, _, _ := measure.Lookup(ref.Name); fam.Type == measure.Number {
			c.refs = append(c.refs, ref)
		} else if r.Str("columns") != "" {
			return nil, fmt.Errorf("columns=: %s is no number: groups are compared by medians; crosstab?by=%s counts its values", ref, ref)
		}
	}
	return &Plan{
		RowSlots: c.value(len(c.refs)), Values: true,
		Before: func(pop *Population) error {
			cols, err := pop.Columns(r, c.refs)
			if err != nil {
				return err
			}
			c.cols = cols
			return r.eachRow(pop, func(_ int, mask uint64) {
				if bits.OnesCount64(mask) < 2 {
					return
				}
				for a := range c.r.Groups {
					for b := range c.r.Groups {
						if mask>>a&1 != 0 && mask>>b&1 != 0 {
							c.overlap[a][b] = true
						}
					}
				}
			})
		},
		Rows: func(pop *Population, row int, h *Hits) {
			h.Hit(0, Self)
			for i := range c.stages {
				h.Rate(c.stage(i), int(pop.states[row].stage) == i)
			}
			for i := range c.marks {
				h.Rate(c.mark(i), pop.marks[row]>>i&1 != 0)
			}
			for i, col := range c.cols {
				if v, ok := col.At(row); ok {
					h.Value(c.value(i), v)
				}
			}
		},
		Layout: c.layout,
		Explain: func(f *Figure) []ExplainLine {
			if f.Slot >= c.value(0) {
				return []ExplainLine{{Head: "Formula", Text: "median over the group's users who have a value; the interval of a median is by order statistics; more in is the chance that a user of the group has more than one of the first group, ties half (DeLong's interval)"}}
			}
			return nil
		},
	}, nil
}

func (c *comparing) layout(b *Builder) error {
	r := c.r
	b.A.Title = "Segments side by side · " + asOfNote(r)
	b.A.Definition = "Users of each group as of the day. Differences are against the first group: of shares with Newcombe's interval, of measures as the chance that a user of the group has more than one of the first. Groups that share users are not told apart by an interval."
	n := b.Groups()
	bl := Block{Kind: TableBlock, Name: "compare", Title: "side by side"}
	for g := range n {
		bl.Heads = append(bl.Heads, Head{r.Groups[g].Label(), true})
	}
	for g := 1; g < n; g++ {
		label := "difference"
		if n > 2 {
			label += ", " + r.Groups[g].Label()
		}
		bl.Heads = append(bl.Heads, Head{label, true})
	}
	users := Row{Key: "users", Label: "users"}
	for g := range n {
		b.Group(g)
		users.Cells = append(users.Cells, b.Cell(b.Count(0, "users", "users")))
	}
	bl.Rows = append(bl.Rows, users)
	for i, s := range r.machine.Model().Stages {
		bl.Rows = append(bl.Rows, c.shares(b, c.stage(i), "stage."+s.Name, s.Label()))
	}
	for i, name := range r.machine.Marks() {
		bl.Rows = append(bl.Rows, c.shares(b, c.mark(i), "mark."+name, strings.ReplaceAll(name, "_", " ")))
	}
	for i, ref := range c.refs {
		bl.Rows = append(bl.Rows, c.medians(b, i, ref))
	}
	b.Block(bl)
	for g := 1; g < n; g++ {
		if c.overlap[0][g] {
			b.Warn("overlap", "%s and %s share users: no interval can be given for their difference; ask for those in one and not in the other.", r.Groups[0].Label(), r.Groups[g].Label())
		}
	}
	return nil
}

// shares is a line of rates with their differences from the first group's.
func (c *comparing) shares(b *Builder, slot int, key, label string) Row {
	row := Row{Key: key, Label: label}
	for g := range b.Groups() {
		b.Group(g)
		row.Cells = append(row.Cells, b.Cell(b.Rate(slot, key, label)))
	}
	b.Group(0)
	x1, n1 := b.N(slot, Self), b.N(slot, Of)
	for g := 1; g < b.Groups(); g++ {
		b.Group(g)
		x2, n2 := b.N(slot, Self), b.N(slot, Of)
		text := "—"
		if n1 > 0 && n2 > 0 {
			text = fmt.Sprintf("%+.1f", 100*(float64(x2)/float64(n2)-float64(x1)/float64(n1)))
			if iv, ok := stat.Newcombe(x1, n1, x2, n2, stat.Level); ok && !c.overlap[0][g] {
				text += fmt.Sprintf(" (%+.1f to %+.1f)", 100*iv.Lo, 100*iv.Hi)
			}
			text += " points"
		}
		row.Cells = append(row.Cells, TextCell(text))
	}
	return row
}

// medians is a line of medians, with how often a group's users have more.
func (c *comparing) medians(b *Builder, i int, ref measure.Ref) Row {
	fam, _, _ := measure.Lookup(ref.Name)
	slot, key, label := c.value(i), "median."+ref.String(), columnLabel(ref)+", median"
	row := Row{Key: ref.String(), Label: label}
	for g := range b.Groups() {
		b.Group(g)
		values := slices.Clone(b.Values(slot))
		slices.Sort(values)
		med, ok := stat.Median(values)
		f := b.Stat(slot, key, label, med, !ok, c.r.unitOf(fam))
		if iv, ok := stat.MedianInterval(values, stat.Level); ok {
			x := b.Fig(f)
			x.Lo, x.Hi, x.Interval, x.Method = iv.Lo, iv.Hi, true, "order statistics 95 %"
		}
		row.Cells = append(row.Cells, b.Cell(f))
	}
	b.Group(0)
	first := b.Values(slot)
	for g := 1; g < b.Groups(); g++ {
		b.Group(g)
		text := "—"
		var fs []stat.Forecast
		for _, v := range first {
			fs = append(fs, stat.Forecast{P: v})
		}
		for _, v := range b.Values(slot) {
			fs = append(fs, stat.Forecast{P: v, Yes: true})
		}
		if area, err := stat.AUC(fs, stat.Level); err == nil {
			text = fmt.Sprintf("more in %.0f %%", 100*area.AUC)
			if area.Bounded && !c.overlap[0][g] {
				text += fmt.Sprintf(" (%.0f to %.0f)", 100*area.Lo, 100*area.Hi)
			}
		}
		row.Cells = append(row.Cells, TextCell(text))
	}
	return row
}
