package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"dwell/model/query"
)

func newUser(a *app) *cobra.Command {
	var v view
	var at string
	c := &cobra.Command{
		Use:     "user TEXT",
		GroupID: groupStart,
		Short:   "Print one user: stage and why, measures, history",
		Long: `Print one user on one page. TEXT is an id or a part of one, or of a property that
the dictionary marks as searchable (e-mail, order number). If several users fit,
they are listed.`,
		Example: "  dwell user 17850\n  dwell user jane@example.com\n  dwell user 17850 --at 2011-06-30 --format json",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: a.completeID("user"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.user(cmd.Context(), args[0], at, v)
		},
	}
	c.Flags().StringVar(&at, "at", "", atHelp)
	v.flags(c.Flags())
	v.complete(c)
	return c
}

// candidates is how many users a search prints.
const candidates = 20

func (a *app) user(ctx context.Context, text, at string, v view) error {
	day, err := asOf(at)
	if err != nil {
		return err
	}
	q := query.Query{Analysis: "user", AsOf: day}
	return a.with(func(s *session) error { return a.findUser(ctx, s.engine, q, text, v) })
}

func (a *app) findUser(ctx context.Context, e *query.Engine, q query.Query, text string, v view) error {
	found, err := e.Find(ctx, text, candidates+1)
	if err != nil {
		return err
	}
	exact := ""
	for _, f := range found {
		if f.ID == text || f.Has == text {
			if exact != "" && exact != f.ID {
				exact = ""
				break
			}
			exact = f.ID
		}
	}
	switch {
	case len(found) == 0:
		return noData(fmt.Errorf("nobody's id or searchable property holds %q\ntry: a shorter part of it, or mark more properties as searchable: dwell dictionary", text))
	case exact != "":
		q.ID = exact
	case len(found) == 1:
		q.ID = found[0].ID
	default:
		fmt.Fprintf(a.stdout, "several users hold %q:\n", text)
		for i, f := range found {
			if i == candidates {
				fmt.Fprintln(a.stdout, "  … and more: give more of the text")
				break
			}
			if f.By == "id" {
				fmt.Fprintf(a.stdout, "  %s\n", f.ID)
			} else {
				fmt.Fprintf(a.stdout, "  %s  (%s %s)\n", f.ID, f.By, f.Has)
			}
		}
		return &coded{exitNoData, errSilent}
	}
	return a.print(ctx, e, q, v)
}
