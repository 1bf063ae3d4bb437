package query_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"dwell/model/query"
)

// TestSeveralCurrencies: money of several currencies is never added up, and no
// screen fails for it: lists, pages and summaries show each currency by itself.
func TestSeveralCurrencies(t *testing.T) {
	mem, dict := randomData(t, 3, 60)
	dict.Columns.Currency = "country" // DE, AT and 東京, a third of the users each
	e := over(t, mem, dict)
	for _, address := range bare() {
		q, err := query.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Answer(context.Background(), q, nil); err != nil && strings.Contains(err.Error(), "currenc") {
			t.Errorf("%s: %v", address, err)
		}
	}
	q, _ := query.Parse("users?sort=id")
	tab, err := e.Table(context.Background(), q, nil)
	if err != nil {
		t.Fatal(err)
	}
	var heads []string
	for _, h := range tab.Heads() {
		heads = append(heads, h.Label)
	}
	for _, want := range []string{"revenue DE", "revenue AT", "revenue 東京"} {
		if !slices.Contains(heads, want) {
			t.Errorf("the list of users has no %q among %q", want, heads)
		}
	}
	for _, h := range tab.Heads()[1:] {
		q, err := query.Parse("users?" + "sort=-" + escapeTest(h.Name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Table(context.Background(), q, nil); err != nil {
			t.Errorf("sorted by %s: %v", h.Name, err)
		}
	}
	// The first of them is of one country: its summary names that currency alone.
	a := ask(t, e, "user/u000")
	if got := strings.Join(lines(a, block(t, a, "summary")), "\n"); !strings.Contains(got, "revenue ") || !strings.Contains(got, " DE.") || strings.Contains(got, " AT") {
		t.Errorf("summary:\n%s", got)
	}
	if _, err := query.Parse("users?columns=revenue"); err != nil {
		t.Fatal(err)
	}
	q, _ = query.Parse("users?columns=revenue,stage")
	if _, err := e.Table(context.Background(), q, nil); err == nil || !strings.Contains(err.Error(), "several currencies") {
		t.Errorf("a sum over currencies that was asked for: %v", err)
	}
}

func escapeTest(s string) string {
	return strings.NewReplacer("%", "%25", " ", "%20", "=", "%3D", `"`, "%22", "(", "%28", ")", "%29", "東京", "%E6%9D%B1%E4%BA%AC").Replace(s)
}

// TestSortByUser: the first column of a list is headed "user", so its order may
// be asked for by that name as well as by id.
func TestSortByUser(t *testing.T) {
	mem, dict := randomData(t, 4, 30)
	e := over(t, mem, dict)
	var got [2][]string
	for i, by := range []string{"-id", "-user"} {
		q, err := query.Parse("users?sort=" + by)
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range e.Rows(context.Background(), q, nil) {
			if err != nil {
				t.Fatal(err)
			}
			got[i] = append(got[i], row.Key)
		}
	}
	if len(got[0]) == 0 || !slices.Equal(got[0], got[1]) {
		t.Errorf("by id %q, by user %q", got[0], got[1])
	}
}

// TestRuleNotes: a rule that names a value nobody has is answered, with a word on
// what was probably meant.
func TestRuleNotes(t *testing.T) {
	mem, dict := randomData(t, 5, 60)
	e := over(t, mem, dict)
	a := ask(t, e, `segments?where=plan%20%3D%3D%20%22prp%22`)
	i := slices.IndexFunc(a.Warnings, func(w query.Warning) bool { return w.Code == "rule" })
	if i < 0 || !strings.Contains(a.Warnings[i].Text, `"prp"`) || !strings.Contains(a.Warnings[i].Text, `did you mean "pro"?`) {
		t.Errorf("warnings: %+v", a.Warnings)
	}
	if a = ask(t, e, `segments?where=plan%20%3D%3D%20%22pro%22`); slices.ContainsFunc(a.Warnings, func(w query.Warning) bool { return w.Code == "rule" }) {
		t.Errorf("a right rule is warned of: %+v", a.Warnings)
	}
}

// TestJSONSaysWhatTheScreenSays: the sentences of an answer (a user's stage and
// why) are in its JSON too, beside the figures.
func TestJSONSaysWhatTheScreenSays(t *testing.T) {
	mem, dict := randomData(t, 6, 20)
	a := ask(t, over(t, mem, dict), "user/u003")
	var out bytes.Buffer
	if err := query.WriteJSON(&out, a); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Text []struct {
			Name  string
			Lines []string
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"now", "summary"} {
		i := slices.IndexFunc(got.Text, func(b struct {
			Name  string
			Lines []string
		}) bool {
			return b.Name == name
		})
		if i < 0 || !slices.Equal(got.Text[i].Lines, block(t, a, name).Lines) {
			t.Errorf("%s: %+v", name, got.Text)
		}
	}
}

// TestDaysOfTheStageNow: the history's last line says as many days as dwell_days.
func TestDaysOfTheStageNow(t *testing.T) {
	mem, dict := randomData(t, 7, 20)
	a := ask(t, over(t, mem, dict), "user/u005")
	rows := block(t, a, "history").Rows
	last := rows[len(rows)-1]
	if want := query.Number(a.Figure("measure.dwell_days").Value); last.Cells[2].Text != want {
		t.Errorf("the history says %s days, dwell_days %s", last.Cells[2].Text, want)
	}
}

// TestUsersTextHasALineAUser, whatever the ids are.
func TestUsersTextHasALineAUser(t *testing.T) {
	l := &query.List{Figure: query.Figure{Kind: query.Rows}, Users: []query.User{{ID: "a\nb", Times: 2}, {ID: "c\td", Times: 3}, {ID: "e f", Times: 1}}}
	var out bytes.Buffer
	if err := query.WriteUsersText(&out, l); err != nil {
		t.Fatal(err)
	}
	if want := "a\\nb\t2\nc\\td\t3\ne f\t1\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// TestPropertiesWithoutSpellings: a screen has no part with a title and nothing
// under it.
func TestPropertiesWithoutSpellings(t *testing.T) {
	mem, dict := randomData(t, 8, 10)
	for _, b := range ask(t, over(t, mem, dict), "properties").Blocks {
		if len(b.Lines) == 0 && len(b.Rows) == 0 && b.Chart == nil {
			t.Errorf("%s (%s) is empty", b.Name, b.Title)
		}
	}
}

// TestMarksOfTheLiving: beside each mark stand those who bear it and are in a
// living stage, counted here from the list of users.
func TestMarksOfTheLiving(t *testing.T) {
	mem, dict := randomData(t, 9, 120)
	e := over(t, mem, dict)
	a := ask(t, e, "segments")
	for _, mark := range []string{"late", "silent", "fast_start"} {
		f := a.Figure("mark." + mark + ".living")
		q, err := query.Parse("users?mark=" + mark + "&columns=stage")
		if err != nil {
			t.Fatal(err)
		}
		living, all := 0, 0
		for row, err := range e.Rows(context.Background(), q, nil) {
			if err != nil {
				t.Fatal(err)
			}
			if all++; row.Cells[1] != "churned" {
				living++
			}
		}
		if f == nil || int(f.Value) != living || int(a.Figure("mark."+mark).Value) != all {
			t.Errorf("%s: %+v of %+v, want %d of %d", mark, f, a.Figure("mark."+mark), living, all)
		}
		if got := listed(t, e, a, "mark."+mark+".living"); len(got) != living {
			t.Errorf("%s: %d users are listed, want %d", mark, len(got), living)
		}
	}
}
