package query

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"dwell/model"
	"dwell/model/rule"
)

// Parse reads an address. It is strict: an unknown analysis, key or value, a key
// given twice that may be given once, and a combination that makes no sense are
// errors that say what is allowed, and the nearest right name. The empty address
// is the overview.
func Parse(address string) (Query, error) {
	q := Query{AsOf: model.NoDay}
	rest := strings.TrimSpace(address)
	head, params, _ := strings.Cut(rest, "?")
	if strings.HasSuffix(rest, "?") {
		return q, fmt.Errorf("the address %q ends after %q: write key=value after it, or leave it out", address, "?")
	}
	if i := strings.IndexByte(head, '&'); i >= 0 && params == "" {
		head, params = head[:i], head[i+1:] // the first key may follow "&" as well
	}
	head, day, hasDay := strings.Cut(head, "@")
	name, id, hasID := strings.Cut(head, "/")
	if name == "" {
		return q, fmt.Errorf("the address %q names no analysis: use one of %s", address, strings.Join(names(), ", "))
	}
	a, err := find(name)
	if err != nil {
		return q, err
	}
	q.Analysis = a.Name
	if hasID {
		if q.ID, err = unescape(id); err != nil {
			return q, err
		}
		if q.ID == "" {
			return q, fmt.Errorf("nothing follows %q in %q: write an id after it, or leave it out", "/", address)
		}
	}
	if hasDay {
		if day, err = unescape(day); err != nil {
			return q, err
		}
		if q.AsOf, err = model.ParseDay(day); err != nil {
			return q, fmt.Errorf("after @ stands the as-of day (an @ in an id is written %%40): %w", err)
		}
	}
	for _, part := range strings.Split(strings.ReplaceAll(params, "?", "&"), "&") {
		if params == "" {
			break
		}
		k, v, ok := strings.Cut(part, "=")
		if part == "" {
			return q, fmt.Errorf("two signs %q follow each other in %q: part keys by one", "&", address)
		}
		if !ok {
			return q, fmt.Errorf("%q has no value: write %s=VALUE", part, part)
		}
		if k, err = unescape(k); err != nil {
			return q, err
		}
		if v, err = unescape(v); err != nil {
			return q, err
		}
		q.Params = append(q.Params, Param{k, v})
	}
	sort.SliceStable(q.Params, func(i, j int) bool { return q.Params[i].Key < q.Params[j].Key })
	return q.Check()
}

// Check is what Parse does after reading: it returns the query in canonical form
// (defaults left out, keys sorted), or an error with its reason. Queries made in
// code go through it before they are answered.
func (q Query) Check() (Query, error) {
	a, err := find(q.Analysis)
	if err != nil {
		return q, err
	}
	switch {
	case a.ID == NeedsID && q.ID == "":
		return q, fmt.Errorf("%s needs the %s: %s/…", a.Name, a.IDIs, a.Name)
	case a.ID == NoID && q.ID != "":
		return q, fmt.Errorf("%s takes no id after %q: leave %q out", a.Name, "/", "/"+q.ID)
	}
	if a.given != nil {
		if err := a.given(q); err != nil {
			return q, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	var kept []Param
	seen := map[string]bool{}
	for _, p := range q.Params {
		ks := a.Key(p.Key)
		if ks == nil {
			return q, unknownKey(&a.Spec, p.Key)
		}
		if seen[p.Key] && !ks.Repeat {
			return q, fmt.Errorf("%s= may be given once in %s", p.Key, a.Name)
		}
		seen[p.Key] = true
		v, err := ks.check(p.Value)
		if err != nil {
			return q, fmt.Errorf("%s=: %w", p.Key, err)
		}
		// The default is left out, unless it is one of several values.
		if (v != ks.Default || len(q.All(p.Key)) > 1) && (ks.Again || !slices.Contains(kept, Param{p.Key, v})) {
			kept = append(kept, Param{p.Key, v})
		}
	}
	kept = slices.DeleteFunc(kept, func(p Param) bool {
		return p.Value == a.Key(p.Key).Default && countKey(kept, p.Key) == 1
	})
	sort.SliceStable(kept, func(i, j int) bool { return kept[i].Key < kept[j].Key })
	q.Params = kept
	if len(q.All("where")) > 1 && len(q.All("segment")) > 1 {
		return q, fmt.Errorf("several where= and several segment= cannot be compared together: give one of the two once")
	}
	if n := max(len(q.All("where")), len(q.All("segment"))); n > maxGroups {
		return q, fmt.Errorf("%d groups are too many to compare: at most %d", n, maxGroups)
	}
	if a.Key("of") != nil {
		if err := checkAmong(q); err != nil {
			return q, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	if a.Key("judge") != nil {
		judged, landmark := len(q.All("where"))+len(q.All("segment")) > 0, q.Get("judge") == "landmark"
		switch {
		case landmark && !judged:
			return q, fmt.Errorf("judge= says when where= and segment= are judged: give one of them")
		case landmark && q.Get("landmark") == "":
			return q, fmt.Errorf("judge=landmark needs the day: landmark=YYYY-MM-DD")
		case !landmark && q.Get("landmark") != "":
			return q, fmt.Errorf("landmark= is the day of judge=landmark: give both, or neither")
		}
	}
	if a.check != nil {
		if err := a.check(q); err != nil {
			return q, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return q, nil
}

// maxGroups is how many groups are compared at most: more cannot be told apart
// on a screen.
const maxGroups = 12

func countKey(ps []Param, key string) (n int) {
	for _, p := range ps {
		if p.Key == key {
			n++
		}
	}
	return n
}

// String is the canonical address. It is the inverse of Parse for queries that
// Check has let through.
func (q Query) String() string {
	var b strings.Builder
	b.WriteString(q.Analysis)
	if q.ID != "" {
		b.WriteByte('/')
		b.WriteString(escape(q.ID))
	}
	if q.AsOf != model.NoDay {
		b.WriteByte('@')
		b.WriteString(q.AsOf.String())
	}
	a, err := find(q.Analysis)
	sep := byte('?')
	for _, p := range sortedParams(q.Params) {
		if err == nil {
			if ks := a.Key(p.Key); ks != nil && ks.Default == p.Value && countKey(q.Params, p.Key) == 1 {
				continue
			}
		}
		b.WriteByte(sep)
		b.WriteString(escape(p.Key))
		b.WriteByte('=')
		b.WriteString(escape(p.Value))
		sep = '&'
	}
	return b.String()
}

func sortedParams(ps []Param) []Param {
	if sort.SliceIsSorted(ps, func(i, j int) bool { return ps[i].Key < ps[j].Key }) {
		return ps
	}
	ps = slices.Clone(ps)
	sort.SliceStable(ps, func(i, j int) bool { return ps[i].Key < ps[j].Key })
	return ps
}

// Value is the value of a key with its default filled in; "" where there is
// neither.
func (q Query) Value(key string) string {
	a, err := find(q.Analysis)
	if err != nil {
		return q.Get(key)
	}
	return q.value(&a.Spec, key)
}

func (q Query) value(s *Spec, key string) string {
	for _, p := range q.Params {
		if p.Key == key {
			return p.Value
		}
	}
	if ks := s.Key(key); ks != nil {
		return ks.Default
	}
	return ""
}

func (q Query) values(s *Spec, key string) (out []string) {
	vs := q.All(key)
	ks := s.Key(key)
	if len(vs) == 0 && ks != nil && ks.Default != "" {
		vs = []string{ks.Default}
	}
	for _, v := range vs {
		if ks != nil && ks.Type == Names {
			out = append(out, strings.Split(v, ",")...)
		} else {
			out = append(out, v)
		}
	}
	return out
}

// check validates one value and gives its canonical spelling.
func (ks *KeySpec) check(v string) (string, error) {
	if v == "" && ks.Default != "" {
		return v, fmt.Errorf("there is no value: leave the key out for its default, %s", ks.Default)
	}
	switch ks.Type {
	case Word:
		if slices.Contains(ks.Values, v) {
			return v, nil
		}
		return v, fmt.Errorf("%q is not one of %s%s", v, strings.Join(ks.Values, ", "), didYouMean(v, ks.Values))
	case Int:
		n, err := strconv.Atoi(v)
		if err != nil || n < ks.Min || n > 1_000_000_000 {
			return v, fmt.Errorf("%q is not a whole number from %d up", v, ks.Min)
		}
		return strconv.Itoa(n), nil
	case Float:
		x, err := strconv.ParseFloat(v, 64)
		if err != nil || x-x != 0 {
			return v, fmt.Errorf("%q is not a number", v)
		}
		return strconv.FormatFloat(x, 'g', -1, 64), nil
	case DayType:
		d, err := model.ParseDay(v)
		if err != nil {
			return v, err
		}
		return d.String(), nil
	case Names:
		for n := range strings.SplitSeq(v, ",") {
			if n == "" {
				return v, fmt.Errorf("%q has an empty name in it: part names by one comma", v)
			}
		}
	case Address:
		q, err := Parse(v)
		if err != nil {
			return v, err
		}
		return q.String(), nil
	}
	if v == "" {
		return v, fmt.Errorf("there is no value: write one, or leave the key out")
	}
	return v, nil
}

// table is analyses() by name and in their order. It never changes and is made
// once, for every address that is read or written looks into it, and so does every
// frame that is drawn: a screen of rows makes hundreds of addresses. It has no
// initial value, because the analyses themselves ask for it.
var table struct {
	once   sync.Once
	byName map[string]analysis
	specs  []Spec
}

func makeTable() {
	table.byName = map[string]analysis{}
	for _, a := range analyses() {
		table.byName[a.Name] = a
		table.specs = append(table.specs, a.Spec)
	}
}

// find is the analysis of a name.
func find(name string) (analysis, error) {
	table.once.Do(makeTable)
	if a, ok := table.byName[name]; ok {
		return a, nil
	}
	ns := names()
	return analysis{}, fmt.Errorf("there is no analysis %q%s: use one of %s", name, didYouMean(name, ns), strings.Join(ns, ", "))
}

func names() (out []string) {
	for _, s := range Specs() {
		out = append(out, s.Name)
	}
	return out
}

func unknownKey(s *Spec, key string) error {
	var ns []string
	for _, k := range s.Keys {
		ns = append(ns, k.Name)
	}
	if len(ns) == 0 {
		return fmt.Errorf("%s has no key %q: it takes none", s.Name, key)
	}
	return fmt.Errorf("%s has no key %q%s: it takes %s", s.Name, key, didYouMean(key, ns), strings.Join(ns, ", "))
}

// escape percent-encodes every byte but A–Z a–z 0–9 - . _ ~ , :
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~,:", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// unescape reads what escape writes, and bytes left as they are by a person at a
// keyboard, but not a "%" without two digits.
func unescape(s string) (string, error) {
	out, err := url.PathUnescape(s)
	if err != nil {
		return "", fmt.Errorf("%q: a %% must be followed by two hexadecimal digits; write %%25 for the sign itself", s)
	}
	return out, nil
}

// didYouMean is " (did you mean X?)" for the nearest of the names, or "".
func didYouMean(name string, among []string) string {
	if n := rule.Nearest(name, among); n != "" {
		return fmt.Sprintf(" (did you mean %s?)", n)
	}
	return ""
}
