package model

import (
	"bytes"
	"strings"
	"testing"
)

func TestDictionaryRoundTrip(t *testing.T) {
	d := NewDictionary()
	d.Zone, d.WeekStart = "Europe/Vienna", "sunday"
	d.Events = map[string]string{"order placed": "purchase+key", "push": "passive"}
	d.Columns.Currency, d.Columns.Personal = "cur", []string{"e-mail"}
	body := d.Format()
	back, err := ParseDictionary(body)
	if err != nil {
		t.Fatalf("%v in\n%s", err, body)
	}
	if !bytes.Equal(back.Format(), body) {
		t.Errorf("formatted again:\n%s\nfirst:\n%s", back.Format(), body)
	}
}

func TestDictionaryRefuses(t *testing.T) {
	for _, tc := range []struct{ body, want string }{
		{"zone = \"Mars/Base\"", "not a time zone"},
		{"week_start = \"someday\"", "week_start"},
		{"[events]\nbuy = \"purchse\"", `"buy"`},
		{"starts = \"maybe\"", "complete or partial"},
		{"negative = \"x\"", "refund or purchase"},
		{"zone = \"UTC\"\nzonne = \"UTC\"", "line 2"},
		{"zone = ", "line 1"},
		{"zone = 3", "line 1, column 8: an integer stands where a text in quotes is wanted"},
	} {
		_, err := ParseDictionary([]byte(tc.body))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q gave %v, want a sentence with %q", tc.body, err, tc.want)
		}
	}
}

func TestRoles(t *testing.T) {
	in := &Info{Names: []NameInfo{{Name: "buy"}, {Name: "look"}, {Name: "ad"}}}
	d := NewDictionary()
	d.Events = map[string]string{"buy": "purchase", "ad": "passive"}
	r := d.Roles(in)
	for _, tc := range []struct {
		name   NameID
		amount Money
		want   Role
		active bool
	}{{0, 5, Purchase, true}, {0, -5, Refund, false}, {0, NoMoney, Purchase, true}, {0, 0, Purchase, true}, {1, -5, Use, true}, {2, NoMoney, Passive, false}} {
		got := r.Of(tc.name, tc.amount)
		if got != tc.want || got.Active() != tc.active {
			t.Errorf("name %d with amount %d means %v (active %v), want %v (%v)", tc.name, tc.amount, got, got.Active(), tc.want, tc.active)
		}
	}
}

func FuzzParseDictionary(f *testing.F) {
	f.Add(NewDictionary().Format())
	f.Add([]byte("[events]\n\"a b\" = \"use+key\"\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := ParseDictionary(body)
		if err != nil {
			return
		}
		if _, err := ParseDictionary(d.Format()); err != nil {
			t.Fatalf("%v after formatting %q", err, body)
		}
	})
}
