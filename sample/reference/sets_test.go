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

// The parts of a set hold its users whole, each once.
func TestPartIsWhole(t *testing.T) {
	whole, _ := Ecom(t)
	part := Part(t, whole, 4)
	of, err := whole.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snap, err := part.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	users := int64(0)
	err = of.Scan(t.Context(), model.Split{To: model.Buckets / 4}, model.Filter{Until: model.NoCut}, func(tl *model.Timeline) error {
		users++
		got, err := snap.User(t.Context(), tl.ID, model.Filter{Until: model.NoCut})
		if err == nil && got.Len() != tl.Len() {
			t.Errorf("%s has %d events, want %d", tl.ID, got.Len(), tl.Len())
		}
		return err
	})
	if in := snap.Info(); err != nil || in.Users != users || in.Users < 100 || len(in.Keys) != len(of.Info().Keys) {
		t.Errorf("%d users of %d, %d properties: %v", in.Users, users, len(in.Keys), err)
	}
}
