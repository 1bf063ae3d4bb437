package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dwell/model/query"
	"dwell/model/survival"
	"dwell/tui/text"
)

// newSurvival is the analysis's subcommand, and with --table the same estimates
// of a plain table of durations, for which no data set is needed.
func newSurvival(a *app, s query.Spec) *cobra.Command {
	c := newAnalysis(a, s)
	var q query.TableQuestion
	var file, ties string
	own := pflag.NewFlagSet("table", pflag.ContinueOnError)
	own.StringVar(&file, "table", "", "a CSV `FILE` of durations (- for standard input) instead of the data set")
	own.StringVar(&q.Time, "time", "", "with --table: the `COLUMN` of durations")
	own.StringVar(&q.Event, "event", "", "with --table: the `COLUMN` that says whether it ended there (1, true, yes), else censored")
	own.StringVar(&q.Died, "died", "", "with --table: the `VALUE` of the event column that is an end, if it is none of these")
	own.StringVar(&q.Entry, "entry", "", "with --table: the `COLUMN` from when on each was watched (left truncation)")
	own.StringVar(&q.Group, "group", "", "with --table: compare by this `COLUMN`")
	own.StringSliceVar(&q.Cox, "cox", nil, "with --table: Cox regression on these columns, `A,B`")
	own.StringVar(&ties, "ties", "efron", "with --table: ties of the regression, efron or breslow")
	c.Flags().AddFlagSet(own)
	c.Long += `

With --table it reads a CSV of durations, one row a life, and needs no data set:
curve, median, mean and hazard; with --group the log-rank test; the four fits;
with --cox a regression.`
	c.Example = `  dwell survival --by cohort
  dwell survival --age 28 --by stage
  dwell survival --table rossi.csv --time week --event arrest --group fin --cox fin,age`
	analysis := c.RunE
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("table") {
			var stray string
			own.VisitAll(func(f *pflag.Flag) {
				if cmd.Flags().Changed(f.Name) {
					stray = f.Name
				}
			})
			if stray != "" {
				return usage(fmt.Errorf("--%s belongs to --table FILE", stray))
			}
			return analysis(cmd, args)
		}
		allowed := []string{"format", "width", "keys", "log-file", "db", "memory"}
		var wrong string
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if own.Lookup(f.Name) == nil && !slices.Contains(allowed, f.Name) {
				wrong = f.Name
			}
		})
		switch {
		case wrong != "":
			return usage(fmt.Errorf("--%s is about the events of a data set: it does not go with --table", wrong))
		case q.Time == "" || q.Event == "":
			return usage(errors.New("--table needs --time and --event: the columns of the durations and of whether they ended"))
		}
		switch q.Ties = survival.Ties(ties); q.Ties {
		case survival.Efron, survival.Breslow:
		default:
			return usage(fmt.Errorf("--ties is efron or breslow, not %q", ties))
		}
		q.Name = filepath.Base(file)
		head, rows, err := a.readTable(file, true)
		if err != nil {
			return err
		}
		ans, err := query.SurvivalOfTable(&survival.Table{Names: head, Rows: rows}, q)
		if err != nil {
			return usage(fmt.Errorf("%s: %w", q.Name, err))
		}
		return a.printTableAnswer(cmd.Flags(), ans)
	}
	return c
}

// printTableAnswer prints an answer that no engine stands behind.
func (a *app) printTableAnswer(f *pflag.FlagSet, ans *query.Answer) error {
	format, err := f.GetString("format")
	if err != nil {
		return err
	}
	width, err := f.GetInt("width")
	if err != nil {
		return err
	}
	if keys, err := f.GetBool("keys"); err != nil {
		return err
	} else if keys {
		for i := range ans.Figures {
			fmt.Fprintln(a.stdout, ans.Figures[i].Key)
		}
		return nil
	}
	if err := checkFormat(format); err != nil {
		return err
	}
	switch format {
	case "json":
		return query.WriteJSON(a.stdout, ans)
	case "csv":
		return query.WriteCSV(a.stdout, ans)
	}
	return text.Write(a.stdout, ans, a.width(view{width: width}))
}
