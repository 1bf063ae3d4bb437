package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/value"
)

// rfmAnalysis scores buyers by recency, frequency and monetary value, sorts them
// into the 11 named cells, and shows who moved between cells since a day.
func rfmAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "rfm", Title: "RFM", Help: "recency, frequency and monetary value with their scores 1–5, the 11 named cells, and moves between two days", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "frequency", Type: Word, Values: []string{"days", "orders"}, Default: "days", Help: "what is counted: days with a purchase, or orders"},
				{Name: "monetary", Type: Word, Values: []string{"sum", "mean"}, Default: "sum", Help: "revenue in all, or per day (order) of frequency"},
				{Name: "window", Type: Int, Min: 1, Help: "only purchases of the last so many days are scored; all if left out"},
				{Name: "since", Type: Text, Default: "month", Help: "the earlier day of the moves: yesterday, week, month, load, or a day YYYY-MM-DD"},
			}, moneyKeys(), groupKeys(), zoneKeys())},
		check: checkSince,
		plan:  planRFM,
	}
}

// checkSince refuses what since= cannot mean.
func checkSince(q Query) error {
	since := q.Value("since")
	if slices.Contains(sinceWords, since) {
		return nil
	}
	if _, err := model.ParseDay(since); err != nil {
		return fmt.Errorf("since=%s is none of %s, nor a day YYYY-MM-DD", since, strings.Join(sinceWords, ", "))
	}
	return nil
}

// Slots of RFM: counts, then each score of R, F and M, the grids R×F and R×M, the
// 11 cells (with money), their R, F and M as values, the 125 codes, and the moves
// cell × cell with one more row and column for who is in none.
const (
	rfmScored = iota
	rfmNone   // in the data, without a purchase in the window
	rfmMoved
	rfmScores
	rfmGrids  = rfmScores + 3*rfmTop
	rfmCells  = rfmGrids + 2*rfmTop*rfmTop
	rfmValues = rfmCells + rfmNamed
	rfmCodes  = rfmValues + 3*rfmNamed
	rfmMoves  = rfmCodes + rfmTop*rfmTop*rfmTop
	rfmSlots  = rfmMoves + (rfmNamed+1)*(rfmNamed+1)

	rfmTop   = 5                   // scores are 1 to 5
	rfmNamed = int(value.Lost) + 1 // named cells
)

// An rfmPlan holds what kernel and layout share: the cut points of both days,
// which depend on all buyers, whatever groups are shown.
type rfmPlan struct {
	r      *Run
	buys   *buying
	window int // days; 0: all
	orders bool
	mean   bool
	since  model.Day       // NoDay: the moves cannot be told
	days   [2]model.Day    // as of, and since
	scales [2]*value.Scale // of the buyers of each day; nil where nobody had bought
}

func planRFM(r *Run) (*Plan, error) {
	p := &rfmPlan{r: r, window: r.Int("window"), orders: r.Str("frequency") == "orders", mean: r.Str("monetary") == "mean"}
	var err error
	if p.since, err = r.sinceDay(r.Str("since")); err != nil {
		return nil, err
	}
	if p.since >= r.AsOf {
		return nil, fmt.Errorf("since=%s is %s, which is not before the as-of day %s", r.Str("since"), p.since, r.AsOf)
	}
	p.days = [2]model.Day{r.AsOf, p.since}
	if p.buys, err = r.buying(); err != nil {
		return nil, err
	}
	if err := p.scale(); err != nil {
		return nil, err
	}
	pl := p.buys.on(&Plan{Slots: rfmSlots, Values: true, JudgeAtT: true, Kernel: p.kernel, Layout: p.layout, Explain: p.explain, Work: p.work})
	return pl, nil
}

// valueOn is a user's values as of a day; ok is false without a purchase in the
// window.
func (p *rfmPlan) valueOn(days []buyDay, on model.Day) (v value.RFM, ok bool) {
	last, n := model.NoDay, 0
	var spent model.Sum
	for i := range days {
		b := &days[i]
		if b.day > on || p.window > 0 && b.day <= on-model.Day(p.window) {
			continue
		}
		spent.Merge(b.spent)
		if !b.bought {
			continue
		}
		last = b.day
		if p.orders {
			n += b.orders
		} else {
			n++
		}
	}
	m, err := spent.Money()
	if last == model.NoDay || n == 0 || err != nil {
		return v, false // lines of an order that began before the window are no frequency
	}
	if p.mean {
		m /= model.Money(n)
	}
	return value.RFM{DaysSince: int32(on - last), Frequency: int32(n), Monetary: m}, true
}

// scale makes the scales of both days from all buyers, whichever groups are shown.
func (p *rfmPlan) scale() error {
	type acc struct {
		read *buyer
		of   [2][]value.RFM
	}
	var all [2][]value.RFM
	err := Scan(p.r, p.buys.needs(),
		func() *acc { return &acc{read: p.buys.reader()} },
		func(a *acc, u *Person) error {
			days := a.read.read(u, p.r.AsOf)
			for i, on := range p.days {
				if v, ok := p.valueOn(days, on); ok {
					a.of[i] = append(a.of[i], v)
				}
			}
			return nil
		},
		func(a *acc) error {
			for i := range all {
				all[i] = append(all[i], a.of[i]...)
			}
			return nil
		})
	if err != nil {
		return err
	}
	for i := range all {
		if p.scales[i], err = value.NewScale(all[i]); err != nil && !errors.Is(err, value.ErrNobody) {
			return err
		}
	}
	return nil
}

// code is a user's scores on day i of the two.
func (p *rfmPlan) code(i int, v value.RFM) value.Code {
	c := p.scales[i].Score(v)
	if !p.buys.money {
		c[2] = c[1] // nothing is known of amounts: frequency stands for both
	}
	return c
}

func (p *rfmPlan) kernel() Kernel {
	read := p.buys.reader()
	return Visit(func(u *Person, h *Hits) {
		days := read.read(u, p.r.AsOf)
		var at [2]int
		for i := range at {
			at[i] = rfmNamed
			v, ok := p.valueOn(days, p.days[i])
			if !ok {
				continue
			}
			c := p.code(i, v)
			at[i] = int(c.Cell())
			if i == 0 {
				p.hit(h, v, c)
			}
		}
		if at[0] == rfmNamed {
			h.Hit(rfmNone, Self)
		}
		if u.Days[0] > p.since && at[0] == rfmNamed {
			return
		}
		h.Hit(rfmMove(at[1], at[0]), Self)
		if at[0] != at[1] && at[1] != rfmNamed {
			h.Hit(rfmMoved, Self)
		}
	})
}

func rfmMove(from, to int) int { return rfmMoves + from*(rfmNamed+1) + to }

func (p *rfmPlan) hit(h *Hits, v value.RFM, c value.Code) {
	cell := int(c.Cell())
	digits, money := float64(100*int(c[0])+10*int(c[1])+int(c[2])), v.Monetary.Float()
	h.ScoreBeside(rfmScored, digits, money)
	for j, x := range [3]float64{float64(v.DaysSince), float64(v.Frequency), money} {
		h.ScoreBeside(rfmScores+j*rfmTop+int(c[j])-1, digits, x)
		h.Value(rfmValues+j*rfmNamed+cell, x)
	}
	h.ScoreBeside(rfmGrid(0, c[0], c[1]), digits, money)
	h.ScoreBeside(rfmGrid(1, c[0], c[2]), digits, money)
	h.ScoreBeside(rfmCodes+c.Index(), digits, money)
	n := len(h.users)
	if p.buys.money {
		h.Money(rfmCells+cell, v.Monetary)
	} else {
		h.Hit(rfmCells+cell, Self)
	}
	if len(h.users) > n {
		h.users[n].Score, h.users[n].Beside = digits, money
	}
}

// rfmGrid is the slot of a square: grid 0 is R×F, 1 is R×M.
func rfmGrid(grid int, r, other uint8) int {
	return rfmGrids + (grid*rfmTop+int(r)-1)*rfmTop + int(other) - 1
}

// work says in one sentence how a user is scored.
func (p *rfmPlan) work(u *Person, f *Figure, in bool) string {
	v, ok := p.valueOn(p.buys.reader().read(u, p.r.AsOf), p.r.AsOf)
	if !ok {
		return u.TL.ID + " has no purchase in the window, and so no scores."
	}
	c := p.code(0, v)
	paid := ""
	if p.buys.money {
		paid = fmt.Sprintf(", for %s %s", v.Monetary, p.buys.unit)
	}
	return fmt.Sprintf("%s last bought %s before, on %s%s: R %d, F %d, M %d, which is %s.", u.TL.ID, plural(int(v.DaysSince), "day"), plural(int(v.Frequency), p.countWord()), paid, c[0], c[1], c[2], c.Cell().Title())
}

// countWord is what frequency counts.
func (p *rfmPlan) countWord() string {
	if p.orders {
		return "order"
	}
	return "purchase day"
}
