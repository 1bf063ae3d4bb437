package query

import (
	"strings"

	"dwell/model/stage"
)

// wideModel is the number of stages from which a matrix of stages has short names:
// so many columns find room in 80 cells beside those alone.
const wideModel = 9

// stageHeads are the stages as heads of a matrix's columns and labels of its rows,
// with a line that says what short names stand for; "" where they are not short.
func stageHeads(m *stage.Model) (heads []Head, labels []string, key string) {
	var names []string
	shorts := m.Shorts()
	for i, s := range m.Stages {
		label := s.Label()
		if len(m.Stages) >= wideModel {
			if label = shorts[i]; !strings.EqualFold(label, s.Label()) {
				names = append(names, label+" "+s.Label())
			}
		}
		heads, labels = append(heads, Head{Label: label, Right: true}), append(labels, label)
	}
	return heads, labels, strings.Join(names, " · ")
}

// keyed is the lines of a block that has a key to its short names.
func keyed(key string) []string {
	if key == "" {
		return nil
	}
	return []string{key}
}
