package ingest

import (
	"fmt"
	"slices"
	"strings"
)

// amount finds a column of amounts, or quantity times unit price.
func (r *recogniser) amount() error {
	if r.o.Amount != "" {
		a, err := parseAmount(r.o.Amount, r.t.has)
		if err != nil {
			return err
		}
		for _, n := range a.names {
			if r.t.sx.mode == modeTable {
				if _, err := r.named("--amount", n); err != nil {
					return err
				}
			}
		}
		r.m.Amount = r.o.Amount
		if a.expr.op == 'c' {
			r.m.Amount = exprName(a.names[0])
		}
		r.numberStyle(a)
		return nil
	}
	pick := func(ws wordScore, least int) (string, int) {
		top := 0
		name := r.best(func(i int) int {
			n := r.t.names[i]
			s := ws.of(n)
			share := 0.9
			if s >= 90 {
				share = 0.5 // the name is sure: what is no number will be rejected by reason
			}
			if s < least || n == r.m.User || n == r.m.Time || n == r.m.Event || !r.numeric(i, share) {
				return 0
			}
			top = max(top, s)
			return s
		})
		return name, top
	}
	amount, score := pick(amountWords, 50)
	quantity, _ := pick(quantityWords, 1)
	price, _ := pick(unitPriceWords, 1)
	switch {
	case quantity != "" && price != "" && score <= 84:
		r.m.Amount, r.why["amount"] = exprName(quantity)+"*"+exprName(price), "a guess: quantity times unit price"
	case amount != "":
		r.m.Amount, r.why["amount"] = exprName(amount), "by name"
	case r.t.header == nil && r.t.sx.mode == modeTable:
		// Without names: the last column of decimals is the likeliest amount.
		for i := len(r.t.names) - 1; i >= 0 && r.m.Amount == ""; i-- {
			n := r.t.names[i]
			if n != r.m.User && n != r.m.Time && n != r.m.Event && r.numeric(i, 0.9) && slices.ContainsFunc(r.cells[i], func(c string) bool { return strings.Contains(c, ".") }) {
				r.m.Amount, r.why["amount"] = n, "a guess: the last column of decimals"
			}
		}
	}
	if r.m.Amount == "" {
		return nil
	}
	a, err := parseAmount(r.m.Amount, r.t.has)
	if err == nil {
		r.numberStyle(a)
	}
	return err
}

// numeric says whether a share of a column's cells are numbers in some style.
func (r *recogniser) numeric(i int, share float64) bool {
	cells := numbersOf(r.cells[i])
	_, n := likelyStyle(cells)
	return n > 0 && float64(n) >= share*float64(len(cells))
}

// numberStyle decides how the amounts are written: as most of the sample is.
func (r *recogniser) numberStyle(a *amountPlan) {
	var all []string
	for _, n := range a.names {
		if i := r.index(n); i >= 0 {
			all = append(all, r.cells[i]...)
		}
	}
	all = numbersOf(all)
	s, _ := likelyStyle(all)
	r.m.Number = s.String()
	if s == numberPlain {
		return
	}
	odd := slices.IndexFunc(all, func(c string) bool { return !numberPlain.isNumber([]byte(c)) && s.isNumber([]byte(c)) })
	r.notes = append(r.notes, fmt.Sprintf("amounts are written as %s; currency signs and separators are dropped", all[odd]))
	var signs []string
	for _, c := range all {
		_, _, sign := stripCurrency([]byte(c))
		if code := signOf[sign]; code != "" {
			sign = code
		}
		if sign != "" && !slices.Contains(signs, sign) {
			signs = append(signs, sign)
		}
	}
	if len(signs) > 1 {
		r.notes = append(r.notes, fmt.Sprintf("amounts are in several currencies (%s) and are stored as bare numbers, which sums add up: put the currency into a column of its own, or load each apart", strings.Join(signs[:min(len(signs), 5)], ", ")))
	}
}

// exprName quotes a column's name for an expression if it needs it.
func exprName(name string) string {
	if a, err := parseAmount(name, nil); err == nil && a.expr.op == 'c' && a.names[0] == name {
		return name
	}
	if strings.Contains(name, "`") {
		return `"` + name + `"`
	}
	return "`" + name + "`"
}
