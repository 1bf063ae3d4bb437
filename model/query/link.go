package query

import (
	"cmp"
	"slices"

	"dwell/model"
)

// link is the address of another question asked of the same data in the same
// way: as of the same day and in the same zone, where those were asked for.
func (r *Run) link(q Query) string {
	q.AsOf = r.Q.AsOf
	if z := r.Q.Get("zone"); z != "" {
		if a, err := find(q.Analysis); err == nil && a.Key("zone") != nil {
			q = q.With("zone", z)
		}
	}
	return q.String()
}

// question is a query with keys in pairs: question("rows", "event", name).
func question(analysis string, keys ...string) Query {
	q := Query{Analysis: analysis, AsOf: model.NoDay}
	for i := 0; i+1 < len(keys); i += 2 {
		q = q.With(keys[i], keys[i+1])
	}
	return q
}

// sortBy sorts things by two keys each, number before text.
func sortBy[T any](s []T, by func(T) (int64, string)) {
	slices.SortStableFunc(s, func(a, b T) int {
		na, ta := by(a)
		nb, tb := by(b)
		return cmp.Or(cmp.Compare(na, nb), cmp.Compare(ta, tb))
	})
}
