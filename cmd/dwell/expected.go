package main

import (
	"github.com/spf13/cobra"

	"dwell/model/query"
)

// newExpected is the analysis expected, which can also keep its fit under a name.
func newExpected(a *app, s query.Spec) *cobra.Command {
	c := newAnalysis(a, s)
	answer := c.RunE
	kept := saving{noun: "fit", list: "fits", save: (*query.Engine).SaveExpected, remove: (*query.Engine).RemoveExpected}
	kept.flags(c)
	c.Example = `  dwell expected                                  what each buyer will bring in a year
  dwell expected --horizon 39w --model pareto
  dwell expected --save spring --note "before the new prices"
  dwell expected --saved spring                   foretell by it from today's data
  dwell expected --list`
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if done, err := kept.run(a, cmd, s); done {
			return err
		}
		return answer(cmd, args)
	}
	return c
}
