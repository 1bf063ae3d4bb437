package churn

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"dwell/model/stat"
)

// ReadTable makes a table from rows of text: a plain file of features with one
// row a user. label is the column of the outcome, and yes its value of those who
// churned ("" : yes, true, 1 or churned, whatever the case). Columns whose every
// value is a number are numbers; an empty value is none; other columns are
// properties, unless nearly every row has a value of its own: those number the
// rows and are left out, named in out. drop names columns to leave out besides.
//
// It fails with a sentence where the label is not there, or not of two values.
func ReadTable(head []string, rows [][]string, label, yes string, drop []string) (t *Table, out []string, err error) {
	at := slices.Index(head, label)
	if at < 0 {
		return nil, nil, fmt.Errorf("the table has no column %q: it has %s", label, strings.Join(head, ", "))
	}
	for _, d := range drop {
		if !slices.Contains(head, d) {
			return nil, nil, fmt.Errorf("the table has no column %q to leave out: it has %s", d, strings.Join(head, ", "))
		}
	}
	var labels []string
	for i, r := range rows {
		if len(r) != len(head) {
			return nil, nil, fmt.Errorf("row %d has %d values, the heading %d", i+1, len(r), len(head))
		}
		if v := strings.TrimSpace(r[at]); !slices.Contains(labels, v) {
			labels = append(labels, v)
		}
		if len(labels) > 2 {
			return nil, nil, fmt.Errorf("the column %q has more than two values (%s …): it cannot be an outcome", label, strings.Join(labels, ", "))
		}
	}
	if yes == "" {
		i := slices.IndexFunc(labels, func(v string) bool {
			return slices.Contains([]string{"yes", "true", "1", "churned", "y", "t"}, strings.ToLower(v))
		})
		if i < 0 {
			return nil, nil, fmt.Errorf("the column %q has the values %s: say which of them is churn", label, strings.Join(labels, ", "))
		}
		yes = labels[i]
	} else if !slices.Contains(labels, yes) {
		return nil, nil, fmt.Errorf("no row has %q in the column %q: its values are %s", yes, label, strings.Join(labels, ", "))
	}
	t = &Table{}
	for _, r := range rows {
		t.Yes = append(t.Yes, strings.TrimSpace(r[at]) == yes)
	}
	for c, name := range head {
		if c == at || slices.Contains(drop, name) {
			continue
		}
		x, known, texts := column(rows, c)
		if texts != nil && len(texts) > 2+len(rows)/2 {
			out = append(out, name)
			continue
		}
		t.Names, t.Units = append(t.Names, name), append(t.Units, "")
		t.X, t.Known, t.Texts = append(t.X, x), append(t.Known, known), append(t.Texts, texts)
	}
	return t, out, nil
}

// column reads one column: as numbers if all are, else as places in texts.
func column(rows [][]string, c int) (x []float64, known []bool, texts []string) {
	x, known = make([]float64, len(rows)), make([]bool, len(rows))
	number := true
	for i, r := range rows {
		v := strings.TrimSpace(r[c])
		if v == "" {
			continue
		}
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || math.IsNaN(n) {
			number = false
			break
		}
		x[i], known[i] = n, true
	}
	if number {
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
