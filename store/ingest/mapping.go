package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"dwell/model"
)

// A Mapping says how a file is read: the recognised columns, or what a person
// made of them. The caller stores it as TOML (shelf kind mapping) and passes it
// back as Options.Stored, so that a second file needs no flags.
type Mapping struct {
	Format    string `toml:"format" comment:"csv, ndjson (one object a line) or json (an array of objects)"`
	Delimiter string `toml:"delimiter,omitempty" comment:"of csv: , ; | tab blanks, or any one ASCII character"`
	Header    bool   `toml:"header" comment:"of csv: the first line names the columns; without it they are c1, c2, …"`
	Width     int    `toml:"width,omitempty" comment:"of csv without header: how many columns there are"`
	Encoding  string `toml:"encoding,omitempty" comment:"utf-8 unless told otherwise"`

	User        string `toml:"user"`
	UserInteger bool   `toml:"user_integer,omitempty" comment:"ids were written as 17850.0: the .0 is dropped"`
	Time        string `toml:"time"`
	Clock       string `toml:"clock,omitempty" comment:"column with the time of day, where time holds the date alone"`
	TimeFormat  string `toml:"time_format" comment:"iso, yyyymmdd, unix, unix_ms, unix_us, unix_ns, m/d/y, d/m/y, d mon y, excel, or a Go layout"`
	Zone        string `toml:"zone" comment:"of times that name none (IANA)"`
	Event       string `toml:"event,omitempty" comment:"column with the event's name"`
	EventConst  string `toml:"event_const,omitempty" comment:"or one name for every row"`
	Amount      string `toml:"amount,omitempty" comment:"a column, or an expression such as Quantity*UnitPrice"`
	Number      string `toml:"number,omitempty" comment:"how amounts are written: 1234.5, 1,234.5 or 1.234,5"`

	Props    []string `toml:"props" comment:"columns kept as properties"`
	AllProps bool     `toml:"all_props" comment:"columns not named here become properties too"`
}

// Formats of a file.
const (
	FormatCSV    = "csv"
	FormatNDJSON = "ndjson"
	FormatJSON   = "json"
)

// TOML writes the mapping as TOML; equal mappings give equal bytes.
func (m *Mapping) TOML() []byte {
	body, err := toml.Marshal(m)
	if err != nil {
		panic(err) // strings, numbers and lists of strings always marshal
	}
	return body
}

// ParseMapping reads a mapping. Errors name line and column.
func ParseMapping(body []byte) (*Mapping, error) {
	m := &Mapping{}
	err := toml.NewDecoder(bytes.NewReader(body)).DisallowUnknownFields().Decode(m)
	var de *toml.DecodeError
	var se *toml.StrictMissingError
	switch {
	case errors.As(err, &de):
		row, col := de.Position()
		return nil, &sentence{ErrOption, fmt.Sprintf("the mapping cannot be used: line %d, column %d: %v", row, col, de)}
	case errors.As(err, &se) && len(se.Errors) > 0:
		row, col := se.Errors[0].Position()
		return nil, &sentence{ErrOption, fmt.Sprintf("the mapping cannot be used: line %d, column %d: there is no setting %q", row, col, strings.Join(se.Errors[0].Key(), "."))}
	case err != nil:
		return nil, &sentence{ErrOption, fmt.Sprintf("the mapping cannot be used: %v", err)}
	}
	return m, m.check()
}

// check says whether the entries make sense by themselves.
func (m *Mapping) check() error {
	bad := func(format string, a ...any) error { return &sentence{ErrOption, fmt.Sprintf(format, a...)} }
	if !slices.Contains([]string{FormatCSV, FormatNDJSON, FormatJSON}, m.Format) {
		return bad("%q is not a format: use csv, ndjson or json", m.Format)
	}
	if m.Format == FormatCSV {
		if _, err := delimiterByte(m.Delimiter); err != nil {
			return err
		}
	}
	if m.User == "" || m.Time == "" {
		return bad("the mapping names no column for user or time: set both")
	}
	if m.Event == "" && m.EventConst == "" {
		return bad("no event name: set event (a column) or event_const (one name for all rows)")
	}
	if len(m.EventConst) > MaxID {
		return bad("the event name is longer than %d bytes", MaxID)
	}
	if _, err := parseFormat(m.TimeFormat); err != nil {
		return err
	}
	if _, err := model.NewCalendar(m.Zone); err != nil {
		return &sentence{ErrOption, err.Error()}
	}
	if m.Number != "" && !slices.Contains(numberNames, m.Number) {
		return bad("%q is not a way to write numbers: use %s", m.Number, strings.Join(numberNames, ", "))
	}
	if m.Amount != "" {
		if _, err := parseAmount(m.Amount, nil); err != nil {
			return err
		}
	}
	_, err := encodingName(m.Encoding)
	return err
}

// delimiterByte reads what --delimiter says.
func delimiterByte(s string) (byte, error) {
	switch strings.ToLower(s) {
	case "tab", "\\t", "\t":
		return '\t', nil
	case "comma":
		return ',', nil
	case "semicolon":
		return ';', nil
	case "pipe":
		return '|', nil
	case "blanks", "blank", "space", "spaces", " ":
		return ' ', nil
	}
	if len(s) == 1 && s[0] < 0x80 && s[0] != '"' && s[0] != '\n' && s[0] != '\r' {
		return s[0], nil
	}
	return 0, &sentence{ErrOption, fmt.Sprintf("%q is not a delimiter: use , ; | tab blanks, or one ASCII character", s)}
}

// delimiterName is the way a delimiter is written in a mapping.
func delimiterName(b byte) string {
	switch b {
	case '\t':
		return "tab"
	case ' ':
		return "blanks"
	}
	return string(b)
}

// delimiterWord is how a person calls a delimiter.
func delimiterWord(d string) string {
	switch d {
	case ",":
		return "commas"
	case ";":
		return "semicolons"
	case "|":
		return "pipes"
	case "tab":
		return "tabs"
	case "blanks":
		return "runs of blanks"
	}
	if len(d) == 1 && d[0] < ' ' {
		return fmt.Sprintf("delimiter \\x%02x", d[0])
	}
	return "delimiter " + d
}
