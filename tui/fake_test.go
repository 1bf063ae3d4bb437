package tui

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"dwell/model"
	"dwell/model/query"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// A fakeEngine answers from a list: tests of the shell need answers of every
// shape, not right ones.
type fakeEngine struct {
	Engine  // nil: a call that a test does not expect panics
	answers map[string]*query.Answer
	err     error
	rows    int
	asked   []string
	found   []query.Found
	hook    func(q query.Query, p query.Progress)
}

func (f *fakeEngine) Answer(ctx context.Context, q query.Query, p query.Progress) (*query.Answer, error) {
	f.asked = append(f.asked, q.String())
	if f.hook != nil {
		f.hook(q, p)
	}
	if f.err != nil {
		return nil, f.err
	}
	a := f.answers[q.Analysis]
	if a == nil {
		a = &query.Answer{Title: q.Analysis}
	}
	c := *a
	c.Query, c.Address = q, q.String()
	return &c, ctx.Err()
}

func (f *fakeEngine) Data(context.Context) (*query.Data, error) {
	return &query.Data{AsOf: model.DayOf(2011, 12, 9)}, nil
}

func (f *fakeEngine) Named(string) ([]string, error) { return nil, nil }

func (f *fakeEngine) Reload(context.Context) error { return nil }

func (f *fakeEngine) Find(_ context.Context, text string, _ int) ([]query.Found, error) {
	var out []query.Found
	for _, x := range f.found {
		if strings.Contains(x.ID, text) {
			out = append(out, x)
		}
	}
	return out, nil
}

func (f *fakeEngine) Explain(_ context.Context, _ query.Query, key string, _ query.Progress) (*query.Explanation, error) {
	return &query.Explanation{Figure: query.Figure{Key: key, Label: "Users", Kind: query.Count, Value: 3, Unit: "users"},
		Lines: []query.ExplainLine{{Head: "Definition", Text: "who is in the data"}, {Head: "For example", Text: "17850: yes", Go: "user/17850"}}}, nil
}

func (f *fakeEngine) Table(_ context.Context, q query.Query, _ query.Progress) (query.Table, error) {
	f.asked = append(f.asked, q.String())
	if f.err != nil {
		return nil, f.err
	}
	return fakeTable{f.rows}, nil
}

// fakeTable is a table of n users whose cells are made when they are asked for.
type fakeTable struct{ n int }

func (t fakeTable) Heads() []query.TableHead {
	return []query.TableHead{{Name: "user", Label: "user"}, {Name: "stage", Label: "stage"}, {Name: "revenue", Label: "revenue", Right: true}, {Name: "orders", Label: "orders", Right: true}, {Name: "last", Label: "last active"}}
}
func (t fakeTable) Close() error     { return nil }
func (t fakeTable) Len() (int, bool) { return t.n, true }
func (t fakeTable) Window(ctx context.Context, from, n int) (out []query.TableRow, err error) {
	for i := from; i < min(from+n, t.n); i++ {
		v, o := float64(i)*1.25, float64(i%17)
		id := fmt.Sprintf("user-%07d", i)
		switch i % 50 {
		case 7:
			id = "用户日本語の長い名前のひと"
		case 11:
			id = "משתמש 42"
		case 13:
			id = "👩‍👩‍👧 family"
		case 17:
			id = "esc\x1b[2Japed"
		}
		out = append(out, query.TableRow{Key: fmt.Sprint(i), Open: fmt.Sprintf("user/u%d", i), Cells: []string{id, "growth", fmt.Sprintf("%.2f", v), fmt.Sprint(i % 17), "2011-12-01"}, Values: []*float64{nil, nil, &v, &o, nil}})
	}
	return out, ctx.Err()
}
func (t fakeTable) Seek(key string) (int, error) {
	var i int
	_, err := fmt.Sscan(key, &i)
	return i, err
}

func fixedNow() time.Time { return time.Date(2011, 12, 20, 9, 0, 0, 0, time.UTC) }

// A driver runs an app without a terminal: it hands messages in and runs the
// commands that come out, one after the other. Nothing sleeps.
type driver struct {
	t    testing.TB
	a    *App
	out  *strings.Builder
	quit bool
	hold bool // keep commands instead of running them
	held []tea.Cmd
}

func newDriver(t testing.TB, e Engine, w, h int, address string, change ...func(*Options, *Desk)) *driver {
	t.Helper()
	desk := &Desk{Engine: e, Name: "demo", Now: fixedNow}
	o := Options{Profile: termenv.Ascii, Theme: Auto, Mute: true, address: address}
	for _, c := range change {
		c(&o, desk)
	}
	out := &strings.Builder{}
	d := &driver{t: t, out: out}
	d.a = newApp(t.Context(), desk, o, &output{w: out})
	d.a.s.jobs.pace = 0
	d.a.s.after = func(_ time.Duration, m tea.Msg) tea.Cmd { return func() tea.Msg { return m } }
	d.send(tea.WindowSizeMsg{Width: w, Height: h})
	d.run(d.a.Init())
	return d
}

func (d *driver) send(m tea.Msg) {
	_, cmd := d.a.Update(m)
	d.run(cmd)
}

func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	if d.hold {
		d.held = append(d.held, cmd)
		return
	}
	switch m := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range m {
			d.run(c)
		}
	case tea.QuitMsg:
		d.quit = true
	default:
		d.send(m)
	}
}

// release runs what was held.
func (d *driver) release() {
	d.hold = false
	held := d.held
	d.held = nil
	for _, c := range held {
		d.run(c)
	}
}

var keyTypes = map[string]tea.KeyType{"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
	"left": tea.KeyLeft, "right": tea.KeyRight, "backspace": tea.KeyBackspace, "ctrl+c": tea.KeyCtrlC, "pgdown": tea.KeyPgDown, "ctrl+g": tea.KeyCtrlG, "ctrl+s": tea.KeyCtrlS}

// keys sends keys by name, other words as what was typed in one read.
func (d *driver) keys(names ...string) {
	for _, n := range names {
		if k, ok := keyTypes[n]; ok {
			d.send(tea.KeyMsg{Type: k})
			continue
		}
		for i, word := range strings.Split(n, " ") {
			if i > 0 {
				d.send(tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}})
			}
			if word != "" {
				d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(word)})
			}
		}
	}
}

// screen is what is seen: without styles, and without blanks at the end of lines.
func (d *driver) screen() string {
	lines := strings.Split(ansi.Strip(d.a.View()), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// shows fails unless the screen holds every text.
func (d *driver) shows(texts ...string) {
	d.t.Helper()
	for _, s := range texts {
		if !strings.Contains(d.screen(), s) {
			d.t.Errorf("the screen does not show %q:\n%s", s, d.screen())
		}
	}
}

// fits fails if a line is wider, or the frame higher, than the terminal.
func (d *driver) fits() {
	d.t.Helper()
	lines := strings.Split(d.a.View(), "\n")
	if len(lines) > d.a.h {
		d.t.Errorf("%d lines in a terminal of %d", len(lines), d.a.h)
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > d.a.w {
			d.t.Errorf("line %d has %d cells of %d: %q", i, w, d.a.w, l)
		}
	}
}

// golden compares the screen with a file.
func (d *driver) golden(name string) {
	d.t.Helper()
	d.fits()
	path := filepath.Join("testdata", "golden", name+".txt")
	got := d.screen() + "\n"
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			d.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatalf("%v: write it with go test ./tui -update, and look at it", err)
	}
	if got != string(want) {
		d.t.Errorf("%s has changed\n got:\n%s\nwant:\n%s", name, got, want)
	}
}

// sampleAnswers are answers of every shape.
func sampleAnswers() map[string]*query.Answer {
	over := &query.Answer{Title: "Overview", Definition: "Who is in the data, and in which stage.", AsOf: model.DayOf(2011, 12, 9), Zone: "UTC",
		Warnings: []query.Warning{{Code: "partial-day", Text: "the last day of the data ends at 12:50: it counts as a day with less"}}}
	add := func(a *query.Answer, f query.Figure) int { a.Figures = append(a.Figures, f); return len(a.Figures) - 1 }
	kv := query.Block{Kind: query.TableBlock, Name: "data", Title: "Data", Heads: []query.Head{{Label: "", Right: true}}}
	for _, x := range []struct {
		label string
		v     float64
	}{{"users", 4372}, {"events", 406829}} {
		i := add(over, query.Figure{Key: x.label, Label: x.label, Kind: query.Count, Value: x.v, Unit: "users"})
		kv.Rows = append(kv.Rows, query.Row{Key: x.label, Label: x.label, Cells: []query.Cell{{Figure: i}}})
	}
	kv.Rows = append(kv.Rows, query.Row{Key: "range", Label: "range", Cells: []query.Cell{{Figure: query.NoFigure, Text: "2010-12-01 – 2011-12-09"}}})
	bars := query.Block{Kind: query.BarBlock, Name: "stages", Title: "Stages"}
	for _, x := range []struct {
		name string
		v    float64
	}{{"acquisition", 738}, {"exploration", 1263}, {"growth", 345}, {"maturity", 689}, {"churned", 1304}} {
		i := add(over, query.Figure{Key: "stage." + x.name, Label: x.name, Kind: query.Count, Value: x.v, Unit: "users", N: int64(x.v)})
		bars.Rows = append(bars.Rows, query.Row{Key: x.name, Label: x.name, Apart: x.name == "churned", Open: "users?where=stage%20%3D%3D%20%22" + x.name + "%22",
			Cells: []query.Cell{{Figure: i}, {Figure: query.NoFigure, Text: fmt.Sprintf("%.0f%%", x.v/43.39)}}})
	}
	ch := &query.Chart{Unit: "users", Dates: true, Zero: true, XLabel: "day"}
	s := query.Series{Name: "active users"}
	for d := range 120 {
		ch.X = append(ch.X, float64(int(model.DayOf(2011, 8, 11))+d))
		s.Y = append(s.Y, float64(200+(d*37)%90+d))
		s.Figures = append(s.Figures, add(over, query.Figure{Key: fmt.Sprintf("active.%d", d), Label: "Active users", Kind: query.Count, Value: s.Y[d], Unit: "users"}))
	}
	ch.Series = []query.Series{s}
	over.Blocks = []query.Block{kv, bars, {Kind: query.ChartBlock, Name: "active", Title: "Active users a day", Chart: ch},
		{Kind: query.TextBlock, Name: "quality", Title: "Last load", Lines: []string{"541,909 rows read, 406,829 stored, 135,080 rejected (no user id)"}}}

	ret := &query.Answer{Title: "Retention in week N · first event · calendar · Mon · UTC", Definition: "Share of a cohort's users active in week N after their first event.", AsOf: model.DayOf(2011, 12, 9), Zone: "UTC"}
	curve := &query.Chart{Unit: "share", Zero: true, XLabel: "week"}
	cs := query.Series{Name: "pooled"}
	for k := range 13 {
		v := 0.62/(1+float64(k)*0.18) + 0.02
		if k == 0 {
			v = 1
		}
		curve.X = append(curve.X, float64(k))
		cs.Y = append(cs.Y, v)
		cs.Lo, cs.Hi = append(cs.Lo, v-0.03), append(cs.Hi, min(v+0.03, 1))
		cs.Open = append(cs.Open, k == 12)
		cs.Figures = append(cs.Figures, add(ret, query.Figure{Key: fmt.Sprintf("week.%d", k), Label: fmt.Sprintf("Week %d", k), Kind: query.Rate, Value: v, N: 900 - int64(k)*20, Interval: true, Lo: v - .03, Hi: min(v+.03, 1), Method: "Wilson 95 %", Open: int64(k) * 20}))
	}
	curve.Series = []query.Series{cs}
	heat := query.Block{Kind: query.HeatBlock, Name: "triangle", Title: "Cohorts by week of first event"}
	heat.Heads = append(heat.Heads, query.Head{Label: "users", Right: true})
	for k := range 13 {
		heat.Heads = append(heat.Heads, query.Head{Label: fmt.Sprint(k), Right: true})
	}
	for r := range 20 {
		day := model.DayOf(2011, 7, 25) + model.Day(7*r)
		row := query.Row{Key: day.String(), Label: day.String()}
		row.Cells = append(row.Cells, query.Cell{Figure: add(ret, query.Figure{Key: "cohort." + day.String(), Kind: query.Count, Value: float64(120 - r), Unit: "users"})})
		for k := range 13 {
			c := query.Cell{Figure: query.NoFigure, Blank: true}
			if r+k < 20 {
				v := 0.6 / (1 + float64(k)*0.2)
				if k == 0 {
					v = 1
				}
				c = query.Cell{Open: r+k == 19, Figure: add(ret, query.Figure{Key: fmt.Sprintf("cohort.%s.week.%d", day, k), Label: fmt.Sprintf("Cohort %s, week %d", day, k), Kind: query.Rate, Value: v, N: int64(120 - r), None: r+k == 19 && k > 5})}
			}
			row.Cells = append(row.Cells, c)
		}
		heat.Rows = append(heat.Rows, row)
	}
	ret.Blocks = []query.Block{{Kind: query.ChartBlock, Name: "curve", Title: "Share active", Chart: curve}, heat}
	return map[string]*query.Answer{"overview": over, "retention": ret, "stages": {Title: "Stages", Definition: "Users by stage.", Warnings: []query.Warning{{Text: "there are no users"}}}}
}

func sampleEngine() *fakeEngine {
	return &fakeEngine{answers: sampleAnswers(), rows: 1_000_000, found: []query.Found{{ID: "17850", By: "id"}, {ID: "178", By: "id"}}}
}

var errFake = errors.New("the data set is being loaded by another dwell: wait until it has ended, or ask who runs it")

var _ io.Writer = (*output)(nil)
