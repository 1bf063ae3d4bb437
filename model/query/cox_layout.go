package query

import (
	"errors"
	"fmt"

	"dwell/model/survival"
)

// coxCells make the figures of a regression: of a data set's users, or of a plain
// table.
type coxCells struct {
	stat   func(key, label string, v float64, unit string) Cell
	bounds func(c Cell, lo, hi float64, method string)
	warn   func(code, format string, args ...any)
}

// notProportional is the p-value below which an effect is said to change with time.
const notProportional = 0.05

// coxBlocks lays a regression out: the hazard ratios with the check of each, and
// the tests of all measures together.
func coxBlocks(f *survival.CoxFit, names []string, c coxCells) []Block {
	ph, phErr := f.Proportional()
	if phErr != nil {
		c.warn("proportional", "Whether the effects stay the same over time cannot be checked: %v.", phErr)
	}
	b := Block{Kind: TableBlock, Name: "cox", Title: "Hazard ratios (Cox, ties by " + string(f.Ties) + ")", Heads: []Head{
		{"hazard ratio", true}, {"95 %", true}, {"p", true}, {"constant p", true}, {"coefficient", true}, {"std. error", true}, {"z", true}}}
	for j, name := range names {
		x := f.Coefficients[j]
		key := "cox." + name + "."
		ratio, lo, hi := x.Ratio()
		hr := c.stat(key+"ratio", name+": hazard ratio for one more", ratio, "")
		c.bounds(hr, lo, hi, "Wald 95 % on the log scale")
		coef := c.stat(key+"coef", name+": coefficient", x.Coef, "")
		c.bounds(coef, x.Lo, x.Hi, "Wald 95 %")
		row := Row{Key: name, Label: name, Cells: []Cell{hr, TextCell(fmt.Sprintf("%.4g – %.4g", lo, hi)), c.stat(key+"p", name+": p-value", x.P, "probability")}}
		if phErr == nil {
			row.Cells = append(row.Cells, c.stat(key+"ph.p", name+": p-value of a constant effect", ph.Each[j].P, "probability"))
			c.stat(key+"ph.chi2", name+": chi-squared of a constant effect", ph.Each[j].Chi2, "")
			if ph.Each[j].P < notProportional {
				c.warn("not-proportional", "The effect of %s changes with time (p = %.2g): its hazard ratio is an average over the time seen.", name, ph.Each[j].P)
			}
		} else {
			row.Cells = append(row.Cells, TextCell("—"))
		}
		row.Cells = append(row.Cells, coef, c.stat(key+"se", name+": standard error", x.SE, ""), c.stat(key+"z", name+": z", x.Z, ""))
		b.Rows = append(b.Rows, row)
	}
	t := Block{Kind: TableBlock, Name: "tests", Title: "All measures together", Heads: []Head{{"chi-squared", true}, {"degrees", true}, {"p", true}}}
	test := func(key, label string, x survival.Test) {
		t.Rows = append(t.Rows, Row{Key: key, Label: label, Cells: []Cell{c.stat("cox."+key+".chi2", label+": chi-squared", x.Chi2, ""), TextCell(fmt.Sprint(x.DF)), c.stat("cox."+key+".p", label+": p-value", x.P, "probability")}})
	}
	test("lr", "likelihood ratio", f.LR)
	test("wald", "Wald", f.Wald)
	test("score", "score (log-rank)", f.Score)
	if phErr == nil {
		test("ph", "effects constant over time", ph.Global)
	}
	m := Block{Kind: TableBlock, Name: "model", Heads: []Head{{"", true}}, Rows: []Row{
		{Key: "concordance", Label: "concordance: the one at higher risk churned first", Cells: []Cell{c.stat("cox.concordance", "concordance", f.Concordance, "share")}},
		{Key: "loglik", Label: "partial log-likelihood", Cells: []Cell{c.stat("cox.loglik", "partial log-likelihood", f.LogLik, "")}},
		{Key: "null", Label: "… without the measures", Cells: []Cell{c.stat("cox.loglik0", "partial log-likelihood without the measures", f.LogLik0, "")}},
	}}
	return []Block{b, t, m}
}

// coxError names the measure in which a refusal lies.
func coxError(err error, names []string) error {
	var col *survival.ColumnError
	if errors.As(err, &col) && col.Column < len(names) {
		return fmt.Errorf("%s: %w", names[col.Column], col.Err)
	}
	return err
}
