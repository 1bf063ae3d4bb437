package rule

import (
	"fmt"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"pgregory.net/rapid"

	"dwell/model/measure"
)

// A twin is a random rule written twice: in the rule language, and for expr's
// own machine, where each comparison is guarded by tests that its values are
// there, which is what "a comparison with a missing value is false" means.
type twin struct {
	rule, ref string
	needs     []string // names whose absence makes the value missing
}

var (
	numNames  = []string{"recency_days", "orders", "revenue", "overdue", "age"}
	textNames = []string{"plan", "country", "email", "stage"}
	boolNames = []string{"active_today", "contract_open"}
)

func drawNum(t *rapid.T, depth int) twin {
	switch k := rapid.IntRange(0, 10).Draw(t, "num"); {
	case depth <= 0 || k < 5:
		n := rapid.SampledFrom(numNames).Draw(t, "name")
		return twin{n, n, []string{n}}
	case k < 7:
		lit := rapid.SampledFrom([]string{"0", "1", "2.5", "7", "30", "G", "beat"}).Draw(t, "lit")
		return twin{rule: lit, ref: decimal(lit)}
	case k < 8:
		a, b := drawNum(t, depth-1), drawNum(t, depth-1)
		op := rapid.SampledFrom([]string{"+", "-", "*"}).Draw(t, "op")
		return twin{"(" + a.rule + " " + op + " " + b.rule + ")", "(" + a.ref + " " + op + " " + b.ref + ")", append(a.needs, b.needs...)}
	case k < 9:
		a, b := drawNum(t, depth-1), drawNum(t, depth-1)
		return twin{"max(" + a.rule + ", " + b.rule + ")", "max(" + a.ref + ", " + b.ref + ")", append(a.needs, b.needs...)}
	case k < 10:
		n := rapid.SampledFrom(numNames).Draw(t, "name")
		return twin{rule: "(" + n + " ?? 3)", ref: "(" + n + " ?? 3.0)"}
	default: // c ? a : b, missing where the side taken is
		c := drawBool(t, depth-2)
		n := rapid.SampledFrom(numNames).Draw(t, "name")
		return twin{"(" + c.rule + " ? " + n + " : 1 + 1)", "(" + c.ref + " ? " + n + " : 2.0)", []string{"(" + c.ref + " ? " + n + " : 2.0)"}}
	}
}

// decimal writes a whole number with a point: expr's checker takes max(0, 2.5)
// for an int and its machine then fails.
func decimal(lit string) string {
	if strings.Trim(lit, "0123456789") == "" {
		return lit + ".0"
	}
	return lit
}

// guard makes a comparison false where a value is missing.
func guard(src string, needs ...[]string) string {
	for _, ns := range needs {
		for _, n := range ns {
			src = "(" + n + " != nil && " + src + ")"
		}
	}
	return src
}

func drawBool(t *rapid.T, depth int) twin {
	k := rapid.IntRange(0, 17).Draw(t, "bool")
	if depth <= 0 {
		k %= 8
	}
	switch {
	case k < 3:
		a, b := drawNum(t, depth-1), drawNum(t, depth-1)
		if rapid.Bool().Draw(t, "constant") { // the common form, which has a path of its own
			lit := rapid.SampledFrom([]string{"0", "1", "2", "2.5", "30"}).Draw(t, "lit")
			b = twin{rule: lit, ref: decimal(lit)}
		}
		op := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "op")
		return twin{rule: "(" + a.rule + " " + op + " " + b.rule + ")", ref: guard("("+a.ref+" "+op+" "+b.ref+")", a.needs, b.needs)}
	case k < 5:
		n := rapid.SampledFrom(textNames).Draw(t, "text")
		if n == "stage" {
			return twin{rule: `(stage in ["growth", "churned"])`, ref: guard(`(stage in ["growth", "churned"])`, []string{"stage"})}
		}
		op := rapid.SampledFrom([]string{"==", "!=", "contains", "startsWith", "endsWith", "matches", "<", ">="}).Draw(t, "op")
		lit := rapid.SampledFrom([]string{`"pro"`, `"DE"`, `"e"`, `"a@b.c"`, `"r"`}).Draw(t, "lit")
		src := "(" + n + " " + op + " " + lit + ")"
		return twin{rule: src, ref: guard(src, []string{n})}
	case k < 6:
		n := rapid.SampledFrom(boolNames).Draw(t, "flag")
		return twin{rule: n, ref: "(" + n + " == true)"}
	case k < 7:
		n := rapid.SampledFrom(append(append([]string{}, numNames...), textNames...)).Draw(t, "name")
		return twin{rule: "known(" + n + ")", ref: "(" + n + " != nil)"}
	case k < 8:
		n := rapid.SampledFrom([]string{"plan", "country"}).Draw(t, "text")
		src := "(" + n + ` in ["pro", "AT", "nobody"])`
		return twin{rule: src, ref: guard(src, []string{n})}
	case k < 9:
		a := drawBool(t, depth-1)
		return twin{rule: "not (" + a.rule + ")", ref: "!(" + a.ref + ")"}
	case k < 10:
		c, a, b := drawBool(t, depth-1), drawBool(t, depth-1), drawBool(t, depth-1)
		return twin{rule: fmt.Sprintf("(%s ? %s : %s)", c.rule, a.rule, b.rule), ref: fmt.Sprintf("(%s ? %s : %s)", c.ref, a.ref, b.ref)}
	case k < 11:
		src := rapid.SampledFrom([]string{"(plan == country)", "(plan > email)", "(email contains plan)"}).Draw(t, "pair")
		var needs []string
		for _, n := range textNames {
			if strings.Contains(src, n) {
				needs = append(needs, n)
			}
		}
		return twin{rule: src, ref: guard(src, needs)}
	case k < 12: // two conditions compared; a missing yes-or-no compares as false
		op := rapid.SampledFrom([]string{"==", "!="}).Draw(t, "op")
		if rapid.Bool().Draw(t, "flags") {
			src := "(active_today " + op + " contract_open)"
			return twin{rule: src, ref: guard(src, boolNames)}
		}
		a, b := drawBool(t, 0), drawBool(t, depth-1)
		return twin{rule: "((" + a.rule + " and true) " + op + " (" + b.rule + " or false))", ref: "((" + a.ref + ") " + op + " (" + b.ref + "))"}
	case k < 14: // texts that are not one property
		c := drawBool(t, depth-2)
		src := rapid.SampledFrom([]string{"(%s ? plan : country)", "((%s ? email : 'pro') ?? 'DE')", "(plan ?? (%s ? country : email))"}).Draw(t, "text")
		a, b := fmt.Sprintf(src, c.rule), fmt.Sprintf(src, c.ref)
		if rapid.Bool().Draw(t, "known") {
			return twin{rule: "known(" + a + ")", ref: "((" + b + ") != nil)"}
		}
		op := rapid.SampledFrom([]string{"== 'pro'", "!= 'DE'", "contains 'e'", "matches '^[a-p]'", "in ['pro', 'AT']", "!= country"}).Draw(t, "op")
		needs := []string{"(" + b + ")"}
		if op == "!= country" {
			needs = append(needs, "country")
		}
		return twin{rule: "((" + a + ") " + op + ")", ref: guard("(("+b+") "+op+")", needs)}
	default:
		a, b := drawBool(t, depth-1), drawBool(t, depth-1)
		op := rapid.SampledFrom([]string{"and", "or", "&&", "||"}).Draw(t, "op")
		return twin{rule: "(" + a.rule + " " + op + " " + b.rule + ")", ref: "(" + a.ref + " " + op + " " + b.ref + ")"}
	}
}

// A user of the reference: values by name, nil where missing.
type person map[string]any

func drawPerson(t *rapid.T, s *measure.Schema) person {
	p := person{}
	for _, n := range numNames {
		if rapid.IntRange(0, 3).Draw(t, "missing") == 0 {
			continue
		}
		switch n {
		case "age":
			p[n] = rapid.SampledFrom([]float64{31, 7, 44.5}).Draw(t, n)
		case "recency_days", "orders":
			p[n] = rapid.SampledFrom([]float64{0, 1, 2, 3, 29, 30, 31}).Draw(t, n)
		default:
			p[n] = rapid.SampledFrom([]float64{0, 0.7, 1, 2.5, 30, -4.25}).Draw(t, n)
		}
	}
	for _, n := range textNames {
		dict := []string{"", "a@b.c", "pro@x"}
		switch {
		case n == "stage":
			dict = measure.StageDict(s.Stages)
		case n != "email":
			dict = s.Info.Key(n).Values
		}
		if v := rapid.SampledFrom(dict).Draw(t, n); v != "" {
			p[n] = v
		}
	}
	for _, n := range boolNames {
		if rapid.IntRange(0, 3).Draw(t, "missing") > 0 {
			p[n] = rapid.Bool().Draw(t, n)
		}
	}
	return p
}

// env is what expr's machine sees.
func (p person) env(s *measure.Schema) map[string]any {
	out := map[string]any{"G": s.Params["G"], "beat": s.Params["beat"]}
	for _, ns := range [][]string{numNames, textNames, boolNames} {
		for _, n := range ns {
			out[n] = p[n]
		}
	}
	return out
}

// A personRow is the Row of a person for a list of measures.
type personRow struct {
	p    person
	refs []measure.Ref
	s    *measure.Schema
}

func (r personRow) name(slot int) string {
	if ref := r.refs[slot]; ref.Key != "" {
		return ref.Key
	}
	return r.refs[slot].Name
}

func (r personRow) Value(slot int) (float64, bool) {
	n := r.name(slot)
	switch v := r.p[n].(type) {
	case float64:
		if n != "age" {
			return v, true
		}
		for code, text := range r.s.Info.Key("age").Values {
			if text == fmt.Sprint(v) {
				return float64(code), true
			}
		}
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case string:
		dict := measure.StageDict(r.s.Stages)
		if k := r.s.Info.Key(n); k != nil {
			dict = k.Values
		}
		for code, text := range dict {
			if text == v {
				return float64(code), true
			}
		}
	}
	return 0, false
}

func (r personRow) Text(slot int) string {
	if v := r.p[r.name(slot)]; v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// columnsOf puts people into the columns of a population.
func columnsOf(t interface{ Fatal(...any) }, people []person, refs []measure.Ref, s *measure.Schema) ColumnList {
	set, err := measure.Compile(refs, s)
	if err != nil {
		t.Fatal(err)
	}
	var out ColumnList
	for slot := range refs {
		c := set.NewColumn(slot, len(people))
		for _, p := range people {
			row := personRow{p, refs, s}
			if set.Family(slot).Type == measure.Text {
				c.AppendText(row.Text(slot))
			} else {
				v, ok := row.Value(slot)
				c.Append(v, ok)
			}
		}
		out = append(out, c)
	}
	return out
}

func TestRulesEqualExprsOwnMachine(t *testing.T) {
	s := testSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 3, 64, 65, 130}).Draw(t, "people")
		people := make([]person, n)
		for i := range people {
			people[i] = drawPerson(t, s)
		}
		// More than one block of people: the same ones over and over.
		for len(people) < 1100 && n == 130 {
			people = append(people, people[:130]...)
		}
		for range 5 {
			agree(t, drawBool(t, 4), people, s)
		}
	})
}

// agree holds a rule's three readings against one another.
func agree(t *rapid.T, tw twin, people []person, s *measure.Schema) {
	r, err := Compile(tw.rule, Env{Schema: s})
	if err != nil {
		t.Fatalf("%s: %v", tw.rule, err)
	}
	program, err := expr.Compile(tw.ref, expr.Env(map[string]any{"G": 0.0, "beat": 0.0}), expr.AllowUndefinedVariables(), expr.AsBool())
	if err != nil {
		t.Fatalf("%s: %v", tw.ref, err)
	}
	out := measure.NewBits(len(people))
	if err := r.EvalColumns(columnsOf(t, people, r.Refs(), s), len(people), out); err != nil {
		t.Fatal(err)
	}
	for i, p := range people {
		want, err := vm.Run(program, p.env(s))
		if err != nil {
			t.Fatalf("%s: %v", tw.ref, err)
		}
		row := r.Holds(personRow{p, r.Refs(), s})
		if row != want || out.Get(i) != want {
			t.Fatalf("%s for %v: row %v, columns %v, expr %v\n%s", tw.rule, p, row, out.Get(i), want, tw.ref)
		}
		clauses := r.Proof(personRow{p, r.Refs(), s})
		if len(clauses) == 0 {
			t.Fatalf("%s has no clause", tw.rule)
		}
	}
	again, err := Compile(r.Canonical(), Env{Schema: s})
	if err != nil || again.Canonical() != r.Canonical() {
		t.Fatalf("%s is not canonical: %v", r.Canonical(), err)
	}
}
