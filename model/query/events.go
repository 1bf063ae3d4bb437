package query

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dwell/model"
)

// eventsAnalysis is the developer's screen: what is in the data, name by name.
func eventsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "events", Title: "Events", Help: "each event name with its count, users, first and last day, double firing and meaning; days without data", ID: NoID, Keys: zoneKeys()},
		plan: func(r *Run) (*Plan, error) { return newEvents(r) },
	}
}

// sparkColumns is the most columns a sparkline has.
const sparkColumns = 56

// An eventsPlan holds what kernel and layout share. Slots: each name's events,
// each name's double firing, everybody's events, everybody's double firing.
type eventsPlan struct {
	r     *Run
	names int
	days  int
	width int   // days in a column of the sparklines
	twins []int // places of the twin columns
}

func newEvents(r *Run) (*Plan, error) {
	p := &eventsPlan{r: r, names: len(r.Info.Names), days: int(r.AsOf-r.FirstDay) + 1}
	if p.days > maxDays {
		return nil, fmt.Errorf("the days from %s to %s are too many: ask as of an earlier day", r.FirstDay, r.AsOf)
	}
	p.width = (p.days + sparkColumns - 1) / sparkColumns
	columns := r.twinKeys()
	p.twins = places(columns, columns)
	return &Plan{Slots: 2*p.names + 2, Columns: columns, Kernel: func() Kernel { return newEventsTally(p) }, Layout: p.layout, Explain: p.explain}, nil
}

func (p *eventsPlan) double(name int) int { return p.names + name }
func (p *eventsPlan) all() int            { return 2 * p.names }
func (p *eventsPlan) allDouble() int      { return 2*p.names + 1 }

// An eventsTally is the kernel: beside the hits it keeps when each name was seen.
type eventsTally struct {
	p       *eventsPlan
	first   []model.Day
	last    []model.Day
	spark   []int64 // [name][column]
	perDay  []int64 // all events of each day
	timed   int64   // events with a time of day
	seconds int64   // of them, those not on a whole minute

	events, double []int64 // of the person at hand, by name
	touched        []model.NameID
}

func newEventsTally(p *eventsPlan) *eventsTally {
	t := &eventsTally{p: p, first: make([]model.Day, p.names), last: make([]model.Day, p.names),
		spark: make([]int64, p.names*sparkColumns), perDay: make([]int64, p.days),
		events: make([]int64, p.names), double: make([]int64, p.names)}
	for i := range t.first {
		t.first[i], t.last[i] = model.NoDay, model.NoDay
	}
	return t
}

// Visit counts one person's events.
func (t *eventsTally) Visit(u *Person, h *Hits) {
	p, tl := t.p, u.TL
	t.touched = t.touched[:0]
	var doubles int64
	for i, d := range u.Days {
		n := tl.Name[i]
		if t.events[n] == 0 {
			t.touched = append(t.touched, n)
		}
		t.events[n]++
		at := int(d - p.r.FirstDay)
		if at >= 0 && at < p.days { // dates alone may lie a day before the first instant's
			t.spark[int(n)*sparkColumns+at/p.width]++
			t.perDay[at]++
		}
		if t.first[n] == model.NoDay || d < t.first[n] {
			t.first[n] = d
		}
		t.last[n] = max(t.last[n], d)
		if !tl.IsDated(i) {
			t.timed++
			if tl.Time[i]%60_000 != 0 {
				t.seconds++
			}
		}
		if isDouble(tl, i, p.twins) {
			t.double[n]++
			doubles++
		}
	}
	for _, n := range t.touched {
		h.Times(int(n), Self, t.events[n])
		if t.double[n] > 0 {
			h.Times(p.double(int(n)), Self, t.double[n])
		}
		t.events[n], t.double[n] = 0, 0
	}
	h.Times(p.all(), Self, int64(tl.Len()))
	if doubles > 0 {
		h.Times(p.allDouble(), Self, doubles)
	}
}

// Merge adds the next split.
func (t *eventsTally) Merge(next Kernel) error {
	o := next.(*eventsTally)
	for i := range t.first {
		if t.first[i] == model.NoDay || o.first[i] != model.NoDay && o.first[i] < t.first[i] {
			t.first[i] = o.first[i]
		}
		t.last[i] = max(t.last[i], o.last[i])
	}
	for i, n := range o.spark {
		t.spark[i] += n
	}
	for i, n := range o.perDay {
		t.perDay[i] += n
	}
	t.timed += o.timed
	t.seconds += o.seconds
	return nil
}

// twinKeys are the columns that, beside user, name and second, must agree for two
// events to be one act reported twice: order and item, where the dictionary names
// them. Two lines of one order are no double firing.
func (r *Run) twinKeys() (out []string) {
	for _, k := range []string{r.Dict.Columns.Order, r.Dict.Columns.Item} {
		if k != "" && r.Info.Key(k) != nil && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// places are where some keys stand among the columns of a scan.
func places(keys, columns []string) (out []int) {
	for _, k := range keys {
		if i := slices.Index(columns, k); i >= 0 {
			out = append(out, i)
		}
	}
	return out
}

// isDouble says whether another event of the person has the same name in the
// same second, and the same values in the twin columns (places among the
// timeline's): a sign that one act was reported twice. Dates alone are never
// double.
func isDouble(tl *model.Timeline, i int, twins []int) bool {
	if tl.IsDated(i) {
		return false
	}
	second := floorDiv(tl.Time[i], 1000)
	for _, step := range [2]int{-1, 1} {
		for j := i + step; j >= 0 && j < tl.Len(); j += step {
			if tl.IsDated(j) {
				continue
			}
			if floorDiv(tl.Time[j], 1000) != second {
				break
			}
			if tl.Name[j] == tl.Name[i] && agree(tl, i, j, twins) {
				return true
			}
		}
	}
	return false
}

// agree says whether two events have the same values in some columns.
func agree(tl *model.Timeline, i, j int, columns []int) bool {
	for _, c := range columns {
		p := &tl.Props[c]
		if p.Plain != nil && p.Plain[i] != p.Plain[j] || p.Codes != nil && p.Codes[i] != p.Codes[j] {
			return false
		}
	}
	return true
}

// doubleWords is what double firing means here.
func (r *Run) doubleWords() string {
	return strings.Join(append([]string{"user", "name", "second"}, r.twinKeys()...), ", ")
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// sparkline is a row of bars as numbers, cut to the columns there are.
func sparkline(counts []int64, days, width int) []float64 {
	n := min((days+width-1)/width, len(counts))
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(counts[i])
	}
	return out
}

func (p *eventsPlan) layout(b *Builder) error {
	r := p.r
	t, _ := b.Kernel().(*eventsTally)
	if t == nil { // no split at all
		t = newEventsTally(p)
	}
	b.A.Title = fmt.Sprintf("Events · %s to %s · %s", r.FirstDay, r.LastDay, r.Cal.Zone)
	b.A.Definition = "Events up to the as-of day. Double firing counts the events that share " + r.doubleWords() + " with another event."
	all, users := b.Rows(p.all(), "events", "all events"), b.Count(p.all(), "users", "users")
	double := b.Rows(p.allDouble(), "double", "double firing: events that share "+r.doubleWords()+" with another")
	b.Block(Block{Kind: TableBlock, Name: "totals", Title: "in all", Heads: []Head{{"", true}}, Rows: []Row{
		{Key: "events", Label: "events", Cells: []Cell{b.Cell(all)}, Open: "rows"},
		{Key: "users", Label: "users", Cells: []Cell{b.Cell(users)}},
		{Key: "double", Label: "double firing", Cells: []Cell{b.Cell(double)}, Open: "rows?double=yes"},
	}})
	bl := Block{Kind: TableBlock, Name: "events", Title: "event names", Heads: []Head{
		{"events", true}, {"users", true}, {"first seen", false}, {"last seen", false}, {"double", true}, {"meaning", false}, {fmt.Sprintf("per %s", plural(p.width, "day")), false}}}
	for _, i := range p.order(b) {
		name := r.Info.Names[i].Name
		key := "event." + name
		n := b.Rows(i, key, name)
		who := b.Count(i, key+".users", "users with "+name)
		twice := b.Rows(p.double(i), key+".double", name+" fired double")
		bl.Rows = append(bl.Rows, Row{Key: name, Label: name, Open: r.link(Query{Analysis: "event", ID: name}), Cells: []Cell{
			b.Cell(n), b.Cell(who), TextCell(t.first[i].String()), TextCell(t.last[i].String()), b.Cell(twice),
			TextCell(r.Roles.Name(model.NameID(i)).String()),
			{Figure: NoFigure, Spark: sparkline(t.spark[i*sparkColumns:(i+1)*sparkColumns], p.days, p.width)},
		}})
	}
	b.Block(bl)
	p.holes(b, t.perDay)
	if t.timed > 0 && t.seconds == 0 && b.TimesOf(p.allDouble(), Self) > 0 {
		b.Warn("whole-minutes", "no time has seconds, so two events of one minute look like double firing")
	}
	return nil
}

// order is the names that occur up to the as-of day, most frequent first.
func (p *eventsPlan) order(b *Builder) []int {
	var out []int
	for i := range p.names {
		if b.N(i, Self) > 0 {
			out = append(out, i)
		}
	}
	sortBy(out, func(i int) (int64, string) { return -b.TimesOf(i, Self), p.r.Info.Names[i].Name })
	return out
}

// holes lists the days without any event between the first and the last; a
// weekday that is nearly always empty is said once.
func (p *eventsPlan) holes(b *Builder, perDay []int64) {
	last := min(int(p.r.LastDay-p.r.FirstDay), len(perDay)-1)
	var empty, all [7]int
	total := 0
	for i := 0; i <= last; i++ {
		w := (p.r.FirstDay + model.Day(i)).Weekday()
		all[w]++
		if perDay[i] == 0 {
			empty[w]++
			total++
		}
	}
	closed := func(i int) bool {
		w := (p.r.FirstDay + model.Day(i)).Weekday()
		return empty[w] >= 4 && empty[w]*5 >= all[w]*4
	}
	var lines []string
	for w := range empty {
		if empty[w] >= 4 && empty[w]*5 >= all[w]*4 {
			lines = append(lines, fmt.Sprintf("%d of %d %ss", empty[w], all[w], time.Weekday(w)))
		}
	}
	for i := 0; i <= last; i++ {
		if perDay[i] != 0 {
			continue
		}
		j := i
		for j < last && perDay[j+1] == 0 {
			j++
		}
		from, to := p.r.FirstDay+model.Day(i), p.r.FirstDay+model.Day(j)
		switch {
		case i == j && closed(i):
		case i == j:
			lines = append(lines, fmt.Sprintf("%s %s", from, from.Weekday()))
		default:
			lines = append(lines, fmt.Sprintf("%s to %s, %s", from, to, plural(j-i+1, "day")))
		}
		i = j
	}
	title := "every day between the first and the last has events"
	if total > 0 {
		title = plural(total, "day") + " without any event"
		b.Warn("empty-days", "%s between %s and %s without any event", plural(total, "day"), p.r.FirstDay, p.r.LastDay)
	}
	const most = 60
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("and %d more stretches", len(lines)-most))
	}
	b.Block(Block{Kind: TextBlock, Name: "holes", Title: title, Lines: lines})
}

func (p *eventsPlan) explain(f *Figure) []ExplainLine {
	text := "number of events up to the as-of day, kept equal rows among them; n is how many users they belong to"
	if f.Kind == Count {
		text = "number of users with such an event up to the as-of day"
	} else if f.Slot == p.allDouble() || f.Slot >= p.names && f.Slot < p.all() {
		text = "number of events that share " + p.r.doubleWords() + " with another event; dates alone are never double"
	}
	return []ExplainLine{{Head: "Formula", Text: text}}
}
