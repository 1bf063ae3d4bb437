package query

import (
	"fmt"
	"strings"

	"dwell/model"
)

// churnWords is what counts as churn, for titles: on each figure's page the rule
// stands in full.
func (d *lifeDef) churnWords() string {
	switch {
	case !d.contract:
		return fmt.Sprintf("churn is %d days without %s", d.gap, d.active.label)
	case d.paid < 0:
		return "churn is a cancellation"
	case d.gap > 1:
		return fmt.Sprintf("churn is the end of a contract, unless renewed within %d days", d.gap-1)
	}
	return "churn is the end of a contract"
}

// beginWords is where time begins.
func (d *lifeDef) beginWords() string {
	spell := "the first event"
	if d.contract {
		spell = "the first contract's beginning"
	}
	if !d.start.all {
		spell = "the first ever " + strings.TrimPrefix(d.start.label, "any ")
	}
	if d.spell > 1 {
		spell = fmt.Sprintf("return number %d", d.spell-1)
	}
	if d.every {
		spell = "the beginning of each spell"
	}
	switch {
	case d.signup != "":
		return "the sign-up (" + d.signup + ")"
	case d.landmark != model.NoDay:
		return "the landmark " + d.landmark.String()
	case d.age >= 0:
		return fmt.Sprintf("the landmark, %d days after %s", d.age, spell)
	}
	return spell
}

func (p *survivalPlan) from() string { return "since " + p.def.beginWords() }

func (d *lifeDef) spellWords() string {
	if d.every {
		return "every spell (user-spells, not users)"
	}
	if d.spell == 1 {
		return "first spell"
	}
	return fmt.Sprintf("spell %d", d.spell)
}

func (p *survivalPlan) title() string {
	parts := []string{"Survival since " + p.def.beginWords(), p.def.churnWords(), p.def.spellWords(), p.r.Cal.Zone}
	if p.by.by != "" {
		parts[0] += " by " + p.by.by
	}
	return strings.Join(parts, " · ")
}

// rule is the churn definition in full: activity, gap, population, return.
func (d *lifeDef) rule() string {
	of := "Of each user the " + d.spellWords() + " counts: a return after a churn begins another one and cancels nothing."
	if d.every {
		of = "Every spell of each user counts, so a user counts as often as they have one: a return after a churn begins another. Spells of one user are alike, so intervals come from resampling whole users."
	}
	if d.contract {
		return d.contractRule() + " " + of
	}
	return fmt.Sprintf("A user churns on the day on which silence reaches %d days: last day with %s + %d (from the start while there is none); activity on that very day still counts. A user not silent so long by %s is censored there, never counted as churned. %s",
		d.gap, d.active.label, d.gap, d.r.AsOf, of)
}

// contractRule is the definition of churn=contract in full.
func (d *lifeDef) contractRule() string {
	out := "A contract holds from the first purchase until a cancellation, whose day is the churn's; a purchase after it begins another."
	if d.paid >= 0 {
		what := "the latest end of the periods bought (" + d.paidKey.Name + ")"
		if d.paidUntil {
			what = "the last " + d.paidKey.Name + " seen"
		}
		out = "A contract holds until " + what + ". The churn is on that day, which is no longer paid, unless it is paid on that very day"
		if d.gap > 1 {
			out += fmt.Sprintf(" or within %d days after (a cancelled contract ends at once)", d.gap-1)
		}
		out += "; a cancellation ends a contract with what is paid, and paying again takes it back."
	}
	return out + fmt.Sprintf(" A contract that holds on %s is censored there, never counted as churned.", d.r.AsOf)
}

func (p *survivalPlan) definition() string {
	out := "Share of users not yet churned by each day since " + p.def.beginWords() + ", by Kaplan and Meier. " + p.def.rule()
	if flat := p.def.flat(); flat > 0 {
		out += fmt.Sprintf(" Nobody can have churned before day %v, so the curve is flat at 100 %% until then by construction.", flat)
	}
	if p.def.fixed() {
		out += " Groups are fixed at the landmark: only users still at risk then count, and time runs from there."
	}
	return out
}

// place finds the curve and row of a slot; −1 where it has none.
func (p *survivalPlan) place(slot int) (curve, row int) {
	if slot < lifeSlots {
		return -1, -1
	}
	size := curveSlots + rowSlots*(p.rows+1)
	curve, slot = (slot-lifeSlots)/size, (slot-lifeSlots)%size
	if slot < curveSlots {
		return curve, -1
	}
	return curve, (slot - curveSlots) / rowSlots
}

func (p *survivalPlan) explain(f *Figure) []ExplainLine {
	out := []ExplainLine{{Head: "Definition", Text: p.definition()}, {Head: "Population", Text: p.population(f)}}
	formula := ""
	switch name := f.Key[strings.LastIndexByte(f.Key, '.')+1:]; {
	case strings.HasPrefix(f.Key, "logrank."):
		formula = "Σ (observed − expected churns) with their hypergeometric covariance: the log-rank test"
	case f.Kind == Count:
		formula = "number of users"
	case f.Kind == Pairs:
		formula = "number of spells, each user as often as they have one"
	case strings.Contains(f.Key, "fit.") || strings.Contains(f.Key, "forecast."):
		formula = "maximum likelihood with censoring" + p.fittedFrom() + "; AIC is 2 × parameters − 2 × log-likelihood, the lower fits better"
	case name == "survival":
		formula = "Π (1 − churned ÷ at risk) over the days with churn up to it; the list has those at risk on that day"
	case name == "hazard":
		formula = "Σ churned ÷ at risk over the days up to it (Nelson–Aalen); the list has those at risk on that day"
	case name == "median":
		formula = "the first day on which at most half have not churned"
	case name == "mean":
		formula = "the area under the curve up to the day named"
	}
	if formula != "" {
		out = append(out, ExplainLine{Head: "Formula", Text: formula})
	}
	return append(out, ExplainLine{Head: "Window", Text: fmt.Sprintf("whole days since %s, up to the end of %s; nothing later is read", p.def.beginWords(), p.r.AsOf)})
}

func (p *survivalPlan) population(f *Figure) string {
	pop := "all users whose " + p.def.spellWords() + " is seen from its beginning"
	if p.def.fixed() {
		pop = "users still at risk at the landmark"
	}
	if p.r.truncates && p.def.signup == "" {
		pop += fmt.Sprintf(", but for those first seen before %s, who may have begun before the data do", p.r.truncatedBefore())
	}
	if f.Slot != ownSlot {
		if g := p.r.Groups[f.Group]; g.Rule != "" {
			when := "at the start"
			if p.def.fixed() {
				when = "then"
			}
			pop += ", for whom " + g.Rule + " holds " + when
		}
		if c, _ := p.place(f.Slot); c >= 0 && p.by.by != "" {
			pop += ", with " + p.by.by + " " + p.by.label(c)
		}
	}
	return pop
}

// work says in one sentence how a user stands.
func (p *survivalPlan) work(u *Person, _ *Figure, _ bool) string {
	return (&lifeReader{def: p.def}).work(u)
}

// work says in one sentence what a user's life is.
func (k *lifeReader) work(u *Person) string {
	l, why := k.read(u)
	id := u.TL.ID
	switch why {
	case unstarted:
		return id + " has not begun this spell."
	case truncated:
		return fmt.Sprintf("%s was first seen on %s, within %d days of the data's first day, so may have begun earlier: left out.", id, u.Days[0], int(k.def.r.truncatedBefore()-k.def.r.FirstDay))
	case notYet:
		return fmt.Sprintf("%s began on %s: not there at the landmark.", id, l.start)
	case dead:
		return fmt.Sprintf("%s was last active on %s and had churned by the landmark.", id, l.last)
	}
	if k.def.contract {
		text := fmt.Sprintf("%s's contract began on %s", id, l.start)
		if l.Died {
			return text + fmt.Sprintf(" and was paid until %s: churned on day %v since %s.", l.last, l.Time, k.def.beginWords())
		}
		return text + fmt.Sprintf(" and holds on %s, so is censored on day %v.", k.def.r.AsOf, l.Time)
	}
	text := fmt.Sprintf("%s began on %s and was last active on %s", id, l.start, l.last)
	if l.Died {
		return text + fmt.Sprintf(": churned on %s, on day %v since %s.", l.last+k.def.gap, l.Time, k.def.beginWords())
	}
	return text + fmt.Sprintf(": not yet silent for %d days on %s, so censored on day %v.", k.def.gap, k.def.r.AsOf, l.Time)
}
