package query

import (
	"fmt"
	"math/bits"
	"math/rand/v2"

	"dwell/model/stat"
	"dwell/model/survival"
)

// spells=all pools every spell of every user: how long users stay each time they
// come, not only the first. A user then counts as often as they have a spell, so
// figures are user-spells, and intervals come from resampling whole users.

// poolRounds is how often the users are drawn.
const poolRounds = 200

// pool makes room for spells.
func (k *survivalKernel) pool() {
	for range k.p.r.Groups {
		row, own := make([]*survival.Pool, k.p.by.len()), make([][]survival.Life, k.p.by.len())
		for i := range row {
			row[i] = &survival.Pool{}
		}
		k.pools, k.own = append(k.pools, row), append(k.own, own)
	}
}

// visitSpells counts all of a person's spells that are in an estimate. Who has none
// is left out once, for the reason of their first.
func (k *survivalKernel) visitSpells(u *Person, h *Hits) {
	p := k.p
	spells := k.reader.spells(u)
	why, day := unstarted, u.Days[0]
	switch {
	case len(spells) == 0:
	case p.r.Truncated(u.Days[0]):
		why = truncated
	default:
		why = counted
	}
	if why != counted {
		h.In(p.r.At(u, day))
		if slot, _ := lifeFate(why); !h.Outside() {
			h.Hit(slot, Self)
		}
		return
	}
	var met uint64
	left := lifeSlots // none
	for _, s := range spells {
		l, f := k.reader.life(u, s)
		mask := p.r.At(u, l.judge)
		if h.In(mask); h.Outside() {
			continue
		}
		if slot, out := lifeFate(f); out {
			if left == lifeSlots {
				left, day = slot, l.judge
			}
			continue
		}
		c := k.value.stratum(u, l)
		if c < 0 {
			if left == lifeSlots {
				left, day = lifeMissing, l.judge
			}
			continue
		}
		p.hits(c, l, h)
		met |= mask
		if bits.OnesCount64(mask) > 1 {
			k.shared++
		}
		for g := range k.found {
			if mask&(1<<g) != 0 {
				k.found[g][c].add(l.Life, 1)
				k.own[g][c] = append(k.own[g][c], l.Life)
			}
		}
	}
	for g := range k.pools {
		for c, own := range k.own[g] {
			k.pools[g][c].Add(own)
			k.own[g][c] = own[:0]
		}
	}
	if left != lifeSlots && met == 0 {
		h.In(p.r.At(u, day))
		h.Hit(left, Self)
	}
}

// pairOf is how a list names a user's spell: its first day as the number 20240115; 0
// where each user has one.
func (p *survivalPlan) pairOf(l life) int64 {
	if !p.def.every {
		return 0
	}
	y, m, d := l.start.Civil()
	return int64(y)*10_000 + int64(m)*100 + int64(d)
}

// counts adds a number of users, or of user-spells.
func (p *survivalPlan) counts(b *Builder, slot int, key, label string) int {
	if !p.def.every {
		return b.Count(slot, key, label)
	}
	i := b.Pairs(slot, key, label)
	b.Fig(i).Unit = "user-spells"
	return i
}

// stat adds a statistic of the lives of a slot.
func (p *survivalPlan) stat(b *Builder, slot int, key, label string, v float64, none bool, unit string) int {
	i := b.Stat(slot, key, label, v, none, unit)
	b.Fig(i).Pairs = p.def.every
	return i
}

// head is what is counted, for titles of columns.
func (p *survivalPlan) head() string {
	if p.def.every {
		return "user-spells"
	}
	return "users"
}

// resample gives a curve its band: of users where all spells are pooled, else none
// of its own.
func (p *survivalPlan) resample(k *survivalKernel, c *curveOf, tau float64) {
	if !p.def.every || c.est == nil {
		return
	}
	times := make([]float64, p.rows+1)
	for i := range times {
		times[i] = p.days(i)
	}
	pool := k.pools[c.group][c.curve]
	rng := rand.New(rand.NewPCG(1, uint64(c.group*1000+c.curve)))
	c.people = int64(pool.Users())
	c.band, c.banded = pool.Bootstrap(times, tau, poolRounds, stat.Level, rng, func() bool { return p.r.Ctx.Err() != nil })
}

// lintPooled says what pooled spells are not.
func (p *survivalPlan) lintPooled(b *Builder, cs []*curveOf) {
	if !p.def.every {
		return
	}
	var spells, users int64
	for _, c := range cs {
		if c.est != nil {
			spells, users = spells+c.est.N, users+c.people
		}
	}
	of := fmt.Sprintf("%s of %s", countOf(spells, "spell"), countOf(users, "user"))
	b.Warn("clustered", "%s: spells of one user are alike, so intervals come from resampling whole users (%d times); log-rank and the intervals of fits, which take spells for independent lives, are left out.", of, poolRounds)
}
