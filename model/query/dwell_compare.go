package query

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"dwell/model/stat"
)

// A contrast is one line of the comparison of movers with stalled users.
type contrast struct {
	row    Row
	effect float64 // its size, for the order of lines
	clear  bool    // the interval holds no "no difference"
}

// comparison sets what the movers did in the first days of their stay beside
// what the stalled did. Many lines are looked at, so that each interval is
// widened to hold for all of them together (Bonferroni).
func (d *dwelling) comparison(b *Builder, i int) {
	s := d.r.machine.Model().Stages[i]
	movers, stalled := b.N(d.group(i, 0, false), Self), b.N(d.group(i, 0, true), Self)
	mf := b.Count(d.group(i, 0, false), "movers."+s.Name, s.Label()+", movers compared")
	sf := b.Count(d.group(i, 0, true), "standing."+s.Name, s.Label()+", stalled compared")
	title := fmt.Sprintf("%s: what the movers had done in their first %s that the stalled had not", s.Label(), plural(int(d.window[i]), "day"))
	bl := Block{Kind: TableBlock, Name: b.Key("compare." + s.Name), Title: b.label(title), Heads: []Head{{"movers", true}, {"stalled", true}, {"difference", true}, {"effect", true}, {"interval", true}, {"", false}}}
	bl.Rows = append(bl.Rows, Row{Key: "users", Label: "users", Cells: []Cell{b.Cell(mf), b.Cell(sf), TextCell(""), TextCell(""), TextCell(""), TextCell("")}})
	if movers == 0 || stalled == 0 {
		b.Block(bl)
		return
	}
	lines := 0
	for k := range d.names {
		if b.N(d.did(i, k, false), Self)+b.N(d.did(i, k, true), Self) > 0 {
			lines++
		}
	}
	level := 1 - (1-stat.Level)/float64(lines+len(compared))
	var out []contrast
	for k := range compared {
		if c, ok := d.measured(b, i, k, level); ok {
			out = append(out, c)
		}
	}
	for k := range d.names {
		if b.N(d.did(i, k, false), Self)+b.N(d.did(i, k, true), Self) > 0 {
			out = append(out, d.event(b, i, k, level))
		}
	}
	slices.SortStableFunc(out, func(a, b contrast) int {
		if a.clear != b.clear {
			if a.clear {
				return -1
			}
			return 1
		}
		return cmp.Compare(math.Abs(b.effect), math.Abs(a.effect))
	})
	for _, c := range out {
		bl.Rows = append(bl.Rows, c.row)
	}
	b.Block(bl)
	b.Warn("signals", "What movers had done is a signal, not a cause: those who were going to move may simply do more. Intervals hold together for all lines of a table (Bonferroni).")
}

// event compares the shares who did something: the difference with Newcombe's
// interval, and Cohen's h as its size.
//
// Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences, 2nd
// ed., chapter 6.
func (d *dwelling) event(b *Builder, i, k int, level float64) contrast {
	s, name := d.r.machine.Model().Stages[i], d.r.Info.Names[d.names[k]].Name
	ms, ss := d.did(i, k, false), d.did(i, k, true)
	m := b.Rate(ms, "movers."+s.Name+".did."+name, s.Label()+", movers who did "+name)
	st := b.Rate(ss, "standing."+s.Name+".did."+name, s.Label()+", stalled who did "+name)
	p1, p2 := b.Fig(st).Value, b.Fig(m).Value
	h := 2*math.Asin(math.Sqrt(p2)) - 2*math.Asin(math.Sqrt(p1))
	c := contrast{effect: h}
	text := ""
	if iv, ok := stat.Newcombe(b.N(ss, Self), b.N(ss, Of), b.N(ms, Self), b.N(ms, Of), level); ok {
		text = fmt.Sprintf("%+.1f to %+.1f points", 100*iv.Lo, 100*iv.Hi)
		c.clear = iv.Lo > 0 || iv.Hi < 0
	}
	c.row = Row{Key: "did." + name, Label: "did " + name, Cells: []Cell{b.Cell(m), b.Cell(st), TextCell(fmt.Sprintf("%+.1f points", 100*(p2-p1))), TextCell(fmt.Sprintf("h %+.2f", h)), TextCell(text), TextCell(clearNote(c.clear))}}
	return c
}

// measured compares numbers: medians, and as size the chance that a mover has
// more than a stalled user, with DeLong's interval.
func (d *dwelling) measured(b *Builder, i, k int, level float64) (contrast, bool) {
	s := d.r.machine.Model().Stages[i]
	var fs []stat.Forecast
	var figs [2]int
	for g, stalled := range []bool{false, true} {
		slot := d.group(i, k, stalled)
		who := []string{"movers", "standing"}[g]
		values := slices.Clone(b.Values(slot))
		slices.Sort(values)
		med, ok := stat.Median(values)
		figs[g] = b.Stat(slot, who+"."+s.Name+"."+compared[k].key, fmt.Sprintf("%s, %s, median %s", s.Label(), []string{"movers", "stalled"}[g], compared[k].label), med, !ok, "")
		for _, v := range values {
			fs = append(fs, stat.Forecast{P: v, Yes: !stalled})
		}
	}
	area, err := stat.AUC(fs, level)
	if err != nil {
		return contrast{}, false
	}
	// On the scale of Cohen's h a chance of 0.5 + x is about 2x·1.77.
	c := contrast{effect: 3.54 * (area.AUC - 0.5)}
	text := ""
	if area.Bounded {
		text = fmt.Sprintf("%.0f to %.0f %%", 100*area.Lo, 100*area.Hi)
		c.clear = area.Lo > 0.5 || area.Hi < 0.5
	}
	diff := b.Fig(figs[0]).Value - b.Fig(figs[1]).Value
	c.row = Row{Key: compared[k].key, Label: compared[k].label + " (median)", Cells: []Cell{b.Cell(figs[0]), b.Cell(figs[1]), TextCell(fmt.Sprintf("%+.5g", diff)), TextCell(fmt.Sprintf("more in %.0f %%", 100*area.AUC)), TextCell(text), TextCell(clearNote(c.clear))}}
	return c, true
}

func clearNote(clear bool) string {
	if clear {
		return "differs"
	}
	return ""
}
