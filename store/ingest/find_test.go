package ingest

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"dwell/model"
)

func TestFindRows(t *testing.T) {
	path := write(t, "e.csv", "user_id,time,event,amount,city\nu1,2020-01-01,a,1,x\nu1,2020-01-01,a,1,y\nu1,2020-01-01,a,1,x\nu2,2020-01-02 10:00:00,b,,\"two\nlines\"\n")
	rec, _, m := loadFile(t, path, Options{})
	s, _ := m.Snapshot(context.Background())
	digest := s.Info().Sources[0].Digest
	one := model.Unit
	got, err := FindRows(context.Background(), path, digest, rec.Mapping, []Wanted{
		{User: "u1", Time: 1577836800000, Dated: true, Event: "a", Amount: one, Props: map[string]string{"city": "x"}},
		{User: "u1", Time: 1577836800000, Dated: true, Event: "a", Amount: one},
		{User: "u2", Time: 1577959200000, Event: "b", Amount: model.NoMoney},
		{User: "u2", Time: 1577959200000, Event: "c", Amount: model.NoMoney},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Place{{[]int64{2, 4}, "u1,2020-01-01,a,1,x"}, {[]int64{2, 3, 4}, "u1,2020-01-01,a,1,x"}, {[]int64{5}, "u2,2020-01-02 10:00:00,b,,\"two\nlines\""}, {}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	os.WriteFile(path, []byte("user_id,time,event,amount,city\nu1,2020-01-01,a,1,x\n"), 0o600)
	if _, err := FindRows(context.Background(), path, digest, rec.Mapping, nil); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("a changed file: %v", err)
	}
	os.Remove(path)
	if _, err := FindRows(context.Background(), path, digest, rec.Mapping, nil); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "no longer where") {
		t.Errorf("a moved file: %v", err)
	}
}

// The last row of a file may end without a line end.
func TestFindRowsLastLine(t *testing.T) {
	for name, body := range map[string]string{
		"e.csv":    "user_id,time,event\nu1,2020-01-01,a\nu2,2020-01-02,b",
		"e.ndjson": `{"user_id":"u1","time":"2020-01-01","event":"a"}` + "\n" + "\n" + `{"user_id":"u2","time":"2020-01-02","event":"b"}`,
	} {
		path := write(t, name, body)
		rec, _, m := loadFile(t, path, Options{})
		s, err := m.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got, err := FindRows(context.Background(), path, s.Info().Sources[0].Digest, rec.Mapping, []Wanted{{User: "u2", Time: 1577923200000, Dated: true, Event: "b", Amount: model.NoMoney}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := []Place{{[]int64{3}, body[len(body)-len(got[0].Text):]}}; got[0].Text == "" || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}
