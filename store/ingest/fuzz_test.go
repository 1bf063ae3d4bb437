package ingest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"dwell/model"
)

// FuzzLoad puts any bytes through recognition and load: they give rows that add
// up, whatever the number of workers, or a sentence; never a panic.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"user_id,time,event,amount\nu1,2020-01-01,a,1.5\n,2020-01-01,b,x\n\"u2\",2020-01-02 10:00,\"c\nd\",\n",
		" 00001 19970101  1   11.77\r\n 00002 19970112  1   12.00\r\n",
		"{\"user_id\":\"u\",\"time\":1577836800,\"event\":\"e\",\"p\":{\"q\":[1]}}\nnope\n{\"user_id\":null}\n",
		"[{\"user_id\":\"u\",\"time\":\"2020-01-01\",\"event\":\"e\"},\n{\"user_id\":\"v\",\"time\":\"2020-01-01\",\"event\":\"e\"}, 5, {\"a\"",
		"sep=;\nuser;date;Uhrzeit\nu;1/2/2020;10:00\nv;3/2/2020;11:00\n",
		"\xff\xfeu\x00,\x00t\x00i\x00m\x00e\x00\n\x00", "user,time\ru1,2020-01-01\r\"u2,2020-01-02\r", "\x1f\x8b\x08",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o := Options{Now: testNow, Workers: 2}
		rec, err := Inspect(context.Background(), Stdin(bytes.NewReader(data)), o)
		if err != nil {
			for _, kind := range []error{ErrUnreadable, ErrNotEvents, ErrColumns, ErrOption} {
				if errors.Is(err, kind) {
					return
				}
			}
			t.Fatalf("%q: an error that is no sentence: %v", data, err)
		}
		r := &recorder{}
		info, err := Load(context.Background(), r.begin, []*Input{Stdin(bytes.NewReader(data))}, rec.Mapping, o, nil)
		if err != nil && !errors.Is(err, model.ErrNoRows) && !errors.Is(err, ErrUnreadable) {
			t.Fatalf("%q was recognised and not loaded: %v\n%s", data, err, rec.Mapping.TOML())
		}
		if errors.Is(err, ErrUnreadable) {
			return
		}
		rows := int64(0)
		for _, b := range r.batches {
			n := b.Len()
			rows += int64(n)
			if len(b.User) != n || len(b.Event) != n || len(b.Line) != n || b.Amount != nil && len(b.Amount) != n || b.Dated != nil && len(b.Dated) != n {
				t.Fatalf("%q: columns of different lengths", data)
			}
			for i := range n {
				if len(b.User[i]) == 0 || len(b.Event[i]) == 0 || b.Time[i] < minTime || b.Time[i] >= maxTime {
					t.Fatalf("%q: row %d is not fit to store", data, i)
				}
			}
			for _, p := range b.Props {
				if len(p.Values) != n || p.Key == "" {
					t.Fatalf("%q: property %q has %d values for %d rows", data, p.Key, len(p.Values), n)
				}
			}
		}
		if q := info.Quality; q.Read != rows+q.RejectedTotal() {
			t.Fatalf("%q: read %d, stored %d, rejected %d", data, q.Read, rows, q.RejectedTotal())
		}
	})
}
