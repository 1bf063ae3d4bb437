package main

import (
	"errors"

	"dwell/model"
	"dwell/store"
)

// Exit codes; `dwell help exit-codes` prints them.
const (
	exitOK        = 0
	exitFailure   = 1
	exitUsage     = 2
	exitNoData    = 3
	exitBusy      = 4
	exitInput     = 5
	exitDamaged   = 6
	exitCancelled = 130
)

const exitHelp = `0    done
1    something failed; the sentence on standard error says what to try
2    the command line, an address or a rule is wrong
3    there is no data set there, or no such user, event, property or figure in it
4    the data set is in use by a program that must have it alone
5    an input file cannot be loaded: nothing of it was stored
6    the data set is damaged: dwell check names where
130  cancelled; nothing was half-done`

// errSilent ends the program with a code and without a further sentence.
var errSilent = errors.New("already said")

// coded gives an error its exit code.
type coded struct {
	code int
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

func usage(err error) error  { return &coded{exitUsage, err} }
func noData(err error) error { return &coded{exitNoData, err} }

func exitCode(err error) int {
	var c *coded
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &c):
		return c.code
	case errors.Is(err, model.ErrNoUser):
		return exitNoData
	case errors.Is(err, store.ErrDamaged):
		return exitDamaged
	case errors.Is(err, model.ErrKnownSource), errors.Is(err, model.ErrNoRows):
		return exitInput
	}
	return exitFailure
}
