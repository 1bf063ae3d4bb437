package query

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"dwell/model"
)

// The encodings of an answer: what `show --format json|csv` prints and what an
// export writes. Rates stay fractions, figures keep every digit, and a figure
// without a value is null in JSON and empty in CSV, never zero.

type jsonAnswer struct {
	Address     string       `json:"address"`
	Analysis    string       `json:"analysis"`
	Title       string       `json:"title"`
	Definition  string       `json:"definition,omitempty"`
	AsOf        string       `json:"as_of"`
	Zone        string       `json:"zone"`
	DataVersion string       `json:"data_version"`
	Model       string       `json:"model"`
	Figures     []jsonFigure `json:"figures"`
	Warnings    []Warning    `json:"warnings"`
	Text        []jsonText   `json:"text,omitempty"`
}

// jsonText is what an answer says in words beside its figures: the stage of a
// user and why, a summary, a proof.
type jsonText struct {
	Name  string   `json:"name"`
	Title string   `json:"title"`
	Lines []string `json:"lines"`
}

type jsonFigure struct {
	Key          string   `json:"key"`
	Label        string   `json:"label"`
	Kind         Kind     `json:"kind"`
	Value        *float64 `json:"value"`
	Unit         string   `json:"unit"`
	N            int64    `json:"n"`
	Lo           *float64 `json:"lo,omitempty"`
	Hi           *float64 `json:"hi,omitempty"`
	Method       string   `json:"method,omitempty"`
	Open         int64    `json:"open,omitempty"`
	OpenReturned int64    `json:"open_returned,omitempty"`
}

// WriteJSON writes the answer as one JSON object with a final newline.
func WriteJSON(w io.Writer, a *Answer) error {
	out := jsonAnswer{
		Address: a.Address, Analysis: a.Query.Analysis, Title: a.Title, Definition: a.Definition,
		AsOf: a.AsOf.String(), Zone: a.Zone, DataVersion: a.Data.String(), Model: a.Model,
		Figures: make([]jsonFigure, 0, len(a.Figures)), Warnings: a.Warnings,
	}
	if out.Warnings == nil {
		out.Warnings = []Warning{}
	}
	for i := range a.Figures {
		f := &a.Figures[i]
		j := jsonFigure{Key: f.Key, Label: f.Label, Kind: f.Kind, Unit: f.Unit, N: f.N, Open: f.Open, OpenReturned: f.OpenReturned}
		if !f.None {
			j.Value = &f.Value
		}
		if f.Interval {
			j.Lo, j.Hi, j.Method = &f.Lo, &f.Hi, f.Method
		}
		out.Figures = append(out.Figures, j)
	}
	for _, bl := range a.Blocks {
		if bl.Kind == TextBlock && len(bl.Lines) > 0 {
			out.Text = append(out.Text, jsonText{bl.Name, bl.Title, bl.Lines})
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(out)
}

// WriteCSV writes one line a figure, with a heading.
func WriteCSV(w io.Writer, a *Answer) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"key", "label", "kind", "value", "unit", "n", "lo", "hi", "method", "open"}); err != nil {
		return err
	}
	for i := range a.Figures {
		f := &a.Figures[i]
		row := []string{f.Key, f.Label, string(f.Kind), "", f.Unit, strconv.FormatInt(f.N, 10), "", "", "", strconv.FormatInt(f.Open, 10)}
		if !f.None {
			row[3] = Number(f.Value)
		}
		if f.Interval {
			row[6], row[7], row[8] = Number(f.Lo), Number(f.Hi), f.Method
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// Number writes a number with every digit it needs and no exponent.
func Number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// WriteUsersCSV writes the users behind a figure, one line each: user and, where
// the figure has them, amount or times, and what else its list carries.
func WriteUsersCSV(w io.Writer, l *List) error {
	c := csv.NewWriter(w)
	head := []string{"user"}
	kind := l.Figure.Kind
	switch kind {
	case Sum:
		head = append(head, "amount")
	case Rows:
		head = append(head, "times")
	case Pairs:
		head = append(head, "interval")
	}
	f := &l.Figure
	for _, name := range []string{f.Carry, f.Beside} {
		if name != "" {
			head = append(head, name)
		}
	}
	if f.More != "" {
		head = append(head, f.More, "tier", "suggested")
		for i := range namedSignals {
			head = append(head, fmt.Sprintf("signal %d", i+1), fmt.Sprintf("log-odds %d", i+1))
		}
	}
	if err := c.Write(head); err != nil {
		return err
	}
	for i := range l.Users {
		if err := c.Write(append(l.Users[i].fields(kind), l.carried(i)...)); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// carried are the numbers and texts that a list says of each user beside amount
// and times.
func (l *List) carried(i int) (out []string) {
	f, u := &l.Figure, &l.Users[i]
	if f.Carry != "" {
		out = append(out, Number(u.Score))
	}
	if f.Beside != "" {
		out = append(out, Number(u.Beside))
	}
	if f.More != "" {
		m := u.More
		if m == nil {
			m = &UserMore{}
		}
		out = append(out, Number(m.Value), m.Tier, m.Suggest)
		for i := range namedSignals {
			text, odds := "", ""
			if i < len(m.Why) {
				text, odds = m.Why[i].Text, Number(m.Why[i].LogOdds)
			}
			out = append(out, text, odds)
		}
	}
	return out
}

func (u *User) fields(kind Kind) []string {
	row := []string{u.ID}
	switch kind {
	case Sum:
		row = append(row, u.Amount.String())
	case Rows, Pairs:
		row = append(row, strconv.FormatInt(u.Times, 10))
	}
	return row
}

// WriteUsersText writes one id a line, followed by a tab and the amount or times
// where the figure has them. Line ends and tabs within an id are written as \n, \r
// and \t, so that there are as many lines as users; CSV and JSON hold any id as it
// is.
func WriteUsersText(w io.Writer, l *List) error {
	oneLine := strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`)
	for i := range l.Users {
		row := l.Users[i].fields(l.Figure.Kind)
		row[0] = oneLine.Replace(row[0])
		if _, err := io.WriteString(w, strings.Join(row, "\t")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// WriteUsersJSON writes one JSON object a line: user and, where the figure has
// them, amount or times, and what else its list carries, by the names that a CSV
// has in its heading.
func WriteUsersJSON(w io.Writer, l *List) error {
	f := &l.Figure
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	put := func(encode func() error) error { // without the encoder's line end
		err := encode()
		if n := line.Len(); n > 0 && line.Bytes()[n-1] == '\n' {
			line.Truncate(n - 1)
		}
		return err
	}
	word := func(key, value string) error {
		line.WriteByte(map[bool]byte{true: '{', false: ','}[line.Len() == 0])
		if err := put(func() error { return e.Encode(key) }); err != nil {
			return err
		}
		line.WriteByte(':')
		return put(func() error { return e.Encode(value) })
	}
	number := func(key string, value float64) error {
		line.WriteByte(',')
		if err := put(func() error { return e.Encode(key) }); err != nil {
			return err
		}
		line.WriteByte(':')
		return put(func() error { return e.Encode(value) })
	}
	for i := range l.Users {
		u := &l.Users[i]
		line.Reset()
		err := word("user", u.ID)
		if f.Kind == Sum && u.Amount != model.NoMoney {
			err = errors.Join(err, number("amount", u.Amount.Float()))
		}
		if f.Kind == Rows || f.Kind == Pairs {
			err = errors.Join(err, number("times", float64(u.Times)))
		}
		if f.Carry != "" {
			err = errors.Join(err, number(f.Carry, u.Score))
		}
		if f.Beside != "" {
			err = errors.Join(err, number(f.Beside, u.Beside))
		}
		if m := u.More; m != nil {
			name := f.More
			if name == "" {
				name = "value"
			}
			err = errors.Join(err, number(name, m.Value))
			for _, x := range [][2]string{{"tier", m.Tier}, {"suggested", m.Suggest}} {
				if x[1] != "" {
					err = errors.Join(err, word(x[0], x[1]))
				}
			}
			if len(m.Why) > 0 {
				line.WriteString(`,"signals":`)
				err = errors.Join(err, put(func() error { return e.Encode(m.Why) }))
			}
		}
		if err != nil {
			return fmt.Errorf("user %q: %w", u.ID, err)
		}
		line.WriteString("}\n")
		if _, err := w.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
