package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"dwell/model"
	"dwell/model/query"
	"dwell/model/stage"
	"dwell/store"
)

// newModel is the analysis model, with the commands that change which stage
// model is in force.
func newModel(a *app, s query.Spec) *cobra.Command {
	c := newAnalysis(a, s)
	c.Short = "The stage model in force; list, check, try, use and compare others"
	c.Long = `The stage model in force: its stages, rules and numbers.

A stage model is a TOML file of 2 to 12 stages. dwell model show prints one to
begin from; every line of the presets is explained there. What an edit would do
is looked at before anything is saved (try), and every version is kept (log).`
	c.Example = `  dwell model                                     the model in force
  dwell model list                                the models there are
  dwell model show purchase5 > mine.toml          a file to begin from
  dwell model check mine.toml                     is it right, and for these data?
  dwell model try mine.toml                       who would move
  dwell model try --set G=60                      the same for one changed number
  dwell model use mine.toml --note "by purchases"
  dwell model use growth5 --version 2             back to an earlier version
  dwell model diff growth5@1 growth5@2
  dwell model confirm                             its suggested numbers are right`
	c.AddCommand(newModelList(a), newModelShow(a), newModelCheck(a), newModelTry(a), newModelUse(a), newModelConfirm(a), newModelDiff(a), newModelLog(a))
	for _, sub := range c.Commands() {
		argsAreUsage(sub)
	}
	return c
}

// A modelArg is how a command line names a model: a file, or NAME or NAME@N.
type modelArg struct {
	name    string
	version int
	body    []byte // of a file
}

// modelOf reads a name of a model: "-" and what looks like a path is a file.
func (a *app) modelOf(arg string, version int) (modelArg, error) {
	if arg == "-" || strings.ContainsAny(arg, "./\\") && !strings.Contains(arg, "@") {
		if version != 0 {
			return modelArg{}, usage(fmt.Errorf("%s is a file: --version is of a model on the shelf", arg))
		}
		body, err := a.readSmall("model", arg, stage.MaxBytes)
		return modelArg{name: arg, body: body}, err
	}
	name, n, ok := strings.Cut(arg, "@")
	if ok {
		v, err := strconv.Atoi(n)
		if err != nil || v < 1 || version != 0 {
			return modelArg{}, usage(fmt.Errorf("%q is no model: write NAME@VERSION, as growth5@2", arg))
		}
		version = v
	}
	return modelArg{name: name, version: version}, nil
}

// text is the model's TOML.
func (m modelArg) text(e *query.Engine) ([]byte, error) {
	if m.body != nil {
		return m.body, nil
	}
	return e.ModelBody(m.name, m.version)
}

// shelfEngine is an engine over the data set's shelf alone, for what asks no
// question of the events: it works where no data set is, too, on the presets.
func (a *app) shelfEngine() (*query.Engine, error) {
	dir, _ := a.dataSet()
	if !store.Exists(dir) {
		m := model.NewMemory()
		return query.New(m, m, nil, query.Options{})
	}
	return query.New(model.NewMemory(), store.NewShelf(dir, a.now), nil, query.Options{})
}

func newModelList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the models on the shelf and the presets", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			e, err := a.shelfEngine()
			if err != nil {
				return err
			}
			all, err := e.Models()
			if err != nil {
				return err
			}
			return writeModels(a.stdout, all)
		},
	}
}

func newModelLog(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "log [NAME]", Short: "List the versions of a model, or what has been in force", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeModels,
		RunE: func(_ *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			e, err := a.shelfEngine()
			if err != nil {
				return err
			}
			all, err := e.ModelLog(name)
			if err != nil {
				return noData(err)
			}
			if len(all) == 0 {
				fmt.Fprintf(a.stdout, "%s has been in force from the beginning\n", stage.Default)
				return nil
			}
			return writeModels(a.stdout, all)
		},
	}
}

func writeModels(w io.Writer, all []query.ModelVersion) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "\tmodel\tversion\tstages\tnumbers\thash\tsince\tnote")
	for _, v := range all {
		now, version, numbers, since := "", "preset", "suggested", ""
		if v.InForce {
			now = "*"
		}
		if v.Version > 0 {
			version, since = strconv.Itoa(v.Version), time.UnixMilli(v.At).UTC().Format("2006-01-02 15:04")
		}
		if v.Older > 0 {
			version += fmt.Sprintf(" (in force: %d)", v.Older)
		}
		if v.Frozen {
			numbers = "given"
		}
		note := v.Note
		if note == "" {
			note = v.Title
		}
		if v.Broken != "" {
			numbers, note = "—", "cannot be used: "+v.Broken
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", now, v.Name, version, len(v.Stages), numbers, v.Hash, since, note)
	}
	return tw.Flush()
}

func newModelShow(a *app) *cobra.Command {
	version := 0
	c := &cobra.Command{
		Use: "show [NAME|FILE]", Short: "Print a model's file: that in force, one on the shelf, or a preset", Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeModels,
		RunE: func(_ *cobra.Command, args []string) error {
			var m modelArg
			var err error
			if len(args) > 0 {
				if m, err = a.modelOf(args[0], version); err != nil {
					return err
				}
			}
			e, err := a.shelfEngine()
			if err != nil {
				return err
			}
			body, err := m.text(e)
			if err != nil {
				return noData(err)
			}
			_, err = a.stdout.Write(body)
			return err
		},
	}
	c.Flags().IntVar(&version, "version", 0, "version `N` of a model on the shelf (default: the newest)")
	return c
}

func newModelDiff(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "diff A [B]", Short: "Compare two models setting by setting; B is the one in force if left out",
		Long: `Compare two models setting by setting. Each is a file, the name of a model on the
shelf or a preset, or NAME@VERSION. B is the model in force if it is left out.
The paths are those that --set takes.`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeModels,
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := a.shelfEngine()
			if err != nil {
				return err
			}
			var ms [2]*stage.Model
			for i := range ms {
				m := modelArg{}
				if i < len(args) {
					if m, err = a.modelOf(args[i], 0); err != nil {
						return err
					}
				}
				body, err := m.text(e)
				if err != nil {
					return noData(err)
				}
				if ms[i], err = stage.Parse(body); err != nil {
					return usage(fmt.Errorf("%s: %w", m.name, err))
				}
			}
			ds := stage.Diff(ms[0], ms[1])
			if len(ds) == 0 {
				fmt.Fprintln(a.stdout, "the models do not differ")
				return nil
			}
			for _, d := range ds {
				if d.Old != "" {
					fmt.Fprintf(a.stdout, "- %s = %s\n", d.Path, d.Old)
				}
				if d.New != "" {
					fmt.Fprintf(a.stdout, "+ %s = %s\n", d.Path, d.New)
				}
			}
			return nil
		},
	}
}

func newModelCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "check FILE", Short: "Check a model's file, alone and against the data; nothing is changed", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := a.readSmall("model", args[0], stage.MaxBytes)
			if err != nil {
				return err
			}
			m, err := stage.Parse(body)
			if err != nil {
				return usage(fmt.Errorf("%s: %w\nthe model in force was not touched", args[0], err))
			}
			if dir, _ := a.dataSet(); !store.Exists(dir) {
				fmt.Fprintf(a.stdout, "%s: %d stages, right in itself; there is no data set to check its rules against\n", m.Name, len(m.Stages))
				return nil
			}
			return a.withModel(cmd.Context(), args[0], body, func(_ *query.Engine, m *stage.Model) error {
				fmt.Fprintf(a.stdout, "%s: %d stages, hash %s; its rules hold with these data\n", m.Name, len(m.Stages), m.Hash())
				for _, s := range m.Params {
					fmt.Fprintf(a.stdout, "  %s = %s\n", s.Name, strconv.FormatFloat(s.Value, 'f', -1, 64))
				}
				return nil
			})
		},
	}
}

// withModel opens the data set and does something with a model that works on it.
func (a *app) withModel(ctx context.Context, name string, body []byte, do func(*query.Engine, *stage.Model) error) error {
	return a.with(func(s *session) error {
		m, err := s.engine.CheckModel(ctx, body, nil)
		if errors.Is(err, stage.ErrBadModel) {
			return usage(fmt.Errorf("%s: %w\nthe model in force was not touched", name, err))
		}
		if err != nil {
			return err
		}
		return do(s.engine, m)
	})
}
