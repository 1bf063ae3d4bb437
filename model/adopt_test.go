package model_test

import (
	"slices"
	"testing"

	"dwell/model"
)

// TestAdopt: a later load teaches the dictionary about what it brings, and
// changes nothing that a person may have decided.
func TestAdopt(t *testing.T) {
	d := model.NewDictionary()
	d.Events["open"] = "passive" // against the guess
	d.Columns.Plan = "tier"
	before := &model.Info{Names: []model.NameInfo{{Name: "open"}, {Name: "buy"}}, Keys: []model.KeyInfo{{Name: "tier"}, {Name: "src"}}}
	guess := model.NewDictionary()
	guess.Events = map[string]string{"open": "touch", "buy": "purchase", "moan": "complaint"}
	guess.Columns = model.Columns{Currency: "cur", Channel: "src", Plan: "plan", Personal: []string{"mail", "src"}, Searchable: []string{"mail"}}
	added := d.Adopt(guess, before)
	if want := []string{"currency: column cur", "moan: complaint", "personal: column mail", "searchable: column mail"}; !slices.Equal(added, want) {
		t.Errorf("added %q, want %q", added, want)
	}
	if d.Events["open"] != "passive" || d.Events["buy"] != "" || d.Columns.Channel != "" || d.Columns.Plan != "tier" || d.Columns.Currency != "cur" {
		t.Errorf("what was there has changed: %+v %+v", d.Events, d.Columns)
	}
	if again := d.Adopt(guess, before); len(again) != 0 {
		t.Errorf("a second time adds %q", again)
	}
	if all := model.NewDictionary().Adopt(guess, nil); len(all) != 3+6 { // three names, currency, channel, plan, two personal, one searchable
		t.Errorf("of nothing it learns %q", all)
	}
}
