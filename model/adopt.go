package model

import (
	"cmp"
	"slices"
)

// Adopt takes from a guess what is about names and columns that the earlier data
// did not have, and says what it took: "buy: purchase", "currency: column cur",
// sorted. Everything that could have been decided before stays as it is, for a
// person may have decided it: a name that was there and has no entry is a use on
// purpose. before is the data's Info ahead of the load; nil means that there was
// nothing.
func (d *Dictionary) Adopt(guess *Dictionary, before *Info) (added []string) {
	if before == nil {
		before = &Info{}
	}
	for name, role := range guess.Events {
		if _, known := d.Events[name]; !known && before.NameIndex(name) < 0 {
			d.Events[name] = role
			added = append(added, name+": "+role)
		}
	}
	fresh := func(key string) bool { return key != "" && before.Key(key) == nil }
	to, from := &d.Columns, &guess.Columns
	for _, c := range []struct {
		what string
		to   *string
		from string
	}{
		{"currency", &to.Currency, from.Currency}, {"channel", &to.Channel, from.Channel}, {"arm", &to.Arm, from.Arm}, {"item", &to.Item, from.Item},
		{"order", &to.Order, from.Order}, {"inviter", &to.Inviter, from.Inviter}, {"plan", &to.Plan, from.Plan}, {"paid_until", &to.PaidUntil, from.PaidUntil},
		{"period", &to.Period, from.Period}, {"score", &to.Score, from.Score}, {"rating", &to.Rating, from.Rating}, {"alias", &to.Alias, from.Alias}, {"reason", &to.Reason, from.Reason},
	} {
		if *c.to == "" && fresh(c.from) {
			*c.to = c.from
			added = append(added, c.what+": column "+c.from)
		}
	}
	list := func(what string, to *[]string, from []string) {
		for _, key := range from {
			if fresh(key) && !slices.Contains(*to, key) {
				*to = append(*to, key)
				added = append(added, what+": column "+key)
			}
		}
	}
	list("personal", &to.Personal, from.Personal)
	list("searchable", &to.Searchable, from.Searchable)
	slices.SortFunc(added, cmp.Compare[string])
	return added
}
