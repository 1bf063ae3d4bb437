package query

import "errors"

// ErrNoFigure says that an answer has no figure of that key.
var ErrNoFigure = errors.New("no such figure")

// ErrNoName says that the data have no event or property of that name.
var ErrNoName = errors.New("no such name")

// noNameError is ErrNoName in a sentence of its own.
type noNameError string

// Error is the sentence.
func (e noNameError) Error() string { return string(e) }

// Is tells that the sentence is one of ErrNoName.
func (noNameError) Is(target error) bool { return target == ErrNoName }
