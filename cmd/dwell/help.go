package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/query"
)

// helpTopics are `dwell help TOPIC` for what is no command.
func helpTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "addresses", Short: "The addresses of all questions, with their keys", Long: addressHelp()},
		{Use: "rules", Short: "The rule language of --where, segments and stages", Long: ruleHelp()},
		{Use: "exit-codes", Short: "What the program's exit code says", Long: exitHelp},
		{Use: "formats", Short: "Which files can be loaded", Long: formatHelp},
	}
}

func addressHelp() string {
	var b strings.Builder
	b.WriteString(`A question has one address:

    analysis ["/" id] ["@" day] {("?" | "&") key "=" value}
    retention@2011-12-09?unit=week&where=plan%20%3D%3D%20%22pro%22

Every byte of an id or value outside A–Z a–z 0–9 - . _ ~ , : is percent-encoded
(a blank is %20). Keys left out take their default. What is not in this table is
refused. The same keys are the flags of the subcommand: --unit week.
`)
	for _, s := range query.Specs() {
		id := ""
		switch s.ID {
		case query.NeedsID:
			id = "/" + idWord(s)
		case query.OptionalID:
			id = "[/" + idWord(s) + "]"
		}
		fmt.Fprintf(&b, "\n%s%s\n    %s\n", s.Name, id, s.Help)
		for _, k := range s.Keys {
			fmt.Fprintf(&b, "      %-14s %s\n", k.Name, keyHelp(k))
		}
	}
	return b.String()
}

func ruleHelp() string {
	var b strings.Builder
	b.WriteString(`A rule is true or false of one user on one day. It is written over measures,
properties, stages and saved segments:

    stage == "growth" and rate_ratio < 0.7 and country in ["DE", "AT"]
    count("purchase", 30) >= 2 and not (plan == "free")
    revenue_90 > 100 and known(email)

A property is its last value up to the day; first(plan) is its earliest, and
prop("odd name") reaches one whose name is no word. A comparison with a missing
value is false; known(x) says whether there is one. Operators: and or not,
== != < <= > >=, + - * /, in, contains, startsWith, endsWith, matches, ?:.
Days count back from the day judged: count("use", 7) is that day and six before.

Measures:
`)
	for _, f := range measure.Families() {
		name := f.Name
		if f.Args != "" {
			name += "(" + f.Args + ")"
		}
		fmt.Fprintf(&b, "  %-38s %s\n", name, f.Definition)
	}
	return b.String()
}

const formatHelp = `CSV with a comma, tab, semicolon, pipe or runs of blanks between fields, with or
without a header line. JSON, one object a line (NDJSON) or an array of objects;
nested members are named with dots. Both plain, gzip or zstd, and in UTF-8, UTF-16
or Windows-1252, which are recognised, or as --encoding says. Parquet, of which a
column that is not kept (--props) is not read, and the folders of a parted table
(country=DE/part.parquet) are columns.

Lines that begin with # above a CSV header are left out, and it is said how many. A
FILE may be - (standard input) or a pipe; of several files those that are known
already, or empty, are left out by name and the others loaded.

Columns are recognised by name and by content; dwell load --dry-run FILE shows
what would be stored. A file needs a user id and a time; the event's name may be
a column or one word for all rows (--event-const).

Times: 2010-12-01T08:26:00Z and its variants, 2010-12-01 08:26:00.123, Unix
seconds or milliseconds, dates alone, 19970101, 12/1/2010 8:26, 1 Dec 2010, the
day numbers of Excel, or --time-format in Go's or strftime's notation. Times
without a zone are read in --tz.`

func newMan(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		GroupID: groupData,
		Short:   "Write the manual pages into a folder",
		Example: "  dwell man ~/.local/share/man/man1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			head := &doc.GenManHeader{Title: "DWELL", Section: "1", Source: "dwell " + version}
			if err := makeDir(args[0]); err != nil {
				return err
			}
			if err := doc.GenManTree(cmd.Root(), head, args[0]); err != nil {
				return fmt.Errorf("the manual pages cannot be written: %w", err)
			}
			fmt.Fprintf(a.stdout, "manual pages written to %s; try: man -l %s/dwell.1\n", args[0], args[0])
			return nil
		},
	}
}

// roleHelp lists the words of the dictionary.
func roleHelp() string { return strings.Join(model.RoleNames(), " ") }
