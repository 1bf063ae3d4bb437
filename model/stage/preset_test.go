package stage

import (
	"strings"
	"testing"
)

// Every preset stands the same checks as a person's own file, has documented
// lines, and can be loaded on data that know nothing but active days.
func TestPresets(t *testing.T) {
	_, s := world(t, map[string][]ev{"u": every(0, 40, 5)})
	want := map[string]int{"activity4": 4, "awareness6": 6, "fine10": 10, "growth5": 5, "purchase5": 5}
	if got := Presets(); len(got) != len(want) {
		t.Errorf("presets %v", got)
	}
	for name, n := range want {
		m, body, err := Preset(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.Name != name || len(m.Stages) != n {
			t.Errorf("%s: name %s, %d stages", name, m.Name, len(m.Stages))
		}
		frozen, err := m.Freeze(&Suggestion{Usage: 12.5, Gap: 43})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := Compile(frozen, s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, st := range m.Stages {
			if st.Colour == "" || st.Short == "" || m.Shorts()[i] != st.Short {
				t.Errorf("%s: %s has colour %q, short %q, shown %q", name, st.Name, st.Colour, st.Short, m.Shorts()[i])
			}
		}
		if m.Lost() != n-1 {
			t.Errorf("%s: the lost stage is %d", name, m.Lost())
		}
		if c := strings.Count(string(body), "#"); c < 15 {
			t.Errorf("%s: %d comments", name, c)
		}
	}
}

// Lives worked out by hand under the presets beside growth5, beat 7, G 60.
func TestPresetLives(t *testing.T) {
	sug := &Suggestion{Usage: 7, Gap: 60}
	mail := []ev{{0, "seen", ""}, {10, "use", ""}, {20, "use", ""}}
	buyer := []ev{{0, "use", ""}, {5, "buy", ""}, {20, "buy", ""}, {26, "buy", ""}}
	for _, c := range []struct {
		preset string
		evs    []ev
		asOf   int
		want   string
	}{
		{"awareness6", mail, 100, "0 awareness, 10 interest, 20 trial, 80 churned"},
		{"awareness6", every(0, 150, 7), 150, "0 awareness, 0 interest, 7 trial, 21 use, 111 loyalty"},
		{"awareness6", append(every(0, 7, 7), every(100, 100, 1)...), 110, "0 awareness, 0 interest, 7 trial, 67 churned, 100 trial"},
		{"purchase5", buyer, 100, "0 awareness, 0 interest, 5 purchase, 26 loyalty, 86 churned"},
		{"purchase5", []ev{{0, "buy", ""}, {80, "buy", ""}}, 90, "0 awareness, 0 purchase, 60 churned, 80 purchase"},
		{"purchase5", []ev{{0, "buy", ""}, {80, "use", ""}, {85, "buy", ""}}, 84, "0 awareness, 0 purchase, 60 churned, 80 interest"},
		// quiet = max(14, 20): silent 20 days after the last active day.
		{"activity4", every(0, 14, 7), 100, "0 early, 7 active, 34 silent, 74 lost"},
		{"activity4", append(every(0, 14, 7), every(40, 40, 1)...), 50, "0 early, 7 active, 34 silent, 40 active"},
		{"fine10", append([]ev{{0, "seen", ""}}, every(3, 24, 7)...), 60, "0 contact, 3 first_use, 10 second_use, 24 exploration, 31 adoption"},
	} {
		mod, _, err := Preset(c.preset)
		if err != nil {
			t.Fatal(err)
		}
		if mod, err = mod.Freeze(sug); err != nil {
			t.Fatal(err)
		}
		m, snap := snapTest(t, mod, c.evs)
		if got := m.days(replayOne(t, m, snap, "u", c.asOf)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.preset, got, c.want)
		}
	}
}

// Of several ways out on one day the highest priority is taken, wherever it
// stands in the file; of equal ones the first.
func TestPriority(t *testing.T) {
	body := func(second string) string {
		return `name = "p"
[[stage]]
name = "a"
[[stage.enter]]
kind = "start"
[[stage]]
name = "b"
[[stage.enter]]
kind = "promotion"
from = ["a"]
when = "spell_active_days >= 2"
[[stage]]
name = "c"
[[stage.enter]]
kind = "promotion"
from = ["a"]
when = "spell_active_days >= 2"
` + second
	}
	for second, want := range map[string]string{"": "0 a, 1 b", "priority = 1\n": "0 a, 1 c", "priority = -1\n": "0 a, 1 b"} {
		mod, err := Parse([]byte(body(second)))
		if err != nil {
			t.Fatal(err)
		}
		m, snap := snapTest(t, mod, every(0, 1, 1))
		if got := m.days(replayOne(t, m, snap, "u", 5)); got != want {
			t.Errorf("%q: got %s, want %s", second, got, want)
		}
	}
}
