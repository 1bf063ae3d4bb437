package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dwell/model/query"
	"dwell/model/rule"
	"dwell/tui/text"
)

// view says how an answer is printed.
type view struct {
	format  string
	keys    bool
	users   string
	explain string
	width   int
}

func (v *view) flags(f *pflag.FlagSet) {
	f.StringVar(&v.format, "format", "text", "text, json or csv")
	f.BoolVar(&v.keys, "keys", false, "list the keys of the answer's figures")
	f.StringVar(&v.users, "users", "", "print the exact users behind the figure `KEY`, one a line")
	f.StringVar(&v.explain, "explain", "", "explain the figure `KEY`: definition, formula, window, two users worked through")
	f.IntVar(&v.width, "width", 0, "columns of text (default: the terminal's, else 80)")
}

// complete has the shell complete the formats.
func (v *view) complete(c *cobra.Command) {
	completeWords(c, "format", "text", "json", "csv")
}

func newShow(a *app) *cobra.Command {
	var v view
	c := &cobra.Command{
		Use:     "show ADDRESS",
		GroupID: groupStart,
		Short:   "Print the answer to a question",
		Long: `Print the answer to a question. Its address is what a screen shows and Y copies;
dwell help addresses lists them all. An answer is text, JSON or CSV; --users
prints the exact users behind one of its figures.`,
		Example: `  dwell show overview
  dwell show 'retention?unit=week' --format json
  dwell show 'retention?unit=week' --keys
  dwell show 'retention?unit=week' --users week.6/lost
  dwell show 'users?where=stage%20%3D%3D%20%22growth%22' --format csv`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeAddress,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.show(cmd.Context(), args[0], v)
		},
	}
	v.flags(c.Flags())
	v.complete(c)
	return c
}

// show prints one answer.
func (a *app) show(ctx context.Context, address string, v view) error {
	if err := checkFormat(v.format); err != nil {
		return err
	}
	q, err := query.Parse(address)
	if err != nil {
		return usage(err)
	}
	return a.with(func(s *session) error { return a.print(ctx, s.engine, q, v) })
}

// checkFormat refuses what --format cannot be.
func checkFormat(format string) error {
	switch format {
	case "text", "json", "csv":
		return nil
	}
	return usage(fmt.Errorf("%q is not a format: use text, json or csv", format))
}

func (a *app) print(ctx context.Context, e *query.Engine, q query.Query, v view) error {
	switch {
	case v.users != "":
		l, err := e.Users(ctx, q, v.users, nil)
		if err != nil {
			return questionError(err)
		}
		if l.Figure.Carry != "" { // as the screen has them: what the list brings, highest first
			slices.SortStableFunc(l.Users, func(a, b query.User) int { return cmp.Compare(b.Score, a.Score) })
		}
		switch v.format {
		case "json":
			return query.WriteUsersJSON(a.stdout, l)
		case "csv":
			return query.WriteUsersCSV(a.stdout, l)
		}
		return query.WriteUsersText(a.stdout, l)
	case v.explain != "":
		x, err := e.Explain(ctx, q, v.explain, nil)
		if err != nil {
			return questionError(err)
		}
		return text.WriteExplanation(a.stdout, x, a.width(v))
	}
	if q.Analysis == "users" || q.Analysis == "rows" {
		if !v.keys {
			return a.printRows(ctx, e, q, v)
		}
	}
	ans, err := e.Answer(ctx, q, nil)
	if err != nil {
		return questionError(err)
	}
	switch {
	case v.keys:
		for i := range ans.Figures {
			fmt.Fprintln(a.stdout, ans.Figures[i].Key)
		}
		return nil
	case v.format == "json":
		return query.WriteJSON(a.stdout, ans)
	case v.format == "csv":
		return query.WriteCSV(a.stdout, ans)
	}
	return text.Write(a.stdout, ans, a.width(v))
}

func (a *app) width(v view) int {
	if v.width > 0 {
		return v.width
	}
	w, _ := terminal(a.stdout)
	return w
}

// questionError gives a wrong key, rule or combination the exit code of a wrong
// command line.
func questionError(err error) error {
	var bad *rule.Error
	if errors.As(err, &bad) {
		return usage(err)
	}
	if errors.Is(err, query.ErrNoFigure) || errors.Is(err, query.ErrNoName) {
		return noData(err)
	}
	return err
}

// printRows streams a windowed table, whatever its length. As JSON it is the
// answer's one object, like any other, with the rows as a last member.
func (a *app) printRows(ctx context.Context, e *query.Engine, q query.Query, v view) error {
	t, err := e.Table(ctx, q, nil)
	if err != nil {
		return questionError(err)
	}
	defer func() { _ = t.Close() }() // it was read to its end, or the error says more
	ans, err := e.Answer(ctx, q, nil)
	if err != nil {
		return questionError(err)
	}
	heads := t.Heads()
	var emit func(query.TableRow) error
	var flush func() error
	switch v.format {
	case "json":
		var object bytes.Buffer
		if err := query.WriteJSON(&object, ans); err != nil {
			return err
		}
		w := bufio.NewWriter(a.stdout)
		w.Write(bytes.TrimRight(object.Bytes(), "}\n"))
		before := ",\n \"rows\": [\n  "
		emit = func(r query.TableRow) error {
			w.WriteString(before)
			before = ",\n  "
			_, err := w.Write(rowObject(heads, r))
			return err
		}
		flush = func() error {
			if before != ",\n  " {
				w.WriteString(",\n \"rows\": [")
			}
			w.WriteString("\n ]\n}\n")
			return w.Flush()
		}
	case "csv":
		w := csv.NewWriter(a.stdout)
		names := make([]string, len(heads))
		for i, h := range heads {
			names[i] = h.Name
		}
		if err := w.Write(names); err != nil {
			return err
		}
		emit = func(r query.TableRow) error { return w.Write(rowFields(r)) }
		flush = func() error { w.Flush(); return w.Error() }
	default:
		tw := text.NewRows(a.stdout, heads, a.width(v))
		emit = tw.Row
		flush = func() error {
			if err := tw.Close(); err != nil {
				return err
			}
			for _, w := range ans.Warnings { // beside the list, which may go into a pipe
				fmt.Fprintln(a.stderr, "dwell: note:", w.Text)
			}
			return nil
		}
	}
	const window = 1000
	for from := 0; ; from += window {
		rows, err := t.Window(ctx, from, window)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := emit(r); err != nil {
				return err
			}
		}
		if len(rows) < window {
			return flush()
		}
	}
}

// rowFields are a row's cells with numbers in full.
func rowFields(r query.TableRow) []string {
	out := make([]string, len(r.Cells))
	for i, c := range r.Cells {
		out[i] = c
		if i < len(r.Values) && r.Values[i] != nil {
			out[i] = query.Number(*r.Values[i])
		}
	}
	return out
}

// rowObject is a row as a JSON object whose members keep the table's order.
func rowObject(heads []query.TableHead, r query.TableRow) json.RawMessage {
	var b strings.Builder
	b.WriteByte('{')
	for i, h := range heads {
		if i > 0 {
			b.WriteByte(',')
		}
		writeJSON(&b, h.Name)
		b.WriteByte(':')
		switch {
		case i < len(r.Values) && r.Values[i] != nil:
			b.WriteString(query.Number(*r.Values[i]))
		case i >= len(r.Cells) || r.Cells[i] == "—" || r.Cells[i] == "":
			b.WriteString("null")
		default:
			writeJSON(&b, r.Cells[i])
		}
	}
	b.WriteByte('}')
	return json.RawMessage(b.String())
}

func writeJSON(w *strings.Builder, s string) {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes, and a buffer takes every write
	w.Write(bytes.TrimSuffix(line.Bytes(), []byte("\n")))
}
