package modeltest

import "testing"

func TestMemoryConforms(t *testing.T) { Conformance(t, InMemory) }
