package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dwell/model/query"
)

// What the shell completes beyond names of commands and flags: addresses and the
// values of flags that take one of a few words. Nothing here needs a data set; what
// does is completedata.go.

// completeWords has the shell complete a flag that the command has defined.
func completeWords(c *cobra.Command, flag string, words ...string) {
	// It fails only for a flag that is not defined, which a test would see.
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeAddress completes an address: the analysis, then its keys, then the
// values of a key that takes one of a few words.
func (a *app) completeAddress(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	const stay = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	head, rest, keyed := strings.Cut(typed, "?")
	if !keyed && strings.Contains(typed, "/") {
		return a.completeOf(cmd.Context(), typed), stay
	}
	if !keyed {
		return analysisNames(typed), stay
	}
	path, _, _ := strings.Cut(head, "@")
	name, _, _ := strings.Cut(path, "/")
	specs := query.Specs()
	at := slices.IndexFunc(specs, func(s query.Spec) bool { return s.Name == name })
	if at < 0 {
		return nil, stay
	}
	before := head + "?"
	if i := strings.LastIndexByte(rest, '&'); i >= 0 {
		before, rest = before+rest[:i+1], rest[i+1:]
	}
	key, value, valued := strings.Cut(rest, "=")
	var out []string
	for _, k := range specs[at].Keys {
		switch {
		case !valued && strings.HasPrefix(k.Name, key):
			out = append(out, before+k.Name+"="+"\t"+k.Help)
		case valued && k.Name == key:
			for _, w := range k.Values {
				if strings.HasPrefix(w, value) {
					out = append(out, before+key+"="+w)
				}
			}
		}
	}
	return out, stay
}

// analysisNames are the analyses that begin so, each with what it answers; one
// that needs an id ends with its slash.
func analysisNames(typed string) (out []string) {
	for _, s := range query.Specs() {
		name := s.Name
		if s.ID == query.NeedsID {
			name += "/"
		}
		if strings.HasPrefix(name, typed) {
			out = append(out, name+"\t"+s.Help)
		}
	}
	return out
}
