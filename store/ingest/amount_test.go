package ingest

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dwell/model"
)

func evalText(t testing.TB, expr string, cells map[string]string, style numberStyle) (model.Money, bool, amountFault) {
	t.Helper()
	a, err := parseAmount(expr, nil)
	if err != nil {
		t.Fatalf("%q: %v", expr, err)
	}
	a.style = style
	var scratch []byte
	return a.eval(func(i int) []byte { return []byte(cells[a.names[i]]) }, &scratch)
}

func TestAmounts(t *testing.T) {
	cases := []struct {
		expr, q, p string
		want       string
		rounded    bool
		fault      amountFault
	}{
		{"q*p", "6", "2.55", "15.3", false, amountOK}, // in floats 15.299999999999999
		{"q * p", "-12", "0.1", "-1.2", false, amountOK},
		{"q", "1e3", "", "1000", false, amountOK},
		{"q", "-.5", "", "-0.5", false, amountOK},
		{"q", "0.0000005", "", "0", true, amountOK}, // half to even
		{"q", "0.0000015", "", "0.000002", true, amountOK},
		{"q", "1.2345678", "", "1.234568", true, amountOK},
		{"q", "1.20000000000000000000000", "", "1.2", false, amountOK},
		{"q/p", "1", "3", "0.333333", true, amountOK},
		{"q/p", "1", "8", "0.125", false, amountOK},
		{"q/p", "1", "0", "", false, amountNoNumber},
		{"(q+1)*-p - 2", "3", "1.5", "-8", false, amountOK},
		{"q-p", "0.3", "0.1", "0.2", false, amountOK},
		{"q*p", "", "2", "", false, amountAbsent},
		{"q*p", "x", "", "", false, amountAbsent},
		{"q*p", "x", "2", "", false, amountNoNumber},
		{"q", "abc", "", "", false, amountNoNumber},
		{"q", "NaN", "", "", false, amountAbsent}, // what R and pandas write for a number that is not there
		{"q", "NA", "", "", false, amountAbsent},
		{"q*p", "2", "n/a", "", false, amountAbsent},
		{"q", "Inf", "", "", false, amountNoNumber},
		{"q", "0x10", "", "", false, amountNoNumber},
		{"q", "1_000", "", "", false, amountNoNumber},
		{"q", "1,5", "", "", false, amountNoNumber},
		{"q", "NULL", "", "", false, amountAbsent},
		{"q", "1000000000000", "", "1000000000000", false, amountOK},
		{"q", "1000000000000.000001", "", "", false, amountTooBig},
		{"q", "1e300", "", "", false, amountTooBig},
		{"q", "-99999999999999999999", "", "", false, amountTooBig},
		{"q*p", "99999999999999999", "0.00001", "999999999999.99999", false, amountOK},
		{"q*p", "123456789012345678", "0.000001234567890123", "152415787532.331973", true, amountOK},
	}
	for _, c := range cases {
		m, rounded, fault := evalText(t, c.expr, map[string]string{"q": c.q, "p": c.p}, numberPlain)
		if fault != c.fault || fault == amountOK && (m.String() != c.want || rounded != c.rounded) {
			t.Errorf("%s with q=%s p=%s: got %s rounded %v fault %d; want %s %v %d", c.expr, c.q, c.p, m, rounded, fault, c.want, c.rounded, c.fault)
		}
	}
	for _, bad := range []string{"", "q*", "(q", "q)", "1+2", "q p", "`q", "q**p", strings.Repeat("(", 500) + "q", "1.2.3*q"} {
		if _, err := parseAmount(bad, nil); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	a, err := parseAmount("`Unit Price`*props.qty", nil)
	if err != nil || strings.Join(a.names, "|") != "Unit Price|props.qty" {
		t.Errorf("quoted names: %v %v", a, err)
	}
	if a, err = parseAmount("net-total", func(s string) bool { return s == "net-total" }); err != nil || a.expr.op != 'c' {
		t.Errorf("a column called net-total is taken for a subtraction: %v", err)
	}
}

func TestNumberStyles(t *testing.T) {
	cases := []struct {
		cells []string
		want  string
		ok    bool
		first string // the first cell's value
	}{
		{[]string{"12", "-3.5", "1e3"}, "1234.5", true, "12"},
		{[]string{"$1,234.50", "$7.00", "-$3.00", "($4.00)"}, "1,234.5", true, "1234.5"},
		{[]string{"1,234", "7"}, "1,234.5", true, "1234"},
		{[]string{"12,50", "1.234,00", "7"}, "1.234,5", true, "12.5"},
		{[]string{"1.234,50 €", "-3,00 €"}, "1.234,5", true, "1234.5"},
		{[]string{"1 234,50", "12,00"}, "1.234,5", true, "1234.5"},
		{[]string{"1\u202f000\u202f000,10 €", "1\u00a0000,00"}, "1.234,5", true, "1000000.1"},
		{[]string{"1'234.50", "1’000’000.10"}, "1,234.5", true, "1234.5"},
		{[]string{"₹1,23,456.50", "1,00,00,000"}, "1,234.5", true, "123456.5"},
		{[]string{"1.50-", "7"}, "1,234.5", true, "-1.5"},
		{[]string{"−1.50 CA$", "7"}, "1,234.5", true, "-1.5"},
		{[]string{"-($5)"}, "1234.5", false, ""},
		{[]string{"1 23", "1 2345"}, "1234.5", false, ""},
		{[]string{"1,23,45"}, "1234.5", false, ""},
		{[]string{"123,45,678"}, "1234.5", false, ""},
		{[]string{"1,234 567"}, "1234.5", false, ""},
		{[]string{"15%"}, "1234.5", false, ""},
		{[]string{"12.50", "12,50"}, "1234.5", false, ""},
		{[]string{"12.50", "free"}, "1234.5", false, ""},
	}
	for _, c := range cases {
		s, ok := guessStyle(c.cells)
		if ok != c.ok || s.String() != c.want {
			t.Errorf("%q: got %s %v, want %s %v", c.cells, s, ok, c.want, c.ok)
			continue
		}
		if ok {
			if m, _, f := evalText(t, "q", map[string]string{"q": c.cells[0]}, s); f != amountOK || m.String() != c.first {
				t.Errorf("%q as %s: got %s (fault %d), want %s", c.cells[0], s, m, f, c.first)
			}
		}
	}
	if m, _, f := evalText(t, "q", map[string]string{"q": "(4.00)"}, numberComma); f != amountOK || m.String() != "-4" {
		t.Errorf("accountants' minus: %s %d", m, f)
	}
}

// FuzzAmount holds decimals against fractions of any size, and the parser
// against panics.
func FuzzAmount(f *testing.F) {
	f.Add("q*p", "6", "2.55")
	f.Add("q/(p-1)+3", "1e3", "-0.5")
	f.Add("-(q+p)*0.07", "999999999999", "0.000001")
	f.Fuzz(func(t *testing.T, expr, q, p string) {
		a, err := parseAmount(expr, nil)
		if err != nil {
			return
		}
		var scratch []byte
		cell := func(i int) []byte {
			switch a.names[i] {
			case "q":
				return []byte(q)
			case "p":
				return []byte(p)
			}
			return []byte("2.5")
		}
		m, rounded, fault := a.eval(cell, &scratch)
		r, slow := a.slow(a.expr, cell, &scratch)
		if slow == amountOK {
			want, wr, ok := ratMoney(r)
			if !ok {
				slow = amountTooBig
			} else if fault != amountOK || m != want || rounded != wr {
				t.Fatalf("%q q=%q p=%q: got %s %v %d, want %s %v", expr, q, p, m, rounded, fault, want, wr)
			}
		}
		if (fault == amountOK) != (slow == amountOK) {
			t.Fatalf("%q q=%q p=%q: fast fault %d, slow %d", expr, q, p, fault, slow)
		}
		if fault == amountOK && rounded {
			diff := new(big.Rat).Sub(r, new(big.Rat).SetFrac64(int64(m), int64(model.Unit)))
			if diff.Abs(diff).Cmp(big.NewRat(1, 2*int64(model.Unit))) > 0 {
				t.Fatalf("%q: %s is further than half a millionth from %s", expr, m, r)
			}
		}
	})
}

// One stray cell does not decide how the others are read, cells that say "no number"
// decide nothing, and amounts in several currencies are told of.
func TestLikelyStyle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.csv")
	text := "user_id;timestamp;event;amount\n"
	for i := range 20 {
		text += fmt.Sprintf("u%d;2024-01-02 10:00:00;buy;%d,50 €\n", i, i)
	}
	for _, odd := range []string{"NA", "-", "1.000,25 EUR", "3,00 CHF", "gratis"} {
		text += "v;2024-01-02 10:00:00;buy;" + odd + "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rec, info, _ := loadFile(t, path, Options{})
	if rec.Mapping.Amount != "amount" || rec.Mapping.Number != "1.234,5" || info.Quality.Stored != 24 || info.Quality.RejectedTotal() != 1 {
		t.Errorf("amount %q as %q: %+v", rec.Mapping.Amount, rec.Mapping.Number, info.Quality)
	}
	if said := strings.Join(rec.Lines, "\n"); !strings.Contains(said, "several currencies (€, CHF)") {
		t.Errorf("nothing is said of two currencies:\n%s", said)
	}
}
