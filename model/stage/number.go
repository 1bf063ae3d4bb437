package stage

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// Parameters and dwells are expressions over the model's own numbers. They are
// evaluated once, when the model is frozen or compiled, never in replay.

// Names of what the data suggest, usable in parameters only.
const (
	usageInterval = "usage_interval"
	suggestedGap  = "suggested_gap"
)

// A formula is a compiled numeric expression.
type formula struct {
	text string
	uses []string // the parameters it reads
	prog *vm.Program
}

// identifiers collects names that are read or called.
type identifiers struct{ names, calls []string }

func (v *identifiers) Visit(n *ast.Node) {
	switch x := (*n).(type) {
	case *ast.CallNode:
		if id, ok := x.Callee.(*ast.IdentifierNode); ok {
			v.calls = append(v.calls, id.Value)
		}
	case *ast.IdentifierNode:
		v.names = append(v.names, x.Value)
	}
}

var suggestions = []string{usageInterval, suggestedGap}

// compileNumber compiles an expression over the model's numbers. suggest allows
// usage_interval() and suggested_gap().
func (m *Model) compileNumber(text string, suggest bool) (*formula, error) {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not an expression: %s", text, firstLine(err))
	}
	var ids identifiers
	ast.Walk(&tree.Node, &ids)
	f := &formula{text: text}
	known := append([]string{"max", "min", "round_even"}, m.paramNames()...)
	for _, n := range ids.names {
		switch {
		case slices.Contains(m.paramNames(), n):
			if !slices.Contains(f.uses, n) {
				f.uses = append(f.uses, n)
			}
		case slices.Contains(ids.calls, n) && n == "round_even":
		case slices.Contains(ids.calls, n) && slices.Contains(suggestions, n):
			if !suggest {
				return nil, fmt.Errorf("%s() stands only in [params]: give it a name there", n)
			}
		default:
			if suggest {
				known = append(known, suggestions...)
			}
			return nil, fmt.Errorf("there is no number %q%s", n, nearest(n, known))
		}
	}
	env := m.env(nil, nil)
	f.prog, err = expr.Compile(text, expr.Env(env), expr.AsFloat64())
	if err != nil {
		return nil, fmt.Errorf("%q is not a number: %s", text, firstLine(err))
	}
	return f, nil
}

// env is what an expression can see.
func (m *Model) env(values map[string]float64, s *Suggestion) map[string]any {
	env := map[string]any{"round_even": math.RoundToEven}
	for _, p := range m.Params {
		env[p.Name] = values[p.Name]
	}
	usage, gap := 0.0, 0.0
	if s != nil {
		usage, gap = s.Usage, float64(s.Gap)
	}
	env[usageInterval] = func() float64 { return usage }
	env[suggestedGap] = func() float64 { return gap }
	return env
}

func (f *formula) eval(env map[string]any) (float64, error) {
	out, err := expr.Run(f.prog, env)
	if err != nil {
		return 0, fmt.Errorf("%q: %s", f.text, firstLine(err))
	}
	x, ok := out.(float64)
	if !ok || x-x != 0 {
		return 0, fmt.Errorf("%q gives no finite number", f.text)
	}
	return x, nil
}

// order lists the parameters so that each stands after those it is made from.
func (m *Model) order() ([]int, error) {
	var out []int
	done := map[string]bool{}
	for len(out) < len(m.Params) {
		before := len(out)
		for i, p := range m.Params {
			if done[p.Name] {
				continue
			}
			ready := true
			if !p.Frozen {
				f, err := m.compileNumber(p.Suggest, true)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", p.Name, err)
				}
				ready = !slices.ContainsFunc(f.uses, func(u string) bool { return !done[u] })
			}
			if ready {
				done[p.Name] = true
				out = append(out, i)
			}
		}
		if len(out) == before {
			var rest []string
			for _, p := range m.Params {
				if !done[p.Name] {
					rest = append(rest, p.Name)
				}
			}
			return nil, errors.New("these numbers are made from one another: " + strings.Join(rest, ", "))
		}
	}
	return out, nil
}

// Freeze gives every parameter that is still an expression its number, from what
// the data suggest; of holds, by variant, what the users suggest who meet its rule
// (nil, or left out: as all do). The result, with its Hash, no longer depends on
// the data. It fails if a number comes out that no rule could use.
func (m *Model) Freeze(s *Suggestion, of ...*Suggestion) (*Model, error) {
	c := *m
	c.Params = slices.Clone(m.Params)
	order, err := m.order()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadModel, err)
	}
	values := map[string]float64{}
	for _, i := range order {
		p := &c.Params[i]
		if !p.Frozen {
			f, err := m.compileNumber(p.Suggest, true)
			if err == nil {
				p.Value, err = f.eval(m.env(values, s))
			}
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrBadModel, p.Name, err)
			}
			p.Frozen = true
		}
		values[p.Name] = p.Value
	}
	c.Variants = slices.Clone(m.Variants)
	for i := range c.Variants {
		v := &c.Variants[i]
		v.Params = slices.Clone(v.Params)
		from := s
		if i < len(of) && of[i] != nil {
			from = of[i]
		}
		for k := range v.Params {
			o := &v.Params[k]
			if !o.open() {
				continue
			}
			f, err := m.compileNumber(o.Number, true)
			if err == nil {
				o.Value, err = f.eval(m.env(values, from))
			}
			if err != nil {
				return nil, fmt.Errorf("%w: the variant %s: %s: %w", ErrBadModel, v.Name, o.Name, err)
			}
			o.Suggest, o.Number = o.Number, ""
		}
	}
	return &c, nil
}

// values are the frozen numbers by name.
func (m *Model) values() map[string]float64 {
	out := map[string]float64{}
	for _, p := range m.Params {
		out[p.Name] = p.Value
	}
	return out
}

// dwell evaluates a stage's least and most dwell; 0 means none.
func (m *Model) dwell(i int) (lo, hi int, err error) {
	s := m.Stages[i]
	for _, d := range []struct {
		n  Number
		to *int
	}{{s.MinDwell, &lo}, {s.MaxDwell, &hi}} {
		if d.n == "" {
			continue
		}
		f, err := m.compileNumber(string(d.n), false)
		if err != nil {
			return 0, 0, err
		}
		v, err := f.eval(m.env(m.values(), nil))
		if err != nil {
			return 0, 0, err
		}
		if *d.to, err = days(string(d.n), v); err != nil {
			return 0, 0, err
		}
	}
	if hi > 0 && lo > hi {
		return 0, 0, fmt.Errorf("the most dwell of %s comes to %d days, under its least, %d", s.Name, hi, lo)
	}
	return lo, hi, nil
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}
