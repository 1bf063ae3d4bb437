package query

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"dwell/model"
	"dwell/model/stage"
	"dwell/model/stat"
)

func (p *restagePlan) layout(b *Builder) error {
	old, other := p.old.Model(), p.new.Model()
	b.A.Title = fmt.Sprintf("%s by another model · %s → %s · %s", old.Name, p.old.Hash()[:6], p.new.Hash()[:6], asOfNote(p.r))
	b.A.Definition = "Everybody is staged twice from the same events: by the model in force and by the other, which is not saved. Figures named now are the first's, then the second's."
	all := b.Count(0, "users", "users")
	moved := b.Rate(p.moved(), "moved", "users in another stage than now")
	b.Block(Block{Kind: TableBlock, Name: "moved", Title: "Who moves", Heads: []Head{{Label: "users", Right: true}, {Label: "move", Right: true}, {Label: "by"}},
		Rows: []Row{{Key: "moved", Label: "everybody", Cells: []Cell{b.Cell(all), b.Cell(moved), TextCell(fmt.Sprintf("%s, %d of them", other.Name, b.N(p.moved(), Self)))}}}})
	p.changes(b)
	if p.churn != nil {
		if err := p.churn.layout(p.r.Ctx, b); err != nil {
			return err
		}
	}
	p.counts(b)
	p.flows(b)
	p.separation(b)
	p.conversion(b)
	if p.old.Hash() == p.new.Hash() {
		b.Warn("same-model", "The other model is the one in force: nothing differs.")
	}
	return nil
}

// changes are the settings that differ; a stage that one model lacks is one line.
func (p *restagePlan) changes(b *Builder) {
	old, other := p.old.Model(), p.new.Model()
	bl := Block{Kind: TableBlock, Name: "settings", Title: "What differs in the models", Heads: []Head{{Label: "now"}, {Label: "then"}}}
	add := func(path, was, is string) {
		bl.Rows = append(bl.Rows, Row{Key: path, Label: path, Cells: []Cell{TextCell(orDash(was)), TextCell(orDash(is))}})
	}
	for _, s := range old.Stages {
		if other.Index(s.Name) < 0 {
			add("stage "+s.Name, plural(len(s.Enter), "way")+" in", "")
		}
	}
	for _, s := range other.Stages {
		if old.Index(s.Name) < 0 {
			add("stage "+s.Name, "", plural(len(s.Enter), "way")+" in")
		}
	}
	for _, c := range stage.Diff(old, other) {
		name, what, _ := strings.Cut(c.Path, ".")
		looks := what == "title" || what == "short" || what == "colour" || c.Path == "title"
		if i, j := old.Index(name), other.Index(name); !looks && (i >= 0) == (j >= 0) {
			add(c.Path, c.Old, c.New)
		}
	}
	if len(bl.Rows) > 0 {
		b.Block(bl)
	}
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

// counts are the users of each stage, now and then.
func (p *restagePlan) counts(b *Builder) {
	bl := Block{Kind: TableBlock, Name: "counts", Title: "Users by stage", Heads: []Head{{Label: "now", Right: true}, {Label: "then", Right: true}, {Label: "change", Right: true}}}
	p.both(&bl, func(name, label string, i, j int) []Cell {
		cells := []Cell{{Figure: NoFigure, Blank: true}, {Figure: NoFigure, Blank: true}, {Figure: NoFigure, Blank: true}}
		var was, is int64
		if i >= 0 {
			was = b.N(p.was(i), Self)
			cells[0] = b.Cell(b.Count(p.was(i), "now."+name, label+", now"))
		}
		if j >= 0 {
			is = b.N(p.is(j), Self)
			cells[1] = b.Cell(b.Count(p.is(j), "then."+name, label+", then"))
		}
		cells[2] = TextCell(fmt.Sprintf("%+d", is-was))
		return cells
	})
	b.Block(bl)
}

// both adds a row for every stage of either model that has cells: those of the
// one in force first, then those that only the other has.
func (p *restagePlan) both(bl *Block, cells func(name, label string, i, j int) []Cell) {
	old, other := p.old.Model(), p.new.Model()
	row := func(s stage.Stage, apart bool, i, j int) {
		if cs := cells(s.Name, s.Label(), i, j); cs != nil {
			bl.Rows = append(bl.Rows, Row{Key: s.Name, Label: s.Label(), Apart: apart, Cells: cs})
		}
	}
	for i, s := range old.Stages {
		row(s, i == p.old.Lost(), i, other.Index(s.Name))
	}
	for j, s := range other.Stages {
		if old.Index(s.Name) < 0 {
			row(s, j == p.new.Lost(), -1, j)
		}
	}
}

// flows are the users by pair of stages: rows now, columns then.
func (p *restagePlan) flows(b *Builder) {
	old, other := p.old.Model(), p.new.Model()
	bl := Block{Kind: HeatBlock, Name: "flow", Title: "From the stage now (rows) to the stage then (columns)"}
	shorts := other.Shorts()
	var key []string
	for j, s := range other.Stages {
		bl.Heads = append(bl.Heads, Head{Label: shorts[j], Right: true})
		if !strings.EqualFold(shorts[j], s.Label()) {
			key = append(key, shorts[j]+" "+s.Label())
		}
	}
	bl.Lines = keyed(strings.Join(key, " · "))
	for i, s := range old.Stages {
		row := Row{Key: s.Name, Label: s.Label()}
		if p.m > 8 { // so many columns fit 80 cells beside short names alone
			row.Label = old.Shorts()[i]
		}
		for j, to := range other.Stages {
			if b.N(p.flow(i, j), Self) == 0 {
				row.Cells = append(row.Cells, Cell{Figure: NoFigure, Blank: true})
				continue
			}
			row.Cells = append(row.Cells, b.Cell(b.Count(p.flow(i, j), "flow."+s.Name+"."+to.Name, s.Label()+" now, "+to.Label()+" then")))
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

// separationRounds is the number of resamplings behind the difference's interval.
const separationRounds = 400

// separation says how well the stages of a day tell who is active afterwards.
func (p *restagePlan) separation(b *Builder) {
	if p.landmark == model.NoDay {
		b.Warn("short", "The data are too short to say how well the stages part later activity: that needs %d days after a first day.", p.ahead)
		return
	}
	bl := Block{Kind: TableBlock, Name: "separation", Title: fmt.Sprintf("Active in the %d days after %s, by stage on that day", p.ahead, p.landmark),
		Heads: []Head{{Label: "now", Right: true}, {Label: "then", Right: true}}}
	p.both(&bl, func(name, label string, i, j int) []Cell {
		return p.pair(b, "active", name, label+", active in the next days", i, j, p.activeWas, p.activeIs)
	})
	n, yes := make([][]int64, p.n), make([][]int64, p.n)
	var judged int64
	for i := range n {
		n[i], yes[i] = make([]int64, p.m), make([]int64, p.m)
		for j := range p.m {
			n[i][j], yes[i][j] = b.N(p.activePair(i, j), Of), b.N(p.activePair(i, j), Self)
			judged += n[i][j]
		}
	}
	// The seed is fixed: equal data give an equal interval.
	was, is, diff, ok := stat.Separations(n, yes, separationRounds, stat.Level, rand.New(rand.NewPCG(3, 4)))
	own := func(key, label string, v float64) int {
		return b.Own(Figure{Key: key, Label: label, Kind: Stat, Value: v, None: !ok, Unit: "share", N: judged})
	}
	share := "share of the variance of later activity that lies between the stages, "
	cells := []Cell{b.Cell(own("separation.now", share+"now", was)), b.Cell(own("separation.then", share+"then", is))}
	bl.Rows = append(bl.Rows, Row{Key: "separation", Label: "the stages part", Apart: true, Cells: cells})
	d := own("separation.change", "by how much better the other model's stages part later activity", is-was)
	if f := b.Fig(d); ok {
		f.Lo, f.Hi, f.Interval, f.Method = diff.Lo, diff.Hi, true, "95 % by resampling users"
	}
	bl.Rows = append(bl.Rows, Row{Key: "change", Label: "difference", Cells: []Cell{{Figure: NoFigure, Blank: true}, b.Cell(d)}})
	b.Block(bl)
	if ok && (diff.Lo > 0 || diff.Hi < 0) {
		word := "better"
		if diff.Hi < 0 {
			word = "worse"
		}
		b.Warn("separation", "The other model's stages part later activity %s: by %.3f (95 %%: %.3f to %.3f) of its variance.", word, is-was, diff.Lo, diff.Hi)
	}
}

// conversion is who left each stage for a next one in time.
func (p *restagePlan) conversion(b *Builder) {
	bl := Block{Kind: TableBlock, Name: "conversion", Title: fmt.Sprintf("Promoted out of the stage within %d days of first entering it", p.within),
		Heads: []Head{{Label: "now", Right: true}, {Label: "then", Right: true}}}
	p.both(&bl, func(name, label string, i, j int) []Cell {
		if i >= 0 && !p.old.Model().Promotes(i) {
			i = -1
		}
		if j >= 0 && !p.new.Model().Promotes(j) {
			j = -1
		}
		if i < 0 && j < 0 {
			return nil
		}
		return p.pair(b, "onward", name, label+", promoted in time", i, j, p.onwardWas, p.onwardIs)
	})
	b.Block(bl)
}

// pair are the cells of a rate now and then; a stage that a model lacks has none.
func (p *restagePlan) pair(b *Builder, what, name, label string, i, j int, was, is func(int) int) []Cell {
	cells := []Cell{{Figure: NoFigure, Blank: true}, {Figure: NoFigure, Blank: true}}
	if i >= 0 {
		cells[0] = b.Cell(b.Rate(was(i), what+".now."+name, label+", now"))
	}
	if j >= 0 {
		cells[1] = b.Cell(b.Rate(is(j), what+".then."+name, label+", then"))
	}
	return cells
}

// listed are the users of the separation figures: everybody judged, who had a
// stage on the landmark; or of those of the churn model, whom it was tested on.
func (p *restagePlan) listed(fig *Figure, _ Part) ([]User, error) {
	if strings.HasPrefix(fig.Key, "churn.") {
		return p.churn.list(), nil
	}
	type split struct {
		v     *restager
		users []User
	}
	var out []User
	f := p.filter()
	err := Scan(p.r, Needs{Columns: f.Columns, Amounts: f.Amounts},
		func() *split {
			v, _ := p.visitor(f) // tried by the plan
			return &split{v: v}
		},
		func(a *split, u *Person) error {
			a.v.old.Replay(u.TL, p.landmark, &a.v.was)
			if a.v.was.Now() >= 0 { // the first event gives a stage under every model
				a.users = append(a.users, User{ID: u.TL.ID, Amount: model.NoMoney})
			}
			return nil
		},
		func(a *split) error { out = append(out, a.users...); return nil })
	return out, err
}
