package tui

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
)

// What people stumble over who see the program for the first time.

// A filter begun on bars goes to the first table that holds what is typed.
func TestFilterSeeksItsTable(t *testing.T) {
	e := sampleEngine()
	table := func(name string, labels ...string) query.Block {
		b := query.Block{Kind: query.TableBlock, Name: name, Title: name, Heads: []query.Head{{Label: "users"}}}
		for _, l := range labels {
			b.Rows = append(b.Rows, query.Row{Key: l, Label: l, Cells: []query.Cell{{Figure: query.NoFigure, Text: "1"}}})
		}
		return b
	}
	bars := query.Block{Kind: query.BarBlock, Name: "bars", Title: "bars", Rows: []query.Row{{Key: "x", Label: "x", Cells: []query.Cell{{Figure: query.NoFigure, Text: "1"}}}}}
	e.answers["stages"] = &query.Answer{Title: "Stages", Blocks: []query.Block{bars, table("marks", "late", "silent"), table("properties", "plan", "country")}}
	d := newDriver(t, e, 100, 40, "stages")
	d.keys("/", "coun", "enter")
	d.shows("▸ properties", "▸ country", "late", "silent")
	if strings.Contains(d.screen(), "plan") {
		t.Errorf("plan does not hold it:\n%s", d.screen())
	}
	d.keys("esc")
	d.shows("plan")
	d.keys("/", "late", "enter") // now it is the person's own choice of a table
	d.shows(`nothing holds "late"`)
}

// What a key of the options means is there in whole, at every width.
func TestOptionsExplainThemselves(t *testing.T) {
	for _, w := range []int{60, 80, 200} {
		d := newDriver(t, sampleEngine(), w, 24, "retention")
		d.keys("o")
		for i := range query.SpecOf("retention").Keys {
			d.keys("j")
			words := strings.Join(strings.Fields(d.screen()), " ")
			if k := query.SpecOf("retention").Keys[i]; !strings.Contains(words, k.Name+": "+k.Help) && !strings.Contains(words, " "+k.Help) {
				t.Errorf("%d cells: what %s means (%s) is not in\n%s", w, k.Name, k.Help, d.screen())
			}
		}
		d.fits()
	}
}

// A sentence longer than a line is read where it is said, and not under a filter
// that is being typed.
func TestLongSentences(t *testing.T) {
	d := newDriver(t, sampleEngine(), 60, 20, home)
	said := "compare needs two to 6 of a kind: " + strings.Repeat("user=A and user=B, ", 6) + "or two questions"
	d.send(statusMsg{text: said, bad: true})
	if words := strings.Join(strings.Fields(d.screen()), " "); !strings.Contains(words, "! "+said) {
		t.Errorf("not in whole:\n%s", d.screen())
	}
	d.fits()
	d.send(statusMsg{text: strings.Repeat(said, 5), bad: true})
	d.shows(":messages has all of it", "enter open")
	d.fits()
	d.keys("j")
	if strings.Contains(d.screen(), "of a kind") {
		t.Errorf("the next key leaves it there:\n%s", d.screen())
	}
}

// A day typed over raw rows asks for that day: what somebody did last Tuesday.
func TestRowsOfADay(t *testing.T) {
	d := newDriver(t, realEngine(t), 100, 30, "rows?user=u03")
	d.keys("/", "2023-05-02", "enter")
	if got := d.a.address(); got != "rows?day=2023-05-02&user=u03" {
		t.Errorf("a day leads to %s", got)
	}
	d.shows("day 2023-05-02, user u03") // the header says what the list is kept to
	d.keys("/")
	d.shows("Nobody and nothing", "/2023-05-02") // what is typed is seen, though the list is empty
	for range "2023-05-02" {
		d.keys("backspace")
	}
	d.keys("purchase", "enter")
	if got := d.a.address(); got != "rows?event=purchase&user=u03" {
		t.Errorf("an event after it leads to %s", got)
	}
}

// Rules beside a segment narrow it; they are no group of their own.
func TestGroupOf(t *testing.T) {
	for _, c := range [][2]string{
		{"retention", ""},
		{"retention?segment=a&segment=b", "a | b"},
		{"retention?where=x&where=y", "x | y"},
		{"retention?segment=a&where=x", "a with x"},
		{"retention?segment=a&where=x&where=y", "a with x | y"},
		{"retention?segment=a&segment=b&where=x", "a | b, each with x"},
	} {
		q, err := query.Parse(c[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := groupOf(q); got != c[1] {
			t.Errorf("%s is asked of %q, want %q", c[0], got, c[1])
		}
	}
}

// A file pasted by mistake is cut, and the program goes on.
func TestHugePaste(t *testing.T) {
	d := newDriver(t, sampleEngine(), 80, 24, home)
	d.keys(":")
	d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(strings.Repeat("wide 用户\n", 100_000)), Paste: true})
	d.fits()
	d.keys("x", "esc")
	d.shows("Overview")
}

// While users are looked for the palette says so, and not that there are none.
func TestPaletteSaysThatItLooks(t *testing.T) {
	d := newDriver(t, sampleEngine(), 80, 24, home)
	d.keys(":")
	d.hold = true
	d.keys("1785")
	d.shows("looking for users")
	d.release()
	d.shows("user 17850")
	d.keys(" ") // asks for the same
	d.shows("user 17850")
	d.keys("x")
	d.shows("nothing completes this")
	d.keys("esc", ":", "asof 2011")
	d.shows(":asof DAY  ask the question of this screen as of another day")
	d.keys("esc")

	e := realEngine(t)
	d = newDriver(t, e, 80, 24, home)
	if err := e.PutSegment(t.Context(), query.Segment{Name: "big spenders", Rule: "revenue > 10"}); err != nil {
		t.Fatal(err)
	}
	d.keys(":", "segment b")
	d.shows("segment big spenders")
	d.keys("tab", "enter")
	if at := d.a.address(); at != "overview?segment=big%20spenders" {
		t.Errorf("the segment chosen leads to %s", at)
	}
}

// A saved segment is edited under its own name, and goes only when that is meant.
func TestSegmentEditedAndRemoved(t *testing.T) {
	e := realEngine(t)
	if err := e.PutSegment(t.Context(), query.Segment{Name: "alive", Rule: `stage != "churned"`}); err != nil {
		t.Fatal(err)
	}
	d := newDriver(t, e, 100, 40, "segments")
	d.keys("D")
	d.shows("this is no saved segment")
	d.keys("/", "alive", "enter", "esc", "N", " and events > 2")
	d.send(tea.KeyMsg{Type: tea.KeyCtrlS})
	d.shows("save as: alive")
	for range "alive" {
		d.keys("backspace")
	}
	d.keys("enter")
	d.shows("save as:") // without a name it waits
	d.keys("alive", "enter")
	d.shows("segment alive is saved")
	if s, err := e.Segment("alive"); err != nil || s.Rule != `stage != "churned" and events > 2` {
		t.Errorf("the shelf has %+v, %v", s, err)
	}
	d.keys("D")
	d.shows("remove the segment alive?")
	d.keys("esc")
	if _, err := e.Segment("alive"); err != nil {
		t.Errorf("esc removes it: %v", err)
	}
	d.keys("D", "y")
	d.shows("segment alive is removed")
	if _, err := e.Segment("alive"); err == nil {
		t.Error("it is there still")
	}
}

// Of two parts that take the keys in turn one alone shows a cursor.
func TestModelHasOneCursor(t *testing.T) {
	d := newDriver(t, realEngine(t), 100, 40, "model")
	for _, key := range []string{"", "tab", "tab"} {
		if key != "" {
			d.keys(key)
		}
		settings, below := 0, 0
		at := &settings
		for _, l := range strings.Split(d.screen(), "\n") {
			if strings.Contains(l, "Stages and how they are entered") {
				at = &below
			}
			if strings.HasPrefix(l, "▸") {
				*at++
			}
		}
		if (settings > 0) == (below > 0) {
			t.Errorf("%q: %d cursors in the settings and %d below in\n%s", key, settings, below, d.screen())
		}
	}
}
