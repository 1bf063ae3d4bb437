package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"dwell/model"
	"dwell/model/modeltest"
)

// A grown is a file that is followed, as the test sees it.
type grown struct {
	name   string
	rows   []modeltest.Row
	stored int // rows in the data set, by whatever loads
	stream string
}

// fewRows draws rows of which many are equal.
func fewRows(r *rand.Rand, n int) (out []modeltest.Row) {
	for range n {
		row := see(fmt.Sprint("u", r.IntN(2)), int64(r.IntN(2))*1000)
		if r.IntN(2) == 0 {
			row.Event = "buy"
			row.Amount = model.Money(r.IntN(2))
		}
		row.Props = map[string]string{}
		for _, k := range []string{"b", "a"} { // numbered in the order of their coming
			if r.IntN(3) == 0 {
				row.Props[k] = fmt.Sprint("v", r.IntN(2))
			}
		}
		out = append(out, row)
	}
	return out
}

// Whatever order files, pieces of files that are followed, and mergings come in, each
// content is stored as often as it stands in that source which has it most often.
func TestEqualRowsOfManySources(t *testing.T) {
	r := rand.New(rand.NewPCG(freshSeed(t), 21))
	for run := range long(6, 200) {
		d := open(t, Options{Workers: 1 + r.IntN(2)})
		most := map[string]int{}
		count := func(rows []modeltest.Row) {
			n := map[string]int{}
			for _, row := range rows {
				text := contentOf(&row)
				n[text]++
				most[text] = max(most[text], n[text])
			}
		}
		digest := func(name string, n int) string { return fmt.Sprint(name, " up to ", n) }
		var files []*grown
		for range 2 {
			files = append(files, &grown{name: fmt.Sprint("file", len(files))})
		}
		for step := range 14 {
			f := files[r.IntN(len(files))]
			f.rows = append(f.rows, fewRows(r, 1+r.IntN(6))...)
			src := model.SourceInfo{Path: f.name, Digest: digest(f.name, len(f.rows)), Bytes: int64(len(f.rows))}
			plan := model.LoadPlan{Zone: "UTC", At: int64(step)}
			rows := f.rows
			switch r.IntN(6) {
			case 0: // the whole file, by an ordinary load; a follow goes on from it
				f.stream = src.Digest
			case 1: // another file, which repeats some of it
				rows = append(append([]modeltest.Row(nil), f.rows[len(f.rows)/2:]...), fewRows(r, 2)...)
				src = model.SourceInfo{Path: "other", Digest: fmt.Sprint("other ", step), Bytes: int64(len(rows))}
			default:
				if f.stream != "" && infoOf(t, d).Counted(f.stream) {
					src.From = int64(f.stored)
					rows = f.rows[f.stored:]
				}
				if src.Stream = f.stream; f.stream == "" {
					f.stream, src.Stream = src.Digest, src.Digest
				}
			}
			plan.Sources = []model.SourceInfo{src}
			mustLoadRows(t, d, plan, rows...)
			if src.Path == f.name {
				f.stored = len(f.rows)
				count(f.rows)
			} else {
				count(rows)
			}
			if r.IntN(4) == 0 {
				if _, err := d.Compact(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			if t.Failed() {
				return
			}
		}
		mustCheck(t, d.Store)
		got := map[string]int{}
		snap, err := d.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		in := snap.Info()
		f := modeltest.AllColumns(in)
		err = snap.Scan(context.Background(), model.Split{To: model.Buckets}, f, func(tl *model.Timeline) error {
			for i := range tl.Time {
				row := modeltest.Row{User: tl.ID, Time: tl.Time[i], Event: in.Names[tl.Name[i]].Name, Amount: model.NoMoney, Props: map[string]string{}}
				if tl.Amount != nil {
					row.Amount = tl.Amount[i]
				}
				for k := range tl.Props {
					if v := tl.Props[k].At(in.Key(f.Columns[k]), i); v != "" {
						row.Props[f.Columns[k]] = v
					}
				}
				got[contentOf(&row)]++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		snap.Close()
		for text, n := range most {
			if got[text] != n {
				t.Errorf("run %d: %s is stored %d times, and stands up to %d times in one file", run, text, got[text], n)
			}
		}
		for text := range got {
			if most[text] == 0 {
				t.Errorf("run %d: %s is stored and stands nowhere", run, text)
			}
		}
	}
}

func contentOf(r *modeltest.Row) string {
	return fmt.Sprint(r.User, " ", r.Time, " ", r.Event, " ", r.Amount, " ", r.Props)
}

func infoOf(t *testing.T, d *onDisk) *model.Info {
	t.Helper()
	s, err := d.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return s.Info()
}
