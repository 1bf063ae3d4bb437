package stage

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"

	"dwell/model/rule"
)

// ErrBadModel wraps every error about a model file.
var ErrBadModel = errors.New("the stage model cannot be used")

// A place is where something stands in a model file. Of a text written between
// two quotes, without escapes, plain says that its letters stand there one by one.
type place struct {
	line, col int
	plain     bool
}

func (p place) err(format string, args ...any) error {
	if p.line == 0 {
		return fmt.Errorf("%w: %w", ErrBadModel, fmt.Errorf(format, args...))
	}
	return fmt.Errorf("%w: line %d, column %d: %w", ErrBadModel, p.line, p.col, fmt.Errorf(format, args...))
}

// ruleErr is err about the rule that stands there, at the place in the file that
// the rule's own error means, where the two can be brought together.
func (p place) ruleErr(what string, err error) error {
	var re *rule.Error
	if errors.As(err, &re) && p.plain && re.Line == 1 {
		p.col += re.Column // the quote is one letter, and columns are from 1
		return p.err("%s: %s", what, re.Message)
	}
	return p.err("%s: %w", what, err)
}

// places remembers where the parts of a model stand, by path such as
// "stage.2.enter.0.when".
type places map[string]place

// at is where a path stands, or the nearest part around it.
//
// The place 0, 0 is of a model that was not parsed.
func (ps places) at(path string) place {
	for ps != nil {
		if p, ok := ps[path]; ok {
			return p
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return place{line: 1, col: 1}
		}
		path = path[:i]
	}
	return place{}
}

// Parse reads and validates a model. Errors name line, column and the nearest
// right name; what only the data can tell (an unknown event or property in a
// rule) is left to Compile.
func Parse(body []byte) (*Model, error) {
	m, ps, err := read(body)
	if err != nil {
		return nil, err
	}
	if err := m.validate(ps); err != nil {
		return nil, err
	}
	m.ps = ps
	m.imply()
	return m, nil
}

// read walks the file's own syntax tree: unlike a decoder into structs it keeps
// the order of parameters and marks and the place of every value.
func read(body []byte) (*Model, places, error) {
	if len(body) > MaxBytes {
		return nil, nil, fmt.Errorf("%w: it has more than the %d bytes that a model may have", ErrBadModel, MaxBytes)
	}
	if !utf8.Valid(body) {
		return nil, nil, fmt.Errorf("%w: it is not UTF-8 text", ErrBadModel)
	}
	r := &reader{m: &Model{}, ps: places{}}
	r.p.Reset(body)
	for r.p.NextExpression() {
		if err := r.expression(r.p.Expression()); err != nil {
			return nil, nil, err
		}
	}
	if err := r.p.Error(); err != nil {
		at := place{line: 1, col: 1}
		var pe *unstable.ParserError
		if errors.As(err, &pe) && len(pe.Highlight) > 0 {
			at = r.where(r.p.Range(pe.Highlight))
		}
		return nil, nil, at.err("%v", err)
	}
	if len(r.ps) == 0 {
		return nil, nil, fmt.Errorf("%w: line 1, column 1: the file is empty: a model has a name and %d to %d stages (dwell model show growth5 prints one)", ErrBadModel, MinStages, MaxStages)
	}
	return r.m, r.ps, nil
}

type reader struct {
	p     unstable.Parser
	m     *Model
	ps    places
	table string // "", or one of tables
}

func (r *reader) where(g unstable.Range) place {
	s := r.p.Shape(g).Start
	return place{line: s.Line, col: s.Column}
}

// key joins a dotted key and says where it stands.
func (r *reader) key(it unstable.Iterator) (path string, at place) {
	var parts []string
	for it.Next() {
		if parts == nil {
			at = r.where(it.Node().Raw)
		}
		parts = append(parts, string(it.Node().Data))
	}
	return strings.Join(parts, "."), at
}

// tables are the tables of a model file; true: [[…]].
var tables = map[string]bool{"params": false, "marks": false, "stage": true, "stage.enter": true, "variant": true, "variant.params": false}

func (r *reader) expression(n *unstable.Node) error {
	switch n.Kind {
	case unstable.Comment:
		return nil
	case unstable.Table, unstable.ArrayTable:
		name, at := r.key(n.Key())
		list, known := tables[name]
		switch {
		case !known:
			return at.err("there is no table [%s]%s", name, nearest(name, slices.Sorted(maps.Keys(tables))))
		case list != (n.Kind == unstable.ArrayTable):
			want := "[" + name + "]"
			if list {
				want = "[[" + name + "]]"
			}
			return at.err("write it %s", want)
		case name == "stage":
			r.m.Stages = append(r.m.Stages, Stage{})
			r.ps[fmt.Sprintf("stage.%d", len(r.m.Stages)-1)] = at
		case name == "stage.enter":
			if len(r.m.Stages) == 0 {
				return at.err("[[stage.enter]] comes after the [[stage]] that it enters")
			}
			s := &r.m.Stages[len(r.m.Stages)-1]
			s.Enter = append(s.Enter, Entry{})
			r.ps[fmt.Sprintf("stage.%d.enter.%d", len(r.m.Stages)-1, len(s.Enter)-1)] = at
		case name == "variant":
			r.m.Variants = append(r.m.Variants, Variant{})
			r.ps[fmt.Sprintf("variant.%d", len(r.m.Variants)-1)] = at
		case name == "variant.params" && len(r.m.Variants) == 0:
			return at.err("[variant.params] comes after the [[variant]] that it belongs to")
		case name == "variant.params":
			r.ps[fmt.Sprintf("variant.%d.params", len(r.m.Variants)-1)] = at
		default:
			if _, twice := r.ps[name]; twice {
				return at.err("[%s] stands twice", name)
			}
			r.ps[name] = at
		}
		r.table = name
		return nil
	}
	name, at := r.key(n.Key())
	return r.value(name, at, n.Value())
}

// prefix is the path of the table in hand.
func (r *reader) prefix() string {
	s, v := len(r.m.Stages)-1, len(r.m.Variants)-1
	switch r.table {
	case "variant":
		return fmt.Sprintf("variant.%d.", v)
	case "variant.params":
		return fmt.Sprintf("variant.%d.params.", v)
	case "stage":
		return fmt.Sprintf("stage.%d.", s)
	case "stage.enter":
		return fmt.Sprintf("stage.%d.enter.%d.", s, len(r.m.Stages[s].Enter)-1)
	case "":
		return ""
	}
	return r.table + "."
}

func (r *reader) value(name string, at place, v *unstable.Node) error {
	path := r.prefix() + name
	if _, twice := r.ps[path]; twice {
		return at.err("%q is given twice", name)
	}
	r.ps[path] = at
	if v.Raw.Length > 0 {
		at := r.where(v.Raw)
		if raw := string(r.p.Raw(v.Raw)); v.Kind == unstable.String && len(raw) == len(v.Data)+2 && raw[1:len(raw)-1] == string(v.Data) {
			at.plain = utf8.RuneCount(v.Data) == len(v.Data)
		}
		r.ps[path] = at
	}
	if v.Kind == unstable.Array {
		i := 0
		for it := v.Children(); it.Next(); {
			if n := it.Node(); n.Kind != unstable.Comment {
				if n.Raw.Length > 0 {
					r.ps[fmt.Sprintf("%s.%d", path, i)] = r.where(n.Raw)
				}
				i++
			}
		}
	}
	switch r.table {
	case "params":
		return r.param(name, at, v)
	case "marks":
		when, err := text(name, at, v)
		r.m.Marks = append(r.m.Marks, Mark{name, when})
		return err
	case "stage":
		s := &r.m.Stages[len(r.m.Stages)-1]
		return set(name, at, v, []field{{name: "name", text: &s.Name}, {name: "title", text: &s.Title}, {name: "short", text: &s.Short}, {name: "colour", text: &s.Colour},
			{name: "min_dwell", days: &s.MinDwell}, {name: "max_dwell", days: &s.MaxDwell}, {name: "returns_to", text: &s.ReturnsTo}})
	case "stage.enter":
		s := &r.m.Stages[len(r.m.Stages)-1]
		e := &s.Enter[len(s.Enter)-1]
		return set(name, at, v, []field{{name: "kind", text: (*string)(&e.Kind)}, {name: "from", list: &e.From}, {name: "when", text: &e.When}, {name: "priority", whole: &e.Priority}})
	case "variant":
		x := &r.m.Variants[len(r.m.Variants)-1]
		return set(name, at, v, []field{{name: "name", text: &x.Name}, {name: "when", text: &x.When}})
	case "variant.params":
		return r.override(name, at, v)
	}
	return set(name, at, v, []field{{name: "name", text: &r.m.Name}, {name: "title", text: &r.m.Title}})
}

// nearest is ": did you mean …?" with the name nearest to a wrong one, or "".
func nearest(wrong string, names []string) string {
	if n := rule.Nearest(wrong, names); n != "" {
		return ": did you mean " + n + "?"
	}
	return ""
}

var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
