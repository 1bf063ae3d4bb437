package query

import (
	"fmt"
	"math"
	"slices"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stat"
)

// measureAnalysis looks at one measure: of one user over time, or of everybody on
// the day.
func measureAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "measure", Title: "Measure", Help: "one measure: of a user over time (user=), or how everybody's lie in each stage", ID: NeedsID, IDIs: "measure as written in rules",
			Keys: keys([]KeySpec{
				{Name: "user", Type: Text, Help: "the user whose measure is followed over time"},
				{Name: "unit", Type: Word, Values: append([]string{"auto"}, units()...), Default: "auto", Help: "with user=: how far the points lie apart"},
			}, spanKeys(""), groupKeys(), zoneKeys())},
		check: func(q Query) error {
			if q.Get("user") == "" {
				for _, k := range []string{"unit", "from", "to", "days"} {
					if q.Get(k) != "" {
						return fmt.Errorf("%s= goes with user=: everybody's measure is shown as of one day", k)
					}
				}
			} else if q.Get("where") != "" || q.Get("segment") != "" || q.Get("of") != "" {
				return fmt.Errorf("user= is one user: where=, segment= and of= choose among all")
			}
			return checkSpan(q)
		},
		plan: func(r *Run) (*Plan, error) {
			ref, err := r.columnRef(r.Q.ID)
			if err != nil {
				return nil, fmt.Errorf("measure/%s: %w", r.Q.ID, err)
			}
			fam, _, _ := measure.Lookup(ref.Name)
			if why := r.Schema.Unavailable(fam); why != "" && fam.Money && r.Info.Amounts {
				return &Plan{Layout: func(b *Builder) error {
					b.A.Title, b.A.Definition = columnLabel(ref)+" · "+asOfNote(r), fam.Definition
					b.Block(Block{Kind: TextBlock, Name: "measure", Title: "—", Lines: []string{capital(why) + ": they are never added up."}})
					return nil
				}}, nil
			}
			if r.Str("user") != "" {
				return planUserMeasure(r, ref)
			}
			return planMeasure(r, ref)
		},
	}
}

// planMeasure shows the quartiles of everybody's measure, by stage. Slots: all,
// then each stage, as rates of those with a value, and their values.
func planMeasure(r *Run, ref measure.Ref) (*Plan, error) {
	stages := r.machine.Model().Stages
	var col *measure.Column
	return &Plan{
		RowSlots: 2 * (len(stages) + 1), Values: true,
		Before: func(pop *Population) error {
			cols, err := pop.Columns(r, []measure.Ref{ref})
			if err != nil {
				return err
			}
			if col = cols[0]; col.Type != measure.Number && col.Type != measure.Bool {
				return fmt.Errorf("measure/%s is a %s and has no quartiles: segments?by=%s counts its values", ref, col.Type, ref)
			}
			return nil
		},
		Rows: func(pop *Population, row int, h *Hits) {
			v, ok := col.At(row)
			for _, at := range [2]int{0, 1 + int(pop.states[row].stage)} {
				h.Rate(2*at, ok)
				if ok {
					h.Value(2*at+1, v)
				}
			}
		},
		Layout: func(b *Builder) error {
			fam, _, _ := measure.Lookup(ref.Name)
			b.A.Title = columnLabel(ref) + " · " + asOfNote(r)
			b.A.Definition = r.Schema.Define(fam)
			for g := range b.Groups() {
				b.Group(g)
				bl := Block{Kind: TableBlock, Name: b.Key("stages"), Title: b.label(columnLabel(ref) + " by stage"), Heads: []Head{{"have it", true}, {"least", true}, {"a quarter under", true}, {"median", true}, {"95 % interval", true}, {"three quarters under", true}, {"greatest", true}}}
				add := func(at int, key, label string) {
					values := slices.Clone(b.Values(2*at + 1))
					slices.Sort(values)
					row := Row{Key: key, Label: label, Cells: []Cell{b.Cell(b.Rate(2*at, key+".known", label+", have a value"))}}
					for _, q := range []struct {
						key string
						p   float64
					}{{"least", 0}, {"quarter", 0.25}, {"median", 0.5}, {"three_quarters", 0.75}, {"greatest", 1}} {
						v, ok := stat.Quantile(values, q.p)
						f := b.Stat(2*at+1, key+"."+q.key, label+", "+q.key, v, !ok, fam.Unit)
						row.Cells = append(row.Cells, b.Cell(f))
						if q.key == "median" {
							if iv, ok := stat.MedianInterval(values, stat.Level); ok {
								x := b.Fig(f)
								x.Lo, x.Hi, x.Interval, x.Method = iv.Lo, iv.Hi, true, "order statistics 95 %"
							}
							row.Cells = append(row.Cells, TextCell(b.Fig(f).interval()))
						}
					}
					bl.Rows = append(bl.Rows, row)
				}
				add(0, "all", "everybody")
				for i, s := range stages {
					add(1+i, "stage."+s.Name, s.Label())
				}
				b.Block(bl)
			}
			return nil
		},
	}, nil
}

// planUserMeasure follows one user's measure: at the end of each period's last
// day, from events up to that day alone.
func planUserMeasure(r *Run, ref measure.Ref) (*Plan, error) {
	id := r.Str("user")
	fam, _, _ := measure.Lookup(ref.Name)
	if fam.Kind == measure.Population {
		return nil, fmt.Errorf("%s ranks a user among all and is known of one day at a time: follow %s instead, or ask for measure/%s@DAY", ref, fam.Ranks, ref)
	}
	set, err := measure.Compile([]measure.Ref{ref}, r.Schema)
	if err != nil {
		return nil, err
	}
	f := r.machine.Widen(set.Filter())
	f.Until = r.Cut
	f.Amounts = f.Amounts || r.Roles.NeedsAmount()
	f.Sources = ref.Name == "attitude" // its acts are listed, each with its row
	tl, err := r.user(id, f)
	if err != nil {
		return nil, err
	}
	s, err := r.span(0)
	if err != nil {
		return nil, err
	}
	cur, err := set.NewCursorFor(f)
	if err != nil {
		return nil, err
	}
	st, err := r.Staging(f)
	if err != nil {
		return nil, err
	}
	return &Plan{
		List: func(*Figure, Part) ([]User, error) { return []User{{ID: id, Amount: model.NoMoney}}, nil },
		Layout: func(b *Builder) error {
			b.A.Title = fmt.Sprintf("%s of %s · %s", columnLabel(ref), id, s)
			b.A.Definition = r.Schema.Define(fam) + " Each point is as of the end of its day: later events change nothing before them."
			if tl.Len() == 0 {
				b.Block(Block{Kind: TextBlock, Name: "measure", Title: "measure", Lines: []string{fmt.Sprintf("%s has no event up to %s.", id, r.AsOf)}})
				return nil
			}
			first := slices.Min(r.Cal.Days(nil, &tl))
			from := max(s.from, first)
			if from > s.to {
				return fmt.Errorf("%s is first seen on %s, after the period ends", id, first)
			}
			unit := chartUnit(int(s.to-from) + 1)
			if w := r.Str("unit"); w != "auto" {
				var err error
				if unit, err = model.ParseUnit(w); err != nil {
					return err
				}
			}
			hist := st.To(&tl, r.AsOf)
			cur.Reset(&tl)
			c := &Chart{XLabel: unit.String(), YLabel: columnLabel(ref), Unit: fam.Unit, Dates: true, Step: fam.Whole}
			line := Series{Name: id}
			changes := Block{Kind: TableBlock, Name: "values", Title: "by " + unit.String(), Heads: []Head{{"as of", false}, {"value", true}, {"stage", false}}}
			begin, end := r.Cal.Period(unit, from), r.Cal.Period(unit, s.to)
			if int(end-begin) > maxDays {
				return fmt.Errorf("the period has too many points: choose a longer unit=")
			}
			for p := begin; p <= end; p++ {
				_, next := r.Cal.Bounds(unit, p)
				day := min(next-1, s.to)
				cur.At(day, r.machine.StateOn(hist, day))
				v, known := cur.Value(0)
				label := r.Cal.PeriodLabel(unit, p)
				row := Row{Key: label, Label: label, Cells: []Cell{TextCell(day.String())}}
				switch fam.Type {
				case measure.Number, measure.Bool:
					i := b.Own(Figure{Key: "at." + label, Label: columnLabel(ref) + ", " + day.String(), Kind: Stat, Value: v, None: !known, Unit: fam.Unit, N: 1})
					c.X, c.Labels = append(c.X, float64(day)), append(c.Labels, label)
					y := v
					if !known {
						y = math.NaN()
					}
					line.Y, line.Figures = append(line.Y, y), append(line.Figures, i)
					row.Cells = append(row.Cells, b.Cell(i))
				case measure.Day:
					row.Cells = append(row.Cells, TextCell(dayOrNone(v, known)))
				default:
					text := cur.Text(0)
					if text == "" {
						text = "—"
					}
					row.Cells = append(row.Cells, TextCell(text))
				}
				stage := "—"
				if at := hist.On(day); at >= 0 {
					stage = r.machine.Model().Stages[at].Label()
				}
				row.Cells = append(row.Cells, TextCell(stage))
				changes.Rows = append(changes.Rows, row)
			}
			if len(c.X) > 0 {
				c.Series = []Series{line}
				for _, t := range hist.Transitions {
					if x := float64(t.Day); x >= c.X[0] && x <= c.X[len(c.X)-1] {
						c.Marks = append(c.Marks, Mark{X: x, Text: r.machine.Model().Stages[t.To].Label()})
					}
				}
				b.Block(Block{Kind: ChartBlock, Name: "measure", Title: columnLabel(ref) + " over time, with stage changes", Chart: c})
			}
			b.Block(changes)
			if ref.Name == "attitude" {
				acts(b, cur, &tl)
			}
			return nil
		},
	}, nil
}

func dayOrNone(v float64, known bool) string {
	if !known {
		return "—"
	}
	return model.Day(v).String()
}

// acts lists what made a user's attitude on the cursor's day: each act with its
// weight, its worth, and what of that has not faded yet. The last add up to it.
func acts(b *Builder, cur *measure.Cursor, tl *model.Timeline) {
	r := b.Run
	half := r.Dict.Affinity.HalfLife
	bl := Block{Kind: TableBlock, Name: "acts", Title: fmt.Sprintf("the acts behind it, faded to %s (half every %s days)", cur.Day(), Number(half)),
		Heads: []Head{{"event", false}, {"counts as", false}, {"weight", true}, {"worth", true}, {"left of it", true}}}
	sum := 0.0
	all := cur.Attitude(0)
	for _, a := range all {
		left := a.Worth * math.Exp2(-float64(cur.Day()-r.Cal.EventDay(tl, a.Event))/half)
		sum += left
		key := rowKey(tl, a.Event)
		bl.Rows = append(bl.Rows, Row{Key: key, Label: r.Cal.Stamp(tl, a.Event), Open: r.link(Query{Analysis: "row", ID: key}),
			Cells: []Cell{TextCell(r.Info.Names[tl.Name[a.Event]].Name), TextCell(a.What), TextCell(fmt.Sprintf("%+.4g", a.Weight)), TextCell(fmt.Sprintf("%+.4g", a.Worth)), TextCell(fmt.Sprintf("%+.4g", left))}})
	}
	if len(all) == 0 {
		return
	}
	bl.Rows = append(bl.Rows, Row{Key: "sum", Label: "together", Apart: true, Cells: []Cell{TextCell(""), TextCell(""), TextCell(""), TextCell(""), TextCell(fmt.Sprintf("%+.4g", sum))}})
	b.Block(bl)
}
