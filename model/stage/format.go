package stage

import (
	"fmt"
	"strconv"
	"strings"
)

// Format writes the model as the TOML that Parse reads. Equal models give equal
// bytes.
func (m *Model) Format() []byte {
	var b strings.Builder
	text := func(key, v string) {
		if v != "" {
			fmt.Fprintf(&b, "%s = %s\n", key, quote(v))
		}
	}
	text("name", m.Name)
	text("title", m.Title)
	if len(m.Params) > 0 {
		b.WriteString("\n[params]\n")
	}
	for _, p := range m.Params {
		switch {
		case !p.Frozen:
			text(p.Name, p.Suggest)
		case p.Suggest == "":
			fmt.Fprintf(&b, "%s = %s\n", p.Name, decimal(p.Value))
		default:
			fmt.Fprintf(&b, "%s = { value = %s, suggest = %s }\n", p.Name, decimal(p.Value), quote(p.Suggest))
		}
	}
	for _, s := range m.Stages {
		b.WriteString("\n[[stage]]\n")
		text("name", s.Name)
		text("title", s.Title)
		text("short", s.Short)
		text("colour", s.Colour)
		for _, d := range []struct {
			key string
			n   Number
		}{{"min_dwell", s.MinDwell}, {"max_dwell", s.MaxDwell}} {
			if _, err := strconv.Atoi(string(d.n)); err == nil {
				fmt.Fprintf(&b, "%s = %s\n", d.key, d.n)
			} else {
				text(d.key, string(d.n))
			}
		}
		text("returns_to", s.ReturnsTo)
		for _, e := range s.Enter {
			if e.implied {
				continue
			}
			b.WriteString("[[stage.enter]]\n")
			text("kind", string(e.Kind))
			if e.Priority != 0 {
				fmt.Fprintf(&b, "priority = %d\n", e.Priority)
			}
			if len(e.From) > 0 {
				q := make([]string, len(e.From))
				for i, f := range e.From {
					q[i] = quote(f)
				}
				fmt.Fprintf(&b, "from = [%s]\n", strings.Join(q, ", "))
			}
			text("when", e.When)
		}
	}
	for _, v := range m.Variants {
		b.WriteString("\n[[variant]]\n")
		text("name", v.Name)
		text("when", v.When)
		b.WriteString("[variant.params]\n")
		for _, o := range v.Params {
			switch {
			case o.Number != "":
				text(o.Name, o.Number)
			case o.Suggest != "":
				fmt.Fprintf(&b, "%s = { value = %s, suggest = %s }\n", o.Name, decimal(o.Value), quote(o.Suggest))
			default:
				fmt.Fprintf(&b, "%s = %s\n", o.Name, decimal(o.Value))
			}
		}
	}
	if len(m.Marks) > 0 {
		b.WriteString("\n[marks]\n")
	}
	for _, k := range m.Marks {
		text(k.Name, k.When)
	}
	return []byte(b.String())
}

// decimal writes a number as TOML: whole ones without a point.
func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// quote writes a basic TOML string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
