package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"dwell/model"
)

// resolve turns strings into ids as far as this worker knows them.
func (w *loadWorker) resolve(b *model.Batch) {
	w.nameIDs = grow(w.nameIDs, b.Len())
	for i, s := range b.Event {
		w.nameIDs[i] = w.names.find(s)
	}
	for len(w.cols) < len(b.Props) {
		w.cols = append(w.cols, batchColumn{})
	}
	w.cols = w.cols[:len(b.Props)]
	for c := range b.Props {
		col := &w.cols[c]
		p := &b.Props[c]
		col.vals, col.at, col.ids, col.miss = p.Values, p.At, grow(col.ids, len(p.Values)), false
		key, known := w.keys[p.Key]
		if !known {
			col.nums, col.miss = nil, true
			for i, v := range col.vals {
				col.ids[i] = miss
				if len(v) == 0 {
					col.ids[i] = 0
				}
			}
			continue
		}
		col.key, col.nums = key, w.nums[key]
		w.values[key].resolve(col)
	}
}

// resolve fills a column's ids from the cache; a full numbering can be read
// itself, for it changes no more.
func (c *stringCache) resolve(col *batchColumn) {
	full := col.nums.full.Load()
	for i, v := range col.vals {
		if len(v) == 0 {
			col.ids[i] = 0
			continue
		}
		id := c.find(v)
		if id == miss {
			if full {
				var ok bool
				if id, ok = col.nums.ids[string(v)]; !ok {
					id = plainValue
				}
			} else {
				col.miss = true
			}
		}
		col.ids[i] = id
	}
}

// number waits for the batch's turn, numbers its new strings in file order and
// gives the number of its first row.
func (l *loader) number(w *loadWorker, b *model.Batch) (first int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.Seq < l.next {
		l.err = cmp.Or(l.err, fmt.Errorf("batch %d was added twice", b.Seq))
	}
	for b.Seq != l.next && l.err == nil {
		l.turn.Wait()
	}
	if l.err != nil {
		l.turn.Broadcast()
		return 0, l.err
	}
	for i, id := range w.nameIDs {
		if id != miss {
			continue
		}
		if id = l.names.add(b.Event[i], maxNames); id == plainValue {
			l.err = tooMany("event names", maxNames)
			break
		}
		w.nameIDs[i] = id
		w.names.keep(l.names.list[id], id)
	}
	for c := range w.cols {
		if w.cols[c].miss && l.err == nil {
			l.err = l.numberColumn(w, &w.cols[c], b.Props[c].Key)
		}
	}
	if l.err == nil {
		first = l.rows
		l.rows += int64(b.Len())
		l.lastSource = max(l.lastSource, b.Source)
		l.next++
	}
	l.turn.Broadcast()
	return first, l.err
}

func (l *loader) numberColumn(w *loadWorker, col *batchColumn, name string) error {
	key := l.keys.add([]byte(name), maxKeys)
	if key == plainValue {
		return tooMany("properties", maxKeys)
	}
	if int(key) == len(l.values) {
		l.values = append(l.values, newValues())
	}
	for len(w.values) <= int(key) {
		w.values = append(w.values, newStringCache())
		w.nums = append(w.nums, l.values[len(w.nums)])
	}
	w.keys[name], col.key, col.nums = key, key, l.values[key]
	cache := w.values[key]
	for i, id := range col.ids {
		if id != miss {
			continue
		}
		v := col.vals[i]
		if id = cache.find(v); id == miss {
			if l.coded >= maxValues && len(col.nums.list) > fewValues {
				col.nums.full.Store(true)
			}
			before := len(col.nums.list)
			id = col.nums.add(v, valueLimit)
			l.coded += len(col.nums.list) - before
			if id != plainValue {
				cache.keep(col.nums.list[id], id)
			}
		}
		col.ids[i] = id
	}
	return nil
}

// rows appends the batch to the worker's pieces.
func (w *loadWorker) rows(b *model.Batch, first int64) error {
	// Properties stand in key order in every row, so that equal rows have equal
	// bytes whatever the order of the columns in their files.
	cols := w.cols
	if !slices.IsSortedFunc(cols, func(x, y batchColumn) int { return cmp.Compare(x.key, y.key) }) {
		slices.SortFunc(cols, func(x, y batchColumn) int { return cmp.Compare(x.key, y.key) })
	}
	for i := 1; i < len(cols); i++ {
		if cols[i-1].key == cols[i].key {
			return fmt.Errorf("batch %d has a property twice", b.Seq)
		}
	}
	w.sparse.gather(cols, b.Len())
	for i := range b.Time {
		amount := model.NoMoney
		if b.Amount != nil {
			amount = b.Amount[i]
		}
		t := appendTailHead(w.tail[:0], w.nameIDs[i], b.Dated != nil && b.Dated[i], amount)
		if w.sparse.any {
			t = w.sparse.append(t, cols, i)
		} else {
			n := uint64(0)
			for c := range cols {
				if cols[c].ids[i] != 0 {
					n++
				}
			}
			t = putUvarint(t, n)
			for c := range cols {
				t = cols[c].append(t, i)
			}
		}
		w.tail = t
		if len(t) > maxTail {
			return fmt.Errorf("a row of user %q has %d MiB of properties: %d are the most", bytes.ToValidUTF8(b.User[i], []byte("?")), len(t)>>20, maxTail>>20)
		}
		w.bytes += int64(w.bufs[model.BucketOf(b.User[i])].add(b.User[i], b.Time[i], first+int64(i), uint32(b.Source), t))
	}
	return nil
}

// append adds value i to a row's tail, if it is there.
func (c *batchColumn) append(t []byte, i int) []byte {
	switch id := c.ids[i]; id {
	case 0:
		return t
	case plainValue:
		return appendTailPlain(t, c.key, c.vals[i])
	default:
		return appendTailCode(t, c.key, id)
	}
}

// sparseCells are the values of a batch's sparse columns by row, so that rows of a
// thousand properties, each in a few of them, cost what they hold and no more.
type sparseCells struct {
	any   bool
	full  []int32 // the columns that have a value for every row
	from  []int32 // of each row, its first cell; one more at the end
	next  []int32
	cells []sparseCell
}

type sparseCell struct{ col, i int32 }

// gather sorts the values by row and column.
func (s *sparseCells) gather(cols []batchColumn, rows int) {
	s.any, s.full = false, s.full[:0]
	for c := range cols {
		if cols[c].at != nil {
			s.any = true
		} else {
			s.full = append(s.full, int32(c))
		}
	}
	if !s.any {
		return
	}
	s.from = grow(s.from, rows+1)
	clear(s.from)
	for c := range cols {
		for j, r := range cols[c].at {
			if cols[c].ids[j] != 0 {
				s.from[r+1]++
			}
		}
	}
	for r := range rows {
		s.from[r+1] += s.from[r]
	}
	s.next = append(s.next[:0], s.from...)
	s.cells = grow(s.cells, int(s.from[rows]))
	for c := range cols {
		for j, r := range cols[c].at {
			if cols[c].ids[j] != 0 {
				s.cells[s.next[r]] = sparseCell{int32(c), int32(j)}
				s.next[r]++
			}
		}
	}
}

// append adds the properties of one row, how many first, in the columns' order.
func (s *sparseCells) append(t []byte, cols []batchColumn, row int) []byte {
	cells := s.cells[s.from[row]:s.from[row+1]]
	n := uint64(len(cells))
	for _, c := range s.full {
		if cols[c].ids[row] != 0 {
			n++
		}
	}
	t = putUvarint(t, n)
	for _, c := range s.full {
		for len(cells) > 0 && cells[0].col < c {
			t = cols[cells[0].col].append(t, int(cells[0].i))
			cells = cells[1:]
		}
		t = cols[c].append(t, row)
	}
	for _, cell := range cells {
		t = cols[cell.col].append(t, int(cell.i))
	}
	return t
}

// maxTail bounds one row, which has to fit into one record.
const maxTail = 16 << 20
