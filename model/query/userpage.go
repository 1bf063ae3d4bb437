package query

import (
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stage"
)

// userAnalysis is one person's life on a page.
func userAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "user", Title: "User", Help: "one user: stage now, since when and why; trouble; stage history with proofs; measures; activity; events", ID: NeedsID, IDIs: "user id",
			Keys: keys([]KeySpec{
				{Name: "proof", Type: Int, Min: 1, Help: "show the proof of the stage change of this number in the history"},
			}, zoneKeys())},
		plan: func(r *Run) (*Plan, error) {
			u, err := readUser(r, r.Q.ID)
			if err != nil {
				return nil, err
			}
			if n := r.Int("proof"); n > len(u.proofs) {
				return nil, fmt.Errorf("proof=%d: %s has %s of stage up to %s", n, r.Q.ID, plural(len(u.proofs), "change"), r.AsOf)
			}
			return &Plan{Layout: u.layout, List: u.list, Explain: u.explain}, nil
		},
	}
}

// A userLife is everything that is known of one person up to the as-of day.
type userLife struct {
	r      *Run
	id     string
	tl     model.Timeline // in day order, every column
	days   []model.Day
	active []model.Day // active days, each once
	hist   stage.History
	proofs []*stage.Proof // of each transition
	near   *stage.Near    // the promotion that lacks least on the day
	set    *measure.Set
	cur    *measure.Cursor
	risk   *Risk // nil where there is nothing to say
}

func readUser(r *Run, id string) (*userLife, error) {
	u := &userLife{r: r, id: id}
	f := model.Filter{Until: r.Cut, Amounts: true, Sources: true}
	for _, k := range r.Info.Keys {
		f.Columns = append(f.Columns, k.Name)
	}
	var err error
	if u.tl, err = r.user(id, f); err != nil {
		return nil, err
	}
	if u.tl.Len() == 0 {
		return u, nil
	}
	u.tl = *u.tl.Clone() // it is put into day order below
	u.days = r.Cal.Days(nil, &u.tl)
	model.InDayOrder(u.days, &u.tl)
	u.active = r.ActiveDays(nil, &Person{TL: &u.tl, Days: u.days})
	if err := u.replay(f); err != nil {
		return nil, err
	}
	if err := u.measure(f); err != nil {
		return nil, err
	}
	u.risk, err = r.risk(u.id, r.Info.Events <= trainWithin)
	return u, err
}

// replay fills history, proofs and what the next stage lacks.
func (u *userLife) replay(f model.Filter) error {
	s, err := u.r.Staging(f)
	if err != nil {
		return err
	}
	u.hist = *s.To(&u.tl, u.r.AsOf)
	u.hist.Transitions = slices.Clone(u.hist.Transitions)
	pr, err := u.r.machine.NewProverFor(f)
	if err != nil {
		return err
	}
	for i := range u.hist.Transitions {
		p, err := pr.Prove(&u.tl, u.r.AsOf, i)
		if err != nil {
			return err
		}
		c := *p
		u.proofs = append(u.proofs, &c)
	}
	why, err := pr.Why(&u.tl, u.r.AsOf)
	if err != nil {
		return err
	}
	u.near = why.Near
	return nil
}

// pageMeasures are the measures of the page beside those that lists show.
func pageMeasures() []measure.Ref {
	out := baseMeasures()
	for _, n := range []string{"spell_active_days", "beats_active_4", "milestones_135", "aov"} {
		out = append(out, measure.Of(n))
	}
	return append(out, measure.Of("active_days", 28), measure.Of("events", 28))
}

// measure computes the page's measures as of the as-of day.
func (u *userLife) measure(f model.Filter) error {
	var refs []measure.Ref
	each, _ := u.r.revenues()
	for _, ref := range append(pageMeasures(), each...) {
		if _, err := measure.Compile([]measure.Ref{ref}, u.r.Schema); err == nil {
			refs = append(refs, ref) // what the data cannot feed is left out
		}
	}
	var err error
	if u.set, err = measure.Compile(refs, u.r.Schema); err != nil {
		return err
	}
	if u.cur, err = u.set.NewCursorFor(f); err != nil {
		return err
	}
	u.cur.Reset(&u.tl)
	u.cur.At(u.r.AsOf, u.hist.State)
	return nil
}

// value is one of the page's measures; ok is false where it is missing.
func (u *userLife) value(name string, days ...int) (float64, bool) {
	want := measure.Of(name, days...).String()
	for i := range u.set.Len() {
		if ref := u.set.Ref(i); ref.String() == want {
			return u.cur.Value(i)
		}
	}
	return 0, false
}

// list is the user of each figure: the one the page is about.
func (u *userLife) list(f *Figure, _ Part) ([]User, error) {
	user := User{ID: u.id, Amount: model.NoMoney}
	if f.Kind == Rows {
		user.Times = int64(f.Value)
	}
	return []User{user}, nil
}

func (u *userLife) explain(f *Figure) []ExplainLine {
	for i := range u.setLen() {
		if "measure."+u.set.Ref(i).String() == f.Key {
			fam := u.set.Family(i)
			return []ExplainLine{{Head: "Definition", Text: fam.Definition}, {Head: "Formula", Text: fam.Source}}
		}
	}
	return nil
}

func (u *userLife) setLen() int {
	if u.set == nil {
		return 0
	}
	return u.set.Len()
}

// role is what event i means.
func (u *userLife) role(i int) model.Role {
	return u.r.Role(&Person{TL: &u.tl}, i)
}

// A gap is a silence between two active days.
type gap struct{ from, to model.Day }

func (g gap) days() int { return int(g.to - g.from) }

// gaps are the user's longest silences of more than 14 days and more than two
// beats, at most n, in order of time.
func (u *userLife) gaps(n int) []gap {
	least := max(14, int(2*u.r.paramIn(u.hist.State.Variant, "beat", 7)))
	var out []gap
	for i := 1; i < len(u.active); i++ {
		if g := (gap{u.active[i-1], u.active[i]}); g.days() > least {
			out = append(out, g)
		}
	}
	slices.SortStableFunc(out, func(a, b gap) int { return b.days() - a.days() })
	out = out[:min(n, len(out))]
	slices.SortFunc(out, func(a, b gap) int { return int(a.from - b.from) })
	return out
}
