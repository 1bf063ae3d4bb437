package sample

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"dwell/model"
)

// Seed of the embedded quillpad file.
const Seed = 20230102

// scheduled is the number of people who come by themselves; invited ones come
// on top.
const scheduled = 4600

var (
	dataFrom  = time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	dataTo    = time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	doubleDay = model.DayOf(2024, time.March, 5)
	lostFrom  = model.DayOf(2024, time.April, 9)
	lostTo    = model.DayOf(2024, time.April, 16)
)

// Campaigns multiply the arrivals of ad channels on the days [from, to).
var campaigns = []struct {
	from, to model.Day
	times    float64
}{
	{model.DayOf(2023, time.May, 8), model.DayOf(2023, time.May, 20), 2.2},
	{model.DayOf(2023, time.November, 20), model.DayOf(2023, time.November, 29), 2.6},
	{model.DayOf(2024, time.February, 12), model.DayOf(2024, time.February, 22), 1.9},
}

// Generate draws the product's people and what they did. Equal seeds give equal
// events in equal order: by time, then person, then the order in which a person
// did them. Each person has a random source of their own, so that a change to
// one life leaves the others as they are.
//
// Use is an inhomogeneous Poisson process of sessions: the own rate times the
// phase's factor times weekday, month and, within a day, the hour where the
// person lives. A session holds a few actions, by the person's own tastes, and
// now and then a purchase, an invite, a complaint.
func Generate(seed uint64) ([]Event, Truth) {
	truth := Truth{Seed: seed, From: dataFrom, To: dataTo, DoubleDay: doubleDay, DoubleName: evEdit, LostKey: "device", LostDays: [2]model.Day{lostFrom, lostTo}}
	var events []Event
	queue := arrivals(seed)
	for i := 0; i < len(queue); i++ { // grows by those who were invited
		l := newLife(seed, i, queue[i])
		l.live(dataTo)
		mine, invited := l.act()
		for k := range mine {
			mine[k].person = i
		}
		events = append(events, mine...)
		queue = append(queue, invited...)
		truth.People = append(truth.People, l.Person)
	}
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.person, b.person))
	})
	number(events)
	return events, truth
}

// An arrival is how a person comes to the product.
type arrival struct {
	at      int64
	channel int // into channels; -1: referral
	inviter string
}

// arrivals spreads people over the days: growing, by weekday and month, with
// campaigns for the channels that advertise.
func arrivals(seed uint64) []arrival {
	l := &life{rng: rand.New(rand.NewPCG(seed, 0))}
	first, last := model.Day(dataFrom/msDay), model.Day(dataTo/msDay)
	n := int(last - first)
	out := make([]arrival, scheduled)
	for i := range out {
		ch := l.pick(len(channels), func(c int) float64 { return channels[c].share })
		d := l.pick(n, func(d int) float64 {
			day := first + model.Day(d)
			_, month, _ := day.Civil()
			w := (0.7 + 0.7*float64(d)/float64(n)) * byWeekday[day.Weekday()] * byMonth[month-1]
			for _, c := range campaigns {
				if channels[ch].ad && c.from <= day && day < c.to {
					w *= c.times
				}
			}
			return w
		})
		out[i] = arrival{at: int64(first)*msDay + int64(d)*msDay, channel: ch}
	}
	return out
}

func newLife(seed uint64, i int, a arrival) *life {
	l := &life{rng: rand.New(rand.NewPCG(seed, uint64(i)+1)), plan: -1}
	l.ID = fmt.Sprintf("u%06d", (i*7919+104_729)%1_000_000)
	l.IDs = []string{l.ID}
	l.country = l.pick(len(countries), func(c int) float64 { return countries[c].share })
	l.born = a.at
	if a.channel >= 0 {
		l.born += l.hour()
	}
	l.Channel, l.Inviter = referral, a.inviter
	l.Taste = l.rng.NormFloat64() + referralTaste
	l.touches = 1
	if a.channel >= 0 {
		l.Channel = channels[a.channel].name
		l.Taste += channels[a.channel].taste - referralTaste
		l.touches += l.poisson(0.6)
	}
	l.Rate = min(max(1.05*math.Exp(0.3*l.Taste+0.55*l.rng.NormFloat64()), 0.2), 9) / 7 // sessions a day
	l.Season = l.chance(0.04)
	if l.chance(logistic(2 + 0.5*l.Taste)) {
		l.Signup = l.born + int64(60+l.rng.IntN(900))*1000
		if l.touches > 1 && l.chance(0.6) {
			l.Signup = l.born + days(0.2+4*l.rng.ExpFloat64())
		}
		if l.Signup >= dataTo {
			l.Signup = 0
		}
	}
	l.Devices = []string{devices[l.pick(len(devices), func(d int) float64 { return devices[d].share })].name}
	if l.chance(0.25) {
		if d := devices[l.rng.IntN(len(devices))].name; d != l.Devices[0] {
			l.Devices = append(l.Devices, d)
		}
	}
	if l.Signup == 0 {
		return l
	}
	l.Arm = "control"
	if l.rng.IntN(2) == 1 {
		l.Arm = "guided"
		l.Taste += 0.3 // the guided start truly helps
	}
	if l.chance(logistic(-2.3 + 0.7*l.Taste)) {
		l.plan = 0
		if l.chance(0.2) {
			l.plan = 1
		}
	}
	if l.Signup-l.born > msHour && l.chance(0.4) {
		l.IDs = append(l.IDs, fmt.Sprintf("anon-%08x", l.rng.Uint32()))
	}
	l.theme, l.buys = l.rng.IntN(themes), 0.022*math.Exp(0.5*l.Taste+0.5*l.rng.NormFloat64())
	for _, f := range features {
		l.shares = append(l.shares, f.share*math.Exp(0.7*l.rng.NormFloat64()))
	}
	l.email = fmt.Sprintf("%s.%s%d@example.com", firstNames[l.rng.IntN(len(firstNames))], lastNames[l.rng.IntN(len(lastNames))], i%97+1)
	return l
}

// hour draws a time of day in UTC, ms, from the rhythm of where the person lives.
func (l *life) hour() int64 {
	h := l.pick(24, func(h int) float64 { return byHour[h] })
	h = (h - countries[l.country].east + 24) % 24
	return int64(h)*msHour + int64(l.rng.IntN(3600))*1000
}

// seasonEdge is the next end of a season or of the time between, and whether ms
// lies in a season: January to March, September and October.
func seasonEdge(ms int64) (to int64, in bool) {
	t := time.UnixMilli(ms).UTC()
	m := t.Month()
	in = seasonal(m)
	for seasonal(m) == in {
		t = time.Date(t.Year(), m+1, 1, 0, 0, 0, 0, time.UTC)
		m = t.Month()
	}
	return t.UnixMilli(), in
}

func seasonal(m time.Month) bool {
	return m <= time.March || m == time.September || m == time.October
}
