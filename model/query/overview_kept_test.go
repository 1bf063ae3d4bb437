package query_test

import (
	"context"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/query"
)

// The first page is kept from one start to the next, and still says how old the
// data are today.
func TestOverviewIsKeptAndAges(t *testing.T) {
	mem, dict := randomData(t, 2, 40)
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, dict.Format(), ""); err != nil {
		t.Fatal(err)
	}
	q := query.Query{Analysis: "overview", AsOf: model.NoDay}
	now := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	ages := map[string]bool{}
	for start := range 3 {
		reads := 0
		e, err := query.New(mem, mem, mem, query.Options{Workers: 1, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		a, err := e.Answer(context.Background(), q, func(int64, int64) { reads++ })
		if err != nil {
			t.Fatal(err)
		}
		if start > 0 && reads > 0 {
			t.Errorf("start %d reads the events again", start)
		}
		for _, r := range a.Blocks[0].Rows {
			if r.Key == "age" {
				ages[r.Cells[0].Text] = true
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		now = now.AddDate(1, 0, 0)
	}
	if len(ages) != 3 {
		t.Errorf("a year apart each, the data are %v", ages)
	}
}
