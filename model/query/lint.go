package query

import (
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/rule"
)

// SmallN is the number of users under which a figure is marked: no interval
// helps a reader who does not see how few there are.
const SmallN = 30

// lint adds the warnings that any answer may need (SPEC 6.14): few users, a last
// day that looks partial, days without data.
func (r *Run) lint(b *Builder) {
	if r.Info.Events == 0 {
		b.Warn("no-data", "There are no events yet: load a file first.")
		return
	}
	r.ruleNotes(b)
	r.lintJudged(b)
	small, first := 0, ""
	for i := range b.A.Figures {
		f := &b.A.Figures[i]
		if f.Kind == Rate && !f.None && f.N < SmallN {
			if small++; small == 1 {
				first = f.Label
			}
		}
	}
	if small > 0 {
		if small == 1 {
			b.Warn("small-n", "One of the rates is of fewer than %d users (%s): it may change a lot with a few more.", SmallN, first)
		} else {
			b.Warn("small-n", "%d of the rates are of fewer than %d users (%s is one): they may change a lot with a few more.", small, SmallN, first)
		}
	}
	if first := firstDay(r.Info, r.Cal); r.AsOf < first {
		b.Warn("before-data", "The as-of day %s is before the first day with data, %s: nobody is there yet.", r.AsOf, first)
	}
	if r.AsOf > lastDay(r.Info, r.Cal) {
		b.Warn("after-data", "The as-of day %s is after the last day with data, %s: silence since then looks like absence.", r.AsOf, r.LastDay)
	}
	r.lintReading(b)
	if day, hour, partial := r.partialDay(); partial {
		b.Warn("partial-day", "The last day, %s, ends at %02d:00 %s: it may not be whole. Ask for @%s to leave it out.", day, hour, r.Cal.Zone, day-1)
	}
}

// ruleNotes says what is odd about the groups' rules though they are no errors: a
// value that no event has is most often a slip of the fingers, and the answer
// nobody.
func (r *Run) ruleNotes(b *Builder) {
	for _, g := range r.Groups {
		if g.Rule == "" {
			continue
		}
		env, err := r.env(&measure.Refs{}, true)
		if err != nil {
			return // the answer itself stands already
		}
		if c, err := rule.Compile(g.Rule, env); err == nil {
			for _, note := range c.Notes() {
				b.Warn("rule", "%s: %s", g.Label(), note)
			}
		}
	}
}

// partialHour is the hour before which a last event makes its day look cut off.
const partialHour = 18

// partialDay says whether the as-of day is the data's last and its last event
// comes so early that the day looks cut off. Dates alone have no hour and never
// look so.
func (r *Run) partialDay() (day model.Day, hour int, partial bool) {
	if r.Info.Events == 0 || r.Info.Last%86_400_000 == 0 {
		return 0, 0, false
	}
	day, hour = r.Cal.Day(r.Info.Last), r.Cal.Hour(r.Info.Last)
	return day, hour + 1, r.AsOf == day && hour+1 < partialHour
}

// Truncated says whether a person first seen on a day may have been there before
// the data begin (SPEC 2, Left truncation), and should be left out. It is never
// so with truncated=keep, nor where the dictionary says that nobody came before.
func (r *Run) Truncated(first model.Day) bool {
	return r.truncates && first < r.truncatedBefore()
}

// settleTruncation says whether the rule for the left truncated is on: not where it
// would leave nobody, which the layout then says with WarnTruncated. Who came when
// is known by days of the dictionary's zone.
func (r *Run) settleTruncation() error {
	if r.Spec.Key("truncated") == nil || r.seenBefore() == model.NoDay || r.truncatedBefore() > r.LastDay {
		return nil
	}
	c, err := r.st.census(r.Ctx, r.eng, r.progress)
	if err != nil {
		return err
	}
	r.truncates = c.came(r.truncatedBefore(), r.LastDay)
	return nil
}

// truncatedBefore is the first day on which a start counts as seen.
func (r *Run) truncatedBefore() model.Day {
	return r.FirstDay + model.Day(r.param("G", 30))
}

// leftBefore is the day before which a user's first event makes them left out;
// NoDay where nobody is, be it because nobody else would remain.
func (r *Run) leftBefore() model.Day {
	if !r.truncates {
		return model.NoDay
	}
	return r.truncatedBefore()
}

// WarnTruncated says what was left out by Truncated: n users.
func (b *Builder) WarnTruncated(n int64) {
	if n > 0 || !b.Run.truncates {
		b.warnLeft("%s first seen before %s may have been there before the data begin and are left out; truncated=keep keeps them, and starts = \"complete\" in the dictionary says that nobody was there before.", countOf(n, "user"), b.Run.truncatedBefore())
	}
}

// warnLeft says in an analysis' own words what becomes of those whom Truncated
// leaves out, or that everybody stays because nobody else would.
func (b *Builder) warnLeft(format string, args ...any) {
	switch r := b.Run; {
	case r.truncates:
		b.Warn("truncated", format, args...)
	case r.seenBefore() != model.NoDay:
		b.Warn("truncated", "Users first seen in the first %d days may have been there before the data begin; as that is everybody, nobody is left out.", int(r.truncatedBefore()-r.FirstDay))
	}
}

// countOf is a number with its noun.
func countOf(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

// grouped writes a whole number with a comma between thousands, as the screens do.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// parted writes a number with so many decimals, thousands parted.
func parted(v float64, decimals int) string {
	s := fixed(v, decimals)
	point := strings.IndexByte(s, '.')
	if point < 0 {
		point = len(s)
	}
	for i := point - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// fixed writes a number with so many decimals; what rounds to nothing has no sign.
func fixed(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.HasPrefix(s, "-") && strings.Trim(s, "-0.") == "" {
		return s[1:]
	}
	return s
}

// shareText writes a share in per cent with one decimal.
func shareText(x float64) string { return fixed(100*x, 1) + " %" }

// warnDenominators says that the points of one curve are of different users: each
// is of those whose interval has closed.
func (b *Builder) warnDenominators(curve []int) {
	first, least := NoFigure, NoFigure
	for _, i := range curve {
		f := b.Fig(i)
		if f.None || f.N == 0 {
			continue
		}
		if first == NoFigure {
			first = i
		}
		if least == NoFigure || f.N < b.Fig(least).N {
			least = i
		}
	}
	if first == NoFigure || b.Fig(first).N == b.Fig(least).N {
		return
	}
	f, l := b.Fig(first), b.Fig(least)
	point := func(label string) string { // "month 3", of "month 3, users for whom it has closed"
		label, _, _ = strings.Cut(label, ", ")
		return label
	}
	b.Warn("denominators", "The denominators differ: %s is of %s, %s of the %s whose time has come. Later points are of earlier users only.", point(f.Label), grouped(f.N), point(l.Label), grouped(l.N))
}
