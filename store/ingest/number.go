package ingest

import "bytes"

// A numberStyle is how a column of amounts writes its numbers, decided from the
// whole sample and recorded in the mapping.
type numberStyle uint8

const (
	numberPlain numberStyle = iota // 1234.5
	numberComma                    // $1,234.50: a comma between thousands
	numberPoint                    // 1.234,50 €: a point between thousands, a decimal comma
)

var numberNames = []string{"1234.5", "1,234.5", "1.234,5"}

func (s numberStyle) String() string { return numberNames[s] }

// plain rewrites a number of this style as [-]digits[.digits]; of what is none,
// nil. Currency signs and codes are dropped,
// parentheses mean minus, as accountants write it.
func (s numberStyle) plain(b []byte, scratch *[]byte) []byte {
	body, neg := stripCurrency(b)
	sep, point := byte(','), byte('.')
	if s == numberPoint {
		sep, point = '.', ','
	}
	whole, frac, has := bytes.Cut(body, []byte{point})
	if bytes.IndexByte(frac, sep) >= 0 || bytes.IndexByte(frac, point) >= 0 || has && len(frac) == 0 && len(whole) == 0 {
		return nil
	}
	start := len(*scratch)
	out := *scratch
	if neg {
		out = append(out, '-')
	}
	parts := bytes.Split(whole, []byte{sep})
	for i, p := range parts {
		if i > 0 && len(p) != 3 || i == 0 && len(parts) > 1 && (len(p) == 0 || len(p) > 3) {
			return nil // so 12.5 is no number where the comma is decimal
		}
		out = append(out, p...)
	}
	if has {
		out = append(append(out, '.'), frac...)
	}
	*scratch = out
	return out[start:]
}

// stripCurrency takes signs, currency and blanks off the ends of a number.
func stripCurrency(b []byte) (body []byte, neg bool) {
	if len(b) > 2 && b[0] == '(' && b[len(b)-1] == ')' {
		b, neg = b[1:len(b)-1], true
	}
	for range 3 { // sign, currency, sign: in any order
		b = trim(b)
		if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
			neg = neg != (b[0] == '-')
			b = b[1:]
		}
		for _, c := range currencies {
			if bytes.HasPrefix(b, []byte(c)) {
				b = b[len(c):]
				break
			}
			if bytes.HasSuffix(b, []byte(c)) {
				b = b[:len(b)-len(c)]
				break
			}
		}
	}
	return trim(b), neg
}

var currencies = []string{"$", "€", "£", "¥", "₹", "₽", "₩", "₺", "zł", "kr", "USD", "EUR", "GBP", "JPY", "CNY", "CHF", "INR", "AUD", "CAD", "US$", "R$", "\u00a0"}

// isNumber says whether b is a number of the style.
func (s numberStyle) isNumber(b []byte) bool {
	var scratch []byte
	if s != numberPlain {
		b = s.plain(b, &scratch)
	}
	_, ok, _ := parseDecimal(b)
	return ok
}

// guessStyle is the one style in which all the numbers are numbers; ok is false
// if there is none. Where 12,500 could be both, three digits after every comma
// speak for thousands.
func guessStyle(values []string) (s numberStyle, ok bool) {
	for _, s := range []numberStyle{numberPlain, numberComma, numberPoint} {
		all := true
		for _, v := range values {
			if !s.isNumber([]byte(v)) {
				all = false
				break
			}
		}
		if all {
			return s, true
		}
	}
	return numberPlain, false
}

// trim cuts ASCII blanks off both ends.
func trim(b []byte) []byte {
	if n := len(b); n > 0 && b[0] > ' ' && b[n-1] > ' ' {
		return b // as nearly all are
	}
	return trimBlanks(b)
}

func trimBlanks(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func blank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// isAbsent says whether a trimmed cell stands for nothing: it is empty or one
// of the words by which databases and data frames write a missing value.
func isAbsent(b []byte) bool {
	switch len(b) {
	case 0:
		return true
	case 2:
		return b[0] == '\\' && b[1] == 'N'
	case 4:
		return string(b) == "NULL" || string(b) == "null"
	}
	return false
}

// isNobody says whether a trimmed cell is no user id: absent, or what programs
// print for a missing value. Without it one giant user called NaN would appear.
func isNobody(b []byte) bool {
	if isAbsent(b) {
		return true
	}
	switch string(b) {
	case "nan", "NaN", "None", "nil", "<nil>", "undefined", "(null)", "(not set)", "<NA>":
		return true
	}
	return false
}
