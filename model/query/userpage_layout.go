package query

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stage"
)

func (u *userLife) layout(b *Builder) error {
	r := u.r
	b.A.Title = "User " + u.id + " · " + asOfNote(r)
	b.A.volatile = true // the risk comes and goes with the trained model
	b.A.Definition = "Everything here is made from this user's own events up to the as-of day, and from nothing later."
	if u.tl.Len() == 0 {
		b.Block(Block{Kind: TextBlock, Name: "now", Title: "now", Lines: []string{fmt.Sprintf("%s has no event up to %s.", u.id, r.AsOf)}})
		return nil
	}
	if n := r.Int("proof"); n > 0 {
		u.proof(b, n-1)
		return nil
	}
	b.Block(Block{Kind: TextBlock, Name: "now", Title: "now", Lines: u.now()})
	u.trouble(b)
	u.history(b)
	u.riskBlock(b)
	u.measures(b)
	u.activity(b)
	u.jumps(b)
	u.names(b)
	u.properties(b)
	b.Block(Block{Kind: TextBlock, Name: "summary", Title: "summary, to copy", Lines: u.summary()})
	return nil
}

// label is a stage's name for people.
func (u *userLife) label(i int) string {
	if i < 0 {
		return "no stage"
	}
	return u.r.machine.Model().Stages[i].Label()
}

// stageLine says in one sentence where the user stands and since when.
func (u *userLife) stageLine() string {
	since := u.hist.Since()
	days := int(u.r.AsOf - since)
	long := "since " + since.String() + " (" + plural(days, "day") + ")"
	if days == 0 {
		long = "since today"
	}
	return capital(u.label(u.hist.Now())) + " " + long
}

// now is stage, since when and why in one plain sentence, then what marks hold.
func (u *userLife) now() []string {
	why := u.proofs[len(u.proofs)-1].Sentence
	lines := []string{u.stageLine() + ". " + why}
	if u.proofs[len(u.proofs)-1].Near != nil && u.hist.Now() != u.r.machine.Lost() {
		lines = append(lines, capital(u.proofs[len(u.proofs)-1].Near.Plain)+" (on that day).")
	}
	if m := u.marks(); len(m) > 0 {
		lines = append(lines, "Marks: "+strings.Join(m, ", ")+".")
	}
	return lines
}

// marks are the marks that hold, in words with their numbers.
func (u *userLife) marks() (out []string) {
	for i, name := range u.r.machine.Marks() {
		if !u.hist.Marked(i) {
			continue
		}
		text := strings.ReplaceAll(name, "_", " ")
		switch name {
		case "silent":
			if v, ok := u.value("recency_days"); ok {
				text += fmt.Sprintf(" (%.0f days without activity)", v)
			}
		case "late":
			if v, ok := u.value("overdue"); ok {
				text += fmt.Sprintf(" (%.1f times the usual gap)", v)
			}
		case "declining":
			if v, ok := u.value("rate_ratio"); ok {
				text += fmt.Sprintf(" (active days at %.0f %% of before)", 100*v)
			}
		}
		out = append(out, text)
	}
	return out
}

// troubles are refunds, complaints and cancellations.
const troubles = model.Refund | model.Complaint | model.Cancel

// mostTrouble is how many of them are listed.
const mostTrouble = 20

// A mishap is one refund, complaint or cancellation: the lines of one document
// (order number, or instant) are one.
type mishap struct {
	first, lines int // index of its first event, number of events
	role         model.Role
	sum          model.Sum
	amounts      bool
}

// mishaps are the user's, in order of time.
func (u *userLife) mishaps() (out []mishap) {
	order := u.r.Info.Key(u.r.Dict.Columns.Order)
	column := 0
	for k := range u.r.Info.Keys {
		if order == &u.r.Info.Keys[k] {
			column = k
		}
	}
	at := map[string]int{}
	for i := range u.days {
		role := u.role(i) & troubles
		if role == 0 {
			continue
		}
		key := fmt.Sprint(u.days[i], role, u.tl.Name[i], u.tl.Time[i])
		if order != nil {
			if n := u.tl.Props[column].At(order, i); n != "" {
				key = fmt.Sprint(u.days[i], role, n)
			}
		}
		k, ok := at[key]
		if !ok {
			k = len(out)
			at[key] = k
			out = append(out, mishap{first: i, role: role})
		}
		m := &out[k]
		m.lines++
		if u.tl.Amount != nil && u.tl.Amount[i] != model.NoMoney {
			m.sum.Add(u.tl.Amount[i])
			m.amounts = true
		}
	}
	return out
}

// trouble lists refunds, complaints and cancellations, newest first: what a
// support person must see before anything else.
func (u *userLife) trouble(b *Builder) {
	all := u.mishaps()
	if len(all) == 0 {
		return
	}
	title := "refunds, complaints, cancellations: " + fmt.Sprint(len(all))
	if len(all) > mostTrouble {
		title += fmt.Sprintf(", the last %d", mostTrouble)
	}
	bl := Block{Kind: TableBlock, Name: "trouble", Title: title, Heads: []Head{{"what", false}, {"event", false}, {"lines", true}, {"amount", true}, {"detail", false}}}
	slices.Reverse(all)
	for _, m := range all[:min(mostTrouble, len(all))] {
		amount := ""
		if x, err := m.sum.Money(); err == nil && m.amounts {
			amount = x.String()
		}
		bl.Rows = append(bl.Rows, Row{Key: rowKey(&u.tl, m.first), Label: u.r.Cal.Stamp(&u.tl, m.first), Open: u.rowsAt(u.days[m.first]),
			Cells: []Cell{TextCell(m.role.String()), TextCell(u.r.Info.Names[u.tl.Name[m.first]].Name), TextCell(fmt.Sprint(m.lines)), TextCell(amount), TextCell(u.detail(m.first))}})
	}
	b.Block(bl)
}

// detail is the reason of an event where the dictionary names the column, else
// its first few properties.
func (u *userLife) detail(i int) string {
	var out []string
	for k := range u.r.Info.Keys {
		info := &u.r.Info.Keys[k]
		v := u.tl.Props[k].At(info, i)
		if v == "" {
			continue
		}
		if info.Name == u.r.Dict.Columns.Reason {
			return v
		}
		// The order number first: it is what a customer asks about.
		if info.Name == u.r.Dict.Columns.Order {
			out = append([]string{info.Name + " " + shorten(v, 30)}, out[:min(2, len(out))]...)
		} else if len(out) < 3 {
			out = append(out, info.Name+" "+shorten(v, 30))
		}
	}
	return strings.Join(out, ", ")
}

// rowsAt is the address of the user's events, standing on a day.
func (u *userLife) rowsAt(d model.Day) string {
	return u.r.link(question("rows", "user", u.id, "at", d.String()))
}

// history is the stages as intervals, each with the transition that began it.
func (u *userLife) history(b *Builder) {
	bl := Block{Kind: SpansBlock, Name: "history", Title: "stage history: " + plural(len(u.proofs), "change"),
		Heads: []Head{{"from", false}, {"to", false}, {"days", true}, {"by", false}, {"why", false}}}
	for _, iv := range u.hist.Intervals(nil) {
		bl.Spans = append(bl.Spans, Span{From: iv.From, To: iv.To, Stage: iv.Stage, Name: u.label(iv.Stage)})
	}
	for i, p := range u.proofs {
		to := u.r.AsOf + 1
		if i+1 < len(u.proofs) {
			to = u.proofs[i+1].Day
		}
		until := to.String()
		if i+1 == len(u.proofs) {
			until = "now"
		}
		bl.Rows = append(bl.Rows, Row{Key: fmt.Sprint(i + 1), Label: u.label(int(p.To)), Open: u.proofAt(i),
			Cells: []Cell{TextCell(p.Day.String()), TextCell(until), TextCell(fmt.Sprint(int(to - p.Day))), TextCell(p.Rule), TextCell(p.Sentence)}})
	}
	b.Block(bl)
}

// proofAt is the address of the proof of transition i.
func (u *userLife) proofAt(i int) string {
	return u.r.link(Query{Analysis: "user", ID: u.id}.With("proof", fmt.Sprint(i+1)))
}

// proof shows why a transition happened: the sentence, each clause with its
// numbers, the events behind them, and what nearly happened instead.
func (u *userLife) proof(b *Builder, i int) {
	p := u.proofs[i]
	b.A.Title = fmt.Sprintf("User %s · proof of stage change %d of %d · %s", u.id, i+1, len(u.proofs), asOfNote(u.r))
	lines := []string{p.Sentence, "Rule " + p.Rule + ": " + p.When}
	if p.When == "" {
		lines[1] = "Rule " + p.Rule + ": the first event"
	}
	if p.FromName != "" {
		line := fmt.Sprintf("%s in %s before.", capital(plural(p.Lasted, "day")), u.label(int(p.From)))
		if p.Least > 0 {
			line += fmt.Sprintf(" It had to last at least %s.", plural(p.Least, "day"))
		}
		lines = append(lines, line)
	}
	b.Block(Block{Kind: TextBlock, Name: "proof", Title: u.label(int(p.To)) + " from " + p.Day.String(), Lines: lines})
	clauses := Block{Kind: TableBlock, Name: "clauses", Title: "what met the rule", Heads: []Head{{"value", true}, {"asked for", true}, {"holds", false}, {"in words", false}}}
	for k, c := range p.Clauses {
		clauses.Rows = append(clauses.Rows, clauseRow(k, c))
	}
	if len(clauses.Rows) > 0 {
		b.Block(clauses)
	}
	if n := p.Near; n != nil {
		near := Block{Kind: TableBlock, Name: "near", Title: "nearest that did not happen: " + n.Plain, Heads: clauses.Heads}
		for k, c := range n.Missing {
			near.Rows = append(near.Rows, clauseRow(k, c))
		}
		b.Block(near)
	}
	const most = 200
	events := Block{Kind: TableBlock, Name: "events", Title: plural(len(p.Events), "event") + " behind it", Heads: []Head{{"event", false}, {"amount", true}, {"file", false}}}
	for _, e := range p.Events[max(0, len(p.Events)-most):] {
		amount, file := "", ""
		if u.tl.Amount != nil {
			amount = u.tl.Amount[e].String()
		}
		if u.tl.Source != nil && int(u.tl.Source[e]) < len(u.r.Info.Sources) {
			file = u.r.Info.Sources[u.tl.Source[e]].Path
		}
		events.Rows = append(events.Rows, Row{Key: rowKey(&u.tl, e), Label: u.r.Cal.Stamp(&u.tl, e), Open: u.rowsAt(u.days[e]),
			Cells: []Cell{TextCell(u.r.Info.Names[u.tl.Name[e]].Name), TextCell(amount), TextCell(file)}})
	}
	if len(p.Events) > most {
		events.Title += fmt.Sprintf(", the last %d", most)
	}
	b.Block(events)
}

func clauseRow(k int, c stage.Clause) Row {
	got, want, holds := "", "", "no"
	if c.Op != "" {
		got, want = "—", c.Op+" "+Number(c.Bound)
		if c.Known {
			got = showNumber("", c.Value)
		}
	}
	if c.Holds != c.Not {
		holds = "yes"
	}
	return Row{Key: fmt.Sprint(k + 1), Label: c.Text, Cells: []Cell{TextCell(got), TextCell(want), TextCell(holds), TextCell(c.Plain)}}
}

// riskBlock is the probability of churn beside the base rate, with its reasons.
func (u *userLife) riskBlock(b *Builder) {
	x := u.risk
	if x == nil {
		return
	}
	if !x.Scored {
		b.Block(Block{Kind: TextBlock, Name: "risk", Title: "risk of churn", Lines: []string{x.Why}})
		return
	}
	bl := Block{Kind: TableBlock, Name: "risk", Title: "risk of churn: " + strings.TrimPrefix(x.Question, "Churned: "), Heads: []Head{{"", true}, {"", false}}}
	i := b.Own(Figure{Key: "risk", Label: "probability of churn", Kind: Stat, Value: x.Probability, Unit: "share", N: 1})
	bl.Rows = append(bl.Rows,
		Row{Key: "probability", Label: fmt.Sprintf("within %s", plural(x.Horizon, "day")), Cells: []Cell{b.Cell(i), TextCell(x.Verdict)}, Open: x.Address},
		Row{Key: "base", Label: "base rate in the test", Cells: []Cell{TextCell(churnShare(x.BaseRate)), TextCell("")}, Open: x.Address})
	for k, reason := range x.Reasons[:min(5, len(x.Reasons))] {
		bl.Rows = append(bl.Rows, Row{Key: "reason." + fmt.Sprint(k+1), Label: "because", Cells: []Cell{TextCell(""), TextCell(reason.Text)}})
	}
	b.Block(bl)
}

// measures are the page's numbers, each with its definition.
func (u *userLife) measures(b *Builder) {
	bl := Block{Kind: TableBlock, Name: "measures", Title: "measures as of " + u.r.AsOf.String(), Heads: []Head{{"value", true}, {"definition", false}}}
	for i := range u.set.Len() {
		ref, fam := u.set.Ref(i), u.set.Family(i)
		v, known := u.cur.Value(i)
		row := Row{Key: ref.String(), Label: columnLabel(ref)}
		unit := fam.Unit
		if unit == "money" {
			unit, _ = u.r.currency()
		}
		switch {
		case fam.Type == measure.Number:
			f := b.Own(Figure{Key: "measure." + ref.String(), Label: row.Label, Kind: Stat, Value: v, None: !known, Unit: unit, N: 1})
			row.Cells = []Cell{b.Cell(f)}
		case !known:
			row.Cells = []Cell{TextCell("—")}
		case fam.Type == measure.Text:
			row.Cells = []Cell{TextCell(u.cur.Text(i))}
		case fam.Type == measure.Day:
			row.Cells = []Cell{TextCell(model.Day(v).String())}
		default:
			row.Cells = []Cell{TextCell(map[bool]string{true: "yes", false: "no"}[v != 0])}
		}
		row.Cells = append(row.Cells, TextCell(fam.Definition))
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}

// activity charts the user's events, with the stage changes marked.
func (u *userLife) activity(b *Builder) {
	r := u.r
	unit := chartUnit(int(r.AsOf-u.days[0]) + 1)
	first := r.Cal.Period(unit, u.days[0])
	n := int(r.Cal.Period(unit, r.AsOf)-first) + 1
	c := &Chart{XLabel: unit.String(), YLabel: "events", Unit: "events", Dates: true, Zero: true}
	events, active := Series{Name: "events", Y: make([]float64, n), Open: make([]bool, n)}, Series{Name: "active days", Y: make([]float64, n), Open: make([]bool, n)}
	for i := range n {
		from, to := r.Cal.Bounds(unit, first+model.Period(i))
		c.X, c.Labels = append(c.X, float64(from)), append(c.Labels, r.Cal.PeriodLabel(unit, first+model.Period(i)))
		events.Open[i], active.Open[i] = to-1 > r.AsOf, to-1 > r.AsOf
	}
	for _, d := range u.days {
		events.Y[r.Cal.Period(unit, d)-first]++
	}
	for _, d := range u.active {
		active.Y[r.Cal.Period(unit, d)-first]++
	}
	c.Series = []Series{events}
	if unit != model.Daily {
		c.Series = append(c.Series, active)
	}
	for _, p := range u.proofs {
		from, _ := r.Cal.Bounds(unit, r.Cal.Period(unit, p.Day))
		c.Marks = append(c.Marks, Mark{X: float64(from), Text: u.label(int(p.To))})
	}
	b.Block(Block{Kind: ChartBlock, Name: "activity", Title: "events per " + unit.String(), Chart: c})
}

// jumps are the places of the time line that one wants to go to.
func (u *userLife) jumps(b *Builder) {
	type jump struct {
		day   model.Day
		text  string
		proof string
	}
	last := len(u.days) - 1
	js := []jump{{u.days[0], "first event: " + u.r.Info.Names[u.tl.Name[0]].Name, ""}, {u.days[last], "last event: " + u.r.Info.Names[u.tl.Name[last]].Name, ""}}
	for i, p := range u.proofs {
		js = append(js, jump{p.Day, "becomes " + u.label(int(p.To)), u.proofAt(i)})
	}
	for _, g := range u.gaps(5) {
		js = append(js, jump{g.to, fmt.Sprintf("first activity after %d days of silence (since %s)", g.days(), g.from), ""})
	}
	slices.SortStableFunc(js, func(a, b jump) int { return int(a.day - b.day) })
	bl := Block{Kind: TableBlock, Name: "jumps", Title: "time line: " + plural(u.tl.Len(), "event"), Heads: []Head{{"what", false}, {"proof", false}}}
	for i, j := range js {
		proof := TextCell("")
		if j.proof != "" {
			proof = Cell{Figure: NoFigure, Text: "why", Go: j.proof}
		}
		bl.Rows = append(bl.Rows, Row{Key: fmt.Sprint(i + 1), Label: j.day.String(), Open: u.rowsAt(j.day), Cells: []Cell{TextCell(j.text), proof}})
	}
	b.Block(bl)
}

// names counts the user's events by name.
func (u *userLife) names(b *Builder) {
	counts := map[model.NameID]int64{}
	firsts, lasts := map[model.NameID]model.Day{}, map[model.NameID]model.Day{}
	for i, n := range u.tl.Name {
		if counts[n] == 0 {
			firsts[n] = u.days[i]
		}
		counts[n]++
		lasts[n] = u.days[i]
	}
	var order []model.NameID
	for n := range counts {
		order = append(order, n)
	}
	sortBy(order, func(n model.NameID) (int64, string) { return -counts[n], u.r.Info.Names[n].Name })
	b.Own(Figure{Key: "events", Label: "events", Kind: Rows, Value: float64(u.tl.Len()), Unit: "events", N: 1})
	bl := Block{Kind: TableBlock, Name: "events", Title: "events by name", Heads: []Head{{"events", true}, {"first", false}, {"last", false}, {"meaning", false}}}
	for _, n := range order {
		name := u.r.Info.Names[n].Name
		f := b.Own(Figure{Key: "event." + name, Label: name, Kind: Rows, Value: float64(counts[n]), Unit: "events", N: 1})
		bl.Rows = append(bl.Rows, Row{Key: name, Label: name, Open: u.r.link(question("rows", "user", u.id, "event", name)),
			Cells: []Cell{b.Cell(f), TextCell(firsts[n].String()), TextCell(lasts[n].String()), TextCell(u.r.Roles.Name(n).String())}})
	}
	b.Block(bl)
}

// properties are the user's last values: what is known of them now.
func (u *userLife) properties(b *Builder) {
	bl := Block{Kind: TableBlock, Name: "properties", Title: "last values of the properties", Heads: []Head{{"value", false}, {"since", false}, {"different values so far", true}}}
	for k := range u.r.Info.Keys {
		info := &u.r.Info.Keys[k]
		value, since := "", model.NoDay
		seen := map[string]bool{}
		for i := range u.days {
			v := u.tl.Props[k].At(info, i)
			if v == "" {
				continue
			}
			seen[v] = true
			if v != value {
				value, since = v, u.days[i]
			}
		}
		if value == "" {
			continue
		}
		bl.Rows = append(bl.Rows, Row{Key: info.Name, Label: info.Name, Open: u.r.link(question("rows", "user", u.id, "property", info.Name)),
			Cells: []Cell{TextCell(shorten(value, 60)), TextCell(since.String()), TextCell(fmt.Sprint(len(seen)))}})
	}
	if len(bl.Rows) > 0 {
		b.Block(bl)
	}
}

// summary is at most eight lines of plain text for a support ticket.
func (u *userLife) summary() []string {
	out := []string{
		fmt.Sprintf("User %s, as of %s (%s)", u.id, u.r.AsOf, u.r.Cal.Zone),
		"Stage: " + u.stageLine() + ".",
		"Why: " + u.proofs[len(u.proofs)-1].Sentence,
	}
	line := fmt.Sprintf("Known since %s; %s, %s", u.days[0], plural(u.tl.Len(), "event"), plural(len(u.active), "active day"))
	if n := len(u.active); n > 0 {
		line += fmt.Sprintf("; last active %s (%s before)", u.active[n-1], plural(int(u.r.AsOf-u.active[n-1]), "day"))
	}
	out = append(out, line+".")
	if orders, ok := u.value("orders"); ok && orders > 0 {
		line := plural(int(orders), "order")
		if v, ok := u.value("revenue"); ok {
			unit, _ := u.r.currency()
			line += fmt.Sprintf(", revenue %.2f", v)
			if unit != "amount" {
				line += " " + unit
			}
		}
		out = append(out, line+".")
	}
	if line := u.troubleLine(); line != "" {
		out = append(out, line)
	}
	if m := u.marks(); len(m) > 0 {
		out = append(out, "Marks: "+strings.Join(m, ", ")+".")
	}
	if u.risk != nil && u.risk.Scored {
		out = append(out, fmt.Sprintf("Probability of churn within %d days: %s (base rate %s).", u.risk.Horizon, churnShare(u.risk.Probability), churnShare(u.risk.BaseRate)))
	}
	return out
}

// troubleLine counts refunds, complaints and cancellations.
func (u *userLife) troubleLine() string {
	var parts []string
	for _, x := range []struct {
		role model.Role
		word string
	}{{model.Refund, "refund"}, {model.Complaint, "complaint"}, {model.Cancel, "cancellation"}} {
		n, last := 0, model.NoDay
		for _, m := range u.mishaps() {
			if m.role&x.role != 0 {
				n++
				last = u.days[m.first]
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s, the last on %s", plural(n, x.word), last))
		}
	}
	if parts == nil {
		return ""
	}
	return capital(strings.Join(parts, "; ")) + "."
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
