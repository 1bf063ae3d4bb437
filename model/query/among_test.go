package query_test

import (
	"context"
	"strings"
	"testing"

	"dwell/model/query"
	"dwell/sample/reference"
)

// of= and key= ask any analysis of exactly the users behind a figure: no figure
// counts anybody else, and together with where= it narrows.
func TestAmongCountsNobodyElse(t *testing.T) {
	mem, dict := randomData(t, 11, 80)
	e := over(t, mem, dict)
	stages := ask(t, e, "stages")
	key := ""
	for i := range stages.Figures {
		if f := &stages.Figures[i]; f.Kind == query.Count && f.Value >= 10 && f.Value < 70 {
			key = f.Key
		}
	}
	in := map[string]bool{}
	for _, u := range listed(t, e, stages, key) {
		in[u.ID] = true
	}
	asked := 0
	for _, s := range query.Specs() {
		if s.Key("of") == nil || s.Windowed {
			continue
		}
		for _, id := range ids(s) {
			address := s.Name + id + "?key=" + escape(key) + "&of=" + escape(stages.Address)
			q, err := query.Parse(address)
			if err != nil { // it needs more than its name: refused with the reason
				if len(err.Error()) < 15 {
					t.Errorf("%s: %v", address, err)
				}
				continue
			}
			a, err := e.Answer(context.Background(), q, nil)
			if err != nil {
				if s := err.Error(); len(s) < 15 || strings.Contains(s, "fault of the program") {
					t.Errorf("%s: %v", address, err)
				}
				continue
			}
			asked++
			if !strings.Contains(a.Title, "only") {
				t.Errorf("%s does not say in its title who is looked at: %s", address, a.Title)
			}
			for i := range a.Figures {
				if i > 6 && i%29 != 0 {
					continue
				}
				for _, u := range listed(t, e, a, a.Figures[i].Key) {
					if !in[u.ID] {
						t.Errorf("%s: %s counts %s, who is not behind %s", address, a.Figures[i].Key, u.ID, key)
					}
				}
			}
		}
	}
	if asked < 6 {
		t.Errorf("only %d analyses can be asked of a figure's users", asked)
	}
}

// The population of a real data set: retention of the users who are in one stage.
func TestRetentionOfAFiguresUsers(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	all := ask(t, e, "retention?unit=week")
	f := all.Figure("week.2")
	a := ask(t, e, "retention?unit=week&key=week.2&of="+escape(all.Address))
	if got := a.Figure("users"); got.Value != f.Value*float64(f.N) || a.Figure("week.2").Value != 1 {
		t.Errorf("%v users, %v of them back in week 2; want the %v who are", got.Value, a.Figure("week.2").Value, f.Value*float64(f.N))
	}
	b := ask(t, e, "retention?unit=week&key=week.2&of="+escape(all.Address)+"&where="+escape(`platform == "mobile"`))
	if b.Figure("users").Value >= a.Figure("users").Value {
		t.Error("where= does not narrow the population")
	}
	for address, want := range map[string]string{
		"retention?of=stages":           "needs key=",
		"retention?key=users":           "give the question with of=",
		"users?of=users&key=users":      "where=",
		"retention?of=nonsense&key=x":   "no analysis",
		"lifecycle?of=stages&key=ghost": "",
	} {
		if _, err := query.Parse(address); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	q, _ := query.Parse("lifecycle?of=stages&key=ghost")
	if _, err := e.Answer(context.Background(), q, nil); err == nil || !strings.Contains(err.Error(), "no figure") {
		t.Errorf("a figure that is not there: %v", err)
	}
}

// Whatever a list was narrowed by, a question asked of it counts exactly its users.
func TestOfListAsksOfExactlyThese(t *testing.T) {
	mem, dict := randomData(t, 12, 90)
	e := over(t, mem, dict)
	stages := ask(t, e, "stages")
	key := ""
	for i := range stages.Figures {
		if f := &stages.Figures[i]; f.Kind == query.Count && f.Value >= 20 {
			key = f.Key
		}
	}
	behind := "key=" + escape(key) + "&of=" + escape(stages.Address)
	for _, address := range []string{"users?where=events%20%3E%203", "users?sort=-events&columns=events&where=tenure_days%20%3E%2020", "users?" + behind,
		"users?sort=id&" + behind, "users?" + behind + "&where=events%20%3E%203", "users?find=1"} {
		list := ask(t, e, address)
		want := map[string]bool{}
		for _, u := range listed(t, e, list, "users") {
			want[u.ID] = true
		}
		if len(want) == 0 {
			t.Fatalf("%s lists nobody", address)
		}
		a := ask(t, e, query.OfList("retention", list.Query).String())
		got := append(listed(t, e, a, "users"), listed(t, e, a, "truncated")...) // those who began before the data are kept apart
		if len(got) != len(want) {
			t.Errorf("%s: %d users, retention of them counts %d", address, len(want), len(got))
		}
		for _, u := range got {
			if !want[u.ID] {
				t.Errorf("%s: retention counts %s, who is not in the list", address, u.ID)
			}
		}
	}
	if _, err := query.Parse("users?key=users&of=users"); err == nil {
		t.Error("a list of a list is not refused")
	}
}
