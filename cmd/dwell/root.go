package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dwell/model/query"
	"dwell/model/rule"
)

// Groups of the help's list of commands.
const (
	groupStart    = "start"
	groupAnalysis = "analysis"
	groupData     = "data"
)

func newRoot(a *app) *cobra.Command {
	var o exploreOptions
	root := &cobra.Command{
		Use:   "dwell",
		Short: "Explore user lifecycles in a terminal",
		Long: `dwell loads event files into an embedded store and lets you walk from the whole
population down to one person: in which stage of its life each user is and why,
who came back, who is about to leave. Every figure opens the users behind it.
Nothing leaves the machine.`,
		Example: `  dwell demo                                  a first look, on sample data
  dwell load events.csv.gz                    load a file; columns are recognised
  dwell                                       explore what was loaded
  dwell retention --unit week                 one answer, as text
  dwell show 'retention?unit=week' --format json
  dwell show 'retention?unit=week' --users week.6/lost
  dwell user jane@example.com                 one user on one page`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.explore(cmd.Context(), "overview", o)
		},
	}
	root.SetVersionTemplate("dwell {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w%s\ntry: %s --help", err, nearFlag(cmd, err), cmd.CommandPath()))
	})
	o.flags(root)
	p := root.PersistentFlags()
	p.StringVar(&a.db, "db", "", "data set `DIR` (default: DWELL_DB, else the XDG data folder)")
	p.StringVar(&a.memory, "memory", "256MiB", "memory a load may use")
	p.StringVar(&a.logFile, "log-file", "", "append to `FILE` when the program began, with what, and how it ended")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.openLog() }

	root.AddGroup(&cobra.Group{ID: groupStart, Title: "Begin here:"},
		&cobra.Group{ID: groupAnalysis, Title: "Questions (each is also a screen and an address):"},
		&cobra.Group{ID: groupData, Title: "Data:"})
	root.AddCommand(newDemo(a), newLoad(a), newOpen(a), newShow(a), newUser(a))
	for _, s := range query.Specs() {
		switch s.Name {
		case "user": // newUser
		case "model":
			root.AddCommand(newModel(a, s))
		case "churn":
			root.AddCommand(newChurn(a, s))
		case "expected":
			root.AddCommand(newExpected(a, s))
		case "survival":
			root.AddCommand(newSurvival(a, s))
		default:
			root.AddCommand(newAnalysis(a, s))
		}
	}
	root.AddCommand(newCheck(a), newCompact(a), newBackup(a), newRestore(a), newBench(a), newDictionary(a), newNote(a), newPlaybook(a), newPaths(a), newMan(a))
	root.AddCommand(helpTopics()...)
	root.SetHelpCommandGroupID(groupData)
	root.SetCompletionCommandGroupID(groupData)
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil { // by itself it takes any word for none
		c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, c := range root.Commands() {
		argsAreUsage(c)
	}
	argsAreUsage(root)
	return root
}

// argsAreUsage gives a wrong number of arguments the exit code of a wrong
// command line.
func argsAreUsage(c *cobra.Command) {
	check := c.Args
	if check == nil {
		return
	}
	c.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err != nil && strings.Contains(err.Error(), "arg(s)") {
			// cobra counts in its own words; how the command is written says more.
			err = fmt.Errorf("%s is given %s: it is written %s", cmd.Name(), counted(int64(len(args)), "word"), cmd.UseLine())
		}
		if err != nil && strings.HasPrefix(err.Error(), "unknown command") && len(args) > 0 {
			err = wrongWord(cmd, args[0])
		}
		if err != nil {
			return usage(fmt.Errorf("%w\ntry: %s --help", err, cmd.CommandPath()))
		}
		return nil
	}
}

// wrongWord says what is wrong with a word that a command does not take.
func wrongWord(cmd *cobra.Command, word string) error {
	if !cmd.HasSubCommands() {
		return fmt.Errorf("%s takes no word %q: what it is asked is said with flags, as --where RULE", cmd.CommandPath(), word)
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() {
			names = append(names, c.Name())
		}
	}
	if near := rule.Nearest(word, names); near != "" {
		return fmt.Errorf("there is no command %q (did you mean %s?)", cmd.CommandPath()+" "+word, near)
	}
	return fmt.Errorf("there is no command %q", cmd.CommandPath()+" "+word)
}

// nearFlag is " (did you mean --X?)" for a flag that does not exist, or "".
func nearFlag(cmd *cobra.Command, err error) string {
	var wrong *pflag.NotExistError
	if !errors.As(err, &wrong) || len(wrong.GetSpecifiedName()) < 2 {
		return ""
	}
	if s := wrong.GetSpecifiedName(); s == "asof" || s == "as-of" { // as the explorer's command is called
		return " (the as-of day is --at)"
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := rule.Nearest(wrong.GetSpecifiedName(), names); near != "" {
		return " (did you mean --" + near + "?)"
	}
	return ""
}

// openLog starts the log of --log-file: when the program began, with what, and how
// it ended.
func (a *app) openLog() error {
	if a.logFile == "" {
		slog.SetDefault(slog.New(slog.DiscardHandler)) // a library's words would fall into the screen
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(a.logFile), 0o755); err != nil {
		return usage(fmt.Errorf("the log file cannot be made: %w", err))
	}
	f, err := os.OpenFile(a.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return usage(fmt.Errorf("the log file cannot be written: %w", err))
	}
	a.log = f
	slog.SetDefault(slog.New(slog.NewTextHandler(f, nil)))
	slog.Info("start", "version", version, "process", os.Getpid(), "args", strings.Join(os.Args[1:], " "))
	return nil
}

// closeLog writes down how the program ended; its last line may be lost with the disk.
func (a *app) closeLog(code int, err error) {
	if a.log == nil {
		return
	}
	if err != nil {
		slog.Error("end", "process", os.Getpid(), "code", code, "error", err)
	} else {
		slog.Info("end", "process", os.Getpid(), "code", code)
	}
	_ = a.log.Close()
}
