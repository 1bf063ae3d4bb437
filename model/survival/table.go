package survival

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Table is a plain table of lives as a file holds it: one row a life, cells as
// text. It is what `--table` reads; events know another way.
type Table struct {
	Names []string
	Rows  [][]string
}

// column is the place of a column, or an error that names those there are, or says
// that two have the name.
func (t *Table) column(name string) (int, error) {
	if at := slices.Index(t.Names, name); at >= 0 {
		if slices.Contains(t.Names[at+1:], name) {
			return 0, fmt.Errorf("two columns are called %q: give one of them another name", name)
		}
		return at, nil
	}
	return 0, fmt.Errorf("the table has no column %q: it has %s", name, strings.Join(t.Names, ", "))
}

// cell is a cell without its blanks, "" where the row is too short.
func (t *Table) cell(row, col int) string {
	if col >= len(t.Rows[row]) {
		return ""
	}
	return strings.TrimSpace(t.Rows[row][col])
}

// missing says whether a cell holds no value.
func missing(s string) bool { return s == "" || s == "NA" || s == "NaN" || s == "null" }

// happened reads how tables write whether something happened.
func happened(s, died string) (yes, ok bool) {
	if died != "" {
		return s == died, true
	}
	switch strings.ToLower(s) {
	case "1", "1.0", "true", "t", "yes", "y":
		return true, true
	case "0", "0.0", "false", "f", "no", "n":
		return false, true
	}
	return false, false
}

// Lives reads the lives: time is the column of their length, event says whether
// they ended in death (1, true, yes; or the value died, if it is not ""), entry is
// the column from when on each was watched, "" for from the beginning. rows are
// the table's rows that are lives: those without time, event or entry are left
// out. Anything else that is no number is an error that names the row, counted
// from 1 below the heading.
func (t *Table) Lives(time, event, died, entry string) (lives []Life, rows []int, err error) {
	at, err := t.column(time)
	if err != nil {
		return nil, nil, err
	}
	ev, err := t.column(event)
	if err != nil {
		return nil, nil, err
	}
	en := -1
	if entry != "" {
		if en, err = t.column(entry); err != nil {
			return nil, nil, err
		}
	}
	number := func(row, col int) (float64, bool, error) {
		s := t.cell(row, col)
		if missing(s) {
			return 0, false, nil
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			hint := ""
			if _, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64); err == nil {
				hint = ": write decimals with a point"
			}
			return 0, false, fmt.Errorf("row %d: %s is %q, which is no number%s", row+1, t.Names[col], s, hint)
		}
		return v, true, nil
	}
	if died != "" {
		if err := t.holds(ev, died); err != nil {
			return nil, nil, err
		}
	}
	for i := range t.Rows {
		l := Life{Count: 1}
		v, ok, err := number(i, at)
		if err != nil {
			return nil, nil, err
		}
		l.Time = v
		s := t.cell(i, ev)
		if !ok || missing(s) {
			continue
		}
		if l.Died, ok = happened(s, died); !ok {
			return nil, nil, fmt.Errorf("row %d: %s is %q, which is neither 1 nor 0, yes nor no: say which value means that it happened", i+1, t.Names[ev], s)
		}
		if en >= 0 {
			if l.Entry, ok, err = number(i, en); err != nil {
				return nil, nil, err
			} else if !ok {
				continue
			}
		}
		if err := Check([]Life{l}); err != nil {
			return nil, nil, fmt.Errorf("row %d: from %v to %v: %w", i+1, l.Entry, l.Time, ErrBadLife)
		}
		lives, rows = append(lives, l), append(rows, i)
	}
	if len(lives) == 0 {
		return nil, nil, ErrNobody
	}
	return lives, rows, nil
}

// holds fails where no row has the value: a slip of the pen would else make every
// life a censored one.
func (t *Table) holds(col int, value string) error {
	seen := map[string]bool{}
	var values []string
	for i := range t.Rows {
		switch s := t.cell(i, col); {
		case s == value:
			return nil
		case !missing(s) && !seen[s] && len(values) < 8:
			seen[s] = true
			values = append(values, s)
		}
	}
	return fmt.Errorf("no row has %s %q, so nobody would have died: it holds %s", t.Names[col], value, strings.Join(values, ", "))
}

// Groups parts rows by the values of a column, in order of the values: numbers by
// size, else by text. Rows without a value are in no group.
func (t *Table) Groups(col string, rows []int) (values []string, of [][]int, err error) {
	at, err := t.column(col)
	if err != nil {
		return nil, nil, err
	}
	by := map[string][]int{}
	for k, i := range rows {
		if v := t.cell(i, at); !missing(v) {
			by[v] = append(by[v], k)
		}
	}
	for v := range by {
		values = append(values, v)
	}
	sortValues(values)
	for _, v := range values {
		of = append(of, by[v])
	}
	return values, of, nil
}

func sortValues(vs []string) {
	num := func(s string) (float64, bool) { v, err := strconv.ParseFloat(s, 64); return v, err == nil }
	numeric := true
	for _, v := range vs {
		_, ok := num(v)
		numeric = numeric && ok
	}
	slices.SortFunc(vs, func(a, b string) int {
		if numeric {
			x, _ := num(a)
			y, _ := num(b)
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
		}
		return strings.Compare(a, b)
	})
}

// Design makes the columns of a regression from columns of the table: one of
// numbers as it stands, one of texts as a yes-or-no for each value but the first,
// named column=value. whole are the places in rows that have all values; x is by
// column, over those alone.
func (t *Table) Design(cols []string, rows []int) (names []string, x [][]float64, whole []int, err error) {
	at := make([]int, len(cols))
	for j, c := range cols {
		if at[j], err = t.column(c); err != nil {
			return nil, nil, nil, err
		}
	}
	for k, i := range rows {
		if !slices.ContainsFunc(at, func(c int) bool { return missing(t.cell(i, c)) }) {
			whole = append(whole, k)
		}
	}
	for j, c := range cols {
		texts := make([]string, len(whole))
		for n, k := range whole {
			texts[n] = t.cell(rows[k], at[j])
		}
		ns, xs := Coded(c, texts)
		if len(xs) == 0 {
			return nil, nil, nil, fmt.Errorf("%s is %q in every row: there is nothing to compare", c, texts[0])
		}
		names, x = append(names, ns...), append(x, xs...)
	}
	return names, x, whole, nil
}

// Coded makes numbers of one column of texts: as they stand if all are numbers,
// else a yes-or-no for each value but the first in order.
func Coded(name string, texts []string) (names []string, x [][]float64) {
	nums := make([]float64, len(texts))
	numeric := true
	var values []string
	seen := map[string]bool{}
	for i, s := range texts {
		v, err := strconv.ParseFloat(s, 64)
		numeric = numeric && err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
		nums[i] = v
		if !seen[s] {
			seen[s] = true
			values = append(values, s)
		}
	}
	if numeric {
		return []string{name}, [][]float64{nums}
	}
	sortValues(values)
	for _, v := range values[1:] {
		col := make([]float64, len(texts))
		for i, s := range texts {
			if s == v {
				col[i] = 1
			}
		}
		names, x = append(names, name+"="+v), append(x, col)
	}
	return names, x
}
