package query

import (
	"slices"
	"testing"

	"dwell/model"

	"pgregory.net/rapid"
)

// Double firing against its definition, on random seconds and names.
func TestDoubleFiringAgainstSlowVersion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tl := &model.Timeline{Time: rapid.SliceOfN(rapid.Int64Range(-3000, 6000), 0, 30).Draw(rt, "ms")}
		slices.Sort(tl.Time)
		tl.Props = make([]model.Column, 1)
		for range tl.Time {
			tl.Props[0].Codes = append(tl.Props[0].Codes, uint32(rapid.IntRange(0, 1).Draw(rt, "item")))
			tl.Name = append(tl.Name, model.NameID(rapid.IntRange(0, 2).Draw(rt, "name")))
			tl.Dated = append(tl.Dated, rapid.IntRange(0, 4).Draw(rt, "dated") == 0)
		}
		second := func(i int) int64 { return (tl.Time[i] + 1_000_000) / 1000 }
		for i := range tl.Time {
			want := false
			for j := range tl.Time {
				want = want || i != j && tl.Name[i] == tl.Name[j] && second(i) == second(j) && tl.Props[0].Codes[i] == tl.Props[0].Codes[j] && !tl.Dated[i] && !tl.Dated[j]
			}
			if got := isDouble(tl, i, []int{0}); got != want {
				rt.Fatalf("event %d: %v, want %v", i, got, want)
			}
		}
	})
}

// Every value above one in frequentKept+1 of the stream is kept, whatever is merged.
func TestFrequentKeepsWhatIsOften(t *testing.T) {
	total := newFrequent()
	n := 0
	for part := range 8 {
		f := newFrequent()
		for i := range 3 * frequentKept {
			f.add(string(rune('a'+part)) + string(rune(1000+i)))
			if n++; i%300 == 0 {
				f.add("often")
				n++
			}
		}
		total.merge(f)
	}
	if len(total.count) > frequentKept {
		t.Errorf("%d values kept", len(total.count))
	}
	if _, ok := total.count["often"]; !ok {
		t.Errorf("a value on one in 300 of %d was lost", n)
	}
}
