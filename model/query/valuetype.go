package query

import (
	"strconv"
	"strings"
	"time"
)

// A valueType is what a property's value reads like.
type valueType uint8

const (
	textValue valueType = iota
	numberValue
	boolValue
	timeValue
	valueTypes
)

func (v valueType) String() string { return [...]string{"text", "number", "yes/no", "time"}[v] }

// timeForms are the spellings of times that count as such.
var timeForms = []string{"2006-01-02", time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04"}

// typeOf says what a value reads like. Plain digits are a number, whatever they
// mean; NaN and infinities are text.
func typeOf(s string) valueType {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no":
		return boolValue
	}
	c := s[0]
	if c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' {
		if x, err := strconv.ParseFloat(s, 64); err == nil && x-x == 0 {
			return numberValue
		}
		for _, f := range timeForms {
			if _, err := time.Parse(f, s); err == nil {
				return timeValue
			}
		}
	}
	return textValue
}
