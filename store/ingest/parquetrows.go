package ingest

import (
	"bytes"
	"slices"

	"dwell/model"
)

// A parquetCell is a value as text, trimmed, and what it looks like.
type parquetCell struct {
	b    []byte
	kind valueKind
	bad  bool // it was no UTF-8
}

// A parquetTime is a value as a time; why is accepted, noTime or badTime.
type parquetTime struct {
	stamp
	why reason
}

// A parquetMoney is a value as an amount.
type parquetMoney struct {
	money   model.Money
	rounded bool
	fault   amountFault
}

// A parquetPlan is a plan's columns as leaves of the file: indexes into the leaves
// that are read, -1 where the file has no such column.
type parquetPlan struct {
	file                     *parquetFile
	leaves                   []*parquetLeaf
	user, time, event, clock int
	cells                    []int
	props                    []int
	iso                      bool        // times that are times may be taken as they are
	amount                   *amountPlan // of numbers that are numbers: no style of writing matters
	direct                   bool        // the amount is one column of such numbers
}

// bind finds the columns of the plan among those of the file.
func (p *plan) bind(file *parquetFile, m *Mapping) {
	leaves := file.wanted(m)
	b := &parquetPlan{file: file, leaves: leaves}
	at := func(i int) int {
		if i < 0 {
			return -1
		}
		return slices.IndexFunc(leaves, func(l *parquetLeaf) bool { return l.name == p.names[i] })
	}
	b.user, b.time, b.event, b.clock = at(p.user), at(p.time), at(p.event), at(p.clock)
	taken := []int{b.user, b.time, b.event, b.clock}
	for _, c := range p.cells {
		b.cells = append(b.cells, at(c))
	}
	if p.amount != nil && p.amount.expr.op == 'c' {
		taken = append(taken, b.cells...) // as place has it
	}
	for i := range leaves {
		if m.AllProps && !slices.Contains(taken, i) {
			b.props = append(b.props, i)
		}
	}
	for _, c := range p.props {
		if i := at(c); i >= 0 && !slices.Contains(b.props, i) {
			b.props = append(b.props, i)
		}
	}
	switch p.times.form {
	case formISO, formMDY, formDMY:
		b.iso = true
	}
	b.amount = p.amount
	if p.amount != nil && !slices.ContainsFunc(b.cells, func(i int) bool { return i < 0 || leaves[i].look() != kindNumber || leaves[i].list }) {
		plain := *p.amount
		plain.style = numberPlain
		b.amount, b.direct = &plain, plain.expr.op == 'c'
	}
	p.parquet = b
}

// A parquetWork is what a worker keeps from block to block.
type parquetWork struct {
	cells [][]parquetCell // of each leaf, where they were asked for
	asked []bool
	times []parquetTime
	money []parquetMoney
	why   []reason
	row   int // at which cell looks
	cell  func(int) []byte
	props []model.BatchCol
}

// records turns a block of a Parquet file into a batch.
func (w *worker) records(b block) (out *parsed, err error) {
	defer func() {
		if err != nil {
			err = w.plan.parquet.file.fault(err)
		}
	}()
	defer damaged(&err)
	w.reset(b)
	pl, k := w.plan.parquet, &w.columns
	if k.cell == nil {
		k.cells, k.asked = make([][]parquetCell, len(pl.leaves)), make([]bool, len(pl.leaves))
		k.cell = func(i int) []byte {
			if c := pl.cells[i]; c >= 0 {
				return k.cells[c][k.row].b
			}
			return nil
		}
		k.props = make([]model.BatchCol, len(pl.props))
		for i, c := range pl.props {
			k.props[i].Key = pl.leaves[c].name
		}
	}
	clear(k.asked)
	w.gather(b.rows)
	w.decide(b)
	w.keepRows(b)
	return &w.out, nil
}

// decide checks each row, in the order in which store checks a row of text.
func (w *worker) decide(b block) {
	pl, k, t := w.plan.parquet, &w.columns, &w.out.batch
	n := b.rows.n
	w.out.read += int64(n)
	k.why = slices.Grow(k.why[:0], n)[:n]
	clear(k.why)
	w.refuseLong(n)
	for r := range n {
		if k.why[r] == longRow {
			continue
		}
		before := w.out.facts
		k.row = r
		user, event, ms, dated, amount, why := w.check(r)
		if why == accepted && k.why[r] != accepted {
			why = k.why[r] // a long value is looked at last
		}
		if k.why[r] = why; why != accepted {
			w.out.facts = before
			if why == future {
				w.out.facts.future++
			}
			continue
		}
		t.Line, t.User, t.Time = append(t.Line, b.line+int64(r)), append(t.User, user), append(t.Time, ms)
		t.Event, w.dated, w.amount = append(t.Event, event), append(w.dated, dated), append(w.amount, amount)
		w.note(ms)
	}
	for i := range pl.leaves {
		w.countBad(i)
	}
}

// addTypes counts what a column's values look like; one without any is not named.
func (w *worker) addTypes(key string, types *[kinds]int64) {
	sum := w.types[key]
	for kind, n := range types {
		if n == 0 || valueKind(kind) == kindAbsent {
			continue
		}
		if sum == nil {
			sum = new([kinds]int64)
			w.types[key] = sum
		}
		sum[kind] += n
	}
}

// check is what store does with a row, but for its properties.
func (w *worker) check(r int) (user, event []byte, ms int64, dated bool, amount model.Money, why reason) {
	p, pl, k := w.plan, w.plan.parquet, &w.columns
	amount = model.NoMoney
	text := func(leaf int) []byte {
		if leaf < 0 {
			return nil
		}
		return k.cells[leaf][r].b
	}
	if user, why = p.userID(text(pl.user)); why != accepted {
		return
	}
	if event, why = p.eventName(text(pl.event)); why != accepted {
		return
	}
	if why = noTime; r < len(k.times) {
		st := k.times[r]
		if why = st.why; why == accepted {
			ms, dated, why = w.place(st.stamp, text(pl.clock))
		}
	}
	if why != accepted || pl.amount == nil {
		return
	}
	got := parquetMoney{}
	if pl.direct {
		got = k.money[r]
	} else {
		got.money, got.rounded, got.fault = pl.amount.eval(k.cell, &w.num)
	}
	if why = got.fault.reason(); got.fault == amountOK {
		amount = got.money
	}
	if got.rounded {
		w.out.facts.rounded++
	}
	return
}

// refuseLong marks the rows that are too long as a whole or in one property.
func (w *worker) refuseLong(n int) {
	pl, k := w.plan.parquet, &w.columns
	most := 0
	for i, cells := range k.cells {
		longest := 0
		for r := range cells {
			longest = max(longest, len(cells[r].b))
		}
		most += longest
		if longest <= MaxValue || !slices.Contains(pl.props, i) {
			continue
		}
		for r := range cells {
			if len(cells[r].b) > MaxValue {
				k.why[r] = longValue
			}
		}
	}
	for r := 0; most > MaxRow && r < n; r++ {
		sum := 0
		for i := range k.cells {
			if k.asked[i] {
				sum += len(k.cells[i][r].b)
			}
		}
		if sum > MaxRow {
			k.why[r] = longRow
		}
	}
}

// countBad counts the rows whose text was no UTF-8, at the first column that was not.
func (w *worker) countBad(i int) {
	k := &w.columns
	if !k.asked[i] || !w.plan.parquet.leaves[i].isText() {
		return
	}
	for r := range k.cells[i] {
		if !k.cells[i][r].bad {
			continue
		}
		first := !slices.ContainsFunc(k.cells[:i], func(c []parquetCell) bool { return r < len(c) && c[r].bad })
		if first {
			w.out.facts.badUTF8++
		}
	}
}

// keepRows appends the properties of the rows that are stored, and notes the others.
func (w *worker) keepRows(b block) {
	pl, k, t := w.plan.parquet, &w.columns, &w.out.batch
	for i, c := range pl.props {
		col, types, some := k.props[i].Values[:0], [kinds]int64{}, false
		for r := range k.cells[c] {
			if k.why[r] != accepted {
				continue
			}
			v := &k.cells[c][r]
			types[v.kind]++
			if v.kind == kindNull || v.kind == kindAbsent {
				col = append(col, nil)
				continue
			}
			col, some = append(col, v.b), true
		}
		k.props[i].Values = col
		if some {
			t.Props = append(t.Props, k.props[i])
		}
		w.addTypes(k.props[i].Key, &types)
	}
	w.close()
	if len(t.Time) == b.rows.n {
		return
	}
	lines := bytes.SplitAfter(b.rows.appendLines(nil), []byte{'\n'})
	for r, why := range k.why {
		if why != accepted {
			w.reject(why, b.line+int64(r), chomp(lines[r]))
		}
	}
}
