package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dwell/model"
	"dwell/model/query"
	"dwell/store"
)

// newNote keeps dated notes: a release, a campaign, an outage. They stand on
// every chart over days.
func newNote(a *app) *cobra.Command {
	var remove bool
	c := &cobra.Command{
		Use:     "note [DAY TEXT...]",
		GroupID: groupData,
		Short:   "List dated notes, or add one: it stands on every chart over days",
		Long: `List the dated notes of the data set, or add one: a release, a campaign, an
outage. A note stands on every chart over days. It says when something was, not
what it caused.`,
		Example: "  dwell note\n  dwell note 2011-11-01 winter campaign\n  dwell note --remove 2011-11-01 winter campaign",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return fmt.Errorf("a note has a day and a text: dwell note 2011-11-01 winter campaign")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			dir, from := a.dataSet()
			if !store.Exists(dir) {
				return a.nothingAt(dir, from)
			}
			e, err := a.shelfEngine()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				notes, err := e.Annotations()
				for _, n := range notes {
					fmt.Fprintf(a.stdout, "%s  %s\n", n.Day, n.Text)
				}
				return err
			}
			day, err := model.ParseDay(args[0])
			if err != nil {
				return usage(err)
			}
			n := query.Annotation{Day: day, Text: strings.Join(args[1:], " ")}
			if remove {
				err := e.RemoveAnnotation(n)
				if errors.Is(err, model.ErrNoEntry) {
					return noData(fmt.Errorf("there is no note %q on %s: dwell note lists them", n.Text, n.Day))
				}
				return err
			}
			return e.PutAnnotation(n)
		},
	}
	c.Flags().BoolVar(&remove, "remove", false, "take the note away")
	return c
}
