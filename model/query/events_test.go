package query_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// A rawRow is one event of a hand-made data set.
type rawRow struct {
	user  string
	ms    int64
	event string
	props map[string]string
}

// loaded puts rows into Memory, two sources of one load.
func loaded(t testing.TB, rows []rawRow, keys ...string) *model.Memory {
	t.Helper()
	m := model.NewMemory()
	srcs := []model.SourceInfo{{Path: "one.csv", Digest: "1"}, {Path: "two.csv", Digest: "2"}}
	ld, err := m.Begin(context.Background(), model.LoadPlan{Sources: srcs, Zone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	for s := range 2 {
		b := &model.Batch{Seq: s, Source: s}
		for _, k := range keys {
			b.Props = append(b.Props, model.BatchCol{Key: k})
		}
		for i, r := range rows {
			if i%2 != s {
				continue
			}
			b.Line = append(b.Line, int64(i))
			b.User, b.Event = append(b.User, []byte(r.user)), append(b.Event, []byte(r.event))
			b.Time = append(b.Time, r.ms)
			for k := range keys {
				b.Props[k].Values = append(b.Props[k].Values, []byte(r.props[keys[k]]))
			}
		}
		if err := ld.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ld.Commit(model.Quality{Read: int64(len(rows))}, srcs); err != nil {
		t.Fatal(err)
	}
	return m
}

const second, day = int64(1000), int64(86_400_000)

func smallWorld(t *testing.T) *query.Engine {
	t.Helper()
	base := int64(model.DayOf(2024, 3, 1)) * day
	var rows []rawRow
	for d := range int64(40) {
		if d == 20 || d == 21 || d == 25 {
			continue // days without data
		}
		p := map[string]string{"plan": []string{"free", "pro"}[d%2], "n": fmt.Sprint(d)}
		if d >= 30 {
			p["new"] = "yes"
		}
		if d == 3 {
			p["n"] = "many"
		}
		rows = append(rows, rawRow{"ann", base + d*day, "open", p}, rawRow{"bob", base + d*day + 5*second, "open", map[string]string{"plan": "free"}})
	}
	rows = append(rows,
		rawRow{"ann", base + 500, "tap", nil}, rawRow{"ann", base + 900, "tap", nil}, rawRow{"ann", base + second, "tap", nil},
		rawRow{"bob", base + 2*day, "tap", nil}, rawRow{"bob", base + 2*day + 700, "pay", nil})
	return over(t, loaded(t, rows, "plan", "n", "new"), model.NewDictionary())
}

func block(t *testing.T, a *query.Answer, name string) *query.Block {
	t.Helper()
	for i := range a.Blocks {
		if a.Blocks[i].Name == name {
			return &a.Blocks[i]
		}
	}
	t.Fatalf("%s has no block %s", a.Address, name)
	return nil
}

func TestEvents(t *testing.T) {
	e := smallWorld(t)
	a := ask(t, e, "events")
	for key, want := range map[string]float64{"events": 79, "users": 2, "event.open": 74, "event.open.users": 2, "event.tap": 4, "event.tap.double": 2, "double": 2, "event.pay.users": 1} {
		if f := a.Figure(key); f == nil || f.Value != want {
			t.Errorf("%s: %+v, want %v", key, f, want)
		}
		listed(t, e, a, key)
	}
	holes := block(t, a, "holes")
	if got := strings.Join(holes.Lines, "; "); got != "2024-03-21 to 2024-03-22, 2 days; 2024-03-26 Tuesday" {
		t.Errorf("days without data: %q", got)
	}
	row := block(t, a, "events").Rows[0]
	if row.Label != "open" || row.Cells[2].Text != "2024-03-01" || row.Cells[3].Text != "2024-04-09" || row.Open != "event/open" {
		t.Errorf("first row: %+v", row)
	}
	sum := 0.0
	for _, x := range row.Cells[6].Spark {
		sum += x
	}
	if sum != 74 {
		t.Errorf("the sparkline adds to %v", sum)
	}
	a = ask(t, e, "event/open")
	for key, want := range map[string]float64{"events": 74, "users": 2, "property.plan": 74, "property.new": 10, "property.new.users": 1, "day.2024-03-21": 0, "day.2024-03-01": 2} {
		if f := a.Figure(key); f == nil || f.Value != want {
			t.Errorf("event/open %s: %+v, want %v", key, f, want)
		}
		listed(t, e, a, key)
	}
	if _, err := e.Answer(context.Background(), query.Query{Analysis: "event", ID: "opem", AsOf: model.NoDay}, nil); err == nil || !strings.Contains(err.Error(), "did you mean open") {
		t.Errorf("a wrong name: %v", err)
	}
}

func TestProperties(t *testing.T) {
	e := smallWorld(t)
	a := ask(t, e, "properties")
	got := map[string]string{}
	for _, r := range block(t, a, "properties").Rows {
		var cells []string
		for _, c := range r.Cells {
			if c.Figure != query.NoFigure {
				cells = append(cells, fmt.Sprint(a.Figures[c.Figure].Value))
			} else {
				cells = append(cells, c.Text)
			}
		}
		got[r.Label] = strings.Join(cells[:9], " | ")
	}
	for key, want := range map[string]string{
		"plan": "74 | 93.7 % | 2 | 2 | text | free (75.7 %), pro (24.3 %) | 2024-03-01 | 2024-04-09 | ",
		"new":  "10 | 12.7 % | 1 | 1 | yes/no | yes (100.0 %) | 2024-03-31 | 2024-04-09 | appeared",
	} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
	if !strings.Contains(got["n"], "number 97.3 %, text 2.7 % — conflict") {
		t.Errorf("n: %q", got["n"])
	}
	for i := range a.Figures {
		listed(t, e, a, a.Figures[i].Key)
	}
	a = ask(t, e, "property/plan?where=true")
	for key, want := range map[string]float64{"with": 74, "without": 5, "type.text": 74, "value.free": 56, "value.free.users": 2, "value.pro.users": 1} {
		if f := a.Figure(key); f == nil || f.Value != want {
			t.Errorf("property/plan %s: %+v, want %v", key, f, want)
		}
		listed(t, e, a, key)
	}
	if n := block(t, ask(t, e, "property/n?event=open"), "numbers"); !strings.HasPrefix(n.Lines[0], "least 0, ") {
		t.Errorf("numbers: %v", n.Lines)
	}
}

// table opens a windowed table.
func table(t *testing.T, e *query.Engine, address string) query.Table {
	t.Helper()
	q, err := query.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := e.Table(context.Background(), q, nil)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	t.Cleanup(func() { _ = tab.Close() })
	return tab
}

func TestRows(t *testing.T) {
	e := smallWorld(t)
	for address, want := range map[string]int{
		"rows": 79, "rows?event=tap": 4, "rows?event=tap&event=pay": 5, "rows?double=yes": 2, "rows?double=yes&event=tap": 2,
		"rows?user=ann": 40, "rows?user=bob&event=pay": 1, "rows?property=plan&value=pro": 18, "rows?property=new": 10,
		"rows?day=2024-03-03": 4, "rows?from=2024-03-02&to=2024-03-03": 6, "rows@2024-03-01": 5, "rows?day=2024-03-21": 0,
		"rows?property=plan&value=gold": 0,
	} {
		tab := table(t, e, address)
		n, exact := tab.Len()
		if n != want || !exact {
			t.Errorf("%s: %d rows, want %d", address, n, want)
		}
		all, err := tab.Window(context.Background(), 0, n+5)
		if err != nil || len(all) != n {
			t.Fatalf("%s: %d rows came, %v", address, len(all), err)
		}
		if f := ask(t, e, address).Figure("rows"); int(f.Value) != n {
			t.Errorf("%s: the figure is %v, the table has %d", address, f.Value, n)
		}
		seen := map[string]bool{}
		for i, r := range all {
			if seen[r.Key] {
				t.Errorf("%s: key %q twice", address, r.Key)
			}
			seen[r.Key] = true
			if at, err := tab.Seek(r.Key); err != nil || at != i {
				t.Errorf("%s: Seek(%q) is %d %v, want %d", address, r.Key, at, err, i)
			}
			part, err := tab.Window(context.Background(), i, 1)
			if err != nil || len(part) != 1 || part[0].Key != r.Key {
				t.Errorf("%s: window at %d: %v %v", address, i, part, err)
			}
			if len(r.Cells) != len(tab.Heads()) || len(r.Values) != len(r.Cells) {
				t.Errorf("%s: %d cells under %d heads", address, len(r.Cells), len(tab.Heads()))
			}
		}
	}
	tab := table(t, e, "rows?user=ann")
	if at, err := tab.Seek("2024-03-21"); err != nil || at != 23 {
		t.Errorf("the first row after the gap: %d %v, want 23", at, err)
	}
	for address, reason := range map[string]string{
		"rows?value=pro": "needs property", "rows?day=2024-03-01&from=2024-03-01": "give one of the two",
		"rows?from=2024-03-02&to=2024-03-01": "is later than", "rows?at=2024-03-01": "give user=",
	} {
		if _, err := query.Parse(address); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", address, err, reason)
		}
	}
}

// A paper is a LineFinder that knows nothing but what it is asked.
type paper struct{ asked []query.RawEvent }

func (p *paper) FindLines(_ context.Context, src model.SourceInfo, _ model.LoadInfo, ev []query.RawEvent) ([]query.FoundLine, error) {
	p.asked = append(p.asked, ev...)
	return []query.FoundLine{{Lines: []int64{7}, Text: src.Path}}, nil
}

func TestLineOfARow(t *testing.T) {
	mem := loaded(t, []rawRow{
		{"ann", 5000, "tap", map[string]string{"x": "1"}}, {"ann", 5000, "tap", map[string]string{"x": "2"}}, {"ann", 5000, "open", nil}}, "x")
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, model.NewDictionary().Format(), ""); err != nil {
		t.Fatal(err)
	}
	p := &paper{}
	e, err := query.New(mem, mem, nil, query.Options{Workers: 1, Lines: p})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := table(t, e, "rows?event=tap").Window(context.Background(), 0, 9)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v %v", rows, err)
	}
	for i, r := range rows {
		l, err := e.Line(context.Background(), r.Key)
		if err != nil || !slices.Equal(l.Lines, []int64{7}) {
			t.Fatalf("%+v %v", l, err)
		}
		one := ask(t, e, r.Open)
		if got := strings.Join(lines(one, block(t, one, "source")), "; "); got != "file "+l.Path+"; line 7; "+l.Text {
			t.Errorf("row %d: %q", i, got)
		}
		if got := p.asked[2*i].Props["x"]; got != r.Cells[3] || l.Path != r.Cells[4] || l.Text != l.Path {
			t.Errorf("row %d: asked for x=%s in %s, shown %v", i, got, l.Path, r.Cells)
		}
	}
	if _, err := e.Line(context.Background(), "nonsense"); err == nil {
		t.Error("a key that is none was accepted")
	}
}

func TestQualityAddsUp(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	a := ask(t, e, "quality")
	if f := a.Figure("load.1.read"); f == nil || f.Value != 31106 || f.Kind != query.Read {
		t.Errorf("read: %+v", f)
	}
	if users := listed(t, e, a, "load.1.stored"); len(users) != 600 {
		t.Errorf("%d users stand behind the stored rows, want 600", len(users))
	}
	if _, err := e.Users(context.Background(), a.Query, "load.1.rejected", nil); err == nil || !strings.Contains(err.Error(), "no users stand behind") {
		t.Errorf("rejected rows have no users: %v", err)
	}
	for _, w := range a.Warnings {
		t.Errorf("warning: %s", w.Text)
	}
}

// A report with every kind of row: read = stored + already + dropped + rejected.
func TestQualityOfAMessyLoad(t *testing.T) {
	mem := model.NewMemory()
	srcs := []model.SourceInfo{{Path: "a.csv", Digest: "a"}, {Path: "b.csv", Digest: "b"}}
	ld, err := mem.Begin(context.Background(), model.LoadPlan{Sources: srcs, Dedupe: true})
	if err != nil {
		t.Fatal(err)
	}
	for s := range 2 {
		b := &model.Batch{Seq: s, Source: s}
		for range 3 { // three equal rows in each file
			b.Line, b.User, b.Time, b.Event = append(b.Line, 1), append(b.User, []byte("ann")), append(b.Time, 5000), append(b.Event, []byte("open"))
		}
		if err := ld.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	_, err = ld.Commit(model.Quality{Read: 11, Unordered: 2, EmptyDays: []model.Day{3, 4},
		Rejected: []model.Reject{{Reason: "no user id", Count: 4, Lines: []model.Line{{Source: 0, Line: 9}, {Source: 1, Line: 12}}}, {Reason: "no time", Count: 1}}}, srcs)
	if err != nil {
		t.Fatal(err)
	}
	e := over(t, mem, model.NewDictionary())
	a := ask(t, e, "quality")
	value := func(key string) float64 {
		t.Helper()
		f := a.Figure("load.1." + key)
		if f == nil {
			t.Fatalf("there is no figure %s", key)
		}
		return f.Value
	}
	if value("rejected.no-user-id") != 4 || value("rejected.no-time") != 1 || value("unordered") != 2 {
		t.Errorf("reasons: %v", lines(a, block(t, a, "load-1")))
	}
	if sum := value("stored") + value("already") + value("dropped") + value("rejected"); sum != value("read") || sum != 11 {
		t.Errorf("%v rows accounted for, %v read", sum, value("read"))
	}
	listed(t, e, a, "load.1.stored")
	if got := strings.Join(lines(a, block(t, a, "load-1")), "\n"); !strings.Contains(got, "a.csv:9, b.csv:12") {
		t.Errorf("places of rejects:\n%s", got)
	}
	for _, w := range a.Warnings {
		if w.Code == "sum" || w.Code == "stored" {
			t.Errorf("%s", w.Text)
		}
	}
	if got := block(t, ask(t, e, "overview"), "quality").Lines[0]; got != "last load: 11 rows read, 1 stored, 1 already stored, 4 dropped as duplicates, 5 rejected (mostly: no user id)" {
		t.Errorf("in one line: %q", got)
	}
}
