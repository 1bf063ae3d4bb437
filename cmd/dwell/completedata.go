package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"dwell/model"
	"dwell/model/query"
)

// What the shell completes from the data set itself: saved segments and models,
// which lie on the shelf, and users, events and properties, for which it is opened
// for reading. Tab offers nothing where that cannot be; it never says why.

// mostOffered bounds what tab offers of users: nobody reads more.
const mostOffered = 50

// completeSegments offers the saved segments.
func (a *app) completeSegments(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	e, err := a.shelfEngine()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := e.Segments()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, s := range all {
		if strings.HasPrefix(s.Name, typed) {
			out = append(out, s.Name+"\t"+s.Rule)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeModels offers the stage models of the shelf and the presets, beside files.
func (a *app) completeModels(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	e, err := a.shelfEngine()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	all, err := e.Models()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var out []string
	for _, m := range all {
		if strings.HasPrefix(m.Name, typed) {
			out = append(out, m.Name+"\t"+m.Title)
		}
	}
	return out, cobra.ShellCompDirectiveDefault
}

// completeID offers what the analysis may be asked of: users, events or properties.
func (a *app) completeID(analysis string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.namesOf(cmd.Context(), analysis, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// namesOf are the ids that an analysis may be asked of and that begin as typed; nil
// for an analysis of another kind, or if the data set cannot be read now.
func (a *app) namesOf(ctx context.Context, analysis, typed string) (out []string) {
	kind := analysis
	switch analysis {
	case "whatif", "twins":
		kind = "user"
	case "user", "event", "property":
	default:
		return nil
	}
	_ = a.with(func(s *session) error { // tab has no place for an error
		if kind == "user" {
			found, err := s.engine.Find(ctx, typed, mostOffered)
			for _, f := range found {
				if strings.HasPrefix(f.ID, typed) {
					out = append(out, f.ID)
				}
			}
			return err
		}
		snap, err := s.store.Snapshot(ctx)
		if err != nil {
			return err
		}
		offer := func(name string) {
			if strings.HasPrefix(name, typed) {
				out = append(out, name)
			}
		}
		if kind == "event" {
			for _, n := range snap.Info().Names {
				offer(n.Name)
			}
		} else {
			for _, k := range snap.Info().Keys {
				offer(k.Name)
			}
		}
		return snap.Close()
	})
	return out
}

// completeOf offers whole addresses of an analysis and what it is asked of: the
// typed begins with the analysis and a slash.
func (a *app) completeOf(ctx context.Context, typed string) (out []string) {
	name, id, _ := strings.Cut(typed, "/")
	if id != "" {
		q, err := query.Parse(typed)
		if err != nil {
			return nil
		}
		id = q.ID
	}
	for _, n := range a.namesOf(ctx, name, id) {
		out = append(out, query.Query{Analysis: name, ID: n, AsOf: model.NoDay}.String())
	}
	return out
}
