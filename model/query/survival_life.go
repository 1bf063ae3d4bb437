package query

import (
	"fmt"
	"slices"
	"strconv"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/survival"
)

// lifeKeys say what a life is: for survival and cox.
func lifeKeys() []KeySpec {
	return append([]KeySpec{
		{Name: "churn", Type: Word, Values: []string{churnByGap, churnByContract}, Default: churnByGap, Help: "what a churn is: gap= days of silence, or the end of a contract (paid_until or period of the dictionary, or an event that cancels)"},
		{Name: "gap", Type: Int, Min: 1, Help: "days of silence that make a churn; the stage model's G if left out. Of churn=contract the days without a contract that make one unless it was cancelled; 1 if left out"},
		{Name: "start", Type: Text, Default: "any", Help: "the event whose first ever occurrence begins a life: " + pickHelp},
		{Name: "spell", Type: Int, Min: 1, Default: "1", Help: "which spell: 1 from the start, 2 from the first return after a churn, and so on"},
		{Name: "landmark", Type: DayType, Help: "the day on which groups and measures are fixed: only users still at risk then count, and time runs from it"},
		{Name: "age", Type: Int, Min: 0, Help: "the landmark as an age: so many days after each user's start"},
		{Name: "signup", Type: Text, Help: "a property with the true day of sign-up (YYYY-MM-DD): time runs from it, and users count from the day they are first seen"},
	}, activityKeys()...)
}

// checkLife refuses what does not go together.
func checkLife(q Query) error {
	landmark, age, signup := q.Get("landmark") != "", q.Get("age") != "", q.Get("signup") != ""
	switch {
	case landmark && age:
		return fmt.Errorf("landmark= and age= are two ways to fix the landmark: give one")
	case signup && (landmark || age):
		return fmt.Errorf("signup= moves the beginning of time to the sign-up, landmark= and age= move it to the landmark: give one")
	case q.Value("churn") == churnByContract && q.Value("activity") != "active":
		return fmt.Errorf("activity= says which silence is a churn; churn=contract goes by contracts: leave it out")
	case q.Value("churn") == churnByContract && q.Value("start") != "any":
		return fmt.Errorf("with churn=contract a life begins with its first contract: leave start= out")
	case signup && q.Get("truncated") != "":
		return fmt.Errorf("signup= gives users their true beginning, so nobody is left out for being first seen early: leave truncated= out")
	case signup && q.Value("spell") != "1":
		return fmt.Errorf("signup= is the beginning of the first spell: a later one begins with a return")
	}
	for _, k := range []string{"age", "gap", "spell"} {
		if n := atoi(q.Value(k)); n > measure.MaxDays {
			return fmt.Errorf("%s= of %d is longer than any data: give at most %d", k, n, measure.MaxDays)
		}
	}
	return nil
}

// atoi is the number of an Int key that has been checked; 0 where it is not given.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// A lifeReader reads a person's spells as lives. Under the gap rule a spell's death
// is the day on which silence reaches gap days, last activity + gap; under the
// contract rule the day on which what is paid ends (survival_spells.go). It is
// censored at the end of the as-of day. That death needs no look into the future,
// and a user who is active on the very day it falls due has not died, as in the
// stage model. It belongs to one goroutine.
type lifeReader struct {
	def   *lifeDef
	days  []model.Day
	found []spell
}

// A lifeDef is what a lifeReader goes by. It is shared and does not change.
type lifeDef struct {
	r        *Run
	gap      model.Day
	spell    int  // from 1
	every    bool // all spells are counted, not one of each user
	start    pick
	active   pick
	landmark model.Day // NoDay: none
	age      int       // −1: none
	signup   string
	column   int // of signup among the plan's columns

	contract           bool // churn=contract
	paid               int  // of the column that says what is paid, among the plan's; −1: cancellations alone
	paidKey            *model.KeyInfo
	paidUntil          bool // it holds the end, not the length
	cancels, purchases bool // there are such events
}

// newLifeDef reads the keys of lifeKeys, and adds what lives are read from to the
// needs, which must be empty.
func newLifeDef(r *Run, needs *Needs) (*lifeDef, error) {
	d := &lifeDef{r: r, contract: r.Str("churn") == churnByContract, gap: model.Day(r.param("G", 30)), spell: r.Int("spell"), active: r.activity(), landmark: r.Day("landmark"), age: -1, signup: r.Str("signup"), column: -1}
	if d.contract {
		d.gap = 1
	}
	if r.Str("gap") != "" {
		d.gap = model.Day(r.Int("gap"))
	}
	if d.landmark == model.NoDay && r.Str("age") != "" {
		d.age = r.Int("age")
	}
	var err error
	if d.start, err = r.pick(r.Str("start")); err != nil {
		return nil, fmt.Errorf("start=: %w", err)
	}
	if d.landmark != model.NoDay && d.landmark > r.AsOf {
		return nil, fmt.Errorf("landmark=: %s is after the as-of day %s: nobody's life after it is known", d.landmark, r.AsOf)
	}
	if d.signup != "" && r.Info.Key(d.signup) == nil {
		return nil, fmt.Errorf("signup=: there is no property %q: the properties screen lists them", d.signup)
	}
	if d.signup != "" {
		if d.column, err = r.column(d.signup, needs); err != nil {
			return nil, fmt.Errorf("signup=: %w", err)
		}
	}
	if d.contract {
		if err := d.contractColumns(needs); err != nil {
			return nil, fmt.Errorf("churn=contract: %w; churn=gap goes by silence", err)
		}
		if d.paid < 0 && r.Str("gap") != "" {
			return nil, fmt.Errorf("gap= is the time after what is paid for ends, and nothing says what is paid for: contracts are known by their cancellations alone here, so leave gap= out")
		}
	}
	return d, nil
}

// fixed says whether a landmark fixes the groups.
func (d *lifeDef) fixed() bool { return d.landmark != model.NoDay || d.age >= 0 }

// flat is the time below which nobody can have died: gap days from the start, none
// from a landmark or where contracts end.
func (d *lifeDef) flat() float64 {
	if d.fixed() || d.contract {
		return 0
	}
	return float64(d.gap)
}

// A fate says why a person is in no estimate, or that they are.
type fate uint8

const (
	counted   fate = iota
	unstarted      // the spell has not begun
	truncated      // may have begun before the data
	notYet         // began after the landmark, or is not that old yet
	dead           // had churned by the landmark
)

// A life is a spell in days.
type life struct {
	survival.Life
	start, judge model.Day // of the spell; on which groups are judged
	last         model.Day // activity of the spell, or end of what is paid
}

// read finds the person's spell.
func (k *lifeReader) read(p *Person) (l life, f fate) {
	d := k.def
	spells := k.spells(p)
	switch {
	case len(spells) == 0:
		return l, unstarted
	case d.signup == "" && d.r.Truncated(p.Days[0]):
		return l, truncated
	case len(spells) < d.spell:
		return l, unstarted
	}
	return k.life(p, spells[d.spell-1])
}

// life is a spell as it counts: from its start, the landmark or the sign-up on.
func (k *lifeReader) life(p *Person, s spell) (l life, f fate) {
	d := k.def
	l.start, l.last, l.judge = s.start, s.last, s.start
	origin := s.start
	if d.fixed() {
		origin = d.landmark
		if d.age >= 0 {
			origin = s.start + model.Day(d.age)
		}
		l.judge = origin
		switch {
		case s.start > origin || origin > d.r.AsOf:
			return l, notYet
		case s.died && s.end <= origin:
			return l, dead
		}
	}
	entry := model.Day(0)
	if d.signup != "" {
		if day, ok := k.signup(p); ok && day < s.start {
			origin, entry = day, s.start-day
		}
	}
	l.Life = survival.Life{Entry: float64(entry), Time: float64(s.end - origin), Died: s.died, Count: 1}
	return l, counted
}

// counted are the person's lives in the estimate: one, or with spells=all any number.
func (k *lifeReader) counted(p *Person) (out []life) {
	if !k.def.every {
		if l, why := k.read(p); why == counted {
			out = append(out, l)
		}
		return out
	}
	if k.def.r.Truncated(p.Days[0]) {
		return nil
	}
	for _, s := range k.spells(p) {
		if l, why := k.life(p, s); why == counted {
			out = append(out, l)
		}
	}
	return out
}

// signup is the first day that the property signup= holds.
func (k *lifeReader) signup(p *Person) (model.Day, bool) {
	d := k.def
	key := d.r.Info.Key(d.signup)
	for i := range p.TL.Time {
		v := p.TL.Props[d.column].At(key, i)
		if len(v) >= 10 {
			if day, err := model.ParseDay(v[:10]); err == nil {
				return day, true
			}
		}
	}
	return 0, false
}

// A valuer gives measures of a person as of a day. It belongs to one goroutine.
type valuer struct {
	set     *measure.Set
	cur     *measure.Cursor
	staging *Staging
}

// valuerNeeds are a plan's needs for measures, widened by what stages read.
func (r *Run) valuerNeeds(set *measure.Set, n Needs) Needs {
	f := set.Widen(model.Filter{Columns: slices.Clone(n.Columns), Amounts: n.Amounts})
	for i := range set.Len() {
		if set.Family(i).Stage {
			f = r.machine.Widen(f)
			break
		}
	}
	n.Columns, n.Amounts = f.Columns, f.Amounts
	return n
}

func (r *Run) newValuer(set *measure.Set, n Needs) (*valuer, error) {
	f := model.Filter{Columns: n.Columns, Amounts: n.Amounts || r.Roles.NeedsAmount()}
	cur, err := set.NewCursorFor(f)
	if err != nil {
		return nil, err
	}
	v := &valuer{set: set, cur: cur}
	for i := range set.Len() {
		if set.Family(i).Stage {
			v.staging, err = r.Staging(f)
			return v, err
		}
	}
	return v, nil
}

// at takes the person to a day.
func (v *valuer) at(p *Person, day model.Day) {
	v.cur.Reset(p.TL)
	var st measure.State
	if v.staging != nil {
		st = v.staging.To(p.TL, day).State
	}
	v.cur.At(day, st)
}

// settled says whether a measure is known at the start for good: a property, or
// the day of the first event. All others are behaviour.
func settled(ref measure.Ref) bool {
	switch ref.Name {
	case "prop", "first":
		return true
	case "first_day":
		return ref.Event == "" && ref.Role == 0 && ref.Where == nil
	}
	return false
}

// refuseBehaviour refuses groups made from behaviour where no landmark fixes them
// (SPEC 2, Groups made from behaviour).
func (r *Run) refuseBehaviour(d *lifeDef) error {
	if d.fixed() || r.everybody() != 0 {
		return nil
	}
	rules, refs, err := r.compileGroups(false)
	if err != nil {
		return err
	}
	for i, c := range rules {
		for _, slot := range c.Slots() {
			if ref := refs.All()[slot]; !settled(ref) {
				return behaviourError(r.Groups[i].Label(), ref.String())
			}
		}
	}
	return nil
}

func behaviourError(what, measure string) error {
	return fmt.Errorf("%s goes by %s, which is behaviour after the start: only who lived long enough can show it, so the curve would flatter. Fix it at a landmark, age=28 or landmark=YYYY-MM-DD: only users still at risk then count, and time runs from there", what, measure)
}
