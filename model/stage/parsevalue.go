package stage

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// A field is where a setting goes: a text, a number of days, a list, or a whole
// number.
type field struct {
	name  string
	text  *string
	days  *Number
	list  *[]string
	whole *int
}

// set stores one value into the field of its name.
func set(name string, at place, v *unstable.Node, fields []field) (err error) {
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	if i < 0 {
		var names []string
		for _, f := range fields {
			names = append(names, f.name)
		}
		return at.err("there is no setting %q here%s", name, nearest(name, names))
	}
	switch f := fields[i]; {
	case f.text != nil:
		*f.text, err = text(name, at, v)
	case f.days != nil:
		*f.days, err = numberOf(name, at, v)
	case f.whole != nil:
		x, bad := strconv.Atoi(string(v.Data))
		if v.Kind != unstable.Integer || bad != nil || x < -maxPriority || x > maxPriority {
			return at.err("%s is a whole number from %d to %d", name, -maxPriority, maxPriority)
		}
		*f.whole = x
	default:
		if v.Kind != unstable.Array {
			return at.err(`%s is a list: %s = ["…"]`, name, name)
		}
		for it := v.Children(); it.Next() && err == nil; {
			if it.Node().Kind == unstable.Comment {
				continue
			}
			var s string
			s, err = text(name, at, it.Node())
			*f.list = append(*f.list, s)
		}
	}
	return err
}

// numberOf reads days given outright, or an expression.
func numberOf(name string, at place, v *unstable.Node) (Number, error) {
	if v.Kind == unstable.Integer {
		return Number(strings.ReplaceAll(string(v.Data), "_", "")), nil
	}
	s, err := text(name, at, v)
	if err != nil || s == "" {
		return "", at.err("%s is a number of days or an expression in quotes", name)
	}
	return Number(s), nil
}

func text(name string, at place, v *unstable.Node) (string, error) {
	if v.Kind != unstable.String {
		return "", at.err("%s is a text in quotes", name)
	}
	return string(v.Data), nil
}

func number(name string, at place, v *unstable.Node) (float64, error) {
	if v.Kind != unstable.Integer && v.Kind != unstable.Float {
		return 0, at.err("%s is a number", name)
	}
	x, err := strconv.ParseFloat(strings.ReplaceAll(string(v.Data), "_", ""), 64)
	if err != nil || x-x != 0 {
		return 0, at.err("%s is not a number that can be used here", string(v.Data))
	}
	return x, nil
}

func (r *reader) param(name string, at place, v *unstable.Node) (err error) {
	p := Param{Name: name}
	switch v.Kind {
	case unstable.String:
		p.Suggest = string(v.Data)
		if p.Suggest == "" {
			return at.err("%s is empty: give a number, or an expression that suggests one", name)
		}
	case unstable.InlineTable:
		if p, err = r.both(name, at, v); err != nil {
			return err
		}
		if !p.Frozen && p.Suggest == "" {
			return at.err("%s needs a value or a suggest", name)
		}
	default:
		p.Frozen = true
		if p.Value, err = number(name, at, v); err != nil {
			return at.err("%s is a number, or in quotes an expression that suggests one", name)
		}
	}
	r.m.Params = append(r.m.Params, p)
	return nil
}

// maxPriority bounds a priority: more than any model has entries.
const maxPriority = 1000

// override reads one number of a variant.
func (r *reader) override(name string, at place, v *unstable.Node) (err error) {
	o := Override{Name: name}
	switch v.Kind {
	case unstable.String:
		if o.Number = string(v.Data); o.Number == "" {
			return at.err("%s is empty: give a number, or an expression over the model's numbers", name)
		}
	case unstable.InlineTable:
		p, err := r.both(name, at, v)
		if err != nil {
			return err
		}
		if !p.Frozen {
			return at.err("%s needs a value", name)
		}
		o.Value, o.Suggest = p.Value, p.Suggest
	default:
		if o.Value, err = number(name, at, v); err != nil {
			return at.err("%s is a number, or in quotes an expression over the model's numbers", name)
		}
	}
	x := &r.m.Variants[len(r.m.Variants)-1]
	x.Params = append(x.Params, o)
	return nil
}

// both reads { value = …, suggest = "…" }.
func (r *reader) both(name string, at place, v *unstable.Node) (p Param, err error) {
	p.Name = name
	for it := v.Children(); it.Next(); {
		k, at := r.key(it.Node().Key())
		switch k {
		case "value":
			p.Value, err = number(k, at, it.Node().Value())
			p.Frozen = true
		case "suggest":
			p.Suggest, err = text(k, at, it.Node().Value())
		default:
			err = at.err("there is no setting %q here%s", k, nearest(k, []string{"suggest", "value"}))
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}
