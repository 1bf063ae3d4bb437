package query_test

import (
	"fmt"
	"strings"
	"testing"

	"dwell/model"
)

// Of a property with more values than are counted apart, the frequent values, the
// distinct ones and the types are exact, and the figures are their lists.
func TestManyValuesAreExact(t *testing.T) {
	mem := model.NewMemory()
	add(t, mem, func(b *model.Batch) {
		note := model.BatchCol{Key: "note"}
		put := func(v string) {
			i := len(b.Time)
			b.Line = append(b.Line, int64(i+1))
			b.User = append(b.User, fmt.Appendf(nil, "u%d", i%97))
			b.Event = append(b.Event, []byte("e"))
			b.Time = append(b.Time, int64(20_000+i%50)*86_400_000)
			note.Values = append(note.Values, []byte(v))
		}
		for i := range 6000 {
			put(fmt.Sprint("v", i))
			if i%2 == 0 {
				put("often")
			}
			if i%10 == 0 {
				put("7")
			}
			if i%100 == 0 {
				put("")
			}
		}
		b.Props = append(b.Props, note)
	})
	e := over(t, mem, model.NewDictionary())
	a := ask(t, e, "properties")
	row := block(t, a, "properties").Rows[0]
	cells := ""
	for _, c := range row.Cells {
		cells += c.Text + "|"
	}
	// 6,000 + 3,000 + 600 events with a value, 6,002 values.
	for _, want := range []string{"|6002|", "text 93.8 %, number 6.2 %", "often (31.2 %), 7 (6.2 %), each on at most 1 event in 4097: 62.5 % together"} {
		if !strings.Contains(cells, want) {
			t.Errorf("the row is %s, want %q in it", cells, want)
		}
	}
	if f := a.Figure("property.note"); f.Value != 9600 {
		t.Errorf("%v events have a note, want 9600", f.Value)
	}
	for _, key := range []string{"property.note", "property.note.users"} {
		listed(t, e, a, key)
	}
}
