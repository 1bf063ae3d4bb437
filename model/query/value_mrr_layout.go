package query

import (
	"fmt"

	"dwell/model"
	"dwell/model/value"
)

func (p *mrrPlan) layout(b *Builder) error {
	r := p.r
	b.A.Title = "Monthly recurring revenue · by " + p.unit.String() + p.buys.title() + " · " + asOfNote(r)
	b.A.Definition = fmt.Sprintf("What open contracts bring a month at the end of each %s: the latest payment over the months it pays for (%s; periods within three days of whole months are whole months), until the paid period ends%s%s. A user's MRR at one end against the end before: new (never paid before), reactivation (paid once, not at the end before), expansion, contraction, churn (to nothing); their sum is the change exactly. Who comes and goes between two ends is in neither.", p.unit, p.columnNote(), p.graceNote(), p.planNote())
	for g := range b.Groups() {
		b.Group(g)
		p.group(b)
	}
	if r.truncates {
		b.Warn("truncated", "Contracts may have begun before the data do: those of the first %s count as new, and contracts from before %s are in no renewal (truncated=keep takes them in).", p.unit, r.truncatedBefore())
	}
	if _, to := r.Cal.Bounds(p.unit, r.Cal.Period(p.unit, r.AsOf)); to-1 > r.AsOf {
		b.Warn("open-period", "The last %s is still open: its end is %s.", p.unit, r.AsOf)
	}
	return b.coins(p.buys.code)
}

// planNote says how several subscriptions, changes and refunds are told.
func (p *mrrPlan) planNote() string {
	out := ", or is given back (for about all that is left of it)"
	if p.plan < 0 {
		return out + "; a user has one contract, the latest payment's"
	}
	return out + "; a payment for another " + p.columns[1] + " takes the place of the open contract, unless both are renewed or began on one day: then they add up"
}

func (p *mrrPlan) graceNote() string {
	if p.grace == 0 {
		return ""
	}
	return " and " + plural(int(p.grace), "day") + " of grace"
}

func (p *mrrPlan) group(b *Builder) {
	ends := p.spans(b)
	if len(ends) == 0 {
		b.Block(Block{Kind: TextBlock, Name: b.Key("none"), Title: b.label("—"), Lines: []string{fmt.Sprintf("No payment says for which period it pays: %s holds no date or length on a purchase.", p.column)}})
		return
	}
	unit := p.buys.unit
	facts := Block{Kind: TableBlock, Name: b.Key("now"), Title: b.label("on " + p.r.AsOf.String()), Heads: []Head{{"", true}}}
	fact := func(key, label string, f int) {
		facts.Rows = append(facts.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(f)}})
	}
	now := b.Sum(mrrOpen, "mrr", "monthly recurring revenue", unit)
	open := b.Count(mrrOpen, "subscribers", "users with an open contract")
	fact("mrr", "monthly recurring revenue", now)
	fact("subscribers", "users with an open contract", open)
	mean := 0.0
	if n := b.Fig(open).N; n > 0 {
		mean = b.Fig(now).Value / float64(n)
	}
	fact("each", "per user with an open contract", b.Stat(mrrOpen, "each", "monthly recurring revenue per user with an open contract", mean, b.Fig(open).N == 0, unit))
	fact("ever", "users who ever paid for a period", b.Count(mrrEver, "ever", "users who ever paid for a period"))
	b.Block(facts)

	word := p.unit.String()
	line := &Chart{XLabel: word, YLabel: "MRR", Unit: unit, Dates: true, Zero: true, Series: []Series{{Name: "MRR"}}}
	bl := Block{Kind: TableBlock, Name: b.Key("movements"), Title: b.label("movements by " + word), Heads: []Head{{"begin", true}}}
	for k := range int(value.Movements) {
		bl.Heads = append(bl.Heads, Head{value.Movement(k).String(), true})
	}
	bl.Heads = append(bl.Heads, Head{"end", true}, Head{"users", true}, Head{"MRR churn", true})
	last := 0
	for n, i := range ends {
		label := p.r.Cal.PeriodLabel(p.unit, p.first+model.Period(i))
		end := b.Sum(p.at(i, 0), word+"."+label+".mrr", label+", MRR at its end", unit)
		users := b.Count(p.at(i, 0), word+"."+label+".subscribers", label+", users with an open contract at its end")
		was := 0.0
		if n > 0 {
			was = b.Fig(last).Value
		}
		row := Row{Key: label, Label: label, Cells: []Cell{TextCell(parted(was, 2))}}
		lost := 0.0
		for k := range int(value.Movements) {
			kind := value.Movement(k)
			f := b.Sum(p.at(i, 1+k), word+"."+label+"."+kind.String(), label+", "+kind.String(), unit)
			row.Cells = append(row.Cells, b.Cell(f))
			if kind == value.ChurnedOut || kind == value.Contraction {
				lost -= b.Fig(f).Value
			}
		}
		rate := "—"
		if was > 0 {
			rate = shareText(lost / was)
		}
		row.Cells = append(row.Cells, b.Cell(end), b.Cell(users), TextCell(rate))
		last = end
		bl.Rows = append(bl.Rows, row)
		line.X = append(line.X, float64(p.end(i)))
		s := &line.Series[0]
		s.Y, s.Figures = append(s.Y, b.Fig(end).Value), append(s.Figures, end)
	}
	b.Block(Block{Kind: ChartBlock, Name: b.Key("mrr"), Title: b.label("MRR at the end of each " + word), Chart: line})
	b.Block(bl)
	p.lengths(b)
}

func (p *mrrPlan) explain(f *Figure) []ExplainLine {
	text := "an open contract's latest payment ÷ the months it pays for, added over users exactly; " + p.columnNote() + p.graceNote()
	switch {
	case f.Slot >= p.expected(0) && f.Kind != Rate:
		text = fmt.Sprintf("each later period that begins within %d days brings what the last one cost, times the chance by the shifted beta-geometric (Fader and Hardie 2007) that all renewals up to it come; contracts of unknown age are left out", contractAhead)
	case f.Slot >= p.expected(0):
		text = "users whose next payment came by the end of the paid period" + p.graceNote() + " ÷ users whose paid period has ended"
	case f.Slot >= mrrCounts && (f.Slot-mrrCounts)%mrrSlots > 0:
		text = "the user's MRR at the end of the period less that at the end of the one before; by its sign, and by whether the user ever paid before, one of the five movements"
	case f.Kind == Count:
		text = "users with a payment that says for which period it pays; open while that period lasts" + p.graceNote()
	}
	return []ExplainLine{{Head: "Formula", Text: text}}
}

// lengths is, for each length of contract, how many renewed at each renewal,
// beside what a shifted beta-geometric fitted to them says, and what the open ones
// are expected to bring.
func (p *mrrPlan) lengths(b *Builder) {
	unit := p.buys.unit
	for class, l := range contractLengths {
		slot := p.renewal(class, 0)
		if b.N(slot, Of)+b.N(slot, Open) == 0 {
			continue
		}
		fit := p.fits[class]
		bl := Block{Kind: TableBlock, Name: b.Key("renewals." + l.key), Title: b.label(l.key + " contracts: of the renewals that fell due"), Heads: []Head{{"renewed", true}, {"sBG", true}, {"95 % interval", true}, {"due", true}, {"not yet due", true}}}
		for i := range maxRenewals {
			slot := p.renewal(class, i)
			if b.N(slot, Of)+b.N(slot, Open) == 0 {
				break
			}
			name := fmt.Sprintf("%s.%d", l.key, i+1)
			f := b.Rate(slot, "renewal."+name, fmt.Sprintf("%s contracts, renewal %d", l.key, i+1))
			says := "—"
			if fit != nil {
				says = shareText(fit.Renews(i))
			}
			bl.Rows = append(bl.Rows, Row{Key: name, Label: fmt.Sprintf("renewal %d", i+1), Cells: []Cell{b.Cell(f), TextCell(says), TextCell(b.Fig(f).interval()), TextCell(count(b.N(slot, Of))), TextCell(count(b.N(slot, Open)))}})
		}
		b.Block(bl)
		if fit == nil {
			b.Warn("no-sbg", "No shifted beta-geometric is fitted to %s contracts: %s. The observed renewals stand alone.", l.key, p.why[class])
			continue
		}
		f := b.Sum(p.expected(class), "expected."+l.key, fmt.Sprintf("%s contracts, expected in %d days beyond what is paid", l.key, contractAhead), unit)
		n := b.Count(p.expected(class), "expected."+l.key+".users", l.key+" contracts, users with one that is open")
		b.Block(Block{Kind: TableBlock, Name: b.Key("expected." + l.key), Title: b.label(l.key + " contracts: value expected"), Heads: []Head{{"", true}}, Rows: []Row{
			{Key: "users", Label: "users with an open contract", Cells: []Cell{b.Cell(n)}},
			{Key: "value", Label: fmt.Sprintf("expected in %d days beyond what is paid", contractAhead), Cells: []Cell{b.Cell(f)}},
		}})
		b.Block(Block{Kind: TextBlock, Name: b.Key("fit." + l.key), Title: b.label("shifted beta-geometric (sBG)"), Lines: []string{fmt.Sprintf("α %.4g, β %.4g, fitted to %s: %s.", fit.Alpha, fit.Beta, plural(int(fit.Customers), "customer"), fit.Convergence.Sentence())}})
	}
}
