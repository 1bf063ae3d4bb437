package sample

import (
	"fmt"
	"slices"

	"dwell/model"
)

// An Event is one row of the file. Cents is the amount in hundredths of a euro
// where Priced; money given back is below zero.
type Event struct {
	Time   int64 // ms, whole seconds
	ID     string
	Name   string
	Cents  int64
	Priced bool
	Props  []Prop

	person int // ordinal, for ties
	order  int // ordinal of the person's order, from 1; 0: none
}

// A Prop is a property of an event.
type Prop struct{ Key, Value string }

// act draws what a person does, in no particular order, and who follows an
// invitation. Nothing is dated at or after the death or the end of the data.
func (l *life) act() (events []Event, invited []arrival) {
	a := &actor{life: l, end: dataTo}
	if l.Death > 0 {
		a.end = l.Death
	}
	a.contacts()
	if l.Signup == 0 {
		return a.events, nil
	}
	a.signUp()
	a.sessions()
	a.pay()
	a.surveys()
	a.leave()
	return a.events, a.invited
}

type actor struct {
	*life
	end     int64
	orders  int
	refunds int
	events  []Event
	invited []arrival
}

func (a *actor) emit(at int64, name string, props ...Prop) *Event {
	at -= at % 1000
	if at >= a.end {
		return &Event{} // nobody acts when dead; the caller may fill it in vain
	}
	a.events = append(a.events, Event{Time: at, ID: a.ID, Name: name, Props: props})
	return &a.events[len(a.events)-1]
}

// contacts are the visits before sign-up: the first at birth, the others
// between it and the sign-up, or the loss of interest. Those who sign up later
// were sometimes known by an anonymous id until then.
func (a *actor) contacts() {
	until := a.Signup
	if until == 0 {
		until = a.end
	}
	for i := range a.touches {
		at, ch := a.born, a.Channel
		if i > 0 {
			at += int64(a.rng.Float64() * float64(until-a.born))
			if a.chance(0.35) {
				ch = channels[a.pick(len(channels), func(c int) float64 { return channels[c].share })].name
			}
		}
		name := evVisit
		if ch == "search_ads" || ch == "social_ads" {
			name = evClick
		}
		e := a.emit(at, name, Prop{"channel", ch}, Prop{"country", countries[a.country].code})
		e.ID = a.IDs[len(a.IDs)-1]
	}
}

func (a *actor) signUp() {
	props := []Prop{{"channel", a.Channel}, {"country", countries[a.country].code}, {"device", a.Devices[0]}, {"arm", a.Arm}, {"email", a.email}, {"plan", "free"}}
	if a.Inviter != "" {
		props = append(props, Prop{"inviter", a.Inviter})
	}
	a.emit(a.Signup, evSignup, props...)
	if len(a.IDs) > 1 {
		a.emit(a.Signup+2000, evAlias, Prop{"alias", a.IDs[1]})
	}
	if a.active > 0 {
		a.emit(a.active, evActivate, Prop{"device", a.Devices[0]})
	}
}

// sessions thins a process of the highest intensity, so that each moment has
// the intensity of its own phase.
func (a *actor) sessions() {
	for day := model.Day(a.Signup / msDay); int64(day)*msDay < a.end; day++ {
		_, month, _ := day.Civil()
		most := a.Rate * mostFactor * byWeekday[day.Weekday()] * byMonth[month-1]
		for range a.poisson(most) {
			at := int64(day)*msDay + a.hour()
			if a.chance(a.factor(at) / mostFactor) {
				a.session(at, a.PhaseAt(at), buyMonth[month-1])
			}
		}
	}
}

// more multiplies the chances of a session's rarer parts by phase.
type more struct{ buy, invite, complain float64 }

var byPhase = map[Phase]more{Trying: {0.5, 0.5, 1}, Settled: {1, 1, 1}, Devoted: {1.5, 2.5, 0.8}, Fading: {0.5, 0.2, 5}}

func (a *actor) session(at int64, ph Phase, season float64) {
	device := a.Devices[0]
	if len(a.Devices) > 1 && a.chance(0.35) {
		device = a.Devices[1]
	}
	a.app(at, evOpen, device)
	for range a.poisson(1.2) {
		at += int64(20+a.rng.IntN(400)) * 1000
		a.app(at, features[a.pick(len(features), func(f int) float64 { return a.shares[f] })].name, device)
	}
	m := byPhase[ph]
	if a.chance(a.buys * m.buy * season) {
		a.buy(at + int64(30+a.rng.IntN(300))*1000)
	}
	if a.chance(0.010 * m.invite) {
		at += 60_000
		a.emit(at, evInvite)
		if came := at + days(referralDays*a.rng.ExpFloat64()); a.chance(acceptShare) && at < a.end && came < dataTo {
			a.invited = append(a.invited, arrival{at: came, channel: -1, inviter: a.ID})
		}
	}
	if a.chance(0.004 * m.complain) {
		a.emit(at+int64(a.rng.IntN(3600))*1000, evComplain, Prop{"topic", topics[a.rng.IntN(len(topics))]})
	}
	if a.chance(0.005 * m.complain) {
		a.emit(at+int64(a.rng.IntN(7200))*1000, evSupport, Prop{"topic", topics[a.rng.IntN(len(topics))]})
	}
}

// app is an event of the app itself, with the two tracking faults: on one day
// the web app sent every edit twice, and for a week the app lost the device.
func (a *actor) app(at int64, name, device string) {
	day := model.Day(at / msDay)
	props := []Prop{{"device", device}}
	if lostFrom <= day && day < lostTo {
		props = nil
	}
	a.emit(at, name, props...)
	if day == doubleDay && name == evEdit && device == "web" {
		a.emit(at, name, props...)
	}
}

// buy is one order of one or more lines, a second apart, and what may follow.
func (a *actor) buy(at int64) {
	a.orders++
	order := a.orders
	var taken []int
	for range min(1+a.poisson(0.6), 5) {
		it := a.pick(len(items), func(i int) float64 {
			w := 1.0
			if items[i].theme == a.theme {
				w = 5
			}
			if slices.Contains(taken, i) {
				return 0
			}
			if slices.Contains(taken, i^1) {
				w *= 4 // the two of a pair go together
			}
			return w
		})
		taken = append(taken, it)
		a.sell(at, evPurchase, items[it].cents, order, Prop{"item", items[it].name})
		at += 1000
	}
	if a.chance(0.035) && at < a.end {
		back := at + days(1+11*a.rng.Float64())
		it := items[taken[0]]
		if back < a.end {
			a.refunds++
			a.sell(back, evRefund, -it.cents, order, Prop{"item", it.name})
			if a.chance(0.3) {
				a.emit(back+msHour, evComplain, Prop{"topic", "billing"})
			}
		}
	}
	if a.chance(0.12) {
		stars := min(max(int(4.1+0.3*a.Taste+0.9*a.rng.NormFloat64()), 1), 5)
		a.emit(at+days(3*a.rng.Float64()), evRating, Prop{"rating", fmt.Sprint(stars)})
	}
}

func (a *actor) sell(at int64, name string, cents int64, order int, props ...Prop) {
	e := a.emit(at, name, append(props, Prop{"currency", "EUR"})...)
	e.Cents, e.Priced, e.order = cents, true, order
}

// pay is the subscription: every 30 days from some days after activation, while
// the person lives and is not away.
func (a *actor) pay() {
	if a.active == 0 || a.plan < 0 {
		a.plan = -1
		return
	}
	p := plans[a.plan]
	at := a.active + days(1+6*a.rng.ExpFloat64())
	paid := false
	for ; at < a.end; at += 30 * msDay {
		if a.factor(at) == 0 {
			continue
		}
		paid = true
		a.orders++
		until := model.Day((at + 30*msDay) / msDay).String()
		a.sell(at, evPay, p.cents, a.orders, Prop{"item", p.item}, Prop{"plan", p.name}, Prop{"paid_until", until})
	}
	if !paid {
		a.plan = -1
	}
}

// surveys ask for a score from 0 to 10 every 75 days; about a third answer.
func (a *actor) surveys() {
	for at := a.Signup + 20*msDay; at < a.end; at += 75 * msDay {
		ph := a.PhaseAt(at)
		if ph == Away {
			continue
		}
		a.emit(at, evSurvey)
		if !a.chance(0.35) {
			continue
		}
		score := 7.5 + 0.9*a.Taste + 1.4*a.rng.NormFloat64()
		switch ph {
		case Devoted:
			score += 1.2
		case Fading:
			score -= 2.5
		}
		a.emit(at+msHour+days(2*a.rng.Float64()), evNPS, Prop{"score", fmt.Sprint(min(max(int(score+0.5), 0), 10))})
	}
}

// leave is the last act of some who die: they cancel, and give a reason.
func (a *actor) leave() {
	if a.Death == 0 {
		return
	}
	name, share := evClose, 0.06
	if a.plan >= 0 {
		name, share = evCancel, 0.8
	}
	if !a.chance(share) {
		return
	}
	reason := reasons[a.rng.IntN(len(reasons))]
	switch faded := len(a.Phases) > 1 && a.Phases[len(a.Phases)-2].Phase == Fading; {
	case a.refunds > 0 && a.chance(0.6):
		reason = "too expensive"
	case faded && a.chance(0.5):
		reason = "not using it enough"
	}
	a.emit(a.Death-1000, name, Prop{"reason", reason})
}

// number gives the orders their numbers, in the order of the file.
func number(events []Event) {
	type key struct{ person, order int }
	numbers := map[key]string{}
	for i := range events {
		e := &events[i]
		if e.order == 0 {
			continue
		}
		k := key{e.person, e.order}
		if numbers[k] == "" {
			numbers[k] = fmt.Sprintf("A-%d", 100_001+len(numbers))
		}
		e.Props = append(e.Props, Prop{"order_id", numbers[k]})
	}
}
