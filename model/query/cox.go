package query

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dwell/model/measure"
	"dwell/model/stat"
	"dwell/model/survival"
)

// coxAnalysis asks which measures go with a longer or shorter life.
func coxAnalysis() analysis {
	life := slices.DeleteFunc(lifeKeys(), func(k KeySpec) bool { return k.Name == "signup" })
	for i := range life {
		if life[i].Name == "age" {
			life[i].Default = "28"
		}
	}
	return analysis{
		Spec: Spec{
			Name: "cox", Title: "Cox regression", Help: "which measures, as of a landmark, go with a longer or shorter life: hazard ratios with intervals and the check of proportional hazards", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "on", Type: Text, Default: "active_days,recency_days", Help: "measures and properties as of the landmark, parted by commas; a text is compared with its commonest value"},
				{Name: "ties", Type: Word, Values: []string{"efron", "breslow"}, Default: "efron", Help: "how churns on one day share the users at risk"},
				{Name: "top", Type: Int, Min: 1, Default: "6", Help: "how many values of a text are told apart; the others stand together"},
			}, life, groupKeys(), truncatedKeys(), zoneKeys()),
		},
		check: func(q Query) error {
			if max(len(q.All("where")), len(q.All("segment"))) > 1 {
				return fmt.Errorf("one regression is of one group: make the difference a measure (on=), or give one where= or segment=")
			}
			if n := atoi(q.Value("top")); n > maxCoxColumns {
				return fmt.Errorf("top= of %d values is more than a regression can take: at most %d", n, maxCoxColumns)
			}
			return checkLife(q)
		},
		plan: func(r *Run) (*Plan, error) { return newCox(r) },
	}
}

// maxCoxColumns bounds a regression.
const maxCoxColumns = 40

// The slots of a regression, after those of survival's fates.
const (
	coxDied = lifeSlots + iota
	coxCensored
	coxSlots
)

// A coxPlan holds what kernel and layout share.
type coxPlan struct {
	r     *Run
	def   *lifeDef
	set   *measure.Set
	needs Needs
	names []string
}

func newCox(r *Run) (*Plan, error) {
	p := &coxPlan{r: r}
	var err error
	if p.def, err = newLifeDef(r, &p.needs); err != nil {
		return nil, err
	}
	if err := r.refuseBehaviour(p.def); err != nil {
		return nil, err
	}
	var refs []measure.Ref
	for _, name := range splitColumns(r.Str("on")) {
		ref, err := r.columnRef(name)
		if err != nil {
			return nil, fmt.Errorf("on=: %w", err)
		}
		if f, _, ok := measure.Lookup(ref.Name); ok && f.Kind == measure.Population {
			return nil, fmt.Errorf("on=: %s ranks a user among all on one day, which users at different ages do not share: use the measure it ranks", ref)
		}
		if slices.Contains(p.names, name) {
			return nil, fmt.Errorf("on=: %s is given twice", name)
		}
		refs, p.names = append(refs, ref), append(p.names, name)
	}
	if p.set, err = measure.Compile(refs, r.Schema); err != nil {
		return nil, fmt.Errorf("on=: %w", err)
	}
	p.needs = r.valuerNeeds(p.set, p.needs)
	if _, err := r.newValuer(p.set, p.needs); err != nil {
		return nil, fmt.Errorf("on=: %w", err)
	}
	return &Plan{
		Columns: p.needs.Columns, Amounts: p.needs.Amounts,
		Slots:   coxSlots,
		Kernel:  p.kernel,
		Layout:  p.layout,
		Explain: p.explain,
		Work:    func(u *Person, _ *Figure, _ bool) string { return (&lifeReader{def: p.def}).work(u) },
	}, nil
}

// A coxKernel gathers lives and measures, user by user.
type coxKernel struct {
	p      *coxPlan
	reader lifeReader
	value  *valuer
	lives  []survival.Life
	nums   [][]float64 // by measure; of texts nil
	texts  [][]string  // by measure; of numbers nil
}

func (p *coxPlan) kernel() Kernel {
	v, _ := p.r.newValuer(p.set, p.needs) // tried in newCox
	return &coxKernel{p: p, reader: lifeReader{def: p.def}, value: v, nums: make([][]float64, p.set.Len()), texts: make([][]string, p.set.Len())}
}

// Visit implements Kernel.
func (k *coxKernel) Visit(u *Person, h *Hits) {
	l, why := k.reader.read(u)
	day := l.judge
	if why == unstarted || why == truncated {
		day = u.Days[0]
	}
	h.In(k.p.r.At(u, day))
	if h.Outside() {
		return
	}
	if slot, out := lifeFate(why); out {
		h.Hit(slot, Self)
		return
	}
	k.value.at(u, l.judge)
	for i := range k.p.set.Len() {
		if _, known := k.value.cur.Value(i); !known {
			h.Hit(lifeMissing, Self)
			return
		}
	}
	h.Hit(lifeAll, Self)
	if l.Died {
		h.Hit(coxDied, Self)
	} else {
		h.Hit(coxCensored, Self)
	}
	k.lives = append(k.lives, l.Life)
	for i := range k.p.set.Len() {
		if k.p.set.Family(i).Type == measure.Text {
			k.texts[i] = append(k.texts[i], k.value.cur.Text(i))
			continue
		}
		x, _ := k.value.cur.Value(i)
		k.nums[i] = append(k.nums[i], x)
	}
}

// Merge implements Merger.
func (k *coxKernel) Merge(next Kernel) error {
	o := next.(*coxKernel)
	k.lives = append(k.lives, o.lives...)
	for i := range k.nums {
		k.nums[i] = append(k.nums[i], o.nums[i]...)
		k.texts[i] = append(k.texts[i], o.texts[i]...)
	}
	return nil
}

// design is the regression's columns: numbers as they are, of a text one yes-or-no
// for each value but the commonest.
func (k *coxKernel) design(top int) (names []string, x [][]float64, base []string) {
	for i, name := range k.p.names {
		if k.p.set.Family(i).Type != measure.Text {
			names, x = append(names, name), append(x, k.nums[i])
			continue
		}
		count := map[string]int{}
		for _, v := range k.texts[i] {
			count[v]++
		}
		var values []string
		for v := range count {
			values = append(values, v)
		}
		slices.SortFunc(values, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
		if len(values) == 0 {
			continue
		}
		base = append(base, name+" "+values[0])
		told := values[1:min(len(values), top)]
		column := func(is func(v string) bool) []float64 {
			col := make([]float64, len(k.texts[i]))
			for j, v := range k.texts[i] {
				if is(v) {
					col[j] = 1
				}
			}
			return col
		}
		for _, v := range told {
			names, x = append(names, name+"="+v), append(x, column(func(s string) bool { return s == v }))
		}
		if len(values) > top {
			names, x = append(names, name+" others"), append(x, column(func(s string) bool { return s != values[0] && !slices.Contains(told, s) }))
		}
	}
	return names, x, base
}

func (p *coxPlan) layout(b *Builder) error {
	b.A.Title = fmt.Sprintf("Cox regression on %s · since %s · %s · %s · %s", strings.Join(p.names, ", "), p.def.beginWords(), p.def.churnWords(), p.def.spellWords(), p.r.Cal.Zone)
	b.A.Definition = p.definition()
	k := b.Kernel().(*coxKernel)
	t := Block{Kind: TableBlock, Name: "users", Title: "Who is in it", Heads: []Head{{"users", true}, {"", false}}}
	for _, x := range []struct {
		slot       int
		key, label string
	}{{lifeAll, "users", "users still at risk at the landmark"}, {coxDied, "died", "of them churned since"}, {coxCensored, "censored", "not churned when last seen (censored)"}} {
		t.Rows = append(t.Rows, Row{Key: x.key, Label: x.label, Cells: []Cell{b.Cell(b.Count(x.slot, x.key, x.label)), TextCell("")}})
	}
	for _, x := range p.def.reasons("a measure") {
		if b.N(x.slot, Self) > 0 {
			t.Rows = append(t.Rows, Row{Key: x.key, Label: x.label, Cells: []Cell{b.Cell(b.Count(x.slot, "left."+x.key, "left out: "+x.label)), TextCell(x.why)}})
		}
	}
	b.Block(t)
	b.WarnTruncated(b.N(lifeTruncated, Self))
	p.def.lint(b)
	names, x, base := k.design(p.r.Int("top"))
	if len(names) > maxCoxColumns {
		return fmt.Errorf("%d measures and values are more than a regression can take: at most %d", len(names), maxCoxColumns)
	}
	f, err := survival.Cox(k.lives, x, survival.Ties(p.r.Str("ties")), stat.Level, func() bool { return p.r.Ctx.Err() != nil })
	if p.r.Ctx.Err() != nil {
		return p.r.Ctx.Err()
	}
	if err != nil {
		b.Warn("no-fit", "There is no regression: %v.", coxError(err, names))
		return nil
	}
	for _, bl := range coxBlocks(f, names, coxCells{
		stat: func(key, label string, v float64, unit string) Cell {
			return b.Cell(b.Stat(lifeAll, key, label, v, false, unit))
		},
		bounds: func(c Cell, lo, hi float64, method string) {
			fig := b.Fig(c.Figure)
			fig.Lo, fig.Hi, fig.Interval, fig.Method = lo, hi, true, method
		},
		warn: b.Warn,
	}) {
		b.Block(bl)
	}
	if len(base) > 0 {
		b.Warn("base", "Texts are compared with their commonest value: %s.", strings.Join(base, ", "))
	}
	if perMeasure := float64(f.Died) / float64(len(names)); perMeasure < 10 {
		b.Warn("few-events", "Only %.0f churns for each measure: under ten, the ratios and their intervals are not to be trusted.", perMeasure)
	}
	return nil
}

func (p *coxPlan) definition() string {
	return "Hazard ratio: how many times as likely to churn on any day a user is with one more of the measure, all others equal; above 1 a shorter life. Measures are as of " + p.landmarkWords() + ", from events up to it; only users still at risk then count. " + p.def.rule() + " What goes along with a longer life need not be its cause."
}

func (p *coxPlan) landmarkWords() string {
	if p.def.age >= 0 {
		return fmt.Sprintf("day %d of each user", p.def.age)
	}
	return p.def.landmark.String()
}

func (p *coxPlan) explain(f *Figure) []ExplainLine {
	out := []ExplainLine{{Head: "Definition", Text: p.definition()}, {Head: "Population", Text: "users still at risk at the landmark with a value of every measure"}}
	if g := p.r.Groups[0]; g.Rule != "" {
		out[1].Text += ", for whom " + g.Rule + " holds then"
	}
	if f.Kind == Stat {
		out = append(out, ExplainLine{Head: "Formula", Text: "hazard(t) = h0(t) · exp(Σ coefficient × measure), by maximum partial likelihood, ties by " + p.r.Str("ties") + "; a constant effect is tested by the scaled Schoenfeld residuals against one minus the Kaplan–Meier curve"})
	}
	return append(out, ExplainLine{Head: "Window", Text: fmt.Sprintf("measures up to the landmark, churn from it to the end of %s", p.r.AsOf)})
}
