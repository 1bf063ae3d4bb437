package measure

import (
	"slices"
	"strconv"
	"strings"
)

// A Type says what a measure's values are. All are carried as float64.
type Type uint8

const (
	Number Type = iota
	Bool        // 0 or 1
	Text        // a code into Set.Dict; 0 is missing
	Day         // days since 1970-01-01
)

// String is the type's word in help and errors.
func (t Type) String() string { return [...]string{"number", "yes/no", "text", "day"}[t] }

// A Kind says whose events a measure is made from.
type Kind uint8

const (
	User       Kind = iota // one user's own past
	Population             // a rank among all users on one day
)

// String is the kind's word in help.
func (k Kind) String() string { return [...]string{"user", "population"}[k] }

// Takes says which arguments a family has.
type Takes uint8

const (
	TakesEvent  Takes = 1 << iota // an event name in quotes, or a bare meaning such as purchase
	NeedsEvent                    // … and not without
	NeedsKey                      // a property
	TakesAmount                   // … or the amount
	TakesDays                     // a window
	TakesWhere                    // a condition on the event
)

// A Family is the declaration of one measure: the registry's entry, from which
// help, completion, explanations and the compiled form are made.
type Family struct {
	Name       string
	Args       string // as in help: "event, [days], [where]"; "" for none
	Unit       string // days, events, share …; "" for a plain number
	Type       Type
	Whole      bool // values are whole numbers
	Kind       Kind
	Stage      bool   // needs the replay's State
	Beat       bool   // needs the model's beat
	Money      bool   // needs amounts, in one currency
	Takes      Takes  //
	Definition string // one sentence
	Source     string // of the definition
	Kept       string // how it is kept up to date
	Ranks      Ref    // of a population measure: the user measure it ranks

	build builder
}

// Families lists every measure there is, by name.
func Families() []Family {
	out := slices.Clone(registry)
	slices.SortFunc(out, func(a, b Family) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Lookup finds the family of a name. NAME_DAYS is sugar for NAME(DAYS) where
// the family takes a window: revenue_90 is revenue(90).
func Lookup(name string) (f Family, days int, ok bool) {
	for i := range registry {
		if registry[i].Name == name {
			return registry[i], 0, true
		}
	}
	at := strings.LastIndexByte(name, '_')
	if at < 0 || name[at+1:] == "" || name[at+1] == '0' {
		return Family{}, 0, false
	}
	days, err := strconv.Atoi(name[at+1:])
	if err != nil || days < 1 || days > MaxDays {
		return Family{}, 0, false
	}
	f, inner, ok := Lookup(name[:at])
	if !ok || inner != 0 || f.Takes&TakesDays == 0 || f.Takes&(NeedsEvent|NeedsKey) != 0 {
		return Family{}, 0, false
	}
	return f, days, true
}

// MaxDays bounds a window: a hundred years.
const MaxDays = 36_525

// Unavailable says why the data cannot feed a family ("no event has an amount"),
// or "" if it can. Such a measure compiles and is missing for everyone, but for
// mixed currencies, which Compile refuses.
func (s *Schema) Unavailable(f Family) string {
	switch {
	case f.Money && !s.Info.Amounts:
		return "no event has an amount"
	case f.Money && len(s.currencies()) > 1:
		return "amounts are in several currencies: " + listed(s.currencies(), 5)
	case f.Beat && s.Params["beat"] < 1:
		return "no stage model gives the beat"
	case f.Stage && len(s.Stages) == 0 && f.Name != "spell_active_days" && !f.Beat:
		return "no stage model is in use"
	}
	return ""
}

// currencies are the values of the currency column.
func (s *Schema) currencies() []string {
	if s.Dict == nil || s.Dict.Columns.Currency == "" {
		return nil
	}
	k := s.Info.Key(s.Dict.Columns.Currency)
	if k == nil || len(k.Values) < 2 {
		return nil
	}
	return k.Values[1:]
}

// listed joins at most n words for a sentence.
func listed(words []string, n int) string {
	if len(words) > n {
		return strings.Join(words[:n], ", ") + " …"
	}
	return strings.Join(words, ", ")
}
