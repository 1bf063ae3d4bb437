package query

import (
	"fmt"
	"math"

	"dwell/model/stage"
)

// A freshNumber is a number in force and what the data suggest for it now.
type freshNumber struct {
	path, name string // of the setting, and in words: "G", "variant.pro.G", "G of pro"
	was, is    float64
	ends       [2]float64 // is, at the ends of the suggestion's intervals
	banded     bool
	why        string
}

// bandEnds are a suggestion at the ends of its intervals.
func bandEnds(s *stage.Suggestion) (out [2]*stage.Suggestion) {
	for i := range out {
		e := *s
		if s.UsageBanded {
			e.Usage = []float64{s.UsageBand.Lo, s.UsageBand.Hi}[i]
		}
		if s.Banded {
			e.Gap = int(math.Round([]float64{s.Band.Lo, s.Band.Hi}[i]))
		}
		out[i] = &e
	}
	return out
}

// numbers are the model's own numbers with what the data suggest for them now.
func (p *advicePlan) numbers(s *stage.Suggestion) (out []finding, err error) {
	m := p.r.machine.Model()
	point, err := m.Evidence(s)
	if err != nil {
		return nil, err
	}
	var ends [2]*stage.Model
	for i, e := range bandEnds(s) {
		if ends[i], err = m.Thaw().Freeze(e); err != nil {
			return nil, err
		}
	}
	fresh, err := m.Thaw().Freeze(s)
	if err != nil {
		return nil, err
	}
	for i, q := range m.Params {
		if q.Suggest == "" {
			continue
		}
		f := finding{key: "param." + q.Name, slot: advUsers, slotNow: advRegular}
		if q.Suggest == "suggested_gap()" {
			f.slotNow = advUsers
		}
		f.number(freshNumber{path: q.Name, name: q.Name, was: q.Value, is: fresh.Params[i].Value,
			ends: [2]float64{ends[0].Params[i].Value, ends[1].Params[i].Value}, banded: s.Banded || s.UsageBanded, why: point[i].Text})
		out = append(out, f)
	}
	return out, nil
}

// variants are the numbers that the model's variants have from the users who meet
// their rules, with what those suggest now.
func (p *advicePlan) variants(all *stage.Suggestion) (out []finding, err error) {
	m := p.r.machine.Model()
	for i, v := range m.Variants {
		if !v.Suggests() {
			continue
		}
		s, err := p.r.suggestionOf(v)
		if err != nil {
			return nil, err
		}
		var made [3]*stage.Model // as suggested, and at the ends of the intervals
		ends := bandEnds(s)
		for k, e := range []*stage.Suggestion{s, ends[0], ends[1]} {
			of := make([]*stage.Suggestion, i+1)
			of[i] = e
			if made[k], err = m.Thaw().Freeze(all, of...); err != nil {
				return nil, err
			}
		}
		for k, o := range v.Params {
			if o.Suggest == "" {
				continue
			}
			is := func(n int) float64 { return made[n].Variants[i].Params[k].Value }
			f := finding{key: "param.variant." + v.Name + "." + o.Name, slot: advSlots + i, slotNow: advSlots + i}
			f.number(freshNumber{path: "variant." + v.Name + "." + o.Name, name: o.Name + " of " + v.Name, was: o.Value, is: is(0),
				ends: [2]float64{is(1), is(2)}, banded: s.Banded || s.UsageBanded, why: evidence(stage.Param{Name: o.Name, Suggest: o.Suggest}, s)})
			if s.Users == 0 {
				f.edit, f.word, f.verdict = nil, "nobody", "nobody with an active day meets its rule"
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// number says whether a number still is what the data suggest, and proposes the
// suggestion where the number lies outside its interval.
func (f *finding) number(n freshNumber) {
	f.label = "the number " + n.name
	f.was = Figure{Label: n.name + " in force", Value: n.was, Unit: "number"}
	f.is = Figure{Label: n.name + " as the data suggest it now", Value: n.is, Unit: "number"}
	lo, hi := min(n.ends[0], n.ends[1], n.is), max(n.ends[0], n.ends[1], n.is)
	if n.banded {
		f.is.Interval, f.is.Lo, f.is.Hi, f.is.Method = true, lo, hi, "95 %, through the formula from usage interval and gap"
	}
	f.change = Figure{Label: "change of " + n.name, Value: n.is - n.was, Unit: "number"}
	switch {
	case n.is == n.was:
		f.word, f.verdict = "as in force", "as in force. "+n.why
	case n.was >= lo && n.was <= hi:
		f.word, f.verdict = "within interval", "the number in force lies within the interval. "+n.why
	default:
		f.word, f.verdict = "outside interval", "the number in force lies outside the interval. "+n.why
		f.edit = &proposal{key: f.key, with: []string{n.path + "=" + Number(n.is)}, text: fmt.Sprintf("%s: %s → %s", n.name, Number(n.was), Number(n.is))}
	}
}
