package query_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/model/stage"
	"dwell/sample/reference"
)

func value(t *testing.T, a *query.Answer, key string) float64 {
	t.Helper()
	f := a.Figure(key)
	if f == nil {
		t.Fatalf("%s has no figure %s", a.Address, key)
	}
	return f.Value
}

// An edit is looked at as an address, accepted as a version with a note, and
// taken back by going to the version before it; looking changes nothing.
func TestEditAcceptAndRollBack(t *testing.T) {
	mem, dict := randomData(t, 11, 80)
	e := over(t, mem, dict)
	ctx := context.Background()
	before := ask(t, e, "stages")
	edit := "restage?with=G%3D35"
	a := ask(t, e, edit)
	moved, total := value(t, a, "moved"), value(t, a, "users")
	if moved <= 0 || moved >= 1 {
		t.Fatalf("%v of %v users move", moved, total)
	}
	if log, err := e.ModelLog(""); err != nil || len(log) != 0 {
		t.Errorf("looking has left %v %v", log, err)
	}
	if got := ask(t, e, "stages"); got.Model != before.Model {
		t.Errorf("looking has changed the model to %s", got.Model)
	}
	q, err := query.Parse(edit)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ConfirmModel(ctx, nil, "as suggested"); err != nil {
		t.Fatal(err)
	}
	n, err := e.AcceptModel(ctx, q, "lost sooner")
	if err != nil || n != 3 { // 1 is the preset, in force until the first change
		t.Fatalf("accepted as version %d: %v", n, err)
	}
	after := ask(t, e, "stages")
	for _, s := range []string{"acquisition", "exploration", "growth", "maturity", "churned"} {
		if now, then := value(t, after, "stage."+s), value(t, a, "then."+s); now != then {
			t.Errorf("%s holds %v, the preview said %v", s, now, then)
		}
		if was, now := value(t, before, "stage."+s), value(t, a, "now."+s); was != now {
			t.Errorf("%s held %v, the preview said %v", s, was, now)
		}
	}
	log, err := e.ModelLog("growth5")
	if err != nil || len(log) != 3 || !log[0].InForce || log[1].InForce || log[0].Note != "lost sooner" || !log[0].Frozen {
		t.Errorf("the versions are %+v, %v", log, err)
	}
	if err := e.UseModel(ctx, "growth5", 2, "back"); err != nil {
		t.Fatal(err)
	}
	if back := ask(t, e, "stages"); value(t, back, "stage.churned") != value(t, before, "stage.churned") {
		t.Error("going back has not gone back")
	}
	if log, err := e.ModelLog("growth5"); err != nil || len(log) != 3 || !log[1].InForce || log[0].InForce {
		t.Errorf("after going back the versions are %+v, %v", log, err)
	}
	if log, err := e.ModelLog(""); err != nil || len(log) != 3 || log[0].Note != "back" {
		t.Errorf("in force were %+v, %v", log, err)
	}
	d := ask(t, e, "restage/growth5?version=3")
	if value(t, d, "moved") != moved {
		t.Errorf("version 3 moves %v of the users, the edit moved %v", value(t, d, "moved"), moved)
	}
	// The preset comes back as it was, its numbers suggestions again.
	if err := e.UseModel(ctx, "growth5", 1, ""); err != nil {
		t.Fatal(err)
	}
	if m, err := e.Model(ctx, nil); err != nil || m.Confirmed {
		t.Errorf("the preset came back as %+v, %v", m, err)
	}
	if a := ask(t, e, "stages"); a.Model != before.Model {
		t.Errorf("in force is %s, it was %s", a.Model, before.Model)
	}
}

// Every preset takes all users of every data set, one stage each, on the first,
// a middle and the last day, and the preview beside another model adds up.
func TestPresetsOnAllData(t *testing.T) {
	sets := map[string]func(testing.TB) (*model.Memory, *model.Dictionary){
		"cdnow": reference.CDNOW, "online_retail": reference.OnlineRetail, "ecom": reference.Ecom, "rees46": reference.Rees46,
	}
	for name, load := range sets {
		mem, dict := some(t, load)
		for _, preset := range stage.Presets() {
			e := over(t, mem, dict)
			if err := e.UseModel(context.Background(), preset, 0, ""); err != nil {
				t.Errorf("%s: %s: %v", name, preset, err)
				continue
			}
			m, _, err := stage.Preset(preset)
			if err != nil {
				t.Fatal(err)
			}
			sum, all := 0.0, ask(t, e, "stages")
			for _, s := range m.Names() {
				sum += value(t, all, "stage."+s)
			}
			if users := value(t, all, "users"); sum != users || users == 0 {
				t.Errorf("%s: %s: the stages hold %v of %v users", name, preset, sum, users)
			}
			flow := ask(t, e, "restage/growth5")
			sum = 0
			for i := range flow.Figures {
				if strings.HasPrefix(flow.Figures[i].Key, "flow.") {
					sum += flow.Figures[i].Value
				}
			}
			if users := value(t, flow, "users"); sum != users {
				t.Errorf("%s: %s: the flow holds %v of %v users", name, preset, sum, users)
			}
		}
	}
}

// Bad models are refused with place and reason, and the model in force stays.
func TestBadModelsTouchNothing(t *testing.T) {
	mem, dict := randomData(t, 12, 20)
	e := over(t, mem, dict)
	ctx := context.Background()
	if err := e.ConfirmModel(ctx, map[string]float64{"G": 50}, "chosen"); err != nil {
		t.Fatal(err)
	}
	force := ask(t, e, "stages").Model
	good, err := e.ModelBody("", 0)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, new string) string {
		if !strings.Contains(string(good), old) {
			t.Fatalf("the model has no %q", old)
		}
		return strings.Replace(string(good), old, new, 1)
	}
	circle := "name = \"c\"\n[[stage]]\nname = \"a\"\n[[stage.enter]]\nkind = \"start\"\n" +
		"[[stage]]\nname = \"b\"\n[[stage.enter]]\nkind = \"promotion\"\nfrom = [\"a\", \"d\"]\nwhen = \"active_today\"\n" +
		"[[stage]]\nname = \"d\"\n[[stage.enter]]\nkind = \"promotion\"\nfrom = [\"b\"]\nwhen = \"active_today\"\n"
	thirteen := "name = \"t\"\n[[stage]]\nname = \"s0\"\n[[stage.enter]]\nkind = \"start\"\n"
	for i := 1; i < 13; i++ {
		thirteen += fmt.Sprintf("[[stage]]\nname = \"s%d\"\n[[stage.enter]]\nkind = \"promotion\"\nfrom = [\"s0\"]\nwhen = \"tenure_days > 1\"\n", i)
	}
	for name, c := range map[string]struct{ body, want string }{
		"cycle with no way out":       {circle, "line 6"},
		"unreachable stage":           {edit(`from = ["exploration"]`, `from = ["maturity"]`), "cannot be reached"},
		"unknown measure":             {edit("beats_active_4 >= 3", "beats_activ_4 >= 3"), "beats_active_4"},
		"population measure":          {edit("overdue >= 2", "value_pct >= 2"), "value_pct"},
		"type mismatch":               {edit("dwell_days > max_dwell", "dwell_days > 'long'"), "line "},
		"number for a yes or no":      {edit("beats_active_4 >= 3\"", "beats_active_4\""), "line "},
		"dwell min over max":          {edit("min_dwell = 90\nmax_dwell = \"max(180, 6*beat)\"", "min_dwell = 90\nmax_dwell = 30"), "under its least"},
		"worked out: min over max":    {edit("min_dwell = 90", "min_dwell = 9000"), "under its least"},
		"two stages of one name":      {edit(`name = "growth"`, `name = "exploration"`), "two stages are named"},
		"empty file":                  {"", "empty"},
		"13 stages":                   {thirteen, "13 stages"},
		"a file of 1 MB":              {strings.Repeat("# no model\n", 95_000), "bytes"},
		"a name the shelf needs":      {edit(`name = "growth5"`, `name = "model"`), "another name"},
		"unknown event":               {edit("overdue >= 2", "count('byu') > 1"), "byu"},
		"a variant of an unknown key": {string(good) + "\n[[variant]]\nname = \"v\"\nwhen = \"pln == 'x'\"\n[variant.params]\nG = 3\n", "plan"},
	} {
		err := e.PutModel(ctx, []byte(c.body), "")
		if !errors.Is(err, stage.ErrBadModel) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v does not say %q", name, err, c.want)
		}
		if _, err := e.CheckModel(ctx, []byte(c.body), nil); err == nil {
			t.Errorf("%s: passes the check", name)
		}
	}
	body, err := e.ModelBody("", 0)
	if err != nil || string(body) != string(good) || ask(t, e, "stages").Model != force {
		t.Errorf("the model in force was touched: %v", err)
	}
	if log, err := e.ModelLog(""); err != nil || len(log) != 1 {
		t.Errorf("the log has %d versions, %v", len(log), err)
	}
	for address, want := range map[string]string{
		"restage/nonsense":            "there is no stage model",
		"restage/purchas5":            "did you mean purchase5",
		"restage?with=g%3D3":          "no such setting",
		"restage/growth5?version=9":   "no version 9",
		"restage/purchase5?version=1": "no versions yet",
	} {
		q, err := query.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Answer(ctx, q, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", address, err, want)
		}
	}
	for _, address := range []string{"restage?with=G", "restage?version=2", "restage/growth5?body=x"} {
		if _, err := query.Parse(address); err == nil {
			t.Errorf("%s was taken", address)
		}
	}
}

// A variant by a property's value: subscribers are waited for longer. What the
// population shows of its dwell is the variant's.
func TestVariantInThePopulation(t *testing.T) {
	mem, dict := randomData(t, 13, 60)
	e := over(t, mem, dict)
	body, err := e.ModelBody("", 0)
	if err != nil {
		t.Fatal(err)
	}
	body = append(body, []byte("\n[[variant]]\nname = \"pro\"\nwhen = \"plan == 'pro'\"\n[variant.params]\nbeat = 100\n")...)
	if err := e.PutModel(context.Background(), body, "pro"); err != nil {
		t.Fatal(err)
	}
	a := ask(t, e, "users?where="+escape(`plan == "pro" and known(max_dwell) and max_dwell < 200`))
	b := ask(t, e, "users?where="+escape(`plan == "pro" and max_dwell >= 200`))
	if value(t, a, "users") != 0 || value(t, b, "users") == 0 {
		t.Errorf("of subscribers %v have the model's own dwell, %v the variant's", value(t, a, "users"), value(t, b, "users"))
	}
}
