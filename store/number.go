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
		col.vals, col.ids, col.miss = b.Props[c].Values, grow(col.ids, b.Len()), false
		key, known := w.keys[b.Props[c].Key]
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
		w.names.keep(b.Event[i], id)
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
			if id = col.nums.add(v, valueLimit); id != plainValue {
				cache.keep(v, id)
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
	for i := range b.Time {
		amount := model.NoMoney
		if b.Amount != nil {
			amount = b.Amount[i]
		}
		t := appendTailHead(w.tail[:0], w.nameIDs[i], b.Dated != nil && b.Dated[i], amount)
		n := uint64(0)
		for c := range cols {
			if cols[c].ids[i] != 0 {
				n++
			}
		}
		t = putUvarint(t, n)
		for c := range cols {
			switch id := cols[c].ids[i]; id {
			case 0:
			case plainValue:
				t = appendTailPlain(t, cols[c].key, cols[c].vals[i])
			default:
				t = appendTailCode(t, cols[c].key, id)
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

// maxTail bounds one row, which has to fit into one record.
const maxTail = 16 << 20
