package stage

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func preset(t testing.TB) (*Model, string) {
	t.Helper()
	m, body, err := Preset(Default)
	if err != nil {
		t.Fatal(err)
	}
	return m, string(body)
}

func TestPresetIsTheSpecs(t *testing.T) {
	m, _ := preset(t)
	if got := strings.Join(m.Names(), " "); got != "acquisition exploration growth maturity churned" {
		t.Errorf("stages %s", got)
	}
	if m.First() != 0 || m.Lost() != 4 || m.Frozen() {
		t.Errorf("first %d, lost %d, frozen %v", m.First(), m.Lost(), m.Frozen())
	}
	// CDNOW's numbers, and the dwells they give: 2·56, 4·56, 6·56.
	f, err := m.Freeze(&Suggestion{Usage: 56, Gap: 162})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.values(); !reflect.DeepEqual(got, map[string]float64{"usage": 56, "beat": 56, "G": 162, "need": 2}) {
		t.Errorf("CDNOW: %v", got)
	}
	for i, want := range [][2]int{{7, 112}, {14, 224}, {90, 336}, {0, 0}, {0, 0}} {
		lo, hi, err := f.dwell(i)
		if err != nil || lo != want[0] || hi != want[1] {
			t.Errorf("dwell of %s: %d to %d, %v; want %v", f.Stages[i].Name, lo, hi, err, want)
		}
	}
	// Half to even: 12.5 gives a beat of 12.
	if f, err = m.Freeze(&Suggestion{Usage: 12.5, Gap: 43}); err != nil {
		t.Fatal(err)
	}
	if got := f.values(); got["beat"] != 12 || got["need"] != 3 {
		t.Errorf("ecom: %v", got)
	}
}

func TestFormatIsParsedBack(t *testing.T) {
	m, _ := preset(t)
	frozen, err := m.Freeze(&Suggestion{Usage: 12.5, Gap: 43})
	if err != nil {
		t.Fatal(err)
	}
	frozen.Variants = []Variant{{Name: "pro", When: `plan == "pro"`, Params: []Override{{Name: "G", Value: 90}, {Name: "beat", Number: "2 * beat"}}}}
	frozen.Stages[3].Enter[0].Priority = 7
	frozen.Stages[0].Title, frozen.Stages[0].Short = "A \"first\" stage\n", "acq"
	for _, m := range []*Model{m, frozen} {
		again, err := Parse(m.Format())
		if err != nil {
			t.Fatalf("%v in\n%s", err, m.Format())
		}
		a, b := *m, *again
		a.ps, b.ps = nil, nil
		if !reflect.DeepEqual(a, b) {
			t.Errorf("got  %+v\nwant %+v", b, a)
		}
		if m.Hash() != again.Hash() {
			t.Error("the hash changed on the way")
		}
	}
	with, err := frozen.With("G", 44)
	if err != nil {
		t.Fatal(err)
	}
	if with.Hash() == frozen.Hash() {
		t.Error("another G has the same hash")
	}
	if v, _ := frozen.Param("G"); v != 43 {
		t.Errorf("With changed its receiver: G is %v", v)
	}
	if _, err := frozen.With("Gee", 1); err == nil {
		t.Error("a number that is not there was set")
	}
}

// Bad models, each with the place and a word of the reason.
func TestBadModels(t *testing.T) {
	_, good := preset(t)
	edit := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the preset has no %q", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	thirteen := "name = \"x\"\n[[stage]]\nname = \"s0\"\n[[stage.enter]]\nkind = \"start\"\n"
	for i := 1; i < 13; i++ {
		thirteen += "[[stage]]\nname = \"s" + string(rune('a'+i)) + "\"\n[[stage.enter]]\nkind = \"promotion\"\nfrom = [\"s0\"]\nwhen = \"tenure_days > 1\"\n"
	}
	for _, c := range []struct{ name, body, want string }{
		{"empty", "", "empty"},
		{"blanks", "\n \n", "empty"},
		{"not TOML", "name = ", "line 1"},
		{"binary", "\xff\xfe", "UTF-8"},
		{"1 MB", strings.Repeat("# nothing\n", 100_000), "bytes"},
		{"no stage", "name = \"x\"\n", "0 stages"},
		{"13 stages", thirteen, "13 stages"},
		{"no name", edit(`name = "growth5"`, ""), "needs a name"},
		{"unknown setting", edit("min_dwell = 14", "min_dwel = 14"), "did you mean min_dwell"},
		{"unknown table", edit("[marks]", "[mark]"), "did you mean marks"},
		{"table for list", edit("[[stage.enter]]", "[stage.enter]"), "write it [[stage.enter]]"},
		{"unknown stage", edit(`from = ["growth"]`, `from = ["grwth"]`), "did you mean growth"},
		{"unknown kind", edit(`kind = "loss"`, `kind = "los"`), "did you mean loss"},
		{"unknown number", edit("max(28, 2*beat)", "max(28, 2*beta)"), "did you mean beat"},
		{"unknown suggestion", edit("usage_interval()", "usage_intervall()"), "did you mean usage_interval"},
		{"not a number", edit(`"max(28, 2*beat)"`, `"beat > 3"`), "not a number"},
		{"circle of numbers", edit(`usage = "usage_interval()"`, `usage = "beat"`), "made from one another"},
		{"dwell min over max", edit("min_dwell = 14\nmax_dwell = \"max(56, 4*beat)\"", "min_dwell = 60\nmax_dwell = 56"), "under its least"},
		{"dwell below 0", edit("min_dwell = 14", "min_dwell = -1"), "not a dwell"},
		{"text for days", edit("min_dwell = 14", "min_dwell = true"), "number of days"},
		{"two of one name", edit(`name = "growth"`, `name = "exploration"`), "two stages are named"},
		{"two starts", edit("kind = \"promotion\"                    # waits for the min_dwell of the stage being left\nfrom = [\"acquisition\"]\nwhen = \"spell_active_days >= need\"", "kind = \"start\""), "two stages have a start"},
		{"no start", edit(`kind = "start"`, "kind = \"promotion\"\nfrom = [\"exploration\"]\nwhen = \"active_today\""), "no stage has an entry of kind start"},
		{"cannot be reached", edit(`from = ["growth"]`, `from = ["maturity"]`), "cannot follow itself"},
		{"unreachable", edit("from = [\"exploration\"]\n", "from = [\"maturity\"]\n"), "cannot be reached"},
		{"circle without a way out", "name = \"x\"\n[[stage]]\nname = \"a\"\n[[stage.enter]]\nkind = \"start\"\n" +
			"[[stage]]\nname = \"b\"\n[[stage.enter]]\nkind = \"promotion\"\nfrom = [\"a\", \"c\"]\nwhen = \"active_today\"\n" +
			"[[stage]]\nname = \"c\"\n[[stage.enter]]\nkind = \"promotion\"\nfrom = [\"b\"]\nwhen = \"active_today\"\n", "circle with no way out"},
		{"unknown colour", edit(`colour = "green"`, `colour = "gren"`), "did you mean green"},
		{"two short names", edit(`short = "grow"`, `short = "expl"`), "two stages have the short name"},
		{"long short name", edit(`short = "grow"`, `short = "growth"`), "at most 4"},
		{"returns to nowhere", edit("min_dwell = 14", "returns_to = \"grwth\""), "did you mean growth"},
		{"returns from a living stage", edit("min_dwell = 14", "returns_to = \"growth\""), "leaves the lost stage"},
		{"priority of text", edit(`kind = "loss"`, "priority = \"high\"\nkind = \"loss\""), "whole number"},
		{"variant without rule", good + "\n[[variant]]\nname = \"pro\"\n[variant.params]\nG = 3\n", "needs a rule"},
		{"variant without numbers", good + "\n[[variant]]\nname = \"pro\"\nwhen = \"active_today\"\n", "changes nothing"},
		{"variant of an unknown number", good + "\n[[variant]]\nname = \"pro\"\nwhen = \"active_today\"\n[variant.params]\nbeet = 3\n", "did you mean beat"},
		{"two variants of one name", good + strings.Repeat("\n[[variant]]\nname = \"pro\"\nwhen = \"active_today\"\n[variant.params]\nG = 3\n", 2), "two variants"},
		{"variant's numbers alone", "[variant.params]\nG = 3\n", "comes after"},
		{"seven variants", good + sevenVariants(), "at most 6"},
		{"return from a living stage", edit(`from = ["churned"]`, `from = ["growth"]`), "leaves the lost stage"},
		{"promotion without rule", edit("when = \"spell_active_days >= need\"\n", ""), "needs a rule"},
		{"promotion without from", edit("from = [\"acquisition\"]\n", ""), "names the stages"},
		{"start with rule", edit("kind = \"start\"  ", "kind = \"start\"\nwhen = \"active_today\"#"), "neither from nor when"},
		{"twice", edit("min_dwell = 14", "min_dwell = 14\nmin_dwell = 15"), "twice"},
		{"reserved mark", edit("silent = ", "resurrected = "), "replay itself"},
	} {
		_, err := Parse([]byte(c.body))
		if !errors.Is(err, ErrBadModel) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q does not say %q", c.name, err, c.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q is more than a line", c.name, err)
		}
	}
	_, err := Parse([]byte(edit(`from = ["growth"]`, `from = ["grwth"]`)))
	if line := strings.Count(good[:strings.Index(good, `from = ["growth"]`)], "\n") + 1; !strings.Contains(err.Error(), "line "+itoa(line)) {
		t.Errorf("%q is not about line %d", err, line)
	}
}

func sevenVariants() (out string) {
	for i := range 7 {
		out += "\n[[variant]]\nname = \"v" + itoa(i) + "\"\nwhen = \"active_today\"\n[variant.params]\nG = 3\n"
	}
	return out
}

func itoa(n int) string { return decimal(float64(n)) }

// What only the data can tell is found when the model is compiled.
func TestBadRules(t *testing.T) {
	_, s := world(t, map[string][]ev{"u": every(0, 1, 1)})
	_, good := preset(t)
	for old, c := range map[string]struct{ new, want string }{
		`"beats_active_4 >= 3"`:       {`"beats_activ_4 >= 3"`, "beats_active_4"},
		`"overdue >= 2"`:              {`"value_pct >= 2"`, "value_pct"},
		`"dwell_days > max_dwell"`:    {`"dwell_days > 'x'"`, ""},
		`"spell_active_days >= need"`: {`"spell_active_days"`, ""},
		`"milestones_135 == 3"`:       {`"in_segment('vip')"`, ""},
		"[marks]":                     {"[[variant]]\nname = \"pro\"\nwhen = \"pln == 'x'\"\n[variant.params]\nG = 3\n[marks]", "pln"},
		`"spell_active_days >= need `: {`"spell_active_days >= ned `, "need"},
	} {
		m, err := Parse([]byte(strings.Replace(good, old, c.new, 1)))
		if err != nil {
			t.Errorf("%s: parse: %v", c.new, err)
			continue
		}
		if m, err = m.Freeze(&Suggestion{Usage: 7, Gap: 60}); err != nil {
			t.Fatal(err)
		}
		_, err = Compile(m, s)
		if !errors.Is(err, ErrBadModel) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v", c.new, err)
		}
	}
	m, _ := preset(t)
	if _, err := Compile(m, s); !errors.Is(err, ErrBadModel) {
		t.Errorf("a model that is not frozen: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	_, body, err := Preset(Default)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte("name = 'x'\n[params]\na = {value = 1, suggest = 'a'}\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Parse(body)
		if err != nil {
			if !errors.Is(err, ErrBadModel) {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := Parse(m.Format())
		if err != nil {
			t.Fatalf("%v in\n%s", err, m.Format())
		}
		if string(again.Format()) != string(m.Format()) {
			t.Fatal("the second format differs")
		}
	})
}
