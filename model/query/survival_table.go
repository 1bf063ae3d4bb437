package query

import (
	"fmt"
	"math"
	"slices"

	"dwell/model"
	"dwell/model/stat"
	"dwell/model/survival"
)

// A TableQuestion is what is asked of a plain table of lives, which no data set
// stands behind: the columns of its times and events, and what to compare.
type TableQuestion struct {
	Name  string // of the table, for the title
	Time  string
	Event string
	Died  string // the value of Event that is a death; "": 1, true or yes
	Entry string // "" for watched from the beginning
	Group string // "" for one curve
	Cox   []string
	Ties  survival.Ties
}

// SurvivalOfTable answers a question about a plain table, laid out as an answer of
// the engine's so that the same views show it. Its figures have no users to open.
func SurvivalOfTable(t *survival.Table, q TableQuestion) (*Answer, error) {
	lives, rows, err := t.Lives(q.Time, q.Event, q.Died, q.Entry)
	if err != nil {
		return nil, err
	}
	w := &tableWriter{a: &Answer{Query: Query{Analysis: "survival"}, Title: "Survival of " + q.Name, AsOf: model.NoDay,
		Definition: "One row is one life: " + q.Time + " is its length, " + q.Event + " says whether it ended there. Curve: Kaplan and Meier, Greenwood's standard error, log-log band; hazard: Nelson and Aalen."}}
	chart := &Chart{XLabel: q.Time, YLabel: "share alive (under the axis: rows at risk)", Unit: "share", Zero: true, Step: true}
	w.a.Blocks = append(w.a.Blocks, Block{Kind: ChartBlock, Name: "curve", Title: w.a.Title, Chart: chart})
	if n := len(t.Rows) - len(rows); n > 0 {
		w.warn("missing", "%s without %s or %s, and left out.", areOf(int64(n), "row"), q.Time, q.Event)
	}
	names, groups := []string{""}, [][]survival.Life{lives}
	if q.Group != "" {
		values, of, err := t.Groups(q.Group, rows)
		if err != nil {
			return nil, err
		}
		names, groups = nil, nil
		in := 0
		for _, g := range of {
			in += len(g)
		}
		if n := len(rows) - in; n > 0 {
			w.warn("no-group", "%s without %s, and in no group.", areOf(int64(n), "row"), q.Group)
		}
		for i, v := range values {
			var g []survival.Life
			for _, k := range of[i] {
				g = append(g, lives[k])
			}
			names, groups = append(names, v), append(groups, g)
		}
		if len(groups) > maxTableGroups {
			return nil, fmt.Errorf("%s has %d values: at most %d groups are compared", q.Group, len(groups), maxTableGroups)
		}
	}
	if err := w.curves(names, groups, chart); err != nil {
		return nil, err
	}
	if q.Group != "" {
		w.logrank(q.Group, names, groups)
	}
	for i := range groups {
		w.fits(names[i], groups[i])
	}
	if len(q.Cox) > 0 {
		if err := w.cox(t, q, lives, rows); err != nil {
			return nil, err
		}
	}
	return w.a, nil
}

// maxTableGroups is how many groups of a table are compared at most.
const maxTableGroups = 50

// A tableWriter lays out an answer without a run behind it.
type tableWriter struct{ a *Answer }

func (w *tableWriter) warn(code, format string, args ...any) {
	w.a.Warnings = append(w.a.Warnings, Warning{Code: code, Text: fmt.Sprintf(format, args...)})
}

func (w *tableWriter) figure(kind Kind, key, label string, v float64, none bool, unit string, n int64) Cell {
	if none {
		v = 0
	}
	w.a.Figures = append(w.a.Figures, Figure{Key: key, Label: label, Kind: kind, Value: v, None: none, Unit: unit, N: n, Slot: ownSlot})
	return Cell{Figure: len(w.a.Figures) - 1}
}

func (w *tableWriter) stat(key, label string, v float64, n int64) Cell {
	return w.figure(Stat, key, label, v, false, "", n)
}

func (w *tableWriter) bounds(c Cell, lo, hi float64, method string) {
	f := &w.a.Figures[c.Figure]
	f.Lo, f.Hi, f.Interval, f.Method = lo, hi, true, method
}

// under puts a group before a key.
func under(group, key string) string {
	if group == "" {
		return key
	}
	return "group." + group + "." + key
}

func (w *tableWriter) curves(names []string, groups [][]survival.Life, chart *Chart) error {
	sum := Block{Kind: TableBlock, Name: "summary", Title: "How long they live", Heads: []Head{{"rows", true}, {"died", true}, {"median", true}, {"95 %", true}, {"mean", true}, {"std. error", true}}}
	var ests []*survival.Estimate
	at := map[float64]bool{}
	for _, g := range groups {
		e, err := survival.Estimated(g, stat.Level)
		if err != nil {
			return err
		}
		ests = append(ests, e)
		at[0] = true
		for _, r := range e.Rows {
			at[r.Time] = true
		}
	}
	chart.X = sortedKeys(at)
	var tables []Block
	for i, e := range ests {
		name := names[i]
		label := name
		if label == "" {
			label = "all"
		}
		m, ok := e.Curve.Reached(0.5)
		lo, hi := e.Curve.ReachedInterval(0.5)
		median := w.figure(Stat, under(name, "median"), label+", median", m, !ok, "", e.N)
		if ok && lo.Known && hi.Known {
			w.bounds(median, lo.Days, hi.Days, "Brookmeyer–Crowley 95 %, log-log band")
		}
		text := "not reached"
		if ok || lo.Known {
			text = boundText(lo) + " – " + boundText(hi)
		}
		mean, se, known := e.Mean(e.Last)
		sum.Rows = append(sum.Rows, Row{Key: label, Label: label, Cells: []Cell{
			w.figure(Count, under(name, "n"), label+", rows", float64(e.N), false, "rows", e.N), w.figure(Count, under(name, "died"), label+", died", float64(e.Died), false, "rows", e.Died),
			median, TextCell(text),
			w.figure(Stat, under(name, "mean"), label+", mean restricted to "+Number(e.Last), mean, !known, "", e.N), w.figure(Stat, under(name, "mean.se"), label+", its standard error", se, !known, "", e.N)}})
		tables = append(tables, w.lifeTable(name, label, e))
		s := Series{Name: label}
		row := AxisRow{Name: name}
		if name == "" {
			row.Name = "at risk"
		}
		for _, x := range chart.X {
			row.Values = append(row.Values, float64(e.AtRisk(x)))
			if x > e.Last {
				continue
			}
			v, st := e.Curve.At(x)
			lo, hi := v, v
			if st != nil && st.Bounded {
				lo, hi = st.Lo, st.Hi
			}
			s.Y, s.Lo, s.Hi = append(s.Y, v), append(s.Lo, lo), append(s.Hi, hi)
		}
		chart.Series, chart.Under = append(chart.Series, s), append(chart.Under, row)
	}
	w.a.Blocks = append(append(w.a.Blocks, sum), tables...)
	return nil
}

func (w *tableWriter) lifeTable(name, label string, e *survival.Estimate) Block {
	b := Block{Kind: TableBlock, Name: under(name, "life"), Title: "Life table, " + label, Heads: []Head{{"at risk", true}, {"died", true}, {"censored", true}, {"alive", true}, {"std. error", true}, {"95 %", true}, {"cum. hazard", true}}}
	hz := e.Hazard(stat.Level)
	h := survival.HazardStep{}
	for _, r := range e.Rows {
		key, when := under(name, "time."+Number(r.Time)+"."), label+" at "+Number(r.Time)
		s, st := e.Curve.At(r.Time)
		for len(hz) > 0 && hz[0].Time <= r.Time {
			h, hz = hz[0], hz[1:]
		}
		alive := w.figure(Stat, key+"survival", when+", share alive", s, false, "share", r.AtRisk)
		se, text := 0.0, ""
		if st != nil {
			se = st.StdErr
			if st.Bounded {
				w.bounds(alive, st.Lo, st.Hi, "Greenwood, log-log, 95 %")
				text = fmt.Sprintf("%.1f–%.1f %%", 100*st.Lo, 100*st.Hi)
			}
		}
		hazard := w.stat(key+"hazard", when+", cumulative hazard", h.H, r.AtRisk)
		if h.H > 0 {
			w.bounds(hazard, h.Lo, h.Hi, "log scale, 95 %")
		}
		b.Rows = append(b.Rows, Row{Key: Number(r.Time), Label: Number(r.Time), Cells: []Cell{
			w.figure(Count, key+"risk", when+", at risk", float64(r.AtRisk), false, "rows", r.AtRisk), w.figure(Count, key+"died", when+", died", float64(r.Died), false, "rows", r.Died),
			w.figure(Count, key+"censored", when+", censored", float64(r.Censored), false, "rows", r.Censored), alive, w.figure(Stat, key+"se", when+", standard error", se, st != nil && !st.Bounded, "", r.AtRisk), TextCell(text), hazard}})
	}
	return b
}

func (w *tableWriter) logrank(by string, names []string, groups [][]survival.Life) {
	x, err := survival.LogRank(groups...)
	if err != nil {
		w.warn("logrank", "The groups cannot be compared: %v.", err)
		return
	}
	var n int64
	for _, g := range groups {
		n += int64(len(g))
	}
	b := Block{Kind: TableBlock, Name: "logrank", Title: "Does " + by + " make a difference? (log-rank)", Heads: []Head{{"chi-squared", true}, {"degrees", true}, {"p", true}}}
	b.Rows = append(b.Rows, w.testRow("logrank", "log-rank", x.Test, n))
	w.a.Blocks = append(w.a.Blocks, b)
	d := Block{Kind: TableBlock, Name: "expected", Heads: []Head{{"died", true}, {"expected", true}}}
	for i, name := range names {
		d.Rows = append(d.Rows, Row{Key: name, Label: name, Cells: []Cell{
			w.stat(under(name, "observed"), name+", died", x.Observed[i], int64(len(groups[i]))), w.stat(under(name, "expected"), name+", deaths expected if all were alike", x.Expected[i], int64(len(groups[i])))}})
	}
	w.a.Blocks = append(w.a.Blocks, d)
}

func (w *tableWriter) testRow(key, label string, x survival.Test, n int64) Row {
	return Row{Key: key, Label: label, Cells: []Cell{w.stat(key+".chi2", label+", chi-squared", x.Chi2, n), w.stat(key+".df", label+", degrees of freedom", float64(x.DF), n), w.figure(Stat, key+".p", label+", p-value", x.P, false, "probability", n)}}
}

func (w *tableWriter) fits(name string, lives []survival.Life) {
	fits, refused := survival.FitAll(lives)
	title := "Which kind of curve fits"
	if name != "" {
		title += ", " + name
	}
	b := Block{Kind: TableBlock, Name: under(name, "fits"), Title: title, Heads: []Head{{"AIC", true}, {"log-likelihood", true}, {"median", true}, {"parameters", false}}}
	for i, f := range fits {
		label := string(f.Family)
		key := under(name, "fit."+label)
		for _, p := range f.Parameters() {
			w.stat(key+"."+p.Name, label+", "+p.Name, p.Value, f.N)
			w.stat(key+"."+p.Name+".se", label+", standard error of "+p.Name, p.SE, f.N)
		}
		m, band := f.Reached(0.5, stat.Level)
		median := w.stat(key+".median", label+", median", m, f.N)
		w.bounds(median, band.Lo, band.Hi, "delta method on the log scale, 95 %")
		row := Row{Key: label, Label: label, Cells: []Cell{w.stat(key+".aic", label+", AIC", f.AIC, f.N), w.stat(key+".loglik", label+", log-likelihood", f.LogLik, f.N), median, TextCell(parameterText(f, true))}}
		if i == 0 {
			row.Label += " (fits best)"
		}
		b.Rows = append(b.Rows, row)
	}
	for _, f := range survival.Families() {
		if err := refused[f]; err != nil {
			b.Rows = append(b.Rows, Row{Key: string(f), Label: string(f), Cells: []Cell{TextCell("—"), TextCell("—"), TextCell("—"), TextCell(err.Error())}})
		}
	}
	w.a.Blocks = append(w.a.Blocks, b)
}

func (w *tableWriter) cox(t *survival.Table, q TableQuestion, lives []survival.Life, rows []int) error {
	names, x, whole, err := t.Design(q.Cox, rows)
	if err != nil {
		return err
	}
	some := make([]survival.Life, len(whole))
	for n, k := range whole {
		some[n] = lives[k]
	}
	if n := len(lives) - len(whole); n > 0 {
		w.warn("missing", "%s without a value of every measure, and left out of the regression.", areOf(int64(n), "row"))
	}
	f, err := survival.Cox(some, x, q.Ties, stat.Level, nil)
	if err != nil {
		return coxError(err, names)
	}
	cells := coxCells{
		stat: func(key, label string, v float64, unit string) Cell {
			return w.figure(Stat, key, label, v, false, unit, f.N)
		},
		bounds: w.bounds,
		warn:   w.warn,
	}
	w.a.Blocks = append(w.a.Blocks, coxBlocks(f, names, cells)...)
	return nil
}

// sortedKeys are the times in order.
func sortedKeys(at map[float64]bool) []float64 {
	out := make([]float64, 0, len(at))
	for x := range at {
		if !math.IsNaN(x) {
			out = append(out, x)
		}
	}
	slices.Sort(out)
	return out
}
