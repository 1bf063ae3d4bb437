package query

import (
	"fmt"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/retention"
)

// retentionAnalysis asks which users came back, and when: per interval over all
// users (pooled) and per cohort.
func retentionAnalysis() analysis {
	return analysis{
		Spec: Spec{
			Name: "retention", Title: "Retention", Help: "who came back, by interval after the start, over all users and by cohort", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "mode", Type: Word, Values: retention.Modes(), Default: "on", Help: "in interval k, in k or later, in a bracket of intervals, or in every one up to k"},
				{Name: "brackets", Type: Names, Help: "the brackets of mode=bracket, in intervals: 1-3,4-7"},
				{Name: "return", Type: Text, Default: "active", Help: "the event that counts as coming back: " + pickWhereHelp},
				{Name: "returns", Type: Int, Default: "1", Min: 1, Help: "how many returns it takes to have come back in an interval (mode=on-or-after and bracket: in all of them together)"},
				{Name: "within", Type: Int, Min: 1, Help: "equal follow-up of mode=on-or-after: a return counts up to so many days after the start, for users observed that long"},
				{Name: "zero", Type: Word, Values: []string{"start", "again"}, Default: "start", Help: "interval 0: all who started, or those who returned within it"},
				{Name: "overall", Type: Word, Values: []string{"pooled", "mean"}, Default: "pooled", Help: "the row over all cohorts: all users together, or the plain mean of the cohorts' rates"},
				presetKey("retention"),
			}, cohortKeys(), groupKeys(), judgeKeys(), truncatedKeys(), zoneKeys()),
		},
		given: checkPreset,
		check: func(q Query) error { _, err := retentionQuery(q); return err },
		plan:  func(r *Run) (*Plan, error) { return newRetention(r) },
	}
}

// cohortKeys say when a user starts, which cohort that makes, and how the
// intervals after it are cut: for analyses of users by age.
func cohortKeys() []KeySpec {
	return []KeySpec{
		{Name: "unit", Type: Word, Values: append(units(), "custom"), Default: "day", Help: "length of an interval; custom: every= days from each user's start day"},
		{Name: "every", Type: Int, Min: 1, Help: "length of an interval of unit=custom, in days"},
		{Name: "window", Type: Word, Values: []string{"calendar", "24h"}, Default: "calendar", Help: "calendar periods in the zone, or multiples of 24 hours from each user's own start (a month is 30)"},
		{Name: "round", Type: Word, Values: []string{"none", "hour"}, Default: "none", Help: "of window=24h: round times down to the hour first, as Amplitude does for days"},
		{Name: "start", Type: Text, Default: "any", Help: "the event that starts a user: " + pickWhereHelp},
		{Name: "kind", Type: Word, Values: []string{"first-ever", "first-matching", "recurring"}, Default: "first-ever", Help: "the first event of that name ever (it must meet start='s condition), the first that meets it, or the first of each cohort period (user-intervals, not users)"},
		{Name: "intervals", Type: Int, Min: 1, Help: "how many intervals after the first; left out: 30 days, 12 weeks, 12 months, 8 quarters, 12 custom ones"},
		{Name: "cohort", Type: Word, Values: append([]string{"auto"}, units()...), Default: "auto", Help: "period of the start that makes a row; auto: the unit, but weeks for days and for custom intervals under 28 days, months for those under 90, quarters for longer"},
		{Name: "eligible", Type: Word, Values: []string{"closed", "all"}, Default: "closed", Help: "count a user in an interval once it has closed for them, or always (reference form)"},
	}
}

// units are the words of the calendar units.
func units() []string { return []string{"day", "week", "month", "quarter"} }

// defaultIntervals is how many intervals are shown unless intervals= says.
var defaultIntervals = map[model.PeriodUnit]int{model.Daily: 30, model.Weekly: 12, model.Monthly: 12, model.Quarterly: 8, model.Custom: 12}

// maxCells bounds a triangle: beyond it no screen or reader can use it.
const maxCells = 2_000_000

// cohortQuery is what cohortKeys settle of a definition.
func cohortQuery(q Query) (d retention.Definition, err error) {
	if d.Unit, err = intervalUnit(q.Value("unit")); err != nil {
		return d, err
	}
	switch every := q.Get("every"); {
	case d.Unit == model.Custom && every == "":
		return d, fmt.Errorf("unit=custom needs every=, the length of an interval in days")
	case d.Unit != model.Custom && every != "":
		return d, fmt.Errorf("every= is the length of unit=custom, not of unit=%s", d.Unit)
	case every != "":
		if d.Every, err = strconv.Atoi(every); err != nil || d.Every > maxDays {
			return d, fmt.Errorf("every=%s: give up to %d days", every, maxDays)
		}
	}
	if c := q.Value("cohort"); c != "auto" {
		if d.Cohort, err = model.ParseUnit(c); err != nil {
			return d, err
		}
	} else {
		d.Cohort = autoCohort(d.Unit, d.Every)
	}
	d.Rolling, d.Hour = q.Value("window") == "24h", q.Value("round") == "hour"
	d.All = q.Value("eligible") == "all"
	d.Each = q.Value("kind") == "recurring"
	d.Intervals = defaultIntervals[d.Unit]
	if v := q.Get("intervals"); v != "" {
		if d.Intervals, err = strconv.Atoi(v); err != nil {
			return d, err
		}
	}
	d.Cal, d.AsOf, d.SeenBefore = model.UTC(), 0, model.NoDay
	always := func(*model.Timeline, int) bool { return true }
	d.Start, d.Return = always, always
	return d, nil
}

func intervalUnit(word string) (model.PeriodUnit, error) {
	if word == model.Custom.String() {
		return model.Custom, nil
	}
	return model.ParseUnit(word)
}

// autoCohort is the period of a cohort's row where nobody chose one: about as long
// as an interval, but weeks for days.
func autoCohort(unit model.PeriodUnit, every int) model.PeriodUnit {
	switch {
	case unit == model.Daily, unit == model.Custom && every < 28:
		return model.Weekly
	case unit == model.Custom && every < 90:
		return model.Monthly
	case unit == model.Custom:
		return model.Quarterly
	}
	return unit
}

// retentionQuery is the part of the definition that the query alone settles.
func retentionQuery(q Query) (d retention.Definition, err error) {
	q = withPreset(q)
	if d, err = cohortQuery(q); err != nil {
		return d, err
	}
	if d.Mode, err = retention.ParseMode(q.Value("mode")); err != nil {
		return d, err
	}
	if d.Mode == retention.Bracket && q.Get("intervals") != "" {
		return d, fmt.Errorf("intervals= has no meaning in mode=bracket: the brackets are the columns")
	}
	d.ZeroBack = q.Value("zero") == "again"
	if d.Least, err = strconv.Atoi(q.Value("returns")); err != nil {
		return d, err
	}
	if v := q.Get("within"); v != "" {
		if d.Within, err = strconv.Atoi(v); err != nil {
			return d, err
		}
	}
	b := q.Get("brackets")
	if b != "" && d.Mode != retention.Bracket {
		return d, fmt.Errorf("brackets= belongs to mode=bracket, not to mode=%s", d.Mode)
	}
	if d.Mode == retention.Bracket {
		if b == "" {
			return d, fmt.Errorf("mode=bracket needs brackets=, as brackets=1-3,4-7")
		}
		for s := range strings.SplitSeq(b, ",") {
			from, to, ok := strings.Cut(s, "-")
			if !ok {
				to = from
			}
			f, err1 := strconv.Atoi(from)
			t, err2 := strconv.Atoi(to)
			if err1 != nil || err2 != nil || f < 0 || t < f || t > 100_000 {
				return d, fmt.Errorf("%q is not a bracket: write first-last in intervals, as 1-3", s)
			}
			d.Spans = append(d.Spans, retention.Span{From: f, To: t})
		}
	}
	_, err = retention.New(d) // what does not go together is refused there
	return d, err
}

// Cohorts are what analyses of users by age share: the definition with its
// events, the columns that anybody can have reached, and the rows.
type cohorts struct {
	r     *Run
	def   retention.Definition
	start pick
	cols  []retention.Span
	first model.Period // of the rows
	rows  int
	shape *retention.Reader // for Exists
}

// newCohorts completes a definition from the run. Its Return must be there.
func newCohorts(r *Run, def retention.Definition, needs *Needs) (*cohorts, error) {
	p := &cohorts{r: r, def: def}
	var err error
	if p.start, err = r.pickWhere(r.Str("start"), needs); err != nil {
		return nil, fmt.Errorf("start=: %w", err)
	}
	d := &p.def
	d.Cal, d.AsOf = r.Cal, r.AsOf
	d.Start = p.start.match
	switch r.Str("kind") {
	case "first-ever":
		if p.start.where != nil {
			d.Ever = p.start.kind
		}
	case "first-matching":
		if p.start.where == nil {
			return nil, fmt.Errorf("kind=first-matching needs a condition in start=, as start=%s where plan == \"pro\": without one the first event is the first that matches", r.Str("start"))
		}
	}
	p.first = r.Cal.Period(d.Cohort, r.FirstDay)
	p.rows = int(r.Cal.Period(d.Cohort, r.AsOf)-p.first) + 1
	if p.shape, err = retention.New(*d); err != nil {
		return nil, err
	}
	// Columns that nobody can have reached are left out.
	for c, s := range p.shape.Columns() {
		if p.shape.Exists(p.first, c) {
			p.cols = append(p.cols, s)
		}
	}
	if d.Mode == retention.Bracket {
		d.Spans = p.cols
	} else {
		d.Intervals = len(p.cols) - 1
	}
	if len(p.cols) == 0 {
		return nil, fmt.Errorf("none of the brackets has begun: the data reach from %s to %s", r.FirstDay, r.AsOf)
	}
	if p.rows*len(p.cols) > maxCells {
		return nil, fmt.Errorf("%d cohorts of %d intervals are too many: choose a longer cohort= or unit=", p.rows, len(p.cols))
	}
	p.shape, err = retention.New(*d)
	return p, err
}

// reader reads timelines under the definition.
func (p *cohorts) reader() *retention.Reader {
	reader, err := retention.New(p.def)
	if err != nil {
		panic(err) // the same definition made p.shape
	}
	return reader
}

// column is how an interval is named in keys: the 7 of day.7, the 1-3 of week.1-3.
func (p *cohorts) column(c int) string {
	s := p.cols[c]
	if s.From == s.To {
		return strconv.Itoa(s.From)
	}
	return s.String()
}

// unit is the word of the intervals in keys.
func (p *cohorts) unit() string { return p.def.Unit.String() }

// word is the same for a person.
func (p *cohorts) word() string {
	if p.def.Unit == model.Custom {
		return "interval"
	}
	return p.unit()
}

func (p *cohorts) cohort(row int) string {
	return p.r.Cal.PeriodLabel(p.def.Cohort, p.first+model.Period(row))
}

// truncatedRow says whether a cohort lies wholly before the day from which users
// count as new.
func (p *cohorts) truncatedRow(row int) bool {
	from, _ := p.r.Cal.Bounds(p.def.Cohort, p.first+model.Period(row))
	return p.def.SeenBefore != model.NoDay && from < p.def.SeenBefore
}

// pairOf is how the list of a recurring figure names a user's interval: the first
// day of the cohort period, as the number 20240115. 0 where users start once.
func (p *cohorts) pairOf(l *retention.Life) int64 {
	if !p.def.Each {
		return 0
	}
	from, _ := p.r.Cal.Bounds(p.def.Cohort, l.Cohort)
	y, m, d := from.Civil()
	return int64(y)*10_000 + int64(m)*100 + int64(d)
}

// A retentionPlan holds what kernel and layout share.
//
// Slots: the pooled columns without the left truncated and with them, the users
// behind a mean of cohorts likewise, the counts, for each cohort its size and its
// columns, then the comparisons of each group with the first (retention_pairs.go).
type retentionPlan struct {
	*cohorts
	back pick
	mean bool // the row over all is the mean of the cohorts' rates
}

const (
	retentionUsers = iota // in the pool without the left truncated
	retentionAll          // in the pool with them
	retentionTruncated
	retentionDated  // starts that are a date alone
	retentionPeople // users with a start; fewer than starts if these recur
	retentionCounts
)

func (p *retentionPlan) pooled(c int, all bool) int {
	if all {
		return len(p.cols) + c
	}
	return c
}

// averaged holds the users in the denominators that overall=mean averages over.
func (p *retentionPlan) averaged(c int, all bool) int { return 2*len(p.cols) + p.pooled(c, all) }
func (p *retentionPlan) count(i int) int              { return 4*len(p.cols) + i }
func (p *retentionPlan) size(row int) int             { return p.count(retentionCounts) + row*(len(p.cols)+1) }
func (p *retentionPlan) cell(row, c int) int          { return p.size(row) + 1 + c }

func newRetention(r *Run) (*Plan, error) {
	def, err := retentionQuery(r.Q)
	if err != nil {
		return nil, err
	}
	p := &retentionPlan{mean: r.Str("overall") == "mean"}
	var needs Needs
	if p.back, err = r.pickWhere(r.Str("return"), &needs); err != nil {
		return nil, fmt.Errorf("return=: %w", err)
	}
	def.Return, def.SeenBefore = p.back.match, r.seenBefore()
	if withPreset(r.Q).Value("truncated") == "keep" {
		def.SeenBefore = model.NoDay
	}
	if p.cohorts, err = newCohorts(r, def, &needs); err != nil {
		return nil, err
	}
	return &Plan{
		Slots:   p.pairs(len(r.Groups)),
		Columns: needs.Columns,
		Amounts: needs.Amounts,
		Kernel:  func() Kernel { return p.kernel() },
		Kept:    p.kept,
		Layout:  p.layout,
		Explain: p.explain,
		Work:    p.work,
	}, nil
}
