package query

import (
	"fmt"
	"math"
	"strconv"

	"dwell/model"
	"dwell/model/stat"
	"dwell/model/value"
)

func (x *expecting) layout(b *Builder) error {
	r, s := x.r, &x.set
	what := "purchase"
	if s.buys.pick != nil {
		what = s.buys.pick.label
	}
	name := kindNames[s.kind]
	if !x.model.usable() {
		name = kindNames[""]
	}
	b.A.Title = "Value expected in " + horizonNote(x.ahead) + " · " + name + s.buys.title() + " · " + asOfNote(r)
	b.A.Definition = fmt.Sprintf("What each buyer is expected to do from %s on: days with %s (one a day), by %s fitted to how often and how recently buyers came back%s. P(alive) is the chance of still being a buyer. Value expected is not value to date; LTV would be their sum.", r.AsOf, what, name, x.spendNote())
	x.savedNote(b)
	x.reasons(b)
	for g := range b.Groups() {
		b.Group(g)
		x.group(b)
	}
	x.fitted(b)
	return b.coins(s.buys.code)
}

func (x *expecting) spendNote() string {
	if !x.set.valued {
		return ""
	}
	how := "the mean of a purchase, her own where she has bought again"
	if x.model.Spend != nil && x.model.SpendWhy == "" {
		how = "Gamma-Gamma"
	}
	discount := ", undiscounted"
	if x.ahead.Rate != 0 {
		discount = ", discounted " + x.r.Str("discount") + " a month"
	}
	return ", times what a purchase is expected to bring by " + how + " (" + x.set.buys.moneyNote() + discount + ")"
}

// reasons says what could not be done.
func (x *expecting) reasons(b *Builder) {
	m, s := x.model, &x.set
	switch {
	case s.kind == "":
	case !m.usable():
		b.Warn("no-fit", "%s is not used: %s. Instead stands what like buyers did in the data's own past.", kindNames[s.kind], m.Why)
	case s.kind == value.BG && m.determined():
		b.Warn("bg-alive", "BG/NBD takes every one-time buyer for alive for certain: its P(alive) of 100 %% means that nothing is known. MBG/NBD, the default, does not.")
	}
	if m.usable() {
		for _, n := range m.Repeat.Notes() {
			b.Warn(n.Key, "%s", n.Text)
		}
	}
	switch {
	case m.short && !m.usable():
		b.Warn("short-horizon", "The data know what buyers did in %s and nothing longer: so far ahead is looked, instead of %s.", horizonNote(m.ahead), x.r.Str("horizon"))
	case m.short:
		b.Warn("short-horizon", "%s is more than twice as long as the %.0f weeks of history behind the model: %s ahead is looked instead.", x.r.Str("horizon"), m.Repeat.Span, horizonNote(m.ahead))
	case m.usable() && m.ahead.Horizon() > m.Repeat.Span:
		b.Warn("long-horizon", "The horizon of %s is longer than the %.0f weeks of history behind the model: what it says beyond them is its shape alone, which nothing in the data bears out.", horizonNote(m.ahead), m.Repeat.Span)
	}
	switch {
	case m.silent() != "":
		b.Warn("no-curve", "Nothing is foretold: %s.", m.silent())
	case s.valued && m.SpendWhy != "":
		b.Warn("no-spend", "Gamma-Gamma is not used: %s. A purchase is taken to bring the buyer's own mean, or everybody's.", m.SpendWhy)
	case s.valued && m.Spend != nil && math.Abs(m.Spend.Correlation) > 0.3:
		b.Warn("spend-frequency", "What a purchase brings and how often buyers come back go together (correlation %.2f): Gamma-Gamma takes them for unrelated.", m.Spend.Correlation)
	}
	if !s.valued && s.buys.pick == nil {
		b.Warn("no-money", "Purchases are foretold, and not what they bring. %s", s.buys.why)
	}
	switch {
	case s.seen == model.NoDay:
	case x.model.Whole:
		b.Warn("truncated", "Nearly all buyers were first seen before %s and may have bought before the data begin: the fit takes them for new ones all the same (starts = \"complete\" in the dictionary says that they were).", s.seen)
	case x.r.truncates:
		b.Warn("truncated", "Buyers first seen before %s may have bought before the data begin: the fit leaves them out (truncated=keep takes them in) and foretells them as it does those who came later, from the first purchase known. Where the early buyers buy more, too little is expected.", x.r.truncatedBefore())
	}
}

func (x *expecting) group(b *Builder) {
	k := b.Kernel().(*expectedKernel)
	sums := &k.sums[b.group]
	if b.N(expBuyers, Self) == 0 {
		b.Block(Block{Kind: TextBlock, Name: b.Key("none"), Title: b.label("nobody"), Lines: []string{"Nobody here can be foretold anything of."}})
		b.Count(expNone, "no_buyers", "users who have bought nothing")
		return
	}
	facts := Block{Kind: TableBlock, Name: b.Key("all"), Title: b.label("in all, in " + horizonNote(x.ahead)), Heads: []Head{{"", true}}}
	fact := func(key, label string, f int) {
		facts.Rows = append(facts.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(f)}})
	}
	n := x.carry(b, b.Count(expBuyers, "buyers", "buyers"))
	fact("buyers", "buyers", n)
	if x.model.determined() {
		fact("alive", "expected to be buyers still", b.Stat(expBuyers, "alive", "sum of P(alive)", sums.alive, false, "users"))
	}
	fact("purchases", "purchases expected", b.Stat(expBuyers, "purchases", "purchases expected", sums.purchases, false, "purchases"))
	if x.set.valued {
		fact("value", "value expected", x.carry(b, b.Sum(expBuyers, "value", "value expected", x.set.buys.unit)))
		each := b.SumOf(expBuyers).Float() / float64(b.N(expBuyers, Self))
		fact("each", "value expected per buyer", b.Stat(expBuyers, "each", "value expected per buyer", each, false, x.set.buys.unit))
	}
	fact("none", "users who have bought nothing: not foretold", b.Count(expNone, "no_buyers", "users who have bought nothing"))
	b.Block(facts)
	x.list(b, sums)
	x.tenths(b)
	x.bands(b)
	x.tests(b, sums)
}

// carry names what the list of a figure brings.
func (x *expecting) carry(b *Builder, i int) int {
	f := b.Fig(i)
	f.Carry, f.Beside = "purchases expected", "P(alive)"
	if !x.model.usable() {
		f.Beside = "share of like buyers who came back"
	} else if !x.model.determined() {
		f.Beside = "P(alive), undetermined"
	}
	if x.set.valued {
		f.Carry = "value expected"
	}
	return i
}

// list shows the buyers of whom most is expected, with intervals.
func (x *expecting) list(b *Builder, sums *expectedSums) {
	bl := Block{Kind: TableBlock, Name: b.Key("top"), Title: b.label("of whom most is expected"), Heads: []Head{{"value", true}, {"95 % interval", true}, {"purchases", true}, {"each", true}, {"P(alive)", true}, {"so far", true}, {"last, days ago", true}}}
	for _, l := range sums.top {
		worth, each := "—", "—"
		if l.valued {
			worth, each = strconv.FormatFloat(l.money, 'f', 2, 64), strconv.FormatFloat(l.each, 'f', 2, 64)
		}
		alive := "—"
		if l.sure {
			alive = chanceOf(l.alive)
		}
		bl.Rows = append(bl.Rows, Row{Key: l.id, Label: l.id, Open: x.r.link(Query{Analysis: "user", ID: l.id}), Cells: []Cell{
			TextCell(worth), TextCell(x.model.between(l.estimate)), TextCell(strconv.FormatFloat(l.purchases, 'f', 2, 64)), TextCell(each), TextCell(alive),
			TextCell(fmt.Sprint(l.history.Repeats + 1)), TextCell(fmt.Sprintf("%.0f", 7*(l.history.Age-l.history.Last)))}})
	}
	b.Block(bl)
}

// interval is the interval of what is expected of a buyer: of value where there is
// any, else of purchases. ok is false where the fit has none.
func (m *foretelling) interval(e estimate) (iv stat.Interval, ok bool) {
	switch {
	case !e.modelled:
		past, ok := m.foreteller(nil).past(e.history)
		k := m.ahead.Horizon() / m.curve.Weeks
		if e.valued {
			k *= e.each * spread(m.ahead)
		}
		return stat.Interval{Lo: k * past.Interval.Lo, Hi: k * past.Interval.Hi}, ok
	case !e.valued:
		return m.Repeat.ExpectedInterval(e.history, m.ahead.Horizon(), stat.Level)
	case m.Spend == nil || m.SpendWhy != "":
		return iv, false
	}
	return m.Repeat.WorthInterval(m.Spend, e.history, e.history.Repeats, e.mean, m.ahead, stat.Level)
}

func (m *foretelling) between(e estimate) string {
	iv, ok := m.interval(e)
	if !ok {
		return "—"
	}
	return fixed(iv.Lo, 2) + "–" + fixed(iv.Hi, 2)
}

// percentOf writes a probability, never as a certainty that it is not.
func chanceOf(p float64) string {
	switch {
	case p > 0.999 && p < 1:
		return "> 99.9 %"
	case p < 0.001 && p > 0:
		return "< 0.1 %"
	}
	return shareText(p)
}

// tenths is the buyers by expected value, the highest tenth first.
func (x *expecting) tenths(b *Builder) {
	heads := []Head{{"buyers", true}}
	if x.set.valued {
		heads = append(heads, Head{"value expected", true}, Head{"of all", true})
	}
	bl := Block{Kind: TableBlock, Name: b.Key("tenths"), Title: b.label("buyers by what is expected of them"), Heads: heads}
	all := b.SumOf(expBuyers).Float()
	for i := expBands - 1; i >= 0; i-- {
		if b.N(expTenth+i, Self) == 0 {
			continue
		}
		label := fmt.Sprintf("tenth %d", expBands-i)
		switch i {
		case expBands - 1:
			label = "highest tenth"
		case 0:
			label = "lowest tenth"
		}
		key := fmt.Sprintf("tenth.%d", expBands-i)
		row := Row{Key: key, Label: label, Cells: []Cell{b.Cell(x.carry(b, b.Count(expTenth+i, key, label+" by what is expected")))}}
		if x.set.valued {
			f := x.carry(b, b.Sum(expTenth+i, key+".value", label+", value expected", x.set.buys.unit))
			share := "—"
			if all > 0 {
				share = shareText(b.Fig(f).Value / all)
			}
			row.Cells = append(row.Cells, b.Cell(f), TextCell(share))
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

// bands is the buyers by P(alive).
func (x *expecting) bands(b *Builder) {
	if !x.model.determined() {
		return
	}
	bl := Block{Kind: BarBlock, Name: b.Key("alive"), Title: b.label("buyers by P(alive)"), Heads: []Head{{"buyers", true}}}
	if x.set.valued {
		bl.Heads = append(bl.Heads, Head{"value expected", true})
	}
	for i := expBands - 1; i >= 0; i-- {
		label := binLabel(i)
		key := fmt.Sprintf("alive.%d", 100*i/expBands)
		row := Row{Key: key, Label: label, Cells: []Cell{b.Cell(x.carry(b, b.Count(expAlive+i, key, "P(alive) "+label)))}}
		if x.set.valued {
			row.Cells = append(row.Cells, b.Cell(x.carry(b, b.Sum(expAlive+i, key+".value", "P(alive) "+label+", value expected", x.set.buys.unit))))
		}
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

// tests sets what was expected as of the cut-off beside what came, by repeat
// purchases until then, with the naive forecast that all goes on as before.
func (x *expecting) tests(b *Builder, sums *expectedSums) {
	if x.test == nil {
		b.Warn("no-test", "The data are too short to test the forecast on their own past.")
		return
	}
	days := int(x.testEnd - x.tested)
	bl := Block{Kind: TableBlock, Name: b.Key("test"), Title: b.label(fmt.Sprintf("tested: expected as of %s for the %s after", x.tested, plural(days, "day"))),
		Heads: []Head{{"buyers then", true}, {"expected", true}, {"came", true}, {"as before", true}}}
	if x.set.valued {
		bl.Heads = append(bl.Heads, Head{"value expected", true}, Head{"value came", true})
	}
	var all, of struct{ expected, naive, spentExpected, spent float64 }
	came, off, offNaive := 0.0, 0.0, 0.0
	line := func(key, label string, t *struct{ expected, naive, spentExpected, spent float64 }, cells ...Cell) {
		row := Row{Key: key, Label: label, Cells: append(cells, TextCell(parted(t.naive, 0)))}
		if x.set.valued {
			row.Cells = append(row.Cells, TextCell(parted(t.spentExpected, 0)), TextCell(parted(t.spent, 0)))
		}
		bl.Rows = append(bl.Rows, row)
	}
	for i := range expClasses {
		if b.N(expTest+i, Self) == 0 {
			continue
		}
		label := plural(i, "repeat purchase")
		if i == expClasses-1 {
			label = fmt.Sprintf("%d or more", i)
		}
		key := fmt.Sprintf("test.%d", i)
		n := b.Count(expTest+i, key+".buyers", label+", buyers on "+x.tested.String())
		act := b.Rows(expTest+i, key+".came", label+", purchases since")
		b.Fig(act).Unit = "purchases"
		t := &sums.test[i]
		exp := b.Stat(expTest+i, key+".expected", label+", purchases expected then", t.expected, false, "purchases")
		of = *t
		line(key, label, &of, b.Cell(n), b.Cell(exp), b.Cell(act))
		all.expected, all.naive = all.expected+t.expected, all.naive+t.naive
		all.spentExpected, all.spent = all.spentExpected+t.spentExpected, all.spent+t.spent
		came += b.Fig(act).Value
		off += math.Abs(t.expected - b.Fig(act).Value)
		offNaive += math.Abs(t.naive - b.Fig(act).Value)
	}
	line("all", "all", &all, TextCell(""), TextCell(parted(all.expected, 0)), TextCell(parted(came, 0)))
	b.Block(bl)
	if came == 0 {
		return
	}
	how := "nearer to what came than"
	if off >= offNaive {
		how = "no nearer to what came than"
	}
	lines := []string{fmt.Sprintf("In all %s of what came was expected. By class the forecast was off by %.0f %% of what came, all going on as in the %s before by %.0f %%: the forecast was %s that.",
		strconv.FormatFloat(100*all.expected/came, 'f', 0, 64)+" %", 100*off/came, plural(days, "day"), 100*offNaive/came, how)}
	if s := &x.set; s.seen != model.NoDay && !x.model.Whole && x.r.truncates {
		lines = append(lines, fmt.Sprintf("The fit learns from buyers first seen from %s on; truncated=keep learns from all.", x.r.truncatedBefore()))
	}
	if !x.test.usable() && x.set.kind != "" {
		lines = append(lines, "In the test the empirical curve stood in, for "+x.test.Why+".")
	}
	b.Block(Block{Kind: TextBlock, Name: b.Key("worth"), Title: b.label("what the forecast was worth"), Lines: lines})
}

// fitted shows the parameters, and how the search for them ended.
func (x *expecting) fitted(b *Builder) {
	b.Group(0)
	bl := Block{Kind: TableBlock, Name: "fit", Title: fmt.Sprintf("the fit, to %s", plural(int(x.model.Buyers), "buyer")), Heads: []Head{{"value", true}, {"standard error", true}}}
	add := func(key, label string, v, se float64, known bool) {
		f := b.Stat(expFitted, "fit."+key, label, v, false, "")
		b.Fig(f).Group = 0
		text := "—"
		if known {
			text = fmt.Sprintf("%.4g", se)
		}
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(f), TextCell(text)}})
	}
	var lines []string
	if m := x.model.Repeat; m != nil && x.model.usable() {
		for i, name := range m.Kind.Names() {
			add(name, kindNames[m.Kind]+" "+name, m.Params[i], m.SE[i], m.Known)
		}
		add("log_likelihood", kindNames[m.Kind]+" log-likelihood", m.Convergence.LogLikelihood, 0, false)
		lines = append(lines, kindNames[m.Kind]+": "+m.Convergence.Sentence()+".")
	}
	if m := x.model.Spend; m != nil && x.model.SpendWhy == "" {
		for i, name := range []string{"p", "q", "v"} {
			add("spend_"+name, "Gamma-Gamma "+name, []float64{m.P, m.Q, m.V}[i], m.SE[i], m.Known)
		}
		add("spend_log_likelihood", "Gamma-Gamma log-likelihood", m.Convergence.LogLikelihood, 0, false)
		add("spend_correlation", "correlation of purchases and their mean", m.Correlation, 0, false)
		lines = append(lines, fmt.Sprintf("Gamma-Gamma, of %s who came back: %s.", plural(int(m.Buyers), "buyer"), m.Convergence.Sentence()))
	}
	if len(bl.Rows) > 0 {
		b.Block(bl)
		b.Block(Block{Kind: TextBlock, Name: "convergence", Title: "how the search ended", Lines: append(lines,
			"Ages are in weeks after the first purchase. The intervals say how far a figure may be off because finitely many buyers were seen, if the model is right; they are no range of what one buyer will do.")})
	}
}

func (x *expecting) explain(f *Figure) []ExplainLine {
	var text string
	switch {
	case f.Slot == expFitted:
		text = "maximum likelihood over the buyers of the fit, from several starts; standard errors from the observed information"
	case f.Slot >= expTest && f.Kind == Stat:
		text = fmt.Sprintf("the model fitted to what was known on %s, added over the class's buyers", x.tested)
	case f.Slot >= expTest && f.Kind == Rows:
		text = fmt.Sprintf("purchase days from %s to %s of the class's buyers", x.tested+1, x.testEnd)
	case f.Slot >= expTest:
		text = fmt.Sprintf("buyers by purchase days after the first up to %s", x.tested)
	case f.Kind == Sum:
		text = "purchases expected × what a purchase is expected to bring, added over users; each user's to a millionth"
	case f.Kind == Stat:
		text = "the users' own estimates, added"
	case f.Slot == expNone:
		text = "users without a purchase up to the day"
	case f.Slot >= expTenth:
		text = "buyers ranked by what is expected of them, among all buyers; equal ones stand in one tenth"
	default:
		text = "users with a purchase up to the day"
	}
	return []ExplainLine{{Head: "Formula", Text: text}}
}

func (x *expecting) work(p *Person, f *Figure, in bool) string {
	e, ok := x.model.foreteller(&x.set).of(x.set.buys.reader().read(p, x.r.AsOf))
	if !ok {
		return ""
	}
	return x.model.sentence(p.TL.ID, e, x.set.buys.unit)
}

// sentence is a buyer's estimate in words.
func (m *foretelling) sentence(id string, e estimate, unit string) string {
	out := fmt.Sprintf("%s bought on %s, the last at an age of %.1f of %.1f weeks", id, plural(e.history.Repeats+1, "day"), e.history.Last, e.history.Age)
	if e.sure {
		out += ": P(alive) " + chanceOf(e.alive)
	}
	out += fmt.Sprintf("; %.2f purchases expected in %s", e.purchases, horizonNote(m.ahead))
	if e.valued {
		out += fmt.Sprintf(", of %.2f each: %.2f %s", e.each, e.money, unit)
	}
	if iv, ok := m.interval(e); ok {
		out += fmt.Sprintf(" (95 %% interval %.2f to %.2f)", iv.Lo, iv.Hi)
	}
	return out + "."
}
