package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/funnel"
)

// activationAnalysis asks who reached a declared set of milestones in time, and
// how long the first key action takes (SPEC R5.1, R5.2).
func activationAnalysis() analysis {
	return analysis{
		Spec: Spec{
			Name: "activation", Title: "Activation", Help: "who reached the milestones in time, by cohort, and how long the first key action takes", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "start", Type: Text, Default: "any", Help: "the event whose first ever occurrence starts a user: " + pickWhereHelp},
				{Name: "milestone", Type: Text, Repeat: true, Default: "1-3-5", Help: "N,DAYS or N,DAYS,EVENT: the Nth on a day offset below DAYS; several must all be met; 1-3-5 is first use in week 1, third in week 2, fifth in week 4"},
				{Name: "per", Type: Word, Values: []string{"days", "events"}, Default: "days", Help: "milestones count days with the event, or the events"},
				{Name: "goal", Type: Text, Help: "the key action whose time is measured: " + pickWhereHelp + "; left out: role:key, else role:purchase, else active"},
				{Name: "days", Type: Int, Default: "60", Min: 1, Help: "how many days the curve shows"},
				{Name: "cohort", Type: Word, Values: units(), Default: "week", Help: "period of the start that makes a row"},
			}, groupKeys(), judgeKeys(), truncatedKeys(), zoneKeys()),
		},
		check: func(q Query) error {
			if n := q.Value("days"); len(n) > 4 {
				return fmt.Errorf("days=%s: a curve of at most 9,999 days can be read", n)
			}
			_, err := parseMilestones(q)
			return err
		},
		plan: func(r *Run) (*Plan, error) { return newActivation(r) },
	}
}

// A milestoneSpec is a milestone with the word of its event.
type milestoneSpec struct {
	funnel.Milestone
	word string
}

// parseMilestones reads milestone=.
func parseMilestones(q Query) (out []milestoneSpec, err error) {
	words := q.All("milestone")
	if len(words) == 0 {
		words = []string{q.Value("milestone")}
	}
	for _, w := range words {
		if w == "1-3-5" {
			for _, m := range funnel.Preset135() {
				out = append(out, milestoneSpec{m, "active"})
			}
			continue
		}
		f := strings.SplitN(w, ",", 3)
		bad := fmt.Errorf("milestone=%s: write N,DAYS or N,DAYS,EVENT, as 3,14,purchase, or 1-3-5", w)
		if len(f) < 2 {
			return nil, bad
		}
		n, err1 := strconv.Atoi(f[0])
		days, err2 := strconv.Atoi(f[1])
		if err1 != nil || err2 != nil || n < 1 || days < 1 || n > 1_000_000 || days > 9999 {
			return nil, bad
		}
		m := milestoneSpec{funnel.Milestone{N: n, Within: days}, "active"}
		if len(f) == 3 {
			m.word = strings.TrimSpace(f[2])
		}
		out = append(out, m)
	}
	if len(out) > 12 {
		return nil, fmt.Errorf("%d milestones are too many: at most 12", len(out))
	}
	return out, nil
}

// An activationPlan holds what kernel and layout share.
//
// Slots: twice (without the left truncated and with them) the users who started,
// the activated, one rate a milestone, the users by days to the goal, those
// without it by days observed, and those with it by each mark; then two counts,
// then for each cohort its size and its rate.
type activationPlan struct {
	r      *Run
	needs  Needs
	start  pick
	goal   pick
	named  []milestoneSpec
	picks  []pick
	within int // days after which a user is due
	events bool
	before model.Day // first seen before it: left truncated; NoDay: nobody
	span   int       // days that anybody can have been observed
	marks  []int     // days of the curve that are figures
	first  model.Period
	rows   int
	unit   model.PeriodUnit
}

const (
	activationStarted = iota
	activationDone
	activationMilestones
)

// goalMarks are the days at which the curve's values are figures.
var goalMarks = []int{0, 1, 3, 7, 14, 28, 60, 90, 180, 365}

func newActivation(r *Run) (*Plan, error) {
	p := &activationPlan{r: r, events: r.Str("per") == "events", before: r.seenBefore(), span: int(r.AsOf-r.FirstDay) + 1}
	var err error
	if p.named, err = parseMilestones(r.Q); err != nil {
		return nil, err
	}
	if p.start, err = r.pickWhere(r.Str("start"), &p.needs); err != nil {
		return nil, fmt.Errorf("start=: %w", err)
	}
	if p.goal, err = r.pickWhere(r.goalWord(), &p.needs); err != nil {
		return nil, fmt.Errorf("goal=: %w", err)
	}
	for _, m := range p.named {
		k, err := r.pickWhere(m.word, &p.needs)
		if err != nil {
			return nil, fmt.Errorf("milestone=: %w", err)
		}
		p.picks, p.within = append(p.picks, k), max(p.within, m.Within)
	}
	if p.unit, err = model.ParseUnit(r.Str("cohort")); err != nil {
		return nil, err
	}
	if p.span > maxDays {
		return nil, fmt.Errorf("the days from %s to %s are too many: ask as of an earlier day", r.FirstDay, r.AsOf)
	}
	p.first = r.Cal.Period(p.unit, r.FirstDay)
	p.rows = int(r.Cal.Period(p.unit, r.AsOf)-p.first) + 1
	for _, m := range append(goalMarks[:len(goalMarks):len(goalMarks)], r.Int("days")) {
		if m <= r.Int("days") && m < p.span && !slices.Contains(p.marks, m) {
			p.marks = append(p.marks, m)
		}
	}
	slices.Sort(p.marks)
	return &Plan{Slots: p.size(p.rows), Columns: p.needs.Columns, Amounts: p.needs.Amounts, Kernel: p.kernel, Layout: p.layout, Explain: p.explain, Work: p.work}, nil
}

// goalWord is goal=, or the nearest thing to a key action that the data have.
func (r *Run) goalWord() string {
	if w := r.Str("goal"); w != "" {
		return w
	}
	for _, role := range []model.Role{model.KeyAction, model.Purchase} {
		for i := range r.Info.Names {
			if r.Roles.Of(model.NameID(i), model.NoMoney)&role != 0 {
				return "role:" + role.String()
			}
		}
	}
	return "active"
}

// half is the number of slots that stand twice.
func (p *activationPlan) half() int {
	return activationMilestones + len(p.named) + 2*p.span + len(p.marks)
}

func (p *activationPlan) pooled(what int, all bool) int {
	if all {
		return p.half() + what
	}
	return what
}
func (p *activationPlan) done(day int) int { return activationMilestones + len(p.named) + day }
func (p *activationPlan) censored(day int) int {
	return activationMilestones + len(p.named) + p.span + day
}
func (p *activationPlan) mark(i int) int {
	return activationMilestones + len(p.named) + 2*p.span + i
}
func (p *activationPlan) truncated() int   { return 2 * p.half() }
func (p *activationPlan) notDue() int      { return 2*p.half() + 1 }
func (p *activationPlan) size(row int) int { return 2*p.half() + 2 + 2*row }
func (p *activationPlan) rate(row int) int { return p.size(row) + 1 }

// A begun is what is known of a user who started.
type begun struct {
	at    int // index of the start
	day   model.Day
	early bool // left truncated
	met   []bool
	due   []bool
	all   bool // every milestone met
	ready bool // every milestone due
	goal  int  // days to the goal, −1: not yet
}

// read finds the start, the milestones and the goal.
func (p *activationPlan) read(u *Person, days []model.Day) (b begun, ok bool) {
	for b.at < len(u.Days) && !p.start.match(u.TL, b.at) {
		b.at++
	}
	if b.at == len(u.Days) {
		return b, false
	}
	b.day, b.goal = u.Days[b.at], -1
	b.early = p.before != model.NoDay && u.Days[0] < p.before
	for i := b.at; i < len(u.Days); i++ {
		if p.goal.match(u.TL, i) {
			b.goal = int(u.Days[i] - b.day)
			break
		}
	}
	b.all, b.ready = true, true
	for k := range p.named {
		days = days[:0]
		for i := b.at; i < len(u.Days) && len(days) < p.named[k].N; i++ {
			if n := len(days); p.picks[k].match(u.TL, i) && (p.events || n == 0 || days[n-1] != u.Days[i]) {
				days = append(days, u.Days[i])
			}
		}
		met, due := p.named[k].Met(b.day, days), p.named[k].Due(b.day, p.r.AsOf)
		b.met, b.due = append(b.met, met), append(b.due, due)
		b.all, b.ready = b.all && met, b.ready && due
	}
	return b, true
}

func (p *activationPlan) kernel() Kernel {
	var days []model.Day
	return Visit(func(u *Person, h *Hits) {
		b, ok := p.read(u, days)
		if !ok {
			return
		}
		h.In(p.r.At(u, b.day))
		if h.Outside() {
			return
		}
		rate := func(slot int, due, met bool) {
			if due {
				h.Rate(slot, met)
			} else {
				h.OpenRate(slot, met)
			}
		}
		for _, all := range []bool{false, true} {
			if b.early && !all {
				continue
			}
			h.Hit(p.pooled(activationStarted, all), Self)
			rate(p.pooled(activationDone, all), b.ready, b.all)
			for k := range p.named {
				rate(p.pooled(activationMilestones+k, all), b.due[k], b.met[k])
			}
			if b.goal < 0 {
				h.Hit(p.pooled(p.censored(int(p.r.AsOf-b.day)), all), Self)
				continue
			}
			h.Hit(p.pooled(p.done(b.goal), all), Self)
			for i, m := range p.marks {
				if b.goal <= m {
					h.Hit(p.pooled(p.mark(i), all), Self)
				}
			}
		}
		if b.early {
			h.Hit(p.truncated(), Self)
		}
		if !b.ready && !b.all {
			h.Hit(p.notDue(), Self)
		}
		row := int(p.r.Cal.Period(p.unit, b.day) - p.first)
		h.Hit(p.size(row), Self)
		rate(p.rate(row), b.ready, b.all)
	})
}
