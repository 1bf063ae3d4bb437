package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
)

// A parquetPage is the values of one page of a column, or of its dictionary, as
// arrays of their own type: one of the arrays is set, by the column's kind. It is
// shared by the blocks cut from it and goes back to the library's pool when the
// last of them lets go.
type parquetPage struct {
	page   parquet.Page // nil of a dictionary
	refs   atomic.Int32
	levels int // values and nulls
	rows   int // that begin in the page
	count  int // values alone

	def  []byte // definition levels; nil if no value of the page is null
	rep  []byte // repetition levels of a list; nil otherwise
	dict *parquetDict
	at   []int32 // into dict; nil without one

	bits   []byte // of booleans, the lowest first
	int32s []int32
	int64s []int64
	int96s []deprecated.Int96
	floats []float32
	double []float64
	text   []byte // of byte arrays one after the other
	ends   []uint32
	width  int  // of each, where all have the same; then ends is nil
	valid  bool // each byte array is UTF-8 by itself
}

// errParquet says that a file's pages do not hold what it says they do.
var errParquet = errors.New("its pages do not hold the values that it says they do")

// bytes is the byte array k.
func (p *parquetPage) bytes(k int) []byte {
	if p.ends == nil {
		return p.text[k*p.width : (k+1)*p.width : (k+1)*p.width]
	}
	return p.text[p.ends[k]:p.ends[k+1]:p.ends[k+1]]
}

// resolve follows an index into the dictionary.
func (p *parquetPage) resolve(k int) (*parquetPage, int) {
	if p.at != nil {
		return p.dict.page, int(p.at[k])
	}
	return p, k
}

func (p *parquetPage) release() {
	if p.refs.Add(-1) == 0 && p.page != nil {
		parquet.Release(p.page)
	}
}

// take sets the array of the column's kind; it must hold count values.
func (p *parquetPage) take(page parquet.Page, kind parquet.Kind) error {
	if p.count == 0 {
		return nil
	}
	data, have := page.Data(), 0
	switch kind {
	case parquet.Boolean:
		p.bits = data.Boolean()
		have = 8 * len(p.bits)
	case parquet.Int32:
		p.int32s = data.Int32()
		have = len(p.int32s)
	case parquet.Int64:
		p.int64s = data.Int64()
		have = len(p.int64s)
	case parquet.Int96:
		p.int96s = data.Int96()
		have = len(p.int96s)
	case parquet.Float:
		p.floats = data.Float()
		have = len(p.floats)
	case parquet.Double:
		p.double = data.Double()
		have = len(p.double)
	case parquet.ByteArray:
		p.text, p.ends = data.ByteArray()
		for i := 1; i < len(p.ends) && p.ends[i-1] <= p.ends[i] && int(p.ends[i]) <= len(p.text); i++ {
			have++
		}
		p.valid = p.allText()
	case parquet.FixedLenByteArray:
		if p.text, p.width = data.FixedLenByteArray(); p.width > 0 {
			have = len(p.text) / p.width
		}
	}
	if have < p.count {
		return errParquet
	}
	return nil
}

// allText says whether each byte array is UTF-8: all of them together are, and
// none begins within a character.
func (p *parquetPage) allText() bool {
	if len(p.ends) <= p.count || !utf8.Valid(p.text[min(int(p.ends[0]), len(p.text)):min(int(p.ends[p.count]), len(p.text))]) {
		return false
	}
	for _, from := range p.ends[:p.count] {
		if int(from) < len(p.text) && !utf8.RuneStart(p.text[from]) {
			return false
		}
	}
	return true
}

// A parquetDict is the dictionary of a column in one row group, with what its
// values come to: found out once, by the first who asks, and not for each row.
type parquetDict struct {
	of   parquet.Dictionary
	page *parquetPage

	cellsOnce, timesOnce, moneyOnce sync.Once
	cells                           []parquetCell
	times                           []parquetTime
	money                           []parquetMoney
}

// A parquetChunk reads one column of one row group, page by page.
type parquetChunk struct {
	leaf  *parquetLeaf
	pages parquet.Pages
	dict  *parquetDict
	have  []*parquetPage // read and not yet given out whole
	row   int            // rows that are ready: they end within have
	begun bool
	ended bool

	level, value int // of have[0], not yet given out
}

// fill reads pages until n rows are ready.
func (c *parquetChunk) fill(n int) (err error) {
	defer damaged(&err)
	if c.leaf.fixed != nil {
		c.repeat(n - c.row)
	}
	for c.row < n {
		if c.ended {
			return errParquet
		}
		p, err := c.read()
		if err == io.EOF {
			c.ended = true
			if c.leaf.list && c.begun {
				c.row++ // the last row of a list ends with the column
			}
			continue
		}
		if err != nil {
			return err
		}
		if c.leaf.list && !c.begun && p.levels > 0 {
			if p.rep[0] != 0 {
				return errParquet
			}
			c.begun = true
			c.row-- // the last row begun may go on in the next page
		}
		c.row += p.rows
		c.have = append(c.have, p)
	}
	return nil
}

// read takes the next page apart.
func (c *parquetChunk) read() (*parquetPage, error) {
	page, err := c.pages.ReadPage()
	if err != nil {
		return nil, err
	}
	p := &parquetPage{page: page, levels: int(page.NumValues())}
	p.refs.Store(1)
	p.rows, p.count = p.levels, p.levels
	if c.leaf.maxDef > 0 {
		def := page.DefinitionLevels()
		if len(def) != p.levels {
			return nil, errParquet
		}
		if p.count = bytes.Count(def, []byte{c.leaf.maxDef}); p.count < p.levels {
			p.def = def
		}
	}
	if c.leaf.list {
		if p.rep = page.RepetitionLevels(); len(p.rep) != p.levels {
			return nil, errParquet
		}
		p.rows = bytes.Count(p.rep, []byte{0})
	}
	d := page.Dictionary()
	if d == nil {
		return p, p.take(page, c.leaf.kind)
	}
	if c.dict == nil || c.dict.of != d {
		c.dict = &parquetDict{of: d, page: &parquetPage{count: d.Len()}}
		if err := c.dict.page.take(d.Page(), c.leaf.kind); err != nil {
			return nil, err
		}
	}
	p.dict = c.dict
	data := page.Data()
	if p.at = data.Int32(); len(p.at) < p.count {
		return nil, errParquet
	}
	p.at = p.at[:p.count]
	for _, i := range p.at {
		if uint(i) >= uint(c.dict.page.count) {
			return nil, errParquet
		}
	}
	return p, nil
}

// A parquetPart is a stretch of a page: levels from and to, and the first value.
type parquetPart struct {
	page            *parquetPage
	from, to, value int
}

// cut takes n rows off, which are ready.
func (c *parquetChunk) cut(n int) (parts []parquetPart) {
	c.row -= n
	for rows := 0; ; {
		if len(c.have) == 0 {
			return parts
		}
		p := c.have[0]
		from, to := c.level, p.levels
		if p.rep == nil {
			to = min(to, from+n-rows)
			rows += to - from
		} else {
			for to = from; to < p.levels; to++ {
				if p.rep[to] == 0 {
					if rows == n {
						break
					}
					rows++
				}
			}
		}
		if to > from {
			p.refs.Add(1)
			parts = append(parts, parquetPart{p, from, to, c.value})
		}
		if to < p.levels {
			if p.def == nil {
				c.value += to - from
			} else {
				c.value += bytes.Count(p.def[from:to], []byte{c.leaf.maxDef})
			}
			c.level = to
			return parts
		}
		p.release()
		c.have, c.level, c.value = c.have[1:], 0, 0
		if rows == n && p.rep == nil {
			return parts
		}
	}
}

// close lets go of what was read and not given out. Blocks keep what they have.
func (c *parquetChunk) close() {
	for _, p := range c.have {
		p.release()
	}
	c.have = nil
	if c.pages != nil {
		c.pages.Close()
	}
}

// damaged turns a panic of the library over bytes that are none of its format
// into an error.
func damaged(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("its data is damaged: %v", r)
	}
}
