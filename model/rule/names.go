package rule

import (
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/measure"
)

// A Name is a word that a rule may hold, for completion and help.
type Name struct {
	Name string // as it is written: a bare name, prop("odd name"), count(…)
	Kind string // measure, number, property, segment, stage, function
	Type string
	Args string // of a measure with arguments
	Help string
}

// Names lists what a rule may say over this data, measures first, each kind by
// name.
func Names(env Env) []Name {
	var out []Name
	for _, f := range measure.Families() {
		if f.Kind == measure.Population && !env.Population || f.Name == "prop" || f.Name == "first" {
			continue
		}
		help := f.Definition
		if why := env.Schema.Unavailable(f); why != "" {
			help += " Not here: " + why + "."
		}
		out = append(out, Name{Name: f.Name, Kind: "measure", Type: f.Type.String(), Args: f.Args, Help: help})
	}
	for _, k := range sorted(env.Schema.Params) {
		out = append(out, Name{Name: k, Kind: "number", Type: "number", Help: "A number of the stage model."})
	}
	for i := range env.Schema.Info.Keys {
		k := &env.Schema.Info.Keys[i]
		n := Name{Name: spell(k.Name, env), Kind: "property", Type: "text", Help: "The last non-empty value up to the day."}
		if numeric(k, env.Schema.Info) == "" {
			n.Type = "number"
		}
		out = append(out, n)
	}
	for _, s := range env.SegmentNames {
		n := s
		if !identifier(s) || taken(s, env) || env.Schema.Info.Key(s) != nil {
			n = "in_segment(" + quote(s) + ")"
		}
		out = append(out, Name{Name: n, Kind: "segment", Type: "yes/no", Help: "Users of a saved segment."})
	}
	for _, s := range env.Schema.Stages {
		out = append(out, Name{Name: quote(s), Kind: "stage", Type: "text", Help: "A stage, as in stage == " + quote(s) + "."})
	}
	for _, f := range functions {
		out = append(out, Name{Name: f.name, Kind: "function", Type: "number", Args: f.args, Help: f.help})
	}
	return append(out,
		Name{Name: "known", Kind: "function", Type: "yes/no", Args: "x", Help: "There is a value."},
		Name{Name: "first", Kind: "function", Type: "text", Args: "property", Help: "The property's earliest value."},
		Name{Name: "prop", Kind: "function", Type: "text", Args: `"property"`, Help: "The property of that name, whatever the name."},
		Name{Name: "in_segment", Kind: "function", Type: "yes/no", Args: `"name"`, Help: "Users of a saved segment."})
}

// spell is how a property is written in a rule.
func spell(key string, env Env) string {
	if identifier(key) && !taken(key, env) {
		return key
	}
	return "prop(" + quote(key) + ")"
}

// Spell is how a property is written in a rule over this data: bare, or
// prop("name") where a measure or a number of the model has its name.
func Spell(key string, schema *measure.Schema) string { return spell(key, Env{Schema: schema}) }

// Equals is the rule that a property has a value, written so that it compiles
// whatever the name.
func Equals(key, value string, schema *measure.Schema) string {
	if value == "" {
		return "not known(" + Spell(key, schema) + ")"
	}
	return Spell(key, schema) + " == " + quote(value)
}

// taken says whether a measure, a number of the model or a word of the language
// has a name.
func taken(name string, env Env) bool {
	if _, _, ok := measure.Lookup(name); ok {
		return true
	}
	_, ok := env.Schema.Params[name]
	return ok || slices.Contains(reserved, name)
}

var reserved = []string{"true", "false", "nil", "not", "and", "or", "in", "if", "else", "let", "contains", "startsWith", "endsWith", "matches"}

// identifier says whether a name may stand bare.
func identifier(s string) bool {
	for i, r := range s {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9' {
			continue
		}
		return false
	}
	return s != ""
}

// quote writes a text as expr reads it.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// numeric says why a property's values are not all numbers; "" if they are.
func numeric(k *model.KeyInfo, in *model.Info) string {
	if !k.Plain {
		if len(k.Values) < 2 {
			return "it has no value yet"
		}
		for _, v := range k.Values[1:] {
			if _, ok := measure.ParseNumber(v); !ok {
				return "it holds texts such as " + quote(v)
			}
		}
		return ""
	}
	var numbers, others int64
	for _, l := range in.Loads {
		for _, t := range l.Quality.Types {
			if t.Key == k.Name {
				numbers += t.Number
				others += t.Text + t.Bool + t.Time + t.Compound
			}
		}
	}
	if numbers == 0 || others > 0 {
		return "not all of its values are numbers"
	}
	return ""
}

// truthy says whether all values of a property are true or false.
func truthy(k *model.KeyInfo) bool {
	if k.Plain || len(k.Values) < 2 {
		return false
	}
	for _, v := range k.Values[1:] {
		if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
			return false
		}
	}
	return true
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Nearest is the candidate most like a wrong name, or "" if none is close: at
// most a third of its letters changed, or one the beginning of the other.
func Nearest(name string, candidates []string) string {
	// In half letters, so that a beginning stands behind one changed letter:
	// beats_activ_4 is beats_active_4 rather than beat.
	best, score := "", 2*(len([]rune(name))/3+1)
	low := strings.ToLower(name)
	for _, c := range candidates {
		lc := strings.ToLower(c)
		d := 2 * distance([]rune(low), []rune(lc))
		if d > 3 && len(low) >= 3 && (strings.HasPrefix(lc, low) || len(lc) >= 3 && strings.HasPrefix(low, lc)) {
			d = 3
		}
		if d < score {
			best, score = c, d
		}
	}
	return best
}

// distance is the number of letters to add, drop, change or swap with a
// neighbour (optimal string alignment).
func distance(a, b []rune) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev2, prev, cur := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}
