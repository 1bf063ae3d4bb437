package rule

import (
	"math/rand"
	"testing"

	"dwell/model/measure"
)

func BenchmarkMillionUsers(b *testing.B) {
	s := testSchema(b)
	r := mustCompile(b, `plan == "pro" and recency_days < 30 and revenue > 12.5`, Env{Schema: s})
	const n = 1_000_000
	set, err := measure.Compile(r.Refs(), s)
	if err != nil {
		b.Fatal(err)
	}
	rnd := rand.New(rand.NewSource(1))
	var cols ColumnList
	for slot := range r.Refs() {
		c := set.NewColumn(slot, n)
		for range n {
			c.Append(float64(rnd.Intn(4)), rnd.Intn(10) > 0)
		}
		cols = append(cols, c)
	}
	out := measure.NewBits(n)
	for b.Loop() {
		if err := r.EvalColumns(cols, n, out); err != nil {
			b.Fatal(err)
		}
	}
}
