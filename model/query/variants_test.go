package query_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/model/stage"
)

// variantBody is growth5 with given numbers, and more text after it.
func variantBody(t *testing.T, beat, gap int, more string) []byte {
	t.Helper()
	m, _, err := stage.Preset(stage.Default)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]int{"usage": 7, "beat": beat, "G": gap, "need": 2} {
		if m, err = m.With(name, float64(v)); err != nil {
			t.Fatal(err)
		}
	}
	return append(m.Format(), more...)
}

// A variant that everybody is under is the model with its numbers, and one that
// nobody is under is not there: in stages, marks, every column, the warnings with
// their windows, and on the user page the measures, the dated signals and their
// numbers. The beat of a variant moves the measures that are made from it.
func TestVariantsHaveTheirOwnNumbers(t *testing.T) {
	const variant = "\n[[variant]]\nname = \"slow\"\nwhen = %q\n[variant.params]\nbeat = 20\nG = 70\n"
	ctx := context.Background()
	answers := func(body []byte) map[string]string {
		mem, dict := randomData(t, 5, 60)
		e := over(t, mem, dict)
		if err := e.PutModel(ctx, body, ""); err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		columns := "stage,dwell_days,max_dwell,overdue,base_active,recent_active,rate_base,rate_recent,rate_ratio,drop_p,beats_active_4"
		users := listed(t, e, ask(t, e, "overview"), "users")
		q, err := query.Parse("users?columns=" + columns)
		if err != nil {
			t.Fatal(err)
		}
		tab, err := e.Table(ctx, q, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := tab.Window(ctx, 0, len(users))
		if err == nil {
			err = tab.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			out["column "+r.Key] = strings.Join(r.Cells, " ")
		}
		for _, address := range []string{"stages", "warnings", "changed"} {
			a := ask(t, e, address)
			for _, f := range a.Figures {
				out[address+" "+f.Key] = fmt.Sprint(f.Value, f.N, f.None)
			}
		}
		out["declining"] = cellsOf(ask(t, e, "warnings"), "declining")
		for _, u := range users[:20] {
			a := ask(t, e, "user/"+u.ID)
			for _, name := range []string{"signals", "measures"} {
				out[name+" "+u.ID] = cellsOf(a, name)
			}
		}
		return out
	}
	own, slow := answers(variantBody(t, 7, 30, "")), answers(variantBody(t, 20, 70, ""))
	if reflect.DeepEqual(own, slow) {
		t.Fatal("the numbers make no difference on these data")
	}
	same := func(what string, got, want map[string]string) {
		t.Helper()
		for k, w := range want {
			if got[k] != w {
				t.Errorf("%s, %s:\n got %s\nwant %s", what, k, got[k], w)
			}
		}
	}
	same("everybody", answers(variantBody(t, 7, 30, fmt.Sprintf(variant, "tenure_days >= 0"))), slow)
	same("nobody", answers(variantBody(t, 7, 30, fmt.Sprintf(variant, "tenure_days < 0"))), own)
}

// The numbers of a variant that are suggestions come from the users who meet its
// rule, and are frozen with the model. Ten come every 5 days and ten every 20: the
// median of all is 12.5, of each half its own.
func TestVariantNumbersAreSuggestedFromItsUsers(t *testing.T) {
	base := int64(model.DayOf(2024, 1, 1)) * day
	var rows []rawRow
	for u := range 20 {
		step, plan := int64(5), "pro"
		if u%2 == 1 {
			step, plan = 20, "free"
		}
		for d := int64(0); d <= 200; d += step {
			rows = append(rows, rawRow{fmt.Sprintf("u%02d", u), base + d*day + int64(u)*second, "open", map[string]string{"plan": plan}})
		}
	}
	dict := model.NewDictionary()
	dict.Starts = "complete"
	e := over(t, loaded(t, rows, "plan"), dict)
	preset, _, err := stage.Preset(stage.Default)
	if err != nil {
		t.Fatal(err)
	}
	body := append(preset.Format(), "\n[[variant]]\nname = \"slow\"\nwhen = 'plan == \"free\"'\n[variant.params]\nusage = \"usage_interval()\"\nbeat = \"2 * usage_interval()\"\nG = \"2 * G\"\n"...)
	ctx := context.Background()
	if err := e.PutModel(ctx, body, ""); err != nil {
		t.Fatal(err)
	}
	if got := cellsOf(ask(t, e, "stages"), "variants"); !strings.Contains(got, "\n  usage  20 20 median of the own median gaps of 10 users") || !strings.Contains(got, "\n  beat  40 40 ") {
		t.Errorf("the variants are %s", got)
	}
	a := ask(t, e, "stages")
	if n := len(listed(t, e, a, "variant.slow")); n != 10 {
		t.Errorf("%d users are under the variant", n)
	}
	if err := e.ConfirmModel(ctx, nil, ""); err != nil {
		t.Fatal(err)
	}
	kept, err := e.ModelBody("", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"usage = { value = 12.5, suggest", "usage = { value = 20, suggest", "beat = { value = 40, suggest", `G = "2 * G"`} {
		if !strings.Contains(string(kept), want) {
			t.Errorf("the confirmed model has no %q:\n%s", want, kept)
		}
	}
	again, err := stage.Parse(kept)
	if err != nil || string(again.Format()) != string(kept) || !again.Frozen() {
		t.Errorf("%v: read back\n%s", err, again.Format())
	}
	// A number set otherwise is advised about, and keeps what suggests it.
	q, err := query.Parse("restage?with=variant.slow.usage%3D9")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.AcceptModel(ctx, q, ""); err != nil {
		t.Fatal(err)
	}
	advice := ask(t, e, "advice")
	if was, is := value(t, advice, "param.variant.slow.usage.before"), value(t, advice, "param.variant.slow.usage.now"); was != 9 || is != 20 {
		t.Errorf("the variant's usage is advised from %v to %v", was, is)
	}
	if n := len(listed(t, e, advice, "param.variant.slow.usage.now")); n != 10 {
		t.Errorf("%d users are behind the variant's number", n)
	}
	if got := cellsOf(advice, "edits"); !strings.Contains(got, "restage?with=variant.slow.usage%3D20") {
		t.Errorf("the proposals are %s", got)
	}
	// Who is under it cannot hang on what it is made from.
	bad := strings.Replace(string(body), `plan == "free"`, `stage == "growth"`, 1)
	if err := e.PutModel(ctx, []byte(bad), ""); !errors.Is(err, stage.ErrBadModel) || !strings.Contains(err.Error(), "may ask neither for stages") {
		t.Errorf("a rule over stages: %v", err)
	}
}

// cellsOf are a block's texts and figures, line by line; "" without the block.
func cellsOf(a *query.Answer, name string) string {
	var out strings.Builder
	for i := range a.Blocks {
		if a.Blocks[i].Name != name {
			continue
		}
		for _, r := range a.Blocks[i].Rows {
			out.WriteString("\n" + r.Label)
			for _, c := range r.Cells {
				if c.Figure >= 0 && c.Figure < len(a.Figures) {
					f := a.Figures[c.Figure]
					fmt.Fprint(&out, " ", f.Value, f.None)
				} else {
					out.WriteString(" " + c.Text)
				}
			}
		}
	}
	return out.String()
}
