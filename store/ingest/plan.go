package ingest

import (
	"fmt"
	"slices"

	"dwell/model"
)

// openPlan opens an input and makes the mapping ready for it. The stream then
// stands at the beginning of the text.
func openPlan(in *Input, m *Mapping, o *Options) (*stream, *plan, error) {
	s, err := in.open()
	if err != nil {
		return nil, nil, err
	}
	var t *table
	if in.piece != nil {
		t = in.piece.plan
		if _, err = s.decode(m.Encoding); in.piece.src.From == 0 {
			s.sepLine()
			s.comments()
		}
	} else {
		t, err = sampleFor(s, m)
	}
	if err == nil {
		var p *plan
		if p, err = newPlan(in.Name(), t, m, o); err == nil {
			if s.parquet != nil {
				p.bind(s.parquet, m)
			}
			return s, p, nil
		}
	}
	s.Close()
	return nil, nil, err
}

// sampleFor takes the file's beginning apart as the mapping says; where the
// mapping's columns are not found, by what the file itself looks like: the next
// export of the same data may come with another delimiter or as JSON.
func sampleFor(s *stream, m *Mapping) (*table, error) {
	if s.parquet != nil {
		s.text = s.parquet.asText(s.parquet.wanted(m))
	}
	if _, err := s.decode(m.Encoding); err != nil {
		return nil, err
	}
	t, err := s.sample(func(text []byte, whole bool) (*table, error) {
		return readFor(s.in.Name(), text, whole, s.sep, m)
	})
	if err == nil && s.parquet != nil {
		t.widen(s.parquet.wanted(m))
	}
	return t, err
}

func readFor(name string, text []byte, whole bool, sep byte, m *Mapping) (*table, error) {
	format := guessFormat(text)
	if format != FormatCSV {
		return readTable(name, text, whole, format, 0, "")
	}
	header := "no"
	if m.Header {
		header = "yes"
	}
	if m.Format != FormatCSV {
		return readTable(name, text, whole, FormatCSV, sep, "")
	}
	delim, err := delimiterByte(m.Delimiter)
	if err != nil {
		return nil, err
	}
	if sep != 0 {
		delim = sep
	}
	t, err := readTable(name, text, whole, FormatCSV, delim, header)
	if err == nil && t.missing(m) != "" {
		if other, oerr := readTable(name, text, whole, FormatCSV, 0, header); oerr == nil && (other.missing(m) == "" || len(t.names) == 1) {
			return other, nil
		}
	}
	return t, err
}

// missing is what the mapping needs and the file lacks, as a sentence calls it: the
// first such column, or how many there have to be; "" if nothing is.
func (t *table) missing(m *Mapping) string {
	need := []string{m.User, m.Time}
	for _, n := range []string{m.Event, m.Clock} {
		if n != "" {
			need = append(need, n)
		}
	}
	if m.Amount != "" {
		if a, err := parseAmount(m.Amount, t.has); err == nil {
			need = append(need, a.names...)
		}
	}
	if !m.AllProps {
		need = append(need, m.Props...)
	}
	for _, n := range need {
		// A JSON key may be absent from the first rows; only user and time must be there.
		if !t.has(n) && (t.sx.mode == modeTable || n == m.User || n == m.Time) {
			return fmt.Sprintf("a column %q", n)
		}
	}
	if t.sx.mode == modeTable && t.header == nil && m.Width > 0 && len(t.names) != m.Width {
		return fmt.Sprintf("%d columns", m.Width)
	}
	return ""
}

func (t *table) has(name string) bool { return slices.Contains(t.names, name) }

// newPlan makes the mapping ready for a file that looks like t.
func newPlan(file string, t *table, m *Mapping, o *Options) (*plan, error) {
	if miss := t.missing(m); miss != "" {
		has := "it has " + t.list()
		if t.header == nil && t.sx.mode == modeTable {
			has = fmt.Sprintf("it has %d columns and no header", len(t.names))
		}
		return nil, &sentence{ErrColumns, fmt.Sprintf("%s: the mapping wants %s, and %s: name the right columns (--user, --time, --event, --amount, --props), or load the file into a data set of its own", file, miss, has)}
	}
	if t.header != nil && len(t.rows) == 0 {
		return nil, t.noRows(file)
	}
	p := &plan{sx: t.sx, header: t.header, integer: m.UserInteger, event: -1, consts: []byte(m.EventConst), rest: m.AllProps,
		allow: o.AllowFuture, latest: o.Now.UnixMilli() + 86_400_000}
	var err error
	if p.times, err = parseFormat(m.TimeFormat); err != nil {
		return nil, err
	}
	if p.zone, err = model.NewCalendar(m.Zone); err != nil {
		return nil, &sentence{ErrOption, err.Error()}
	}
	if m.Amount != "" {
		if p.amount, err = parseAmount(m.Amount, t.has); err != nil {
			return nil, err
		}
		p.amount.style = numberStyle(max(0, slices.Index(numberNames, m.Number)))
	}
	if t.sx.mode == modeTable {
		p.names = t.names
	}
	p.place(m)
	p.fit(file, t, m, o)
	return p, nil
}

// place finds the columns of the mapping in p.names; of JSON they are put there.
func (p *plan) place(m *Mapping) {
	at := func(name string) int {
		i := slices.Index(p.names, name)
		if i < 0 {
			p.names = append(p.names, name)
			i = len(p.names) - 1
		}
		return i
	}
	p.user, p.time = at(m.User), at(m.Time)
	if m.Event != "" {
		p.event = at(m.Event)
	}
	p.clock = -1
	if m.Clock != "" {
		p.clock = at(m.Clock)
	}
	taken := []int{p.user, p.time, p.event, p.clock}
	if p.amount != nil {
		for _, n := range p.amount.names {
			p.cells = append(p.cells, at(n))
		}
		if p.amount.expr.op == 'c' {
			taken = append(taken, p.cells...) // a plain amount column is no property as well
		}
	}
	if m.AllProps {
		for i := range p.names {
			if !slices.Contains(taken, i) {
				p.props = append(p.props, i)
			}
		}
		return
	}
	for _, n := range m.Props {
		if i := at(n); !slices.Contains(p.props, i) {
			p.props = append(p.props, i)
		}
	}
}

// userID is the user a row is of, from its trimmed cell, or why it is of none.
func (p *plan) userID(b []byte) ([]byte, reason) {
	if isNobody(b) {
		return nil, noUser
	}
	if p.integer {
		b = dropPointZero(b)
	}
	if len(b) > MaxID {
		return nil, longUser
	}
	return b, accepted
}

// eventName is the name of a row's event, from its trimmed cell, or why it has none.
func (p *plan) eventName(b []byte) ([]byte, reason) {
	if p.event < 0 {
		return p.consts, accepted
	}
	if isAbsent(b) {
		return nil, noEvent
	}
	if len(b) > MaxID {
		return nil, longEvent
	}
	return b, accepted
}
