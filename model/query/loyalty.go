package query

import (
	"fmt"

	"dwell/model"
)

// loyaltyAnalysis sets retention, repurchase and recommendation of the same users
// over the same time side by side (SPEC R1.12).
func loyaltyAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "loyalty", Title: "Loyalty", Help: "retention, repurchase and recommendation of the same users over the same days after their start", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "within", Type: Int, Min: 1, Default: "90", Help: "days after each user's first event within which they must return, buy again, recommend"},
				{Name: "from", Type: DayType, Help: "first day of the starts; the data's first if left out"},
				{Name: "to", Type: DayType, Help: "last day of the starts; the as-of day if left out"},
				{Name: "cohort", Type: Word, Values: units(), Default: "month", Help: "period of the start that makes a row"},
			}, groupKeys(), judgeKeys(), truncatedKeys(), zoneKeys())},
		check: checkSpan,
		plan:  planLoyalty,
	}
}

// The rates of loyalty, each with a slot for all and one for each cohort.
const (
	loyalBack    = iota // active on a later day
	loyalBuyer          // bought at all
	loyalRebuy          // bought on a second occasion, of all
	loyalRebuyOf        // … of those who bought at all
	loyalRefer          // shared or invited
	loyalRates
)

var loyalWords = [loyalRates]struct{ key, head, label string }{
	{"retention", "came back", "retention: active again on a later day"},
	{"purchase", "bought", "bought at all"},
	{"repurchase", "bought again", "repurchase: bought on a second occasion"},
	{"repurchase_buyers", "… of buyers", "repurchase, of those who bought at all"},
	{"recommendation", "recommended", "recommendation: shared or invited"},
}

// A loyal run holds what kernel and layout share. Slots: users who started, the
// left truncated, then for all and for each cohort its users and rates.
type loyal struct {
	r      *Run
	span   span
	within model.Day
	unit   model.PeriodUnit
	first  model.Period
	rows   int
	order  int // place of the order number among the columns; −1: there is none
	key    *model.KeyInfo
	buys   bool // the data have purchases
	refers bool // … and social or invite events
}

func (l *loyal) users(row int) int      { return 1 + (row+1)*(loyalRates+1) } // row −1: all
func (l *loyal) rate(row, what int) int { return l.users(row) + 1 + what }

func planLoyalty(r *Run) (*Plan, error) {
	l := &loyal{r: r, within: model.Day(r.Int("within")), order: -1}
	var err error
	if l.unit, err = model.ParseUnit(r.Str("cohort")); err != nil {
		return nil, err
	}
	if l.span, err = r.span(0); err != nil {
		return nil, err
	}
	l.span.from = max(l.span.from, r.FirstDay)
	if l.span.from > l.span.to {
		return nil, fmt.Errorf("the starts would end on %s, before the data begin on %s", l.span.to, r.FirstDay)
	}
	l.first = r.Cal.Period(l.unit, l.span.from)
	l.rows = int(r.Cal.Period(l.unit, l.span.to)-l.first) + 1
	if l.rows*loyalRates > maxCells {
		return nil, fmt.Errorf("%d cohorts are too many: choose a longer cohort=", l.rows)
	}
	l.buys, l.refers = r.hasRole(model.Purchase), r.hasRole(model.Social|model.Invite)
	p := &Plan{Slots: l.users(l.rows), Kernel: l.kernel, Layout: l.layout, Explain: l.explain}
	if l.key = r.Info.Key(r.Dict.Columns.Order); l.key != nil {
		l.order, p.Columns = 0, []string{r.Dict.Columns.Order}
	}
	return p, nil
}

// hasRole says whether the dictionary gives some event of the data a meaning.
func (r *Run) hasRole(role model.Role) bool {
	for i := range r.Info.Names {
		if r.Roles.Of(model.NameID(i), model.NoMoney)&role != 0 {
			return true
		}
	}
	return false
}

// deeds is what a user did within so many days of the start.
type deeds struct{ back, bought, again, referred bool }

func (l *loyal) deeds(p *Person) (d deeds) {
	first, last := p.Days[0], p.Days[0]+l.within
	one := "" // the first occasion
	for i, day := range p.Days {
		if day > last {
			break
		}
		role := l.r.Role(p, i)
		d.back = d.back || day > first && role.Active()
		d.referred = d.referred || role&(model.Social|model.Invite) != 0
		if role&model.Purchase == 0 {
			continue
		}
		// One order is one occasion: its number, else its event.
		occasion := fmt.Sprint(i)
		if l.order >= 0 {
			if n := p.TL.Props[l.order].At(l.key, i); n != "" {
				occasion = "#" + n
			}
		}
		if !d.bought {
			d.bought, one = true, occasion
		} else if occasion != one {
			d.again = true
		}
	}
	return d
}

func (l *loyal) kernel() Kernel {
	return Visit(func(p *Person, h *Hits) {
		start := p.Days[0]
		if start < l.span.from || start > l.span.to {
			return
		}
		h.In(l.r.At(p, start))
		if h.Outside() {
			return
		}
		if l.r.Truncated(start) {
			h.Hit(0, Self)
			return
		}
		d := l.deeds(p)
		closed := start+l.within <= l.r.AsOf
		row := int(l.r.Cal.Period(l.unit, start) - l.first)
		for _, at := range [2]int{-1, row} {
			h.Hit(l.users(at), Self)
			for what, yes := range [loyalRates]bool{d.back, d.bought, d.again, d.again, d.referred} {
				if what == loyalRebuyOf && !d.bought {
					continue
				}
				if closed {
					h.Rate(l.rate(at, what), yes)
				} else {
					h.OpenRate(l.rate(at, what), yes)
				}
			}
		}
	})
}

func (l *loyal) layout(b *Builder) error {
	b.A.Title = fmt.Sprintf("Loyalty · within %s of the start · starts from %s · %s", plural(int(l.within), "day"), l.span, l.r.Cal.Zone)
	b.A.Definition = fmt.Sprintf("All rates are of the same users: those whose first event lies in the period and whose %s have passed. Who is younger is open and in no rate. Buying again is a second order (by its number, where there is one).", plural(int(l.within), "day"))
	for g := range b.Groups() {
		b.Group(g)
		l.group(b)
	}
	if !l.buys {
		b.Warn("no-purchases", "Repurchase is —: no event of the data means purchase (see the dictionary).")
	}
	if !l.refers {
		b.Warn("no-recommendations", "Recommendation is —: no event of the data means social or invite (see the dictionary); what is said outside the product is not in the data.")
	}
	var cut int64
	for g := range b.Groups() {
		b.Group(g)
		cut += b.N(0, Self)
	}
	b.WarnTruncated(cut)
	return nil
}

// known says whether a rate can be told from this data at all.
func (l *loyal) known(what int) bool {
	switch what {
	case loyalBack:
		return true
	case loyalRefer:
		return l.refers
	}
	return l.buys
}

func (l *loyal) group(b *Builder) {
	top := Block{Kind: TableBlock, Name: b.Key("rates"), Title: b.label(fmt.Sprintf("of the same users, within %s", plural(int(l.within), "day"))), Heads: []Head{{"rate", true}, {"95 % interval", true}, {"users", true}, {"of", true}, {"still open", true}}}
	users := b.Count(l.users(-1), "users", "users who started")
	for what, w := range loyalWords {
		row := Row{Key: w.key, Label: w.label}
		if l.known(what) {
			f := b.Rate(l.rate(-1, what), w.key, w.label)
			row.Cells = []Cell{b.Cell(f), TextCell(b.Fig(f).interval()), TextCell(count(b.N(l.rate(-1, what), Self))), TextCell(count(b.Fig(f).N)), TextCell(count(b.Fig(f).Open))}
		} else {
			row.Cells = []Cell{TextCell("—"), TextCell(""), TextCell("—"), TextCell("—"), TextCell("—")}
		}
		top.Rows = append(top.Rows, row)
	}
	top.Rows = append(top.Rows, Row{Key: "users", Label: "users who started", Cells: []Cell{b.Cell(users)}})
	b.Block(top)
	heat := Block{Kind: HeatBlock, Name: b.Key("cohorts"), Title: b.label("by " + l.unit.String() + " of the start"), Heads: []Head{{"users", true}}}
	for what, w := range loyalWords {
		if l.known(what) {
			heat.Heads = append(heat.Heads, Head{w.head, true})
		}
	}
	for row := range l.rows {
		if b.N(l.users(row), Self) == 0 {
			continue
		}
		label := l.r.Cal.PeriodLabel(l.unit, l.first+model.Period(row))
		line := Row{Key: label, Label: label, Cells: []Cell{b.Cell(b.Count(l.users(row), "cohort."+label+".users", label+", users who started"))}}
		for what, w := range loyalWords {
			if !l.known(what) {
				continue
			}
			f := b.Rate(l.rate(row, what), "cohort."+label+"."+w.key, label+", "+w.head)
			cell := b.Cell(f)
			cell.Open = b.Fig(f).Open > 0
			line.Cells = append(line.Cells, cell)
		}
		heat.Rows = append(heat.Rows, line)
	}
	b.Block(heat)
}

func (l *loyal) explain(f *Figure) []ExplainLine {
	return []ExplainLine{{Head: "Formula", Text: fmt.Sprintf("users who did it on or before day %d after their first event ÷ users whose first event was at least %d days before the end of the as-of day", l.within, l.within)}}
}
