package query

import "errors"

// ErrNoFigure says that an answer has no figure of that key.
var ErrNoFigure = errors.New("no such figure")
