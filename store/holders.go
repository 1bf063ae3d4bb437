package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// A holder says who has a data set open. The lock on the data set keeps people apart;
// the files here only put a name to it, so a missing one does no harm. Each is locked
// by whoever made it for as long as it holds the data set: so the dead are known
// even where another process has their number by now.
type holder struct {
	PID     int       `toml:"pid"`
	Command string    `toml:"command"`
	Mode    string    `toml:"mode"` // reading, writing, recovering
	Since   time.Time `toml:"since"`
	Locked  bool      `toml:"locked"` // the file is; absent in those of earlier programs
}

const (
	modeReading    = "reading"
	modeWriting    = "writing"
	modeRecovering = "recovering"
)

// register writes this process down as a holder until release, as far as the medium
// lets it.
func register(dir, mode string, now time.Time) (release func()) {
	h := holder{PID: os.Getpid(), Command: commandLine(), Mode: mode, Since: now.UTC().Truncate(time.Second), Locked: canShare}
	body, err := toml.Marshal(h)
	if err != nil {
		return func() {}
	}
	d := filepath.Join(dir, dirHolders)
	if err := os.MkdirAll(d, 0o777); err != nil {
		return func() {}
	}
	// A colleague who may read but not write the data set cannot leave a name
	// here; whoever owns it may clean up.
	var path string
	unlock, err := claim(func() (_ string, err error) {
		path, err = createFunc(createTemp).write(d, fmt.Sprintf("%d-", h.PID), body, false)
		return path, err
	})
	if err != nil {
		return func() {}
	}
	_ = os.Chmod(path, 0o644)
	return func() {
		_ = os.Remove(path)
		unlock()
	}
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
		if h, lives := readHolder(filepath.Join(d, e.Name())); lives && h.PID > 0 {
			out = append(out, h)
		}
	}
	return out
}

// readHolder reads one holder's file and removes that of a dead one. One that cannot
// be read lives if it is locked.
func readHolder(path string) (h holder, lives bool) {
	body, err := os.ReadFile(path)
	if err != nil {
		return holder{}, false // gone, or not ours to judge
	}
	whole := toml.Unmarshal(body, &h) == nil && h.PID > 0
	unlock, err := lockDir(path, false) // shared: two that look do not see each other as holders
	if err == nil {
		defer unlock()
	}
	switch {
	case errors.Is(err, errLocked):
		return h, true
	case whole && (err != nil || !h.Locked || !canShare):
		lives = alive(h.PID) // no lock says so
	case err != nil:
		return h, false
	}
	if !lives {
		_ = os.Remove(path)
	}
	return h, lives
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
