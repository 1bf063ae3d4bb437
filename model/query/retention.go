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
				{Name: "unit", Type: Word, Values: units(), Default: "day", Help: "length of an interval"},
				{Name: "mode", Type: Word, Values: retention.Modes(), Default: "on", Help: "in interval k, in k or later, in a bracket of intervals, or in every one up to k"},
				{Name: "brackets", Type: Names, Help: "the brackets of mode=bracket, in intervals: 1-3,4-7"},
				{Name: "window", Type: Word, Values: []string{"calendar", "24h"}, Default: "calendar", Help: "calendar periods in the zone, or multiples of 24 hours from each user's own start"},
				{Name: "start", Type: Text, Default: "any", Help: "the event whose first ever occurrence starts a user: " + pickWhereHelp},
				{Name: "return", Type: Text, Default: "active", Help: "the event that counts as coming back: " + pickWhereHelp},
				{Name: "intervals", Type: Int, Min: 1, Help: "how many intervals after the first; left out: 30 days, 12 weeks, 12 months, 8 quarters"},
				{Name: "cohort", Type: Word, Values: append([]string{"auto"}, units()...), Default: "auto", Help: "period of the start that makes a row; auto: the unit, but weeks for days"},
				{Name: "eligible", Type: Word, Values: []string{"closed", "all"}, Default: "closed", Help: "count a user in an interval once it has closed for them, or always (reference form)"},
				{Name: "within", Type: Int, Min: 1, Help: "equal follow-up of mode=on-or-after: a return counts up to so many days after the start, for users observed that long"},
				{Name: "overall", Type: Word, Values: []string{"pooled", "mean"}, Default: "pooled", Help: "the row over all cohorts: all users together, or the plain mean of the cohorts' rates"},
			}, groupKeys(), judgeKeys(), truncatedKeys(), zoneKeys()),
		},
		check: func(q Query) error { _, err := retentionQuery(q); return err },
		plan:  func(r *Run) (*Plan, error) { return newRetention(r) },
	}
}

// units are the words of the calendar units.
func units() []string { return []string{"day", "week", "month", "quarter"} }

// defaultIntervals is how many intervals are shown unless intervals= says.
var defaultIntervals = map[model.PeriodUnit]int{model.Daily: 30, model.Weekly: 12, model.Monthly: 12, model.Quarterly: 8}

// maxCells bounds a triangle: beyond it no screen or reader can use it.
const maxCells = 2_000_000

// retentionQuery is the part of the definition that the query alone settles.
func retentionQuery(q Query) (d retention.Definition, err error) {
	if d.Unit, err = model.ParseUnit(q.Value("unit")); err != nil {
		return d, err
	}
	if d.Mode, err = retention.ParseMode(q.Value("mode")); err != nil {
		return d, err
	}
	d.Cohort = d.Unit
	if c := q.Value("cohort"); c != "auto" {
		if d.Cohort, err = model.ParseUnit(c); err != nil {
			return d, err
		}
	} else if d.Unit == model.Daily {
		d.Cohort = model.Weekly
	}
	d.Rolling = q.Value("window") == "24h"
	d.All = q.Value("eligible") == "all"
	d.Intervals = defaultIntervals[d.Unit]
	if v := q.Get("intervals"); v != "" {
		if d.Intervals, err = strconv.Atoi(v); err != nil {
			return d, err
		}
		if d.Mode == retention.Bracket {
			return d, fmt.Errorf("intervals= has no meaning in mode=bracket: the brackets are the columns")
		}
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
	d.Cal, d.AsOf, d.SeenBefore = model.UTC(), 0, model.NoDay
	always := func(*model.Timeline, int) bool { return true }
	d.Start, d.Return = always, always
	_, err = retention.New(d) // what does not go together is refused there
	return d, err
}

// A retentionPlan holds what kernel and layout share.
//
// Slots: the pooled columns without the left truncated and with them, the users
// behind a mean of cohorts likewise, four counts, then for each cohort its size
// and its columns.
type retentionPlan struct {
	r           *Run
	def         retention.Definition
	start, back pick
	cols        []retention.Span
	first       model.Period // of the rows
	rows        int
	shape       *retention.Reader // for Exists
	mean        bool              // the row over all is the mean of the cohorts' rates
}

const (
	retentionUsers = iota // in the pool without the left truncated
	retentionAll          // in the pool with them
	retentionTruncated
	retentionDated // starts that are a date alone
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
	p := &retentionPlan{r: r, def: def, mean: r.Str("overall") == "mean"}
	var needs Needs
	if p.start, err = r.pickWhere(r.Str("start"), &needs); err != nil {
		return nil, fmt.Errorf("start=: %w", err)
	}
	if p.back, err = r.pickWhere(r.Str("return"), &needs); err != nil {
		return nil, fmt.Errorf("return=: %w", err)
	}
	d := &p.def
	d.Cal, d.AsOf, d.SeenBefore = r.Cal, r.AsOf, r.seenBefore()
	d.Start, d.Return = p.start.match, p.back.match
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
	if p.shape, err = retention.New(*d); err != nil {
		return nil, err
	}
	return &Plan{
		Slots:   p.size(p.rows),
		Columns: needs.Columns,
		Amounts: needs.Amounts,
		Kernel:  p.kernel,
		Layout:  p.layout,
		Explain: p.explain,
		Work:    p.work,
	}, nil
}

func (p *retentionPlan) kernel() Kernel {
	reader, err := retention.New(p.def)
	if err != nil {
		panic(err) // the same definition made p.shape
	}
	return Visit(func(u *Person, h *Hits) {
		for _, l := range reader.Read(u.TL, u.Days) {
			h.In(p.r.At(u, l.Start))
			if h.Outside() {
				continue
			}
			row := int(l.Cohort - p.first)
			h.Hit(p.count(retentionAll), Self)
			h.Hit(p.size(row), Self)
			if l.Truncated {
				h.Hit(p.count(retentionTruncated), Self)
			} else {
				h.Hit(p.count(retentionUsers), Self)
			}
			if u.TL.IsDated(l.At) {
				h.Hit(p.count(retentionDated), Self)
			}
			for c, cell := range l.Cells {
				if p.mean && cell.Closed() {
					h.Hit(p.averaged(c, true), Self)
					if !p.truncatedRow(row) {
						h.Hit(p.averaged(c, false), Self)
					}
				}
				slots := [3]int{p.cell(row, c), p.pooled(c, true), p.pooled(c, false)}
				n := 3
				if l.Truncated {
					n = 2
				}
				for _, slot := range slots[:n] {
					switch cell {
					case retention.Back:
						h.Rate(slot, true)
					case retention.Lost:
						h.Rate(slot, false)
					case retention.RunningBack:
						h.OpenRate(slot, true)
					default:
						h.OpenRate(slot, false)
					}
				}
			}
		}
	})
}

// column is how an interval is named in keys and heads: day.7, week.1-3.
func (p *retentionPlan) column(c int) string {
	s := p.cols[c]
	if s.From == s.To {
		return strconv.Itoa(s.From)
	}
	return s.String()
}

func (p *retentionPlan) unit() string { return p.def.Unit.String() }

func (p *retentionPlan) cohort(row int) string {
	return p.r.Cal.PeriodLabel(p.def.Cohort, p.first+model.Period(row))
}
