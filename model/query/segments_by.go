package query

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/rule"
)

// byColumn divides by the values of one property or measure: each value, or
// ranges where there are many numbers.
func (r *Run) byColumn(pop *Population, by string) (*division, error) {
	ref, err := r.columnRef(by)
	if err != nil {
		return nil, fmt.Errorf("by=: %w", err)
	}
	cols, err := pop.Columns(r, []measure.Ref{ref})
	if err != nil {
		return nil, err
	}
	d := &division{name: "by", title: "Users by " + by, bars: true}
	c, top := cols[0], r.Int("top")
	if c.Type == measure.Text {
		d.byText(r, c, ref, by, top)
	} else {
		d.byNumber(c, by, top)
	}
	return d, nil
}

func (d *division) byText(r *Run, c *measure.Column, ref measure.Ref, by string, top int) {
	n := make([]int64, len(c.Dict))
	for _, code := range c.Codes {
		n[code]++
	}
	order := make([]int, 0, len(n))
	for code := 1; code < len(n); code++ {
		if n[code] > 0 {
			order = append(order, code)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(n[b], n[a]), strings.Compare(c.Dict[a], c.Dict[b])) })
	place := make([]int32, len(n))
	rest := min(top, len(order))
	for i, code := range order {
		if i < top {
			v := c.Dict[code]
			place[code] = int32(i)
			d.parts = append(d.parts, part{key: "is." + v, label: v, rule: valueRule(r, ref, by, v)})
		} else {
			place[code] = int32(rest)
		}
	}
	if len(order) > top {
		d.parts = append(d.parts, part{key: "others", label: countOf(int64(len(order)-top), "other value"), apart: true})
		rest++
	}
	place[0] = int32(rest)
	d.parts = append(d.parts, part{key: "none", label: "no value", rule: "not known(" + by + ")", apart: true})
	d.of = func(row int, hit func(int)) { hit(int(place[c.Codes[row]])) }
}

func valueRule(r *Run, ref measure.Ref, by, value string) string {
	if ref.Name == "prop" {
		return rule.Equals(ref.Key, value, r.Schema)
	}
	return by + " == " + strconv.Quote(value)
}

// byNumber divides by single values where there are few, else by at most ten
// ranges with about as many users each.
func (d *division) byNumber(c *measure.Column, by string, top int) {
	var sorted []float64
	for row := range c.Len {
		if v, ok := c.At(row); ok {
			sorted = append(sorted, v)
		}
	}
	slices.Sort(sorted)
	distinct := slices.Compact(slices.Clone(sorted))
	show := func(v float64) string {
		switch c.Type {
		case measure.Bool:
			if v != 0 {
				return "yes"
			}
			return "no"
		case measure.Day:
			return model.Day(v).String()
		}
		return Number(v)
	}
	written := func(v float64) string { // as in a rule
		if c.Type == measure.Day {
			return strconv.Quote(show(v))
		}
		return Number(v)
	}
	single := len(distinct) <= top
	edges := distinct // the least value of each part
	if !single {
		edges = nil
		const ranges = 10
		for i := range min(ranges, top) {
			v := sorted[i*len(sorted)/min(ranges, top)]
			if len(edges) == 0 || v > edges[len(edges)-1] {
				edges = append(edges, v)
			}
		}
	}
	for i, lo := range edges {
		p := part{key: "is." + show(lo), label: show(lo), rule: by + " == " + written(lo)}
		if c.Type == measure.Bool {
			p.rule = by
			if lo == 0 {
				p.rule = "known(" + by + ") and not (" + by + ")"
			}
		}
		if !single {
			p = part{key: "from." + show(lo), label: "from " + show(lo), rule: by + " >= " + written(lo)}
			if i+1 < len(edges) {
				p.label += " to under " + show(edges[i+1])
				p.rule += " and " + by + " < " + written(edges[i+1])
				if c.Ints != nil { // whole numbers and days: name the last one instead
					p.label = show(lo) + " to " + show(edges[i+1]-1)
					if edges[i+1]-1 == lo {
						p.label = show(lo)
					}
				}
			}
		}
		d.parts = append(d.parts, p)
	}
	none := len(d.parts)
	d.parts = append(d.parts, part{key: "none", label: "no value", rule: "not known(" + by + ")", apart: true})
	d.of = func(row int, hit func(int)) {
		v, ok := c.At(row)
		if !ok {
			hit(none)
			return
		}
		at, exact := slices.BinarySearch(edges, v)
		if !exact {
			at--
		}
		hit(max(at, 0))
	}
}
