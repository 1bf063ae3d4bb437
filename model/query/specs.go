package query

import (
	"slices"
	"strings"

	"dwell/model"
)

// An IDUse says whether an analysis takes an id: user/17850, event/purchase.
type IDUse string

const (
	NoID       IDUse = "none"
	OptionalID IDUse = "optional"
	NeedsID    IDUse = "required"
)

// A KeyType says what a key's values look like.
type KeyType string

const (
	Word     KeyType = "word"    // one of KeySpec.Values
	Int      KeyType = "int"     // a whole number, at least Min
	Float    KeyType = "number"  // a decimal number
	DayType  KeyType = "day"     // YYYY-MM-DD
	Text     KeyType = "text"    // anything but nothing
	RuleType KeyType = "rule"    // an expression over measures and properties
	Names    KeyType = "names"   // a list parted by commas
	Address  KeyType = "address" // of another question, escaped
)

// A KeySpec declares one key of an analysis.
type KeySpec struct {
	Name    string
	Type    KeyType
	Values  []string // of a Word: all it may be
	Default string   // taken where the key is left out; "" means "none"
	Min     int      // of an Int
	Help    string   // one line
	Shelf   string   // kind of the shelf entries whose names it takes, "" if none: what is offered
	Repeat  bool     // may be given several times
	Again   bool     // of a Repeat: the same value may stand twice, and means it (steps of a funnel)
}

// A Spec declares one analysis: what its addresses may hold. The palette
// completes from it, help and the subcommands' flags are made from it.
type Spec struct {
	Name  string
	Title string
	Help  string // one line: the question it answers
	ID    IDUse
	IDIs  string // what the id is: "event name"
	Keys  []KeySpec
	// Windowed analyses are tables of any length: Engine.Table pages through them.
	Windowed bool
}

// Key finds a key of the analysis, or nil.
func (s *Spec) Key(name string) *KeySpec {
	for i := range s.Keys {
		if s.Keys[i].Name == name {
			return &s.Keys[i]
		}
	}
	return nil
}

// An analysis is one entry of the table: its spec and how it is answered (see
// kernel.go).
type analysis struct {
	Spec
	// check refuses combinations of well-formed values, with the reason. It sees
	// defaults through Query.Value. It may be nil.
	check func(q Query) error
	// given is a check of the keys as they were written, before defaults are left
	// out: for keys that another one settles. It may be nil.
	given func(q Query) error
	plan  func(r *Run) (*Plan, error)
}

// analyses is the one table of all questions, in the order of the help. Adding
// an analysis is adding its function here.
func analyses() []analysis {
	return []analysis{
		overviewAnalysis(),
		usersAnalysis(),
		userAnalysis(),
		segmentsAnalysis(),
		stagesAnalysis(),
		scorecardAnalysis(),
		populationsAnalysis(),
		changedAnalysis(),
		transitionsAnalysis(),
		dwellAnalysis(),
		crosstabAnalysis(),
		compareAnalysis(),
		measureAnalysis(),
		loyaltyAnalysis(),
		voiceAnalysis(),
		actionsAnalysis(),
		warningsAnalysis(),
		measuresAnalysis(),
		modelAnalysis(),
		adviceAnalysis(),
		restageAnalysis(),
		retentionAnalysis(),
		funnelAnalysis(),
		activationAnalysis(),
		ahaAnalysis(),
		hoursAnalysis(),
		stepsAnalysis(),
		pathsAnalysis(),
		eventsAnalysis(),
		eventAnalysis(),
		propertiesAnalysis(),
		propertyAnalysis(),
		rowsAnalysis(),
		rowAnalysis(),
		qualityAnalysis(),
		lifecycleAnalysis(),
		revenueAnalysis(),
		valueAnalysis(),
		mrrAnalysis(),
		tiersAnalysis(),
		rfmAnalysis(),
		clustersAnalysis(),
		expectedAnalysis(),
		fitsAnalysis(),
		forecastAnalysis(),
		typicalAnalysis(),
		stickinessAnalysis(),
		sessionsAnalysis(),
		reconcileAnalysis(),
		churnAnalysis(),
		churnmodelsAnalysis(),
		targetsAnalysis(),
		whatifAnalysis(),
		twinsAnalysis(),
		survivalAnalysis(),
		returnAnalysis(),
		coxAnalysis(),
	}
}

// keys joins an analysis's own keys and shared groups of keys, sorted by name.
func keys(lists ...[]KeySpec) []KeySpec { return joinKeys(lists) }

// groupKeys are where= and segment=, and of= with key=: for every analysis that
// counts users.
func groupKeys() []KeySpec {
	return []KeySpec{
		{Name: "of", Type: Address, Help: "only the users behind a figure of this question (with key=): retention of exactly those who converted"},
		{Name: "key", Type: Text, Help: "the key of that figure, or KEY/of, KEY/lost, KEY/open, KEY/open-returned"},
		{Name: "where", Type: RuleType, Repeat: true, Help: "only users who meet the rule; several are compared, within the segment= if there is one"},
		{Name: "segment", Type: Text, Repeat: true, Shelf: model.KindSegment, Help: "only users of the saved segment; several are compared, each narrowed by the where= if there is one"},
	}
}

// judgeKeys are for analyses in which each user has a start: the day on which
// where= and segment= are judged.
func judgeKeys() []KeySpec {
	return []KeySpec{
		{Name: "judge", Type: Word, Values: []string{"start", "landmark"}, Default: "start", Help: "when where= and segment= are judged: at each user's start, or on the day landmark="},
		{Name: "landmark", Type: DayType, Help: "the day of judge=landmark; users who start after it are left out"},
	}
}

// truncatedKeys are for analyses that must not take the data's first users for new ones.
func truncatedKeys() []KeySpec {
	return []KeySpec{{Name: "truncated", Type: Word, Values: []string{"drop", "keep"}, Default: "drop", Help: "users first seen within G days of the data's first day: left out, or kept"}}
}

// zoneKeys let a question be asked in another zone than the dictionary's.
func zoneKeys() []KeySpec {
	return []KeySpec{{Name: "zone", Type: Text, Help: "time zone of the calendar days (IANA name); the dictionary's if left out"}}
}

// Specs is the table of analyses: what may be asked, with every key. The keys are
// shared: do not modify them.
func Specs() []Spec {
	table.once.Do(makeTable)
	return slices.Clone(table.specs)
}

// SpecOf is one analysis of the table, nil if there is none of that name.
func SpecOf(name string) *Spec {
	a, err := find(name)
	if err != nil {
		return nil
	}
	return &a.Spec
}

func joinKeys(lists [][]KeySpec) []KeySpec {
	out := slices.Concat(lists...)
	slices.SortStableFunc(out, func(a, b KeySpec) int { return strings.Compare(a.Name, b.Name) })
	return out
}
