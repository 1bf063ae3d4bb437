// Package format writes numbers, days and figures for people: it is the one
// place where a fraction becomes a percentage and an amount gets its separators.
// Screens, `show --format text` and exports use it alike, so that a figure reads
// the same everywhere.
//
// Widths are terminal cells, never bytes or runes. Every string that comes from
// the data passes Clean, so that no id can move the cursor or shift a column.
//
//	format.Figure(f) // "34.2%"
package format

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"dwell/model"
	"dwell/model/query"
)

// None is written where a figure has no value. It is never 0.
const None = "—"

// Count writes a whole number with separators: 1,234,567.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	return sign + group(s)
}

func group(digits string) string {
	if len(digits) <= 3 {
		return digits
	}
	var b strings.Builder
	lead := len(digits) % 3
	b.WriteString(digits[:lead])
	for i := lead; i < len(digits); i += 3 {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(digits[i : i+3])
	}
	return b.String()
}

// Short writes a number in at most five cells: 950, 12.3k, 4.1M. For axes and
// bars, where Count stands nearby.
func Short(x float64) string {
	a := math.Abs(x)
	for _, s := range []struct {
		from float64
		word string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if a >= s.from {
			div := s.from
			if s.word == "k" {
				div = 1e3
			}
			if a/div >= 100 {
				return strconv.FormatFloat(x/div, 'f', 0, 64) + s.word
			}
			return trimZero(strconv.FormatFloat(x/div, 'f', 1, 64)) + s.word
		}
	}
	return Number(x)
}

// Number writes a figure without a unit of its own: whole numbers with
// separators, others with as many decimals as four digits ask for.
func Number(x float64) string {
	switch {
	case math.IsNaN(x):
		return None
	case math.IsInf(x, 0):
		return "∞"
	case x == math.Trunc(x) && math.Abs(x) < 1e15:
		return Count(int64(x))
	}
	a := math.Abs(x)
	prec := 2
	switch {
	case a >= 1000:
		prec = 0
	case a >= 100:
		prec = 1
	case a < 0.001:
		return strconv.FormatFloat(x, 'g', 3, 64)
	case a < 1:
		prec = 4
	}
	return fixed(x, prec)
}

// fixed is a decimal with separators, negative zero mended.
func fixed(x float64, prec int) string {
	s := strconv.FormatFloat(x, 'f', prec, 64)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
		if strings.Trim(s, "0.") == "" {
			sign = ""
		}
	}
	whole, frac, ok := strings.Cut(s, ".")
	s = sign + group(whole)
	if ok {
		s += "." + frac
	}
	return s
}

func trimZero(s string) string { return strings.TrimSuffix(s, ".0") }

// Percent writes a fraction as a percentage with one decimal: 0.3421 is 34.2%.
func Percent(x float64) string {
	if math.IsNaN(x) {
		return None
	}
	return fixed(100*x, 1) + "%"
}

// Money writes an amount with two decimals and its currency, if that has a name.
func Money(x float64, currency string) string {
	s := fixed(x, 2)
	if currency != "" && currency != "amount" {
		s += " " + Clean(currency)
	}
	return s
}

// Day writes a day, or None.
func Day(d model.Day) string {
	if d == model.NoDay {
		return None
	}
	return d.String()
}

// Age says how old a day is, seen from now: "today", "3 days old", "14 years old".
func Age(d model.Day, now time.Time) string {
	if d == model.NoDay {
		return "no data"
	}
	days := int(now.Unix()/86400) - int(d)
	switch {
	case days < 0:
		return "in the future"
	case days == 0:
		return "today"
	case days == 1:
		return "1 day old"
	case days < 60:
		return strconv.Itoa(days) + " days old"
	case days < 730:
		return strconv.Itoa(days/30) + " months old"
	}
	return strconv.FormatFloat(float64(days)/365.25, 'f', 1, 64) + " years old"
}

// Value writes a value in its unit. Rates and shares become percentages here
// and nowhere else.
func Value(x float64, unit string) string {
	switch unit {
	case "share":
		return Percent(x)
	case "users", "events", "rows", "":
		return Number(x)
	case "days":
		return Number(x) + " d"
	case "seconds":
		return Seconds(x)
	case "log-odds":
		return query.Plain(x)
	case "probability": // a p-value: floating point knows no smaller one from none
		if x >= 0 && x < 1e-16 {
			return "< 1e-16"
		}
		return Number(x)
	case "points", "orders", "transitions", "intervals", "pairs", "values", "names", "bytes", "spells", "sessions":
		return Number(x)
	}
	if isCurrency(unit) {
		return Money(x, unit)
	}
	return Number(x)
}

// Seconds writes a length of time in the one or two units that say it: 45s,
// 6m 19s, 3h 5m, 2d 4h.
func Seconds(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return None
	}
	sign := ""
	if x < 0 {
		sign, x = "-", -x
	}
	two := func(n int64, a, b string, per int64) string {
		s := sign + strconv.FormatInt(n/per, 10) + a
		if n%per > 0 && n/per < 100 {
			s += " " + strconv.FormatInt(n%per, 10) + b
		}
		return s
	}
	switch n := int64(math.Round(x)); {
	case x < 10 && x != math.Trunc(x):
		return sign + trimZero(strconv.FormatFloat(x, 'f', 1, 64)) + "s"
	case n < 60:
		return sign + strconv.FormatInt(n, 10) + "s"
	case n < 3600:
		return two(n, "m", "s", 60)
	case n < 86400:
		return two(n/60, "h", "m", 60)
	default:
		return two(n/3600, "d", "h", 24)
	}
}

// isCurrency takes units of three capitals, and the word amount, for money.
func isCurrency(unit string) bool {
	if unit == "amount" || unit == "money" {
		return true
	}
	if len(unit) != 3 {
		return false
	}
	for _, r := range unit {
		if r < 'A' || r > 'Z' {
			return false
		}
	}
	return true
}

// Figure writes a figure's value.
func Figure(f *query.Figure) string {
	switch {
	case f == nil || f.None || math.IsNaN(f.Value):
		return None
	case f.Kind == query.Rate:
		return Percent(f.Value)
	case f.Kind == query.Count || f.Kind == query.Rows || f.Kind == query.Pairs:
		return Number(f.Value)
	}
	return Value(f.Value, f.Unit)
}

// Interval writes a figure's interval as "31.0%–37.5%", "" without one.
func Interval(f *query.Figure) string {
	if f == nil || f.None || !f.Interval {
		return ""
	}
	lo, hi := *f, *f
	lo.Value, hi.Value = f.Lo, f.Hi
	return Figure(&lo) + "–" + Figure(&hi)
}

// Line writes a figure with all it takes to trust it: value, interval and its
// method, n, and what is still open.
func Line(f *query.Figure) string {
	var b strings.Builder
	b.WriteString(Figure(f))
	if s := Interval(f); s != "" {
		b.WriteString("  [" + s + "]")
		if f.Method != "" {
			b.WriteString(" " + f.Method)
		}
	}
	if f.Kind == query.Rate || f.Kind == query.Stat {
		b.WriteString("  n=" + Count(f.N))
	}
	if f.Open > 0 {
		b.WriteString("  open " + Count(f.Open))
	}
	return b.String()
}

// Clean makes a string from the data safe to draw: control characters become
// "·", embedded direction changes are dropped, and right-to-left text is kept
// from pulling its neighbours along.
func Clean(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	rtl := false
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteByte(' ')
		case r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r == unicode.ReplacementChar:
			b.WriteString("·")
		case r == 0x061c || r >= 0x200b && r <= 0x200f && r != 0x200d || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x2069 || r == 0xfeff:
			// invisible: it would only move other text about
		default:
			rtl = rtl || unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana)
			b.WriteRune(r)
		}
	}
	out := b.String()
	if ansi.StringWidth(" "+out+" ") != ansi.StringWidth(out)+2 {
		// A mark at its beginning or end would join the blank beside it.
		out = strings.Map(func(r rune) rune {
			if r > 0x7f && (unicode.In(r, unicode.M, unicode.Cf, unicode.Sk) || ansi.StringWidth(" "+string(r)+" ") != ansi.StringWidth(string(r))+2) {
				return '·'
			}
			return r
		}, out)
	}
	if rtl {
		return "\u200e" + out + "\u200e"
	}
	return out
}

// Width is the number of terminal cells of a string without styles.
func Width(s string) int { return ansi.StringWidth(s) }

// Cut shortens a string to n cells, ending in "…" if something is lost.
func Cut(s string, n int) string {
	if n <= 0 {
		return ""
	}
	if Width(s) <= n {
		return s
	}
	return ansi.Truncate(s, n, "…")
}

// Pad sets a string in exactly n cells, to the left, or to the right for numbers.
func Pad(s string, n int, right bool) string {
	s = Cut(s, n)
	gap := n - Width(s)
	if gap <= 0 {
		return s
	}
	if right {
		return strings.Repeat(" ", gap) + s
	}
	return s + strings.Repeat(" ", gap)
}

// Wrap breaks a paragraph at blanks into lines of at most n cells; a word that is
// longer is cut. Dates, and words with a hyphen, stay whole: the wrapping below
// would break them at it, so it is shown a hyphen that does not break.
func Wrap(s string, n int) []string {
	if n <= 0 {
		return []string{s}
	}
	const firm = "\u2011"
	if strings.Contains(s, firm) {
		return strings.Split(ansi.Wrap(s, n, ""), "\n")
	}
	out := ansi.Wrap(strings.ReplaceAll(s, "-", firm), n, "")
	return strings.Split(strings.ReplaceAll(out, firm, "-"), "\n")
}

// Plural is "1 user", "2 users".
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// asciiSigns are the program's own signs beyond ASCII, each with one of the same
// width. Names that the data hold are left as they are.
var asciiSigns = strings.NewReplacer("·", ".", "—", "-", "–", "-", "…", "~", "→", ">", "←", "<", "↑", "^", "↓", "v",
	"≥", ">", "≤", "<", "×", "x", "−", "-", "±", "+", "∞", "*", "σ", "s")

// ASCII replaces the program's own signs by ASCII ones of the same width.
func ASCII(s string) string { return asciiSigns.Replace(s) }
