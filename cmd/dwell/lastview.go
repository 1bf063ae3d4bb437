package main

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"

	"dwell/model/query"
)

// remember keeps the last view of a data set: a user of one is nobody in another.
// That it could not be kept is no reason to stop.
func (a *app) remember(dir, address string) {
	file, dir := a.lastViewFile(dir)
	if makeDir(filepath.Dir(file)) == nil {
		_ = os.WriteFile(file, []byte(address+"\n"+dir+"\n"), 0o644)
	}
}

// lastViewFile is where the last view of a data set is kept, and the data set's
// whole path, which the file repeats.
func (a *app) lastViewFile(dir string) (file, whole string) {
	whole = filepath.Clean(dir)
	if abs, err := filepath.Abs(dir); err == nil {
		whole = abs
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(whole)) // a hash takes every byte
	return filepath.Join(a.stateDir(), "last-views", fmt.Sprintf("%016x", h.Sum64())), whole
}

// lastView is the address to open a data set at where none is given.
func (a *app) lastView(dir string) string {
	file, dir := a.lastViewFile(dir)
	body, err := os.ReadFile(file)
	if err != nil {
		return "overview"
	}
	address, of, _ := strings.Cut(string(body), "\n")
	if _, err := query.Parse(address); err != nil || address == "" || strings.TrimSpace(of) != dir {
		return "overview"
	}
	return address
}
