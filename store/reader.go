package store

import (
	"dwell/model"
)

// columnWish says which of the fixed columns a reader wants; times always come.
type columnWish struct{ names, amounts, sources, dated bool }

// loadMaps turns one load's numbering into a snapshot's, for one filter.
type loadMaps struct {
	names   codeMap
	sources codeMap
	columns []columnMap // one for each wanted property
}

// A columnMap says how one wanted property is read from one load.
type columnMap struct {
	have  bool     // the load has the key
	plain bool     // the snapshot holds it as strings
	key   uint32   // the load's number of it
	codes codeMap  // to the snapshot's codes, or the load's own if plain
	strs  []string // the load's values, if plain here and coded there
}

// A chunkReader decodes chunks into columns that it owns and uses again. A user
// with several parts is put together by decodeMore.
type chunkReader struct {
	head   chunkHead
	ids    []string
	counts []int32

	time   []int64
	dated  []bool // nil if the chunk has no date alone
	name   []model.NameID
	amount []model.Money
	source []model.SourceID
	props  []model.Column

	col      columnReader
	mask     []uint32
	codes    []uint32
	datedBuf []bool
	codeBuf  [][]uint32
	strBuf   [][]string
}

// load reads head and directory of a record.
func (c *chunkReader) load(rec []byte) error {
	if err := c.head.parse(rec); err != nil {
		return err
	}
	var err error
	c.ids, c.counts, err = c.head.decodeUsers(c.ids[:0], c.counts[:0])
	return err
}

// grow gives a slice of n elements, using the old array if it is long enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// decode reads the wanted columns of the record given to load.
func (c *chunkReader) decode(w columnWish, m loadMaps) error {
	h := &c.head
	n := h.events
	c.time = grow(c.time, n)
	if err := decodeTimes(c.time, h.section(tagTimes), c.counts, h.first); err != nil {
		return err
	}
	if w.names {
		c.name = grow(c.name, n)
		if err := readCodes(&c.col, c.name, h.section(tagNames), m.names); err != nil {
			return err
		}
	}
	c.dated = nil
	if s := h.section(tagDated); s != nil && w.dated {
		c.mask, c.datedBuf = grow(c.mask, n), grow(c.datedBuf, n)
		if err := c.col.codes(c.mask, s, codeMap{limit: 2}); err != nil {
			return err
		}
		for i, v := range c.mask {
			c.datedBuf[i] = v == 1
		}
		c.dated = c.datedBuf
	}
	if w.amounts {
		c.amount = grow(c.amount, n)
		if s := h.section(tagAmount); s == nil {
			fill(c.amount, model.NoMoney)
		} else {
			c.mask = grow(c.mask, n)
			if err := c.col.amounts(c.amount, s, c.mask); err != nil {
				return err
			}
		}
	}
	if w.sources {
		c.source = grow(c.source, n)
		if err := readCodes(&c.col, c.source, h.section(tagSource), m.sources); err != nil {
			return err
		}
	}
	for len(c.props) < len(m.columns) {
		c.props = append(c.props, model.Column{})
		c.codeBuf = append(c.codeBuf, nil)
		c.strBuf = append(c.strBuf, nil)
	}
	c.props = c.props[:len(m.columns)]
	for i := range m.columns {
		if err := c.property(i, &m.columns[i]); err != nil {
			return err
		}
	}
	return nil
}

// property reads wanted property i.
func (c *chunkReader) property(i int, m *columnMap) error {
	n := c.head.events
	var coded, plain []byte
	if m.have {
		coded = c.head.section(tagProps + 2*uint64(m.key))
		plain = c.head.section(tagProps + 2*uint64(m.key) + 1)
	}
	if !m.plain {
		c.codeBuf[i] = grow(c.codeBuf[i], n)
		c.props[i] = model.Column{Codes: c.codeBuf[i]}
		if plain != nil {
			return errShort // a coded key has no strings
		}
		if coded == nil {
			clear(c.codeBuf[i])
			return nil
		}
		return c.col.codes(c.codeBuf[i], coded, m.codes)
	}
	c.strBuf[i] = grow(c.strBuf[i], n)
	c.props[i] = model.Column{Plain: c.strBuf[i]}
	switch {
	case plain != nil:
		c.codes = grow(c.codes, n)
		return c.col.strings(c.strBuf[i], plain, c.codes)
	case coded != nil:
		c.codes = grow(c.codes, n)
		if err := c.col.codes(c.codes, coded, m.codes); err != nil {
			return err
		}
		for j, v := range c.codes {
			c.strBuf[i][j] = m.strs[v]
		}
	default:
		clear(c.strBuf[i])
	}
	return nil
}

// ordered checks what the layout promises of a decoded chunk: ids and each
// user's times ascend.
func (c *chunkReader) ordered() bool {
	at := 0
	for u, n := range c.counts {
		if u > 0 && c.ids[u-1] >= c.ids[u] {
			return false
		}
		for i := at + 1; i < at+int(n); i++ {
			if c.time[i] < c.time[i-1] {
				return false
			}
		}
		at += int(n)
	}
	return true
}

// timeline points tl at user u of the chunk, whose events start at from.
func (c *chunkReader) timeline(tl *model.Timeline, u, from int, w columnWish) {
	to := from + int(c.counts[u])
	tl.ID, tl.IDs = c.ids[u], c.ids[u:u+1:u+1]
	tl.Time = c.time[from:to]
	tl.Name, tl.Dated, tl.Amount, tl.Source = nil, nil, nil, nil
	if w.names {
		tl.Name = c.name[from:to]
	}
	if c.dated != nil {
		tl.Dated = c.dated[from:to]
	}
	if w.amounts {
		tl.Amount = c.amount[from:to]
	}
	if w.sources {
		tl.Source = c.source[from:to]
	}
	tl.Props = grow(tl.Props, len(c.props))
	for i := range c.props {
		tl.Props[i] = model.Column{}
		if p := &c.props[i]; p.Plain != nil {
			tl.Props[i].Plain = p.Plain[from:to]
		} else {
			tl.Props[i].Codes = p.Codes[from:to]
		}
	}
}
