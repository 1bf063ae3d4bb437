package ingest

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model"
)

// A recogniser finds out what the columns of a table mean.
type recogniser struct {
	file  string
	t     *table
	o     *Options
	m     Mapping
	cells [][]string // non-empty cells of each column
	why   map[string]string
	notes []string

	openSlash bool // the sample leaves month/day open
	slashNote int  // its note
}

// recognise makes a mapping of a table: what the options say, else names, else
// contents. It fails with a sentence that names every column it lacks and how to
// give it.
func recognise(file string, t *table, o *Options) (*recogniser, error) {
	r := &recogniser{file: file, t: t, o: o, why: map[string]string{}}
	for i := range t.names {
		r.cells = append(r.cells, t.column(i))
	}
	r.m = Mapping{Format: FormatCSV, Zone: "UTC", Encoding: o.Encoding, Header: t.header != nil}
	switch t.sx.mode {
	case modeLines:
		r.m.Format = FormatNDJSON
	case modeJSON:
		r.m.Format = FormatJSON
	default:
		r.m.Delimiter = delimiterName(t.sx.delim)
		if t.header == nil {
			r.m.Width = len(t.names)
		}
	}
	if o.Zone != "" {
		r.m.Zone = o.Zone
	}
	if err := r.columns(); err != nil {
		return nil, err
	}
	if err := r.amount(); err != nil {
		return nil, err
	}
	r.eventName()
	return r, r.properties()
}

// named checks a column given by the user; "3" and "c3" are the third of a file
// without header.
func (r *recogniser) named(option, name string) (string, error) {
	if r.t.has(name) {
		return name, nil
	}
	if r.t.has("c" + name) {
		return "c" + name, nil
	}
	hint := ""
	if n := nearest(name, r.t.names); n != "" {
		hint = fmt.Sprintf("; did you mean %q?", n)
	}
	return "", &sentence{ErrColumns, fmt.Sprintf("%s: there is no column %q, asked for with %s%s The columns are %s", r.file, name, option, orStop(hint), r.t.list())}
}

// isList says whether a cell is a list of objects.
func isList(cell string) bool {
	inner, ok := strings.CutPrefix(cell, "[")
	return ok && strings.HasPrefix(strings.TrimSpace(inner), "{")
}

// plural is a count of things.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func orStop(s string) string {
	if s == "" {
		return "."
	}
	return s
}

// columns finds user, time and event.
func (r *recogniser) columns() error {
	var err error
	o := r.o
	if o.TimeFormat != "" {
		if _, err := parseFormat(o.TimeFormat); err != nil {
			return err
		}
	}
	if o.Event != "" && o.EventConst != "" {
		return &sentence{ErrOption, "--event names a column and --event-const gives every row one name: use one of them"}
	}
	if o.Time != "" {
		if err := r.givenTime(o.Time); err != nil {
			return err
		}
	}
	if o.User != "" {
		if r.m.User, err = r.named("--user", o.User); err != nil {
			return err
		}
	}
	if o.Event != "" {
		if r.m.Event, err = r.named("--event", o.Event); err != nil {
			return err
		}
	}
	if r.m.Time == "" {
		r.findTime()
	}
	if r.m.User == "" {
		r.findUser()
	}
	if r.m.User == "" || r.m.Time == "" {
		return r.lacking()
	}
	if err := r.timeFormat(); err != nil {
		return err
	}
	r.integerUsers()
	if r.m.Event == "" && o.EventConst == "" {
		r.findEvent()
	}
	return nil
}

// givenTime takes --time: a column, or DATE+CLOCK, two of them.
func (r *recogniser) givenTime(given string) (err error) {
	date, clock, two := strings.Cut(given, "+")
	if two && !r.t.has(given) {
		if r.m.Clock, err = r.named("--time", clock); err != nil {
			return err
		}
		given = date
	}
	r.m.Time, err = r.named("--time", given)
	return err
}

// findClock looks for the time of day that belongs to a column of dates alone:
// the one other column whose cells are all H:MM or H:MM:SS.
func (r *recogniser) findClock() {
	if r.o.Time != "" {
		return
	}
	for i, n := range r.t.names {
		if n == r.m.Time || n == r.m.User || n == r.m.Event || len(r.cells[i]) == 0 || r.fill(i) < 0.9 {
			continue
		}
		all := true
		for _, c := range r.cells[i] {
			st, ok := clock(stamp{}, []byte(c))
			all = all && ok && !st.zoned
		}
		if all {
			r.m.Clock = n
			r.notes = append(r.notes, fmt.Sprintf("the time of day is taken from %s (--time %s alone drops it)", n, r.m.Time))
			delete(r.why, "zone")
			r.bareZone()
			return
		}
	}
}

// lacking is the sentence for a file without users or times.
func (r *recogniser) lacking() error {
	var what, how []string
	if i := r.calledTime(); r.m.User != "" && r.m.Time == "" && i >= 0 {
		n := r.t.names[i]
		if len(r.cells[i]) == 0 {
			return &sentence{ErrColumns, fmt.Sprintf("%s: column %s is called like a time and is empty in the first %d rows: name another with --time COLUMN. The columns are %s", r.file, n, len(r.t.rows), r.t.list())}
		}
		as := "'%d.%m.%Y %H:%M'"
		if countParsed(&timeParser{form: formExcel}, r.cells[i])*2 > len(r.cells[i]) {
			as = "excel (days since 1899-12-30)"
		}
		return &sentence{ErrColumns, fmt.Sprintf("%s: column %s is called like a time, and how its values are written (%q) is not recognised: say it with --time-format, as %s, or name another column with --time. The columns are %s",
			r.file, n, shortCell(r.cells[i][0], 40), as, r.t.list())}
	}
	if r.m.User == "" {
		what, how = append(what, "a user id"), append(how, "--user COLUMN")
	}
	if r.m.Time == "" {
		what, how = append(what, "a time"), append(how, "--time COLUMN")
	}
	for i, n := range r.t.names {
		if r.t.sx.mode != modeTable && len(r.cells[i]) > 0 && isList(r.cells[i][0]) {
			return &sentence{ErrColumns, fmt.Sprintf("%s: no member looks like %s, and %s is a list of objects: if they are the events, take them out, as jq -c '.%s[]' does, and load what comes out", r.file, strings.Join(what, ", and none like "), n, n)}
		}
	}
	if len(r.t.names) == 0 {
		return &sentence{ErrColumns, r.file + ": its objects are empty: every event needs a user and a time"}
	}
	if n := len(r.t.names); n < 3 && r.t.header == nil && r.t.sx.mode == modeTable {
		most := 0
		for _, row := range r.t.rows {
			most = max(most, len(row))
		}
		if most > n {
			return &sentence{ErrColumns, fmt.Sprintf("%s: its first row has %s, and rows below have %d: if a title stands above the header, take it off, as tail -n +LINE does", r.file, plural(n, "column"), most)}
		}
	}
	return &sentence{ErrColumns, fmt.Sprintf("%s: no column looks like %s: every event needs a user and a time. The columns are %s. If one of them is it, name it with %s", r.file, strings.Join(what, ", and none like "), r.t.list(), strings.Join(how, " and "))}
}

// calledTime is the column that is most of all called like a time, or -1.
func (r *recogniser) calledTime() int {
	return r.index(r.best(func(i int) int {
		if r.t.names[i] == r.m.User {
			return 0
		}
		if s := timeScore(r.t.names[i]); s >= 70 || s == 55 { // not T or day, which are more than times
			return s
		}
		return 0
	}))
}

func (r *recogniser) index(name string) int { return slices.Index(r.t.names, name) }

// best is the column with the highest score, first come first; "" if all are 0.
func (r *recogniser) best(score func(i int) int) string {
	best, top := "", 0
	for i, n := range r.t.names {
		if s := score(i); s > top {
			best, top = n, s
		}
	}
	return best
}

// timeFormat decides how the time column is written.
func (r *recogniser) timeFormat() error {
	cells := r.cells[r.index(r.m.Time)]
	if r.o.TimeFormat != "" {
		p, err := parseFormat(r.o.TimeFormat)
		if err != nil {
			return err
		}
		r.m.TimeFormat = p.String()
		if n := countParsed(p, cells); len(cells) > 0 && n == 0 {
			return &sentence{ErrColumns, fmt.Sprintf("%s: no time of the sample is of the form %s: column %s holds %q", r.file, p, r.m.Time, cells[0])}
		}
		return r.zoneNote(p, cells)
	}
	if len(cells) == 0 {
		return &sentence{ErrColumns, fmt.Sprintf("%s: column %s is empty in the first %d rows: name another with --time", r.file, r.m.Time, len(r.t.rows))}
	}
	g, ok := guessTime(cells, true)
	if !ok {
		g, ok = guessFaulty(cells)
	}
	if !ok {
		return &sentence{ErrColumns, fmt.Sprintf("%s: column %s does not hold times that can be recognised (%q): say how they are written with --time-format, as %%d.%%m.%%Y %%H:%%M, or name another column with --time", r.file, r.m.Time, cells[0])}
	}
	r.m.TimeFormat = g.String()
	if g.note != "" {
		r.openSlash, r.slashNote = g.open, len(r.notes)
		r.notes = append(r.notes, g.note)
	}
	return r.zoneNote(&g.timeParser, cells)
}

// zoneNote says what is assumed of times without a zone.
func (r *recogniser) zoneNote(p *timeParser, cells []string) error {
	bare, dated := 0, 0
	for _, c := range cells {
		if st, ok := p.parse([]byte(c)); ok {
			if st.dated {
				dated++
			} else if !st.zoned {
				bare++
			}
		}
	}
	switch {
	case bare > 0 || r.m.Clock != "":
		r.bareZone()
	case dated > 0:
		r.why["zone"] = "dates alone: no zone moves them"
		r.findClock()
	}
	_, err := model.NewCalendar(r.m.Zone)
	if err != nil {
		return &sentence{ErrOption, err.Error()}
	}
	return nil
}

// bareZone tells the zone of times that name none.
func (r *recogniser) bareZone() {
	r.why["zone"] = fmt.Sprintf("the times name no zone: taken as %s (--tz says another)", r.m.Zone)
	if r.o.Zone != "" {
		r.why["zone"] = fmt.Sprintf("the times name no zone: taken as %s", r.m.Zone)
	}
}

// eventName decides on one name for all rows where no column holds names.
func (r *recogniser) eventName() {
	if r.o.EventConst != "" {
		r.m.EventConst = r.o.EventConst
		return
	}
	if r.m.Event != "" {
		return
	}
	r.m.EventConst = "event"
	for _, n := range append(slices.Clone(r.t.names), r.m.Amount) {
		for _, w := range wordsOf(n) {
			switch w {
			case "invoice", "order", "purchase", "transaction", "basket", "receipt", "invoiceno", "orderid", "price", "sale", "sales":
				r.m.EventConst = "purchase"
			}
		}
	}
	if r.m.Amount != "" {
		r.m.EventConst = "purchase"
	}
	r.why["event"] = "no column holds event names: all rows are of this one (--event COLUMN, or --event-const NAME)"
}

// properties lists what is kept beside the three columns.
func (r *recogniser) properties() error {
	if r.o.Props != nil {
		for _, n := range r.o.Props {
			if n = strings.TrimSpace(n); n == "" {
				continue
			}
			if r.t.sx.mode == modeTable {
				var err error
				if n, err = r.named("--props", n); err != nil {
					return err
				}
			}
			r.m.Props = append(r.m.Props, n)
		}
		return nil
	}
	r.m.AllProps = true
	single := ""
	if a, err := parseAmount(r.m.Amount, r.t.has); r.m.Amount != "" && err == nil && a.expr.op == 'c' {
		single = a.names[0]
	}
	for _, n := range r.t.names {
		if n != r.m.User && n != r.m.Time && n != r.m.Clock && n != r.m.Event && n != single {
			r.m.Props = append(r.m.Props, n)
		}
	}
	return nil
}
