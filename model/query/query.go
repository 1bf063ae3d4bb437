package query

import "dwell/model"

// A Query is one question. Its one text form is its address:
//
//	analysis ["/" id] ["@" day] {("?" | "&") key "=" value}
//
// Parse and String are inverse to each other; String leaves defaults out and
// sorts keys.
type Query struct {
	Analysis string
	ID       string    // of a user, an event, a property …; "" for most analyses
	AsOf     model.Day // NoDay: the end of the last local day that holds data
	Params   []Param   // sorted by key; values of one key keep their order
}

// A Param is one key=value of an address.
type Param struct{ Key, Value string }

// Get is the first value of a key, or "".
func (q Query) Get(key string) string {
	for _, p := range q.Params {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// All are the values of a key in order.
func (q Query) All(key string) (out []string) {
	for _, p := range q.Params {
		if p.Key == key {
			out = append(out, p.Value)
		}
	}
	return out
}

// With returns the query with one key set to the given values (none removes it).
func (q Query) With(key string, values ...string) Query {
	var ps []Param
	done := false
	add := func() {
		for _, v := range values {
			ps = append(ps, Param{key, v})
		}
		done = true
	}
	for _, p := range q.Params {
		if !done && p.Key >= key {
			add()
		}
		if p.Key != key {
			ps = append(ps, p)
		}
	}
	if !done {
		add()
	}
	q.Params = ps
	return q
}
