package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
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
	kept := saving{noun: "model", list: "churnmodels", save: (*query.Engine).SaveChurn, remove: (*query.Engine).RemoveChurn, rename: (*query.Engine).RenameChurn}
	kept.flags(c)
	var t churnTable
	f := c.Flags()
	f.StringVar(&t.file, "table", "", "train and test on a plain table, `FILE`.csv or .csv.gz (- is standard input), one row a user, instead of the data set")
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
		}
		if done, err := kept.run(a, cmd, s); done {
			return err
		}
		return answer(cmd, args)
	}
	return c
}

// A churnTable is a plain table to train and test on.
type churnTable struct {
	file, label, yes, kind, seed, format string
	drop                                 []string
}

// churnTable trains on four fifths of a table and tests on the rest.
func (a *app) churnTable(ctx context.Context, t churnTable) error {
	if err := checkFormat(t.format); err != nil {
		return err
	}
	if t.label == "" {
		return usage(errors.New("--table needs --label COLUMN: which column says who churned?"))
	}
	head, rows, err := a.readTable(t.file, false)
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

// A tableFigure is one line about a table's model, with an interval where it has one.
type tableFigure struct {
	key    string
	v      float64
	lo, hi float64
	banded bool
}

// tableFigures are what a table's model is worth, and its coefficients.
func tableFigures(m *churn.Model, q churn.Quality) []tableFigure {
	b := q.Bands
	out := []tableFigure{
		{"trained", float64(m.Users), 0, 0, false}, {"tested", float64(q.N), 0, 0, false}, {"base_rate", q.BaseRate, 0, 0, false},
		{"auc", q.Area.AUC, q.Area.Lo, q.Area.Hi, q.Area.Bounded}, {"pr_auc", q.Precision, b.Precision.Lo, b.Precision.Hi, b.OK},
		{"brier", q.Brier, b.Brier.Lo, b.Brier.Hi, b.OK}, {"skill", q.Skill, b.Skill.Lo, b.Skill.Hi, b.OK}, {"log_loss", q.LogLoss, b.LogLoss.Lo, b.LogLoss.Hi, b.OK},
		{"precision10", q.Top.Precision, b.TopRate.Lo, b.TopRate.Hi, b.OK}, {"lift10", q.Top.Lift, b.Lift.Lo, b.Lift.Hi, b.OK}, {"ece", q.Calibration.ECE, 0, 0, false},
	}
	if m.Kind == churn.LogisticKind {
		out = append(out, tableFigure{"intercept_at_mean", m.Average(), 0, 0, false})
		for i := range m.Features {
			f := &m.Features[i]
			out = append(out, tableFigure{"coef." + f.Label(), f.Coef, 0, 0, false})
		}
	}
	return out
}

// writeTable prints what a table's model is worth, and what it goes by.
func (a *app) writeTable(format string, m *churn.Model, q churn.Quality, read *churn.Reading) error {
	figures := tableFigures(m, q)
	switch format {
	case "csv":
		return writeFiguresCSV(a.stdout, figures)
	case "json":
		return writeFiguresJSON(a.stdout, figures, q.Verdict)
	}
	fmt.Fprintf(a.stdout, "%s\nTrained on %d rows; tested on every fifth row, %d of them.\n\n", q.Verdict, m.Users, q.N)
	number := func(x float64) string {
		if x == math.Trunc(x) {
			return strconv.FormatFloat(x, 'f', 0, 64)
		}
		if math.Abs(x) < 1e-9 { // the coefficient of a measure in the thousand millions is not 0
			return strconv.FormatFloat(x, 'g', 3, 64)
		}
		return query.Plain(x)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, f := range figures {
		band := ""
		if f.banded {
			band = number(f.lo) + " to " + number(f.hi)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.key, number(f.v), band)
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

func writeFiguresCSV(to io.Writer, figures []tableFigure) error {
	w := csv.NewWriter(to)
	if err := w.Write([]string{"key", "value", "lo", "hi"}); err != nil {
		return err
	}
	for _, f := range figures {
		row := []string{f.key, query.Number(f.v), "", ""}
		if f.banded {
			row[2], row[3] = query.Number(f.lo), query.Number(f.hi)
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func writeFiguresJSON(to io.Writer, figures []tableFigure, verdict string) error {
	var s strings.Builder
	s.WriteByte('{')
	for _, f := range figures {
		writeJSON(&s, f.key)
		s.WriteString(":" + query.Number(f.v) + ",")
		if f.banded {
			writeJSON(&s, f.key+".lo")
			s.WriteString(":" + query.Number(f.lo) + ",")
			writeJSON(&s, f.key+".hi")
			s.WriteString(":" + query.Number(f.hi) + ",")
		}
	}
	s.WriteString(`"verdict":`)
	writeJSON(&s, verdict)
	s.WriteString("}\n")
	_, err := io.WriteString(to, s.String())
	return err
}
