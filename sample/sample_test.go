package sample

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"dwell/model"
)

// generated draws the people once for all tests, which do not change them.
var generated = sync.OnceValues(func() ([]Event, Truth) { return Generate(Seed) })

func drawn(t *testing.T) ([]Event, Truth) {
	t.Helper()
	events, truth := generated()
	if len(events) == 0 || len(truth.People) < 4000 {
		t.Fatalf("%d events of %d people", len(events), len(truth.People))
	}
	return events, truth
}

// The embedded file is what the generator writes, byte for byte (of the text:
// compressors may change).
func TestEmbeddedFileIsTheGeneratorsOutput(t *testing.T) {
	_, r, err := Open("quillpad")
	if err != nil {
		t.Fatal(err)
	}
	want, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	events, _ := drawn(t)
	var got bytes.Buffer
	if err := Write(&got, events); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the embedded file (%d bytes) is not Generate(Seed) (%d bytes): run go generate ./sample", len(want), got.Len())
	}
}

func TestOtherSeedOtherData(t *testing.T) {
	a, _ := drawn(t)
	b, _ := Generate(Seed + 1)
	same := 0
	for i := range min(len(a), len(b)) {
		if a[i].Time == b[i].Time {
			same++
		}
	}
	if same > len(a)/100 {
		t.Errorf("%d of %d times are the same under another seed", same, len(a))
	}
}

func TestOpenUnknown(t *testing.T) {
	_, _, err := Open("nonesuch")
	if err == nil || !strings.Contains(err.Error(), "quillpad, cdnow") {
		t.Errorf("error %v does not say which sets there are", err)
	}
}

// The digest is that of the file as published; rows and people are those of
// its readme.
func TestCDNOWIsTheMasterFile(t *testing.T) {
	set, r, err := Open("cdnow")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	if got := hex.EncodeToString(sum[:]); got != "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef" {
		t.Errorf("digest %s", got)
	}
	lines := strings.Split(strings.TrimRight(string(body), "\r\n"), "\n")
	people := map[string]bool{}
	for _, l := range lines[1:] {
		people[strings.Fields(l)[0]] = true
	}
	if len(lines)-1 != 69_659 || len(people) != 23_570 {
		t.Errorf("%d rows of %d people, want 69659 of 23570", len(lines)-1, len(people))
	}
	if head := strings.Fields(lines[0]); head[0] != set.Hints.User || head[1] != set.Hints.Time || head[3] != set.Hints.Amount {
		t.Errorf("header %v against hints %+v", head, set.Hints)
	}
}

// Each set's dictionary is valid, survives its own file form, and names columns
// and events that the file has.
func TestDictionaries(t *testing.T) {
	for _, s := range Sets() {
		d, err := model.ParseDictionary(s.Dictionary.Format())
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if d.Starts != "complete" {
			t.Errorf("%s: starts is %q", s.Name, d.Starts)
		}
	}
	set, r, _ := Open("quillpad")
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head := strings.Join(rows[0], " ") + " "
	c := set.Dictionary.Columns
	for _, k := range append([]string{set.Hints.User, set.Hints.Time, set.Hints.Event, set.Hints.Amount, c.Currency, c.Channel, c.Arm, c.Item, c.Order, c.Inviter, c.Plan, c.PaidUntil, c.Score, c.Alias, c.Reason}, c.Searchable...) {
		if !strings.Contains(head, k+" ") {
			t.Errorf("no column %q in %s", k, head)
		}
	}
	found := map[string]int{}
	for _, row := range rows[1:] {
		found[row[2]]++
		if _, err := time.Parse(time.RFC3339, row[0]); err != nil {
			t.Fatal(err)
		}
	}
	for name := range found {
		if _, ok := set.Dictionary.Events[name]; !ok {
			t.Errorf("event %q has no meaning in the dictionary", name)
		}
	}
	for name := range set.Dictionary.Events {
		if found[name] == 0 {
			t.Errorf("the dictionary names %q, which never happens", name)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestWriteFails(t *testing.T) {
	e := []Event{{ID: "u1", Name: "open", Props: []Prop{{"colour", "red"}}}}
	if err := Write(io.Discard, e); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("an unknown column: %v", err)
	}
	if err := Write(failing{}, nil); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("a failing writer: %v", err)
	}
}
