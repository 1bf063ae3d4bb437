package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dwell/model"
)

// A Recognition is how a file would be read, for a person to look at.
type Recognition struct {
	Mapping  Mapping
	Lines    []string  // what was recognised, ready to print
	Rows     []Preview // the first rows as they would be stored
	Columns  []string  // of the file
	Zoneless bool      // some times name no zone, and nobody has said which: ask
}

// A Preview is a row as it would be stored, or why it would not be.
type Preview struct {
	Line                      int64
	User, Time, Event, Amount string
	Props                     [][2]string // key and value
	Reject                    string      // the reason, "" if the row would be stored
	Text                      string      // of a rejected row
}

const previewRows = 5

// Inspect recognises how a file is to be read, and stores nothing. Of standard
// input it keeps what it has read for Load.
//
// With Options.Stored the stored mapping is used, with the options' columns in
// place of its own, and a sentence says so if it does not fit the file.
func Inspect(ctx context.Context, in *Input, o Options) (*Recognition, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var rec *Recognition
	err := in.interruptible(ctx, func() (err error) {
		rec, err = inspect(ctx, in, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rec, nil
}

func inspect(ctx context.Context, in *Input, o Options) (*Recognition, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s, err := in.open()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	want := o.Encoding
	if want == "" && o.Stored != nil {
		want = o.Stored.Encoding
	}
	encoding, err := s.decode(want)
	if err != nil {
		return nil, err
	}
	var sample []byte
	var whole bool
	t, err := s.sample(func(text []byte, all bool) (*table, error) {
		sample, whole = text, all
		return readOptions(in.Name(), text, all, s.sep, &o)
	})
	if err != nil {
		return nil, err
	}
	if len(t.rows) == 0 {
		return nil, t.noRows(in.Name())
	}
	if s.parquet != nil {
		t.widen(s.parquet.leaves)
	}
	r, err := recogniseOrReuse(in.Name(), t, &o)
	if err != nil {
		return nil, err
	}
	if err := r.m.check(); err != nil {
		return nil, err
	}
	p, err := newPlan(in.Name(), t, &r.m, &o)
	if err != nil {
		return nil, err
	}
	if err := r.settleSlash(ctx, in, &o); err != nil {
		return nil, err
	}
	if p.times, err = parseFormat(r.m.TimeFormat); err != nil {
		return nil, err
	}
	rec := &Recognition{Mapping: r.m, Columns: t.names, Zoneless: strings.Contains(r.why["zone"], "--tz")}
	rec.Lines = r.lines(s.packed, encoding)
	if s.remarks > 0 {
		rec.Lines = append(rec.Lines, fmt.Sprintf("  note: %s of comment before the first row left out", plural(s.remarks, "line")))
	}
	rec.Rows = preview(p, sample, whole, 1+s.skipped)
	return rec, nil
}

// check validates options that need no file.
func (o *Options) check() error {
	if o.Delimiter != "" {
		if _, err := delimiterByte(o.Delimiter); err != nil {
			return err
		}
	}
	if o.Header != "" && o.Header != "yes" && o.Header != "no" {
		return &sentence{ErrOption, fmt.Sprintf("--header is %q: use yes or no", o.Header)}
	}
	if o.Zone != "" {
		if _, err := model.NewCalendar(o.Zone); err != nil {
			return &sentence{ErrOption, err.Error()}
		}
	}
	return nil
}

// readOptions takes the sample apart as the options or the stored mapping say.
// Columns that the options name by name settle what neither shows: a first row
// that holds them is a header, and where the stored mapping cuts the file into
// columns that lack one of them, the file is written otherwise and looked at anew.
func readOptions(name string, text []byte, whole bool, sep byte, o *Options) (*table, error) {
	if m := o.Stored; m != nil && o.Delimiter == "" && o.Header == "" {
		t, err := readFor(name, text, whole, sep, m)
		if err == nil && t.hasAll(o.columnNames()) {
			return t, nil
		}
		if other, otherErr := readNamed(name, text, whole, sep, o); otherErr == nil && (err != nil || other.hasAll(o.columnNames())) {
			return other, nil
		}
		return t, err
	}
	return readNamed(name, text, whole, sep, o)
}

// columnNames are the user, time and event columns that the options name.
func (o *Options) columnNames() (names []string) {
	for _, n := range []string{o.User, o.Time, o.Event} {
		if n != "" {
			names = append(names, n)
		}
	}
	return names
}

// hasAll says whether the table has each of the columns; a time in two columns
// (DATE+CLOCK) counts by both.
func (t *table) hasAll(names []string) bool {
	for _, n := range names {
		date, clock, two := strings.Cut(n, "+")
		if !t.has(n) && !t.has("c"+n) && !(two && t.has(date) && t.has(clock)) {
			return false
		}
	}
	return true
}

// readNamed takes the sample apart without a mapping: as the options say, else as
// it looks, else by the columns that the options name.
func readNamed(name string, text []byte, whole bool, sep byte, o *Options) (*table, error) {
	t, err := readPlain(name, text, whole, sep, o, o.Header)
	if err != nil || o.Header != "" || t.header != nil || t.sx.mode != modeTable || t.hasAll(o.columnNames()) {
		return t, err
	}
	if headed, err := readPlain(name, text, whole, sep, o, "yes"); err == nil && headed.hasAll(o.columnNames()) {
		return headed, nil
	}
	return t, nil
}

func readPlain(name string, text []byte, whole bool, sep byte, o *Options, header string) (*table, error) {
	format, delim := guessFormat(text), sep
	if o.Delimiter != "" {
		var err error
		if delim, err = delimiterByte(o.Delimiter); err != nil {
			return nil, err
		}
		format = FormatCSV
	}
	return readTable(name, text, whole, format, delim, header)
}

// recogniseOrReuse recognises the table, or fits the stored mapping to it.
func recogniseOrReuse(name string, t *table, o *Options) (*recogniser, error) {
	if o.Stored == nil {
		return recognise(name, t, o)
	}
	old := o.Stored
	if miss := t.missing(old); miss != "" && o.User == "" && o.Time == "" && o.Event == "" && o.EventConst == "" && o.Amount == "" && o.Props == nil {
		return nil, &sentence{ErrColumns, fmt.Sprintf("%s: the mapping of the earlier load wants %s, and the file has %s: name its columns (--user, --time, --event, --amount, --props), or load it into a data set of its own", name, miss, t.list())}
	}
	use := *o
	first := func(s *string, stored string) {
		if *s == "" {
			*s = stored
		}
	}
	// A file with columns of its own is named by the options as far as they go;
	// what they leave open is recognised, not looked for under the old names.
	if t.has(old.User) {
		first(&use.User, old.User)
	}
	if use.Time == "" && t.has(old.Time) {
		if use.Time = old.Time; old.Clock != "" {
			use.Time += "+" + old.Clock
		}
		if use.TimeFormat == "" {
			use.TimeFormat = fittingFormat(t, old)
		}
	}
	if use.Event == "" && use.EventConst == "" && (old.Event == "" || t.has(old.Event)) {
		use.Event, use.EventConst = old.Event, old.EventConst
	}
	if t.hasAmount(old.Amount) {
		first(&use.Amount, old.Amount)
	}
	first(&use.Zone, old.Zone)
	first(&use.Encoding, old.Encoding)
	if use.Props == nil && !old.AllProps {
		use.Props = append([]string{}, old.Props...)
	}
	r, err := recognise(name, t, &use)
	if err != nil {
		return nil, err
	}
	// A data set without amounts goes on without them: a person may have meant it
	// so. A column that no earlier file had is another matter.
	if old.Amount == "" && o.Amount == "" && !newAmount(r.m.Amount, old) {
		r.m.Amount, r.m.Number = "", ""
		delete(r.why, "amount")
		if err := r.reprop(); err != nil {
			return nil, err
		}
	}
	r.m.UserInteger = r.m.UserInteger || old.UserInteger
	r.notes = append([]string{"the mapping of the earlier load is used"}, r.notes...)
	if use.TimeFormat == "" {
		r.notes = append(r.notes, fmt.Sprintf("times are written otherwise than in the earlier load: read as %s", r.m.TimeFormat))
	}
	return r, nil
}

// hasAmount says whether the columns of an amount are all there.
func (t *table) hasAmount(amount string) bool {
	a, err := parseAmount(amount, t.has)
	return err == nil && !slices.ContainsFunc(a.names, func(n string) bool { return !t.has(n) })
}

// newAmount says whether an amount is of columns that the stored mapping does not
// know.
func newAmount(amount string, old *Mapping) bool {
	if amount == "" || !old.AllProps {
		return false
	}
	a, err := parseAmount(amount, nil)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(a.names, func(n string) bool { return slices.Contains(old.Props, n) })
}

// reprop lists the properties again after the amount has changed.
func (r *recogniser) reprop() error {
	r.m.Props = nil
	return r.properties()
}

// fittingFormat is the stored time format if it reads the file's times, else "".
func fittingFormat(t *table, m *Mapping) string {
	p, err := parseFormat(m.TimeFormat)
	if err != nil {
		return ""
	}
	for i, n := range t.names {
		if n == m.Time {
			if cells := t.column(i); len(cells) > 0 && countParsed(p, cells)*2 >= len(cells) && (p.form < formUnix || p.form > formUnixNS || plausible(p, cells, 0.5)) {
				return m.TimeFormat
			}
		}
	}
	return ""
}

// lines describe the recognition.
func (r *recogniser) lines(packed, encoding string) []string {
	m := &r.m
	how := []string{strings.ToUpper(m.Format)}
	switch packed {
	case "":
	case "parquet":
		how[0] = fmt.Sprintf("Parquet, %d columns", len(r.t.names))
	default:
		how = append(how, packed)
	}
	if m.Format == FormatCSV {
		how = append(how, delimiterWord(m.Delimiter), fmt.Sprintf("%d columns", len(r.t.names)))
		if m.Header {
			how = append(how, "header")
		} else {
			how = append(how, "no header: columns are called c1, c2, …")
		}
	}
	how = append(how, encoding)
	out := []string{r.file + ": " + strings.Join(how, ", ")}
	add := func(label, value, why string) {
		line := fmt.Sprintf("  %-7s %s", label, value)
		if why != "" {
			line += "   (" + why + ")"
		}
		out = append(out, line)
	}
	given := func(option, before, why string) string {
		switch {
		case option == "":
			return why
		case option == before:
			return "as before"
		}
		return "as given"
	}
	old := r.o.Stored
	if old == nil {
		old = &Mapping{}
	}
	add("user", m.User, given(r.o.User, old.User, r.why["user"]))
	when := m.Time
	if m.Clock != "" {
		when += " and " + m.Clock
	}
	before := old.Time
	if old.Clock != "" {
		before += "+" + old.Clock
	}
	add("time", when+" as "+m.TimeFormat, given(r.o.Time, before, r.why["time"]))
	if why := r.why["zone"]; why != "" {
		add("zone", m.Zone, why)
	}
	if m.Event != "" {
		add("event", m.Event, given(r.o.Event, old.Event, r.why["event"]))
	} else {
		add("event", `"`+m.EventConst+`"`, given(r.o.EventConst, old.EventConst, r.why["event"]))
	}
	if m.Amount != "" {
		add("amount", m.Amount, given(r.o.Amount, old.Amount, r.why["amount"]))
	} else {
		add("amount", "none", "--amount COLUMN, or an expression, gives one")
	}
	props := strings.Join(m.Props, ", ")
	if len(m.Props) > 40 {
		props = strings.Join(m.Props[:40], ", ") + fmt.Sprintf(" and %d more", len(m.Props)-40)
	}
	if props == "" {
		props = "none"
	}
	add("props", props, "")
	for _, n := range r.notes {
		out = append(out, "  note: "+n)
	}
	return out
}

// preview parses the first rows of the sample.
func preview(p *plan, sample []byte, whole bool, line int64) (out []Preview) {
	end := 0
	for n := 0; n <= previewRows && end < len(sample); {
		e, kind := p.sx.next(sample, end, whole)
		if kind == rowMore || kind == rowLong {
			break
		}
		if len(trim(sample[end:e])) > 0 {
			n++
		}
		end = e
	}
	b := block{line: line, data: sample[:end]}
	if p.header != nil {
		b = cutHeader(p.sx, b)
	}
	w := newWorker(p, false, &tally{})
	got := w.parse(b)
	for i := range got.batch.Time {
		out = append(out, previewRow(&got.batch, i))
	}
	for _, r := range got.rejects {
		out = append(out, Preview{Line: r.line, Reject: r.reason.String(), Text: string(r.text)})
	}
	slices.SortStableFunc(out, func(a, b Preview) int { return cmp.Compare(a.Line, b.Line) })
	return out
}

func previewRow(b *model.Batch, i int) Preview {
	v := Preview{Line: b.Line[i], User: string(b.User[i]), Event: string(b.Event[i])}
	at := time.UnixMilli(b.Time[i]).UTC()
	if b.Dated != nil && b.Dated[i] {
		v.Time = at.Format("2006-01-02")
	} else {
		v.Time = at.Format("2006-01-02 15:04:05.999 UTC")
	}
	if b.Amount != nil {
		v.Amount = b.Amount[i].String()
	}
	for _, c := range b.Props {
		if value := c.Value(i); len(value) > 0 {
			v.Props = append(v.Props, [2]string{c.Key, string(value)})
		}
	}
	return v
}
