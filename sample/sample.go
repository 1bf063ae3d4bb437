// Package sample holds the data sets that come with the program and the
// generator of the first of them.
//
// "quillpad" is a made-up writing app with a shop for templates: 18 months of
// contacts, sign-ups, use, purchases, refunds, invites, answers, complaints and
// cancellations of some five thousand people. It is drawn from latent rates and
// death times (see Generate), never from the stage rules, so that stages,
// curves and predictions can be held against a truth that they did not make.
// "cdnow" is real: the purchases of the CDNOW master file.
//
// Invariants: the embedded quillpad file is the output of Generate(Seed) byte
// for byte, which a test says; nobody acts after death; the phases of a life
// cover it from the first contact to the end of the data without a gap.
//
//	set, rows, err := sample.Open("cdnow")
//	fmt.Println(set.Title, set.Dictionary.Zone)
//	io.Copy(dst, rows) // text, already decompressed
package sample

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"strings"

	"dwell/model"
)

//go:generate go run ./gen data/quillpad.csv.gz

//go:embed data/quillpad.csv.gz data/CDNOW_master.txt.gz
var files embed.FS

// A Set is one embedded data set and how to read it.
type Set struct {
	Name   string // quillpad, cdnow
	Title  string
	Origin string // where it comes from and under which terms
	File   string // the name under which its rows are stored and cited
	Hints  Hints

	// Dictionary says what the names and columns mean. It is the caller's own
	// copy.
	Dictionary *model.Dictionary
}

// Hints are what a loader needs to know of a file's layout: the answers that
// the flags of "dwell load" would give. "" leaves a thing to recognition.
type Hints struct {
	User       string // column of the user's id
	Time       string
	TimeFormat string // Go layout, or "" for RFC 3339
	Zone       string // of times without one
	Event      string // column of the event's name …
	EventConst string // … or the one name that all rows have
	Amount     string
}

// Sets are the embedded data sets, the default one first.
func Sets() []Set { return []Set{quillpad(), cdnow()} }

// Open finds a set by name and gives its rows as text, decompressed. It fails
// with a sentence that lists the sets if there is none of that name.
func Open(name string) (Set, io.Reader, error) {
	var known []string
	for _, s := range Sets() {
		known = append(known, s.Name)
		if s.Name != name {
			continue
		}
		body, err := files.ReadFile("data/" + s.File + ".gz")
		if err != nil {
			return Set{}, nil, fmt.Errorf("open the embedded set %s: %w", name, err)
		}
		rows, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return Set{}, nil, fmt.Errorf("open the embedded set %s: %w", name, err)
		}
		return s, rows, nil
	}
	return Set{}, nil, fmt.Errorf("there is no embedded set %q: use one of %s", name, strings.Join(known, ", "))
}

func quillpad() Set {
	d := model.NewDictionary()
	d.Starts = "complete" // the app opened on the first day
	for _, e := range eventRoles {
		d.Events[e.name] = e.role.String()
	}
	d.Columns = model.Columns{
		Currency: "currency", Channel: "channel", Arm: "arm", Item: "item", Order: "order_id",
		Inviter: "inviter", Plan: "plan", PaidUntil: "paid_until", Score: "score", Rating: "rating", Alias: "alias",
		Reason: "reason", Personal: []string{"email"}, Searchable: []string{"email", "order_id"},
	}
	return Set{
		Name:       "quillpad",
		Title:      "Quillpad, a made-up writing app with a template shop, 18 months",
		Origin:     "Made by this program's own generator (sample.Generate): no real person is in it.",
		File:       "quillpad.csv",
		Hints:      Hints{User: "user_id", Time: "time", Zone: "UTC", Event: "event", Amount: "amount"},
		Dictionary: d,
	}
}

func cdnow() Set {
	d := model.NewDictionary()
	d.Starts = "complete" // the cohort made its first purchase in the first twelve weeks
	d.Events["purchase"] = model.Purchase.String()
	return Set{
		Name:   "cdnow",
		Title:  "CDNOW, an early online record shop: every purchase of 23,570 customers, 1997-01-01 to 1998-06-30",
		Origin: "Bruce Hardie's public CDNOW file, published for research by Peter Fader and Bruce Hardie; taken from github.com/CamDavidsonPilon/lifetimes (MIT), lifetimes/datasets.",
		File:   "CDNOW_master.txt",
		Hints: Hints{User: "customer_id", Time: "date", TimeFormat: "20060102", Zone: "UTC",
			EventConst: "purchase", Amount: "dollar_value"},
		Dictionary: d,
	}
}
