package chart

import "dwell/model/query"

// letter is the sign of series i where there are several: beside its colour, so
// that lines are told apart without any; 0 for one line alone and past z.
func letter(c *query.Chart, i int) rune {
	if len(c.Series) < 2 || i >= 26 || c.Series[i].Name == "" {
		return 0
	}
	return 'a' + rune(i)
}

// letters writes each line's letter on it three times or so, each line's in other
// columns, so that lines that run into one show the letters of both.
func (g *grid) letters(c *query.Chart, sc scale) {
	n := len(c.Series)
	for i := range c.Series {
		x := letter(c, i)
		if x == 0 {
			continue
		}
		mid, _, _ := columns(c, &c.Series[i], c.Series[i].Y, sc)
		every := max(sc.cols/3, 3*n)
		wrote := false
		for col := every * (2*i + 1) / (2 * n); col < sc.cols; col += every {
			if finite(mid[col]) {
				g.put(sc.row(mid[col]), col, x, Line+Class(i))
				wrote = true
			}
		}
		for col := sc.cols - 1; col >= 0 && !wrote; col-- { // a short line has it at its end
			if finite(mid[col]) {
				g.put(sc.row(mid[col]), col, x, Line+Class(i))
				wrote = true
			}
		}
	}
}
