package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dwell/model"
	"dwell/model/query"
)

// newExpected is the analysis expected, which can also keep its fit under a name.
func newExpected(a *app, s query.Spec) *cobra.Command {
	c := newAnalysis(a, s)
	answer := c.RunE
	var save, note, remove string
	var list bool
	f := c.Flags()
	f.StringVar(&save, "save", "", "keep the fit on the shelf under `NAME`; --saved NAME goes by it later")
	f.StringVar(&note, "note", "", "a note kept with --save")
	f.BoolVar(&list, "list", false, "list the saved fits: the answer of fits")
	f.StringVar(&remove, "remove", "", "take the saved fit `NAME` off the shelf")
	c.Example = `  dwell expected                                  what each buyer will bring in a year
  dwell expected --horizon 39w --model pareto
  dwell expected --save spring --note "before the new prices"
  dwell expected --saved spring                   foretell by it from today's data
  dwell expected --list`
	c.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case save != "" && remove != "":
			return usage(errors.New("--save and --remove are two things: do one, then the other"))
		case list:
			return a.show(cmd.Context(), "fits", view{format: cmd.Flag("format").Value.String()})
		case remove != "":
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer s.close()
			if err := s.engine.RemoveExpected(remove); err != nil {
				return usage(err)
			}
			fmt.Fprintf(a.stdout, "the fit %q is removed; its versions stay in the shelf's folder\n", remove)
			return nil
		case save != "":
			return a.expectedSave(cmd, s, save, note)
		}
		return answer(cmd, args)
	}
	return c
}

// expectedSave keeps the fit of the question that the flags make.
func (a *app) expectedSave(cmd *cobra.Command, spec query.Spec, name, note string) error {
	q, err := flagged(cmd, spec)
	if err != nil {
		return err
	}
	s, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.engine.SaveExpected(cmd.Context(), q, name, note, nil); err != nil {
		return questionError(err)
	}
	fmt.Fprintf(a.stdout, "the fit is saved as %q; go by it: dwell expected --saved %s\n", name, shellWord(name))
	return nil
}

// shellWord writes a name as a shell takes it.
func shellWord(name string) string {
	if strings.ContainsAny(name, " '$&;|<>()*?") {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}

// flagged is the question that an analysis' flags make.
func flagged(cmd *cobra.Command, spec query.Spec) (query.Query, error) {
	q := query.Query{Analysis: spec.Name, AsOf: model.NoDay}
	if at := cmd.Flag("at").Value.String(); at != "" {
		day, err := model.ParseDay(at)
		if err != nil {
			return q, usage(fmt.Errorf("--at: %w", err))
		}
		q.AsOf = day
	}
	for _, k := range spec.Keys {
		if v, ok := cmd.Flag(flagName(k.Name)).Value.(*keyValues); ok && len(v.given) > 0 {
			q = q.With(k.Name, v.given...)
		}
	}
	q, err := query.Parse(q.String())
	if err != nil {
		return q, usage(err)
	}
	return q, nil
}
