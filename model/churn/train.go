package churn

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"dwell/model/stat"
)

// Options of a training; the zero value means the defaults.
type Options struct {
	Kind     Kind                       // "": logistic
	Boosting Boosting                   // of BoostingKind
	Monotone map[string]int8            // of BoostingKind, by column: 1 may only raise the log-odds, −1 only lower them
	Question Question                   // of HazardKind: until when silence must last
	Resample bool                       // intervals of the coefficients of LogisticKind, by resampling users
	Ridge    float64                    // weight of the penalty; 0: 1
	Least    int                        // users needed of each outcome; 0: 20
	Clip     float64                    // share of the training users on each side beyond whose value a feature is held; 0: 0.01, below 0: none
	Leak     float64                    // a feature that alone ranks the outcomes this well knows the future; 0: 0.995, above 1: no guard
	Alike    float64                    // of LogisticKind: features correlated so much with an earlier one are left out; 0: none
	Stop     func() bool                // asked at every step; may be nil
	Progress func(done, total int)      // told at every step; may be nil
	Allow    func(name string) bool     // features the guard lets pass; nil: none
	Parallel func(n int, f func(i int)) // see Job; nil: one after the other
}

func (o *Options) job() Job { return Job{Parallel: o.Parallel, Stop: o.Stop, Progress: o.Progress} }

func (o Options) filled() Options {
	set := func(x *float64, def float64) {
		if *x == 0 {
			*x = def
		}
	}
	set(&o.Ridge, 1)
	set(&o.Clip, 0.01)
	set(&o.Leak, 0.995)
	if o.Kind == "" {
		o.Kind = LogisticKind
	}
	if o.Least == 0 {
		o.Least = 20
	}
	if o.Parallel == nil {
		o.Parallel = inTurn
	}
	return o
}

// Train fits a model to a table. In a logistic regression measures without a
// value take the mean of those who have one, and a feature of their own says so
// where that varies; trees learn which way such users go. A property becomes a
// yes or no for each of its frequent values (see levels). Constant columns are
// left out and named in Dropped.
//
// It fails with ErrTooFew, ErrOneClass, ErrNotFinite, ErrNothing (all columns
// constant), ErrLeak (one feature alone ranks the outcomes almost without a
// mistake), ErrSeparated (all together do, but for trees, which may on users they
// have seen), ErrRhythm, ErrDiverged or ErrStopped; each says what to do.
func Train(t *Table, o Options) (*Model, error) {
	o = o.filled()
	if err := t.check(o.Least); err != nil {
		return nil, err
	}
	m := &Model{Kind: o.Kind, Users: t.Len(), BaseRate: share(t.Yes), Columns: slices.Clone(t.Names)}
	if o.Kind == HazardKind {
		if err := m.trainRhythm(t, o); err != nil {
			return nil, err
		}
		m.Near = t.near(m)
		return m, nil
	}
	x, err := m.lay(t, o)
	if err != nil {
		return nil, err
	}
	if len(m.Features) == 0 {
		return nil, fmt.Errorf("%w: every one of %d is the same for all %d users", ErrNothing, len(t.Names), t.Len())
	}
	if o.Kind == BoostingKind {
		b := o.Boosting
		b.Stop, b.Progress, b.Parallel = o.Stop, o.Progress, o.Parallel
		for i := range m.Features {
			way := o.Monotone[m.Features[i].Name]
			if m.Features[i].Level != "" {
				way = 0 // a property has no order
			}
			b.Monotone = append(b.Monotone, way)
		}
		if m.Forest, err = Boost(x, t.Yes, b); err != nil {
			return nil, err
		}
		m.Near = t.near(m)
		return m, nil
	}
	if o.Alike > 0 {
		x = m.unlike(x, o.Alike)
	}
	m.Ridge = o.Ridge
	mean, sd := make([]float64, len(x)), make([]float64, len(x))
	for i := range m.Features {
		mean[i], sd[i] = m.Features[i].Mean, m.Features[i].SD
	}
	fit, err := logistic(x, t.Yes, mean, sd, o.Ridge, o.job())
	if err != nil {
		return nil, err
	}
	m.take(&fit)
	if o.Resample {
		if err := m.resample(x, t.Yes, &fit, o); err != nil {
			return nil, err
		}
	}
	if t.separated(m) {
		return nil, fmt.Errorf("%w in %d users: such a model would say 0 or 1 of everybody; look for a feature that follows from the outcome", ErrSeparated, t.Len())
	}
	m.Near = t.near(m)
	return m, nil
}

// lay makes the model's features and their columns as the fit sees them: NaN
// where trees find no value. Columns of the table that need no change are
// shared with it.
func (m *Model) lay(t *Table, o Options) (x [][]float64, err error) {
	type column struct {
		features []Feature
		x        [][]float64
		suspect  []string
		err      error
	}
	columns := make([]column, len(t.X))
	o.Parallel(len(t.X), func(c int) {
		at := &columns[c]
		if o.Stop != nil && o.Stop() {
			at.err = ErrStopped
			return
		}
		for _, f := range t.features(c, o) {
			col := t.measured(&f)
			if f.SD == 0 {
				continue
			}
			if at.err = t.guard(&f, col, o); at.err != nil {
				return
			}
			if s := t.suspect(&f, col); s != "" {
				at.suspect = append(at.suspect, s)
			}
			if o.Kind == BoostingKind && f.Level == "" && t.Known[c] != nil {
				for i, k := range t.Known[c] {
					if !k {
						col[i] = math.NaN()
					}
				}
			}
			at.features, at.x = append(at.features, f), append(at.x, col)
		}
	})
	for c, at := range columns {
		if at.err != nil {
			return nil, at.err
		}
		if at.features == nil {
			m.Dropped = append(m.Dropped, t.Names[c])
		}
		m.Features, x = append(m.Features, at.features...), append(x, at.x...)
		m.Suspect = append(m.Suspect, at.suspect...)
	}
	return x, nil
}

// A level needs so many users, and a property has at most so many levels.
const (
	leastLevel = 20
	mostLevels = 12
)

// levels are the features of a property: yes or no for each of its most frequent
// values. Rare values share one level that has no feature, and so does whatever
// value appears after training. They are chosen by the training users alone.
func (t *Table) levels(c int) []Feature {
	dict := t.texts(c)
	n := make([]int, len(dict))
	absent := 0
	for i, x := range t.X[c] {
		if t.Known[c] != nil && !t.Known[c][i] {
			absent++
		} else if code := int(x); code >= 0 && code < len(n) {
			n[code]++
		}
	}
	var codes []int
	for code := range n {
		if n[code] >= leastLevel {
			codes = append(codes, code)
		}
	}
	slices.SortStableFunc(codes, func(a, b int) int { return cmp.Compare(n[b], n[a]) })
	codes = codes[:min(len(codes), mostLevels)]
	slices.Sort(codes)
	var out []Feature
	for _, code := range codes {
		out = append(out, Feature{Name: t.Names[c], Level: dict[code], Code: float64(code), Column: c, Hi: 1, Most: 1})
	}
	if absent >= leastLevel {
		out = append(out, Feature{Name: t.Names[c], Absent: true, Column: c, Hi: 1, Most: 1})
	}
	return out
}

// features of one column: the value, and whether there is none.
func (t *Table) features(c int, o Options) []Feature {
	clip := o.Clip
	if t.texts(c) != nil {
		return t.levels(c)
	}
	trees := o.Kind == BoostingKind
	if trees {
		clip = -1 // a cut point does not mind how far beyond it a value lies
	}
	have := make([]float64, 0, t.Len())
	if t.Known[c] == nil {
		have = append(have, t.X[c]...)
	}
	missing := false
	for i, k := range t.Known[c] {
		if k {
			have = append(have, t.X[c][i])
		} else {
			missing = true
		}
	}
	f := Feature{Name: t.Names[c], Unit: t.Units[c], Column: c, Lo: -math.MaxFloat64, Hi: math.MaxFloat64}
	if len(have) > 0 {
		f.Least, f.Most = slices.Min(have), slices.Max(have)
	}
	if clip > 0 && len(have) > 0 {
		// A far value must not rule the fit, nor a far user's prediction.
		f.Lo, f.Hi = quantile(have, clip), quantile(have, 1-clip)
		if f.Lo == f.Hi { // a rare yes is all there is: keep it
			f.Lo, f.Hi = f.Least, f.Most
		}
	}
	if missing { // else the fill is the mean
		for i := range have {
			have[i] = min(max(have[i], f.Lo), f.Hi)
		}
		f.Fill, _ = meanSD(have)
	}
	out := []Feature{f}
	if missing && !trees {
		out = append(out, Feature{Name: f.Name, Absent: true, Column: c, Hi: 1, Most: 1})
	}
	return out
}

// prepared is a feature's column as the fit sees it; the table's own where that
// is the same.
func (t *Table) prepared(f *Feature) []float64 {
	plain := !f.Absent && f.Level == "" && t.Known[f.Column] == nil
	if plain && f.Lo <= f.Least && f.Most <= f.Hi {
		return t.X[f.Column]
	}
	col := make([]float64, t.Len())
	if plain {
		for i, x := range t.X[f.Column] {
			col[i] = min(max(x, f.Lo), f.Hi)
		}
		return col
	}
	values, known := make([]float64, len(t.X)), make([]bool, len(t.X))
	for i := range col {
		values[f.Column] = t.X[f.Column][i]
		known[f.Column] = t.Known[f.Column] == nil || t.Known[f.Column][i]
		col[i] = f.at(values, known)
	}
	return col
}

// measured is prepared, and sets the mean and the spread.
func (t *Table) measured(f *Feature) []float64 {
	col := t.prepared(f)
	f.Mean, f.SD = meanSD(col)
	if t.Known[f.Column] == nil && !f.Absent && f.Level == "" {
		f.Fill = f.Mean
	}
	return col
}

// guarded is about how many users the guard looks at.
const guarded = 50_000

// guard refuses a feature that ranks the outcomes by itself: nothing known
// before the cut-off does that; a count taken after it, or the outcome in
// disguise, does.
func (t *Table) guard(f *Feature, col []float64, o Options) error {
	if o.Allow != nil && o.Allow(f.Name) {
		return nil
	}
	step := 1 + len(col)/guarded // a leak this plain shows in any sample
	fs := make([]stat.Forecast, 0, len(col)/step+1)
	for i := 0; i < len(col); i += step {
		fs = append(fs, stat.Forecast{P: col[i], Yes: t.Yes[i]})
	}
	area, err := stat.AUC(fs, stat.Level)
	if errors.Is(err, stat.ErrOneClass) {
		return nil // the sample of many users happens to hold one outcome: too rare to rank
	}
	if err != nil {
		return err
	}
	if a := math.Max(area.AUC, 1-area.AUC); a >= o.Leak {
		return fmt.Errorf("%w: %s alone ranks churned and kept users with an AUC of %.3f; leave it out, or look where it comes from", ErrLeak, f.Label(), a)
	}
	return nil
}

// take brings a fit on standardised columns back to original units.
func (m *Model) take(fit *Fit) {
	m.Intercept, m.Iterations, m.Gradient = fit.Intercept, fit.Iterations, fit.Gradient
	for i := range m.Features {
		f := &m.Features[i]
		f.Coef = fit.Coef[i] / f.SD
		m.Intercept -= f.Coef * f.Mean
	}
}

// separated says whether the model ranks its own training users without a
// mistake.
func (t *Table) separated(m *Model) bool {
	lowYes, highNo := math.Inf(1), math.Inf(-1)
	values, known := make([]float64, len(t.X)), make([]bool, len(t.X))
	for i, y := range t.Yes {
		t.Row(i, values, known)
		if e := m.LogOdds(values, known); y {
			lowYes = math.Min(lowYes, e)
		} else {
			highNo = math.Max(highNo, e)
		}
		if lowYes <= highNo {
			return false
		}
	}
	return true
}
