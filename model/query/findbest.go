package query

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// How well a user matches a text that was looked for, best first.
const (
	exactID = iota
	exactValue
	prefixID
	prefixValue
	insideID
	insideValue
)

// bestFound keeps the best max of what search gives. It stops the search as soon
// as nothing better can come: search gives ids that start with the text, values
// that do, then ids and values that hold it.
type bestFound struct {
	low   string
	max   int
	found []Found
	match []int // of each
}

// take keeps a user if it is among the best so far; false ends the search.
func (b *bestFound) take(f Found) bool {
	m := b.grade(&f)
	if len(b.found) == b.max {
		last := len(b.found) - 1
		if worst := b.match[last]; m >= insideID && worst < m {
			return false
		}
		if b.order(m, &f, last) > 0 {
			return true
		}
		b.found, b.match = b.found[:last], b.match[:last]
	}
	at := len(b.found)
	for at > 0 && b.order(m, &f, at-1) < 0 {
		at--
	}
	b.found, b.match = slices.Insert(b.found, at, f), slices.Insert(b.match, at, m)
	return true
}

// grade says how well a user matches.
func (b *bestFound) grade(f *Found) int {
	has, byValue := strings.ToLower(f.Has), 0
	if f.By != "id" {
		byValue = 1
	}
	switch {
	case has == b.low:
		return exactID + byValue
	case strings.HasPrefix(has, b.low):
		return prefixID + byValue
	}
	return insideID + byValue
}

// order compares a user with one that is kept.
func (b *bestFound) order(m int, f *Found, i int) int {
	if c := cmp.Compare(m, b.match[i]); c != 0 {
		return c
	}
	k := &b.found[i]
	if c := natural(f.Has, k.Has); c != 0 {
		return c
	}
	return natural(f.ID, k.ID)
}

// natural compares texts as a person sorts them: letter case ignored, runs of
// digits by the number they stand for (u2 before u10), else by bytes. Texts that
// differ in case or leading zeros alone are told apart by their bytes.
func natural(a, b string) int {
	i, j := 0, 0
	for i < len(a) && j < len(b) { // nearly all are told apart by a few plain letters and digits
		x, y := a[i], b[j]
		if x >= utf8.RuneSelf || y >= utf8.RuneSelf || isDigit(x) && isDigit(y) {
			break
		}
		if x, y = foldLetter(x), foldLetter(y); x != y {
			return cmp.Compare(x, y)
		}
		i, j = i+1, j+1
	}
	x, y := strings.ToLower(a[i:]), strings.ToLower(b[j:])
	for x != "" && y != "" {
		dx, dy := digits(x), digits(y)
		if dx > 0 && dy > 0 {
			nx, ny := strings.TrimLeft(x[:dx], "0"), strings.TrimLeft(y[:dy], "0")
			if c := cmp.Or(cmp.Compare(len(nx), len(ny)), strings.Compare(nx, ny)); c != 0 {
				return c
			}
			x, y = x[dx:], y[dy:]
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
}

// digits is the length of the run of digits at the beginning of a text.
func digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func foldLetter(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
