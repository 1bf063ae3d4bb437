package ingest

import (
	"bytes"
	"math"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"dwell/model"
)

// gather takes the columns of a block out of their pages.
func (w *worker) gather(rows *parquetRows) {
	pl, k := w.plan.parquet, &w.columns
	ask := func(i int) {
		if i < 0 || k.asked[i] {
			return
		}
		k.asked[i] = true
		k.cells[i] = w.texts(k.cells[i][:0], rows, i)
	}
	ask(pl.user)
	ask(pl.event)
	ask(pl.clock)
	for _, i := range pl.props {
		ask(i)
	}
	k.times = k.times[:0]
	if pl.time >= 0 && !pl.leaves[pl.time].list {
		l := pl.leaves[pl.time]
		k.times = gatherValues(k.times, l, rows.parts[pl.time], parquetTime{why: noTime},
			func(d *parquetDict) []parquetTime {
				d.timesOnce.Do(func() { d.times = allOf(d.page, func(k int) parquetTime { return w.stamp(l, d.page, k) }) })
				return d.times
			},
			func(p *parquetPage, i int) parquetTime { return w.stamp(l, p, i) })
	}
	k.money = k.money[:0]
	switch {
	case pl.direct:
		l := pl.leaves[pl.cells[0]]
		k.money = gatherValues(k.money, l, rows.parts[pl.cells[0]], parquetMoney{money: model.NoMoney, fault: amountAbsent},
			func(d *parquetDict) []parquetMoney {
				d.moneyOnce.Do(func() { d.money = allOf(d.page, func(k int) parquetMoney { return w.price(l, d.page, k) }) })
				return d.money
			},
			func(p *parquetPage, i int) parquetMoney { return w.price(l, p, i) })
	case pl.amount != nil:
		for _, i := range pl.cells {
			ask(i)
		}
	}
}

// gatherValues appends a value for each row of a column that is no list: absent
// for a null, from the dictionary's memory, or one made for it.
func gatherValues[T any](dst []T, l *parquetLeaf, parts []parquetPart, absent T, memo func(*parquetDict) []T, one func(*parquetPage, int) T) []T {
	for _, part := range parts {
		p, k := part.page, part.value
		var known []T
		if p.at != nil {
			known = memo(p.dict)
		}
		switch {
		case p.def == nil && known != nil:
			for _, at := range p.at[k : k+part.to-part.from] {
				dst = append(dst, known[at])
			}
		case p.def == nil:
			for ; k < part.value+part.to-part.from; k++ {
				dst = append(dst, one(p, k))
			}
		default:
			for _, level := range p.def[part.from:part.to] {
				switch {
				case level != l.maxDef:
					dst = append(dst, absent)
					continue
				case known != nil:
					dst = append(dst, known[p.at[k]])
				default:
					dst = append(dst, one(p, k))
				}
				k++
			}
		}
	}
	return dst
}

// allOf makes something of every value of a dictionary.
func allOf[T any](p *parquetPage, one func(int) T) []T {
	out := make([]T, p.count)
	for k := range out {
		out[k] = one(k)
	}
	return out
}

// texts appends the cells of a column.
func (w *worker) texts(dst []parquetCell, rows *parquetRows, i int) []parquetCell {
	l := rows.leaf[i]
	if !l.list {
		return gatherValues(dst, l, rows.parts[i], parquetCell{},
			func(d *parquetDict) []parquetCell {
				d.cellsOnce.Do(func() {
					var own []byte // not the worker's: the dictionary outlives the block
					d.cells = allOf(d.page, func(k int) parquetCell { return l.cell(d.page, k, &own) })
				})
				return d.cells
			},
			func(p *parquetPage, k int) parquetCell { return l.cell(p, k, &w.arena) })
	}
	walk := rows.walk(i)
	for range rows.n {
		start := len(w.arena)
		out, some := walk.append(w.arena)
		c := parquetCell{}
		if some {
			w.arena = out
			c = parquetCell{b: w.arena[start:len(w.arena):len(w.arena)], kind: kindCompound}
		}
		dst = append(dst, c)
	}
	return dst
}

// cell is value k of a page, which has no dictionary, as a cell.
func (l *parquetLeaf) cell(p *parquetPage, k int, arena *[]byte) (c parquetCell) {
	if l.isText() {
		c.b = p.bytes(k)
		if c.bad = !p.valid && !utf8.Valid(c.b); c.bad {
			c.b = bytes.ToValidUTF8(c.b, []byte("\uFFFD"))
		}
	} else {
		start := len(*arena)
		*arena = l.append(*arena, p, k)
		c.b = (*arena)[start:len(*arena):len(*arena)]
	}
	c.b = trim(c.b)
	if c.kind = l.look(); c.kind == kindText {
		if k := classify(c.b); k == kindTime || k == kindAbsent || k == kindNull {
			c.kind = k
		}
	}
	if len(c.b) == 0 && c.kind == kindNumber {
		c.kind = kindNull // a floating number that is none
	}
	return c
}

// stamp is value k as a time: times and dates as they are, whole numbers by the
// unit of the mapping, all else as the text it is written as.
func (w *worker) stamp(l *parquetLeaf, p *parquetPage, k int) parquetTime {
	pl, form := w.plan.parquet, w.plan.times.form
	switch {
	case pl.iso && l.form == formStamp:
		return parquetTime{stamp: stamp{ms: l.moment(p, k).UnixMilli(), zoned: !l.local}}
	case pl.iso && l.form == formDay:
		return parquetTime{stamp: stamp{ms: int64(p.int32s[k]) * 86_400_000, dated: true}}
	case form >= formUnix && form <= formUnixNS && l.form == formPlain && (l.kind == parquet.Int32 || l.kind == parquet.Int64):
		v := l.integer(p, k)
		switch form {
		case formUnix:
			v = min(max(v, math.MinInt64/1000), math.MaxInt64/1000) * 1000
		case formUnixUS:
			v = floorDiv(v, 1000)
		case formUnixNS:
			v = floorDiv(v, 1_000_000)
		}
		return parquetTime{stamp: stamp{ms: v, zoned: true}}
	}
	b := l.cell(p, k, new([]byte)).b
	if isAbsent(b) {
		return parquetTime{why: noTime}
	}
	st, ok := w.plan.times.parse(b)
	if !ok {
		return parquetTime{why: badTime}
	}
	return parquetTime{stamp: st}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// price is value k as an amount: whole numbers and decimals as they are, a
// floating number as the shortest decimal that stands for it.
func (w *worker) price(l *parquetLeaf, p *parquetPage, k int) parquetMoney {
	d, exact := decimal{}, false
	switch {
	case l.form == formDecimal && l.scale <= 18:
		d.m, exact = l.unscaled(p, k)
		d.s = l.scale
	case l.form == formPlain && (l.kind == parquet.Int32 || l.kind == parquet.Int64):
		d.m, exact = l.integer(p, k), true
	case l.kind == parquet.Double:
		// Up to 15 digits a decimal and its nearest floating number determine one
		// another: if m millionths are nearest to v, they are its shortest form.
		v := p.double[k]
		if m := math.Round(v * 1e6); math.Abs(m) < 1e15 && m/1e6 == v {
			return parquetMoney{money: model.Money(m)}
		}
	}
	if exact && d.m != math.MinInt64 {
		m, rounded, ok := d.money()
		if !ok {
			return parquetMoney{money: model.NoMoney, fault: amountTooBig}
		}
		return parquetMoney{money: m, rounded: rounded}
	}
	b, scratch := l.append(nil, p, k), []byte(nil)
	m, rounded, fault := w.plan.parquet.amount.eval(func(int) []byte { return b }, &scratch)
	return parquetMoney{m, rounded, fault}
}
