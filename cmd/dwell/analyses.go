package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dwell/model"
	"dwell/model/query"
)

// newAnalysis makes the subcommand of one analysis from its entry in the table
// of addresses: its flags only build an address, which show would answer alike.
func newAnalysis(a *app, s query.Spec) *cobra.Command {
	var v view
	var at string
	var address bool
	use := s.Name
	switch s.ID {
	case query.NeedsID:
		use += " " + idWord(s)
	case query.OptionalID:
		use += " [" + idWord(s) + "]"
	}
	c := &cobra.Command{
		Use:     use,
		GroupID: groupAnalysis,
		Short:   s.Help,
		Long:    s.Title + ": " + s.Help,
		Args:    analysisArgs(s),
	}
	values := map[string]*keyValues{}
	for _, k := range s.Keys {
		values[k.Name] = &keyValues{kind: valueWord(k.Type)}
		c.Flags().Var(values[k.Name], flagName(k.Name), keyHelp(k))
		words := k.Values
		if len(words) > 0 {
			// The flag was defined the line before, so this cannot fail.
			_ = c.RegisterFlagCompletionFunc(flagName(k.Name), cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	c.Flags().StringVar(&at, "at", "", "the as-of `DAY` (YYYY-MM-DD): nothing later is read")
	c.Flags().BoolVar(&address, "address", false, "print the address instead of the answer")
	v.flags(c.Flags())
	v.complete(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		q := query.Query{Analysis: s.Name, AsOf: model.NoDay}
		if len(args) > 0 {
			q.ID = args[0]
		}
		if at != "" {
			day, err := model.ParseDay(at)
			if err != nil {
				return usage(fmt.Errorf("--at: %w", err))
			}
			q.AsOf = day
		}
		for _, k := range s.Keys {
			if given := values[k.Name].given; len(given) > 0 {
				q = q.With(k.Name, given...)
			}
		}
		// Parsing what was built holds the flags to the same strictness as an
		// address.
		q, err := query.Parse(q.String())
		if err != nil {
			return usage(err)
		}
		if address {
			fmt.Fprintln(a.stdout, q.String())
			return nil
		}
		return a.show(cmd.Context(), q.String(), v)
	}
	return c
}

// keyValues collects what a flag was given, in order; whether a key may be given
// twice is the address's business to say.
type keyValues struct {
	given []string
	kind  string
}

func (v *keyValues) String() string     { return strings.Join(v.given, " ") }
func (v *keyValues) Set(s string) error { v.given = append(v.given, s); return nil }
func (v *keyValues) Type() string       { return v.kind }

// valueWord is how help writes a key's value.
func valueWord(t query.KeyType) string {
	switch t {
	case query.Int:
		return "N"
	case query.Float:
		return "X"
	case query.DayType:
		return "DAY"
	case query.RuleType:
		return "RULE"
	case query.Names:
		return "A,B"
	case query.Address:
		return "ADDRESS"
	case query.Text:
		return "TEXT"
	}
	return "WORD"
}

func idWord(s query.Spec) string {
	return strings.ToUpper(strings.ReplaceAll(s.IDIs, " ", "-"))
}

func analysisArgs(s query.Spec) cobra.PositionalArgs {
	switch s.ID {
	case query.NeedsID:
		return cobra.ExactArgs(1)
	case query.OptionalID:
		return cobra.MaximumNArgs(1)
	}
	return cobra.NoArgs
}

// flagName keeps a key from hiding one of the flags that every command has.
func flagName(key string) string {
	switch key {
	case "users", "keys", "format", "width", "explain", "at", "address", "db":
		return "q-" + key
	}
	return strings.ReplaceAll(key, "_", "-")
}

// keyHelp is one line: what the key means, its values and its default.
func keyHelp(k query.KeySpec) string {
	h := k.Help
	if len(k.Values) > 0 {
		h += " (" + strings.Join(k.Values, "|") + ")"
	}
	if k.Default != "" {
		h += "; default " + k.Default
	}
	if k.Repeat {
		h += "; may be repeated"
	}
	return h
}
