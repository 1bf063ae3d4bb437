package ingest

import (
	"fmt"
	"strings"
)

// findTime prefers a known name whose cells are times, then cells that are dates.
func (r *recogniser) findTime() {
	if r.o.TimeFormat != "" && r.findForm() {
		return
	}
	r.m.Time = r.best(func(i int) int {
		n := r.t.names[i]
		if n == r.m.User || len(r.cells[i]) == 0 {
			return 0
		}
		score := timeScore(n)
		// Numbers under a name that says nothing: only where every cell is a
		// recent Unix time, and only where no other column can be the time.
		unix := score == 0 && r.unixAlone(i)
		g, ok := guessTime(r.cells[i], score > 0 || unix)
		if !ok && score >= 85 {
			// Surely called a time, and full of faults: better than none, but a column
			// without faults comes first.
			if _, ok := guessFaulty(r.cells[i]); ok && r.fill(i) >= 0.5 {
				return 10
			}
		}
		if !ok || r.fill(i) < 0.5 {
			return 0
		}
		if score > 0 {
			return 100 + score
		}
		if g.form == formCompact && r.t.header != nil {
			return 0 // eight digits under a name that says nothing: an item number
		}
		if unix && (r.t.header != nil || r.t.sx.mode != modeTable) {
			return 20
		}
		return 50
	})
	r.why["time"] = "by name and content"
	if timeScore(r.m.Time) == 0 {
		r.why["time"] = "by content"
	}
}

// findForm finds the column whose times are written as --time-format says, be they
// what nobody could guess; if none is, the one that is called like a time, so that
// the sentence about it names it.
func (r *recogniser) findForm() bool {
	p, err := parseFormat(r.o.TimeFormat)
	if err != nil {
		return false // said when the form is needed
	}
	r.m.Time = r.best(func(i int) int {
		cells := r.cells[i]
		switch n := countParsed(p, cells); {
		case r.t.names[i] == r.m.User || len(cells) == 0:
			return 0
		case 2*n >= len(cells):
			return 200 + timeScore(r.t.names[i])
		}
		return timeScore(r.t.names[i])
	})
	r.why["time"] = "by its form"
	return r.m.Time != ""
}

// unixAlone says whether a column can only be Unix times: all of it seconds or
// milliseconds from 2000 until now.
func (r *recogniser) unixAlone(i int) bool {
	for _, form := range []timeForm{formUnix, formUnixMS} {
		p, all := timeParser{form: form}, true
		for _, c := range r.cells[i] {
			st, ok := p.parse([]byte(c))
			all = all && ok && st.ms >= 946_684_800_000 && st.ms <= r.o.Now.UnixMilli()+86_400_000
		}
		if all {
			return true
		}
	}
	return false
}

// fill is the share of rows in which a column is not empty.
func (r *recogniser) fill(i int) float64 {
	return float64(len(r.cells[i])) / float64(max(len(r.t.rows), 1))
}

// findUser goes by names; without a header by contents: the first column whose
// values come back, as ids of users do.
func (r *recogniser) findUser() {
	r.m.User = r.best(func(i int) int {
		if r.t.names[i] == r.m.Time || len(r.cells[i]) == 0 {
			return 0
		}
		return userWords.of(r.t.names[i])
	})
	r.why["user"] = "by name"
	if r.m.User != "" || r.t.header != nil || r.t.sx.mode != modeTable {
		return
	}
	r.why["user"] = "a guess: the first column that could be an id"
	for i, n := range r.t.names {
		if n == r.m.Time || r.fill(i) < 0.5 {
			continue
		}
		id := true
		for _, c := range r.cells[i][:min(len(r.cells[i]), 1000)] {
			if strings.ContainsAny(c, " \t") || len(c) > 64 || strings.Contains(c, ".") && classify([]byte(c)) == kindNumber {
				id = false
			}
		}
		if id && (distinct(r.cells[i]) > 1 || len(r.cells[i]) == 1) {
			r.m.User = n
			return
		}
	}
}

func distinct(cells []string) int {
	seen := map[string]bool{}
	for _, c := range cells {
		seen[c] = true
	}
	return len(seen)
}

// integerUsers sees whether all ids are integers written as floats.
func (r *recogniser) integerUsers() {
	cells := r.cells[r.index(r.m.User)]
	for _, c := range cells {
		if string(dropPointZero([]byte(c))) == c {
			return
		}
	}
	if len(cells) > 0 {
		r.m.UserInteger = true
		r.notes = append(r.notes, fmt.Sprintf("user ids are written as %s and stored as %s", cells[0], dropPointZero([]byte(cells[0]))))
	}
}

// findEvent goes by names, with contents that could be event names: not too
// many of them, and words rather than numbers unless the name is sure.
func (r *recogniser) findEvent() {
	r.m.Event = r.best(func(i int) int {
		n := r.t.names[i]
		s := eventWords.of(n)
		if s == 0 || n == r.m.User || n == r.m.Time || r.fill(i) < 0.5 {
			return 0
		}
		cells := r.cells[i]
		if d := distinct(cells); d > 50 && d*5 > len(cells) {
			return 0 // nearly every row another: free text, or ids
		}
		if s < 80 && classify([]byte(cells[0])) != kindText {
			return 0
		}
		return s
	})
	r.why["event"] = "by name"
	if r.m.Event != "" || r.t.header != nil || r.t.sx.mode != modeTable {
		return
	}
	// Without names: the first column of words that come again and again.
	for i, n := range r.t.names {
		cells := r.cells[i]
		if n == r.m.User || n == r.m.Time || n == r.m.Clock || r.fill(i) < 0.9 || classify([]byte(cells[0])) != kindText {
			continue
		}
		if d := distinct(cells); d <= 200 && (d*5 <= len(cells) || len(cells) < 20) {
			r.m.Event, r.why["event"] = n, "a guess: the first column of few words"
			return
		}
	}
}
