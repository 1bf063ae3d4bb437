package query

import (
	"fmt"
	"math"
	"strings"

	"dwell/model/stat"
	"dwell/model/survival"
)

// afterFlat are the lives from the end of the flat part on: no family of
// distributions knows a time in which nobody can die.
func (p *survivalPlan) afterFlat(ls []survival.Life) (out []survival.Life, shift float64) {
	if shift = p.def.flat() - 1; shift <= 0 {
		return ls, 0
	}
	for _, l := range ls {
		if l.Time > shift {
			l.Time, l.Entry = l.Time-shift, math.Max(l.Entry-shift, 0)
			out = append(out, l)
		}
	}
	return out, shift
}

// fittedFrom says from which day on curves are fitted, "" where it is the first.
func (p *survivalPlan) fittedFrom() string {
	if _, shift := p.afterFlat(nil); shift > 0 {
		return fmt.Sprintf(" over the days after day %v, before which nobody can churn", shift)
	}
	return ""
}

func (p *survivalPlan) fits(b *Builder, c *curveOf, chart *Chart) {
	if c.est == nil {
		return
	}
	ls, shift := p.afterFlat(c.lives)
	fits, refused := survival.FitAll(ls)
	title := "Which kind of curve fits"
	if shift > 0 {
		title += fmt.Sprintf(" (from day %v on, where churn can begin)", shift)
	}
	t := Block{Kind: TableBlock, Name: b.Key("fits"), Title: b.label(title), Heads: []Head{{"AIC", true}, {"log-likelihood", true}, {"median days", true}, {"parameters", false}}}
	at := p.curve(c.curve) + curveUsers
	for i, f := range fits {
		name := string(f.Family)
		label := name
		if i == 0 {
			label += " (fits best)"
		}
		m, band := f.Reached(0.5, stat.Level)
		median := p.stat(b, at, "fit."+name+".median", "median life by the "+name+" fit", m+shift, false, "days")
		mf := b.Fig(median)
		if !p.def.every {
			mf.Lo, mf.Hi, mf.Interval, mf.Method = band.Lo+shift, band.Hi+shift, true, "delta method on the log scale, 95 %"
		}
		t.Rows = append(t.Rows, Row{Key: name, Label: label, Cells: []Cell{
			b.Cell(p.stat(b, at, "fit."+name+".aic", "AIC of the "+name+" fit", f.AIC, false, "")),
			b.Cell(p.stat(b, at, "fit."+name+".loglik", "log-likelihood of the "+name+" fit", f.LogLik, false, "")),
			b.Cell(median), TextCell(parameterText(f, !p.def.every))}})
	}
	for _, fam := range survival.Families() {
		if err := refused[fam]; err != nil {
			t.Rows = append(t.Rows, Row{Key: string(fam), Label: string(fam), Cells: []Cell{TextCell("—"), TextCell("—"), TextCell("—"), TextCell(err.Error())}})
		}
	}
	b.Block(t)
	p.forecast(b, c, chart, fits, shift, at)
}

// parameterText writes a fit's parameters, with their standard errors where lives
// are independent.
func parameterText(f *survival.Fit, errors bool) string {
	var out []string
	for _, x := range f.Parameters() {
		if !errors {
			out = append(out, fmt.Sprintf("%s %.4g", x.Name, x.Value))
			continue
		}
		out = append(out, fmt.Sprintf("%s %.4g ± %.2g", x.Name, x.Value, x.SE))
	}
	return strings.Join(out, ", ")
}

// forecast draws a fit over the chart and beyond it.
func (p *survivalPlan) forecast(b *Builder, c *curveOf, chart *Chart, fits []*survival.Fit, shift float64, at int) {
	if p.beyond == 0 {
		return
	}
	var fit *survival.Fit
	for _, f := range fits {
		if p.family == "best" || p.family == string(f.Family) {
			fit = f
			break
		}
	}
	if fit == nil {
		b.Warn("forecast", "%s cannot be fitted, so nothing is forecast.", p.family)
		return
	}
	end := c.est.Last + float64(p.beyond)
	for x := chart.X[len(chart.X)-1]; x < end && len(chart.X) < maxGridRows; {
		x += float64(p.every)
		chart.X = append(chart.X, x)
	}
	s := Series{Name: string(fit.Family) + " fit " + b.label("")}
	t := Block{Kind: TableBlock, Name: b.Key("forecast"), Title: b.label("Forecast of the " + string(fit.Family) + " fit, beyond what has been seen"), Heads: []Head{{"not churned", true}, {"95 % interval", true}}}
	for _, x := range chart.X {
		v, band := fit.Survival(x-shift, stat.Level)
		s.Y, s.Lo, s.Hi = append(s.Y, v), append(s.Lo, band.Lo), append(s.Hi, band.Hi)
		if x <= c.est.Last {
			s.Figures = append(s.Figures, NoFigure)
			continue
		}
		i := b.Stat(at, fmt.Sprintf("forecast.day.%v", x), fmt.Sprintf("share not churned by day %v, by the %s fit", x, fit.Family), v, false, "share")
		f := b.Fig(i)
		f.Lo, f.Hi, f.Interval, f.Method = band.Lo, band.Hi, true, "delta method, 95 %; that the family is right is assumed"
		s.Figures = append(s.Figures, i)
		t.Rows = append(t.Rows, Row{Key: fmt.Sprint(x), Label: fmt.Sprintf("day %v", x), Cells: []Cell{b.Cell(i), TextCell(fmt.Sprintf("%.1f–%.1f %%", 100*band.Lo, 100*band.Hi))}})
	}
	s.Name = strings.TrimSpace(s.Name)
	chart.Series = append(chart.Series, s)
	b.Block(t)
}
