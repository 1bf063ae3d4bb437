package query

import (
	"dwell/model"
)

// How an analysis is built.
//
// An analysis is one entry of the table in specs.go: an [analysis] value made by
// a function in the analysis's own file. It has a [Spec] (its keys, from which
// addresses, help, flags and completion are made), an optional check that
// refuses impossible combinations with their reason, and a plan. The plan gets
// a [Run] (one question against one data version) and returns a [Plan]:
//
//	func purchasesAnalysis() analysis {
//		return analysis{
//			Spec: Spec{Name: "purchases", Title: "Purchases", Help: "…",
//				Keys: keys(KeySpec{Name: "unit", Type: Word, Values: units, Default: "week", Help: "…"}, groupKeys...)},
//			plan: func(r *Run) (*Plan, error) {
//				unit, err := model.ParseUnit(r.Str("unit"))
//				if err != nil {
//					return nil, err
//				}
//				first := r.Cal.Period(unit, r.FirstDay)
//				n := int(r.Cal.Period(unit, r.AsOf)-first) + 1
//				return &Plan{
//					Slots:    n,
//					JudgeAtT: true, // where= and segment= are judged on the as-of day
//					Kernel: func() Kernel {
//						return Visit(func(p *Person, h *Hits) {
//							last := model.Period(-1)
//							for i, d := range p.Days {
//								if at := r.Cal.Period(unit, d) - first; at != last && r.Role(p, i)&model.Purchase != 0 {
//									h.Hit(int(at), Self)
//									last = at
//								}
//							}
//						})
//					},
//					Layout: func(b *Builder) error {
//						for i := range n {
//							label := r.Cal.PeriodLabel(unit, first+model.Period(i))
//							b.Count(i, "period."+label, label)
//						}
//						return nil
//					},
//				}, nil
//			},
//		}
//	}
//
// The kernel sees every person once and says which figures (slots) they are in.
// Answer adds the hits up; Users runs the very same kernel and keeps who hit one
// slot: so a figure and its list cannot differ. Slots are numbers 0 … Slots−1
// whose meaning the plan fixes before the scan, from the query, the data's Info
// and, where that is not enough, from a pass of its own (Run.Scan). They must
// depend on nothing else: the same query makes the same slots again for its
// lists.
//
// A person hits a slot's part at most once, but for Pairs figures. The parts
// are Self (numerator, or the users of a count), Of (denominator), Lost, Open
// and OpenReturned; Hits.Rate and Hits.OpenRate set them together.
//
// Several where= or segment= values make groups. The kernel does not see them:
// with JudgeAtT the engine sets the groups of each person beforehand; an
// analysis with a start calls h.In(r.At(p, startDay)) before its hits (judge=
// start or landmark is settled in At). The Builder's methods add figures for one
// group; Builder.Group switches, Builder.Key prefixes keys and labels.
//
// Determinism: the persons are cut into a fixed number of splits; each split
// fills its own Hits and its own Kernel, and they are merged in split order. So
// floating sums do not depend on the number of workers. A kernel with state of
// its own (beyond hits) implements Merger.
//
// Besides the Kernel over timelines, a plan may have Rows, a kernel over the
// population's columns (stages, marks, measures as of the as-of day), whose
// slots follow those of Kernel: RowSlots of them, from Slots on.

// A Part says in which of a figure's lists a user is.
type Part uint8

// The parts, in the order of their names in keys (PartSelf, PartOf, …).
const (
	Self Part = iota
	Of
	Lost
	Open
	OpenReturned
	parts
)

var partNames = [parts]string{PartSelf, PartOf, PartLost, PartOpen, PartOpenReturned}

// A Plan is how one question is answered.
type Plan struct {
	// Needs of the scan. Amounts that roles depend on are asked for anyway.
	// Names limits the events a kernel sees (and persons without one of them are
	// not visited); nil means all.
	Names   []string
	Columns []string // property keys; Person.TL.Props has them in this order
	Amounts bool
	Sources bool

	Slots  int           // of Kernel
	Kernel func() Kernel // a fresh accumulator; nil: no scan
	// Kept answers from what the state keeps of each person instead of from
	// events, filling h as Kernel would; false: it cannot, so scan.
	Kept func(t *target, h *Hits) (bool, error)

	RowSlots int                                        // of Rows, numbered from Slots on
	Rows     func(pop *Population, row int, h *Hits)    // nil: none; asks for a population
	Before   func(pop *Population) error                // called once, before the first Rows; may be nil
	Person   bool                                       // Person.Row is wanted: asks for a population
	Values   bool                                       // keep Hits.Value numbers (medians)
	JudgeAtT bool                                       // groups are judged on the as-of day, by the engine
	Layout   func(b *Builder) error                     // figures and blocks, after the run
	Table    func() (Table, error)                      // of windowed analyses; nil otherwise
	List     func(f *Figure, p Part) ([]User, error)    // instead of a kernel, for figures made with Builder.Own
	Explain  func(f *Figure) []ExplainLine              // lines that replace or follow the general ones, by Head
	Work     func(p *Person, f *Figure, in bool) string // one of the data's users worked through; nil: the general sentence
}

// A Kernel looks at one person at a time.
type Kernel interface {
	Visit(p *Person, h *Hits)
}

// A Merger is a kernel with state of its own: Merge adds the state of the next
// split, whose persons all come after the receiver's.
type Merger interface{ Merge(next Kernel) error }

// A Flusher is a kernel that counts in a form of its own: Flush turns that into
// hits, once, after the last Merge. For a list its Visit must hit at once.
type Flusher interface{ Flush(h *Hits) }

// Visit is a kernel without state.
type Visit func(p *Person, h *Hits)

// Visit calls the function.
func (v Visit) Visit(p *Person, h *Hits) { v(p, h) }

// A Person is who a kernel looks at: events in day order, each with its local
// day. It is valid until Visit returns.
type Person struct {
	TL   *model.Timeline
	Days []model.Day // local day of each event, ascending; never empty
	Row  int         // in the population; −1 where the run has none

	full  *model.Timeline // all events, where TL holds some names only
	judge *judge          // of where= and segment= at a start; nil: everybody
}

// A Hits takes what a kernel finds: it either counts (for an answer) or keeps
// the users of one slot and part (for a list).
type Hits struct {
	slots int
	mask  uint64 // groups of the person being visited
	n     int    // number of groups

	// counting
	count  []int64           // [group][slot][part]
	times  []int64           // same, nil until used
	money  []model.Sum       // same, nil until used
	values map[int][]float64 // by group*slots+slot, in person order
	keep   bool              // of values

	// listing
	list  bool
	group int
	slot  int
	part  Part
	id    string
	users []User

	err error
}

func newHits(groups, slots int, keep bool) *Hits {
	return &Hits{slots: slots, n: groups, mask: 1, keep: keep}
}

// counts is the table of counts, made when first needed: not every split, and
// not every kernel, counts in it.
func (h *Hits) counts() []int64 {
	if h.count == nil {
		h.count = make([]int64, h.n*h.slots*int(parts))
	}
	return h.count
}

// In says which groups the person is in, as a bit each: the mask that Run.At
// gives. It holds until the next In or the next person.
func (h *Hits) In(mask uint64) { h.mask = mask }

// Outside says that the person is in no group, so that hits would be in vain.
func (h *Hits) Outside() bool { return h.mask == 0 }

// Hit puts the person into a slot's part.
func (h *Hits) Hit(slot int, p Part) { h.add(slot, p, model.NoMoney, 0) }

// Times puts the person into a slot with a number: events of a Rows figure,
// the interval of a Pairs figure.
func (h *Hits) Times(slot int, p Part, n int64) { h.add(slot, p, model.NoMoney, n) }

// Score puts the person into a slot with a number that the list shows beside
// them and the figure does not use; the layout names it in Figure.Carry.
func (h *Hits) Score(slot int, x float64) {
	n := len(h.users)
	h.Hit(slot, Self)
	if len(h.users) > n {
		h.users[n].Score = x
	}
}

// ScoreBeside is Score with a second number (Figure.Beside).
func (h *Hits) ScoreBeside(slot int, x, beside float64) {
	n := len(h.users)
	h.Score(slot, x)
	if len(h.users) > n {
		h.users[n].Beside = beside
	}
}

// More adds what the last hit's list says of the user, where it is listed and not
// counted.
func (h *Hits) More(slot int, more func() *UserMore) {
	if h.list && slot == h.slot && len(h.users) > 0 && h.users[len(h.users)-1].ID == h.id {
		h.users[len(h.users)-1].More = more()
	}
}

// Fail ends the run with an error, after the visit.
func (h *Hits) Fail(err error) {
	if h.err == nil {
		h.err = err
	}
}

// Money puts the person into a slot with the amount they add to it.
func (h *Hits) Money(slot int, m model.Money) { h.add(slot, Self, m, 0) }

// Rate puts the person into the denominator of a slot, and into its numerator or
// among its lost.
func (h *Hits) Rate(slot int, in bool) {
	h.Hit(slot, Of)
	if in {
		h.Hit(slot, Self)
	} else {
		h.Hit(slot, Lost)
	}
}

// OpenRate says that the person's time for the slot has not come; they stay out
// of numerator and denominator.
func (h *Hits) OpenRate(slot int, already bool) {
	h.Hit(slot, Open)
	if already {
		h.Hit(slot, OpenReturned)
	}
}

// Value puts the person into a slot with a number of which the figure is a
// statistic (a median); Builder.Values gives the numbers in person order.
func (h *Hits) Value(slot int, x float64) {
	h.Hit(slot, Self)
	if h.list || !h.keep {
		return
	}
	if h.values == nil {
		h.values = map[int][]float64{}
	}
	for g := range h.n {
		if h.mask&(1<<g) != 0 {
			h.values[g*h.slots+slot] = append(h.values[g*h.slots+slot], x)
		}
	}
}

func (h *Hits) add(slot int, p Part, m model.Money, times int64) {
	if h.list {
		if slot == h.slot && p == h.part && h.mask&(1<<h.group) != 0 {
			h.users = append(h.users, User{ID: h.id, Amount: m, Times: times})
		}
		return
	}
	at := slot*int(parts) + int(p)
	h.counts()
	for g := 0; g < h.n; g++ {
		if h.mask&(1<<g) == 0 {
			continue
		}
		i := g*h.slots*int(parts) + at
		h.count[i]++
		if times != 0 {
			if h.times == nil {
				h.times = make([]int64, len(h.count))
			}
			h.times[i] += times
		}
		if m != model.NoMoney {
			if h.money == nil {
				h.money = make([]model.Sum, len(h.count))
			}
			h.money[i].Add(m)
		}
	}
}

// many is n persons' hits of one slot and part; of counting alone.
func (h *Hits) many(slot int, p Part, n int64) {
	h.counts()
	for g := 0; g < h.n; g++ {
		if h.mask&(1<<g) != 0 {
			h.count[g*h.slots*int(parts)+slot*int(parts)+int(p)] += n
		}
	}
}

// merge adds the hits of the next split.
func (h *Hits) merge(o *Hits) {
	h.users = append(h.users, o.users...)
	if o.count == nil {
		return // nothing but users was hit, or nobody
	}
	h.counts()
	for i, n := range o.count {
		h.count[i] += n
	}
	if o.times != nil {
		if h.times == nil {
			h.times = make([]int64, len(h.count))
		}
		for i, n := range o.times {
			h.times[i] += n
		}
	}
	if o.money != nil {
		if h.money == nil {
			h.money = make([]model.Sum, len(h.count))
		}
		for i := range o.money {
			h.money[i].Merge(o.money[i])
		}
	}
	for k, v := range o.values {
		if h.values == nil {
			h.values = map[int][]float64{}
		}
		h.values[k] = append(h.values[k], v...)
	}
}
