package query

import (
	"context"
	"fmt"
	"strings"

	"dwell/model"
	"dwell/model/stage"
)

// restageAnalysis stages everybody by the model in force and by another, and
// lays the two side by side: what an edit of the model would do, before anything
// is saved. An edit is an address, so it can be looked at on any screen, sent to
// a colleague, and its users listed.
func restageAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "restage", Title: "What another model would do", Help: "everybody staged by the model in force and by another: who moves, and how well the stages part", ID: OptionalID, IDIs: "model name",
			Keys: keys([]KeySpec{
				{Name: "with", Type: Text, Repeat: true, Help: "a changed setting, PATH=VALUE: G=40, growth.min_dwell=60, growth.promotion.when=RULE, mark.late=RULE"},
				{Name: "version", Type: Int, Min: 1, Help: "a version of the named model; the newest if left out"},
				{Name: "body", Type: Text, Help: "the other model as a whole TOML file"},
				{Name: "within", Type: Int, Default: "90", Min: 1, Help: "days in which a stage counts as left for a next one"},
				{Name: "churn", Type: Word, Values: []string{"no", "yes"}, Default: "no", Help: "yes: train the churn model under both stage models, and say how far its AUC differs"},
			}, restageChurnKeys(), zoneKeys())},
		check: func(q Query) error {
			if err := checkRestageChurn(q); err != nil {
				return err
			}
			switch {
			case q.Get("version") != "" && q.ID == "":
				return fmt.Errorf("version= is of a named model: restage/NAME?version=N")
			case q.Get("body") != "" && q.ID != "":
				return fmt.Errorf("body= is a whole model: leave the name %q out", q.ID)
			}
			for _, w := range q.All("with") {
				if path, _, ok := strings.Cut(w, "="); !ok || path == "" {
					return fmt.Errorf("with=: %q is no setting: write PATH=VALUE, as G=40", w)
				}
			}
			return nil
		},
		plan: planRestage,
	}
}

// edited is the model that a restage question is about, without the numbers that
// the data have to suggest.
func (e *Engine) edited(q Query, now *stage.Model) (*stage.Model, error) {
	m := now
	var err error
	switch {
	case q.Get("body") != "":
		m, err = stage.Parse([]byte(q.Get("body")))
	case q.ID != "":
		version := 0
		if v := q.Get("version"); v != "" {
			_, err = fmt.Sscan(v, &version) // Check has seen a whole number
		}
		var body []byte
		if err == nil {
			body, err = e.ModelBody(q.ID, version)
		}
		if err == nil {
			m, err = stage.Parse(body)
		}
	}
	if err != nil {
		return nil, err
	}
	for _, w := range q.All("with") {
		path, value, _ := strings.Cut(w, "=")
		if m, err = m.Edit(path, value); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// restageHash names the model that a restage question, or a list behind one,
// reads from the shelf.
func (e *Engine) restageHash(q Query) (string, error) {
	if of := q.Get("of"); of != "" {
		inner, err := Parse(of)
		if err != nil {
			return "", err
		}
		return e.restageHash(inner)
	}
	if q.Analysis != "restage" || q.ID == "" {
		return "", nil
	}
	m, err := e.edited(q, nil)
	if err != nil {
		return "", err
	}
	return hashOf(m.Format()), nil
}

// AcceptModel puts the model of a restage question in force, as a new version of
// its name with a note. Its numbers count as confirmed: who accepts has seen what
// they do. It gives the version.
func (e *Engine) AcceptModel(ctx context.Context, q Query, note string) (int, error) {
	if q.Analysis != "restage" {
		return 0, fmt.Errorf("%s is not an edit of the stage model: accept an address restage?…", q.Analysis)
	}
	r, done, err := e.today(ctx, nil)
	if err != nil {
		return 0, err
	}
	m, err := e.edited(q, r.st.model)
	if err == nil {
		m, err = r.ready(m)
	}
	done()
	if err != nil {
		return 0, err
	}
	dict, _, err := e.Dictionary()
	if err != nil {
		return 0, err
	}
	d := *dict
	d.Confirmed = true
	return e.putModel(ctx, m, m.Format(), &d, note)
}

// A restagePlan holds what kernel and layout share. Slots: everybody and who
// moved; the users of each stage now and then; each pair of stages; who of each
// stage was active in the days after a landmark, now, then, and by pair; who
// left each stage for a next one in time, now and then.
type restagePlan struct {
	r        *Run
	old, new *stage.Machine
	n, m     int
	ahead    int       // days after the landmark
	landmark model.Day // NoDay: the data are too short for one
	within   int
	churn    *restageChurn // nil: not asked for
}

func (p *restagePlan) moved() int          { return 1 }
func (p *restagePlan) was(i int) int       { return 2 + i }
func (p *restagePlan) is(j int) int        { return 2 + p.n + j }
func (p *restagePlan) flow(i, j int) int   { return 2 + p.n + p.m + i*p.m + j }
func (p *restagePlan) actives() int        { return 2 + p.n + p.m + p.n*p.m }
func (p *restagePlan) activeWas(i int) int { return p.actives() + i }
func (p *restagePlan) activeIs(j int) int  { return p.actives() + p.n + j }
func (p *restagePlan) activePair(i, j int) int {
	return p.actives() + p.n + p.m + i*p.m + j
}
func (p *restagePlan) onward() int         { return p.activePair(p.n, 0) }
func (p *restagePlan) onwardWas(i int) int { return p.onward() + i }
func (p *restagePlan) onwardIs(j int) int  { return p.onward() + p.n + j }
func (p *restagePlan) slots() int          { return p.onward() + p.n + p.m }

func planRestage(r *Run) (*Plan, error) {
	other, err := r.eng.edited(r.Q, r.st.model)
	if err != nil {
		return nil, err
	}
	if other, err = r.ready(other); err != nil {
		return nil, err
	}
	p := &restagePlan{r: r, old: r.machine, within: r.Int("within"), landmark: model.NoDay}
	if p.new, err = stage.Compile(other, r.Schema); err != nil {
		return nil, err
	}
	p.n, p.m = len(p.old.Model().Stages), len(p.new.Model().Stages)
	p.ahead = gapOf(p.old.Model(), gapOf(other, stage.GapFloor))
	if l := r.AsOf - model.Day(p.ahead); l > r.FirstDay {
		p.landmark = l
	}
	f := p.filter()
	if _, err := p.visitor(f); err != nil {
		return nil, err
	}
	if r.Str("churn") == "yes" {
		if p.churn, err = r.restageChurn(other); err != nil {
			return nil, err
		}
	}
	return &Plan{
		Slots: p.slots(), Columns: f.Columns, Amounts: f.Amounts,
		Kernel: func() Kernel {
			v, _ := p.visitor(f) // tried above
			return v
		},
		Layout: p.layout, List: p.listed, Work: p.work(f),
	}, nil
}

// filter is what both models read.
func (p *restagePlan) filter() model.Filter {
	f := p.new.Widen(p.old.Widen(model.Filter{Until: p.r.Cut}))
	f.Amounts = f.Amounts || p.r.Roles.NeedsAmount()
	return f
}

// gapOf is the model's G, the days of silence after which a user is lost.
func gapOf(m *stage.Model, otherwise int) int {
	if g, ok := m.Param("G"); ok && g >= 1 {
		return int(g)
	}
	return otherwise
}

// A restager looks at one user after another under both models.
type restager struct {
	p        *restagePlan
	old, new *stage.Replayer
	was, is  stage.History
	days     []model.Day
}

func (p *restagePlan) visitor(f model.Filter) (*restager, error) {
	old, err := p.old.NewReplayerFor(f)
	if err != nil {
		return nil, err
	}
	other, err := p.new.NewReplayerFor(f)
	return &restager{p: p, old: old, new: other}, err
}

// Visit puts the user into stages, pairs and rates.
func (v *restager) Visit(u *Person, h *Hits) {
	p := v.p
	v.old.Replay(u.TL, p.r.AsOf, &v.was)
	v.new.Replay(u.TL, p.r.AsOf, &v.is)
	i, j := v.was.Now(), v.is.Now()
	if i < 0 || j < 0 {
		return
	}
	h.Hit(0, Self)
	h.Rate(p.moved(), p.old.Model().Stages[i].Name != p.new.Model().Stages[j].Name)
	h.Hit(p.was(i), Self)
	h.Hit(p.is(j), Self)
	h.Hit(p.flow(i, j), Self)
	if p.landmark != model.NoDay {
		if i, j := v.was.On(p.landmark), v.is.On(p.landmark); i >= 0 && j >= 0 {
			v.days = p.r.ActiveDays(v.days[:0], u)
			came := len(v.days) > 0 && v.days[len(v.days)-1] > p.landmark
			h.Rate(p.activeWas(i), came)
			h.Rate(p.activeIs(j), came)
			h.Rate(p.activePair(i, j), came)
		}
	}
	p.onwards(&v.was, p.old, p.onwardWas(0), h)
	p.onwards(&v.is, p.new, p.onwardIs(0), h)
}

// onwards says of each stage whether the user, who first entered it long enough
// ago, was promoted out of it in time.
func (p *restagePlan) onwards(hist *stage.History, m *stage.Machine, slot int, h *Hits) {
	seen := uint64(0)
	entries := m.Entries()
	for k, t := range hist.Transitions {
		s := int(t.To)
		if seen&(1<<s) != 0 || s == m.Lost() {
			continue
		}
		seen |= 1 << s
		up := false
		if k+1 < len(hist.Transitions) {
			next := hist.Transitions[k+1]
			up = entries[next.Entry].Kind == stage.Promotion && int(next.Day-t.Day) <= p.within
		}
		if t.Day+model.Day(p.within) > p.r.AsOf {
			h.OpenRate(slot+s, up)
		} else {
			h.Rate(slot+s, up)
		}
	}
}

// work says how one user stands under both models.
func (p *restagePlan) work(f model.Filter) func(*Person, *Figure, bool) string {
	return func(u *Person, _ *Figure, in bool) string {
		v, err := p.visitor(f)
		if err != nil {
			return err.Error()
		}
		v.old.Replay(u.TL, p.r.AsOf, &v.was)
		v.new.Replay(u.TL, p.r.AsOf, &v.is)
		if v.was.Now() < 0 || v.is.Now() < 0 {
			return "no event by the day"
		}
		word := "not in it"
		if in {
			word = "in it"
		}
		return fmt.Sprintf("%s: by the model in force in %s since %s; by the other in %s since %s",
			word, p.old.Model().Stages[v.was.Now()].Label(), v.was.Since(), p.new.Model().Stages[v.is.Now()].Label(), v.is.Since())
	}
}
