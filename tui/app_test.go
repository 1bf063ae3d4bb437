package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
)

// Every screen in each of its states, at both sizes.
func TestGoldenScreens(t *testing.T) {
	states := map[string]func(e *fakeEngine){
		"answer": func(*fakeEngine) {},
		"empty":  func(e *fakeEngine) { e.answers, e.rows = map[string]*query.Answer{}, 0 },
		"failed": func(e *fakeEngine) { e.err = errFake },
	}
	for _, size := range [][2]int{{80, 24}, {120, 40}} {
		for _, address := range []string{"overview", "retention", "users", "segments", "events", "user/17850", "churn", "rows"} {
			for state, change := range states {
				name := fmt.Sprintf("%s-%s-%dx%d", strings.ReplaceAll(address, "/", "-"), state, size[0], size[1])
				t.Run(name, func(t *testing.T) {
					e := sampleEngine()
					change(e)
					newDriver(t, e, size[0], size[1], address).golden(name)
				})
			}
			name := fmt.Sprintf("%s-working-%dx%d", strings.ReplaceAll(address, "/", "-"), size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d := newDriver(t, sampleEngine(), size[0], size[1], home)
				d.hold = true
				d.a.goTo(address, true)
				for id, j := range d.a.s.jobs.live {
					d.a.Update(progressMsg{job: id, done: 250_000, total: 1_000_000})
					_ = j
				}
				d.a.frame = d.a.draw()
				d.golden(name)
			})
		}
	}
	d := newDriver(t, sampleEngine(), 59, 20, home)
	d.golden("small-59x20")
	d.keys("j", "enter", "?")
	d.golden("small-59x20")
	d.keys("q")
	if !d.quit {
		t.Error("q does not quit a terminal that is too small")
	}
}

// Themes differ in style alone: without it every one of them shows the same.
func TestThemesShowTheSame(t *testing.T) {
	var want string
	for _, theme := range Themes() {
		d := newDriver(t, sampleEngine(), 120, 40, "retention", func(o *Options, _ *Desk) {
			o.Theme, o.Profile = theme, ProfileOf([]string{"TERM=xterm-256color"}, true)
		})
		if want == "" {
			want = d.screen()
		}
		if d.screen() != want {
			t.Errorf("theme %s shows\n%s\nwant\n%s", theme, d.screen(), want)
		}
	}
	if !strings.Contains(want, "[") || !strings.Contains(want, "╱") {
		t.Error("cursor and open cells need signs beside their colours")
	}
}

func TestASCIIScreens(t *testing.T) {
	for _, address := range []string{"overview", "retention", "segments"} {
		d := newDriver(t, sampleEngine(), 80, 24, address, func(o *Options, _ *Desk) { o.ASCII = true })
		for _, r := range d.a.View() {
			if r > 126 {
				t.Errorf("%s draws %q:\n%s", address, r, d.screen())
				break
			}
		}
	}
}

// Any size at all: nothing is wider or higher than the terminal, nothing panics.
func TestSizes(t *testing.T) {
	for _, address := range []string{"overview", "retention", "users", "segments", "events", "model"} {
		d := newDriver(t, sampleEngine(), 200, 60, address)
		for _, w := range []int{0, 1, 20, 60, 61, 79, 80, 119, 120, 200} {
			for _, h := range []int{0, 1, 5, 20, 21, 24, 40, 60} {
				d.send(tea.WindowSizeMsg{Width: w, Height: h})
				if w > 0 && h > 0 {
					d.fits()
				}
				d.keys("j", "tab", "l", "G")
				if d.a.crashed != "" {
					t.Fatalf("%s at %d×%d: %s", address, w, h, d.a.crashed)
				}
			}
		}
	}
}

func TestKeysInOneRead(t *testing.T) {
	d := newDriver(t, sampleEngine(), 80, 24, "users")
	d.keys("jjjjj")
	d.shows("6/1,000,000")
	d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("j"), Alt: true}) // esc j
	if got := d.a.address(); got != home {
		t.Errorf("esc j stands at %s, want out at %s", got, home)
	}
	d.keys(":users?sort=revenue", "enter")
	if got := d.a.address(); got != "users?sort=revenue" {
		t.Errorf("typed in one read: at %s", got)
	}
	d.keys("/")
	d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("qqq"), Paste: true})
	d.shows("/qqq")
	if d.quit {
		t.Error("a paste into the filter quit the program")
	}
}

func TestHistoryAndTrail(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, home)
	d.keys("tab", "enter") // a stage's users
	if !strings.HasPrefix(d.a.address(), "users?where=stage") {
		t.Fatalf("enter on a stage leads to %s", d.a.address())
	}
	d.keys("jj", "enter")
	if d.a.address() != "user/u2" {
		t.Fatalf("enter on a user leads to %s", d.a.address())
	}
	d.shows("overview › users › user u2")
	d.keys("[")
	d.shows("3/1,000,000") // the cursor is where it was
	d.keys("]", "esc", "esc")
	if d.a.address() != home {
		t.Errorf("esc twice stands at %s", d.a.address())
	}
	d.keys("esc", "[")
	d.shows("nothing further")
}

// Marks belong to rows: sorting and filtering keep them.
func TestMarksOutliveASort(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, "users")
	d.keys(" ", " ")
	d.shows("●2")
	d.keys("l", "l", "s")
	if !strings.Contains(d.a.address(), "sort=") {
		t.Fatalf("s leads to %s", d.a.address())
	}
	d.shows("●2")
}

// A rate asks whom one means; what is chosen is an address.
func TestRateOffersItsLists(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, "retention")
	d.keys("tab", "l", "enter")
	d.shows("it counts", "it is a share of", "lost")
	d.keys("3")
	if got := d.a.screen().Place().Query.Get("key"); got != "cohort.2011-07-25.week.1/lost" {
		t.Errorf("3 opens %q", got)
	}
	d.keys("esc", "e")
	d.shows("explain cohort.2011-07-25.week.1", "who is in the data", "[1 opens it]")
	d.keys("1")
	if d.a.address() != "user/17850" {
		t.Errorf("the example leads to %s", d.a.address())
	}
}

func TestChartAsTable(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, "retention")
	d.keys("g", "l", "t")
	d.shows("2/13", "interval")
	d.keys("t")
	d.shows("┤")
}

func TestPaletteFindsUsers(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, home)
	d.keys(":", "1785", "enter")
	if d.a.address() != "user/17850" {
		t.Errorf("three keys after the search stand at %s", d.a.address())
	}
	d.keys(":", "nobody at all", "enter")
	d.shows("nobody at all")
	d.keys(":retention?un")
	d.shows("retention?unit=")
	d.keys("tab", "we")
	d.shows("retention?unit=week")
	d.keys("esc")
	d.keys(":", "ret", "tab", "enter")
	if d.a.address() != "retention" {
		t.Errorf("a completed name leads to %s", d.a.address())
	}
}

func TestOptionsMakeAnAddress(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, "retention")
	d.keys("u")
	if d.a.address() != "retention?unit=week" {
		t.Errorf("u leads to %s", d.a.address())
	}
	d.keys("o")
	d.shows("options of retention", "mode")
	d.keys("esc")
	if d.a.address() != "retention?unit=week" {
		t.Errorf("esc closes the options, but stands at %s", d.a.address())
	}
	d.keys(":asof 2011-06-01", "enter")
	if d.a.address() != "retention@2011-06-01?unit=week" {
		t.Errorf("as of: %s", d.a.address())
	}
	d.keys(":set unit=fortnight", "enter")
	d.shows("fortnight")
}

func TestCopyGoesThroughTheTerminal(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, "retention")
	d.keys("Y")
	if !strings.Contains(d.out.String(), "\x1b]52;c;cmV0ZW50aW9u") {
		t.Errorf("no OSC 52 with the address: %q", d.out.String())
	}
}

func TestExport(t *testing.T) {
	var name, body string
	d := newDriver(t, sampleEngine(), 100, 30, "users", func(_ *Options, k *Desk) {
		k.Export = func(n string, write func(io.Writer) error) (string, error) {
			var b strings.Builder
			err := write(&b)
			name, body = n, b.String()
			return "/home/x/" + n, err
		}
	})
	d.keys(" ", "j", " ", "x")
	d.shows("export to users.csv")
	d.keys("enter")
	d.shows("written to /home/x/users.csv")
	if want := "user,stage,revenue,orders,last\nuser-0000000,growth,0,0,2011-12-01\nuser-0000002,growth,2.5,2,2011-12-01\n"; name != "users.csv" || body != want {
		t.Errorf("%s holds\n%swant the marked rows\n%s", name, body, want)
	}
	d.keys(":export list.doc", "enter")
	d.shows("does not say a format")
	name = ""
	d.keys(":export out/list.csv", "enter")
	d.shows("names a folder")
	if name != "" {
		t.Errorf("it was written to %s all the same", name)
	}
}

// A newer question replaces an older one; a late answer is not taken.
func TestNewestWins(t *testing.T) {
	e := sampleEngine()
	d := newDriver(t, e, 100, 30, "retention")
	d.hold = true
	d.keys("u") // week, held
	d.keys("u") // month, held
	d.release()
	if d.a.address() != "retention?unit=month" {
		t.Errorf("at %s", d.a.address())
	}
	if len(d.a.s.jobs.live) != 0 {
		t.Errorf("%d jobs never ended", len(d.a.s.jobs.live))
	}
	for _, p := range d.a.s.jobs.past[len(d.a.s.jobs.past)-2:] {
		if p.end != "done" && p.end != "cancelled" {
			t.Errorf("%s ended as %q", p.title, p.end)
		}
	}
}

func TestCancelIsNoError(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, home)
	d.hold = true
	d.keys("R")
	d.shows("esc cancels")
	d.keys("esc")
	d.release()
	d.shows("cancelled: r asks again")
	for _, m := range d.a.messages {
		if m.bad {
			t.Errorf("cancelling left a message: %s", m.text)
		}
	}
	d.keys("r")
	d.shows("Cohorts by week")
}

func TestWorkerPanicIsAnError(t *testing.T) {
	e := sampleEngine()
	e.hook = func(q query.Query, _ query.Progress) {
		if q.Analysis == "churn" {
			panic("index out of range")
		}
	}
	d := newDriver(t, e, 100, 30, "churn")
	d.shows("did not work", "a fault in the program")
	d.keys(":messages", "enter")
	d.shows("index out of range")
	d.keys("esc", ":jobs", "enter")
	d.shows("nothing is running")
}

func TestQuitWaitsForWorkers(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, home)
	js := d.a.s.jobs
	gone := make(chan struct{})
	_, cmd := start(js, nil, "slow", "", func(ctx context.Context, _ query.Progress) (int, error) {
		<-ctx.Done()
		close(gone)
		return 0, ctx.Err()
	})
	batch, ok := cmd().(tea.BatchMsg)
	if !ok {
		t.Fatal("a job is a command and its first report")
	}
	ended := make(chan tea.Msg, 1)
	began := make(chan struct{})
	go func() { close(began); ended <- batch[0]() }()
	<-began
	d.keys("q")
	if !d.quit {
		t.Fatal("q does not quit")
	}
	m := <-ended
	if end, ok := m.(doneMsg[int]); !ok || !errors.Is(end.err, context.Canceled) {
		t.Errorf("the job ended with %v", m)
	}
}

// The help lists live keys alone: every key it names does something or says why
// not, and no two keys of one screen are the same.
func TestHelpIsLive(t *testing.T) {
	for _, address := range []string{"overview", "retention", "users", "segments", "events", "user/1", "model", "churn"} {
		d := newDriver(t, sampleEngine(), 120, 40, address)
		k := &d.a.s.keys
		taken := map[string]string{}
		for _, b := range []key.Binding{k.Quit, k.Help, k.Palette, k.Back, k.Forward, k.Escape, k.Yank, k.YankAddress, k.Explain, k.Export, k.About, k.Mouse} {
			for _, s := range b.Keys() {
				taken[s] = b.Help().Desc
			}
		}
		for _, group := range d.a.screen().FullHelp()[:1] {
			for _, b := range group {
				for _, s := range b.Keys() {
					if was, ok := taken[s]; ok && was != b.Help().Desc {
						t.Errorf("%s: %q is %q and %q", address, s, was, b.Help().Desc)
					}
					taken[s] = b.Help().Desc
				}
			}
		}
		d.keys("?")
		d.shows("esc close")
	}
}

func TestMouse(t *testing.T) {
	d := newDriver(t, sampleEngine(), 100, 30, "users")
	press := tea.MouseMsg{X: 5, Y: headLines + 2 + 4, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress}
	d.send(press)
	d.shows("5/1,000,000")
	d.send(tea.MouseMsg{X: 5, Y: 10, Button: tea.MouseButtonWheelDown})
	d.shows("8/1,000,000")
	d.send(press)
	d.send(press)
	if !strings.HasPrefix(d.a.address(), "user/u4") {
		t.Errorf("a click on the selected row leads to %s", d.a.address())
	}
}

func TestDataChange(t *testing.T) {
	e := sampleEngine()
	d := newDriver(t, e, 100, 30, home)
	d.keys("R", "esc")
	n := len(e.asked)
	d.keys(":reload", "enter")
	if len(e.asked) != n+1 {
		t.Errorf("%d questions after a reload, want that of the screen in front: %v", len(e.asked)-n, e.asked[n:])
	}
	d.shows("4,372")
}

func TestTheBackgroundIsRead(t *testing.T) {
	for s, want := range map[string]bool{"11;rgb:0000/0000/0000": true, "11;rgb:ffff/ffff/ffff": false, "11;rgb:1e/1e/2e": true, "11;rgb:fa/f4/ed": false} {
		if dark, ok := isDark(s); !ok || dark != want {
			t.Errorf("%s: dark %v %v, want %v", s, dark, ok, want)
		}
	}
	for _, s := range []string{"", "rgb:", "11;rgb:zz/1/2", "11;rgb:1/2", "11;rgb:fffff/0/0"} {
		if _, ok := isDark(s); ok && s != "11;rgb:1/2" {
			t.Errorf("%q is taken for a colour", s)
		}
	}
}

// A bookmark is an address on the shelf, and leads back to it.
func TestBookmarks(t *testing.T) {
	mem := model.NewMemory()
	d := newDriver(t, sampleEngine(), 100, 30, "retention", func(_ *Options, k *Desk) { k.Shelf = mem })
	d.keys("u", ":bookmark weekly", "enter")
	d.shows("kept as weekly")
	d.keys("esc", ":bookmarks", "enter")
	d.shows("weekly  retention?unit=week")
	d.keys("enter")
	if d.a.address() != "retention?unit=week" {
		t.Errorf("the bookmark leads to %s", d.a.address())
	}
}
