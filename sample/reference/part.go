package reference

import (
	"context"
	"testing"

	"dwell/model"
)

// Part is the users in the first of so many equal parts of the buckets, with all
// their events: a data set of its own for laws that hold of any users, where the
// whole would take long.
func Part(t testing.TB, mem *model.Memory, of int) *model.Memory {
	t.Helper()
	snap, err := mem.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	in := snap.Info()
	f := model.Filter{Until: model.NoCut, Amounts: in.Amounts}
	for _, k := range in.Keys {
		f.Columns = append(f.Columns, k.Name)
	}
	l := newLoad(f.Columns, in.Amounts, in.Dated)
	b := &l.b
	err = snap.Scan(context.Background(), model.Split{To: model.Buckets / of}, f, func(tl *model.Timeline) error {
		user := []byte(tl.ID)
		for i, at := range tl.Time {
			b.Line = append(b.Line, int64(len(b.Line)+1))
			b.Time, b.User = append(b.Time, at), append(b.User, user)
			b.Event = append(b.Event, []byte(in.Names[tl.Name[i]].Name))
			if b.Amount != nil {
				b.Amount = append(b.Amount, tl.Amount[i])
			}
			if b.Dated != nil {
				b.Dated = append(b.Dated, tl.Dated != nil && tl.Dated[i])
			}
			for k := range b.Props {
				b.Props[k].Values = append(b.Props[k].Values, []byte(tl.Props[k].At(&in.Keys[k], i)))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.done("part", nil)
	if err != nil {
		t.Fatal(err)
	}
	return d.mem
}
