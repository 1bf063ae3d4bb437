package query

import (
	"fmt"

	"dwell/model"
)

// spanKeys let a question be asked of a period of days.
func spanKeys(days string) []KeySpec {
	whole := "all days of the data if nothing is given"
	if days != "" {
		whole = "the last " + days + " if nothing is given"
	}
	return []KeySpec{
		{Name: "from", Type: DayType, Help: "first day of the period; " + whole},
		{Name: "to", Type: DayType, Help: "last day of the period; the as-of day if left out"},
		{Name: "days", Type: Int, Min: 1, Help: "length of the period in days, instead of from="},
	}
}

// checkSpan refuses periods that cannot be.
func checkSpan(q Query) error {
	if q.Get("from") != "" && q.Get("days") != "" {
		return fmt.Errorf("from= and days= both say where the period begins: give one of them")
	}
	from, err := model.ParseDay(q.Get("from"))
	if err != nil {
		return nil
	}
	if to, err := model.ParseDay(q.Get("to")); err == nil && to < from {
		return fmt.Errorf("the period ends on %s, before it begins on %s", to, from)
	}
	return nil
}

// A span is a period of days, both ends included.
type span struct{ from, to model.Day }

func (s span) String() string {
	return fmt.Sprintf("%s to %s (%s)", s.from, s.to, plural(int(s.to-s.from)+1, "day"))
}

// span is the period that from=, to= and days= name; days is how long it is
// without them, 0 for all days of the data.
func (r *Run) span(days int) (span, error) {
	s := span{from: r.FirstDay, to: r.AsOf}
	if d := r.Day("to"); d != model.NoDay {
		if d > r.AsOf {
			return s, fmt.Errorf("to=%s is after the as-of day %s: nothing is known of it", d, r.AsOf)
		}
		s.to = d
	}
	switch d := r.Day("from"); {
	case d != model.NoDay:
		s.from = d
	case r.Q.Get("days") != "":
		s.from = s.to - model.Day(min(r.Int("days"), maxDays)) + 1
	case days > 0:
		s.from = s.to - model.Day(days) + 1
	}
	if s.from > s.to {
		return s, fmt.Errorf("the period would begin on %s and end on %s: choose from= and to= within the data (%s to %s)", s.from, s.to, r.FirstDay, r.AsOf)
	}
	return s, nil
}

// percentText writes an interval of shares.
func percentText(lo, hi float64) string {
	return fixed(100*lo, 1) + "–" + fixed(100*hi, 1) + " %"
}

// interval is the text of a figure's interval, "" without one.
func (f *Figure) interval() string {
	switch {
	case !f.Interval:
		return ""
	case f.Kind == Rate || f.Unit == "share":
		return percentText(f.Lo, f.Hi)
	}
	return fmt.Sprintf("%.4g–%.4g", f.Lo, f.Hi)
}
