package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
)

// ahaAnalysis looks for early behaviour that goes with staying: each event, each
// count of it in the first days, against an outcome strictly after (SPEC R5.3).
func ahaAnalysis() analysis {
	return analysis{
		Spec: Spec{
			Name: "aha", Title: "Aha search", Help: "which early behaviour goes with staying: every event and count in the first days against an outcome after; correlation, not cause", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "start", Type: Text, Default: "any", Help: "the event whose first ever occurrence starts a user: " + pickWhereHelp},
				{Name: "first", Type: Int, Default: "7", Min: 1, Help: "behaviour counts in the first so many days: day offsets 0 to first−1"},
				{Name: "outcome", Type: Text, Default: "active", Help: "what should follow: " + pickWhereHelp},
				{Name: "within", Type: Int, Default: "28", Min: 1, Help: "the outcome counts on day offsets first+1 to first+within, strictly after the behaviour"},
				{Name: "counts", Type: Text, Default: "1,2,3,5,10", Help: "how often the event must have come, at least; several parted by commas"},
				{Name: "per", Type: Word, Values: []string{"events", "days"}, Default: "events", Help: "counts are of events, or of days with the event"},
				{Name: "sort", Type: Word, Values: []string{"phi", "lift", "precision", "recall", "users", "needed"}, Default: "phi", Help: "what the rows are sorted by, best first"},
				{Name: "least", Type: Int, Default: "30", Min: 1, Help: "leave out behaviour of fewer users, and of all but so few"},
				{Name: "top", Type: Int, Default: "40", Min: 1, Help: "how many rows are shown"},
			}, groupKeys(), judgeKeys(), truncatedKeys(), zoneKeys()),
		},
		check: func(q Query) error { _, err := ahaCounts(q.Value("counts")); return err },
		plan:  func(r *Run) (*Plan, error) { return newAha(r) },
	}
}

// ahaCounts reads counts=.
func ahaCounts(s string) (out []int, err error) {
	for f := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(f)
		if err != nil || n < 1 || n > 100_000 || len(out) > 0 && n <= out[len(out)-1] {
			return nil, fmt.Errorf("counts=%s: write whole numbers from 1 up, rising, parted by commas, as 1,2,3,5", s)
		}
		out = append(out, n)
	}
	if len(out) > 12 {
		return nil, fmt.Errorf("counts=%s: at most 12", s)
	}
	return out, nil
}

// An ahaPlan holds what kernel and layout share.
//
// Slots: the users who are due and their outcome; those not due; the left out;
// then for each name and count the rate of those who did it and of those who did
// not.
type ahaPlan struct {
	r       *Run
	needs   Needs
	start   pick
	outcome pick
	first   int
	within  int
	counts  []int
	days    bool
	names   int
	before  model.Day
}

const (
	ahaBase = iota
	ahaOpen
	ahaTruncated
	ahaHead
)

// maxAha bounds the search: names times counts.
const maxAha = 100_000

func newAha(r *Run) (*Plan, error) {
	p := &ahaPlan{r: r, first: r.Int("first"), within: r.Int("within"), days: r.Str("per") == "days", names: len(r.Info.Names), before: r.leftBefore()}
	var err error
	if p.counts, err = ahaCounts(r.Str("counts")); err != nil {
		return nil, err
	}
	if p.names*len(p.counts) > maxAha {
		return nil, fmt.Errorf("%d event names and %d counts are too many to search: give fewer counts=", p.names, len(p.counts))
	}
	if p.start, err = r.pickWhere(r.Str("start"), &p.needs); err != nil {
		return nil, fmt.Errorf("start=: %w", err)
	}
	if p.outcome, err = r.pickWhere(r.Str("outcome"), &p.needs); err != nil {
		return nil, fmt.Errorf("outcome=: %w", err)
	}
	// The rule for the left truncated is off where it would leave nobody.
	if p.before != model.NoDay && p.before+model.Day(p.first+p.within) > r.AsOf {
		p.before = model.NoDay
	}
	return &Plan{Slots: ahaHead + 2*p.names*len(p.counts), Columns: p.needs.Columns, Amounts: p.needs.Amounts,
		Kernel: p.kernel, Layout: p.layout, Explain: p.explain, Work: p.work}, nil
}

// did is the slot of those who did it so often, not of those who did not.
func (p *ahaPlan) did(name, c int) int { return ahaHead + 2*(name*len(p.counts)+c) }
func (p *ahaPlan) not(name, c int) int { return p.did(name, c) + 1 }

// An early is what is known of a user's first days.
type early struct {
	at   int // index of the start
	day  model.Day
	due  bool // the outcome's days have all passed
	back bool // the outcome came
}

// read finds start and outcome; n is filled with how often each name came in the
// first days, names with those that did.
func (p *ahaPlan) read(u *Person, n []int32, names []model.NameID) (early, []model.NameID, bool) {
	e := early{at: 0}
	for e.at < len(u.Days) && !p.start.match(u.TL, e.at) {
		e.at++
	}
	if e.at == len(u.Days) {
		return e, names, false
	}
	e.day = u.Days[e.at]
	e.due = e.day+model.Day(p.first+p.within) <= p.r.AsOf
	for i := e.at; i < len(u.Days); i++ {
		off := int(u.Days[i] - e.day)
		switch {
		case off < p.first:
			name := u.TL.Name[i]
			if p.days && p.seenToday(u, i, e.at) {
				continue
			}
			if n[name] == 0 {
				names = append(names, name)
			}
			n[name]++
		case off > p.first && off <= p.first+p.within:
			if p.outcome.match(u.TL, i) {
				e.back = true
				return e, names, true
			}
		case off > p.first+p.within:
			return e, names, true
		}
	}
	return e, names, true
}

// seenToday says whether an event of the name stands earlier on the same day.
func (p *ahaPlan) seenToday(u *Person, i, from int) bool {
	for j := i - 1; j >= from && u.Days[j] == u.Days[i]; j-- {
		if u.TL.Name[j] == u.TL.Name[i] {
			return true
		}
	}
	return false
}

func (p *ahaPlan) kernel() Kernel {
	n := make([]int32, p.names)
	var names []model.NameID
	return Visit(func(u *Person, h *Hits) {
		var e early
		var ok bool
		e, names, ok = p.read(u, n, names[:0])
		defer func() {
			for _, name := range names {
				n[name] = 0
			}
		}()
		if !ok {
			return
		}
		h.In(p.r.At(u, e.day))
		switch {
		case h.Outside():
			return
		case p.before != model.NoDay && u.Days[0] < p.before:
			h.Hit(ahaTruncated, Self)
			return
		case !e.due:
			h.Hit(ahaOpen, Self)
			return
		}
		h.Rate(ahaBase, e.back)
		for _, name := range names {
			for c, least := range p.counts {
				if int(n[name]) >= least {
					h.Rate(p.did(int(name), c), e.back)
				}
			}
		}
		if !h.list {
			return
		}
		// Who did not is everybody else: counted by subtraction, for nearly all
		// users are in nearly all of these; listed one by one when asked for.
		for name := range p.names {
			for c, least := range p.counts {
				if int(n[name]) < least {
					h.Rate(p.not(name, c), e.back)
				}
			}
		}
	})
}

// ahaRow is one behaviour of the table.
type ahaRow struct {
	name, c int
	did     int64
}

// tested are the behaviours that enough users have and enough have not, by name
// and count.
func (p *ahaPlan) tested(b *Builder) (out []ahaRow) {
	all := b.N(ahaBase, Of)
	least := int64(p.r.Int("least"))
	order := make([]int, p.names)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return strings.Compare(p.r.Info.Names[x].Name, p.r.Info.Names[y].Name) })
	for _, name := range order {
		for c := range p.counts {
			if did := b.N(p.did(name, c), Of); did >= least && all-did >= least {
				out = append(out, ahaRow{name, c, did})
			}
		}
	}
	return out
}

func (p *ahaPlan) behaviour(name, c int) string {
	what := p.r.Info.Names[name].Name
	if p.days {
		return fmt.Sprintf("%s on %d+ days", what, p.counts[c])
	}
	return fmt.Sprintf("%s %d+ times", what, p.counts[c])
}
