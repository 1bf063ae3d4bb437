package churn

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"dwell/model/stat"
)

// A Reading is a plain table as it was read, with what had to be left out of it.
type Reading struct {
	Table      *Table
	Left       []string // columns in which nearly every row has a value of its own: they number the rows
	Unlabelled int      // rows without an outcome, left out
	Missing    int      // cells among numbers that say there is none: NA, null, ?
	NotFinite  int      // cells that are no number or an infinite one: they count as missing
}

// ReadTable makes a table from rows of text: a plain file of features with one
// row a user. label is the column of the outcome, and yes its value of those who
// churned ("": yes, true, 1 or churned, whatever the case; a value that is given
// may stand against several others). Columns whose every value is a number are
// numbers, where NA, null and their like are no value; an empty cell is none;
// other columns are properties, unless nearly every row has a value of its own:
// those number the rows and are left out. Of two columns of one name the second
// is called "name (2)". drop names columns to leave out besides.
//
// It fails with a sentence where the label is not there, or not of two values.
func ReadTable(head []string, rows [][]string, label, yes string, drop []string) (*Reading, error) {
	head = apart(head)
	at := slices.Index(head, label)
	if at < 0 {
		return nil, fmt.Errorf("the table has no column %q: it has %s", label, strings.Join(head, ", "))
	}
	for _, d := range drop {
		if !slices.Contains(head, d) {
			return nil, fmt.Errorf("the table has no column %q to leave out: it has %s", d, strings.Join(head, ", "))
		}
	}
	out := &Reading{Table: &Table{}}
	var labels []string
	var kept [][]string
	for i, r := range rows {
		if len(r) != len(head) {
			return nil, fmt.Errorf("row %d has %d values, the heading %d", i+1, len(r), len(head))
		}
		v := strings.TrimSpace(r[at])
		if isMissing(v) && !slices.Contains([]string{"none", "nil", "-", "?"}, strings.ToLower(v)) { // those may be an outcome
			out.Unlabelled++
			continue
		}
		if !slices.Contains(labels, v) && len(labels) < 30 {
			labels = append(labels, v)
		}
		kept = append(kept, r)
	}
	yes, err := outcome(label, labels, strings.TrimSpace(yes))
	if err != nil {
		return nil, err
	}
	t := out.Table
	for _, r := range kept {
		t.Yes = append(t.Yes, strings.TrimSpace(r[at]) == yes)
	}
	for c, name := range head {
		if c == at || slices.Contains(drop, name) {
			continue
		}
		x, known, texts := out.column(kept, c)
		if texts != nil && len(texts) > 2+len(kept)/2 {
			out.Left = append(out.Left, name)
			continue
		}
		t.Names, t.Units = append(t.Names, name), append(t.Units, "")
		t.X, t.Known, t.Texts = append(t.X, x), append(t.Known, known), append(t.Texts, texts)
	}
	return out, nil
}

// apart gives each column a name of its own.
func apart(head []string) []string {
	out := slices.Clone(head)
	seen := map[string]int{}
	for i, name := range head {
		if seen[name]++; seen[name] > 1 {
			out[i] = fmt.Sprintf("%s (%d)", name, seen[name])
		}
	}
	return out
}

// outcome finds the value that means churned among those of the label.
func outcome(label string, labels []string, yes string) (string, error) {
	some := strings.Join(labels[:min(len(labels), 5)], ", ")
	if len(labels) > 5 {
		some += " …"
	}
	switch {
	case len(labels) == 0:
		return "", fmt.Errorf("the column %q is empty: nobody's outcome is known", label)
	case yes != "" && !slices.Contains(labels, yes):
		return "", fmt.Errorf("no row has %q in the column %q: its values are %s", yes, label, some)
	case len(labels) == 1:
		return "", fmt.Errorf("the column %q has one value alone (%s): there is nothing to tell apart", label, some)
	case yes != "":
		return yes, nil
	case len(labels) > 2:
		return "", fmt.Errorf("the column %q has more than two values (%s): say which of them is churn with --yes VALUE, and all others count as not, or name another column", label, some)
	}
	i := slices.IndexFunc(labels, func(v string) bool {
		return slices.Contains([]string{"yes", "true", "1", "churned", "y", "t"}, strings.ToLower(v))
	})
	if i < 0 {
		return "", fmt.Errorf("the column %q has the values %s: say which of them is churn with --yes VALUE", label, some)
	}
	return labels[i], nil
}

// isMissing says whether a cell among numbers says that there is no value.
func isMissing(v string) bool {
	return slices.Contains([]string{"", "na", "n/a", "null", "none", "nil", "?", "-", "#n/a"}, strings.ToLower(v))
}

// column reads one column: as numbers if all that are not missing are, else as
// places in texts.
func (out *Reading) column(rows [][]string, c int) (x []float64, known []bool, texts []string) {
	x, known = make([]float64, len(rows)), make([]bool, len(rows))
	numbers, missing, odd, other := 0, 0, 0, false
	for i, r := range rows {
		v := strings.TrimSpace(r[c])
		if isMissing(v) {
			if v != "" {
				missing++
			}
			continue
		}
		n, err := strconv.ParseFloat(v, 64)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange):
			other = true
		case math.IsNaN(n) || math.IsInf(n, 0):
			odd++
		default:
			x[i], known[i] = n, true
			numbers++
		}
		if other {
			break
		}
	}
	if !other && (numbers > 0 || missing+odd == 0) {
		out.Missing, out.NotFinite = out.Missing+missing, out.NotFinite+odd
		if !slices.Contains(known, false) {
			known = nil
		}
		return x, known, nil
	}
	texts = []string{""}
	place := map[string]int{}
	for i, r := range rows {
		v := strings.TrimSpace(r[c])
		if known[i] = v != ""; !known[i] {
			x[i] = 0
			continue
		}
		p, seen := place[v]
		if !seen {
			p = len(texts)
			place[v] = p
			texts = append(texts, v)
		}
		x[i] = float64(p)
	}
	return x, known, texts
}

// Split parts a table by position, as the peers' tables are: every fifth row,
// the first among them, is the test, the rest trains.
func (t *Table) Split() (train, test *Table) {
	part := func(want bool) *Table {
		o := NewTable(t.Names, t.Units)
		o.Texts, o.Outcome, o.Other = t.Texts, t.Outcome, t.Other
		values, known := make([]float64, len(t.X)), make([]bool, len(t.X))
		for i, y := range t.Yes {
			if (i%5 == 0) == want {
				t.Row(i, values, known)
				o.Add(values, known, y)
			}
		}
		return o
	}
	return part(false), part(true)
}

// Judge scores a model on a table's users.
func (m *Model) Judge(t *Table, least int, level float64) (Quality, error) {
	fs := make([]stat.Forecast, 0, t.Len())
	values, known := make([]float64, len(t.X)), make([]bool, len(t.X))
	for i, y := range t.Yes {
		t.Row(i, values, known)
		fs = append(fs, stat.Forecast{P: m.Predict(values, known), Yes: y})
	}
	return Judge(fs, least, level)
}
