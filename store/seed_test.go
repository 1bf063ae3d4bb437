package store

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// givenSeeds is the seed in DWELL_SEED, which repeats one random run, or none.
func givenSeeds(t testing.TB) []uint64 {
	t.Helper()
	s := os.Getenv("DWELL_SEED")
	if s == "" {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("DWELL_SEED: %v", err)
	}
	return []uint64{n}
}

// freshSeed is the given seed, else one of this moment, and is written down.
func freshSeed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if given := givenSeeds(t); given != nil {
		seed = given[0]
	}
	t.Logf("DWELL_SEED=%d", seed)
	return seed
}
