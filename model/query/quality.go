package query

import (
	"fmt"
	"strings"

	"dwell/model"
)

// qualityAnalysis shows the load reports: rows read = stored + already stored +
// dropped + rejected, reason by reason (SPEC R3.11).
func qualityAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "quality", Title: "Data quality", Help: "what each load read, stored, knew already, dropped and rejected, and what looked odd", ID: NoID, Keys: zoneKeys()},
		plan: func(r *Run) (*Plan, error) {
			p := &qualityPlan{r}
			return &Plan{Slots: len(r.Info.Loads), Sources: true, Kernel: p.kernel, Layout: p.layout, List: p.list}, nil
		},
	}
}

// A qualityPlan counts the stored rows of each load in the store itself, beside
// what the load said. Slots: the stored rows of each load.
type qualityPlan struct{ r *Run }

func (p *qualityPlan) kernel() Kernel {
	n := make([]int64, len(p.r.Info.Loads))
	return Visit(func(u *Person, h *Hits) {
		clear(n)
		for _, s := range u.TL.Source {
			if int(s) < len(p.r.Info.Sources) {
				n[p.r.Info.Sources[s].Load]++
			}
		}
		for l, k := range n {
			if k > 0 {
				h.Times(l, Self, k)
			}
		}
	})
}

// list answers for figures that were counted before there were users.
func (p *qualityPlan) list(f *Figure, _ Part) ([]User, error) {
	return nil, fmt.Errorf("%s were counted while the file was read: no users stand behind them (the rejected rows themselves: dwell load --rejects FILE)", f.Label)
}

func (p *qualityPlan) layout(b *Builder) error {
	r := p.r
	b.A.Title = fmt.Sprintf("Data quality · %s", plural(len(r.Info.Loads), "load"))
	b.A.Definition = "Rows read = stored + already stored by another source + dropped as duplicates + rejected, for every load."
	// The newest load first: it is the one asked about.
	for l := len(r.Info.Loads) - 1; l >= 0; l-- {
		p.load(b, l)
	}
	return nil
}

func (p *qualityPlan) load(b *Builder, l int) {
	load := &p.r.Info.Loads[l]
	q := &load.Quality
	key := fmt.Sprintf("load.%d.", load.ID)
	bl := Block{Kind: TableBlock, Name: fmt.Sprintf("load-%d", load.ID), Title: p.heading(l), Heads: []Head{{"rows", true}, {"share", true}, {"first lines", false}}}
	read := func(word, label string, n int64, lines string) {
		i := b.Own(Figure{Key: key + word, Label: fmt.Sprintf("load %d: %s", load.ID, label), Kind: Read, Value: float64(n), Unit: "rows"})
		bl.Rows = append(bl.Rows, Row{Key: word, Label: label, Cells: []Cell{b.Cell(i), TextCell(percent(n, q.Read)), TextCell(lines)}})
	}
	read("read", "read", q.Read, "")
	i := b.Rows(l, key+"stored", fmt.Sprintf("load %d: rows stored, up to the as-of day", load.ID))
	bl.Rows = append(bl.Rows, Row{Key: "stored", Label: "stored", Cells: []Cell{b.Cell(i), TextCell(percent(q.Stored, q.Read)), TextCell("")}})
	if got := b.TimesOf(l, Self); got != q.Stored {
		if p.r.AsOf >= lastDay(p.r.Info, p.r.Cal) && got < q.Stored {
			b.Warn("stored", "load %d says it stored %d rows, the store holds %d: run dwell check", load.ID, q.Stored, got)
		}
		read("stored-at-load", "stored by the load", q.Stored, "")
	}
	read("already", "already stored by another source", q.Already, "")
	read("dropped", "dropped as duplicates", q.Dropped, "")
	read("rejected", "rejected", q.RejectedTotal(), "")
	for _, x := range q.Rejected {
		read("rejected."+slug(x.Reason), "  "+x.Reason, x.Count, lineNumbers(p.r.Info, l, x.Lines))
	}
	if sum := q.Stored + q.Already + q.Dropped + q.RejectedTotal(); sum != q.Read {
		b.Warn("sum", "load %d does not add up: %d rows read, %d accounted for; this is a fault of the program", load.ID, q.Read, sum)
	}
	for _, x := range []struct {
		word, label string
		n           int64
	}{
		{"equal", "equal to an earlier row of the same source, kept", q.Equal},
		{"ambiguous", "local times that a clock change repeats, first reading taken", q.Ambiguous},
		{"missing", "local times that a clock change skips, moved forward", q.Missing},
		{"future", "later than the load", q.Future},
		{"unordered", "earlier than the row before", q.Unordered},
		{"rounded", "amounts with more than six decimals, rounded", q.Rounded},
		{"bad-utf8", "not text in the file's encoding, replaced", q.BadUTF8},
		{"impossible", "users with over 10,000 events on one day", q.Impossible},
	} {
		if x.n > 0 {
			read(x.word, "of which "+x.label, x.n, "")
		}
	}
	b.Block(bl)
	if n := len(q.EmptyDays); n > 0 {
		var days []string
		for _, d := range q.EmptyDays[:min(n, 12)] {
			days = append(days, d.String())
		}
		line := strings.Join(days, ", ")
		if n > 12 {
			line += fmt.Sprintf(" and %d more", n-12)
		}
		b.Block(Block{Kind: TextBlock, Name: fmt.Sprintf("empty-days-%d", load.ID), Title: plural(n, "day") + " between first and last without a row", Lines: []string{line}})
	}
}

// heading names a load by its files.
func (p *qualityPlan) heading(l int) string {
	load := &p.r.Info.Loads[l]
	var paths []string
	for _, s := range p.r.Info.Sources {
		if s.Load == l {
			if s.Path == "-" {
				s.Path = "standard input"
			}
			paths = append(paths, s.Path)
		}
	}
	if len(paths) > 3 {
		paths = append(paths[:3], fmt.Sprintf("and %d more", len(paths)-3))
	}
	out := fmt.Sprintf("load %d: %s", load.ID, strings.Join(paths, ", "))
	if load.At != 0 {
		out += ", on " + p.r.Cal.Time(load.At).Format("2006-01-02 15:04")
	}
	if load.Zone != "" {
		out += ", zone-less times read in " + load.Zone
	}
	return out
}

// qualityLine is a load report in one line.
func qualityLine(load *model.LoadInfo) string {
	q := &load.Quality
	out := fmt.Sprintf("last load: %s rows read, %s stored", grouped(q.Read), grouped(q.Stored))
	for _, x := range []struct {
		n    int64
		word string
	}{{q.Already, "already stored"}, {q.Dropped, "dropped as duplicates"}, {q.RejectedTotal(), "rejected"}} {
		if x.n > 0 {
			out += fmt.Sprintf(", %s %s", grouped(x.n), x.word)
		}
	}
	if len(q.Rejected) > 0 {
		most := q.Rejected[0]
		for _, x := range q.Rejected[1:] {
			if x.Count > most.Count {
				most = x
			}
		}
		out += fmt.Sprintf(" (mostly: %s)", most.Reason)
	}
	return out
}

// lineNumbers names the places of rejected rows.
func lineNumbers(in *model.Info, load int, lines []model.Line) string {
	var first, n = -1, 0
	for i, s := range in.Sources {
		if s.Load == load {
			if first < 0 {
				first = i
			}
			n++
		}
	}
	var out []string
	for _, l := range lines[:min(5, len(lines))] {
		at := fmt.Sprint(l.Line)
		if n > 1 && first+l.Source < len(in.Sources) {
			at = in.Sources[first+l.Source].Path + ":" + at
		}
		out = append(out, at)
	}
	return strings.Join(out, ", ")
}

// slug makes a reason fit for a key.
func slug(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }), "-")
}

// plural writes a number with its noun.
func plural(n int, noun string) string { return countOf(int64(n), noun) }
