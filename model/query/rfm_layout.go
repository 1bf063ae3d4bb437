package query

import (
	"fmt"
	"slices"
	"strconv"

	"dwell/model/stat"
	"dwell/model/value"
)

func (p *rfmPlan) layout(b *Builder) error {
	r := p.r
	window := "all purchases"
	if p.window > 0 {
		window = "purchases of the last " + plural(p.window, "day")
	}
	monetary := "revenue (" + p.buys.moneyNote() + ")"
	if p.mean {
		monetary += " per " + p.countWord()
	}
	b.A.Title = "RFM · " + window + p.buys.title() + " · " + asOfNote(r)
	b.A.Definition = fmt.Sprintf("Of each buyer: R, days since the last purchase; F, %ss (%s); M, %s. Scores 1 to 5, 5 best, by quintiles of all buyers of the day, equal values sharing one; the 125 codes make 11 named cells. The moves compare the cell at the end of %s, scored among the buyers of then, with that at the end of %s.",
		p.countWord(), p.buys.orderNote(), monetary, p.days[1], p.days[0])
	if !p.buys.money {
		b.Warn("no-money", "M cannot be scored, and F stands for it in the cells. %s", p.buys.why)
	}
	if p.scales[0] == nil {
		b.Warn("nobody", "Nobody bought in the window: there is nobody to score.")
	} else {
		p.scored(b)
	}
	for g := range b.Groups() {
		b.Group(g)
		p.group(b)
	}
	if p.days[1] < r.FirstDay {
		b.Warn("before-data", "%s lies before the data begin on %s: nobody was in a cell then.", p.days[1], r.FirstDay)
	}
	return b.coins(p.buys.code)
}

// scored says where values leave scores out.
func (p *rfmPlan) scored(b *Builder) {
	for d, name := range []string{"recency", "frequency", "monetary"} {
		if d == 2 && !p.buys.money {
			continue
		}
		var none []string
		for i, n := range p.scales[0].Used(d) {
			if n == 0 {
				none = append(none, strconv.Itoa(i+1))
			}
		}
		if len(none) > 0 {
			b.Warn("few-scores", "Many buyers agree in %s, so only %s are given: nobody has %s.", name, plural(p.scales[0].Scores(d), "score"), joinWords(none, "or"))
		}
	}
}

func (p *rfmPlan) group(b *Builder) {
	scored := b.Count(rfmScored, "scored", "buyers with scores")
	b.Fig(scored).Carry, b.Fig(scored).Beside = "RFM code", "monetary"
	none := b.Count(rfmNone, "none", "users without a purchase in the window")
	b.Block(Block{Kind: TableBlock, Name: b.Key("all"), Title: b.label("in all"), Heads: []Head{{"users", true}}, Rows: []Row{
		{Key: "scored", Label: "buyers with scores", Cells: []Cell{b.Cell(scored)}},
		{Key: "none", Label: "without a purchase in the window", Apart: true, Cells: []Cell{b.Cell(none)}}}})
	p.cells(b)
	p.grid(b, 0, "frequency", "F")
	if p.buys.money {
		p.grid(b, 1, "monetary", "M")
	}
	p.scoreTable(b)
	p.moves(b)
	p.codes(b)
}

// cells is a line a named cell, best first.
func (p *rfmPlan) cells(b *Builder) {
	heads := []Head{{"users", true}, {"of buyers", true}}
	if p.buys.money {
		heads = append(heads, Head{"revenue", true}, Head{"of revenue", true})
	}
	heads = append(heads, Head{"median R", true}, Head{"median F", true})
	if p.buys.money {
		heads = append(heads, Head{"median M", true})
	}
	bl := Block{Kind: TableBlock, Name: b.Key("cells"), Title: b.label("the 11 cells"), Heads: append(heads, Head{"who", false})}
	all, revenue := b.N(rfmScored, Self), 0.0
	for i := range rfmNamed {
		revenue += b.SumOf(rfmCells + i).Float()
	}
	for _, c := range value.Cells() {
		i := int(c)
		n := b.Count(rfmCells+i, "cell."+c.String(), c.Title())
		b.Fig(n).Carry, b.Fig(n).Beside = "RFM code", "monetary"
		row := Row{Key: c.String(), Label: c.Title(), Cells: []Cell{b.Cell(n), TextCell(percent(b.Fig(n).N, all))}}
		if p.buys.money {
			f := b.Sum(rfmCells+i, "cell."+c.String()+".value", c.Title()+", "+p.moneyWord(), p.buys.unit)
			share := "—"
			if revenue > 0 {
				share = shareText(b.Fig(f).Value / revenue)
			}
			row.Cells = append(row.Cells, b.Cell(f), TextCell(share))
		}
		for d, name := range []string{"recency", "frequency", "monetary"} {
			if d == 2 && !p.buys.money {
				continue
			}
			slot := rfmValues + d*rfmNamed + i
			xs := slices.Clone(b.Values(slot))
			slices.Sort(xs)
			med, ok := stat.Median(xs)
			unit := []string{"days", p.countWord() + "s", p.buys.unit}[d]
			row.Cells = append(row.Cells, b.Cell(b.Stat(slot, "cell."+c.String()+"."+name, c.Title()+", median "+name, med, !ok, unit)))
		}
		row.Cells = append(row.Cells, TextCell(c.Meaning()))
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

func (p *rfmPlan) moneyWord() string {
	if p.mean {
		return "sum of their means"
	}
	return "revenue"
}

// grid is recency, best first, by another dimension.
func (p *rfmPlan) grid(b *Builder, grid int, name, letter string) {
	bl := Block{Kind: HeatBlock, Name: b.Key("r" + letter), Title: b.label("buyers by recency (rows, 5 best) and " + name + " (columns)")}
	for x := 1; x <= rfmTop; x++ {
		bl.Heads = append(bl.Heads, Head{fmt.Sprintf("%s %d", letter, x), true})
	}
	for r := rfmTop; r >= 1; r-- {
		row := Row{Key: fmt.Sprintf("R%d", r), Label: fmt.Sprintf("R %d", r)}
		for x := 1; x <= rfmTop; x++ {
			f := b.Count(rfmGrid(grid, uint8(r), uint8(x)), fmt.Sprintf("grid.r%d.%s%d", r, []string{"f", "m"}[grid], x), fmt.Sprintf("R %d, %s %d", r, letter, x))
			b.Fig(f).Carry, b.Fig(f).Beside = "RFM code", "monetary"
			row.Cells = append(row.Cells, b.Cell(f))
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

// scoreTable is what each score means, and who has it.
func (p *rfmPlan) scoreTable(b *Builder) {
	if p.scales[0] == nil {
		return
	}
	s := p.scales[0]
	bl := Block{Kind: TableBlock, Name: b.Key("scores"), Title: b.label("what the scores mean"), Heads: []Head{{"R, days since", true}, {"users", true}, {"F, " + p.countWord() + "s", true}, {"users", true}}}
	if p.buys.money {
		bl.Heads = append(bl.Heads, Head{"M", true}, Head{"users", true})
	}
	between := func(over, upTo string) string {
		switch {
		case over == "" && upTo == "":
			return "all"
		case over == "":
			return "up to " + upTo
		case upTo == "":
			return "over " + over
		}
		return "over " + over + " to " + upTo
	}
	cut := func(d, k int) string { // the k-th cut, "" beyond the ends
		switch {
		case k < 0 || k > 3:
			return ""
		case d == 0:
			return strconv.Itoa(int(s.Days[k]))
		case d == 1:
			return strconv.Itoa(int(s.Frequency[k]))
		}
		return s.Monetary[k].String()
	}
	for x := rfmTop; x >= 1; x-- {
		row := Row{Key: strconv.Itoa(x), Label: "score " + strconv.Itoa(x)}
		for d := range 3 {
			if d == 2 && !p.buys.money {
				continue
			}
			k := x - 1 // how many cuts lie below
			if d == 0 {
				k = rfmTop - x
			}
			f := b.Count(rfmScores+d*rfmTop+x-1, fmt.Sprintf("score.%s%d", []string{"r", "f", "m"}[d], x), fmt.Sprintf("%s %d", []string{"R", "F", "M"}[d], x))
			b.Fig(f).Carry, b.Fig(f).Beside = "RFM code", []string{"days since", p.countWord() + "s", "monetary"}[d]
			text := between(cut(d, k-1), cut(d, k))
			if b.Run != nil && s.Used(d)[x-1] == 0 {
				text = "nobody"
			}
			row.Cells = append(row.Cells, TextCell(text), b.Cell(f))
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

// moves is the matrix of cells then and now.
func (p *rfmPlan) moves(b *Builder) {
	moved := b.Count(rfmMoved, "moved", "in another cell than on "+p.days[1].String())
	b.Block(Block{Kind: TableBlock, Name: b.Key("moved"), Title: b.label("since " + p.days[1].String()), Heads: []Head{{"users", true}}, Rows: []Row{{Key: "moved", Label: "in another cell than then", Cells: []Cell{b.Cell(moved)}}}})
	bl := Block{Kind: HeatBlock, Name: b.Key("moves"), Title: b.label(fmt.Sprintf("from the cell of %s (row) to that of %s (column)", p.days[1], p.days[0]))}
	words, titles := make([]string, rfmNamed+1), make([]string, rfmNamed+1)
	for _, c := range value.Cells() {
		words[c], titles[c] = c.String(), c.Title()
	}
	words[rfmNamed], titles[rfmNamed] = "none", "no purchase"
	from := make([]bool, rfmNamed+1)
	to := make([]bool, rfmNamed+1)
	for i := range rfmNamed + 1 {
		for j := range rfmNamed + 1 {
			if b.N(rfmMove(i, j), Self) > 0 && (i < rfmNamed || j < rfmNamed) {
				from[i], to[j] = true, true
			}
		}
	}
	for j, is := range to {
		if is {
			bl.Heads = append(bl.Heads, Head{titles[j], true})
		}
	}
	for i, is := range from {
		if !is {
			continue
		}
		row := Row{Key: words[i], Label: titles[i]}
		for j, any := range to {
			if !any {
				continue
			}
			if b.N(rfmMove(i, j), Self) == 0 || i == rfmNamed && j == rfmNamed {
				row.Cells = append(row.Cells, Cell{Figure: NoFigure, Blank: true})
				continue
			}
			row.Cells = append(row.Cells, b.Cell(b.Count(rfmMove(i, j), "move."+words[i]+"."+words[j], titles[i]+" → "+titles[j])))
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

// codes are the codes that anybody has, the most common first.
func (p *rfmPlan) codes(b *Builder) {
	bl := Block{Kind: TableBlock, Name: b.Key("codes"), Title: b.label("codes, the most common first"), Heads: []Head{{"users", true}, {"cell", false}}}
	var codes []value.Code
	for i := range rfmTop * rfmTop * rfmTop {
		if c := value.CodeAt(i); b.N(rfmCodes+i, Self) > 0 {
			codes = append(codes, c)
		}
	}
	sortBy(codes, func(c value.Code) (int64, string) { return -b.N(rfmCodes+c.Index(), Self), c.String() })
	for _, c := range codes {
		f := b.Count(rfmCodes+c.Index(), "code."+c.String(), "code "+c.String())
		b.Fig(f).Carry, b.Fig(f).Beside = "RFM code", "monetary"
		bl.Rows = append(bl.Rows, Row{Key: c.String(), Label: c.String(), Cells: []Cell{b.Cell(f), TextCell(c.Cell().Title())}})
	}
	b.Block(bl)
}

func (p *rfmPlan) explain(f *Figure) []ExplainLine {
	text := "a score is 1 + the number of quintile cuts (type 7 of Hyndman and Fan) of all buyers strictly below the value, recency turned around; the code's three digits name the cell"
	switch {
	case f.Slot >= rfmMoves, f.Slot == rfmMoved:
		text = "each user is scored among the buyers of " + p.days[1].String() + " and among those of " + p.days[0].String() + "; the two cells are compared"
	case f.Kind == Sum:
		text = p.moneyWord() + " of the cell's users, added exactly: " + p.buys.moneyNote()
	case f.Kind == Stat:
		text = "the median over the cell's users"
	case f.Slot == rfmNone:
		text = "users with an event up to the day and no purchase in the window"
	}
	return []ExplainLine{{Head: "Formula", Text: text}}
}

// joinWords joins words with commas, and the last by a conjunction.
func joinWords(w []string, and string) string {
	if len(w) < 2 {
		return fmt.Sprint(append(w, "")[0])
	}
	out := w[0]
	for _, x := range w[1 : len(w)-1] {
		out += ", " + x
	}
	return out + " " + and + " " + w[len(w)-1]
}
