package ingest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TimeForms are the names that --time-format takes, beside layouts and patterns.
func TimeForms() []string { return slices.Clone(formNames[:formLayout]) }

// parseFormat reads what --time-format says: a form's name, a Go layout, or a
// strftime pattern.
func parseFormat(s string) (*timeParser, error) {
	for i, n := range formNames[:formLayout] {
		if strings.EqualFold(s, n) {
			return &timeParser{form: timeForm(i)}, nil
		}
	}
	if s == "%s" {
		return &timeParser{form: formUnix}, nil
	}
	bad := func(why string) error {
		return &sentence{ErrOption, fmt.Sprintf("the time format %q cannot be used: %s; write %s, a pattern such as %%Y-%%m-%%d %%H:%%M, or a Go layout such as 02.01.2006 15:04", s, why, strings.Join(formNames[:formLayout], ", "))}
	}
	p := &timeParser{form: formLayout, layout: s}
	if strings.Contains(s, "%") {
		layout, err := fromStrftime(s)
		if err != nil {
			return nil, bad(err.Error())
		}
		p.layout = layout
	}
	// What a layout holds shows in which changes of an instant change its text.
	at := time.Date(2011, 10, 23, 13, 14, 16, 0, time.UTC)
	base := at.Format(p.layout)
	if at.AddDate(1, 0, 0).Format(p.layout) == base || at.AddDate(0, 0, 1).Format(p.layout) == base {
		return nil, bad("it does not hold a whole date")
	}
	p.abbr = strings.Contains(p.layout, "MST") && !strings.Contains(p.layout, "-07") && !strings.Contains(p.layout, "Z07")
	p.zoned = at.In(time.FixedZone("XYZ", 3600)).Format(p.layout) != at.Add(time.Hour).Format(p.layout)
	p.dated = at.Add(-9*time.Hour).Format(p.layout) == base
	return p, nil
}

// String is the format as it stands in a mapping.
func (p *timeParser) String() string {
	if p.form == formLayout {
		return p.layout
	}
	return formNames[p.form]
}

var strftime = map[byte]string{
	// Without padding, because Go then takes one digit as well as two, as strptime does.
	'Y': "2006", 'y': "06", 'm': "1", 'd': "2", 'e': "_2", 'H': "15", 'I': "3", 'M': "4", 'S': "5",
	'p': "PM", 'b': "Jan", 'h': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday", 'z': "-0700", 'Z': "MST",
	'j': "002", 'F': "2006-1-2", 'T': "15:4:5", 'R': "15:4", 'D': "1/2/06", '%': "%", 'n': "\n", 't': "\t",
}

func fromStrftime(s string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out.WriteByte(s[i])
			continue
		}
		if i++; i < len(s) && (s[i] == '-' || s[i] == '_') {
			i++ // %-d: without padding; parsing takes both
		}
		if i >= len(s) {
			return "", fmt.Errorf("it ends with %%")
		}
		if s[i] == 'f' {
			t := out.String()
			if !strings.HasSuffix(t, ".") && !strings.HasSuffix(t, ",") {
				return "", fmt.Errorf("%%f must follow a point or comma")
			}
			out.WriteString("999999999")
			continue
		}
		w, ok := strftime[s[i]]
		if !ok {
			return "", fmt.Errorf("%%%c is not known", s[i])
		}
		out.WriteString(w)
	}
	return out.String(), nil
}

// lettersOffset is what must be taken off a time whose zone stands in letters.
// Parsing takes letters it does not know for UTC, which would move the time by
// hours in silence: those of RFC 822, 5.1, and of Europe and Japan, which mean one
// zone the world over, are known here, and others make the time one that cannot
// be read (CST is taken as RFC 822 has it; IST or BST are several zones).
func lettersOffset(t time.Time) (ms int64, ok bool) {
	name, off := t.Zone()
	if off != 0 {
		return int64(off) * 1000, true // GMT+3, whose offset is read and not applied
	}
	if name != "" && (name[0] == '+' || name[0] == '-') {
		hours, err := strconv.Atoi(name)
		return int64(hours) * 3_600_000, err == nil && -24 < hours && hours < 24
	}
	hours, ok := map[string]int64{"UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "WET": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
		"WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9}[name]
	return hours * 3_600_000, ok
}
