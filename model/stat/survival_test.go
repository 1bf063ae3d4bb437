package stat

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"dwell/sample/reference"
)

// Remission times in weeks of 21 children on 6-MP: Freireich, E. J. et al.
// (1963), Blood 21 (6): 699–716; a negative time is censored.
var sixMP = []float64{6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35}

func TestKaplanMeierFreireich(t *testing.T) {
	var lives []Life
	for _, x := range sixMP {
		lives = append(lives, Life{math.Abs(x), x > 0})
	}
	c, err := KaplanMeier(lives, Level)
	if err != nil {
		t.Fatal(err)
	}
	days := []float64{6, 7, 10, 13, 16, 22, 23}
	want := []float64{0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448}
	// Greenwood's errors as in Kalbfleisch and Prentice (1980).
	se := []float64{0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346}
	if len(c) != len(want) {
		t.Fatalf("%d steps, want %d", len(c), len(want))
	}
	for i, s := range c {
		if s.Days != days[i] {
			t.Errorf("step %d is on day %v, want %v", i, s.Days, days[i])
		}
		near(t, "S", s.S, want[i], 5e-4)
		near(t, "StdErr", s.StdErr, se[i], 5e-5)
	}
	if m, ok := c.Reached(0.5); !ok || m != 23 {
		t.Errorf("median %v, want 23", m)
	}
	if s, _ := c.At(12); math.Abs(s-want[2]) > 5e-4 {
		t.Errorf("S(12) = %v", s)
	}
	if s, st := c.At(5); s != 1 || st != nil {
		t.Errorf("S(5) = %v", s)
	}
}

func TestKaplanMeierEdges(t *testing.T) {
	if _, err := KaplanMeier(nil, Level); err != ErrNoUsers {
		t.Errorf("nobody: %v", err)
	}
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := KaplanMeier([]Life{{bad, true}}, Level); err != ErrBadLifetime {
			t.Errorf("life %v: %v", bad, err)
		}
	}
	if c, err := KaplanMeier([]Life{{5, false}, {9, false}}, Level); err != nil || len(c) != 0 {
		t.Errorf("none churned: %v %v", c, err)
	}
	c, _ := KaplanMeier([]Life{{5, true}, {5, true}}, Level)
	if len(c) != 1 || c[0].S != 0 || c[0].Bounded {
		t.Errorf("all churned at once: %+v", c)
	}
}

func TestCountsEqualLives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lives []Life
		churned, censored := make([]int64, 20), make([]int64, 20)
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			d, dead := rapid.IntRange(0, 19).Draw(t, "day"), rapid.Bool().Draw(t, "churned")
			lives = append(lives, Life{float64(d), dead})
			if dead {
				churned[d]++
			} else {
				censored[d]++
			}
		}
		a, err := KaplanMeier(lives, Level)
		if err != nil {
			t.Fatal(err)
		}
		var at []Exposure
		n := int64(len(lives))
		for d := range churned {
			at = append(at, Exposure{float64(d), n, churned[d]})
			n -= churned[d] + censored[d]
		}
		if c := ProductLimit(at, Level); !slices.Equal(a, c) {
			t.Fatalf("from the numbers at risk %+v, from the lives %+v", c, a)
		}
		b := KaplanMeierCounts(churned, censored, Level)
		if len(a) != len(b) {
			t.Fatalf("%d and %d steps", len(a), len(b))
		}
		last := 1.0
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("step %d: %+v and %+v", i, a[i], b[i])
			}
			if a[i].S > last || a[i].Bounded && (a[i].Lo > a[i].S || a[i].Hi < a[i].S) {
				t.Fatalf("step %d: %+v after %v", i, a[i], last)
			}
			last = a[i].S
		}
	})
}

// The Waltons set as lifelines and R's survival see it.
func TestKaplanMeierAgainstPeers(t *testing.T) {
	type peer struct {
		N      int
		Events int64
		Q      []struct {
			Level float64
			Q     float64
			Lo95  *float64 `json:"lo95"`
			Hi95  *float64 `json:"hi95"`
		} `json:"quantiles_S_loglog"`
		Table []struct {
			T      float64
			AtRisk int64 `json:"at_risk"`
			Events int64
			S      float64
			SE     float64  `json:"se_S_greenwood"`
			LoLog  *float64 `json:"lo95_loglog"`
			HiLog  *float64 `json:"hi95_loglog"`
		}
	}
	var ref map[string]json.RawMessage
	reference.JSON(t, "survival_R.json", &ref)
	rows, err := csv.NewReader(bytes.NewReader(reference.Data(t, "survival/waltons_dataset.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	col := map[string]int{}
	for i, h := range rows[0] {
		col[h] = i
	}
	for _, group := range []string{"all", "control", "miR-137"} {
		var p peer
		if err := json.Unmarshal(ref["waltons_"+group], &p); err != nil {
			t.Fatal(err)
		}
		var lives []Life
		for _, r := range rows[1:] {
			if group != "all" && r[col["group"]] != group {
				continue
			}
			days, err := strconv.ParseFloat(r[col["T"]], 64)
			if err != nil {
				t.Fatal(err)
			}
			lives = append(lives, Life{days, r[col["E"]] == "1"})
		}
		if len(lives) != p.N {
			t.Fatalf("%s: %d lives, want %d", group, len(lives), p.N)
		}
		c, err := KaplanMeier(lives, Level)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for _, row := range p.Table {
			if row.Events == 0 {
				continue
			}
			s := c[i]
			i++
			if s.Days != row.T || s.AtRisk != row.AtRisk || s.Churned != row.Events {
				t.Fatalf("%s: step %+v, want %+v", group, s, row)
			}
			near(t, "S", s.S, row.S, 1e-10)
			if s.Bounded {
				near(t, "se", s.StdErr, row.SE, 1e-10)
				near(t, "lo", s.Lo, *row.LoLog, 1e-9)
				near(t, "hi", s.Hi, *row.HiLog, 1e-9)
			}
		}
		for _, q := range p.Q {
			got, ok := c.Reached(1 - q.Level)
			if !ok || got != q.Q {
				t.Errorf("%s: quantile %v is %v, want %v", group, q.Level, got, q.Q)
			}
			lo, hi := c.ReachedInterval(1 - q.Level)
			if q.Lo95 != nil && (!lo.Known || lo.Days != *q.Lo95) || q.Hi95 != nil && (!hi.Known || hi.Days != *q.Hi95) {
				t.Errorf("%s: quantile %v within %v %v, want %v %v", group, q.Level, lo, hi, *q.Lo95, *q.Hi95)
			}
		}
	}
}
