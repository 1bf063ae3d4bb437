package ingest

import (
	"context"
	"io"
	"math"
	"slices"
	"sync"
	"time"
)

// A guessedTime is a form with what must be told about it.
type guessedTime struct {
	timeParser
	note string
	open bool // month/day and day/month both fit
}

// knownLayouts are forms with month names, in Go's notation.
var knownLayouts = []string{
	"2 Jan 2006", "2 Jan 2006 15:04", "2 Jan 2006 15:04:05", "Jan 2, 2006", "Jan 2, 2006 15:04", "Jan 2, 2006 15:04:05", "Jan 2, 2006 3:04 PM", "Jan 2, 2006 3:04:05 PM",
	"Jan 2, 2006, 3:04 PM", "Jan 2, 2006, 3:04:05 PM",
	"January 2, 2006", "January 2, 2006 15:04", "January 2, 2006 15:04:05", "January 2, 2006 3:04 PM", "2 January 2006", "2 January 2006 15:04", "2 January 2006 15:04:05", "Jan 2 2006",
	"2-Jan-2006", "2-Jan-2006 15:04", "2-Jan-2006 15:04:05", "2-Jan-06", "2-Jan-06 15:04", "2-Jan-06 15:04:05", "2-Jan-06 3:04:05 PM",
	// Those with an offset before those with letters, which take +0000 as well.
	"02/Jan/2006:15:04:05 -0700", time.ANSIC, time.UnixDate, time.RubyDate, time.RFC1123Z, time.RFC1123, time.RFC850, "2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST",
	"Mon Jan 2 2006 15:04:05 GMT-0700", "2006-01-02 15:04:05 -0700 MST", "2006-01-02 15:04:05 MST",
}

// guessTime finds the form nine in ten of the cells have. named says that the
// column is called like a time: only then are plain numbers taken for Unix times.
func guessTime(cells []string, named bool) (*guessedTime, bool) {
	for _, f := range []timeForm{formISO, formCompact} {
		p := timeParser{form: f}
		if mostlyParsed(&p, cells) && (f == formISO || plausible(&p, cells, 0.9)) {
			return &guessedTime{timeParser: p}, true
		}
	}
	if named {
		for _, f := range []timeForm{formUnix, formUnixMS, formUnixUS, formUnixNS} {
			p := timeParser{form: f}
			if mostlyParsed(&p, cells) && plausible(&p, cells, 0.5) {
				return &guessedTime{timeParser: p}, true
			}
		}
	}
	if g, ok := guessSlash(cells); ok {
		return g, true
	}
	var layout *timeParser
	for _, l := range knownLayouts {
		p, err := parseFormat(l)
		if err == nil && mostlyParsed(p, cells) {
			layout = p
			break
		}
	}
	// One layout is one way to write a time; where it leaves some out, or there is
	// none, months in letters are read however they are written.
	m := &timeParser{form: formMonth}
	if n := countParsed(m, cells); float64(n) >= 0.9*float64(len(cells)) && n > 0 && (layout == nil || n > countParsed(layout, cells)) {
		return &guessedTime{timeParser: *m}, true
	}
	if layout == nil {
		return nil, false
	}
	return &guessedTime{timeParser: *layout}, true
}

// guessFaulty finds the form of a time column, known for one by its name or from
// a person, whose cells are no times in more than one case in ten: the form that
// most of them have, if that is half of them at least. The rest are rejected row
// by row, each under its reason.
func guessFaulty(cells []string) (*guessedTime, bool) {
	for _, f := range []timeForm{formISO, formCompact, formUnix, formUnixMS, formMDY, formDMY, formMonth} {
		p := timeParser{form: f}
		good := slices.DeleteFunc(slices.Clone(cells), func(c string) bool { _, ok := p.parse([]byte(c)); return !ok })
		if len(good) > 0 && 2*len(good) >= len(cells) {
			if g, ok := guessTime(good, true); ok {
				return g, true
			}
		}
	}
	return nil, false
}

// mostlyParsed says whether nine in ten of the cells parse. It stops as soon as
// that is out of reach: most columns are no times, and each is held against some
// thirty forms.
func mostlyParsed(p *timeParser, cells []string) bool {
	bad := 0
	for _, c := range cells {
		if _, ok := p.parse([]byte(c)); !ok {
			if bad++; float64(len(cells)-bad) < 0.9*float64(len(cells)) {
				return false
			}
		}
	}
	return len(cells) > bad
}

func countParsed(p *timeParser, cells []string) (n int) {
	for _, c := range cells {
		if _, ok := p.parse([]byte(c)); ok {
			n++
		}
	}
	return n
}

// plausible says whether a share of the cells falls into 1985–2100.
func plausible(p *timeParser, cells []string, share float64) bool {
	n := 0
	for _, c := range cells {
		if st, ok := p.parse([]byte(c)); ok && st.ms > 473_385_600_000 && st.ms < 4_102_444_800_000 {
			n++
		}
	}
	return float64(n) >= share*float64(len(cells))
}

// guessSlash decides between month/day and day/month from the whole sample: a
// number above 12 settles it. If none is, the reading under which the sample
// spans far less time is taken, because a log's first megabyte is dense; else
// month/day. What is assumed is said.
func guessSlash(cells []string) (*guessedTime, bool) {
	mdy, dmy := &timeParser{form: formMDY}, &timeParser{form: formDMY}
	if !mostlyParsed(mdy, cells) && !mostlyParsed(dmy, cells) {
		return nil, false
	}
	m, d := countParsed(mdy, cells), countParsed(dmy, cells)
	switch {
	case m > d:
		return &guessedTime{timeParser: *mdy, note: "times are read as month/day/year: days above 12 show it"}, true
	case d > m:
		return &guessedTime{timeParser: *dmy, note: "times are read as day/month/year: days above 12 show it"}, true
	}
	ms, ds := span(mdy, cells), span(dmy, cells)
	if ds*3 < ms {
		return &guessedTime{timeParser: *dmy, open: true, note: "times are read as day/month/year, an assumption: no day above 12 in the sample, but read so it spans less time (--time-format m/d/y says otherwise)"}, true
	}
	return &guessedTime{timeParser: *mdy, open: true, note: "times are read as month/day/year, an assumption: no day above 12 in the sample settles it (--time-format d/m/y says otherwise)"}, true
}

// span is the time between the first and last cell, in ms, a day at least.
func span(p *timeParser, cells []string) float64 {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	for _, c := range cells {
		if st, ok := p.parse([]byte(c)); ok {
			lo, hi = min(lo, st.ms), max(hi, st.ms)
		}
	}
	return math.Max(float64(hi-lo), 86_400_000)
}

// slashLimit bounds how much text is looked at to settle month/day or day/month.
const slashLimit = 64 << 20

// settleSlash looks beyond the sample for a number above 12 when the sample left
// open whether months or days come first. Standard input cannot be looked at
// twice, and the assumption stands.
func (r *recogniser) settleSlash(ctx context.Context, in *Input, o *Options) error {
	if !r.openSlash || in.stdin != nil {
		return nil
	}
	s, p, err := openPlan(in, &r.m, o)
	if err != nil {
		return err
	}
	defer s.Close()
	mdy, dmy := timeParser{form: formMDY}, timeParser{form: formDMY}
	var vals [][]byte
	var arena []byte
	sp := s.splitter(p.sx, &sync.Pool{New: func() any { return new([]byte) }})
	for read := 0; read < slashLimit && p.sx.mode == modeTable; {
		b, err := sp.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return s.readError(err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		read += len(b.data)
		for at := 0; at < len(b.data) && b.long == longNone; {
			end, kind := p.sx.next(b.data, at, true)
			row := chomp(b.data[at:end])
			at = end
			if kind != rowOK {
				continue
			}
			vals, arena = p.sx.fields(row, vals[:0], &arena), arena[:0]
			if len(vals) <= p.time {
				continue
			}
			c := trim(vals[p.time])
			_, m := mdy.parse(c)
			_, d := dmy.parse(c)
			if m == d {
				continue
			}
			r.m.TimeFormat = formNames[formMDY]
			word := "month/day/year"
			if d {
				r.m.TimeFormat, word = formNames[formDMY], "day/month/year"
			}
			r.notes[r.slashNote] = "times are read as " + word + ": " + string(c) + ", further down, shows it"
			return nil
		}
	}
	return nil
}
