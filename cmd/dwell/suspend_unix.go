//go:build !windows

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// suspend is how ctrl+z stops the program until fg, with all that stand in one
// pipeline with it.
func suspend() func() error {
	return func() error {
		on := make(chan os.Signal, 1)
		signal.Notify(on, syscall.SIGCONT)
		defer signal.Stop(on)
		if err := syscall.Kill(0, syscall.SIGTSTP); err != nil {
			return err
		}
		select {
		case <-on:
		case <-time.After(300 * time.Millisecond): // where no shell could bring it back it was not stopped
		}
		return nil
	}
}
