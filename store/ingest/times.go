package ingest

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"dwell/model"
)

// A timeForm is a way to write times.
type timeForm uint8

const (
	formISO     timeForm = iota // 2010-12-01T08:26:00.123Z and its relatives, dates alone among them
	formCompact                 // 20101201, 20101201082600, 20101201T082600Z
	formUnix                    // seconds since 1970, with a fraction or without
	formUnixMS
	formUnixUS
	formUnixNS
	formMDY    // 12/1/2010 8:26
	formDMY    // 1/12/2010 8:26
	formMonth  // 2 January 2024 8:26, in any of some languages
	formExcel  // days since 1899-12-30
	formLayout // a Go layout
)

var formNames = []string{"iso", "yyyymmdd", "unix", "unix_ms", "unix_us", "unix_ns", "m/d/y", "d/m/y", "d mon y", "excel", "layout"}

// A stamp is a time as written: UTC if it names its zone, else wall time.
type stamp struct {
	ms    int64
	zoned bool
	dated bool // a date without a time of day
}

// A timeParser reads the times of one column.
type timeParser struct {
	form   timeForm
	layout string // of formLayout
	zoned  bool   // the layout names a zone
	abbr   bool   // by letters alone, as CET
	dated  bool   // the layout has no time of day
}

// parse reads one time; ok is false if b is not of the form.
func (p *timeParser) parse(b []byte) (st stamp, ok bool) {
	switch p.form {
	case formISO:
		return parseISO(b)
	case formCompact:
		return parseCompact(b)
	case formUnix, formUnixMS, formUnixUS, formUnixNS:
		return parseUnix(b, p.form)
	case formMDY, formDMY:
		if st, ok := parseSlash(b, p.form == formMDY); ok {
			return st, true
		}
		return parseISO(b)
	case formMonth:
		return parseMonth(b)
	case formExcel:
		return parseExcel(b)
	}
	t, err := time.ParseInLocation(p.layout, string(b), time.UTC)
	if err != nil {
		return st, false
	}
	st = stamp{ms: t.UnixMilli(), zoned: p.zoned, dated: p.dated}
	if p.abbr {
		off, ok := lettersOffset(t)
		st.ms -= off
		return st, ok
	}
	return st, true
}

// parseISO reads YYYY-MM-DD (or with / or .), alone or followed by T or a blank
// and HH or H:MM[:SS[.fraction]], alone or followed by Z, UTC, GMT or ±HH[[:]MM].
func parseISO(b []byte) (st stamp, ok bool) {
	y, n := digits(b, 4)
	if n != 4 || len(b) < 8 || b[4] != '-' && b[4] != '/' && b[4] != '.' {
		return st, false
	}
	sep := b[4]
	b = b[5:]
	m, n := digits(b, 2)
	if n == 0 || n >= len(b) || b[n] != sep {
		return st, false
	}
	b = b[n+1:]
	d, n := digits(b, 2)
	if n == 0 {
		return st, false
	}
	b = b[n:]
	day, ok := civil(y, m, d)
	if !ok {
		return st, false
	}
	st.ms = day * 86_400_000
	if len(b) == 0 {
		st.dated = true
		return st, true
	}
	if b[0] == 'T' || b[0] == 't' || b[0] == ' ' {
		if h, n := digits(b[1:], 2); n == 2 && len(b) == 3 && h < 24 { // the hour alone
			st.ms += int64(h) * 3_600_000
			return st, true
		}
		return clock(st, b[1:])
	}
	return st, false
}

// civil is the day number of a date, counted from 1970-01-01 (H. Hinnant,
// "chrono-Compatible Low-Level Date Algorithms", days_from_civil). The year 0
// stands for "no date" in some databases, whatever month and day say: it is
// valid here and falls out of range later.
func civil(y, m, d int) (int64, bool) {
	if y == 0 {
		return -719_528, m <= 12 && d <= 31
	}
	if m < 1 || m > 12 || d < 1 || d > monthLength(y, m) {
		return 0, false
	}
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era*146_097 + doe - 719_468), true
}

func monthLength(y, m int) int {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// clock adds a time of day to st: H:MM[:SS[.fraction]], then nothing, AM or PM,
// or a zone. 24:00 is the next midnight, a leap second :60 the next minute.
func clock(st stamp, b []byte) (stamp, bool) {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	h, n := digits(b, 2)
	if n == 0 || n >= len(b) || b[n] != ':' {
		return st, false
	}
	b = b[n+1:]
	m, n := digits(b, 2)
	if n != 2 {
		return st, false
	}
	b = b[2:]
	s, ms := 0, 0
	if len(b) > 0 && b[0] == ':' {
		if s, n = digits(b[1:], 2); n != 2 {
			return st, false
		}
		b = b[3:]
		if len(b) > 1 && (b[0] == '.' || b[0] == ',' || b[0] == ':') {
			i := 1
			for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
				if i <= 3 {
					ms = ms*10 + int(b[i]-'0')
				}
			}
			if i == 1 {
				return st, false
			}
			for k := i; k <= 3; k++ {
				ms *= 10
			}
			b = b[i:]
		}
	}
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	if half, rest := meridiem(b); half != 0 {
		if h < 1 || h > 12 {
			return st, false
		}
		h %= 12
		if half == 'p' {
			h += 12
		}
		b = trim(rest)
	}
	if h > 24 || m > 59 || s > 60 || h == 24 && (m > 0 || s > 0 || ms > 0) {
		return st, false
	}
	st.ms += int64(h)*3_600_000 + int64(m)*60_000 + int64(s)*1000 + int64(ms)
	if len(b) == 0 {
		return st, true
	}
	off, ok := offset(b)
	st.ms -= off
	st.zoned = true
	return st, ok
}

// meridiem reads AM, PM, a.m. or p.m. in any case.
func meridiem(b []byte) (half byte, rest []byte) {
	for _, w := range []string{"am", "pm", "a.m.", "p.m."} {
		if len(b) >= len(w) && strings.EqualFold(string(b[:len(w)]), w) {
			return w[0], b[len(w):]
		}
	}
	return 0, b
}

// offset reads a zone: Z, UTC, GMT, ±HH, ±HHMM, ±HH:MM, with [Area/City]
// or (a name) after it; in ms east.
func offset(b []byte) (ms int64, ok bool) {
	switch string(b) {
	case "Z", "z", "UTC", "GMT", "utc", "Utc":
		return 0, true
	}
	if i := bytes.IndexByte(b, '['); i > 0 && b[len(b)-1] == ']' {
		return offset(b[:i]) // the zone's name beside its offset, as Java writes it
	}
	if i := bytes.Index(b, []byte(" (")); i > 0 && b[len(b)-1] == ')' {
		return offset(b[:i]) // as a browser writes it
	}
	if bytes.HasPrefix(b, []byte("UTC")) || bytes.HasPrefix(b, []byte("GMT")) {
		b = b[3:]
	}
	if len(b) < 3 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	h, n := digits(b[1:], 2)
	if n != 2 {
		return 0, false
	}
	rest := bytes.TrimPrefix(b[3:], []byte(":"))
	m, n := digits(rest, 2)
	if len(rest) != n || n == 1 || h > 18 || m > 59 {
		return 0, false
	}
	ms = int64(h)*3_600_000 + int64(m)*60_000
	if b[0] == '-' {
		ms = -ms
	}
	return ms, true
}

// parseCompact reads YYYYMMDD, YYYYMMDDHHMM[SS[mmm]] and YYYYMMDDTHHMMSS[zone].
func parseCompact(b []byte) (st stamp, ok bool) {
	y, n := digits(b, 4)
	m, n2 := digits(b[n:], 2)
	d, n3 := digits(b[n+n2:], 2)
	if n+n2+n3 != 8 {
		return st, false
	}
	day, ok := civil(y, m, d)
	if !ok {
		return st, false
	}
	st.ms = day * 86_400_000
	b = b[8:]
	if len(b) == 0 {
		st.dated = true
		return st, true
	}
	if b[0] == 'T' || b[0] == ' ' {
		b = b[1:]
	}
	h, n := digits(b, 2)
	mi, n2 := digits(b[n:], 2)
	if n+n2 != 4 || h > 23 || mi > 59 {
		return st, false
	}
	b = b[4:]
	s, n := digits(b, 2)
	if n == 1 || s > 60 {
		return st, false
	}
	if ms, k := digits(b[n:], 3); n == 2 && k == 3 {
		st.ms += int64(ms)
		n += k
	}
	st.ms += int64(h)*3_600_000 + int64(mi)*60_000 + int64(s)*1000
	if b = b[n:]; len(b) > 0 {
		off, ok := offset(b)
		st.ms -= off
		st.zoned = true
		return st, ok
	}
	return st, true
}

// parseUnix reads a number of seconds, milli-, micro- or nanoseconds since 1970.
func parseUnix(b []byte, form timeForm) (st stamp, ok bool) {
	st.zoned = true
	d, ok, fits := parseDecimal(b)
	if !ok || !fits {
		x, err := strconv.ParseFloat(string(b), 64)
		if err != nil || math.IsNaN(x) || math.Abs(x) > 1e30 || !ok {
			return st, false
		}
		x *= []float64{1e3, 1, 1e-3, 1e-6}[form-formUnix]
		if math.Abs(x) > 1e17 {
			x = math.Copysign(1e17, x) // far out of range, and rejected as that
		}
		st.ms = int64(math.Floor(x))
		return st, true
	}
	d.s += []int{-3, 0, 3, 6}[form-formUnix]
	for d.s < 0 {
		if d.m > 1e17 || d.m < -1e17 {
			break
		}
		d.m, d.s = d.m*10, d.s+1
	}
	for d.s > 0 {
		k := min(d.s, 18)
		q := d.m / pow10[k]
		if d.m%pow10[k] < 0 {
			q--
		}
		d.m, d.s = q, d.s-k
	}
	st.ms = d.m
	return st, true
}

// parseSlash reads M/D/Y or D/M/Y with /, - or . between, alone or followed by
// a time of day. Years of two digits are 1969–2068, as in POSIX.
func parseSlash(b []byte, monthFirst bool) (st stamp, ok bool) {
	m, n := digits(b, 2)
	if n == 0 || n >= len(b) || b[n] != '/' && b[n] != '-' && b[n] != '.' {
		return st, false
	}
	sep := b[n]
	b = b[n+1:]
	d, n := digits(b, 2)
	if n == 0 || n >= len(b) || b[n] != sep {
		return st, false
	}
	b = b[n+1:]
	y, n := digits(b, 4)
	if n != 4 && n != 2 {
		return st, false
	}
	if n == 2 {
		if y += 1900; y < 1969 {
			y += 100
		}
	}
	if !monthFirst {
		m, d = d, m
	}
	day, ok := civil(y, m, d)
	if !ok {
		return st, false
	}
	st.ms = day * 86_400_000
	b = b[n:]
	if len(b) == 0 {
		st.dated = true
		return st, true
	}
	if b[0] == ',' && len(b) > 1 {
		b = b[1:]
	}
	if b[0] != ' ' && b[0] != 'T' {
		return st, false
	}
	return clock(st, b[1:])
}

// digits reads at most most digits.
func digits(b []byte, most int) (v, n int) {
	for n < len(b) && n < most && b[n] >= '0' && b[n] <= '9' {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}

// toUTC places a wall time in a zone. Where the clock is set back, a time that
// occurs twice is taken as its first occurrence; where it is set forward, a
// time that does not occur is moved forward by the length of the gap.
func toUTC(wall int64, zone *model.Calendar) (ms int64, ambiguous, missing bool) {
	const day = 86_400_000
	// The offsets a day before and a day after: no zone changes twice in two days.
	before, after := zone.Offset(wall-day), zone.Offset(wall+day)
	if before == after {
		return wall - before, false, false
	}
	first := zone.Offset(wall-before) == before
	second := zone.Offset(wall-after) == after
	switch {
	case first && second:
		return min(wall-before, wall-after), true, false
	case first:
		return wall - before, false, false
	case second:
		return wall - after, false, false
	}
	return wall - before, false, true
}
