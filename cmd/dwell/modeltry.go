package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"dwell/model"
	"dwell/model/query"
	"dwell/model/stage"
)

// An edit is a model as a command line names it: a model or file, and changed
// settings.
type edit struct {
	version int
	set     []string
}

func (x *edit) flags(c *cobra.Command) {
	c.Flags().IntVar(&x.version, "version", 0, "version `N` of a model on the shelf (default: the newest)")
	c.Flags().StringArrayVar(&x.set, "set", nil, "a changed setting `PATH=VALUE`: G=60, growth.min_dwell=30, growth.promotion.when=RULE, mark.late=RULE; may be repeated")
}

// editQuery is the question of what an edit would do.
func (a *app) editQuery(x edit, args []string) (query.Query, error) {
	q := query.Query{Analysis: "restage", AsOf: model.NoDay}
	if len(args) > 0 {
		m, err := a.modelOf(args[0], x.version)
		if err != nil {
			return q, err
		}
		switch {
		case m.body != nil:
			if _, err := stage.Parse(m.body); err != nil {
				return q, usage(fmt.Errorf("%s: %w\nthe model in force was not touched", m.name, err))
			}
			q = q.With("body", string(m.body))
		default:
			q.ID = m.name
			if m.version > 0 {
				q = q.With("version", strconv.Itoa(m.version))
			}
		}
	} else if x.version != 0 {
		return q, usage(fmt.Errorf("--version is of a model: name it"))
	}
	if len(x.set) > 0 {
		q = q.With("with", x.set...)
	}
	q, err := q.Check()
	if err != nil {
		return q, usage(err)
	}
	return q, nil
}

func newModelTry(a *app) *cobra.Command {
	var x edit
	var v view
	var at string
	var within int
	c := &cobra.Command{
		Use: "try [NAME|FILE]", Short: "Stage everybody by another model and show who moves; nothing is saved",
		Long: `Stage everybody by the model in force and by another, and show who moves, how well
the stages part later activity, and how many go on to a next stage. The other is
a file, a model on the shelf or a preset; --set changes single settings of it, or
of the model in force. Nothing is saved. --users KEY lists the users behind a
figure, as flow.growth.churned.`,
		Example: "  dwell model try --set G=60\n  dwell model try purchase5\n  dwell model try mine.toml --users flow.growth.churned",
		Args:    cobra.MaximumNArgs(1),

		ValidArgsFunction: a.completeModels,
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := a.editQuery(x, args)
			if err != nil {
				return err
			}
			if q.AsOf, err = asOf(at); err != nil {
				return err
			}
			q, err = q.With("within", strconv.Itoa(within)).Check()
			if err != nil {
				return usage(err)
			}
			return modelError(a.show(cmd.Context(), q.String(), v))
		},
	}
	x.flags(c)
	c.Flags().StringVar(&at, "at", "", atHelp)
	c.Flags().IntVar(&within, "within", 90, "days in which a stage counts as left for a next one")
	v.flags(c.Flags())
	v.complete(c)
	return c
}

// modelError gives a model that cannot be used the exit code of a wrong command
// line.
func modelError(err error) error {
	if errors.Is(err, stage.ErrBadModel) {
		return usage(fmt.Errorf("%w\nthe model in force was not touched", err))
	}
	return err
}

func newModelUse(a *app) *cobra.Command {
	var x edit
	var note string
	c := &cobra.Command{
		Use: "use [NAME|FILE]", Short: "Put a model in force: a file, one on the shelf, an earlier version, a preset",
		Long: `Put a model in force: a file, a model on the shelf or an earlier version of it, or a
preset. With --set, the model with those settings changed becomes a new version.
Numbers that a model gives as expressions are suggested from the data and wait to
be confirmed. A model that does not work on the data is refused, and the one in
force stays. No event file is read again.`,
		Example: "  dwell model use purchase5\n  dwell model use mine.toml --note \"by purchases\"\n  dwell model use growth5 --version 2\n  dwell model use --set G=60 --note \"a quicker shop\"",
		Args:    cobra.MaximumNArgs(1),

		ValidArgsFunction: a.completeModels,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && len(x.set) == 0 {
				return usage(errors.New("say which model: a name, a file, or --set PATH=VALUE for an edit of the one in force"))
			}
			q, err := a.editQuery(x, args)
			if err != nil {
				return err
			}
			return a.with(func(s *session) error { return a.useModel(cmd.Context(), s.engine, x, q, note) })
		},
	}
	x.flags(c)
	c.Flags().StringVar(&note, "note", "", "why; kept with the version")
	return c
}

// useModel puts the model of an edit in force and says so.
func (a *app) useModel(ctx context.Context, e *query.Engine, x edit, q query.Query, note string) (err error) {
	switch body := q.Get("body"); {
	case len(x.set) > 0:
		_, err = e.AcceptModel(ctx, q, note)
	case body != "":
		err = e.PutModel(ctx, []byte(body), note)
	default:
		err = e.UseModel(ctx, q.ID, x.version, note)
	}
	if err != nil {
		return modelError(err)
	}
	d, err := e.Data(ctx)
	if err != nil {
		return err
	}
	word := "its numbers are suggested from the data and wait to be confirmed"
	if d.Confirmed {
		word = "its numbers are given"
	}
	fmt.Fprintf(a.stdout, "%s is in force (hash %s); %s\n", d.ModelName, d.ModelHash, word)
	return nil
}

func newModelConfirm(a *app) *cobra.Command {
	var note string
	c := &cobra.Command{
		Use: "confirm", Short: "Freeze the suggested numbers of the model in force, as a new version", Args: cobra.NoArgs,
		Long: `Freeze the numbers of the model in force as they are suggested from the data now.
From then on new data do not move them; dwell advice tells when they should be.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(func(s *session) error {
				if err := s.engine.ConfirmModel(cmd.Context(), nil, note); err != nil {
					return modelError(err)
				}
				m, err := s.engine.Model(cmd.Context(), nil)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "%s is in force (hash %s), its numbers confirmed\n", m.Name, m.Hash)
				for _, p := range m.Params {
					fmt.Fprintf(a.stdout, "  %s = %s\n", p.Name, query.Number(p.Value))
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&note, "note", "", "why; kept with the version")
	return c
}
