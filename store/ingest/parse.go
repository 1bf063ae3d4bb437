package ingest

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"dwell/model"
)

// A plan is a mapping made ready for one file: columns by position, parsers
// instead of names. It is shared by the workers and never changed.
type plan struct {
	sx     syntax
	names  []string // of the columns; of JSON, those the mapping names
	user   int
	time   int
	event  int // -1: constant
	clock  int // -1: time holds the time of day as well
	consts []byte
	amount *amountPlan // nil: none
	cells  []int       // column of each of amount.names
	props  []int       // columns that become properties

	rest    bool // of JSON: other keys become properties too
	integer bool // drop the .0 of user ids
	times   *timeParser
	zone    *model.Calendar
	header  []byte // the header line, nil without one
	latest  int64  // rows after it are future
	allow   bool   // store future rows

	parquet *parquetPlan // nil of text
	notes   []string     // in what the file is read otherwise than the mapping says
}

// A parsed is what a worker made of a block.
type parsed struct {
	block   block
	batch   model.Batch
	read    int64
	rejects []rejected
	facts   facts
}

// A rejected row: its text is a copy, whole if rejects are written to a file.
type rejected struct {
	reason reason
	line   int64
	text   []byte
	more   bool // continues the row before: pieces of one longer than MaxRow
}

// facts are the quality counters of a block.
type facts struct {
	ambiguous, missing, future, unordered, rounded, badUTF8 int64
	first, last                                             int64 // times of the first and last row stored
	rows                                                    int64
}

// A worker parses blocks. Its batch is reused: it is valid until the next block.
type worker struct {
	plan  *plan
	whole bool // keep the whole text of rejected rows
	tally *tally

	out     parsed
	dated   []bool
	amount  []model.Money
	vals    [][]byte
	kinds   []valueKind
	props   []model.BatchCol
	keyAt   map[string]int // of JSON: column by key, for this block
	keys    []string
	longKey bool   // the row has a property name beyond MaxID
	last    int    // 1 + the column of the member before; 0 at the beginning of a row
	given   []int  // the columns that the row has; those alone are filled in vals and kinds
	isGiven []bool // by column
	after   []int
	arena   []byte
	num     []byte
	json    jsonReader
	types   map[string]*[kinds]int64
	typeAt  []*[kinds]int64 // of each property column
	base    int             // property columns of the plan
	cellFn  func(int) []byte
	columns parquetWork
	dates   dateCache
	days    []model.Day
}

func newWorker(p *plan, whole bool, t *tally) *worker {
	w := &worker{plan: p, whole: whole, tally: t, types: map[string]*[kinds]int64{}, base: len(p.props)}
	w.json.arena = &w.arena
	w.json.emit = w.member
	w.cellFn = func(i int) []byte { return w.vals[p.cells[i]] }
	return w
}

// parse turns one block into a batch.
func (w *worker) parse(b block) *parsed {
	w.reset(b)
	if b.long != longNone {
		w.long(b)
		return &w.out
	}
	valid := utf8.Valid(b.data)
	// Nearly all files are plain: without quotes and CR every LF ends a row.
	plain := w.plan.sx.mode != modeJSON && bytes.IndexByte(b.data, '"') < 0 && bytes.IndexByte(b.data, '\r') < 0
	line := b.line
	for p := 0; p < len(b.data); {
		if plain {
			if nl := bytes.IndexByte(b.data[p:], '\n'); nl >= 0 && nl <= MaxRow {
				w.row(b.data[p:p+nl+1], line, rowOK, valid)
				line++
				p += nl + 1
				continue
			}
		}
		end, kind := w.plan.sx.next(b.data, p, true)
		if kind == rowLong {
			end = len(b.data)
		}
		text := b.data[p:end]
		w.row(text, line, kind, valid)
		line += countLines(text)
		p = end
	}
	w.finish()
	return &w.out
}

// reset makes the worker's arrays ready for a block.
func (w *worker) reset(b block) {
	o := &w.out
	o.block, o.read, o.rejects, o.facts = b, 0, nil, facts{}
	t := &o.batch
	t.Seq, t.Source = b.seq, b.source
	t.Line, t.User, t.Time, t.Event = t.Line[:0], t.User[:0], t.Time[:0], t.Event[:0]
	t.Dated, t.Amount, t.Props = nil, nil, t.Props[:0]
	w.dated, w.amount = w.dated[:0], w.amount[:0]
	w.arena, w.num = w.arena[:0], w.num[:0]
	if w.plan.sx.mode == modeTable {
		if w.props == nil {
			for _, c := range w.plan.props {
				w.addProp(w.plan.names[c])
			}
		}
	} else {
		w.keys = append(w.keys[:0], w.plan.names...)
		w.keyAt = map[string]int{}
		for i, n := range w.keys {
			w.keyAt[n] = i
		}
		w.props, w.typeAt = w.props[:min(w.base, len(w.props))], w.typeAt[:min(w.base, len(w.typeAt))]
		if len(w.props) == 0 {
			for _, c := range w.plan.props {
				w.addProp(w.plan.names[c])
			}
		}
	}
	for i := range w.props {
		w.props[i].Values = w.props[i].Values[:0]
	}
	w.vals, w.kinds, w.isGiven, w.given = w.vals[:0], w.kinds[:0], w.isGiven[:0], w.given[:0]
}

func (w *worker) addProp(key string) {
	t := w.types[key]
	if t == nil {
		t = new([kinds]int64)
		w.types[key] = t
	}
	w.typeAt = append(w.typeAt, t)
	if n := len(w.props); n < cap(w.props) {
		w.props = w.props[:n+1]
		w.props[n].Key, w.props[n].Values, w.props[n].At = key, w.props[n].Values[:0], w.props[n].At[:0]
		return
	}
	w.props = append(w.props, model.BatchCol{Key: key})
}

// finish hands the properties over: of JSON only those some row has.
func (w *worker) finish() {
	t := &w.out.batch
	t.Props = t.Props[:0]
	for i := range w.props {
		p := w.props[i]
		switch {
		case i < w.base:
			p.At = nil
		case len(p.Values) == 0:
			continue
		case len(p.Values) == len(t.Time):
			p.At = nil // every row has it
		}
		t.Props = append(t.Props, p)
	}
	w.close()
}

// close hands over what batches of any kind of file have, and notes their days.
func (w *worker) close() {
	t := &w.out.batch
	if w.plan.amount != nil {
		t.Amount = w.amount
	}
	if slices.Contains(w.dated, true) {
		t.Dated = w.dated
	}
	w.days = w.plan.zone.Days(w.days[:0], &model.Timeline{Time: t.Time, Dated: t.Dated})
	for i, d := range w.days {
		if i == 0 || d != w.days[i-1] {
			w.tally.day(d)
		}
	}
}

// long handles a piece of a row beyond MaxRow.
func (w *worker) long(b block) {
	if b.long == longFirst {
		w.out.read = 1
	}
	if b.long == longFirst || w.whole {
		w.reject(longRow, b.line, b.data)
		w.out.rejects[len(w.out.rejects)-1].more = b.long == longRest
	}
}

func (w *worker) reject(r reason, line int64, text []byte) {
	if !w.whole && len(text) > lineText {
		text = text[:lineText]
	}
	w.out.rejects = append(w.out.rejects, rejected{reason: r, line: line, text: bytes.Clone(text)})
}

// row parses one row; text includes its line end.
func (w *worker) row(text []byte, line int64, kind rowKind, valid bool) {
	raw := text
	if w.plan.sx.mode == modeJSON {
		for len(raw) > 0 && between(raw[0]) {
			line += countLines(raw[:1])
			raw = raw[1:]
		}
	} else {
		raw = chomp(raw)
	}
	if len(trim(raw)) == 0 {
		return // an empty line is no row
	}
	w.out.read++
	body := raw
	if !valid && !utf8.Valid(raw) {
		w.out.facts.badUTF8++
		body = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
	}
	before := w.out.facts
	why := w.accept(body, line, kind)
	if why != accepted {
		w.out.facts = before // what is counted is counted of stored rows, but for these two
	}
	if why == future {
		w.out.facts.future++
	}
	if why == badTime && w.plan.header != nil && bytes.Equal(trim(raw), w.plan.header) {
		why = headerAgain
	}
	if why != accepted {
		w.reject(why, line, raw)
	}
}

// accept reads the row's columns and appends it to the batch, or says why not.
func (w *worker) accept(row []byte, line int64, kind rowKind) reason {
	p := w.plan
	if kind == rowLong || len(row) > MaxRow {
		return longRow
	}
	if p.sx.mode == modeTable {
		if kind == rowBad {
			return badQuotes
		}
		w.vals = p.sx.fields(row, w.vals[:0], &w.arena)
		if len(w.vals) < len(p.names) {
			return tooFew
		}
		for _, v := range w.vals[len(p.names):] {
			if len(trim(v)) > 0 {
				return tooMany
			}
		}
	} else if r := w.object(row); r != accepted {
		return r
	}
	return w.store(line)
}

// object reads a JSON row into vals and kinds.
func (w *worker) object(row []byte) reason {
	for _, i := range w.given {
		if i < len(w.vals) {
			w.vals[i], w.kinds[i], w.isGiven[i] = nil, kindAbsent, false
		}
	}
	w.given = w.given[:0]
	w.columnsUpTo(len(w.keys))
	w.longKey, w.last = false, 0
	if !w.json.object(row) {
		return notObject
	}
	if w.longKey {
		return longName
	}
	if len(w.keys) > len(w.plan.names)+MaxNewKeys {
		// The row's new names are forgotten with it.
		for _, k := range w.keys[len(w.plan.names)+MaxNewKeys:] {
			delete(w.keyAt, k)
		}
		w.keys = w.keys[:len(w.plan.names)+MaxNewKeys]
		w.vals, w.kinds, w.isGiven = w.vals[:len(w.keys)], w.kinds[:len(w.keys)], w.isGiven[:len(w.keys)]
		return manyKeys
	}
	return accepted
}

// columnsUpTo makes n columns of them, the new ones without a value.
func (w *worker) columnsUpTo(n int) {
	for len(w.vals) < n {
		w.vals, w.kinds, w.isGiven = append(w.vals, nil), append(w.kinds, kindAbsent), append(w.isGiven, false)
	}
}

// member takes one value of a JSON row. A key that comes twice counts as its
// last value, as encoding/json has it.
//
// Rows of one program have their keys in one order: what followed the key before
// in the last row is looked at first.
func (w *worker) member(path, value []byte, kind valueKind) {
	for len(w.after) <= len(w.keys) {
		w.after = append(w.after, 0)
	}
	i := w.after[w.last]
	ok := i < len(w.keys) && w.keys[i] == string(path)
	if !ok {
		i, ok = w.keyAt[string(path)]
	}
	if !ok {
		if !w.plan.rest || len(path) == 0 {
			return
		}
		if len(path) > MaxID {
			w.longKey = true
			return
		}
		i = len(w.keys)
		name := string(path)
		w.keys = append(w.keys, name)
		w.keyAt[name] = i
		w.columnsUpTo(i + 1)
	}
	if !w.isGiven[i] {
		w.isGiven[i] = true
		w.given = append(w.given, i)
	}
	w.vals[i], w.kinds[i] = value, kind
	w.after[w.last] = i
	w.last = i + 1
}
