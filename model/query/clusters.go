package query

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/value"
)

// clustersAnalysis divides users into groups who are near one another in what is
// known of them: recency, frequency and monetary value of buyers, or any measures
// (SPEC R1.6); and sets the groups beside the stages (R2.6).
func clustersAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "clusters", Title: "Clusters", Help: "users in k groups that are alike in recency, frequency and value, or in any measures: sizes, centres, how far apart and how stable, beside the stages", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "k", Type: Int, Min: 2, Default: "4", Help: "how many groups, 12 at most"},
				{Name: "features", Type: Names, Help: "the measures that users are compared by: revenue,orders,active_days; left out: days since the last purchase, frequency and money of buyers, or, where nobody buys, recency_days, active_days and events"},
				{Name: "frequency", Type: Word, Values: []string{"days", "orders"}, Default: "days", Help: "of buyers, what is counted: days with a purchase, or orders"},
				{Name: "starts", Type: Int, Min: 1, Default: "10", Help: "how many times the division is begun anew, 100 at most: the best is shown, and how far they agree"},
				{Name: "seed", Type: Int, Min: 1, Default: "1", Help: "of the starts: the same seed gives the same groups"},
			}, moneyKeys(), groupKeys(), zoneKeys())},
		check: func(q Query) error {
			for _, x := range []struct {
				key  string
				most int
			}{{"k", mostClusters}, {"starts", 100}} {
				if n := atoi(q.Value(x.key)); n > x.most {
					return fmt.Errorf("%s=%d: at most %d can be asked for", x.key, n, x.most)
				}
			}
			if q.Get("features") == "" {
				return nil
			}
			for _, k := range []string{"frequency", "amounts", "currency"} {
				if q.Get(k) != "" {
					return fmt.Errorf("%s= belongs to recency, frequency and value of buyers, and features= asks for other measures", k)
				}
			}
			return nil
		},
		plan: planClusters,
	}
}

// mostClusters bounds k, so that groups can be told apart by name.
const mostClusters = 12

// clusterTable is the largest k of the table that compares them, and clusterSample
// the users that it looks at.
const (
	clusterTable  = 8
	clusterSample = 20000
	clusterClip   = 0.005 // of users at each end of a measure stand at its quantile
)

// A clustering holds what kernel and layout share. Slots, over the population's
// rows: the clustered, those left out; each group, then its values of each feature;
// then stage × group as rates of the stage's clustered users.
type clustering struct {
	r      *Run
	buys   *buying // of RFM; nil of other features
	rfm    *rfmPlan
	names  []string // of the features
	units  []string
	k      int
	values [][]float64 // [feature][clustered user], as measured
	rows   []int32     // in the population, of each clustered user
	of     []int8      // group of each row of the population; −1: left out
	made   *value.Clusters
	shape  value.Shape
	others []otherK
	titles []string
	why    string // there are no groups: a sentence
}

// An otherK is a division into another number of groups, of a sample.
type otherK struct {
	k          int
	explained  float64
	silhouette float64
	agreement  float64
}

const (
	clusterIn = iota
	clusterOut
	clusterSlots
)

func (c *clustering) group(i int) int      { return clusterSlots + i*(1+len(c.names)) }
func (c *clustering) feature(i, f int) int { return c.group(i) + 1 + f }
func (c *clustering) cell(stage, i int) int {
	return c.group(c.k) + stage*c.k + i
}

func planClusters(r *Run) (*Plan, error) {
	c := &clustering{r: r, k: r.Int("k")}
	pop, err := r.Population()
	if err != nil {
		return nil, err
	}
	if err := c.gather(pop); err != nil {
		return nil, err
	}
	if err := c.divide(pop.Len()); err != nil {
		return nil, err
	}
	stages := len(r.machine.Model().Stages)
	return &Plan{
		RowSlots: c.cell(stages, 0), Values: true, List: r.coinList,
		Rows: func(pop *Population, row int, h *Hits) {
			at := int(c.of[row])
			if at < 0 {
				h.Hit(clusterOut, Self)
				return
			}
			h.Hit(clusterIn, Self)
			h.Hit(c.group(at), Self)
			i, _ := slices.BinarySearch(c.rows, int32(row))
			for f := range c.names {
				h.Value(c.feature(at, f), c.values[f][i])
			}
			if s := int(pop.states[row].stage); s >= 0 && s < stages {
				for k := range c.k {
					h.Rate(c.cell(s, k), k == at)
				}
			}
		},
		Layout: c.layout, Explain: c.explain,
	}, nil
}

// gather reads the features of everybody who has them all.
func (c *clustering) gather(pop *Population) error {
	r := c.r
	if r.Str("features") == "" && r.hasRole(model.Purchase) {
		return c.gatherRFM(pop)
	}
	list := r.Str("features")
	if list == "" {
		list = "recency_days,active_days,events"
	}
	refs, err := r.columnRefs(list)
	if err != nil {
		return fmt.Errorf("features=: %w", err)
	}
	for i, ref := range refs {
		fam, _, ok := measure.Lookup(ref.Name)
		if !ok || fam.Type != measure.Number {
			return fmt.Errorf("features=: %s is no number, and only numbers are near or far", ref)
		}
		if slices.ContainsFunc(refs[:i], func(o measure.Ref) bool { return o.String() == ref.String() }) {
			return fmt.Errorf("features=: %s stands there twice", ref)
		}
		c.names = append(c.names, r.columnLabel(ref))
		c.units = append(c.units, r.unitOf(fam))
	}
	cols, err := pop.Columns(r, refs)
	if err != nil {
		return err
	}
	c.values = make([][]float64, len(refs))
	xs := make([]float64, len(refs))
	for row := range pop.Len() {
		all := true
		for f, col := range cols {
			v, ok := col.At(row)
			all = all && ok && !math.IsNaN(v) && !math.IsInf(v, 0)
			xs[f] = v
		}
		if all {
			c.add(row, xs...)
		}
	}
	return nil
}

// gatherRFM reads recency, frequency and money of buyers, as the question rfm does.
func (c *clustering) gatherRFM(pop *Population) error {
	r := c.r
	buys, err := r.buying()
	if err != nil {
		return err
	}
	c.buys = buys
	c.rfm = &rfmPlan{r: r, buys: buys, orders: r.Str("frequency") == "orders"}
	c.names, c.units = []string{"days since", c.rfm.countWord() + "s"}, []string{"days", c.rfm.countWord() + "s"}
	if buys.money {
		c.names, c.units = append(c.names, "revenue"), append(c.units, buys.unit)
	}
	of := make([]value.RFM, pop.Len())
	known := make([]bool, pop.Len())
	err = Scan(r, buys.needs(), buys.reader, func(k *buyer, u *Person) error {
		if row := pop.Row(u.TL.ID); row >= 0 { // each row is one person's: no two write it
			of[row], known[row] = c.rfm.valueOn(k.read(u, r.AsOf), r.AsOf)
		}
		return nil
	}, func(*buyer) error { return nil })
	if err != nil {
		return err
	}
	c.values = make([][]float64, len(c.names))
	for row, v := range of {
		if known[row] {
			c.add(row, []float64{float64(v.DaysSince), float64(v.Frequency), v.Monetary.Float()}[:len(c.names)]...)
		}
	}
	return nil
}

func (c *clustering) add(row int, xs ...float64) {
	c.rows = append(c.rows, int32(row))
	for f, x := range xs {
		c.values[f] = append(c.values[f], x)
	}
}

// columns are the features as they are compared: by the logarithm of 1 + x, of what
// is below 0 with its sign, but money back counts as none; and of other measures
// than RFM's with their ends drawn in, so that a few far users make no group of
// their own.
func (c *clustering) columns() [][]float64 {
	out := make([][]float64, len(c.values))
	for f, v := range c.values {
		out[f] = slices.Clone(v)
		if c.buys == nil && len(v) > 0 {
			sorted := slices.Sorted(slices.Values(v))
			n := int(clusterClip * float64(len(v)))
			lo, hi := sorted[n], sorted[len(sorted)-1-n]
			for i, x := range v {
				out[f][i] = min(max(x, lo), hi)
			}
		}
		for i, x := range out[f] {
			if c.buys != nil {
				x = math.Max(0, x)
			}
			out[f][i] = math.Copysign(math.Log1p(math.Abs(x)), x)
		}
	}
	return out
}

// divide makes the groups, and those of other numbers from a sample.
func (c *clustering) divide(rows int) error {
	r := c.r
	c.of = make([]int8, rows)
	for i := range c.of {
		c.of[i] = -1
	}
	all := c.columns()
	stop := func() bool { return r.Ctx.Err() != nil }
	o := value.Clustering{Starts: r.Int("starts"), Seed: uint64(r.Int("seed")), Stop: stop}
	var err error
	if c.made, err = value.KMeans(all, c.k, o); err != nil {
		if stop() {
			return r.Ctx.Err()
		}
		c.why = c.tooAlike(err)
		return nil
	}
	for i, row := range c.rows {
		c.of[row] = int8(c.made.Of[i])
	}
	if c.shape, err = c.made.Shape(all); err != nil {
		return err
	}
	few := thinned(all, clusterSample)
	o.Starts = min(o.Starts, 5)
	for k := 2; k <= clusterTable; k++ {
		m, err := value.KMeans(few, k, o)
		switch {
		case stop():
			return r.Ctx.Err()
		case err != nil:
			return c.title() // there are no more users to tell apart
		}
		s, err := m.Shape(few)
		if err != nil {
			return err
		}
		c.others = append(c.others, otherK{k, s.Explained, s.Silhouette, m.Agreement})
	}
	return c.title()
}

// tooAlike says why there are no groups.
func (c *clustering) tooAlike(err error) string {
	n := len(c.rows)
	switch {
	case !errors.Is(err, value.ErrTooFew):
		return fmt.Sprintf("There are no %d groups: %s.", c.k, err)
	case n == 0 && c.buys != nil:
		return "There are no groups: nobody has bought anything" + c.buys.in() + ", and groups go by what buyers do. features= names other measures, such as features=recency_days,active_days."
	case n == 0:
		return "There are no groups: nobody has a value of " + joinWords(c.names, "and") + "."
	}
	seen := map[string]bool{} // of fewer than k, or there were groups
	all := c.columns()
	for i := range n {
		key := ""
		for f := range all {
			key += fmt.Sprint(all[f][i], " ")
		}
		seen[key] = true
	}
	if len(seen) == 1 {
		return fmt.Sprintf("There are no groups: %s, and nothing parts them in %s.", map[bool]string{true: "there is 1 user", false: fmt.Sprintf("all %s are alike", plural(n, "user"))}[n == 1], joinWords(c.names, "and"))
	}
	return fmt.Sprintf("There are no %d groups: %s stand in %d places of %s alone. Ask for k=%d or fewer.", c.k, plural(n, "user"), len(seen), joinWords(c.names, "and"), len(seen))
}

// constants are the features in which all clustered users are equal.
func (c *clustering) constants() (out []string) {
	for f, v := range c.columns() {
		if len(v) > 0 && slices.Min(v) == slices.Max(v) {
			out = append(out, c.names[f])
		}
	}
	return out
}

// thinned are at most so many rows of columns, evenly.
func thinned(columns [][]float64, most int) [][]float64 {
	if len(columns) == 0 || len(columns[0]) <= most {
		return columns
	}
	step := (len(columns[0]) + most - 1) / most
	out := make([][]float64, len(columns))
	for f, v := range columns {
		for i := 0; i < len(v); i += step {
			out[f] = append(out[f], v[i])
		}
	}
	return out
}

// title names each group by where its centre lies among all clustered users: a
// feature is high or low where the centre is half a standard deviation from the mean,
// very much so from one and a half.
func (c *clustering) title() error {
	all := c.columns()
	n := float64(len(c.rows))
	var mean, dev []float64
	for _, v := range all {
		m, s := 0.0, 0.0
		for _, x := range v {
			m += (x - v[0]) / n // of equal values exactly 0, as in KMeans
		}
		m += v[0]
		for _, x := range v {
			s += (x - m) * (x - m) / n
		}
		mean, dev = append(mean, m), append(dev, math.Sqrt(s))
	}
	for i := range c.k {
		var words []string
		for f, name := range c.names {
			z := 0.0
			if dev[f] > 0 {
				z = (c.made.Centre[i][f] - mean[f]) / dev[f]
			}
			if w := c.word(f, name, z); w != "" {
				words = append(words, w)
			}
		}
		if len(words) == 0 {
			words = []string{"about the middle"}
		}
		c.titles = append(c.titles, strings.Join(words, ", "))
	}
	for i, t := range c.titles {
		if slices.Contains(c.titles[:i], t) {
			c.titles[i] = fmt.Sprintf("%s (%d)", t, i+1)
		}
	}
	return nil
}

// word says where a centre lies in one feature, "" about the middle.
func (c *clustering) word(f int, name string, z float64) string {
	very := ""
	switch a := math.Abs(z); {
	case a < 0.5:
		return ""
	case a >= 1.5:
		very = "very "
	}
	if c.buys != nil {
		return very + [3][2]string{{"recent", "long ago"}, {"seldom", "often"}, {"little spent", "much spent"}}[f][map[bool]int{true: 1}[z > 0]]
	}
	return very + map[bool]string{true: "high ", false: "low "}[z > 0] + name
}
