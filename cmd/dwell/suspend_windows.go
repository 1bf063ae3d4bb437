package main

// suspend is nil: nothing is stopped and brought back here.
func suspend() func() error { return nil }
