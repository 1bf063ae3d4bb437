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
	for _, k := range s.Keys {
		c.Flags().Var(&keyValues{kind: valueWord(k.Type)}, flagName(k.Name), keyHelp(k))
		if len(k.Values) > 0 {
			completeWords(c, flagName(k.Name), k.Values...)
		}
		if k.Name == "segment" {
			_ = c.RegisterFlagCompletionFunc(flagName(k.Name), a.completeSegments) // as in completeWords
		}
	}
	if s.ID != query.NoID {
		c.ValidArgsFunction = a.completeID(s.Name)
	}
	c.Flags().String("at", "", atHelp)
	c.Flags().BoolVar(&address, "address", false, "print the address instead of the answer")
	v.flags(c.Flags())
	v.complete(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		id := ""
		if len(args) > 0 {
			id = args[0]
		}
		q, err := flagged(cmd, s, id)
		if err != nil {
			return err
		}
		if address {
			fmt.Fprintln(a.stdout, q.String())
			return nil
		}
		return a.show(cmd.Context(), q.String(), v)
	}
	return c
}

// atHelp is the help of --at.
const atHelp = "the as-of `DAY` (YYYY-MM-DD): nothing later is read"

// asOf reads --at; "" is the data's last day.
func asOf(at string) (model.Day, error) {
	if at == "" {
		return model.NoDay, nil
	}
	day, err := model.ParseDay(at)
	if err != nil {
		return model.NoDay, usage(fmt.Errorf("--at: %w", err))
	}
	return day, nil
}

// flagged is the question that the flags of an analysis' command make.
func flagged(cmd *cobra.Command, spec query.Spec, id string) (query.Query, error) {
	q := query.Query{Analysis: spec.Name, ID: id}
	var err error
	if q.AsOf, err = asOf(cmd.Flag("at").Value.String()); err != nil {
		return q, err
	}
	for _, k := range spec.Keys {
		if v, ok := cmd.Flag(flagName(k.Name)).Value.(*keyValues); ok && len(v.given) > 0 {
			q = q.With(k.Name, v.given...)
		}
	}
	// Parsing what was built holds the flags to the same strictness as an address.
	if q, err = query.Parse(q.String()); err != nil {
		return q, usage(err)
	}
	return q, nil
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
