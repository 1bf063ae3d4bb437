package query

import (
	"cmp"
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/stat"
)

// twinsAnalysis finds the users who were most like one user at its age, and
// tells what became of them.
func twinsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "twins", Title: "Twins", Help: "the users most like one at the same age, what became of them, and what those who stayed did next", ID: NeedsID, IDIs: "user id",
			Keys: keys(churnKeys(), []KeySpec{{Name: "k", Type: Int, Min: 2, Default: "20", Help: "how many"}})},
		check: checkChurn,
		plan:  planTwins,
	}
}

// A twin is another user on the day on which they were as old.
type twin struct {
	id       string
	day      model.Day
	distance float64
	yes      bool
	did      []model.NameID // events of the horizon's days, each once
}

func nearer(a, b twin) int {
	return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.id, b.id))
}

// A twinsPlan is one user's twins.
type twinsPlan struct {
	o     *oneUser
	age   int
	pool  int // users who could be compared
	twins []twin
	names []model.NameID // of the figures of what was done next
}

func planTwins(r *Run) (*Plan, error) {
	c, err := r.churnPlan()
	if err != nil {
		return nil, err
	}
	o, err := c.one(r.Q.ID)
	if err != nil {
		return nil, err
	}
	t := &twinsPlan{o: o}
	if o.why == "" {
		if err := t.find(r, r.Int("k")); err != nil {
			return nil, err
		}
	}
	return &Plan{Layout: t.layout, List: t.list, Explain: t.explain}, nil
}

// find looks through everybody who was once as old as the user is, was then as
// much at stake, and whose outcome is known by the as-of day.
func (t *twinsPlan) find(r *Run, k int) error {
	set := &t.o.c.set
	b := t.o.subject()
	t.age = int(b.Day - t.o.p.Days[0])
	age := model.Day(t.age)
	type acc struct {
		k    *scorer
		best []twin
		pool int
	}
	trim := func(best []twin) []twin {
		slices.SortFunc(best, nearer)
		return best[:min(k, len(best))]
	}
	skip := func(f *churn.Feature) bool { return f.Name == "tenure_days" } // equal by choice
	err := Scan(r, set.needs(),
		func() *acc { return &acc{k: set.scorer()} },
		func(a *acc, p *Person) error {
			day := p.Days[0] + age
			end := day + model.Day(set.q.Horizon)
			if end > r.AsOf || p.TL.ID == t.o.id {
				return nil
			}
			a.k.take(p)
			st, yes := a.k.label(day)
			if st != churn.AtStake {
				return nil
			}
			a.pool++
			a.k.features(day)
			x, known := a.k.inputs(b.Model)
			w := twin{id: p.TL.ID, day: day, yes: yes, distance: b.Model.Distance(x, b.Values, known, b.Known, skip)}
			if len(a.best) >= 2*k {
				a.best = trim(a.best)
			}
			if len(a.best) >= k && nearer(w, a.best[k-1]) > 0 && slices.IsSortedFunc(a.best[:k], nearer) {
				return nil
			}
			for i, d := range p.Days {
				if d > day && d <= end && !slices.Contains(w.did, p.TL.Name[i]) {
					w.did = append(w.did, p.TL.Name[i])
				}
			}
			a.best = append(a.best, w)
			return nil
		},
		func(a *acc) error {
			t.pool += a.pool
			t.twins = trim(append(t.twins, a.best...))
			return nil
		})
	if err != nil {
		return err
	}
	n := map[model.NameID]int{}
	for _, w := range t.twins {
		for _, name := range w.did {
			n[name]++
		}
	}
	for name := range n {
		t.names = append(t.names, name)
	}
	slices.SortFunc(t.names, func(a, b model.NameID) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	t.names = t.names[:min(10, len(t.names))]
	return nil
}

// who are the twins of a figure's part.
func (t *twinsPlan) who(key string, p Part) (out []twin) {
	for _, w := range t.twins {
		of, in := true, true
		switch key {
		case "twins", "distance":
		case "yes":
			in = w.yes
		default:
			for i, name := range t.names {
				switch key {
				case fmt.Sprintf("next.%d.stayed", i+1):
					of, in = !w.yes, slices.Contains(w.did, name)
				case fmt.Sprintf("next.%d.left", i+1):
					of, in = w.yes, slices.Contains(w.did, name)
				}
			}
		}
		if of && (p == Of || p == Self && in || p == Lost && !in) {
			out = append(out, w)
		}
	}
	return out
}

func (t *twinsPlan) list(f *Figure, p Part) ([]User, error) {
	var out []User
	for _, w := range t.who(f.Key, p) {
		out = append(out, User{ID: w.id, Amount: model.NoMoney, Score: w.distance})
	}
	return out, nil
}

func (t *twinsPlan) explain(f *Figure) []ExplainLine {
	return []ExplainLine{
		{Head: "Definition", Text: t.o.c.set.q.Sentence()},
		{Head: "Population", Text: fmt.Sprintf("%d users who were once %d days old, were scored then, and whose outcome of the %d days after is known", t.pool, t.age, t.o.c.set.q.Horizon)},
		{Head: "Formula", Text: "distance: √ of the mean squared difference over the model's features, each in spreads of the training users; the age is equal by choice"},
	}
}

func (t *twinsPlan) layout(b *Builder) error {
	c := t.o.c
	b.A.volatile = c.set.saved != nil
	b.A.Title = fmt.Sprintf("Twins · %s · %s · %s", t.o.id, c.what(), asOfNote(b.Run))
	b.A.Definition = c.set.q.Sentence()
	if t.o.why != "" {
		b.Block(Block{Kind: TextBlock, Name: "score", Title: "No score", Lines: []string{capital(t.o.why)}})
		return nil
	}
	if len(t.twins) == 0 {
		b.Block(Block{Kind: TextBlock, Name: "twins", Title: "No twins", Lines: []string{fmt.Sprintf("Nobody else has been %d days old long enough ago for the outcome of the %d days after to be known.", t.age, c.set.q.Horizon)}})
		return nil
	}
	rate := func(key, label string) int {
		in, of := len(t.who(key, Self)), len(t.who(key, Of))
		f := Figure{Key: key, Label: label, Kind: Rate, Unit: "share", N: int64(of), None: of == 0}
		if of > 0 {
			f.Value = float64(in) / float64(of)
			if iv, ok := stat.Wilson(int64(in), int64(of), stat.Level); ok {
				f.Interval, f.Lo, f.Hi, f.Method = true, iv.Lo, iv.Hi, "Wilson 95 %"
			}
		}
		return b.Own(f)
	}
	subject := t.o.subject()
	prob := subject.Try(nil).Probability
	n := b.Own(Figure{Key: "twins", Label: fmt.Sprintf("users most like %s at %d days of age", t.o.id, t.age), Kind: Count, Value: float64(len(t.twins)), Unit: "users", N: int64(len(t.twins)), Carry: "distance"})
	yes := rate("yes", "of whom "+c.set.q.Happened())
	far := t.twins[len(t.twins)-1].distance
	b.Block(Block{Kind: TableBlock, Name: "fate", Title: fmt.Sprintf("At %s of age, of %s who could be compared", plural(t.age, "day"), plural(t.pool, "user")), Heads: []Head{{Label: "", Right: true}, {Label: ""}}, Rows: []Row{
		{Key: "twins", Label: "twins", Cells: []Cell{b.Cell(n), TextCell(fmt.Sprintf("the nearest %.2f spreads away a feature, the last %.2f", t.twins[0].distance, far))}},
		{Key: "yes", Label: "of whom " + c.set.q.Happened(), Cells: []Cell{b.Cell(yes), TextCell(fmt.Sprintf("within %s", plural(c.set.q.Horizon, "day")))}},
		{Key: "score", Label: "the model says of " + t.o.id, Cells: []Cell{TextCell(churnShare(prob)), TextCell(c.model.Quality.Verdict)}},
	}})
	next := Block{Kind: TableBlock, Name: "next", Title: "What they did in those days: counts, not advice", Heads: []Head{{Label: "of those who " + c.set.q.Stayed(), Right: true}, {Label: "of those who " + c.set.q.Happened(), Right: true}}}
	for i, name := range t.names {
		label := b.Run.Info.Names[name].Name
		s := rate(fmt.Sprintf("next.%d.stayed", i+1), label+": of those who "+c.set.q.Stayed())
		l := rate(fmt.Sprintf("next.%d.left", i+1), label+": of those who "+c.set.q.Happened())
		next.Rows = append(next.Rows, Row{Key: fmt.Sprintf("next.%d", i+1), Label: label, Cells: []Cell{b.Cell(s), b.Cell(l)}})
	}
	b.Block(next)
	each := Block{Kind: TableBlock, Name: "each", Title: "Each of them", Heads: []Head{{Label: "as old on"}, {Label: "distance", Right: true}, {Label: "then"}}}
	for _, w := range t.twins {
		fate := c.set.q.Stayed()
		if w.yes {
			fate = c.set.q.Happened()
		}
		each.Rows = append(each.Rows, Row{Key: w.id, Label: w.id, Open: b.Run.link(Query{Analysis: "user", ID: w.id}), Cells: []Cell{TextCell(w.day.String()), TextCell(fmt.Sprintf("%.2f", w.distance)), TextCell(fate)}})
	}
	b.Block(each)
	if far > 1.5 {
		b.Warn("far-twins", "The last of them is %.1f spreads away in each feature on average: hardly a twin. Ask for fewer with k=.", far)
	}
	return nil
}
