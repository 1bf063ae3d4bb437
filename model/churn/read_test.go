package churn

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// rowsOf parts lines at commas.
func rowsOf(lines ...string) (out [][]string) {
	for _, l := range lines {
		out = append(out, strings.Split(l, ","))
	}
	return out
}

// Cells that say there is no value do not make a column of numbers one of words;
// rows without an outcome are left out and counted; columns of one name stay two.
func TestReadTable(t *testing.T) {
	rows := rowsOf("a1,3,NA,x,,yes", "a2,4,2.5,NA,true,no", "a3,null,NaN,x,false,", "a4,inf,1,y,true,no", "a5,1e999,7,y,true,yes", "a6,5,?,x,false,no")
	r, err := ReadTable([]string{"id", "n", "n", "word", "flag", "left"}, rows, "left", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	tab := r.Table
	if !slices.Equal(tab.Names, []string{"n", "n (2)", "word", "flag"}) || !slices.Equal(r.Left, []string{"id"}) {
		t.Fatalf("columns %v, left out %v", tab.Names, r.Left)
	}
	if tab.Texts[0] != nil || tab.Texts[1] != nil || !slices.Equal(tab.Texts[2], []string{"", "x", "NA", "y"}) || !slices.Equal(tab.Texts[3], []string{"", "true", "false"}) {
		t.Errorf("words %q", tab.Texts)
	}
	if r.Unlabelled != 1 || len(tab.Yes) != 5 || tab.Churned() != 2 {
		t.Errorf("%d rows, %d churned, %d without an outcome", len(tab.Yes), tab.Churned(), r.Unlabelled)
	}
	if r.Missing != 2 || r.NotFinite != 2 || !slices.Equal(tab.Known[0], []bool{true, true, false, false, true}) || !slices.Equal(tab.Known[1], []bool{false, true, true, true, false}) {
		t.Errorf("missing %d, not finite %d, known %v and %v", r.Missing, r.NotFinite, tab.Known[0], tab.Known[1])
	}
}

// An outcome that cannot be one is refused with what to do.
func TestReadTableRefuses(t *testing.T) {
	head := []string{"n", "left"}
	for _, c := range []struct {
		label, yes string
		values     []string
		want       string // "" : it is read
	}{
		{"gone", "", []string{"a"}, `no column "gone": it has n, left`},
		{"left", "", []string{"no", "no"}, "one value alone (no)"},
		{"left", "", []string{"", "NA"}, "is empty"},
		{"left", "", []string{"a", "b"}, "say which of them"},
		{"left", "", []string{"yes", "no", "maybe"}, "more than two values (yes, no, maybe)"},
		{"left", "x", []string{"yes", "no"}, `no row has "x"`},
		{"left", "maybe", []string{"yes", "no", "maybe"}, ""},
		{"left", "", []string{"none", "churned"}, ""},
		{"left", "", []string{"TRUE", "FALSE"}, ""},
	} {
		var rows [][]string
		for i, v := range c.values {
			rows = append(rows, []string{fmt.Sprint(i % 2), v})
		}
		r, err := ReadTable(head, rows, c.label, c.yes, nil)
		switch {
		case c.want == "" && (err != nil || r.Table.Churned() != 1):
			t.Errorf("%v by %q: %+v, %v", c.values, c.yes, r, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v by %q: %v, want %q", c.values, c.yes, err, c.want)
		}
	}
}
