package measure

import (
	"fmt"
	"math"
	"slices"

	"dwell/model"
)

// A Set is a list of measures ready to be computed. It is immutable and may be
// shared by many goroutines; each takes its own Cursor.
type Set struct {
	schema  *Schema
	refs    []Ref
	fams    []Family
	makers  []maker
	dicts   [][]string
	columns []string
	amounts bool
	beats   []float64 // whole days, by State.Variant
}

// An acc computes one measure over one timeline, days moving forward.
type acc interface {
	reset()
	// value is the measure on the cursor's day. The user has an event by then.
	value(c *Cursor) (v float64, known bool)
	// drift is when and how the value changes if no event comes; see Cursor.Drift.
	drift(c *Cursor) (next model.Day, slope float64)
}

type (
	maker   func(c *Cursor) acc
	builder func(s *Set, r Ref) (maker, error)
)

// Compile checks the measures against the data and makes them ready; slot i of
// the Set is refs[i]. It fails on an unknown name, a wrong argument, a population
// measure, and a sum over mixed currencies.
func Compile(refs []Ref, schema *Schema) (*Set, error) {
	s := &Set{schema: schema, refs: slices.Clone(refs)}
	s.amounts = schema.Roles.NeedsAmount()
	for _, params := range append([]map[string]float64{schema.Params}, schema.Variants...) {
		s.beats = append(s.beats, math.RoundToEven(params["beat"]))
	}
	for _, r := range refs {
		f, days, ok := Lookup(r.Name)
		if !ok {
			return nil, fmt.Errorf("there is no measure %q", r.Name)
		}
		if days > 0 {
			r.Days = days
		}
		if err := f.check(r, schema); err != nil {
			return nil, err
		}
		if r.Where != nil {
			for _, col := range r.Where.Columns() {
				s.column(col)
			}
			s.amounts = s.amounts || r.Where.Amounts()
		}
		m, err := f.build(s, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r, err)
		}
		s.fams = append(s.fams, f)
		s.makers = append(s.makers, m)
		s.dicts = append(s.dicts, s.dict(f, r))
	}
	return s, nil
}

// check refuses arguments that the family does not take.
func (f *Family) check(r Ref, schema *Schema) error {
	switch {
	case f.Kind == Population:
		return fmt.Errorf("%s ranks a user among all, so one user's events do not give it: it serves lists and segments as of one day, not stage rules", f.Name)
	case (r.Event != "" || r.Role != 0) && f.Takes&TakesEvent == 0:
		return fmt.Errorf("%s takes no event", f.Name)
	case r.Event == "" && r.Role == 0 && f.Takes&NeedsEvent != 0:
		return fmt.Errorf(`%s needs an event: %s("name") or %s(purchase)`, f.Name, f.Name, f.Name)
	case r.Key == "" && f.Takes&NeedsKey != 0:
		return fmt.Errorf("%s needs a property: %s(%s)", f.Name, f.Name, f.Args)
	case r.Key != "" && f.Takes&NeedsKey == 0:
		return fmt.Errorf("%s takes no property", f.Name)
	case r.Key == Amount && f.Takes&TakesAmount == 0:
		return fmt.Errorf("%s takes a property, not the amount", f.Name)
	case r.Days != 0 && f.Takes&TakesDays == 0:
		return fmt.Errorf("%s takes no window of days", f.Name)
	case r.Days < 0 || r.Days > MaxDays:
		return fmt.Errorf("%s: a window has 1 to %d days, not %d", f.Name, MaxDays, r.Days)
	case r.Where != nil && f.Takes&TakesWhere == 0:
		return fmt.Errorf("%s takes no condition", f.Name)
	case r.Event != "" && schema.Info.NameIndex(r.Event) < 0:
		return fmt.Errorf("%s: no event is called %q", f.Name, r.Event)
	case r.Key != "" && r.Key[0] != 0 && schema.Info.Key(r.Key) == nil:
		return fmt.Errorf("%s: no property is called %q", f.Name, r.Key)
	case f.Beat && schema.Params["beat"] < 1:
		return fmt.Errorf("%s needs beat, a number of the stage model, and no model gives one of at least a day", f.Name)
	}
	if cs := schema.currencies(); (f.Money || r.Key == Amount) && len(cs) > 1 {
		cur := schema.Dict.Columns.Currency
		if r.Where == nil || !slices.Contains(r.Where.Columns(), cur) {
			return fmt.Errorf("%s would add up several currencies (%s): name one, as sum(amount, %s == %q)", f.Name, listed(cs, 5), cur, cs[0])
		}
	}
	return nil
}

// column is the place of a property among the columns the Set reads.
func (s *Set) column(key string) int {
	if i := slices.Index(s.columns, key); i >= 0 {
		return i
	}
	s.columns = append(s.columns, key)
	return len(s.columns) - 1
}

// dict is what the codes of a text measure stand for; nil for the strings of a
// plain property.
func (s *Set) dict(f Family, r Ref) []string {
	if f.Type != Text {
		return nil
	}
	if k := s.schema.Info.Key(r.Key); k != nil {
		return k.Values
	}
	return StageDict(s.schema.Stages)
}

// StageDict is the dictionary of the measures stage and high_water: code 0 is
// missing, code i+1 the i-th stage.
func StageDict(stages []string) []string { return append([]string{""}, stages...) }

// Len is the number of measures.
func (s *Set) Len() int { return len(s.refs) }

// Ref is the measure of a slot.
func (s *Set) Ref(i int) Ref { return s.refs[i] }

// Family is the declaration of a slot's measure.
func (s *Set) Family(i int) Family { return s.fams[i] }

// Dict is what the codes of a text measure stand for, Dict[0] == "" being
// missing. It is nil for other types, and for a plain property: use Cursor.Text.
func (s *Set) Dict(i int) []string { return s.dicts[i] }

// Schema is what the Set was compiled against.
func (s *Set) Schema() *Schema { return s.schema }

// Filter is what a scan must ask for so that a cursor of NewCursor can read its
// timelines: every event, whatever its name, up to the end of the data. Narrow
// Until as needed.
func (s *Set) Filter() model.Filter {
	return model.Filter{Until: model.NoCut, Columns: slices.Clone(s.columns), Amounts: s.amounts}
}

// Widen adds what the Set reads to a filter that others read by too.
func (s *Set) Widen(f model.Filter) model.Filter {
	for _, c := range s.columns {
		if !slices.Contains(f.Columns, c) {
			f.Columns = append(f.Columns, c)
		}
	}
	f.Amounts = f.Amounts || s.amounts
	return f
}

// NewCursor makes a cursor for timelines scanned with Filter.
func (s *Set) NewCursor() *Cursor {
	c, err := s.NewCursorFor(s.Filter())
	if err != nil {
		panic(err) // Filter holds every column by construction
	}
	return c
}

// NewCursorFor makes a cursor for timelines scanned with another filter. It
// fails if that filter leaves out what the Set reads.
func (s *Set) NewCursorFor(f model.Filter) (*Cursor, error) {
	if f.Names != nil {
		return nil, fmt.Errorf("measures read every event: the scan's filter must not choose names")
	}
	if s.amounts && !f.Amounts {
		return nil, fmt.Errorf("the scan's filter leaves out the amounts, which the measures read")
	}
	c := &Cursor{set: s, cal: s.schema.Cal, roles: s.schema.Roles}
	for _, key := range s.columns {
		at := slices.Index(f.Columns, key)
		if at < 0 {
			return nil, fmt.Errorf("the scan's filter leaves out %q, which the measures read", key)
		}
		c.cols = append(c.cols, at)
	}
	n := len(s.refs)
	c.accs, c.vals, c.known = make([]acc, n), make([]float64, n), make([]bool, n)
	c.stamp = make([]uint64, n)
	for i, m := range s.makers {
		c.accs[i] = m(c)
	}
	return c, nil
}
