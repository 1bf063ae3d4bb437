package query

import (
	"fmt"
	"strings"
	"time"
)

// hoursAnalysis asks when in the week users act (SPEC R4.7).
func hoursAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "hours", Title: "Hours of the week", Help: "when users act: share of users and number of events by weekday and hour, in the zone", ID: NoID,
			Keys: keys(activityKeys(), groupKeys(), zoneKeys())},
		plan: func(r *Run) (*Plan, error) {
			p := &hoursPlan{r: r, activity: r.activity()}
			return &Plan{Slots: hourCells + hoursCounts, JudgeAtT: true, Kernel: p.kernel, Layout: p.layout, Explain: p.explain, Work: p.work}, nil
		},
	}
}

// An hoursPlan holds what kernel and layout share. Slots: the cells of the week
// (weekday from Sunday, hour), users with an hour, events, and dates alone.
type hoursPlan struct {
	r        *Run
	activity pick
}

const hourCells = 7 * 24

const (
	hoursUsers = iota // with an event that has a time of day
	hoursEvents
	hoursDated // events that are a date alone and so have no hour
	hoursCounts
)

// cells counts the person's events by cell; dated are those without an hour.
func (p *hoursPlan) cells(u *Person) (n [hourCells]int64, all, dated int64) {
	for i := range u.TL.Time {
		switch {
		case !p.activity.match(u.TL, i):
		case u.TL.IsDated(i):
			dated++
		default:
			n[24*int(u.Days[i].Weekday())+p.r.Cal.Hour(u.TL.Time[i])]++
			all++
		}
	}
	return n, all, dated
}

func (p *hoursPlan) kernel() Kernel {
	return Visit(func(u *Person, h *Hits) {
		n, all, dated := p.cells(u)
		if dated > 0 {
			h.Times(hourCells+hoursDated, Self, dated)
		}
		if all == 0 {
			return
		}
		h.Hit(hourCells+hoursUsers, Self)
		h.Times(hourCells+hoursEvents, Self, all)
		for at, times := range n {
			if times > 0 {
				h.Times(at, Self, times)
			}
			if h.list { // below the line stands everybody with an hour: see Builder.derived
				h.Hit(at, Of)
				if times == 0 {
					h.Hit(at, Lost)
				}
			}
		}
	})
}

func (p *hoursPlan) layout(b *Builder) error {
	r := p.r
	b.A.Title = strings.Join([]string{"Hours of the week", p.activity.label, r.Cal.WeekStart.String()[:3], r.Cal.Zone}, " · ")
	b.A.Definition = fmt.Sprintf("Local weekday and hour, in %s, of each event that is %s. The first table has the share of users with at least one event in the cell, of all users with an event that has a time of day; the second the number of events.", r.Cal.Zone, p.activity.label)
	var heads []Head
	for h := range 24 {
		heads = append(heads, Head{fmt.Sprintf("%02d", h), true})
	}
	for g := range b.Groups() {
		b.Group(g)
		users := b.N(hourCells+hoursUsers, Self)
		totals := Block{Kind: TableBlock, Name: b.Key("totals"), Title: b.label("in all"), Heads: []Head{{"", true}}}
		add := func(key, label string, i int) {
			totals.Rows = append(totals.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(i)}})
		}
		add("users", "users", b.Count(hourCells+hoursUsers, "users", "users with an event that has a time of day"))
		add("events", "events", b.Rows(hourCells+hoursEvents, "events", "events that have a time of day"))
		heat := Block{Kind: HeatBlock, Name: b.Key("users-by-hour"), Title: b.label("share of users, by weekday and hour"), Heads: heads}
		counts := Block{Kind: TableBlock, Name: b.Key("events-by-hour"), Title: b.label("events, by weekday and hour"), Heads: heads}
		for d := range 7 {
			day := time.Weekday((int(r.Cal.WeekStart) + d) % 7)
			name := day.String()[:3]
			share, line := Row{Key: name, Label: name}, Row{Key: name, Label: name}
			for h := range 24 {
				slot := 24*int(day) + h
				key := fmt.Sprintf("%s.%02d", strings.ToLower(name), h)
				label := fmt.Sprintf("%s %02d:00–%02d:00", name, h, h+1)
				share.Cells = append(share.Cells, b.Cell(b.derived(slot, b.N(slot, Self), users, "hour."+key, label+", of users")))
				line.Cells = append(line.Cells, b.Cell(b.Rows(slot, "events."+key, label+", events")))
			}
			heat.Rows, counts.Rows = append(heat.Rows, share), append(counts.Rows, line)
		}
		if n := b.TimesOf(hourCells+hoursDated, Self); n > 0 {
			add("dated", "dates alone", b.Rows(hourCells+hoursDated, "dated", "events that are a date alone"))
			b.Warn("dates-alone", "%s are dates without a time of day and stand in no hour.", countOf(n, "event"))
		}
		b.Block(totals)
		b.Block(heat)
		b.Block(counts)
	}
	return nil
}

// explain gives the lines that are particular to hours.
func (p *hoursPlan) explain(f *Figure) []ExplainLine {
	if f.Kind == Rate {
		return []ExplainLine{{Head: "Formula", Text: "users with at least one such event in the hour of the week ÷ users with such an event at any time of day"}}
	}
	return nil
}

// work says in one sentence when a user acts.
func (p *hoursPlan) work(u *Person, f *Figure, _ bool) string {
	n, all, _ := p.cells(u)
	if f.Slot >= hourCells {
		return ""
	}
	return fmt.Sprintf("%s has %s in this hour of the week, of %d.", u.TL.ID, countOf(n[f.Slot], "event"), all)
}
