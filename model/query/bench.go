package query

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand"
	"strings"
	"sync"
	"sync/atomic"

	"dwell/model"
)

// A Probe is one operation that can be timed on any data set: what dwell bench
// measures. Run does the whole of it once, keeping no answer, and gives a number
// that depends on everything it read, so that two programs, or two versions of
// one, can be held against each other. Time is taken by the caller.
type Probe struct {
	Name string
	Help string
	Run  func(ctx context.Context) (check float64, err error)
}

// A Bench holds what probes share. Its engine should have been made with
// Options.Forget, or the second run of a question measures a map.
type Bench struct {
	eng     *Engine
	Segment string   // the rule of retention_recut
	Filter  string   // the rule of filter
	IDs     []string // some users at random, the same every time: for lookups
	part    string   // of an id: what search looks for
}

// benchLookups is how many users Bench.IDs holds at most.
const benchLookups = 300

// Bench prepares the probes; segment is the rule of retention_recut, and ""
// chooses one that the data can answer.
func (e *Engine) Bench(ctx context.Context, segment string) (*Bench, error) {
	r, done, err := e.today(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer done()
	if r.Info.Events == 0 {
		return nil, errors.New("there are no events to measure with: load a file first")
	}
	b := &Bench{eng: e, Segment: segment}
	common := commonValue(r)
	if b.Segment == "" {
		if b.Segment = common; b.Segment == "" {
			b.Segment = "events >= 1"
		}
	}
	clause := b.Segment
	if segment != "" {
		clause = "(" + segment + ")" // it may hold an "or"
	}
	b.Filter = "events >= 10 and recency_days < 30 and " + clause
	pop, err := r.Population()
	if err != nil {
		return nil, err
	}
	rnd := rand.New(rand.NewSource(1))
	for range min(benchLookups, pop.Len()) {
		b.IDs = append(b.IDs, pop.ID(rnd.Intn(pop.Len())))
	}
	last := []rune(b.IDs[len(b.IDs)-1])
	b.part = string(last[len(last)-min(len(last), 4):])
	return b, nil
}

// commonValue is a rule about the property that parts users best among those
// with few values: country == "DE" where there is one.
func commonValue(r *Run) string {
	for _, name := range append([]string{"country", "plan", "channel"}, keyNames(r.Info)...) {
		k := r.Info.Key(name)
		if k == nil || k.Plain || len(k.Values) < 3 || len(k.Values) > 300 {
			continue
		}
		value := k.Values[1]
		for _, v := range k.Values {
			if name == "country" && v == "DE" {
				value = v
			}
		}
		rule := fmt.Sprintf("%s == %q", name, value)
		if _, err := r.columnRef(name); err == nil {
			return rule
		}
	}
	return ""
}

func keyNames(in *model.Info) (out []string) {
	for i := range in.Keys {
		out = append(out, in.Keys[i].Name)
	}
	return out
}

// Probes are the operations in the order in which they are best run.
func (b *Bench) Probes() []Probe {
	return []Probe{
		{"scan", "decode every column of every event", b.scan},
		{"ordered", "every gap between a user's consecutive events", b.ordered},
		{"summary", "first, last, count and sum of each user, from events", b.summary},
		{"retention", "31 days × all daily cohorts, from events", b.answer("retention", "cohort", "day", "intervals", "30", "start", "any", "return", "any", "truncated", "keep")},
		{"retention_recut", "the same for a segment, from what is kept per user", b.answer("retention", "cohort", "day", "intervals", "30", "start", "any", "return", "any", "truncated", "keep", "where", b.Segment)},
		{"restage", "all histories under the stage model, from events", b.restage},
		{"population", "all base measures of all users as of the last day", b.population},
		{"filter", "a rule of three clauses over that population", b.filter},
		{"search", "the users whose id holds a text", b.search},
		{"churn_train", "train and test the churn model", b.churn},
	}
}

// answer asks a question of the engine.
func (b *Bench) answer(analysis string, params ...string) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		q := Query{Analysis: analysis, AsOf: model.NoDay}
		for i := 0; i < len(params); i += 2 {
			q = q.With(params[i], params[i+1])
		}
		a, err := b.eng.Answer(ctx, q, nil)
		if err != nil {
			return 0, err
		}
		n := 0.0
		for i := range a.Figures {
			if a.Figures[i].Kind == Rate && strings.HasPrefix(a.Figures[i].Key, "cohort.") {
				n += float64(a.Figures[i].N)
			}
		}
		return n, nil
	}
}

// fold runs a pass over all events in as many goroutines as the engine uses,
// with nothing between the data and the function.
func (b *Bench) fold(ctx context.Context, f model.Filter, one func(tl *model.Timeline) float64) (total float64, err error) {
	r, done, err := b.eng.today(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer done()
	f.Until = model.NoCut
	var wg sync.WaitGroup
	parts := r.Snap.Splits(splits)
	sums, errs := make([]float64, len(parts)), make([]error, len(parts))
	var next atomic.Int64
	for range b.eng.workers() {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(parts); i = int(next.Add(1)) - 1 {
				errs[i] = r.Snap.Scan(ctx, parts[i], f, func(tl *model.Timeline) error {
					sums[i] += one(tl)
					return nil
				})
			}
		})
	}
	wg.Wait()
	for _, s := range sums {
		total += s
	}
	return total, errors.Join(errs...)
}

func (b *Bench) scan(ctx context.Context) (float64, error) {
	r, done, err := b.eng.today(ctx, nil)
	if err != nil {
		return 0, err
	}
	done()
	return b.fold(ctx, model.Filter{Columns: keyNames(r.Info), Amounts: true, Sources: true}, func(tl *model.Timeline) float64 {
		return float64(tl.Len())
	})
}

func (b *Bench) ordered(ctx context.Context) (float64, error) {
	return b.fold(ctx, model.Filter{NoNames: true}, func(tl *model.Timeline) float64 {
		gaps := int64(0)
		for i := 1; i < len(tl.Time); i++ {
			gaps += tl.Time[i] - tl.Time[i-1]
		}
		return float64(gaps) / 1000
	})
}

func (b *Bench) summary(ctx context.Context) (float64, error) {
	return b.fold(ctx, model.Filter{NoNames: true, Amounts: true}, func(tl *model.Timeline) float64 {
		var sum model.Sum
		sum.AddEach(tl.Amount) // NoMoney adds nothing
		return float64(tl.Len()) + sum.Float() + float64(tl.Time[len(tl.Time)-1]-tl.Time[0])/math.MaxInt64
	})
}

// run gives one operation a run on the default as-of day.
func (b *Bench) run(ctx context.Context, do func(r *Run) (float64, error)) (float64, error) {
	r, done, err := b.eng.today(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer done()
	return guarded(func() (float64, error) { return do(r) })
}

// restage replays everybody and counts transitions, each with its day and stage.
func (b *Bench) restage(ctx context.Context) (float64, error) {
	return b.run(ctx, func(r *Run) (float64, error) {
		his, err := r.historian()
		if err != nil {
			return 0, err
		}
		type acc struct {
			s   *Staging
			sum float64
		}
		total := 0.0
		err = Scan(r, Needs{Columns: his.need.Columns, Amounts: his.need.Amounts},
			func() *acc { return &acc{s: his.staging()} },
			func(a *acc, p *Person) error {
				for _, t := range a.s.To(p.TL, r.AsOf).Transitions {
					a.sum += float64(t.To) + 1
				}
				return nil
			},
			func(a *acc) error { total += a.sum; return nil })
		return total, err
	})
}

func (b *Bench) population(ctx context.Context) (float64, error) {
	return b.run(ctx, func(r *Run) (float64, error) {
		pop, _, err := readColumns(r, nil, r.baseRefs())
		if err != nil {
			return 0, err
		}
		return float64(pop.Len()), nil
	})
}

// BytesPerUser is what a resident population takes for each user.
func (b *Bench) BytesPerUser(ctx context.Context) (float64, error) {
	return b.run(ctx, func(r *Run) (float64, error) {
		pop, err := r.Population()
		if err != nil {
			return 0, err
		}
		return float64(pop.Bytes()) / float64(max(pop.Len(), 1)), nil
	})
}

func (b *Bench) filter(ctx context.Context) (float64, error) {
	n, _, err := b.eng.CountRule(ctx, b.Filter)
	return float64(n), err
}

func (b *Bench) search(ctx context.Context) (float64, error) {
	found, err := b.eng.Find(ctx, b.part, 50)
	return float64(len(found)), err
}

func (b *Bench) churn(ctx context.Context) (float64, error) {
	r, done, err := b.eng.today(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer done()
	q := Query{Analysis: "churn", AsOf: model.NoDay}
	return guarded(func() (float64, error) {
		inner, err := b.eng.newRun(ctx, r.st, q, nil)
		if err != nil {
			return 0, err
		}
		set, err := inner.churnSetting()
		if err != nil {
			return 0, err
		}
		m, err := inner.train(set)
		if err != nil {
			return 0, err
		}
		return float64(len(m.Fitted.Features)), nil
	})
}

// Lookup reads one user's whole timeline with every column, and gives the
// number of events.
func (b *Bench) Lookup(ctx context.Context, id string) (events int, err error) {
	r, done, err := b.eng.today(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer done()
	tl, err := r.Snap.User(ctx, id, model.Filter{Until: model.NoCut, Columns: keyNames(r.Info), Amounts: true, Sources: true})
	return tl.Len(), err
}
