package query

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"dwell/model/churn"
	"dwell/model/stat"
)

// targetCuts are the edges that a list depends on all users for.
type targetCuts struct {
	risk, value [2]float64 // where the thirds end
	top, worth  float64    // where the highest tenths begin
	low         float64    // where the lowest tenth ends
	users       int        // scored, seasonal ones among them
	seasonal    int
	expected    float64 // sum of probability × value
	contact     firstFew
	tested      firstFew // as large a share at the test's cut-off
	losses      map[string]float64
}

// A firstFew are the first n users of a list: by loss, and among equals by id.
type firstFew struct {
	n    int
	loss float64 // of the last
	id   string  //
}

func (f *firstFew) has(loss float64, id string) bool {
	return f.n > 0 && (loss > f.loss || loss == f.loss && id <= f.id)
}

// An inLine is a user in a list by expected loss.
type inLine struct {
	id         string
	prob, loss float64
}

func first(users []inLine, n int) firstFew {
	slices.SortFunc(users, func(a, b inLine) int { return cmp.Or(cmp.Compare(b.loss, a.loss), cmp.Compare(a.id, b.id)) })
	if n = min(n, len(users)); n == 0 {
		return firstFew{}
	}
	return firstFew{n: n, loss: users[n-1].loss, id: users[n-1].id}
}

// cut finds the edges, and how far contacts reach.
func (t *targetsPlan) cut(r *Run) error {
	type acc struct {
		k          *scorer
		now        []inLine
		value      []float64
		lately     []int
		before     []inLine
		n, seasons int
	}
	var all acc
	err := Scan(r, t.set.needs(),
		func() *acc { return &acc{k: t.set.scorer()} },
		func(a *acc, p *Person) error {
			a.k.take(p)
			if u, ok := t.score(a.k, p.TL.ID, t.set.cuts.Test); ok && !u.seasonal {
				a.before = append(a.before, inLine{p.TL.ID, u.prob, u.loss})
			}
			u, ok := t.score(a.k, p.TL.ID, t.set.cuts.Score)
			switch {
			case !ok:
				return nil
			case u.seasonal:
				a.seasons++
			default:
				a.now, a.value, a.lately = append(a.now, inLine{p.TL.ID, u.prob, u.loss}), append(a.value, u.value), append(a.lately, u.lately)
			}
			a.n++
			return nil
		},
		func(a *acc) error {
			all.now, all.value, all.lately, all.before = append(all.now, a.now...), append(all.value, a.value...), append(all.lately, a.lately...), append(all.before, a.before...)
			all.n, all.seasons = all.n+a.n, all.seasons+a.seasons
			return nil
		})
	if err != nil {
		return err
	}
	c := &t.cuts
	c.users, c.seasonal = all.n, all.seasons
	var p, e []float64
	for i, u := range all.now {
		p, e = append(p, u.prob), append(e, u.loss)
		c.expected += u.prob * all.value[i]
	}
	v := slices.Clone(all.value)
	for _, s := range [][]float64{p, v, e} {
		slices.Sort(s)
	}
	at := func(s []float64, share float64) float64 {
		q, _ := stat.Quantile(s, share)
		return q
	}
	c.risk, c.value = [2]float64{at(p, 1./3), at(p, 2./3)}, [2]float64{at(v, 1./3), at(v, 2./3)}
	c.top, c.low, c.worth = at(p, 0.9), at(p, 0.1), at(e, 0.9)
	if t.tiers() > 0 {
		c.losses = map[string]float64{}
		for i, u := range all.now {
			s := churn.Standpoint{Probability: u.prob, Risk: third(u.prob, c.risk), Value: third(all.value[i], c.value), Lately: all.lately[i]}
			if tier := t.playbook.Tier(s); tier != nil {
				c.losses[tier.Name] += u.prob * all.value[i]
			}
		}
	}
	n := t.wanted
	if n == 0 {
		n = (len(all.now) + 9) / 10
	}
	c.contact = first(all.now, n)
	if len(all.now) > 0 {
		c.tested = first(all.before, int(math.Round(float64(c.contact.n)*float64(len(all.before))/float64(len(all.now)))))
	}
	t.reach, err = t.reached(all.now)
	return err
}

// A Reach says what contacting the first so many users of a list is expected to
// bring. At is pure and takes nanoseconds: a slider may ask it for every key.
type Reach struct {
	Users   int     // who can be contacted: scored, and not seasonal
	Valued  bool    // losses and gains are money
	Goal    bool    // the probability is of reaching a goal, not of leaving
	Success float64 // share of contacted leavers whom a contact is taken to keep
	Cost    float64 // of one contact

	hits, spread, loss []float64 // sums over the first 0 … Users
}

// A Contact is what contacting the first N users is expected to bring.
type Contact struct {
	N      int
	Hits   float64       // of them, who would leave
	Band   stat.Interval // of Hits, at 95 %, taking the probabilities as right
	Vain   float64       // of them, who would stay anyway
	Missed float64       // who would leave and are not contacted
	Share  float64       // of all expected leavers who are contacted
	Loss   float64       // expected of them
	Gain   float64       // Success · Loss − Cost · N
}

// reached sums over a list in its order.
func (t *targetsPlan) reached(list []inLine) (*Reach, error) {
	out := &Reach{Users: len(list), Valued: t.valued, Goal: t.set.q.Definition == churn.ByGoal, hits: make([]float64, 1, len(list)+1), spread: make([]float64, 1, len(list)+1), loss: make([]float64, 1, len(list)+1)}
	var err error
	if out.Success, err = strconv.ParseFloat(t.r.Str("success"), 64); err != nil {
		return nil, fmt.Errorf("success=: %w", err)
	}
	if out.Cost, err = strconv.ParseFloat(t.r.Str("cost"), 64); err != nil {
		return nil, fmt.Errorf("cost=: %w", err)
	}
	var hits, spread, loss float64
	for _, u := range list {
		hits, spread, loss = hits+u.prob, spread+u.prob*(1-u.prob), loss+u.loss
		out.hits, out.spread, out.loss = append(out.hits, hits), append(out.spread, spread), append(out.loss, loss)
	}
	return out, nil
}

// At is the expectation for the first n users; n is held within 0 and Users. The
// band is the normal approximation of a sum of unequal yes or no draws.
func (r *Reach) At(n int) Contact {
	n = min(max(n, 0), r.Users)
	all := r.hits[r.Users]
	c := Contact{N: n, Hits: r.hits[n], Vain: float64(n) - r.hits[n], Missed: all - r.hits[n], Loss: r.loss[n]}
	sd := 1.959964 * math.Sqrt(r.spread[n])
	c.Band = stat.Interval{Lo: math.Max(0, c.Hits-sd), Hi: math.Min(float64(n), c.Hits+sd)}
	if all > 0 {
		c.Share = c.Hits / all
	}
	if r.Valued {
		c.Gain = r.Success*c.Loss - r.Cost*float64(n)
	}
	return c
}

// Best is the number of users at which the gain is highest: the next one would
// cost more than is expected of it. Without a cost that is everybody.
func (r *Reach) Best() int {
	best, most := 0, 0.0
	for n := range r.Users + 1 {
		if g := r.Success*r.loss[n] - r.Cost*float64(n); g > most {
			best, most = n, g
		}
	}
	return best
}

// Reach trains the model of a targets question, or takes it from memory, and says
// what contacts would bring. It fails with the reason where there is no model.
func (e *Engine) Reach(ctx context.Context, q Query, p Progress) (*Reach, error) {
	return ofModel(ctx, e, q, "targets", "has nobody to contact", p, func(c *churnPlan) (*Reach, error) {
		if !c.model.usable() {
			return nil, fmt.Errorf("%s", c.model.Why)
		}
		t, err := c.r.targetsPlan(c)
		if err != nil {
			return nil, err
		}
		return t.reach, nil
	})
}
