package stage

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed presets/*.toml
var presets embed.FS

// Default is the preset used where nobody has chosen another.
const Default = "growth5"

// Presets lists the names of the embedded models.
func Presets() []string {
	entries, err := presets.ReadDir("presets")
	if err != nil {
		panic(err) // the directory is embedded at build time
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
	}
	return out
}

// Preset is an embedded model and the file it stands in.
func Preset(name string) (*Model, []byte, error) {
	body, err := presets.ReadFile("presets/" + name + ".toml")
	if err != nil {
		return nil, nil, fmt.Errorf("there is no preset %q%s; there are %s", name, nearest(name, Presets()), strings.Join(Presets(), ", "))
	}
	m, err := Parse(body)
	return m, body, err
}
