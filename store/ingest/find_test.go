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
