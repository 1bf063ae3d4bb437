package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dwell/model"
	"dwell/store"
)

func newDictionary(a *app) *cobra.Command {
	var set, note string
	c := &cobra.Command{
		Use:     "dictionary",
		GroupID: groupData,
		Short:   "Print or replace the dictionary: what event names and columns mean",
		Long: `Print the data set's dictionary, or replace it: which events are use, purchase,
refund, cancel …, which column is currency, channel, order …, and in which zone
days are counted. Changing it reads no event file again.

Meanings: ` + roleHelp(),
		Example: `  dwell dictionary > d.toml
  $EDITOR d.toml
  dwell dictionary --set d.toml --note "trial_started is a signup"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if set != "" {
				return a.setDictionary(set, note)
			}
			return a.with(func(s *session) error {
				_, body, err := s.engine.Dictionary()
				if err != nil {
					return err
				}
				_, err = a.stdout.Write(body)
				return err
			})
		},
	}
	c.Flags().StringVar(&set, "set", "", "take the dictionary from `FILE` (- is standard input)")
	c.Flags().StringVar(&note, "note", "", "why it was changed; kept with the version")
	return c
}

// mostDictionary bounds a dictionary file: some hundred thousand event names.
const mostDictionary = 16 << 20

func (a *app) setDictionary(file, note string) error {
	dir, from := a.dataSet()
	if !store.Exists(dir) {
		return a.nothingAt(dir, from)
	}
	body, err := a.readSmall("dictionary", file, mostDictionary)
	if err != nil {
		return err
	}
	if _, err := model.ParseDictionary(body); err != nil {
		return usage(fmt.Errorf("%s: %w\nthe dictionary in force was not touched", file, err))
	}
	e, err := store.NewShelf(dir, a.now).Put(model.KindDictionary, model.KindDictionary, body, note)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "the dictionary is now version %d\n", e.Version)
	return nil
}

// readSmall reads a file that people write (- is standard input), of at most most
// bytes: one named by mistake must not be half of what is kept.
func (a *app) readSmall(what, file string, most int64) ([]byte, error) {
	in := a.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usage(fmt.Errorf("the %s cannot be read: %w", what, err))
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, usage(fmt.Errorf("the %s cannot be read: %w", what, err))
	}
	if int64(len(body)) > most {
		return nil, usage(fmt.Errorf("%s is longer than %d bytes: that is no %s", file, most, what))
	}
	return body, nil
}

// writeDictionary prints what a dictionary says, in a few lines.
func writeDictionary(w io.Writer, d *model.Dictionary) {
	fmt.Fprintf(w, "guessed dictionary (dwell dictionary prints it, --set changes it)\n")
	fmt.Fprintf(w, "  days      in %s, weeks from %s\n", d.Zone, d.WeekStart)
	byRole := map[string][]string{}
	var roles []string
	for name, role := range d.Events {
		if byRole[role] == nil {
			roles = append(roles, role)
		}
		byRole[role] = append(byRole[role], name)
	}
	slices.Sort(roles)
	for _, role := range roles {
		slices.Sort(byRole[role])
		fmt.Fprintf(w, "  %-9s %s\n", role, strings.Join(byRole[role], ", "))
	}
	c := d.Columns
	for _, col := range [][2]string{{"currency", c.Currency}, {"channel", c.Channel}, {"arm", c.Arm}, {"item", c.Item}, {"order", c.Order}, {"inviter", c.Inviter}, {"plan", c.Plan}, {"paid until", c.PaidUntil}, {"period", c.Period}, {"score", c.Score}, {"rating", c.Rating}, {"reason", c.Reason}} {
		if col[1] != "" {
			fmt.Fprintf(w, "  %-9s column %s\n", col[0], col[1])
		}
	}
}
