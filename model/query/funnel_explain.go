package query

import (
	"fmt"
	"strings"

	"dwell/model/funnel"
)

// place finds what a slot is: its section, and a step with what it has of it, or
// step −1 with an extra.
func (p *funnelPlan) place(slot int) (section, k, what int) {
	section, at := slot/p.section(), slot%p.section()
	if at >= p.def.Steps*funnelPerStep {
		return section, -1, at - p.def.Steps*funnelPerStep
	}
	return section, at / funnelPerStep, at % funnelPerStep
}

// explain gives the lines that are particular to a funnel.
func (p *funnelPlan) explain(f *Figure) []ExplainLine {
	section, k, what := p.place(f.Slot)
	pop := "everybody who entered"
	if p.holds {
		pop = "every value of " + p.r.Str("hold") + " that entered"
	}
	if section > 0 {
		pop += ", in the row " + p.by.rows[section-1].label + " of " + p.by.info.Name
	}
	out := []ExplainLine{{Head: "Population", Text: pop}, {Head: "Window", Text: p.windowText() + " of the entry; entered less than one window before the end of " + p.r.AsOf.String() + " is open"}}
	formula := ""
	switch {
	case k >= 0:
		name := "step " + p.name(k)
		formula = []string{
			"number who reached " + name,
			"reached " + name + " ÷ reached the step before, whose window has passed",
			"reached " + name + " ÷ entered, whose window has passed",
			"reached " + name + " but no further step, and the window has passed",
			"reached " + name + " but no further step yet, within the window",
			"median of the times from the step before to " + name + ", of those who reached it and whose window has passed",
		}[what]
	default:
		formula = []string{
			"entered less than one window before the end, and not converted",
			"entered, but every try holds an excluded event before its conversion",
			"the deciding try was ended by an excluded event",
			"median of the times from entry to last step, of those who converted and whose window has passed",
		}[what]
	}
	return append(out, ExplainLine{Head: "Formula", Text: formula})
}

// work tells one user's way through the funnel.
func (p *funnelPlan) work(u *Person, f *Figure, _ bool) string {
	k := p.newKernel()
	k.read(u)
	section, _, _ := p.place(f.Slot)
	var all []outcome
	if by := p.by; section > 0 && by.how == byAll {
		codes := u.TL.Props[by.col].Codes
		for _, v := range by.present(codes, k.src) {
			if int(by.row[v]) == section-1 {
				all = append(all, k.outcomes(v, codes)...)
			}
		}
	} else {
		all = k.outcomes(0, nil)
	}
	if len(all) == 0 {
		return ""
	}
	return u.TL.ID + " " + p.told(u, &all[0]) + "."
}

// told is a try in words: the steps with their times, and how it ended.
func (p *funnelPlan) told(u *Person, o *outcome) string {
	if o.Removed {
		return "entered on " + p.r.Cal.Stamp(u.TL, o.entry()) + ", and an excluded event makes every try count for nothing"
	}
	var parts []string
	for s := range o.Depth {
		i := int(o.src[o.At[s]])
		name := p.r.Info.Names[u.TL.Name[i]].Name
		if s == 0 {
			parts = append(parts, "entered with "+name+" on "+p.r.Cal.Stamp(u.TL, i))
			continue
		}
		parts = append(parts, name+" "+durationText(int64(1000*o.lag(s)))+" later")
	}
	end := "converted"
	switch {
	case o.Converted(p.def.Steps):
	case o.Stopped:
		end = "stopped there by an excluded event"
	case !o.Closed:
		end = "has not converted yet, and the window is still open"
	default:
		end = "went no further in time"
	}
	if p.def.Order == funnel.Any && o.Depth < p.def.Steps {
		end = fmt.Sprintf("%s, with %d of the %d steps", end, o.Depth, p.def.Steps)
	}
	return strings.Join(append(parts, end), ", then ")
}
