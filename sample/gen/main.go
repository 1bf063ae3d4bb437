// Command gen writes the embedded quillpad file: go generate ./sample.
package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"dwell/sample"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(args []string, stderr io.Writer) int {
	if len(args) != 1 {
		fmt.Fprintln(stderr, "usage: gen FILE.csv.gz")
		return 2
	}
	if err := write(args[0]); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	events, _ := sample.Generate(sample.Seed)
	if err := sample.Write(z, events); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}
