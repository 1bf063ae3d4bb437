package query

import (
	"encoding/json"
	"fmt"
	"strings"

	"dwell/model"
)

// programVersion counts changes to the meaning of answers: it is part of every
// cache key, so that no answer outlives the definitions it was made with.
const programVersion = "23"

// cacheKey names an answer by everything that it depends on: the resolved
// address (names replaced by the rules they stand for), the data version, the
// dictionary and the stage model, and the program's own definitions.
func (e *Engine) cacheKey(st *state, q Query) (string, error) {
	segs, err := e.segmentsHash(q)
	if err != nil {
		return "", err
	}
	notes, err := e.shelf.List(model.KindAnnotation)
	if err != nil {
		return "", fmt.Errorf("the annotations cannot be listed: %w", err)
	}
	for _, n := range notes {
		segs += "," + n.Name
	}
	other, err := e.restageHash(q)
	if err != nil {
		return "", err
	}
	playbook, err := e.playbookHash(q)
	if err != nil {
		return "", err
	}
	other += playbook
	if q.Analysis == "overview" { // says in how many loads the same events lie
		other += fmt.Sprintf(",%d loads", len(st.info.Loads))
	}
	var b strings.Builder
	b.WriteString(q.String())
	for _, part := range []string{st.info.Version.Hash, st.dictHash, st.data.ModelHash, segs, other, programVersion, e.opt.Version} {
		b.WriteByte('|')
		b.WriteString(part)
	}
	return "answer/" + q.Analysis + "/" + hashOf([]byte(b.String())), nil
}

// segmentsHash names the saved segments that an answer may depend on: rules name
// segments, and segments others.
func (e *Engine) segmentsHash(q Query) (string, error) {
	rules := q.Analysis == "segments" || q.Analysis == "users"
	for _, p := range q.Params {
		rules = rules || p.Key == "where" || p.Key == "segment" || p.Key == "of" || p.Key == "a" || p.Key == "b"
	}
	if !rules {
		return "", nil
	}
	segs, err := e.Segments()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, s := range segs {
		fmt.Fprintf(&b, "%q=%q;", s.Name, s.Rule)
	}
	return hashOf([]byte(b.String())), nil
}

// keptAnswers is how many answers stay in memory.
const keptAnswers = 64

// recall finds an answer in memory, then in the cache.
func (e *Engine) recall(key string) *Answer {
	e.mu.Lock()
	a := e.answers[key]
	e.mu.Unlock()
	if a != nil || e.cache == nil {
		return a
	}
	body, ok := e.cache.Recall(key)
	if !ok {
		return nil
	}
	a = &Answer{}
	if json.Unmarshal(body, a) != nil {
		return nil // written by another version, or damaged: it is derived, so ask again
	}
	a.index()
	e.remember(key, a)
	return a
}

// keep stores an answer in memory and in the cache.
func (e *Engine) keep(key string, a *Answer) {
	a.index()
	if a.volatile {
		return
	}
	e.remember(key, a)
	if e.cache == nil {
		return
	}
	if body, err := json.Marshal(a); err == nil {
		e.cache.Keep(key, body)
	}
}

func (e *Engine) remember(key string, a *Answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.answers[key] == nil {
		e.recent = append(e.recent, key)
	}
	e.answers[key] = a
	for len(e.recent) > keptAnswers {
		delete(e.answers, e.recent[0])
		e.recent = e.recent[1:]
	}
}
