package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// transitions compares every pair of a reference file, and sees that there is no
// other.
func (w *walker) transitions(e *query.Engine) {
	w.t.Helper()
	a := ask(w.t, e, "journeys?top=100")
	w.figure("/transitions/total", a, "transitions")
	want := w.under("/transitions/counts")
	for _, pair := range want {
		from, to, _ := strings.Cut(pair, " > ")
		w.figure("/transitions/counts/"+pair, a, "transitions."+from+">"+to)
	}
	pairs := 0
	for i := range a.Figures {
		if strings.HasPrefix(a.Figures[i].Key, "transitions.") {
			pairs++
		}
	}
	if pairs != len(want) {
		w.t.Errorf("%s: %d pairs, want %d", w.file, pairs, len(want))
	}
}

// obviousPaths cuts a person's events into paths the slow way.
func obviousPaths(tl *model.Timeline, gap int64, collapse bool) (paths [][]int) {
	for i := range tl.Time {
		if i == 0 || gap > 0 && tl.Time[i]-tl.Time[i-1] > gap {
			paths = append(paths, nil)
		} else if collapse && tl.Name[i] == tl.Name[i-1] {
			continue
		}
		paths[len(paths)-1] = append(paths[len(paths)-1], i)
	}
	return paths
}

// The step matrix and the paths against obvious versions (own oracle), on random
// people, over whole lives and sessions, runs kept and collapsed.
func TestPathsAgainstTheObviousVersion(t *testing.T) {
	mem, dict := randomData(t, 51, 150)
	e := over(t, mem, dict)
	people, info := histories(t, mem)
	buy := model.NameID(info.NameIndex("buy"))
	for _, gap := range []int64{0, 5 * 86_400_000} {
		for _, collapse := range []bool{false, true} {
			opts := "&repeats=keep"
			if collapse {
				opts = "&repeats=collapse"
			}
			if gap > 0 {
				opts += "&path=session&gap=5d"
			}
			users := 0
			cells := map[string]int{}
			sequences := map[string]int{}
			moves := map[string]int{}
			for _, tl := range people {
				ps := obviousPaths(tl, gap, collapse)
				for _, p := range ps {
					for k := 1; k < len(p); k++ {
						moves[info.Names[tl.Name[p[k-1]]].Name+">"+info.Names[tl.Name[p[k]]].Name]++
					}
				}
				found := false
				for _, p := range ps {
					for at, i := range p {
						if found || tl.Name[i] != buy {
							continue
						}
						found = true
						users++
						for off := -2; off <= 4; off++ {
							key := "nothing"
							if at+off >= 0 && at+off < len(p) {
								key = "event." + info.Names[tl.Name[p[at+off]]].Name
							}
							cells[fmt.Sprintf("at.%d.%s", off, key)]++
						}
						var names []string
						for k := at; k < min(at+3, len(p)); k++ {
							names = append(names, info.Names[tl.Name[p[k]]].Name)
						}
						if len(p)-at < 3 {
							names = append(names, "")
						}
						sequences["path."+strings.Join(names, ">")]++
					}
				}
			}
			a := ask(t, e, "steps?around=buy&before=2&after=4&top=50"+opts)
			if f := a.Figure("users"); f.Value != float64(users) {
				t.Errorf("%s: %v users, want %d", a.Address, f.Value, users)
			}
			for key, n := range cells {
				if f := a.Figure(key); f == nil || math.Abs(f.Value-float64(n)/float64(users)) > 1e-12 || f.N != int64(users) {
					t.Errorf("%s: %s is %+v, want %d of %d", a.Address, key, f, n, users)
				}
			}
			for off := -2; off <= 4; off++ { // each column adds to one
				sum := 0.0
				for i := range a.Figures {
					if strings.HasPrefix(a.Figures[i].Key, fmt.Sprintf("at.%d.", off)) {
						sum += a.Figures[i].Value
					}
				}
				if math.Abs(sum-1) > 1e-9 {
					t.Errorf("%s: step %d adds to %v", a.Address, off, sum)
				}
			}
			b := ask(t, e, "journeys?from=buy&length=3&top=50&paths=1000"+opts)
			for key, n := range sequences {
				if f := b.Figure(key); f == nil || math.Abs(f.Value-float64(n)/float64(users)) > 1e-12 {
					t.Errorf("%s: %s is %+v, want %d of %d", b.Address, key, f, n, users)
				}
			}
			for key, n := range moves {
				if f := b.Figure("transitions." + key); f == nil || f.Value != float64(n) {
					t.Errorf("%s: %s is %+v, want %d", b.Address, key, f, n)
				}
			}
			// With few names shown the rest is counted together, and nothing is lost.
			few := ask(t, e, "journeys?from=buy&length=3&top=2&paths=1"+opts)
			sum := 0.0
			for i := range few.Figures {
				if strings.HasPrefix(few.Figures[i].Key, "transitions.") {
					sum += few.Figures[i].Value
				}
			}
			if sum != few.Figure("transitions").Value || sum != b.Figure("transitions").Value {
				t.Errorf("%s: pairs add to %v of %v", few.Address, sum, few.Figure("transitions").Value)
			}
		}
	}
}

// Two groups are compared as a difference, with an interval where they share
// nobody.
func TestStepsDifference(t *testing.T) {
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	two := "steps?around=add_to_cart&where=" + escape(`platform == "desktop"`) + "&where="
	a := ask(t, e, two+escape(`platform == "mobile"`))
	g := a.Blocks[1] // after who has a path, before either group's own
	if g.Name != "difference" || len(g.Rows) == 0 {
		t.Fatalf("the second block is %s with %d rows", g.Name, len(g.Rows))
	}
	var groups []string
	for i := range a.Figures {
		if name, ok := strings.CutSuffix(a.Figures[i].Key, ".at.1.event.cart"); ok {
			groups = append(groups, name)
		}
	}
	d := a.Figure("difference.1.event.cart")
	want := 100 * (a.Figure(groups[1]+".at.1.event.cart").Value - a.Figure(groups[0]+".at.1.event.cart").Value)
	if d == nil || math.Abs(d.Value-want) > 1e-9 || !d.Interval || d.Lo > d.Value || d.Hi < d.Value {
		t.Errorf("%+v, want %v with an interval", d, want)
	}
	listed(t, e, a, "difference.1.event.cart")
	b := ask(t, e, two+escape(`known(platform)`))
	if b.Figure("difference.1.event.cart").Interval {
		t.Error("groups that overlap have no interval of their difference")
	}
}

func TestPathRefusals(t *testing.T) {
	for address, reason := range map[string]string{
		"steps?before=2":              "needs around=",
		"steps?gap=1h":                "path=session",
		"steps?path=session&gap=0s":   "told apart",
		"steps?after=5000":            "999",
		"journeys?length=40":          "at most 12",
		"journeys?path=session&gap=x": "length of time",
	} {
		if _, err := query.Parse(address); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", address, err, reason)
		}
	}
}
