package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// A holder says who has a data set open. Badger's lock keeps people apart; the
// files here only put a name to it, so a missing or stale one does no harm.
type holder struct {
	PID     int       `toml:"pid"`
	Command string    `toml:"command"`
	Mode    string    `toml:"mode"` // reading, writing, recovering
	Since   time.Time `toml:"since"`
}

const (
	modeReading    = "reading"
	modeWriting    = "writing"
	modeRecovering = "recovering"
)

// register writes this process down as a holder and gives the file's path; "" if
// the medium does not let it.
func register(dir, mode string, now time.Time) string {
	h := holder{PID: os.Getpid(), Command: commandLine(), Mode: mode, Since: now.UTC().Truncate(time.Second)}
	body, err := toml.Marshal(h)
	if err != nil {
		return ""
	}
	d := filepath.Join(dir, dirHolders)
	if err := os.MkdirAll(d, 0o777); err != nil {
		return ""
	}
	// A colleague who may read but not write the data set cannot leave a name
	// here; whoever owns it may clean up.
	f, err := os.CreateTemp(d, fmt.Sprintf("%d-*.toml", h.PID))
	if err != nil {
		return ""
	}
	defer f.Close()
	_ = f.Chmod(0o644)
	if _, err := f.Write(body); err != nil {
		os.Remove(f.Name())
		return ""
	}
	return f.Name()
}

// commandLine is the program and its arguments, shortened for a sentence.
func commandLine() string {
	args := append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...)
	s := []rune(strings.Join(args, " "))
	if len(s) > 80 {
		s = append(s[:79], '…')
	}
	return string(s)
}

// holders lists who holds the data set and lives, removing what the dead left.
func holders(dir string) []holder {
	d := filepath.Join(dir, dirHolders)
	entries, err := os.ReadDir(d)
	if err != nil {
		return nil
	}
	var out []holder
	for _, e := range entries {
		path := filepath.Join(d, e.Name())
		body, err := os.ReadFile(path)
		var h holder
		if err != nil || toml.Unmarshal(body, &h) != nil || h.PID <= 0 {
			continue
		}
		if !alive(h.PID) {
			os.Remove(path)
			continue
		}
		out = append(out, h)
	}
	return out
}

// recovering says that a reader is mending what a killed writer left; it is a
// matter of moments.
func recovering(hs []holder) bool {
	for _, h := range hs {
		if h.Mode == modeRecovering {
			return true
		}
	}
	return false
}

// refusal is the sentence for somebody who wanted the data set to read or write.
func refusal(dir string, hs []holder, readOnly bool) error {
	var who []string
	for _, h := range hs {
		if readOnly && h.Mode == modeReading {
			continue // readers do not keep readers out
		}
		who = append(who, fmt.Sprintf("%q (process %d) has held it for %s since %s", h.Command, h.PID, h.Mode, h.Since.Local().Format("2006-01-02 15:04:05")))
		if len(who) == 3 && len(hs) > 3 {
			who = append(who, fmt.Sprintf("%d more", len(hs)-3))
			break
		}
	}
	if who == nil {
		who = []string{"another process holds it"}
	}
	advice := "wait until the load ends, or stop it"
	if !readOnly {
		advice = "close it there, then try again"
	}
	return fmt.Errorf("%s: %w: %s; %s", dir, ErrInUse, strings.Join(who, "; "), advice)
}
