package ingest

import (
	"bytes"
	"math"
	"unicode"
	"unicode/utf8"
)

// months are the names of months in English, German, French, Spanish, Italian and
// Portuguese, by their first letters, as many as tell them apart; a longer name must
// go on as one of the full ones does. May, mai and mayo need no more.
var months = [12][]string{
	{"january", "januar", "jänner", "janvier", "enero", "gennaio", "janeiro"},
	{"february", "februar", "feber", "février", "fevrier", "febrero", "febbraio", "fevereiro"},
	{"march", "märz", "maerz", "mrz", "mars", "marzo", "março"},
	{"april", "avril", "abril", "aprile"},
	{"may", "mai", "mayo", "maggio", "maio"},
	{"june", "juni", "juin", "junio", "giugno", "junho"},
	{"july", "juli", "juillet", "julio", "luglio", "julho"},
	{"august", "août", "aout", "agosto"},
	{"september", "septembre", "septiembre", "setiembre", "settembre", "setembro"},
	{"october", "oktober", "octobre", "octubre", "ottobre", "outubro"},
	{"november", "novembre", "noviembre", "novembro"},
	{"december", "dezember", "décembre", "decembre", "diciembre", "dicembre", "dezembro"},
}

// weekdays of the same languages, of which a date's first word may be one.
var weekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
	"montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonnabend", "sonntag",
	"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"}

// monthNumber is the month that a word stands for, 0 if none or several: a whole
// name, or its beginning of at least three letters ("sept", "janv").
func monthNumber(word []byte) int {
	word = bytes.ToLower(word)
	if utf8.RuneCount(word) < 3 {
		return 0
	}
	found := 0
	for i, names := range months {
		for _, n := range names {
			if n == string(word) {
				return i + 1
			}
			if len(n) > len(word) && n[:len(word)] == string(word) && found != i+1 {
				if found > 0 {
					return 0 // "jui" is juin and juillet
				}
				found = i + 1
			}
		}
	}
	return found
}

// letters is the word that b begins with.
func letters(b []byte) []byte {
	n := 0
	for n < len(b) {
		r, size := utf8.DecodeRune(b[n:])
		if !unicode.IsLetter(r) {
			break
		}
		n += size
	}
	return b[:n]
}

// parseMonth reads dates with the month in letters: 2 January 2024, 02-JAN-24,
// Jan 2nd, 2024, Dienstag, 2. Januar 2024, each alone or followed by a time of day,
// with "at" or "um" between or without. Years of two digits are 1969–2068.
func parseMonth(b []byte) (st stamp, ok bool) {
	between := func() {
		for len(b) > 0 && (b[0] == ' ' || b[0] == '-' || b[0] == '/' || b[0] == '.' || b[0] == ',') {
			b = b[1:]
		}
	}
	day := func() int {
		d, n := digits(b, 2)
		b = b[n:]
		if n == 0 || len(b) > 0 && b[0] >= '0' && b[0] <= '9' {
			return 0
		}
		switch string(bytes.ToLower(letters(b))) {
		case "st", "nd", "rd", "th", "er":
			b = b[2:]
		}
		return d
	}
	month := func() int {
		w := letters(b)
		b = b[len(w):]
		return monthNumber(w)
	}
	if w := letters(b); len(w) > 0 && monthNumber(w) == 0 {
		low := bytes.ToLower(w)
		weekday := false
		for _, name := range weekdays {
			weekday = weekday || len(low) >= 2 && bytes.HasPrefix([]byte(name), low)
		}
		if !weekday {
			return st, false
		}
		b = b[len(w):]
		between()
	}
	var d, m int
	if len(b) > 0 && b[0] >= '0' && b[0] <= '9' {
		d = day()
		between()
		m = month()
	} else {
		m = month()
		between()
		d = day()
	}
	between()
	y, n := digits(b, 4)
	if d == 0 || m == 0 || n != 4 && n != 2 {
		return st, false
	}
	if b = b[n:]; n == 2 {
		if y += 1900; y < 1969 {
			y += 100
		}
	}
	date, ok := civil(y, m, d)
	if !ok {
		return st, false
	}
	st.ms = date * 86_400_000
	if len(b) == 0 {
		st.dated = true
		return st, true
	}
	if b[0] != ' ' && b[0] != ',' && b[0] != 'T' && b[0] != ':' {
		return st, false
	}
	b = bytes.TrimLeft(b[1:], " ,")
	for _, w := range []string{"at ", "um ", "à ", "a las "} {
		b = bytes.TrimPrefix(b, []byte(w))
	}
	return clock(st, b)
}

// excelEpoch is the day that Excel's serial number 0 stands for, 1899-12-30, in days
// since 1970: its 1900 has a 29th of February, so its numbers hold from March 1900 on.
const excelEpoch = -25_569

// parseExcel reads a serial day of Excel, as 45293.5 for noon of 2024-01-02. A whole
// number is a date alone.
func parseExcel(b []byte) (st stamp, ok bool) {
	d, ok, fits := parseDecimal(b)
	if !ok || !fits {
		return st, false
	}
	x := float64(d.m) / float64(pow10[d.s])
	if x < 61 || x > 2_958_465 { // 1900-03-01 to 9999-12-31
		return st, false
	}
	whole, part := math.Modf(x)
	st.dated = part == 0
	st.ms = (int64(whole)+excelEpoch)*86_400_000 + int64(math.Round(part*86_400_000))
	return st, true
}
