package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"dwell/model/churn"
	"dwell/model/query"
	"dwell/model/stat"
)

// newChurn is the analysis churn, which can also keep its model under a name, and
// try the same models on a plain table of features.
func newChurn(a *app, s query.Spec) *cobra.Command {
	c := newAnalysis(a, s)
	answer := c.RunE
	var save, note, rename, remove string
	var list bool
	var t churnTable
	f := c.Flags()
	f.StringVar(&save, "save", "", "keep the model on the shelf under `NAME`; --saved NAME scores by it later")
	f.StringVar(&note, "note", "", "a note kept with --save")
	f.BoolVar(&list, "list", false, "list the saved models, with what each is worth: the answer of churnmodels")
	f.StringVar(&rename, "rename", "", "give a saved model another name, `OLD=NEW`")
	f.StringVar(&remove, "remove", "", "take the saved model `NAME` off the shelf")
	f.StringVar(&t.file, "table", "", "train and test on a plain table, `FILE`.csv or .csv.gz, one row a user, instead of the data set")
	f.StringVar(&t.label, "label", "", "the `COLUMN` of --table that holds the outcome")
	f.StringVar(&t.yes, "yes", "", "the `VALUE` of that column that means churned (default: yes, true or 1)")
	f.StringSliceVar(&t.drop, "drop", nil, "`COLUMNS` of --table to leave out, parted by commas")
	c.Example = `  dwell churn                                     who will leave
  dwell churn --model boosting --horizon 30
  dwell churn --goal role:purchase --who leads    who will buy for the first time
  dwell churn --save spring --note "before the new prices"
  dwell churn --list
  dwell churn --rename spring=before-prices
  dwell churn --saved spring                      score today's users by it
  dwell churn --table customers.csv --label Churn --drop customerID`
	c.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case t.file != "":
			t.kind, t.seed = cmd.Flag("model").Value.String(), cmd.Flag("seed").Value.String()
			t.format = cmd.Flag("format").Value.String()
			return a.churnTable(cmd.Context(), t)
		case t.label != "" || t.yes != "" || len(t.drop) > 0:
			return usage(errors.New("--label, --yes and --drop are about a table: give its file with --table"))
		case list:
			v := view{format: cmd.Flag("format").Value.String()}
			return a.show(cmd.Context(), "churnmodels", v)
		case rename != "" && remove != "":
			return usage(errors.New("--rename and --remove are two things: do one, then the other"))
		case rename != "" || remove != "":
			return a.churnNames(cmd.Context(), rename, remove)
		case save != "":
			return a.churnSave(cmd, s, save, note)
		}
		return answer(cmd, args)
	}
	return c
}

// churnSave keeps the model of the question that the flags make.
func (a *app) churnSave(cmd *cobra.Command, spec query.Spec, name, note string) error {
	q, err := flagged(cmd, spec)
	if err != nil {
		return err
	}
	s, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.engine.SaveChurn(cmd.Context(), q, name, note, nil); err != nil {
		return questionError(err)
	}
	fmt.Fprintf(a.stdout, "the model is saved as %q; score by it: dwell churn --saved %s\n", name, shellWord(name))
	return nil
}

// churnNames renames or removes a saved model.
func (a *app) churnNames(ctx context.Context, rename, remove string) error {
	old, name, ok := strings.Cut(rename, "=")
	if rename != "" && (!ok || old == "" || name == "") {
		return usage(fmt.Errorf("--rename %s: write the old name, an equals sign and the new one: --rename spring=autumn", rename))
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if rename != "" {
		if err := s.engine.RenameChurn(old, name); err != nil {
			return usage(err)
		}
		fmt.Fprintf(a.stdout, "the model %q is called %q now\n", old, name)
		return nil
	}
	if err := s.engine.RemoveChurn(remove); err != nil {
		return usage(err)
	}
	fmt.Fprintf(a.stdout, "the model %q is removed; its versions stay in the shelf's folder\n", remove)
	return nil
}

// A churnTable is a plain table to train and test on.
type churnTable struct {
	file, label, yes, kind, seed, format string
	drop                                 []string
}

// churnTable trains on four fifths of a table and tests on the rest.
func (a *app) churnTable(ctx context.Context, t churnTable) error {
	if t.label == "" {
		return usage(errors.New("--table needs --label COLUMN: which column says who churned?"))
	}
	head, rows, err := readTable(t.file)
	if err != nil {
		return err
	}
	read, err := churn.ReadTable(head, rows, t.label, t.yes, t.drop)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", t.file, err))
	}
	kind := churn.LogisticKind
	if t.kind != "" {
		kind = churn.Kind(t.kind)
	}
	if kind != churn.LogisticKind && kind != churn.BoostingKind {
		return usage(fmt.Errorf("--model %s: a table has no days, so no rhythm: use logistic or boosting", kind))
	}
	seed := uint64(1)
	if t.seed != "" {
		if seed, err = strconv.ParseUint(t.seed, 10, 64); err != nil {
			return usage(fmt.Errorf("--seed: %q is not a whole number", t.seed))
		}
	}
	train, test := read.Table.Split()
	m, err := churn.Train(train, churn.Options{Kind: kind, Boosting: churn.Boosting{Seed: seed}, Clip: -1, Stop: func() bool { return ctx.Err() != nil }})
	if err != nil {
		return fmt.Errorf("%s: %w", t.file, err)
	}
	q, err := m.Judge(test, 10, stat.Level)
	if err != nil {
		return fmt.Errorf("%s: the model could not be tested: %w", t.file, err)
	}
	return a.writeTable(t.format, m, q, read)
}

// writeTable prints what a table's model is worth, and what it goes by.
func (a *app) writeTable(format string, m *churn.Model, q churn.Quality, read *churn.Reading) error {
	type line struct {
		key    string
		v      float64
		lo, hi float64
		banded bool
	}
	b := q.Bands
	lines := []line{
		{"trained", float64(m.Users), 0, 0, false}, {"tested", float64(q.N), 0, 0, false}, {"base_rate", q.BaseRate, 0, 0, false},
		{"auc", q.Area.AUC, q.Area.Lo, q.Area.Hi, q.Area.Bounded}, {"pr_auc", q.Precision, b.Precision.Lo, b.Precision.Hi, b.OK},
		{"brier", q.Brier, b.Brier.Lo, b.Brier.Hi, b.OK}, {"skill", q.Skill, b.Skill.Lo, b.Skill.Hi, b.OK}, {"log_loss", q.LogLoss, b.LogLoss.Lo, b.LogLoss.Hi, b.OK},
		{"precision10", q.Top.Precision, b.TopRate.Lo, b.TopRate.Hi, b.OK}, {"lift10", q.Top.Lift, b.Lift.Lo, b.Lift.Hi, b.OK}, {"ece", q.Calibration.ECE, 0, 0, false},
	}
	if m.Kind == churn.LogisticKind {
		lines = append(lines, line{"intercept_at_mean", m.Average(), 0, 0, false})
		for i := range m.Features {
			f := &m.Features[i]
			lines = append(lines, line{"coef." + f.Label(), f.Coef, 0, 0, false})
		}
	}
	number := func(x float64) string {
		if x == math.Trunc(x) {
			return strconv.FormatFloat(x, 'f', 0, 64)
		}
		return query.Plain(x)
	}
	switch format {
	case "csv":
		w := csv.NewWriter(a.stdout)
		if err := w.Write([]string{"key", "value", "lo", "hi"}); err != nil {
			return err
		}
		for _, l := range lines {
			row := []string{l.key, query.Number(l.v), "", ""}
			if l.banded {
				row[2], row[3] = query.Number(l.lo), query.Number(l.hi)
			}
			if err := w.Write(row); err != nil {
				return err
			}
		}
		w.Flush()
		return w.Error()
	case "json":
		var s strings.Builder
		s.WriteByte('{')
		for i, l := range lines {
			if i > 0 {
				s.WriteByte(',')
			}
			writeJSON(&s, l.key)
			s.WriteString(":" + query.Number(l.v))
			if l.banded {
				s.WriteString(",")
				writeJSON(&s, l.key+".lo")
				s.WriteString(":" + query.Number(l.lo) + ",")
				writeJSON(&s, l.key+".hi")
				s.WriteString(":" + query.Number(l.hi))
			}
		}
		s.WriteString(`,"verdict":`)
		writeJSON(&s, q.Verdict)
		s.WriteString("}\n")
		_, err := io.WriteString(a.stdout, s.String())
		return err
	case "text", "":
	default:
		return usage(fmt.Errorf("%q is not a format: use text, json or csv", format))
	}
	fmt.Fprintf(a.stdout, "%s\nTrained on %d rows; tested on every fifth row, %d of them.\n\n", q.Verdict, m.Users, q.N)
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		band := ""
		if l.banded {
			band = number(l.lo) + " to " + number(l.hi)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", l.key, number(l.v), band)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(read.Left) > 0 {
		fmt.Fprintf(a.stdout, "\nLeft out, for nearly every row has a value of its own: %s.\n", strings.Join(read.Left, ", "))
	}
	if read.Unlabelled > 0 {
		fmt.Fprintf(a.stdout, "\nLeft out, for their outcome is not known: %s.\n", counted(int64(read.Unlabelled), "row"))
	}
	if read.Missing > 0 {
		fmt.Fprintf(a.stdout, "\nTaken as no value, among numbers: %s that say NA, null or the like.\n", counted(int64(read.Missing), "cell"))
	}
	if read.NotFinite > 0 {
		fmt.Fprintf(a.stdout, "\nTaken as no value: %s that are infinite or no number (NaN).\n", counted(int64(read.NotFinite), "cell"))
	}
	if len(m.Dropped) > 0 {
		fmt.Fprintf(a.stdout, "\nLeft out, the same for all rows or too rare: %s.\n", strings.Join(m.Dropped, ", "))
	}
	return nil
}

// readTable reads a CSV file with a heading, compressed or not.
func readTable(path string) (head []string, rows [][]string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, noData(fmt.Errorf("the table cannot be read: %w", err))
	}
	defer file.Close()
	in := bufio.NewReader(file)
	var r io.Reader = in
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if r, err = gzip.NewReader(in); err != nil {
			return nil, nil, fmt.Errorf("%s: it begins like gzip and is not: %w", path, err)
		}
	}
	in = bufio.NewReaderSize(r, 1<<16)
	c := csv.NewReader(in)
	c.Comma = comma(in)
	rows, err = c.ReadAll()
	if err != nil {
		return nil, nil, usage(fmt.Errorf("%s is not a table of values parted by commas, semicolons or tabs: %w", path, err))
	}
	if len(rows) == 0 {
		return nil, nil, usage(fmt.Errorf("%s is empty", path))
	}
	if len(rows) < 2 {
		return nil, nil, usage(fmt.Errorf("%s holds no rows below its heading", path))
	}
	rows[0][0] = strings.TrimPrefix(rows[0][0], "\ufeff")
	return rows[0], rows[1:], nil
}

// comma is what parts the fields of a table's heading: a semicolon or a tab where
// it holds no comma.
func comma(in *bufio.Reader) rune {
	head, _ := in.Peek(1 << 15) // a shorter file gives what there is
	head, _, _ = bytes.Cut(head, []byte("\n"))
	switch {
	case bytes.ContainsRune(head, ','):
	case bytes.ContainsRune(head, ';'):
		return ';'
	case bytes.ContainsRune(head, '\t'):
		return '\t'
	}
	return ','
}
