package query

import (
	"fmt"
	"math/rand/v2"
	"strconv"

	"dwell/model"
	"dwell/model/lifecycle"
	"dwell/model/stat"
)

// sessionsAnalysis asks how users' events bunch: how many sessions there are, how
// long, and how many events each holds.
func sessionsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "sessions", Title: "Sessions", Help: "sessions parted by a pause: how many, how long, how many events each holds, and over time", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "minutes", Type: Int, Default: "30", Min: 1, Help: "a pause strictly longer than this starts a new session"},
				{Name: "events", Type: Text, Default: "any", Help: "the events that make sessions: " + pickHelp},
				{Name: "unit", Type: Word, Values: units(), Default: "day", Help: "period of the chart: a session belongs to the day of its first event"},
			}, groupKeys(), zoneKeys())},
		plan: planSessions,
	}
}

// A sessionsPlan holds what kernel and layout share.
//
// Slots: sessions of all users, the sessions of one event, events in sessions,
// users whose events are dates alone, then the sessions of each size and length
// class and of each period.
type sessionsPlan struct {
	r      *Run
	events pick
	limit  int64
	unit   model.PeriodUnit
	first  model.Period
	n      int
}

const (
	sessionsAll = iota
	sessionsSingle
	sessionsEvents
	sessionsDated
	sessionsSizes
)

// sessionSizes are the lower ends of the classes of events in a session;
// sessionLengths those of its length in seconds.
var (
	sessionSizes   = [...]int64{1, 2, 3, 5, 10, 20, 50}
	sessionLengths = [...]int64{0, 10, 60, 180, 600, 1800, 3600}
)

const sessionsLengths = sessionsSizes + len(sessionSizes)

func (p *sessionsPlan) period(i int) int { return sessionsLengths + len(sessionLengths) + i }

func planSessions(r *Run) (*Plan, error) {
	unit, err := model.ParseUnit(r.Str("unit"))
	if err != nil {
		return nil, err
	}
	p := &sessionsPlan{r: r, limit: int64(r.Int("minutes")) * 60_000, unit: unit, first: r.Cal.Period(unit, r.FirstDay)}
	if p.events, err = r.pick(r.Str("events")); err != nil {
		return nil, fmt.Errorf("events=: %w", err)
	}
	if p.n = int(r.Cal.Period(unit, r.AsOf)-p.first) + 1; p.n > maxDays {
		return nil, fmt.Errorf("%d %ss are too many for a figure each: choose a longer unit=", p.n, unit)
	}
	return &Plan{Slots: p.period(p.n), JudgeAtT: true, Layout: p.layout, Explain: p.explain, Kernel: func() Kernel {
		k := &sessionsKernel{p: p}
		for range r.Groups {
			k.groups = append(k.groups, sessionSums{lifecycle.Tallies{}, lifecycle.Tallies{}, map[[2]int64]int64{}, stat.Pair{}})
		}
		return k
	}}, nil
}

// sessionSums are what the statistics of one group need: the sessions by number of
// events and by length, and of each user the numbers of sessions, single sessions,
// events and time.
type sessionSums struct {
	events, length lifecycle.Tallies
	singles        map[[2]int64]int64 // users by (sessions, of one event)
	time           stat.Pair          // seconds in sessions, sessions
}

type sessionsKernel struct {
	p      *sessionsPlan
	groups []sessionSums
	times  []int64
	days   []model.Day
	found  []lifecycle.Session
}

// Visit cuts one person's events into sessions.
func (k *sessionsKernel) Visit(u *Person, h *Hits) {
	p := k.p
	k.times, k.days = k.times[:0], k.days[:0]
	dated := false
	for i, t := range u.TL.Time {
		switch {
		case !p.events.match(u.TL, i):
		case u.TL.IsDated(i):
			dated = true
		default:
			k.times, k.days = append(k.times, t), append(k.days, u.Days[i])
		}
	}
	if dated {
		h.Hit(sessionsDated, Self)
	}
	if len(k.times) == 0 {
		return
	}
	k.found = lifecycle.Sessions(k.found[:0], k.times, p.limit)
	var single int64
	var ms int64
	var sizes [len(sessionSizes)]int64
	var lengths [len(sessionLengths)]int64
	for _, s := range k.found {
		n := int64(s.To - s.From)
		sizes[class(sessionSizes[:], n)]++
		lengths[class(sessionLengths[:], s.Length/1000)]++
		ms += s.Length
		if n == 1 {
			single++
		}
		for g := range k.groups {
			if h.mask>>g&1 != 0 && !h.list {
				k.groups[g].events[n]++
				k.groups[g].length[s.Length]++
			}
		}
	}
	h.Times(sessionsAll, Self, int64(len(k.found)))
	h.Times(sessionsEvents, Self, int64(len(k.times)))
	some := func(slot int, n int64) {
		if n > 0 {
			h.Times(slot, Self, n)
		}
	}
	some(sessionsSingle, single)
	for i, n := range sizes {
		some(sessionsSizes+i, n)
	}
	for i, n := range lengths {
		some(sessionsLengths+i, n)
	}
	for i := 0; i < len(k.found); {
		at := p.r.Cal.Period(p.unit, k.days[k.found[i].From])
		n := i
		for i < len(k.found) && p.r.Cal.Period(p.unit, k.days[k.found[i].From]) == at {
			i++
		}
		h.Times(p.period(int(at-p.first)), Self, int64(i-n))
	}
	for g := range k.groups {
		if h.mask>>g&1 != 0 && !h.list {
			k.groups[g].singles[[2]int64{int64(len(k.found)), single}]++
			k.groups[g].time.Add(float64(ms)/1000, float64(len(k.found)))
		}
	}
}

// class is the last of ascending lower ends that v reaches.
func class(ends []int64, v int64) int {
	at := 0
	for i, e := range ends {
		if v >= e {
			at = i
		}
	}
	return at
}

// Merge adds the next split's sessions.
func (k *sessionsKernel) Merge(next Kernel) error {
	for g, o := range next.(*sessionsKernel).groups {
		k.groups[g].events.Merge(o.events)
		k.groups[g].length.Merge(o.length)
		k.groups[g].time.Merge(o.time)
		for c, n := range o.singles {
			k.groups[g].singles[c] += n
		}
	}
	return nil
}

func (p *sessionsPlan) layout(b *Builder) error {
	m := p.limit / 60_000
	b.A.Title = fmt.Sprintf("Sessions · of %s · pause over %d min · %s", p.events.label, m, p.r.Cal.Zone)
	b.A.Definition = fmt.Sprintf("A session is a run of one user's events (%s) in which no pause is strictly longer than %d minutes; it lasts from its first to its last event, so a session of one event lasts 0 seconds. A session belongs to the %s of its first event.", p.events.label, m, p.unit)
	chart := &Chart{XLabel: p.unit.String(), YLabel: "sessions", Unit: "sessions", Dates: true, Zero: true}
	for i := range p.n {
		from, _ := p.r.Cal.Bounds(p.unit, p.first+model.Period(i))
		chart.X, chart.Labels = append(chart.X, float64(from)), append(chart.Labels, p.r.Cal.PeriodLabel(p.unit, p.first+model.Period(i)))
	}
	b.Block(Block{Kind: ChartBlock, Name: "over-time", Title: "sessions by " + p.unit.String(), Chart: chart})
	for g := range b.Groups() {
		b.Group(g)
		p.group(b, chart, &b.Kernel().(*sessionsKernel).groups[g])
	}
	return nil
}

// sessions counts a slot's sessions.
func (b *Builder) sessions(slot int, key, label string) int {
	i := b.Rows(slot, key, label)
	b.Fig(i).Unit = "sessions"
	return i
}

func (p *sessionsPlan) group(b *Builder, chart *Chart, s *sessionSums) {
	bl := Block{Kind: TableBlock, Name: b.Key("summary"), Title: b.label("all sessions"), Heads: []Head{{"value", true}, {"95 % interval", true}}}
	add := func(key, label string, i int) {
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(i), TextCell(b.Fig(i).between())}})
	}
	add("sessions", "sessions", b.sessions(sessionsAll, "sessions", "sessions"))
	b.Rows(sessionsEvents, "events", "events in sessions")
	n, events, medianEvents, ok := s.events.Summary()
	_, ms, medianMs, _ := s.length.Summary()
	mean := func(x int64) float64 {
		if n == 0 {
			return 0
		}
		return float64(x) / float64(n)
	}
	users := b.N(sessionsAll, Self)
	perUser := 0.0
	if users > 0 {
		perUser = float64(n) / float64(users)
	}
	add("per_user", "sessions per user", b.Stat(sessionsAll, "per_user", "sessions per user with one", perUser, users == 0, "sessions"))
	add("events.mean", "events per session, mean", b.Stat(sessionsAll, "events.mean", "mean events of a session", mean(events), !ok, "events"))
	add("events.median", "events per session, median", b.Stat(sessionsAll, "events.median", "median events of a session", medianEvents, !ok, "events"))
	length := b.Stat(sessionsAll, "seconds.mean", "mean length of a session", mean(ms)/1000, !ok, "seconds")
	b.interval(length, &s.time)
	add("seconds.mean", "length, mean", length)
	add("seconds.median", "length, median", b.Stat(sessionsAll, "seconds.median", "median length of a session", medianMs/1000, !ok, "seconds"))
	single := b.sessions(sessionsSingle, "single", "sessions of one event")
	add("single", "of one event", single)
	share := 0.0
	if n > 0 {
		share = b.Fig(single).Value / float64(n)
	}
	i := b.Stat(sessionsAll, "single.share", "share of sessions of one event", share, n == 0, "share")
	p.clustered(b.Fig(i), s)
	add("single.share", "share of one event", i)
	b.Block(bl)
	p.classes(b, "sizes", "sessions by number of events", sessionsSizes, sessionSizes[:], "")
	p.classes(b, "lengths", "sessions by length in seconds", sessionsLengths, sessionLengths[:], " s")
	series := Series{Name: p.r.Groups[b.group].Label()}
	for i := range p.n {
		label := p.r.Cal.PeriodLabel(p.unit, p.first+model.Period(i))
		f := b.sessions(p.period(i), p.unit.String()+"."+label, "sessions of "+label)
		series.Y, series.Figures = append(series.Y, b.Fig(f).Value), append(series.Figures, f)
	}
	chart.Series = append(chart.Series, series)
	if n := b.N(sessionsDated, Self); n > 0 {
		b.Warn("dates-alone", "%s have events that are a date alone: those have no time of day and are in no session.", countOf(n, "user"))
	}
}

// clustered gives the share of one-event sessions its interval: a user brings
// several sessions, so users are drawn (SPEC 2).
func (p *sessionsPlan) clustered(f *Figure, s *sessionSums) {
	var cs []stat.Cluster
	for c, n := range s.singles {
		cs = append(cs, stat.Cluster{N: n, Num: c[1], Den: c[0]})
	}
	if iv, ok := stat.RatioBootstrap(cs, bootstrapRounds, 0.95, rand.New(rand.NewPCG(1, 2))); ok {
		f.Lo, f.Hi, f.Interval, f.Method = iv.Lo, iv.Hi, true, "user bootstrap 95 %"
	}
}

func (p *sessionsPlan) classes(b *Builder, name, title string, slot int, ends []int64, unit string) {
	bl := Block{Kind: BarBlock, Name: b.Key(name), Title: b.label(title), Heads: []Head{{"sessions", true}}}
	for i, from := range ends {
		label := strconv.FormatInt(from, 10)
		switch {
		case i+1 == len(ends):
			label += " and more"
		case ends[i+1]-1 > from:
			label += "–" + strconv.FormatInt(ends[i+1]-1, 10)
		}
		f := b.sessions(slot+i, name+"."+strconv.FormatInt(from, 10), title+": "+label+unit)
		bl.Rows = append(bl.Rows, Row{Key: strconv.FormatInt(from, 10), Label: label + unit, Cells: []Cell{b.Cell(f)}})
	}
	b.Block(bl)
}

func (p *sessionsPlan) explain(f *Figure) []ExplainLine {
	text := "a pause strictly longer than the limit starts a new session; each user brings the number of theirs"
	if f.Kind == Stat {
		text = "over all sessions, each counting once; intervals draw users, who bring several sessions each"
	}
	return []ExplainLine{{Head: "Formula", Text: text}}
}
