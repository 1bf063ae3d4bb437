package churn

import (
	"encoding/json"
	"errors"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"dwell/model/stat"
)

// noisy draws columns with ties, missing values and an outcome that depends on
// some of them.
func noisy(seed uint64, n, columns int) (x [][]float64, yes []bool) {
	rng := rand.New(rand.NewPCG(seed, 3))
	x = make([][]float64, columns)
	for range n {
		e := -0.5
		for c := range x {
			v := math.Round(4*rng.NormFloat64()) / 2
			if c%2 == 1 && rng.Float64() < 0.2 {
				v = math.NaN()
				e += 0.7
			} else if c < 3 {
				e += v * float64(1-c)
			}
			x[c] = append(x[c], v)
		}
		yes = append(yes, rng.Float64() < sigmoid(e))
	}
	return x, yes
}

// outside is what a tree is worth when only the features of the coalition are
// known: the definition, walked the slow way.
func outside(t *Tree, n int32, x []float64, coalition int) float64 {
	if t.leaf(n) {
		return t.Value[n]
	}
	if coalition&(1<<t.Feature[n]) != 0 {
		return outside(t, t.next(n, x[t.Feature[n]]), x, coalition)
	}
	l, r := t.Left[n], t.Right[n]
	return (t.Cover[l]*outside(t, l, x, coalition) + t.Cover[r]*outside(t, r, x, coalition)) / t.Cover[n]
}

// shapley is the definition: the mean over all orders, by coalitions.
func shapley(f *Forest, x []float64) []float64 {
	k := len(x)
	fact := []float64{1}
	for i := 1; i <= k; i++ {
		fact = append(fact, fact[i-1]*float64(i))
	}
	value := func(s int) (sum float64) {
		for i := range f.Trees {
			sum += outside(&f.Trees[i], 0, x, s)
		}
		return sum
	}
	out := make([]float64, k)
	for i := range out {
		for s := range 1 << k {
			if s&(1<<i) == 0 {
				in := bits.OnesCount(uint(s))
				out[i] += fact[in] * fact[k-in-1] / fact[k] * (value(s|1<<i) - value(s))
			}
		}
	}
	return out
}

func TestContributionsAreShapleyValues(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		columns := rapid.IntRange(1, 6).Draw(rt, "columns")
		x, yes := noisy(rapid.Uint64Range(1, 1000).Draw(rt, "seed"), 300, columns)
		f, err := Boost(x, yes, Boosting{Trees: 4, Depth: rapid.IntRange(1, 6).Draw(rt, "depth"), Leaf: 3, Rate: 0.5})
		if err != nil {
			rt.Fatal(err)
		}
		for i := range 8 {
			row := make([]float64, columns)
			for c := range row {
				row[c] = x[c][i*7]
			}
			got, want := make([]float64, columns), shapley(f, row)
			f.Contributions(row, got)
			sum := f.Mean()
			for c := range got {
				sum += got[c]
				if math.Abs(got[c]-want[c]) > 1e-9 {
					rt.Fatalf("feature %d: %.12f, by all coalitions %.12f", c, got[c], want[c])
				}
			}
			if math.Abs(sum-f.Sum(row)) > 1e-9 {
				rt.Fatalf("mean and parts are %v, the forest says %v", sum, f.Sum(row))
			}
		}
	})
}

// slowSplit tries every cut of every feature, both ways for missing values, over
// the rows themselves.
func slowSplit(x [][]float64, yes []bool, base, lambda float64, leaf int) (gain float64) {
	score := func(g, h float64) float64 { return g * g / (h + lambda) / 2 }
	p := sigmoid(base)
	var g, h float64
	for _, y := range yes {
		g, h = g+p, h+p*(1-p)
		if y {
			g--
		}
	}
	for c := range x {
		for _, at := range x[c] {
			for _, left := range []bool{true, false} {
				var lg, lh float64
				n := 0
				for i, y := range yes {
					if x[c][i] <= at || math.IsNaN(x[c][i]) && left {
						lg, lh, n = lg+p, lh+p*(1-p), n+1
						if y {
							lg--
						}
					}
				}
				if n >= leaf && len(yes)-n >= leaf {
					gain = math.Max(gain, score(lg, lh)+score(g-lg, h-lh)-score(g, h))
				}
			}
		}
	}
	return gain
}

// The first split is the best there is, and the leaves are Newton steps.
func TestFirstSplitIsTheBest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x, yes := noisy(rapid.Uint64Range(1, 1000).Draw(rt, "seed"), 120, 3)
		f, err := Boost(x, yes, Boosting{Trees: 1, Depth: 1, Leaf: 5, Rate: 1, Sample: 1})
		if err != nil {
			rt.Fatal(err)
		}
		tree := &f.Trees[0]
		want := slowSplit(x, yes, f.Base, 1, 5)
		if len(tree.Feature) == 1 {
			if want > 1e-6 {
				rt.Fatalf("no split, though one gains %v", want)
			}
			return
		}
		p := sigmoid(f.Base)
		var g, h [3]float64
		for i, y := range yes {
			n := tree.next(0, x[tree.Feature[0]][i])
			for _, k := range []int32{0, n} {
				g[k], h[k] = g[k]+p, h[k]+p*(1-p)
				if y {
					g[k]--
				}
			}
		}
		got := -g[0] * g[0] / (h[0] + 1) / 2
		for _, n := range []int32{1, 2} {
			got += g[n] * g[n] / (h[n] + 1) / 2
			if math.Abs(tree.Value[n]+g[n]/(h[n]+1)) > 1e-5 {
				rt.Fatalf("leaf %d is %v, a Newton step %v", n, tree.Value[n], -g[n]/(h[n]+1))
			}
		}
		if math.Abs(got-want) > 1e-4 {
			rt.Fatalf("the split gains %v, the best %v", got, want)
		}
	})
}

func TestMonotoneForestsNeverTurn(t *testing.T) {
	x, yes := noisy(5, 3000, 4)
	f, err := Boost(x, yes, Boosting{Trees: 60, Depth: 4, Monotone: []int8{1, 0, -1}})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(8, 8))
	for range 2000 {
		row := []float64{rng.NormFloat64() * 3, rng.NormFloat64() * 3, rng.NormFloat64() * 3, rng.NormFloat64()}
		before := f.Sum(row)
		row[0] += rng.ExpFloat64()
		row[2] -= rng.ExpFloat64()
		if after := f.Sum(row); after < before-1e-12 {
			t.Fatalf("log-odds fall from %v to %v where they may only rise", before, after)
		}
	}
}

// Equal seeds give equal forests however the work is shared out; another seed
// another one. Stopping stops, progress is told.
func TestBoostIsDeterministic(t *testing.T) {
	x, yes := noisy(6, 2000, 5)
	all := func(n int, f func(i int)) {
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { f(i) })
		}
		wg.Wait()
	}
	told := 0
	text := func(o Boosting) string {
		f, err := Boost(x, yes, o)
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	one := text(Boosting{Trees: 20, Seed: 4, Progress: func(done, total int) { told++ }})
	if one != text(Boosting{Trees: 20, Seed: 4, Parallel: all}) {
		t.Error("the forest depends on how the work was shared out")
	}
	if one == text(Boosting{Trees: 20, Seed: 5}) {
		t.Error("the seed has no say")
	}
	if told != 20 {
		t.Errorf("progress was told %d times of 20", told)
	}
	n := 0
	if _, err := Boost(x, yes, Boosting{Stop: func() bool { n++; return n > 3 }}); !errors.Is(err, ErrStopped) {
		t.Errorf("stopped: %v", err)
	}
}

// Codes and values go the same way: what training believed of its users is what
// the forest says of them, at extreme values too.
func TestCutsKeepTheOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		col := rapid.SliceOfN(rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 3), rapid.SampledFrom([]float64{0, 1, math.NaN(), math.MaxFloat64, -math.MaxFloat64, 5e-324})), 1, 900).Draw(rt, "col")
		for i, x := range col {
			if math.IsInf(x, 0) {
				col[i] = 0
			}
		}
		cuts, codes := cut(col)
		if len(cuts) > bins-1 {
			rt.Fatalf("%d cuts", len(cuts))
		}
		for i, x := range col {
			if math.IsNaN(x) != (codes[i] == missing) {
				rt.Fatalf("%v has code %d", x, codes[i])
			}
			for b, at := range cuts {
				if !math.IsNaN(x) && (x <= at) != (int(codes[i]) <= b) {
					rt.Fatalf("%v has code %d and cut %d is %v", x, codes[i], b, at)
				}
				if b > 0 && !(cuts[b-1] < at) {
					rt.Fatalf("cuts %v do not rise", cuts)
				}
			}
		}
	})
}

// scored are a model's forecasts of a table.
func scored(m *Model, t *Table) (fs []stat.Forecast) {
	values, known := make([]float64, len(t.X)), make([]bool, len(t.X))
	for i, y := range t.Yes {
		t.Row(i, values, known)
		fs = append(fs, stat.Forecast{P: m.Predict(values, known), Yes: y})
	}
	return fs
}

// Every kind of model: reasons add to the prediction, a saved one predicts the
// same, null data are no better than guessing at 99.9 %, and a law is found.
func TestEveryKind(t *testing.T) {
	names := RhythmColumns()
	draw := func(seed uint64, law bool) *Table {
		rng := rand.New(rand.NewPCG(seed, 4))
		tab := NewTable(append(names, "other", "plan"), make([]string, 5))
		tab.Texts = [][]string{nil, nil, nil, nil, {"", "free", "pro", "rare"}}
		for range 4000 {
			rate, tenure := rng.ExpFloat64()/10, 30+200*rng.Float64()
			n := 1 + math.Floor(rate*tenure)
			plan := 1 + float64(rng.IntN(2))
			if rng.IntN(1000) == 0 {
				plan = 3
			}
			p := 0.4
			if law {
				p = math.Exp(-30*rate) * 0.9
				if plan == 2 {
					p *= 0.5
				}
			}
			v := []float64{n, tenure, math.Min(rng.ExpFloat64()/math.Max(rate, 0.01), 29), rng.NormFloat64(), plan}
			tab.Add(v, []bool{true, true, true, rng.IntN(4) > 0, rng.IntN(5) > 0}, rng.Float64() < p)
		}
		return tab
	}
	for _, kind := range []Kind{LogisticKind, BoostingKind, HazardKind} {
		opt := Options{Kind: kind, Question: Question{Definition: BySilence, Gap: 30, Horizon: 30}, Boosting: Boosting{Seed: 9}}
		for _, law := range []bool{true, false} {
			m, err := Train(draw(31, law), opt)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			test := draw(32, law)
			q, err := Judge(scored(m, test), 20, 0.999)
			if err != nil {
				t.Fatal(err)
			}
			if law && (!q.Better || q.Skill <= 0 || q.Calibration.ECE > 0.05) {
				t.Errorf("%s: a law is there and the verdict is %q, skill %.3f, ECE %.3f", kind, q.Verdict, q.Skill, q.Calibration.ECE)
			}
			if !law && (q.Area.Lo > 0.5 || q.Area.Hi < 0.5 || !strings.HasPrefix(q.Verdict, "No better than guessing")) {
				t.Errorf("%s on null data: %s", kind, q.Verdict)
			}
			saved := &Saved{Question: opt.Question, Fitted: *m}
			body, err := saved.Format()
			if err != nil {
				t.Fatal(err)
			}
			back, err := ParseSaved(body)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			values, known := make([]float64, 5), make([]bool, 5)
			for i := range 200 {
				test.Row(i, values, known)
				sum, plans := m.Average(), 0
				for _, r := range m.Reasons(values, known) {
					sum += r.LogOdds
					if r.Feature.Level != "" {
						plans++
					}
				}
				if p := m.Predict(values, known); math.Abs(sigmoid(sum)-p) > 1e-9 || back.Fitted.Predict(values, known) != p || plans > 1 {
					t.Fatalf("%s: said %v, reasons add to %v, saved says %v, %d reasons of plan", kind, p, sigmoid(sum), back.Fitted.Predict(values, known), plans)
				}
			}
		}
	}
	if _, err := Train(planted(1, 500), Options{Kind: HazardKind, Question: Question{Horizon: 30}}); !errors.Is(err, ErrRhythm) || !strings.Contains(err.Error(), "active_days") {
		t.Errorf("a rhythm without its measures: %v", err)
	}
}

// A gamma–Poisson law that is planted is found again.
func TestGammaPoissonIsFound(t *testing.T) {
	rng := rand.New(rand.NewPCG(77, 1))
	var n, days []float64
	for range 20_000 {
		// A gamma rate of whole shape 2 is a sum of exponentials.
		rate, span := (rng.ExpFloat64()+rng.ExpFloat64())/40, 20+300*rng.Float64()
		k := 0.0
		for at := rng.ExpFloat64() / rate; at < span; at += rng.ExpFloat64() / rate {
			k++
		}
		n, days = append(n, k), append(days, span)
	}
	if a, b := gammaPoisson(n, days); math.Abs(a-2) > 0.1 || math.Abs(b-40) > 2 {
		t.Errorf("shape %.3f and rate %.2f, planted were 2 and 40", a, b)
	}
	if a, _ := gammaPoisson([]float64{0, 0}, []float64{4, 5}); a != 0 {
		t.Errorf("nobody came back, and the shape is %v", a)
	}
}
