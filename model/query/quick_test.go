package query_test

import (
	"testing"

	"dwell/model"
	"dwell/sample/reference"
)

// few is how often something is tried: less often with -short, under which the
// race detector runs, where everything takes ten times as long.
func few(short, full int) int {
	if testing.Short() {
		return short
	}
	return full
}

// some is the data of a law that holds of any users: with -short, the users of
// one in ten buckets.
func some(t *testing.T, load func(testing.TB) (*model.Memory, *model.Dictionary)) (*model.Memory, *model.Dictionary) {
	t.Helper()
	mem, dict := load(t)
	if testing.Short() {
		return reference.Part(t, mem, 10), dict
	}
	return mem, dict
}
