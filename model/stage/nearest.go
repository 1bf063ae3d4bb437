package stage

// nearest is ": did you mean …?" with the name nearest to a wrong one, or "" if
// none is near.
func nearest(wrong string, names []string) string {
	best, at := 0, -1
	for i, n := range names {
		if d := distance(wrong, n); at < 0 || d < best {
			best, at = d, i
		}
	}
	if at < 0 || best > max(1, len(wrong)/3)+1 {
		return ""
	}
	return ": did you mean " + names[at] + "?"
}

// distance is Levenshtein's: the least number of letters to add, drop or change.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			up := row[j+1]
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			row[j+1] = min(cost, up+1, row[j]+1)
			diagonal = up
		}
	}
	return row[len(y)]
}
