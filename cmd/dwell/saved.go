package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dwell/model/query"
)

// A saving is the part of an analysis' command that keeps what was fitted under a
// name: the trained models of churn, the fits of expected value.
type saving struct {
	noun string // model, fit
	list string // the analysis that lists them

	save   func(e *query.Engine, ctx context.Context, q query.Query, name, note string, p query.Progress) error
	remove func(e *query.Engine, name string) error
	rename func(e *query.Engine, old, name string) error // nil: there is no such thing

	// What the flags say.
	as, note, from, gone string
	listed               bool
}

// flags defines the flags on the analysis' command.
func (v *saving) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&v.as, "save", "", "keep the "+v.noun+" on the shelf under `NAME`; --saved NAME goes by it later")
	f.StringVar(&v.note, "note", "", "a note kept with --save")
	f.BoolVar(&v.listed, "list", false, "list the saved "+v.noun+"s, with what each is worth: the answer of "+v.list)
	f.StringVar(&v.gone, "remove", "", "take the saved "+v.noun+" `NAME` off the shelf")
	if v.rename != nil {
		f.StringVar(&v.from, "rename", "", "give a saved "+v.noun+" another name, `OLD=NEW`")
	}
}

// run does what the flags ask for; done is false if they ask for nothing of this
// kind, and the analysis answers.
func (v *saving) run(a *app, cmd *cobra.Command, spec query.Spec) (done bool, err error) {
	asked := 0
	for _, flag := range []bool{v.as != "", v.from != "", v.gone != "", v.listed} {
		if flag {
			asked++
		}
	}
	switch {
	case asked > 1:
		return true, usage(errors.New("--save, --list, --rename and --remove are things of their own: do one, then the other"))
	case v.note != "" && v.as == "":
		return true, usage(errors.New("--note is kept with a saved " + v.noun + ": give it a name with --save"))
	case v.listed:
		format, width := cmd.Flag("format").Value.String(), 0
		if width, err = cmd.Flags().GetInt("width"); err != nil {
			return true, err
		}
		return true, a.show(cmd.Context(), v.list, view{format: format, width: width})
	case v.from != "":
		return true, a.with(v.renamed(a))
	case v.gone != "":
		return true, a.with(v.removed(a))
	case v.as == "":
		return false, nil
	}
	q, err := flagged(cmd, spec, "")
	if err != nil {
		return true, err
	}
	return true, a.with(func(s *session) error {
		if err := v.save(s.engine, cmd.Context(), q, v.as, v.note, nil); err != nil {
			return questionError(err)
		}
		fmt.Fprintf(a.stdout, "the %s is saved as %q; go by it: %s\n", v.noun, v.as, a.again("dwell "+spec.Name+" --saved "+shellWord(v.as)))
		return nil
	})
}

func (v *saving) renamed(a *app) func(*session) error {
	return func(s *session) error {
		old, name, ok := strings.Cut(v.from, "=")
		if !ok || old == "" || name == "" {
			return usage(fmt.Errorf("--rename %s: write the old name, an equals sign and the new one: --rename spring=autumn", v.from))
		}
		if err := v.rename(s.engine, old, name); err != nil {
			return usage(err)
		}
		fmt.Fprintf(a.stdout, "the %s %q is called %q now\n", v.noun, old, name)
		return nil
	}
}

func (v *saving) removed(a *app) func(*session) error {
	return func(s *session) error {
		if err := v.remove(s.engine, v.gone); err != nil {
			return usage(err)
		}
		fmt.Fprintf(a.stdout, "the %s %q is removed; its versions stay in the shelf's folder\n", v.noun, v.gone)
		return nil
	}
}

// again is a command to type next, over the same data set.
func (a *app) again(command string) string {
	if a.db != "" { // without it another data set opens
		command += " --db " + shellWord(a.db)
	}
	return command
}

// shellWord writes a name as a shell takes it.
func shellWord(name string) string {
	if strings.ContainsAny(name, " '$&;|<>()*?") {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}
