package ingest

import "fmt"

// A reason is why a row was rejected: a small number while parsing, a stable
// sentence in the quality report.
type reason uint8

const (
	accepted reason = iota
	noUser
	longUser
	noEvent
	longEvent
	noTime
	badTime
	early
	future
	beyond
	badAmount
	bigAmount
	tooFew
	tooMany
	badQuotes
	longRow
	longValue
	notObject
	longName
	manyKeys
	headerAgain
	reasonsEnd
)

var reasonText = [reasonsEnd]string{
	noUser:      "no user id",
	longUser:    fmt.Sprintf("user id longer than %d bytes", MaxID),
	noEvent:     "no event name",
	longEvent:   fmt.Sprintf("event name longer than %d bytes", MaxID),
	noTime:      "no time",
	badTime:     "time is not in the recognised form",
	early:       "time is before 1970",
	future:      "time is more than a day after the load",
	beyond:      "time is beyond the year 2199",
	badAmount:   "amount is not a number",
	bigAmount:   "amount is beyond 1,000,000,000,000",
	tooFew:      "fewer columns than the header",
	tooMany:     "more columns than the header",
	badQuotes:   "quotes do not match",
	longRow:     "row longer than 1 MiB",
	longValue:   "a property value longer than 64 KiB",
	notObject:   "not a JSON object",
	longName:    fmt.Sprintf("property name longer than %d bytes", MaxID),
	manyKeys:    fmt.Sprintf("more than %d different property names in 1 MiB: choose some with --props", MaxNewKeys),
	headerAgain: "the header again",
}

func (r reason) String() string { return reasonText[r] }

// minTime and maxTime bound what is stored at all: [1970, 2200). Later years
// stand for "never", such as 9999-12-31, and no option makes them events.
const (
	minTime = 0
	maxTime = 7_258_118_400_000
)
