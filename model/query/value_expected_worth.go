package query

import (
	"fmt"
	"math"
	"sync"
)

// An expectedWorth is what each user is expected to bring within some days, for
// other rooms: expected loss is the probability of churn times this.
//
//	worth, err := r.expectedValues(365)
//	if err != nil || worth.why != "" { … }   // why: a sentence; then nobody has a value
//	v, ok := worth.of(p.TL.ID)               // ok is false for who has not bought
//
// Values are at least 0, in units of money (unit). They are those of the question
// "expected" with its defaults, and equal its lists to a millionth.
type expectedWorth struct {
	unit string
	why  string // nobody has a value: why, a sentence
	note string // how it was made
	pop  *Population
	v    []float64 // by row; below 0 where there is none
}

// of is a user's value.
func (e *expectedWorth) of(id string) (v float64, ok bool) {
	if e.pop == nil {
		return 0, false
	}
	row := e.pop.Row(id)
	if row < 0 || e.v[row] < 0 {
		return 0, false
	}
	return e.v[row], true
}

// worths keeps the last few expectedWorths of a state: a column each.
type worths struct {
	mu   sync.Mutex
	kept map[string]*expectedWorth
}

// keptWorths bounds them.
const keptWorths = 4

// expectedValues is what every user is expected to bring in the days after the as-of
// day, by the default model of the question "expected". It reads all events once,
// and fits the model if that has not been done.
func (r *Run) expectedValues(days int) (*expectedWorth, error) {
	if days < 1 || float64(days) > 7*maxHorizon {
		return nil, fmt.Errorf("a horizon of %d days is not between a day and ten years", days)
	}
	q := Query{Analysis: "expected", AsOf: r.AsOf}.With("horizon", fmt.Sprint(days))
	if z := r.Q.Get("zone"); z != "" {
		q = q.With("zone", z)
	}
	switch c, err := r.coin(); { // of targets, whose currency= it is too
	case err != nil:
		return nil, err
	case c != "":
		q = q.With("currency", c)
	}
	key := q.String()
	w := &r.st.worths
	w.mu.Lock()
	kept := w.kept[key]
	w.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	in, err := r.eng.newRun(r.Ctx, r.st, q, r.progress)
	if err != nil {
		return nil, err
	}
	e, err := in.makeWorth()
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kept == nil || len(w.kept) >= keptWorths {
		w.kept = map[string]*expectedWorth{}
	}
	w.kept[key] = e
	return e, nil
}

func (r *Run) makeWorth() (*expectedWorth, error) {
	e := &expectedWorth{}
	set, err := r.expectedSetting()
	switch {
	case err != nil:
		e.why = "There is no value expected: " + err.Error() + "."
		return e, nil
	case !set.valued:
		e.why = set.buys.why
		return e, nil
	}
	ahead, err := horizonOf(r.Str("horizon"), r.Str("discount"))
	if err != nil {
		return nil, err
	}
	t, err := r.foretelling(&set, r.AsOf, ahead)
	if err != nil {
		return nil, err
	}
	if why := t.silent(); why != "" {
		e.why = "There is no value expected: " + why + "."
		return e, nil
	}
	e.unit, e.note = set.buys.unit, "value expected in "+horizonNote(ahead)+" by "+t.name()
	if e.pop, err = r.Population(); err != nil {
		return nil, err
	}
	e.v = make([]float64, e.pop.Len())
	for i := range e.v {
		e.v[i] = -1
	}
	type acc struct {
		k    *foreteller
		read *buyer
	}
	err = Scan(r, set.buys.needs(),
		func() *acc { return &acc{t.foreteller(&set), set.buys.reader()} },
		func(a *acc, p *Person) error {
			if v, ok := a.k.of(a.read.read(p, r.AsOf)); ok {
				if row := e.pop.Row(p.TL.ID); row >= 0 { // each row is one person's: no two write it
					e.v[row] = math.Max(0, v.money)
				}
			}
			return nil
		},
		func(*acc) error { return nil })
	return e, err
}

// name is the model's name, or the curve's that stands in.
func (t *foretelling) name() string {
	if t.usable() {
		return kindNames[t.Repeat.Kind]
	}
	return kindNames[""]
}
