package stage

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Setting is one line of a model, by a path that Edit takes:
//
//	G                        a number of the model
//	growth.min_dwell         of a stage: title, short, colour, min_dwell, max_dwell, returns_to
//	growth.promotion.when    of a way into a stage: when, from (parted by commas), priority
//	growth.promotion.2.when  of the second of that kind
//	mark.silent              a mark's rule
//	variant.pro.when         a variant's rule
//	variant.pro.G            a number of a variant
//	name, title              of the model
type Setting struct{ Path, Value string }

// Settings are the model's lines in the order of its file. Settings that are not
// given are left out.
func (m *Model) Settings() (out []Setting) {
	add := func(path, v string) {
		if v != "" {
			out = append(out, Setting{path, v})
		}
	}
	add("name", m.Name)
	add("title", m.Title)
	for _, p := range m.Params {
		if p.Frozen {
			add(p.Name, decimal(p.Value))
		} else {
			add(p.Name, p.Suggest)
		}
	}
	for i := range m.Stages {
		s := &m.Stages[i]
		for _, f := range s.fields() {
			add(s.Name+"."+f.name, *f.text)
		}
		for j, path := range s.entryPaths() {
			e := s.Enter[j]
			if e.implied {
				continue
			}
			switch e.Kind {
			case Start:
				add(path, "the first event")
			default:
				add(path+".from", strings.Join(e.From, ","))
				add(path+".when", e.When)
			}
			if e.Priority != 0 {
				add(path+".priority", strconv.Itoa(e.Priority))
			}
		}
	}
	for _, k := range m.Marks {
		add("mark."+k.Name, k.When)
	}
	for _, v := range m.Variants {
		add("variant."+v.Name+".when", v.When)
		for _, o := range v.Params {
			if o.Number != "" {
				add("variant."+v.Name+"."+o.Name, o.Number)
			} else {
				add("variant."+v.Name+"."+o.Name, decimal(o.Value))
			}
		}
	}
	return out
}

// fields are a stage's settings as texts.
func (s *Stage) fields() []field {
	return []field{{name: "title", text: &s.Title}, {name: "short", text: &s.Short}, {name: "colour", text: &s.Colour},
		{name: "min_dwell", text: (*string)(&s.MinDwell)}, {name: "max_dwell", text: (*string)(&s.MaxDwell)}, {name: "returns_to", text: &s.ReturnsTo}}
}

// entryPaths name the ways into a stage: growth.promotion, growth.promotion.2 ….
func (s *Stage) entryPaths() []string {
	var out []string
	for _, e := range s.Enter {
		path := s.Name + "." + string(e.Kind)
		for n := 2; slices.Contains(out, path); n++ {
			path = fmt.Sprintf("%s.%s.%d", s.Name, e.Kind, n)
		}
		out = append(out, path)
	}
	return out
}

// Edit is a copy of the model with one setting changed (see Setting for paths).
// An empty value takes a stage's setting or a mark away. A number may be given as
// an expression: it is then a suggestion that Freeze works out. The result has
// passed every check that a file passes; it fails with the nearest right path.
func (m *Model) Edit(path, value string) (*Model, error) {
	c, err := Parse(m.Format())
	if err != nil {
		return nil, err
	}
	value = strings.TrimSpace(value)
	if err := c.set(path, value); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBadModel, path, err)
	}
	if c, err = Parse(c.Format()); err != nil {
		return nil, fmt.Errorf("with %s = %s: %w", path, value, err)
	}
	return c, nil
}

func (m *Model) set(path, value string) error {
	switch path {
	case "name":
		m.Name = value
		return nil
	case "title":
		m.Title = value
		return nil
	}
	for i := range m.Params {
		if m.Params[i].Name == path {
			return m.Params[i].take(value)
		}
	}
	for i := range m.Stages {
		s := &m.Stages[i]
		for _, f := range s.fields() {
			if path == s.Name+"."+f.name {
				*f.text = value
				return nil
			}
		}
		for j, p := range s.entryPaths() {
			if set, ok := strings.CutPrefix(path, p+"."); ok && !s.Enter[j].implied {
				switch set {
				case "when":
					s.Enter[j].When = value
					return nil
				case "from":
					s.Enter[j].From = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
					return nil
				case "priority":
					n, err := strconv.Atoi(value)
					if err != nil {
						return fmt.Errorf("%q is not a whole number", value)
					}
					s.Enter[j].Priority = n
					return nil
				}
			}
		}
	}
	if name, ok := strings.CutPrefix(path, "mark."); ok {
		return m.setMark(name, value)
	}
	if rest, ok := strings.CutPrefix(path, "variant."); ok {
		name, what, _ := strings.Cut(rest, ".")
		for i := range m.Variants {
			if m.Variants[i].Name == name {
				return m.Variants[i].take(what, value)
			}
		}
	}
	var paths []string
	for _, s := range m.Settings() {
		paths = append(paths, s.Path)
	}
	for i := range m.Stages {
		for _, f := range m.Stages[i].fields() {
			paths = append(paths, m.Stages[i].Name+"."+f.name)
		}
	}
	return fmt.Errorf("the model has no such setting%s", nearest(path, paths))
}

// take sets a number, or the expression that suggests it.
func (p *Param) take(value string) error {
	if value == "" {
		return fmt.Errorf("give a number, or an expression that suggests one")
	}
	if x, err := strconv.ParseFloat(value, 64); err == nil && x-x == 0 {
		p.Value, p.Frozen = x, true
		return nil
	}
	p.Suggest, p.Frozen = value, false
	return nil
}

// setMark changes, adds or (with "") takes away a mark.
func (m *Model) setMark(name, when string) error {
	i := slices.IndexFunc(m.Marks, func(k Mark) bool { return k.Name == name })
	switch {
	case i < 0 && when == "":
		return fmt.Errorf("there is no mark %q", name)
	case i < 0:
		m.Marks = append(m.Marks, Mark{name, when})
	case when == "":
		m.Marks = slices.Delete(m.Marks, i, i+1)
	default:
		m.Marks[i].When = when
	}
	return nil
}

func (v *Variant) take(what, value string) error {
	if what == "when" {
		v.When = value
		return nil
	}
	o := Override{Name: what}
	i := slices.IndexFunc(v.Params, func(p Override) bool { return p.Name == what })
	if x, err := strconv.ParseFloat(value, 64); err == nil && x-x == 0 {
		o.Value = x
		if i >= 0 { // what suggests the number stays beside it
			if o.Suggest = v.Params[i].Suggest; v.Params[i].open() {
				o.Suggest = v.Params[i].Number
			}
		}
	} else {
		o.Number = value
	}
	switch {
	case i < 0:
		v.Params = append(v.Params, o)
	case value == "":
		v.Params = slices.Delete(v.Params, i, i+1)
	default:
		v.Params[i] = o
	}
	return nil
}

// A Change is one setting in which two models differ; "" where one lacks it.
type Change struct{ Path, Old, New string }

// Diff lists the settings in which b differs from a, in the order of a's file,
// then b's. Models without differences stage every user alike and look alike.
func Diff(a, b *Model) (out []Change) {
	old, new := a.Settings(), b.Settings()
	find := func(in []Setting, path string) string {
		for _, s := range in {
			if s.Path == path {
				return s.Value
			}
		}
		return ""
	}
	for _, s := range old {
		if v := find(new, s.Path); v != s.Value {
			out = append(out, Change{s.Path, s.Value, v})
		}
	}
	for _, s := range new {
		if find(old, s.Path) == "" {
			out = append(out, Change{s.Path, "", s.Value})
		}
	}
	if names := b.Names(); len(out) == 0 && !slices.Equal(a.Names(), names) {
		out = append(out, Change{"order", strings.Join(a.Names(), ","), strings.Join(names, ",")})
	}
	return out
}
