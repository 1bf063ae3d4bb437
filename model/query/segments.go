package query

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dwell/model/measure"
	"dwell/model/rule"
)

// segmentsAnalysis divides the users of one day: by stage, by mark, by saved
// segment, by value, and by any measure or property.
func segmentsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "segments", Title: "Segments", Help: "how the users divide: stages, marks, saved segments, value tiers, any property or measure", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "by", Type: Text, Help: "one property or measure, whose values divide the users; without it an overview of all ways"},
				{Name: "top", Type: Int, Default: "20", Min: 1, Help: "with by=: how many values are shown; the rest are counted together"},
				{Name: "value", Type: Text, Help: "the measure that value tiers go by; revenue, or active_days where there are no amounts, if left out"},
				{Name: "tiers", Type: Text, Default: "20,80", Help: "percentiles at which value tiers are cut, rising, ties at the middle of their ranks"},
			}, groupKeys(), zoneKeys())},
		check: func(q Query) error {
			if _, err := tierCuts(q.Value("tiers")); err != nil {
				return err
			}
			if q.Get("by") == "" && q.Get("top") != "" {
				return fmt.Errorf("top= goes with by=: it says how many of one property's values are shown")
			}
			if q.Get("by") != "" && (q.Get("tiers") != "" || q.Get("value") != "") {
				return fmt.Errorf("tiers= and value= are about value tiers, which by= leaves out")
			}
			return nil
		},
		plan: planSegments,
	}
}

// A division is one way to divide the users: parts that a row of the population
// is in, each with a key, a label and the rule that says the same.
type division struct {
	name, title string
	parts       []part
	of          func(row int, hit func(part int)) // the parts of a row
	bars        bool
	unjudged    []unjudged // saved segments that cannot be counted, by name

	// living counts those of each part who are in a living stage as well: nearly
	// everybody lost is silent for long and so bears the mark late, which says
	// little until the living who bear it stand beside it. nil counts all alone.
	living func(row int) bool
}

// An unjudged segment is a saved one whose rule fits the data no longer: the
// property it names may be gone.
type unjudged struct {
	saved Segment
	err   error
}

// warn says which saved segments are not counted, and why.
func (d *division) warn(b *Builder) {
	for _, u := range d.unjudged {
		b.Warn("unjudged", "The saved segment %q is not counted: %s. Write it anew or remove it.", u.saved.Name, u.err)
	}
}

// slots is how many counts the division takes.
func (d *division) slots() int {
	if d.living != nil {
		return 2 * len(d.parts)
	}
	return len(d.parts)
}

type part struct {
	key, label, rule, open string
	apart                  bool
}

func planSegments(r *Run) (*Plan, error) {
	pop, err := r.Population()
	if err != nil {
		return nil, err
	}
	var divs []*division
	add := func(d *division, err error) error {
		if err == nil && d != nil && len(d.parts) > 0 {
			divs = append(divs, d)
		}
		return err
	}
	if by := r.Str("by"); by != "" {
		err = add(r.byColumn(pop, by))
	} else {
		for _, make := range []func(*Population) (*division, error){r.byStage, r.byMark, r.bySaved, r.byTier, r.byProperties} {
			if err = add(make(pop)); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, err
	}
	slots := 1 // slot 0 is everybody
	first := make([]int, len(divs))
	for i, d := range divs {
		first[i] = slots
		slots += d.slots()
	}
	return &Plan{
		RowSlots: slots,
		Rows: func(_ *Population, row int, h *Hits) {
			h.Hit(0, Self)
			for i, d := range divs {
				living := d.living != nil && d.living(row)
				d.of(row, func(part int) {
					h.Hit(first[i]+part, Self)
					if living {
						h.Hit(first[i]+len(d.parts)+part, Self)
					}
				})
			}
		},
		Layout: func(b *Builder) error {
			b.A.Title = "Segments · " + asOfNote(r)
			if by := r.Str("by"); by != "" {
				b.A.Title = "Users by " + by + " · " + asOfNote(r)
			}
			b.A.Definition = "Users with an event up to the day, counted where they belong on that day; a property is its last non-empty value."
			for g := range b.Groups() {
				b.Group(g)
				b.Count(0, "users", "users")
				for i, d := range divs {
					d.layout(b, first[i])
				}
			}
			if r.Str("by") == "" {
				r.wideProperties(b)
			}
			return nil
		},
	}, nil
}

func (d *division) layout(b *Builder, first int) {
	bl := Block{Kind: TableBlock, Name: b.Key(d.name), Title: b.label(d.title), Heads: []Head{{Label: "users", Right: true}, {Label: "share", Right: true}}}
	if d.bars {
		bl.Kind = BarBlock
	}
	if d.living != nil {
		bl.Heads = append(bl.Heads, Head{Label: "of them living", Right: true})
	}
	all := b.N(0, Self)
	for i, p := range d.parts {
		f := b.Count(first+i, d.name+"."+p.key, p.label)
		share := "—"
		if all > 0 {
			share = percentOf(b.Fig(f).N, all)
		}
		row := Row{Key: p.key, Label: p.label, Rule: p.rule, Open: p.open, Apart: p.apart, Cells: []Cell{b.Cell(f), TextCell(share)}}
		if d.living != nil {
			row.Cells = append(row.Cells, b.Cell(b.Count(first+len(d.parts)+i, d.name+"."+p.key+".living", p.label+", in a living stage")))
		}
		bl.Rows = append(bl.Rows, row)
	}
	for _, u := range d.unjudged {
		bl.Rows = append(bl.Rows, Row{Key: u.saved.Name, Label: u.saved.Name, Rule: u.saved.Rule, Cells: []Cell{TextCell("—"), TextCell("—")}})
	}
	d.warn(b)
	b.Block(bl)
}

// percentOf writes a share for a person.
func percentOf(n, of int64) string {
	return strconv.FormatFloat(100*float64(n)/float64(of), 'f', 1, 64) + " %"
}

// byStage divides by the stage of the day; the lost stands apart.
func (r *Run) byStage(pop *Population) (*division, error) {
	d := &division{name: "stage", title: "Stages", bars: true}
	for i, s := range r.machine.Model().Stages {
		d.parts = append(d.parts, part{key: s.Name, label: s.Label(), rule: rule.Equals("stage", s.Name, r.Schema), apart: i == r.machine.Lost()})
		d.parts[i].rule = "stage == " + strconv.Quote(s.Name)
	}
	d.of = func(row int, hit func(int)) { hit(int(pop.states[row].stage)) }
	return d, nil
}

// byMark counts each mark; a user may have several.
func (r *Run) byMark(pop *Population) (*division, error) {
	d := &division{name: "mark", title: "Marks (a user may have several)"}
	for i, name := range r.machine.Marks() {
		p := part{key: name, label: strings.ReplaceAll(name, "_", " ")}
		if ms := r.machine.Model().Marks; i < len(ms) {
			p.rule = ms[i].When
		}
		d.parts = append(d.parts, p)
	}
	lost := r.machine.Lost()
	d.living = func(row int) bool { return int(pop.states[row].stage) != lost }
	n := len(d.parts)
	d.of = func(row int, hit func(int)) {
		for m, i := pop.marks[row], 0; i < n; i++ {
			if m>>i&1 != 0 {
				hit(i)
			}
		}
	}
	return d, nil
}

// bySaved counts each saved segment; one whose rule no longer compiles is told
// apart by name, the others are counted as before.
func (r *Run) bySaved(pop *Population) (*division, error) {
	segs, err := r.segments()
	if err != nil {
		return nil, err
	}
	d := &division{name: "saved", title: "Saved segments (a user may be in several)"}
	var sets []measure.Bits
	for _, s := range segs {
		in, err := r.match(pop, s.Rule)
		if bad := new(rule.Error); errors.As(err, &bad) {
			d.unjudged = append(d.unjudged, unjudged{s, err})
			continue
		}
		if err != nil {
			return nil, err
		}
		sets = append(sets, in)
		d.parts = append(d.parts, part{key: s.Name, label: s.Name, rule: s.Rule})
	}
	d.of = func(row int, hit func(int)) {
		for i, in := range sets {
			if in.Get(row) {
				hit(i)
			}
		}
	}
	return d, nil
}

// tierCuts reads the percentiles of tiers=.
func tierCuts(text string) ([]float64, error) {
	var out []float64
	for _, w := range strings.Split(text, ",") {
		x, err := strconv.ParseFloat(w, 64)
		if err != nil || !(x > 0 && x < 100) || len(out) > 0 && x <= out[len(out)-1] || len(out) == 9 {
			return nil, fmt.Errorf("tiers=%s is not a list of one to nine rising percentiles between 0 and 100, such as 20,80", text)
		}
		out = append(out, x)
	}
	return out, nil
}

// byTier divides by value: the percentile of a measure among all users on the day.
func (r *Run) byTier(pop *Population) (*division, error) {
	cuts, err := tierCuts(r.Str("tiers"))
	if err != nil {
		return nil, err
	}
	ref := measure.Of("revenue")
	if v := r.Str("value"); v != "" {
		if ref, err = r.columnRef(v); err != nil {
			return nil, fmt.Errorf("value=: %w", err)
		}
	} else if _, err := measure.Compile([]measure.Ref{ref}, r.Schema); err != nil || !r.Info.Amounts {
		ref = measure.Of("active_days")
	}
	cols, err := pop.Columns(r, []measure.Ref{ref})
	if err != nil {
		return nil, err
	}
	if cols[0].Type != measure.Number {
		return nil, fmt.Errorf("value=: %s is no number, so nobody has more of it than others", ref)
	}
	pct := measure.MidRank(ref, cols[0])
	d := &division{name: "value", title: "Value tiers by " + columnLabel(ref) + ", cut at percentiles " + r.Str("tiers"), bars: true}
	for i := len(cuts); i >= 0; i-- {
		lo, hi := 0.0, 100.0
		if i > 0 {
			lo = cuts[i-1]
		}
		if i < len(cuts) {
			hi = cuts[i]
		}
		p := part{key: fmt.Sprintf("p%s-%s", Number(lo), Number(hi)), label: fmt.Sprintf("percentile %s to %s", Number(lo), Number(hi))}
		if len(cuts) == 2 {
			p.label = []string{"low", "middle", "high"}[i] + ": " + p.label
		}
		if ref.String() == "revenue" {
			p.rule = fmt.Sprintf("value_pct >= %s and value_pct < %s", Number(lo), Number(hi))
			if i == len(cuts) {
				p.rule = fmt.Sprintf("value_pct >= %s", Number(lo))
			}
		}
		d.parts = append(d.parts, p)
	}
	d.parts = append(d.parts, part{key: "none", label: "no value", apart: true})
	n := len(cuts)
	d.of = func(row int, hit func(int)) {
		v, known := pct.At(row)
		if !known {
			hit(n + 1)
			return
		}
		tier := 0
		for tier < n && v >= cuts[tier] {
			tier++
		}
		hit(n - tier)
	}
	return d, nil
}

// byProperties counts for each property the users who have it; a row opens its
// values. The properties are looked at event by event only when they are opened.
func (r *Run) byProperties(pop *Population) (*division, error) {
	d := &division{name: "property", title: "Properties: users with a value; each opens its values"}
	var refs []measure.Ref
	for i := range r.Info.Keys {
		k := r.Info.Keys[i].Name
		if r.Info.Keys[i].Plain {
			continue // too many values to hold for a number nobody asked for: by= does
		}
		refs = append(refs, measure.Property(k))
		d.parts = append(d.parts, part{key: k, label: k, rule: "known(" + rule.Spell(k, r.Schema) + ")", open: r.link(question("segments", "by", rule.Spell(k, r.Schema)))})
		if len(refs) == maxPropertyRows {
			break
		}
	}
	if len(refs) == 0 {
		return nil, nil
	}
	cols, err := pop.Columns(r, refs)
	if err != nil {
		return nil, err
	}
	d.of = func(row int, hit func(int)) {
		for i, c := range cols {
			if c.Codes[row] != 0 {
				hit(i)
			}
		}
	}
	return d, nil
}

// wideProperties lists the properties that byProperties leaves out.
func (r *Run) wideProperties(b *Builder) {
	bl := Block{Kind: TableBlock, Name: "wide", Title: "More properties, counted when opened", Heads: []Head{{Label: ""}}}
	counted := 0
	for i := range r.Info.Keys {
		k := &r.Info.Keys[i]
		if !k.Plain {
			if counted++; counted <= maxPropertyRows {
				continue
			}
		}
		note := fmt.Sprintf("%d values", max(0, len(k.Values)-1))
		if k.Plain {
			note = "too many values to count each"
		}
		bl.Rows = append(bl.Rows, Row{Key: k.Name, Label: k.Name, Open: r.link(question("segments", "by", rule.Spell(k.Name, r.Schema))), Cells: []Cell{TextCell(note)}})
	}
	if len(bl.Rows) > 0 {
		b.Block(bl)
	}
}

// maxPropertyRows is how many properties the overview of segments counts: their
// columns are all in memory at once.
const maxPropertyRows = 20
