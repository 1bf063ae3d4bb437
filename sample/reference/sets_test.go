package reference

import (
	"testing"

	"dwell/model"
)

// Counts as the data sets' own README files give them.
func TestReferenceSets(t *testing.T) {
	for _, c := range []struct {
		name          string
		open          func(testing.TB) (*model.Memory, *model.Dictionary)
		users, events int64
	}{
		{"cdnow", CDNOW, 23_570, 69_659},
		{"online retail", OnlineRetail, 4_372, 541_909 - 135_080},
		{"ecom", Ecom, 600, 31_106},
		{"rees46", Rees46, 0, 17_434},
	} {
		mem, dict := c.open(t)
		snap, err := mem.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		in := snap.Info()
		if in.Events != c.events || c.users > 0 && in.Users != c.users {
			t.Errorf("%s: %d users, %d events; want %d, %d", c.name, in.Users, in.Events, c.users, c.events)
		}
		if _, err := dict.Calendar(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A refund is exact: 12 pieces at -27.50 units, written C536379 in the data.
func TestRetailAmountsAreExact(t *testing.T) {
	mem, dict := OnlineRetail(t)
	snap, err := mem.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tl, err := snap.User(t.Context(), "14527", model.Filter{Until: model.NoCut, Amounts: true, Columns: []string{"InvoiceNo"}})
	if err != nil {
		t.Fatal(err)
	}
	key, roles := snap.Info().Key("InvoiceNo"), dict.Roles(snap.Info())
	for i := range tl.Time {
		if tl.Props[0].At(key, i) == "C536379" {
			if got, want := tl.Amount[i].String(), "-27.5"; got != want {
				t.Errorf("amount %s, want %s", got, want)
			}
			if r := roles.Of(tl.Name[i], tl.Amount[i]); r != model.Refund {
				t.Errorf("meaning %s, want refund", r)
			}
			return
		}
	}
	t.Error("invoice C536379 is not on 14527's timeline")
}
