package ingest

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"

	"dwell/model"
)

// A tally notes the days that have events, one bit each. Workers share it.
type tally struct {
	days [maxTime/86_400_000/64 + 1]atomic.Uint64
}

func (t *tally) day(d model.Day) {
	if w, bit := &t.days[d/64], uint64(1)<<(d%64); w.Load()&bit == 0 {
		w.Or(bit)
	}
}

// emptyDays lists the days without an event between the first and last with
// one, at most model.MaxEmptyDays.
func (t *tally) emptyDays() (out []model.Day) {
	prev := model.NoDay
	for i := range t.days {
		word := t.days[i].Load()
		for bit := 0; word != 0 && bit < 64; bit++ {
			if word&(1<<bit) == 0 {
				continue
			}
			d := model.Day(i*64 + bit)
			for e := prev + 1; prev != model.NoDay && e < d && len(out) < model.MaxEmptyDays; e++ {
				out = append(out, e)
			}
			prev = d
		}
	}
	return out
}

// A report adds up the quality of a load, block by block in file order.
type report struct {
	q       model.Quality
	names   []string // of the inputs
	reasons [reasonsEnd]model.Reject
	rows    []int64 // stored, by input
	read    []int64 // by input
	last    int64
	source  int // of last; -1 before the first stored row
	types   map[string]*[kinds]int64
	out     *rejectWriter
	columns []string // that the mapping names
}

func newReport(names []string, rejects io.Writer) *report {
	r := &report{names: names, source: -1, types: map[string]*[kinds]int64{}, rows: make([]int64, len(names)), read: make([]int64, len(names))}
	if rejects != nil {
		r.out = &rejectWriter{w: csv.NewWriter(rejects)}
	}
	return r
}

// add takes the next block.
func (r *report) add(p *parsed) error {
	f := &p.facts
	r.q.Read += p.read
	r.q.Ambiguous += f.ambiguous
	r.q.Missing += f.missing
	r.q.Future += f.future
	r.q.Rounded += f.rounded
	r.q.BadUTF8 += f.badUTF8
	r.q.Unordered += f.unordered
	if f.rows > 0 {
		if r.source == p.block.source && f.first < r.last {
			r.q.Unordered++
		}
		r.last, r.source = f.last, p.block.source
	}
	r.rows[p.block.source] += f.rows
	r.read[p.block.source] += p.read
	for i := range p.rejects {
		row := &p.rejects[i]
		if !row.more {
			rej := &r.reasons[row.reason]
			rej.Count++
			if len(rej.Lines) < model.MaxRejectLines {
				rej.Lines = append(rej.Lines, model.Line{Source: p.block.source, Line: row.line, Text: cutText(row.text)})
			}
		}
		if r.out != nil {
			if err := r.out.write(r.names[p.block.source], row); err != nil {
				return err
			}
		}
	}
	return nil
}

func cutText(b []byte) string { return string(b[:min(len(b), lineText)]) }

// rejected is the number of rejected rows so far.
func (r *report) rejected() (n int64) {
	for i := range r.reasons {
		n += r.reasons[i].Count
	}
	return n
}

// finish gives the report: reasons by count, keys by name.
func (r *report) finish(t *tally) (model.Quality, error) {
	for i := range r.reasons {
		if r.reasons[i].Count > 0 {
			r.reasons[i].Reason = reason(i).String()
			r.q.Rejected = append(r.q.Rejected, r.reasons[i])
		}
	}
	slices.SortStableFunc(r.q.Rejected, func(a, b model.Reject) int { return cmp.Compare(b.Count, a.Count) })
	names := append(slices.Collect(maps.Keys(r.types)), r.columns...)
	for key, n := range r.types {
		if *n == ([kinds]int64{kindAbsent: n[kindAbsent], kindNull: n[kindNull]}) && isParent(key, names) {
			continue // an object that is not there (see dropParents)
		}
		r.q.Types = append(r.q.Types, model.KeyTypes{Key: key, Text: n[kindText], Number: n[kindNumber], Bool: n[kindBool],
			Time: n[kindTime], Null: n[kindNull], Compound: n[kindCompound]})
	}
	slices.SortFunc(r.q.Types, func(a, b model.KeyTypes) int { return cmp.Compare(a.Key, b.Key) })
	r.q.EmptyDays = t.emptyDays()
	if r.out != nil {
		return r.q, r.out.close()
	}
	return r.q, nil
}

// addTypes merges a worker's counts.
func (r *report) addTypes(types map[string]*[kinds]int64) {
	for key, n := range types {
		sum := r.types[key]
		if sum == nil {
			sum = new([kinds]int64)
			r.types[key] = sum
		}
		for i := range n {
			sum[i] += n[i]
		}
	}
}

// A rejectWriter writes rejected rows as CSV: file, line, reason, row. The row
// stands verbatim in its quoted column; one beyond MaxRow goes on in further
// records with the same line and the reason "continued".
type rejectWriter struct {
	w     *csv.Writer
	begun bool
}

func (rw *rejectWriter) write(file string, row *rejected) error {
	if !rw.begun {
		rw.begun = true
		if err := rw.w.Write([]string{"file", "line", "reason", "row"}); err != nil {
			return rejectError(err)
		}
	}
	why := row.reason.String()
	if row.more {
		why = "continued"
	}
	if err := rw.w.Write([]string{file, strconv.FormatInt(row.line, 10), why, string(row.text)}); err != nil {
		return rejectError(err)
	}
	return nil
}

func (rw *rejectWriter) close() error {
	rw.w.Flush()
	if err := rw.w.Error(); err != nil {
		return rejectError(err)
	}
	return nil
}

func rejectError(err error) error {
	return fmt.Errorf("the rejected rows cannot be written: %w", err)
}
