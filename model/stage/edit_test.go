package stage

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestEditAndDiff(t *testing.T) {
	m, err := mustFreeze(t, "growth5")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, value, old, new string }{
		{"G", "40", "43", "40"},
		{"growth.min_dwell", "60", "90", "60"},
		{"growth.min_dwell", "", "90", ""},
		{"growth.promotion.when", "beats_active_4 >= 2", "spell_active_days >= need + 1 and beats_active_4 >= 3", "beats_active_4 >= 2"},
		{"maturity.promotion.from", "growth, exploration", "growth", "growth,exploration"},
		{"maturity.promotion.priority", "2", "", "2"},
		{"mark.quiet", "recency_days > 3", "", "recency_days > 3"},
		{"mark.late", "", "overdue >= 2", ""},
		{"maturity.colour", "red", "yellow", "red"},
		{"churned.returns_to", "growth", "", "growth"},
	} {
		e, err := m.Edit(c.path, c.value)
		if err != nil {
			t.Errorf("%s = %s: %v", c.path, c.value, err)
			continue
		}
		if got, want := Diff(m, e), []Change{{c.path, c.old, c.new}}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %s: the difference is %v", c.path, c.value, got)
		}
		if back := Diff(e, m); len(back) != 1 || back[0].Old != c.new || back[0].New != c.old {
			t.Errorf("%s: back again %v", c.path, back)
		}
	}
	if d := Diff(m, m); len(d) != 0 {
		t.Errorf("a model differs from itself: %v", d)
	}
	if e, err := m.Edit("beat", "2*usage"); err != nil || e.Frozen() {
		t.Errorf("an expression: %v", err)
	}
	for path, c := range map[string]struct{ value, want string }{
		"g":                       {"3", "no such setting"},
		"growth.min_dwel":         {"3", "did you mean growth.min_dwell"},
		"growth.min_dwell":        {"400", ""},
		"growth.max_dwell":        {"3", "under its least"},
		"maturity.promotion.from": {"maturity", "cannot follow itself"},
		"growth.promotion.when":   {"", "needs a rule"},
		"name":                    {"two words", "needs a name"},
		"mark.none":               {"", "no mark"},
	} {
		_, err := m.Edit(path, c.value)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s = %s: %v", path, c.value, err) // only the numbers tell that it is over the most
			}
			continue
		}
		if !errors.Is(err, ErrBadModel) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %s: %v does not say %q", path, c.value, err, c.want)
		}
	}
}

func mustFreeze(t *testing.T, name string) (*Model, error) {
	t.Helper()
	m, _, err := Preset(name)
	if err != nil {
		return nil, err
	}
	return m.Freeze(&Suggestion{Usage: 12.5, Gap: 43})
}
