package store

import (
	"context"
	"fmt"
	"testing"

	"dwell/model"
	"dwell/model/modeltest"
)

// Where all properties together have too many values, those with many of them become
// plain, those with few stay as they are, and every row is what it was.
func TestManyValuesOfManyKeys(t *testing.T) {
	var rows []modeltest.Row
	for i := range 3 * fewValues {
		row := see(fmt.Sprint("u", i%40), int64(i)*1000)
		row.Props = map[string]string{"many": fmt.Sprint("value ", i), "few": fmt.Sprint("value ", i%20)}
		rows = append(rows, row)
	}
	texts := func(coded int, plain bool) []string {
		d := open(t, Options{})
		plan := loadPlan(1)
		ld, err := d.Begin(context.Background(), plan)
		if err != nil {
			t.Fatal(err)
		}
		defer ld.Abort()
		ld.(*loader).coded = coded // values of other keys
		for _, b := range modeltest.Batches(rows, 100) {
			if err := ld.Add(b); err != nil {
				t.Fatal(err)
			}
		}
		if want := coded + 20; ld.(*loader).coded < want {
			t.Errorf("%d values are counted, not %d", ld.(*loader).coded, want)
		}
		if _, err := ld.Commit(model.Quality{Read: int64(len(rows))}, plan.Sources); err != nil {
			t.Fatal(err)
		}
		snap, err := d.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
		in := snap.Info()
		if in.Key("many").Plain != plain || in.Key("few").Plain {
			t.Errorf("after %d values, many is plain: %v, few: %v", coded, in.Key("many").Plain, in.Key("few").Plain)
		}
		return modeltest.Dump(t, snap, modeltest.AllColumns(in))
	}
	want, got := texts(0, false), texts(maxValues, true)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("the rows are others")
	}
}
