package value

import (
	"fmt"
	"math"

	"dwell/model/stat"
)

// An Empirical curve answers what a model answers, from what buyers of the same
// kind did in the data's own past and from nothing else: the fall-back where no
// model fits, and a plain comparison where one does. Its question is fixed: the
// purchases in so many weeks after a cut-off.
//
// Buyers are of the same kind who had come back as often (0, 1, 2, 3–5, 6–10, 11 or
// more times) and been silent as long (under 1, 2, 4, 8, 16, 32, 64 weeks, or more).
// Kinds of under 30 buyers are joined with their neighbours in silence, and at last
// with everybody who had come back as often, or at all.
//
// The zero value is an empty curve; Weeks is to be set.
type Empirical struct {
	Weeks float64
	cells [repeatKinds][silenceKinds]outcome
	total outcome
}

const (
	repeatKinds, silenceKinds = 6, 8
	leastAlike                = 30
)

type outcome struct {
	n, buyers  int64
	sum, squar float64
}

func (o *outcome) add(p outcome) {
	o.n += p.n
	o.buyers += p.buyers
	o.sum += p.sum
	o.squar += p.squar
}

// Add counts a buyer with history h at the cut-off who then made so many purchases
// in the following Weeks. A history that cannot be is ErrBad, as are purchases
// below 0.
func (e *Empirical) Add(h History, purchases int) error {
	if err := h.Check(); err != nil {
		return err
	}
	if purchases < 0 {
		return fmt.Errorf("%w: %d purchases", ErrBad, purchases)
	}
	y := float64(purchases)
	o := outcome{n: 1, sum: y, squar: y * y}
	if purchases > 0 {
		o.buyers = 1
	}
	r, s := kindOf(h)
	e.cells[r][s].add(o)
	e.total.add(o)
	return nil
}

// Merge counts another's buyers; o is not changed.
func (e *Empirical) Merge(o *Empirical) {
	for r := range e.cells {
		for s := range e.cells[r] {
			e.cells[r][s].add(o.cells[r][s])
		}
	}
	e.total.add(o.total)
}

func kindOf(h History) (repeats, silence int) {
	for _, most := range [...]int{0, 1, 2, 5, 10} {
		if h.Repeats > most {
			repeats++
		}
	}
	for weeks := 1.0; weeks < 128 && h.Age-h.Last >= weeks; weeks *= 2 {
		silence++
	}
	return repeats, min(silence, silenceKinds-1)
}

// A Past is what buyers of one kind did.
type Past struct {
	Buyers    int64         // of the kind
	Purchases float64       // their mean in the weeks after
	Interval  stat.Interval // of the mean, normal, not below 0
	Bought    float64       // share who bought at all
	Share     stat.Interval // Wilson's, of Bought
}

// Of is what buyers of h's kind did. ok is false where there are fewer than 30
// buyers in all.
func (e *Empirical) Of(h History, level float64) (p Past, ok bool) {
	r, s := kindOf(h)
	o := outcome{}
	for reach := 0; o.n < leastAlike && reach < silenceKinds; reach++ {
		o = outcome{}
		for k := max(0, s-reach); k <= min(silenceKinds-1, s+reach); k++ {
			o.add(e.cells[r][k])
		}
	}
	for reach := 1; o.n < leastAlike && reach < repeatKinds; reach++ {
		o = outcome{}
		for k := max(0, r-reach); k <= min(repeatKinds-1, r+reach); k++ {
			for j := range silenceKinds {
				o.add(e.cells[k][j])
			}
		}
	}
	if o.n < leastAlike {
		return p, false
	}
	n := float64(o.n)
	p.Buyers, p.Purchases, p.Bought = o.n, o.sum/n, float64(o.buyers)/n
	spread := math.Sqrt(math.Max(0, o.squar-o.sum*o.sum/n) / (n - 1) / n)
	half := stat.NormalQuantile(0.5+level/2) * spread
	p.Interval = stat.Interval{Lo: math.Max(0, p.Purchases-half), Hi: p.Purchases + half}
	p.Share, _ = stat.Wilson(o.buyers, o.n, level)
	return p, true
}

// Buyers is how many were added.
func (e *Empirical) Buyers() int64 { return e.total.n }
