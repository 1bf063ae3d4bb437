package tui

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
)

// A growingEngine has a table that others come into before everybody else, each time
// it is read anew.
type growingEngine struct {
	*fakeEngine
	reads int
}

func (g *growingEngine) Reload(context.Context) error { g.reads++; return nil }

func (g *growingEngine) Table(_ context.Context, q query.Query, _ query.Progress) (query.Table, error) {
	g.asked = append(g.asked, q.String())
	return grownTable{fakeTable{500}, 3 * g.reads}, g.err
}

// grownTable is fakeTable behind so many rows that are new.
type grownTable struct {
	fakeTable
	more int
}

func (t grownTable) Len() (int, bool) { return t.n + t.more, true }

func (t grownTable) Window(ctx context.Context, from, n int) (out []query.TableRow, err error) {
	for i := from; i < min(from+n, t.more); i++ {
		id := fmt.Sprintf("new-%d", i)
		out = append(out, query.TableRow{Key: id, Open: "user/" + id, Cells: []string{id, "growth", "1.00", "1", "2011-12-01"}, Values: make([]*float64, 5)})
	}
	from = max(from-t.more, 0)
	old, err := t.fakeTable.Window(ctx, from, n-len(out))
	return append(out, old...), err
}

func (t grownTable) Seek(key string) (int, error) {
	i, err := t.fakeTable.Seek(key)
	return i + t.more, err
}

func following(auto bool) func(*Options, *Desk) {
	return func(_ *Options, d *Desk) {
		ch := make(chan News)
		close(ch)
		d.News, d.Follows, d.Auto = ch, "app.csv", auto
	}
}

func (d *driver) cursorLine() (line int, text string) {
	for i, l := range strings.Split(d.screen(), "\n") {
		if strings.HasPrefix(l, "▸ user-") {
			return i, strings.Fields(l)[1]
		}
	}
	return -1, ""
}

// New data shown on a key or by itself leaves the cursor on its row, and the row on its
// line; the old rows stand until the new ones are there, and keys act on them.
func TestNewDataUnderTheCursor(t *testing.T) {
	for _, auto := range []bool{false, true} {
		g := &growingEngine{fakeEngine: sampleEngine()}
		d := newDriver(t, g, 80, 24, "users", following(auto))
		d.keys("jjjjjjjjj")
		line, who := d.cursorLine()
		if who != "user-0000009" {
			t.Fatalf("the cursor is on %q:\n%s", who, d.screen())
		}
		d.send(newsMsg{News{Rows: 4}})
		if !auto {
			d.shows("new data: 4 rows; U shows it")
			d.keys("U")
		}
		d.shows("users  13/503")
		if at, is := d.cursorLine(); at != line || is != who {
			t.Errorf("the cursor went from %s on line %d to %q on line %d:\n%s", who, line, is, at, d.screen())
		}
		// Meanwhile one moves on, types a filter, or goes in.
		d.hold = true
		d.send(newsMsg{News{Rows: 1}})
		if !auto {
			d.keys("U")
		}
		d.keys("j", "/", "abc")
		d.shows("14/503", "user-0000009", "/abc")
		d.release()
		d.shows("17/506", "/abc") // the row that was moved to
		d.keys("esc")
		if _, is := d.cursorLine(); is != "user-0000010" {
			t.Errorf("the cursor is on %q:\n%s", is, d.screen())
		}
		// What is gone back to is new, and the cursor is where it was.
		d.keys("enter")
		d.send(newsMsg{News{Rows: 1}})
		if d.keys(map[bool]string{false: "U", true: "j"}[auto]); d.a.address() != "user/u10" {
			t.Fatalf("enter leads to %s", d.a.address())
		}
		d.keys("esc")
		d.shows("20/509")
		if _, is := d.cursorLine(); is != "user-0000010" {
			t.Errorf("back on the list the cursor is on %q:\n%s", is, d.screen())
		}
	}
}

// What is shown by itself waits until the screen has worked out what was shown before:
// a question that takes longer than the rows are apart is answered all the same.
func TestNewDataWaitsForTheAnswer(t *testing.T) {
	g := &growingEngine{fakeEngine: sampleEngine()}
	now := fixedNow()
	d := newDriver(t, g, 80, 24, "retention", following(true), func(_ *Options, d *Desk) { d.Now = func() time.Time { return now } })
	var ticks []tea.Msg
	d.a.s.after = func(_ time.Duration, m tea.Msg) tea.Cmd { ticks = append(ticks, m); return nil }
	asked := len(g.asked)
	d.send(newsMsg{News{Rows: 1}}) // shown
	d.hold = true
	d.send(newsMsg{News{Rows: 1}}) // is read …
	for range 5 {
		now = now.Add(time.Second)
		d.send(newsMsg{News{Rows: 1}}) // … and these come before there is an answer
	}
	d.shows("new data: 5 rows, shown ")
	d.release()
	if n := len(g.asked) - asked; n != 2 || g.reads != 2 {
		t.Fatalf("%d reads and %d questions, want two each: %v", g.reads, n, g.asked[asked:])
	}
	// It rests in proportion, and then shows all that has come at once.
	if len(ticks) != 1 {
		t.Fatalf("%d ticks are to come, want one", len(ticks))
	}
	d.send(newsMsg{News{Rows: 1}})
	if now = now.Add(14 * time.Second); g.reads != 2 {
		t.Fatalf("it does not rest: %d reads", g.reads)
	}
	d.send(newsMsg{News{Rows: 1}})
	if g.reads != 2 {
		t.Fatalf("it rests too short: %d reads", g.reads)
	}
	now = now.Add(2 * time.Second)
	d.send(ticks[0])
	if g.reads != 3 || d.a.newsLine() != "" {
		t.Errorf("after the rest there were %d reads, and it says %q", g.reads, d.a.newsLine())
	}
	// A key does not wait.
	d.keys("F")
	d.send(newsMsg{News{Rows: 1}})
	if d.keys("U"); g.reads != 4 {
		t.Errorf("after U there were %d reads", g.reads)
	}
}

// The status line says how the file stands, whatever else it says and however narrow it
// is, and goes on saying that nothing is stored until something is.
func TestHowTheFileStands(t *testing.T) {
	for _, size := range [][2]int{{60, 20}, {80, 24}, {200, 60}} {
		d := newDriver(t, sampleEngine(), size[0], size[1], "overview", following(false))
		d.shows("app.csv: nothing new yet")
		d.send(newsMsg{News{Rows: 1200, Rejected: 3}})
		d.keys("U")
		d.shows("last at 09:00:00")
		d.fits()
		if size[0] > 60 {
			d.shows("1,200 rows, 3 rejected, last at 09:00:00")
		}
		d.send(newsMsg{News{Text: "app.csv is not being stored: the disk is full", Bad: true}})
		d.shows("the disk is full")
		d.keys("j")
		d.shows("not stored since 09:00:00")
		d.fits()
		d.send(newsMsg{News{Text: "app.csv is stored again"}})
		d.keys("j")
		if strings.Contains(d.screen(), "not stored") {
			t.Errorf("it is stored again:\n%s", d.screen())
		}
		d.send(newsMsg{News{Done: 30, Total: 40}})
		d.shows("storing, 75%")
		d.send(newsMsg{News{Rejected: 2}})
		d.shows("2 rows came and could not be read")
		d.fits()
	}
}

// The same answer anew leaves every part where it was scrolled to.
func TestNewDataLeavesTheWindow(t *testing.T) {
	for _, size := range [][2]int{{60, 20}, {200, 60}} {
		for _, address := range []string{"overview", "retention", "user/17850", "users"} {
			for _, keys := range []string{"", "jjjjjjjjjjjjjjjk", "jjjjjjjjllllllllllh", "Gk"} {
				for tabs := range 4 {
					d := newDriver(t, sampleEngine(), size[0], size[1], address, following(true))
					for range tabs {
						d.keys("tab")
					}
					d.keys(keys)
					body := func() string { return strings.Join(strings.Split(d.screen(), "\n")[:size[1]-2], "\n") }
					before := body()
					d.send(newsMsg{News{Rows: 1}})
					if after := body(); after != before {
						t.Fatalf("%s at %v after %d tabs and %q goes from\n%s\nto\n%s", address, size, tabs, keys, before, after)
					}
				}
			}
		}
	}
}

// However many loads come before it, the part with the focus stays in sight, on wide
// screens too, where parts stand side by side.
func TestNewPartsBeforeTheFocus(t *testing.T) {
	loads := func(n int) *query.Answer {
		a := &query.Answer{Title: "Data quality"}
		for i := n; i > 0; i-- {
			name := fmt.Sprintf("load %d", i)
			a.Blocks = append(a.Blocks, query.Block{Kind: query.TableBlock, Name: name, Title: name, Heads: []query.Head{{Label: "rows", Right: true}},
				Rows: []query.Row{{Key: "read", Label: "read", Cells: []query.Cell{{Figure: query.NoFigure, Text: "7"}}}, {Key: "stored", Label: "stored", Cells: []query.Cell{{Figure: query.NoFigure, Text: "7"}}}}})
		}
		return a
	}
	for _, size := range [][2]int{{60, 20}, {80, 24}, {200, 60}} {
		e := sampleEngine()
		e.answers["quality"] = loads(9)
		d := newDriver(t, e, size[0], size[1], "quality", following(true))
		d.keys("tab", "tab", "tab")
		for n := 10; n < 60; n += 7 {
			d.shows("▸ load 6")
			e.answers["quality"] = loads(n)
			d.send(newsMsg{News{Rows: 1}})
		}
		d.shows("▸ load 6")
		for range 20 {
			d.keys("tab")
			if !strings.Contains(d.screen(), "▸ load") {
				t.Fatalf("at %v the part with the focus is out of sight:\n%s", size, d.screen())
			}
		}
	}
}
