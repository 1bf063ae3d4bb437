package tui

import (
	"net/url"
	"strings"

	"dwell/model"
	"dwell/model/query"
)

// shelved are the names that a key may be given from the shelf: saved models,
// segments. A shelf that cannot be read offers none: a name can still be typed,
// and the answer says what is wrong.
func shelved(s *session, k query.KeySpec) []string {
	if k.Shelf == "" || s.desk.Engine == nil {
		return nil
	}
	names, err := s.desk.Engine.Named(k.Shelf)
	if err != nil {
		return nil
	}
	return names
}

// shelvedNames are those of every key of a question that has any.
func shelvedNames(s *session, sp query.Spec) map[string][]string {
	out := map[string][]string{}
	for _, k := range sp.Keys {
		if names := shelved(s, k); len(names) > 0 {
			out[k.Name] = names
		}
	}
	return out
}

// shelvedSuggestions complete a value that is a name on the shelf, as an address
// writes it. head is the line up to the key.
func shelvedSuggestions(s *session, head string, k query.KeySpec, value string) (out []suggestion) {
	typed, err := url.PathUnescape(value)
	if err != nil {
		return nil
	}
	for _, name := range shelved(s, k) {
		if strings.HasPrefix(name, typed) {
			_, written, _ := strings.Cut(query.Query{Analysis: "x", AsOf: model.NoDay}.With(k.Name, name).String(), "=")
			out = append(out, suggestion{text: head + k.Name + "=" + written, help: "on the shelf"})
		}
	}
	return out
}
