package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/funnel"
)

// funnelAnalysis asks how far users come through ordered steps, where they drop
// off, and how long they take (SPEC R4.5, R5.4).
func funnelAnalysis() analysis {
	attributions := []string{"first", "last", "all"}
	for k := range funnel.MaxSteps {
		attributions = append(attributions, fmt.Sprintf("step-%d", k+1))
	}
	return analysis{
		Spec: Spec{
			Name: "funnel", Title: "Funnel", Help: "how many users come through ordered steps, where they drop off, how long they take", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "step", Type: Text, Repeat: true, Again: true, Help: "the steps, one a step= in order: " + pickWhereHelp + "; left out: what the dictionary's meanings suggest"},
				{Name: "order", Type: Word, Values: funnel.Orders(), Default: "this", Help: "this order with others between, any order, or exactly this with nothing between"},
				{Name: "try", Type: Word, Values: []string{"first", "best"}, Default: "first", Help: "only the first entry counts, or the deepest of all tries"},
				{Name: "window", Type: Text, Default: "7d", Help: "how long after the entry a step still counts, inclusive: 30min, 1h, 7d, 2w, or none"},
				{Name: "grace", Type: Text, Default: "0s", Help: "by how much the next step's event may stand before the step's, for clocks that disagree"},
				{Name: "exclude", Type: Text, Repeat: true, Help: "events that must not come between entry and conversion: " + pickWhereHelp},
				{Name: "between", Type: Text, Repeat: true, Again: true, Help: "between which steps reached exclude= counts: 2-3; one for all, or one for each exclude= in order; left out: from entry to conversion"},
				{Name: "exclusion", Type: Word, Values: []string{"stop", "remove"}, Default: "stop", Help: "an excluded event ends the try with the steps it has, or the try does not count at all"},
				{Name: "hold", Type: Text, Help: "a property that must have one value in all steps: session_id"},
				{Name: "count", Type: Word, Values: []string{"users", "holds"}, Default: "users", Help: "count users, or each value of hold= for itself (sessions)"},
				{Name: "breakdown", Type: Text, Help: "a property whose values divide the funnel"},
				{Name: "attribution", Type: Word, Values: attributions, Default: "first", Help: "which step's value counts for breakdown=: the first or last there is, that of one step, or all steps with one value (a user may then be in several rows)"},
				{Name: "top", Type: Int, Default: "10", Min: 1, Help: "how many values of breakdown= are shown; the rest are counted together"},
				{Name: "from", Type: DayType, Help: "only entries from this day on"},
				{Name: "to", Type: DayType, Help: "only entries up to this day"},
				{Name: "eligible", Type: Word, Values: []string{"closed", "all"}, Default: "closed", Help: "rates are of users whose window has closed, or of all who entered (reference form)"},
				presetKey("funnel"),
			}, groupKeys(), judgeKeys(), zoneKeys()),
		},
		given: checkPreset,
		check: func(q Query) error { _, err := funnelQuery(q); return err },
		plan:  func(r *Run) (*Plan, error) { return newFunnel(r) },
	}
}

// funnelQuery is the part of the definition that the query alone settles.
func funnelQuery(q Query) (d funnel.Definition, err error) {
	q = withPreset(q)
	d.Steps = len(q.All("step"))
	if d.Steps == 0 {
		d.Steps = 2 // as the dictionary suggests; at least two
	}
	if d.Order, err = funnel.ParseOrder(q.Value("order")); err != nil {
		return d, err
	}
	d.Best = q.Value("try") == "best"
	if w := q.Value("window"); w != "none" {
		if d.Window, err = parseDuration(w); err != nil {
			return d, fmt.Errorf("window=: %w", err)
		}
		if d.Window == 0 {
			return d, fmt.Errorf("window=: no step can be reached in no time: write none for no window")
		}
	}
	if d.Grace, err = parseDuration(q.Value("grace")); err != nil {
		return d, fmt.Errorf("grace=: %w", err)
	}
	excluded := q.All("exclude")
	switch {
	case len(excluded) > 0 && q.Value("exclusion") == "remove":
		d.Exclusion = funnel.Remove
	case len(excluded) > 0:
		d.Exclusion = funnel.Stop
	case q.Value("exclusion") != "stop":
		return d, fmt.Errorf("exclusion=%s says what an excluded event does: name the events with exclude=", q.Value("exclusion"))
	}
	for _, x := range excluded {
		if slices.Contains(q.All("step"), x) {
			return d, fmt.Errorf("%s is a step and excluded: it cannot be both", x)
		}
	}
	if err := checkBetween(q); err != nil {
		return d, err
	}
	if q.Value("count") == "holds" && q.Get("hold") == "" {
		return d, fmt.Errorf("count=holds counts the values of hold=: give the property")
	}
	switch by := q.Get("breakdown"); {
	case by == "" && q.Get("attribution") != "":
		return d, fmt.Errorf("attribution= says which value of breakdown= counts: give the property")
	case by == "" && q.Get("top") != "":
		return d, fmt.Errorf("top= goes with breakdown=: it says how many of its values are shown")
	case by != "" && by == q.Get("hold") && q.Value("attribution") != "first":
		return d, fmt.Errorf("%s is held constant, so all steps have one value: attribution= would change nothing", by)
	}
	var n int
	if _, err := fmt.Sscanf(q.Value("attribution"), "step-%d", &n); err == nil && len(q.All("step")) > 0 && n > d.Steps {
		return d, fmt.Errorf("attribution=step-%d: the funnel has %d steps", n, d.Steps)
	}
	if q.Get("from") != "" && q.Get("to") != "" && q.Get("from") > q.Get("to") {
		return d, fmt.Errorf("from=%s is later than to=%s", q.Get("from"), q.Get("to"))
	}
	check := d
	check.Until = 1
	_, err = funnel.New(check) // what does not go together is refused there
	return d, err
}

// checkBetween refuses what between= cannot mean.
func checkBetween(q Query) error {
	gaps, excluded := q.All("between"), q.All("exclude")
	switch {
	case len(gaps) == 0:
		return nil
	case len(excluded) == 0:
		return fmt.Errorf("between= says where exclude= counts: name the events with exclude=")
	case len(gaps) > 1 && len(gaps) != len(excluded):
		return fmt.Errorf("%d between= for %d exclude=: give one for all of them, or one for each in order", len(gaps), len(excluded))
	}
	for _, g := range gaps {
		if _, err := parseBetween(g, max(len(q.All("step")), 2)); err != nil {
			return err
		}
	}
	return nil
}

// parseBetween reads the steps between which an event is excluded, as 2-3, of a
// funnel of so many steps.
func parseBetween(s string, steps int) (uint32, error) {
	a, b, _ := strings.Cut(s, "-")
	from, err1 := strconv.Atoi(a)
	to, err2 := strconv.Atoi(b)
	if err1 != nil || err2 != nil || from < 1 || to <= from || to > steps {
		return 0, fmt.Errorf("between=%s: write two of the steps 1 to %d, the earlier first, as 1-2", s, steps)
	}
	return funnel.Between(from, to), nil
}

// gap is where the i-th excluded event counts.
func (p *funnelPlan) gap(i int) uint32 {
	gaps := p.r.Q.All("between")
	switch {
	case len(gaps) == 0:
		return funnel.Everywhere
	case len(gaps) == 1:
		i = 0
	}
	g, err := parseBetween(gaps[i], p.def.Steps)
	if err != nil {
		return funnel.Everywhere // checked
	}
	return g
}

// A funnelPlan holds what kernel, lists and layout share.
//
// Slots: a section for the whole funnel, then one for each row of the breakdown.
// A section has five slots a step and funnelExtras of its own.
type funnelPlan struct {
	r       *Run
	def     funnel.Definition
	needs   Needs
	steps   []pick
	out     []pick
	gaps    []uint32 // where each of out counts
	assumed bool     // the steps are the program's suggestion

	hold  int // place of the property among needs.Columns; −1: none
	holds bool
	all   bool // eligible=all

	by     *breakdown // nil: none
	groups bool       // somebody is judged
}

// What a step has in a section.
const (
	funnelReached   = iota // users who reached it
	funnelFrom             // of those who reached the step before
	funnelOverall          // of those who entered
	funnelDropped          // reached it and no further, and their window has closed
	funnelUndecided        // reached it and no further yet
	funnelTime             // ms since the step before, a number each
	funnelPerStep
)

// What a section has beside its steps.
const (
	funnelOpen    = iota // entered, not converted, window not closed
	funnelRemoved        // void by an excluded event
	funnelStopped        // ended by one
	funnelTotal          // ms from entry to conversion
	funnelExtras
)

func (p *funnelPlan) section() int { return p.def.Steps*funnelPerStep + funnelExtras }
func (p *funnelPlan) step(section, k, what int) int {
	return section*p.section() + k*funnelPerStep + what
}
func (p *funnelPlan) extra(section, what int) int {
	return section*p.section() + p.def.Steps*funnelPerStep + what
}

func newFunnel(r *Run) (*Plan, error) {
	def, err := funnelQuery(r.Q)
	if err != nil {
		return nil, err
	}
	p := &funnelPlan{r: r, def: def, hold: -1, holds: r.Str("count") == "holds", all: withPreset(r.Q).Value("eligible") == "all", groups: r.everybody() == 0}
	words := r.Q.All("step")
	if len(words) == 0 {
		if words, err = r.suggestedSteps(); err != nil {
			return nil, err
		}
		p.assumed = true
	}
	for _, w := range words {
		k, err := r.pickWhere(w, &p.needs)
		if err != nil {
			return nil, fmt.Errorf("step=: %w", err)
		}
		p.steps = append(p.steps, k)
	}
	for _, w := range r.Q.All("exclude") {
		k, err := r.pickWhere(w, &p.needs)
		if err != nil {
			return nil, fmt.Errorf("exclude=: %w", err)
		}
		p.out = append(p.out, k)
	}
	if name := r.Str("hold"); name != "" {
		if p.hold, err = r.column(name, &p.needs); err != nil {
			return nil, fmt.Errorf("hold=: %w", err)
		}
	}
	p.def.Steps = len(p.steps)
	for i := range p.out {
		p.gaps = append(p.gaps, p.gap(i))
	}
	p.def.Until = r.Cal.Begin(r.AsOf + 1)
	if d := r.Day("from"); d != model.NoDay {
		p.def.From = r.Cal.Begin(d)
	} else {
		p.def.From = -1 << 62
	}
	if d := r.Day("to"); d != model.NoDay {
		p.def.To = r.Cal.Begin(d + 1)
	}
	if _, err := funnel.New(p.def); err != nil {
		return nil, err
	}
	sections := 1
	if r.Str("breakdown") != "" {
		if p.by, err = p.newBreakdown(); err != nil {
			return nil, fmt.Errorf("breakdown=: %w", err)
		}
		sections += len(p.by.rows)
	}
	return &Plan{Slots: sections * p.section(), Names: p.names(), Columns: p.needs.Columns, Amounts: p.needs.Amounts, Values: true,
		Kernel: func() Kernel { return p.newKernel() }, Layout: p.layout, Explain: p.explain, Work: p.work}, nil
}

// names narrows the scan to the events that matter; nil where any may.
func (p *funnelPlan) names() (out []string) {
	if p.def.Order == funnel.Exact {
		return nil // what stands between matters
	}
	for _, k := range slices.Concat(p.steps, p.out) {
		n := k.named(p.r)
		if n == "" {
			return nil
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// column is the place of a property among the columns of a plan's needs.
func (r *Run) column(name string, n *Needs) (int, error) {
	if r.Info.Key(name) == nil {
		var ns []string
		for _, k := range r.Info.Keys {
			ns = append(ns, k.Name)
		}
		return 0, fmt.Errorf("events have no property %q%s", name, didYouMean(name, ns))
	}
	at := slices.Index(n.Columns, name)
	if at < 0 {
		at = len(n.Columns)
		n.Columns = append(n.Columns, name)
	}
	return at, nil
}

// suggestedSteps are the meanings of the dictionary in the order of a life, as far
// as the data have them.
func (r *Run) suggestedSteps() (out []string, err error) {
	for _, role := range []model.Role{model.Touch, model.Signup, model.Use, model.KeyAction, model.Purchase} {
		for i := range r.Info.Names {
			if r.Roles.Of(model.NameID(i), model.NoMoney)&role != 0 {
				out = append(out, "role:"+role.String())
				break
			}
		}
	}
	switch len(out) {
	case 0:
		return nil, fmt.Errorf("a funnel needs its steps: give two or more step=NAME, with names that the events screen lists")
	case 1:
		out = []string{"any", out[0]}
	}
	return out, nil
}

// stepNames joins the steps' labels.
func (p *funnelPlan) stepNames() string {
	var out []string
	for i := range p.steps {
		out = append(out, p.steps[i].label)
	}
	sep := " → "
	if p.def.Order == funnel.Any {
		sep = ", "
	}
	return strings.Join(out, sep)
}
