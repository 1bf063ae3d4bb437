package query

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"dwell/model"
	"dwell/model/measure"
)

// A strata says into which curves by= parts a group: by a text's values, yes and
// no, or a number's quarters. The values are found in a pass of their own over
// all users who are in the estimate, so that an answer and its lists agree.
type strata struct {
	r     *Run
	def   *lifeDef
	by    string
	unit  model.PeriodUnit // of by=cohort
	set   *measure.Set     // nil without by= and for cohorts
	needs Needs
	names []string       // of the curves
	index map[string]int // of a text's value or a cohort's period
	other int            // the curve of all other values; −1: none
	cuts  []float64      // of a number: upper ends of all but the last
}

// cohortWord and channelWord are values of by= that are no property.
const (
	cohortWord  = "cohort"
	channelWord = "channel"
)

// newStrata finds the curves, and adds what by= reads to the needs.
func newStrata(r *Run, d *lifeDef, needs *Needs) (*strata, error) {
	s := &strata{r: r, def: d, by: r.Str("by"), other: -1}
	switch s.by {
	case "":
		s.names = []string{""}
		return s, nil
	case cohortWord:
		var err error
		if s.unit, err = model.ParseUnit(r.Str("cohort")); err != nil {
			return nil, err
		}
	default:
		ref, err := s.ref()
		if err != nil {
			return nil, err
		}
		if !d.fixed() && !settled(ref) {
			return nil, behaviourError("by="+s.by, ref.String())
		}
		if s.set, err = measure.Compile([]measure.Ref{ref}, r.Schema); err != nil {
			return nil, fmt.Errorf("by=: %w", err)
		}
		*needs = r.valuerNeeds(s.set, *needs)
		if _, err := r.newValuer(s.set, *needs); err != nil {
			return nil, fmt.Errorf("by=: %w", err)
		}
	}
	s.needs = *needs
	return s, s.find()
}

// ref is the measure that by= names. A channel is what the dictionary says, as it
// was first seen.
func (s *strata) ref() (measure.Ref, error) {
	if s.by == channelWord && s.r.Info.Key(channelWord) == nil {
		col := s.r.Dict.Columns.Channel
		if col == "" {
			return measure.Ref{}, fmt.Errorf("by=channel: the dictionary names no channel column; set columns.channel, or give the property itself")
		}
		return measure.Ref{Name: "first", Key: col}, nil
	}
	ref, err := s.r.columnRef(s.by)
	if err != nil {
		return ref, fmt.Errorf("by=: %w (or cohort, or channel)", err)
	}
	if f, _, ok := measure.Lookup(ref.Name); ok && f.Kind == measure.Population {
		return ref, fmt.Errorf("by=: %s ranks a user among all on one day, which users at different ages do not share: use the measure it ranks", ref)
	}
	return ref, nil
}

func (s *strata) len() int { return len(s.names) }

// label is how a curve is named; "" where there is only one.
func (s *strata) label(i int) string { return s.names[i] }

// found is what the pass gathers.
type found struct {
	reader lifeReader
	value  *valuer
	texts  map[string]int64
	nums   []float64
}

// find counts the values of those in the estimate.
func (s *strata) find() error {
	total := &found{texts: map[string]int64{}}
	err := Scan(s.r, s.needs, func() *found {
		f := &found{reader: lifeReader{def: s.def}, texts: map[string]int64{}}
		if s.set != nil {
			f.value, _ = s.r.newValuer(s.set, s.needs) // tried in newStrata
		}
		return f
	}, func(f *found, p *Person) error {
		for _, l := range f.reader.counted(p) {
			s.value(f, p, l)
		}
		return nil
	}, func(f *found) error {
		for v, n := range f.texts {
			total.texts[v] += n
		}
		total.nums = append(total.nums, f.nums...)
		return nil
	})
	if err != nil {
		return err
	}
	if s.set == nil || s.set.Family(0).Type == measure.Text {
		s.cutTexts(total.texts)
	} else {
		s.cutNumbers(total.nums)
	}
	if len(s.names) == 0 {
		s.names = []string{"no value"} // an empty curve says so
	}
	return nil
}

// value adds the value of one life.
func (s *strata) value(f *found, p *Person, l life) {
	if s.set == nil {
		f.texts[s.r.Cal.PeriodLabel(s.unit, s.r.Cal.Period(s.unit, l.start))]++
		return
	}
	f.value.at(p, l.judge)
	v, known := f.value.cur.Value(0)
	switch {
	case !known:
	case s.set.Family(0).Type == measure.Text:
		f.texts[f.value.cur.Text(0)]++
	default:
		f.nums = append(f.nums, v)
	}
}

// cutTexts keeps the commonest values; of cohorts, the latest with most users
// would hide the order, so all kept stand by name.
func (s *strata) cutTexts(texts map[string]int64) {
	type value struct {
		name string
		n    int64
	}
	var vs []value
	for v, n := range texts {
		vs = append(vs, value{v, n})
	}
	slices.SortFunc(vs, func(a, b value) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
	top := s.r.Int("top")
	rest := len(vs) > top
	vs = vs[:min(len(vs), top)]
	if s.by == cohortWord {
		slices.SortFunc(vs, func(a, b value) int { return cmp.Compare(a.name, b.name) })
	}
	s.index = map[string]int{}
	for i, v := range vs {
		s.index[v.name] = i
		s.names = append(s.names, v.name)
	}
	if rest {
		s.other = len(s.names)
		name := "others"
		for slices.Contains(s.names, name) {
			name = "all " + name
		}
		s.names = append(s.names, name)
	}
}

// cutNumbers parts numbers at their quartiles; equal quartiles fall together.
func (s *strata) cutNumbers(xs []float64) {
	if len(xs) == 0 {
		return
	}
	if s.set.Family(0).Type == measure.Bool {
		s.cuts, s.names = []float64{0}, []string{"no", "yes"}
		return
	}
	slices.Sort(xs)
	for q := 1; q < 4; q++ {
		c := xs[(len(xs)-1)*q/4]
		if c < xs[len(xs)-1] && (len(s.cuts) == 0 || c > s.cuts[len(s.cuts)-1]) {
			s.cuts = append(s.cuts, c)
		}
	}
	write := Number
	if s.set.Family(0).Type == measure.Day {
		write = func(x float64) string { return model.Day(x).String() }
	}
	for i, c := range s.cuts {
		name := "≤ " + write(c)
		if i > 0 {
			name = "> " + write(s.cuts[i-1]) + ", " + name
		}
		s.names = append(s.names, name)
	}
	last := "all"
	if n := len(s.cuts); n > 0 {
		last = "> " + write(s.cuts[n-1])
	}
	s.names = append(s.names, last)
}

// A strataValuer finds the curve of a life. It belongs to one goroutine.
type strataValuer struct {
	*strata
	value *valuer
}

func (s *strata) valuer() *strataValuer {
	v := &strataValuer{strata: s}
	if s.set != nil {
		v.value, _ = s.r.newValuer(s.set, s.needs) // tried in newStrata
	}
	return v
}

// stratum is the curve a person belongs to, −1 where the measure has no value.
func (v *strataValuer) stratum(p *Person, l life) int {
	s := v.strata
	if s.by == "" {
		return 0
	}
	if s.set == nil {
		return s.text(s.r.Cal.PeriodLabel(s.unit, s.r.Cal.Period(s.unit, l.start)))
	}
	// A judge of where= may have narrowed nothing: the timeline is whole.
	v.value.at(p, l.judge)
	x, known := v.value.cur.Value(0)
	switch {
	case !known:
		return -1
	case s.set.Family(0).Type == measure.Text:
		return s.text(v.value.cur.Text(0))
	}
	return sort.SearchFloat64s(s.cuts, x)
}

func (s *strata) text(v string) int {
	if i, ok := s.index[v]; ok {
		return i
	}
	return s.other
}
