package tui

import (
	"slices"
	"testing"
)

func TestFileNames(t *testing.T) {
	for line, want := range map[string][]string{
		"a.csv  b.csv":              {"a.csv", "b.csv"},
		`"my events.csv" b.csv`:     {"my events.csv", "b.csv"},
		`my\ events.csv`:            {"my events.csv"},
		`'it is "so".csv'`:          {`it is "so".csv`},
		`dir/"two  blanks"/x.csv y`: {"dir/two  blanks/x.csv", "y"},
		`C:\data\x.csv`:             {`C:\data\x.csv`},
		`a\"b.csv`:                  {`a"b.csv`},
		"größe.csv\tb":              {"größe.csv", "b"},
		"":                          nil,
	} {
		if got, ok := fileNames(line); !ok || !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if _, ok := fileNames(`"open.csv`); ok {
		t.Error("an open quote was taken")
	}
}
