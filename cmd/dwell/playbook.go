package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"dwell/model"
	"dwell/model/query"
	"dwell/store"
)

// newPlaybook shows, checks and changes the playbook: which tier a user at risk
// is in, and what is suggested.
func newPlaybook(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "playbook",
		GroupID: groupData,
		Short:   "The tiers of users at risk and what is suggested; show, check and change them",
		Long: `The playbook says which tier a user of the list of those at risk is in (notice,
at risk, critical), from probability, value and where the user can be reached, and
what is suggested for each tier and stage. It is a TOML file on the data set's
shelf; until one is put there, a default holds. The program sends nothing: the
suggestions are texts for a person, and dwell targets writes the lists.`,
		Example: `  dwell playbook                                the tiers in force
  dwell playbook show > playbook.toml           a file to begin from
  dwell playbook check playbook.toml
  dwell playbook use playbook.toml --note "calls for the top accounts only"
  dwell playbook drop                           back to the default
  dwell targets --users tier.critical --format csv > call.csv`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := a.playbook()
			if err != nil {
				return err
			}
			return writePlaybook(a.stdout, s)
		},
	}
	c.AddCommand(
		&cobra.Command{Use: "show", Short: "Print the playbook in force, a file to begin from", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				s, err := a.playbook()
				if err != nil {
					return err
				}
				_, err = a.stdout.Write(s.Body)
				return err
			}},
		&cobra.Command{Use: "check FILE", Short: "Say whether a playbook can be used, with line and column of what is wrong", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				s, err := a.playbookFile(args[0])
				if err != nil {
					return err
				}
				if s.Note != "" {
					fmt.Fprintf(a.stderr, "note: %s\n", s.Note)
				}
				s.Note = ""
				return writePlaybook(a.stdout, s)
			}},
		newPlaybookUse(a),
		&cobra.Command{Use: "drop", Short: "Take the playbook off the shelf: the default holds again", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				e, err := a.shelfEngine()
				if err != nil {
					return err
				}
				if err := e.DropPlaybook(); err != nil {
					if errors.Is(err, model.ErrNoEntry) {
						return noData(errors.New("there is no playbook on the shelf: the default is in force already"))
					}
					return err
				}
				fmt.Fprintln(a.stdout, "the default playbook is in force")
				return nil
			}})
	for _, sub := range c.Commands() {
		argsAreUsage(sub)
	}
	return c
}

// playbook is the one in force.
func (a *app) playbook() (query.PlaybookState, error) {
	e, err := a.shelfEngine()
	if err != nil {
		return query.PlaybookState{}, err
	}
	return e.Playbook()
}

func newPlaybookUse(a *app) *cobra.Command {
	var note string
	c := &cobra.Command{Use: "use FILE", Short: "Put a playbook on the shelf, and in force", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, from := a.dataSet()
			if !store.Exists(dir) {
				return a.nothingAt(dir, from)
			}
			s, err := a.playbookFile(args[0])
			if err != nil {
				return err
			}
			e, err := a.shelfEngine()
			if err != nil {
				return err
			}
			version, err := e.PutPlaybook(s.Body, note)
			if err != nil {
				return usage(err)
			}
			if s.Note != "" {
				fmt.Fprintf(a.stderr, "note: %s\n", s.Note)
			}
			fmt.Fprintf(a.stdout, "version %d of the playbook is in force: dwell targets shows its tiers\n", version)
			return nil
		}}
	c.Flags().StringVar(&note, "note", "", "why, kept with this version")
	return c
}

// mostPlaybook bounds a playbook file.
const mostPlaybook = 1 << 20

// playbookFile reads a file and checks it against the stage models.
func (a *app) playbookFile(name string) (query.PlaybookState, error) {
	body, err := a.readSmall("playbook", name, mostPlaybook)
	if err != nil {
		return query.PlaybookState{}, err
	}
	e, err := a.shelfEngine()
	if err != nil {
		return query.PlaybookState{}, err
	}
	s, err := e.CheckPlaybook(body)
	if err != nil {
		return s, usage(fmt.Errorf("%s: %w", name, err))
	}
	return s, nil
}

// writePlaybook prints the tiers as a table.
func writePlaybook(w io.Writer, s query.PlaybookState) error {
	switch {
	case s.Broken != "":
		return usage(fmt.Errorf("%s\ntry: dwell playbook use FILE with a mended one, or dwell playbook drop", s.Broken))
	case s.Version > 0:
		fmt.Fprintf(w, "version %d, put here on %s", s.Version, time.UnixMilli(s.At).UTC().Format(time.DateOnly))
		if s.Note != "" {
			fmt.Fprintf(w, ": %s", s.Note)
		}
		fmt.Fprint(w, "\n\n")
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TIER\tPROBABILITY\tRISK\tVALUE\tREACHED BY\tSUGGESTED")
	or := func(x string) string {
		if x == "" {
			return "any"
		}
		return x
	}
	from := func(x string) string {
		if x == "" {
			return "any"
		}
		return x + " third"
	}
	for _, x := range s.Playbook.Tiers {
		fmt.Fprintf(t, "%s\tfrom %g%%\t%s\t%s\t%s\t%s\n", x.Name, 100*x.Probability, from(x.Risk), from(x.Value), or(x.Reach), x.Suggest)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nreached inside the product: active within %d days\n", s.Playbook.ReachDays)
	for _, x := range s.Playbook.Stages {
		fmt.Fprintf(w, "%s (%s): %s\n", x.Name, x.Aim, strings.Join(x.Suggest, "; "))
	}
	for _, x := range s.Playbook.Cases {
		fmt.Fprintf(w, "%s, %s: %s\n", x.Tier, x.Stage, x.Suggest)
	}
	return nil
}
