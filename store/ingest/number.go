package ingest

import (
	"bytes"
	"slices"
)

// A numberStyle is how a column of amounts writes its numbers, decided from the
// whole sample and recorded in the mapping.
type numberStyle uint8

const (
	numberPlain numberStyle = iota // 1234.5
	numberComma                    // $1,234.50, 1'234.50, 1 234.50: a comma, apostrophe or blank between thousands
	numberPoint                    // 1.234,50 €, 1 234,50: a point, apostrophe or blank between thousands, a decimal comma
)

var numberNames = []string{"1234.5", "1,234.5", "1.234,5"}

func (s numberStyle) String() string { return numberNames[s] }

// plain rewrites a number of this style as [-]digits[.digits]; of what is none,
// nil. Currency signs and codes are dropped, parentheses mean minus, as accountants
// write it, and so does a minus behind the number.
func (s numberStyle) plain(b []byte, scratch *[]byte) []byte {
	body, neg, _ := stripCurrency(b)
	sep, point := byte(','), byte('.')
	if s == numberPoint {
		sep, point = '.', ','
	}
	whole, frac, has := bytes.Cut(body, []byte{point})
	if bytes.IndexByte(frac, sep) >= 0 || bytes.IndexByte(frac, point) >= 0 || has && len(frac) == 0 && len(whole) == 0 {
		return nil
	}
	between := string(sep)
	for _, c := range thousands {
		if bytes.Contains(whole, []byte(c)) {
			between = c
			break
		}
	}
	start := len(*scratch)
	out := *scratch
	if neg {
		out = append(out, '-')
	}
	parts := bytes.Split(whole, []byte(between))
	last := len(parts) - 1
	// In India 1,23,456: three digits at the end, two in every group before.
	lakhs := between == "," && last > 1 && len(parts[1]) == 2
	for i, p := range parts {
		switch {
		case last == 0:
		case i == 0 && (len(p) == 0 || len(p) > 3 || lakhs && len(p) > 2):
			return nil // so 12.5 is no number where the comma is decimal
		case i > 0 && len(p) != 3 && !(lakhs && i < last && len(p) == 2), lakhs && i > 0 && i < last && len(p) != 2:
			return nil
		}
		out = append(out, p...)
	}
	if has {
		out = append(append(out, '.'), frac...)
	}
	*scratch = out
	return out[start:]
}

// thousands are what stands between thousands in either style: blanks, broken or
// not, and apostrophes, straight or not.
var thousands = []string{" ", "\u00a0", "\u202f", "\u2009", "'", "’"}

// stripCurrency takes signs, currency and blanks off the ends of a number, and says
// which currency it was.
func stripCurrency(b []byte) (body []byte, neg bool, currency string) {
	if len(b) > 2 && b[0] == '(' && b[len(b)-1] == ')' {
		b, neg = b[1:len(b)-1], true
	}
	for range 3 { // sign, currency, sign: in any order
		b = trim(b)
		switch {
		case len(b) == 0:
		case b[0] == '-' || b[0] == '+':
			neg = neg != (b[0] == '-')
			b = b[1:]
		case bytes.HasPrefix(b, []byte("−")):
			neg, b = !neg, b[len("−"):]
		case b[len(b)-1] == '-':
			neg, b = !neg, b[:len(b)-1]
		}
		for _, c := range currencies {
			if bytes.HasPrefix(b, []byte(c)) {
				b = b[len(c):]
			} else if bytes.HasSuffix(b, []byte(c)) {
				b = b[:len(b)-len(c)]
			} else {
				continue
			}
			if c != "\u00a0" && c != "\u202f" {
				currency = c
			}
			break
		}
	}
	return trim(b), neg, currency
}

// currencies are the signs and codes that may stand beside an amount. One that ends
// like another comes before it.
var currencies = []string{"\u00a0", "\u202f", "US$", "CA$", "NZ$", "HK$", "NT$", "MX$", "A$", "C$", "S$", "R$", "$", "€", "£", "¥", "₹", "₽", "₩", "₺", "₦", "₫", "₪", "₱", "฿", "₴",
	"zł", "Kč", "kr.", "kr", "Ft", "lei", "лв", "руб.", "Rs.", "Rs", "RM", "Fr.", "TL",
	"USD", "EUR", "GBP", "JPY", "CNY", "CHF", "INR", "AUD", "CAD", "NZD", "HKD", "SGD", "TWD", "KRW", "BRL", "MXN", "ARS", "CLP", "COP", "RUB", "UAH", "TRY", "PLN", "CZK", "HUF", "RON", "BGN",
	"SEK", "NOK", "DKK", "ISK", "ZAR", "NGN", "KES", "EGP", "ILS", "AED", "SAR", "QAR", "THB", "VND", "IDR", "MYR", "PHP", "PKR"}

// signOf is the sign of a currency by its code, where both are common.
var signOf = map[string]string{"USD": "$", "US$": "$", "EUR": "€", "GBP": "£", "INR": "₹", "Rs": "₹", "Rs.": "₹", "RUB": "₽", "руб.": "₽", "PLN": "zł", "CZK": "Kč", "HUF": "Ft", "Fr.": "CHF", "kr.": "kr",
	"SEK": "kr", "NOK": "kr", "DKK": "kr", "TRY": "₺", "TL": "₺", "BRL": "R$", "CAD": "CA$", "C$": "CA$", "AUD": "A$", "NZD": "NZ$", "HKD": "HK$", "SGD": "S$"}

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

// likelyStyle is the style in which most of the values are numbers, of equals the
// plainest, and how many are: a stray cell is rejected by itself and does not decide
// how the others are read.
func likelyStyle(values []string) (best numberStyle, most int) {
	for _, s := range []numberStyle{numberPlain, numberComma, numberPoint} {
		n := 0
		for _, v := range values {
			if s.isNumber([]byte(v)) {
				n++
			}
		}
		if n > most {
			best, most = s, n
		}
	}
	return best, most
}

// numbersOf leaves out the cells that say there is no number.
func numbersOf(cells []string) []string {
	return slices.DeleteFunc(slices.Clone(cells), func(c string) bool { return isNoNumber([]byte(c)) })
}

// isNoNumber says whether a trimmed cell stands for a missing number: what programs
// write for one (R writes NA, pandas NaN), and the dash of accountants.
func isNoNumber(b []byte) bool {
	switch string(b) {
	case "NaN", "nan", "NA", "N/A", "n/a", "#N/A", "<NA>", "None", "none", "nil", "(null)", "-", "–", "—":
		return true
	}
	return isAbsent(b)
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
	case "nan", "NaN", "None", "nil", "<nil>", "undefined", "(null)", "(not set)", "<NA>", "NA", "N/A", "n/a", "#N/A":
		return true
	}
	return false
}
