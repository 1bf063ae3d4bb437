package stage

import (
	"fmt"
	"strconv"
	"strings"

	"dwell/model"
	"dwell/model/measure"
)

// sentence puts a proof into words.
func (p *Prover) sentence(pr *Proof, k Kind) string {
	from, to := "", p.m.model.Stages[pr.To].Label()
	if pr.From != NoStage {
		from = p.m.model.Stages[pr.From].Label()
	}
	why := p.words(pr.Clauses, "")
	if k == Promotion && pr.Lasted == pr.Least && pr.Least > 0 {
		why = append(why, fmt.Sprintf("the %s that %s lasts at least were over", plural(pr.Least, "day"), from))
	}
	reason := series(why, ", and ")
	if reason == "" {
		reason = pr.When
	}
	if pr.Variant != "" {
		reason += ", by the numbers of the variant " + pr.Variant
	}
	switch k {
	case Start:
		return fmt.Sprintf("%s from %s on, the day of the first event.", title(to), pr.Day)
	case Return:
		return fmt.Sprintf("Back from %s into %s on %s: %s.", from, to, pr.Day, reason)
	}
	return fmt.Sprintf("From %s to %s on %s: %s.", from, to, pr.Day, reason)
}

// words are the plain forms of clauses, without those that go without saying:
// about the measure left out, or contracts where the data know none.
func (p *Prover) words(cs []Clause, without string) (out []string) {
	contracts := p.m.schema.Contracts()
	for _, c := range cs {
		if without != "" && c.Measure == without || c.Measure == "contract_open" && !contracts {
			continue
		}
		out = append(out, c.Plain)
	}
	return out
}

// plain puts one clause into words. Measures of the default model have words of
// their own; any other is named as in the rule.
func (p *Prover) plain(c Clause) string {
	name, _, _ := strings.Cut(c.Measure, "(")
	number, bound := decimal(c.Value), short(c.Bound)
	atLeast := c.Op == ">=" && !c.Not
	switch {
	case name == "spell_active_days" && atLeast:
		return fmt.Sprintf("%s since %s (%s needed)", plural(int(c.Value), "active day"), p.cur.State().SpellFrom, are(c.Bound))
	case name == "beats_active_4" && atLeast:
		return fmt.Sprintf("active in %s of the last 4 blocks of %s (%s needed)", number, plural(p.beat(), "day"), are(c.Bound))
	case name == "recency_days" && atLeast:
		if last := p.lastActive(); last != model.NoDay {
			return fmt.Sprintf("%s without an active day since %s (the limit is %s)", plural(int(c.Value), "day"), last, bound)
		}
		return fmt.Sprintf("%s without any active day since the first event (the limit is %s)", plural(int(c.Value), "day"), bound)
	case name == "overdue" && atLeast:
		return fmt.Sprintf("silent for %s times as long as usual for this user (%s is the limit)", one(c.Value), bound)
	case name == "dwell_days" && c.Op == ">" && !c.Not:
		return fmt.Sprintf("%s in the stage (more than %s)", plural(int(c.Value), "day"), bound)
	case name == "base_active" && atLeast:
		return fmt.Sprintf("%s in the baseline (%s needed)", plural(int(c.Value), "active day"), are(c.Bound))
	case name == "rate_ratio" && c.Op == "<" && c.Known && !c.Not:
		return fmt.Sprintf("active days down to %s of the own rate before (under %s)", percent(c.Value), percent(c.Bound))
	case name == "drop_p" && c.Op == "<" && c.Known && !c.Not:
		return fmt.Sprintf("by chance alone so few with probability %s (under %s)", strconv.FormatFloat(c.Value, 'g', 2, 64), bound)
	case name == "milestones_135" && (c.Op == "==" || c.Op == ">=") && !c.Not:
		return fmt.Sprintf("%s of the 3 milestones of the 1-3-5 rule reached", number)
	case name == "active_today" && c.Op == "":
		return no(c.Not) + "active on this day"
	case name == "cancelled_today" && c.Op == "":
		if c.Not {
			return "no cancellation takes effect on this day"
		}
		return "a cancellation takes effect on this day"
	case name == "contract_open" && c.Op == "":
		if !p.m.schema.Contracts() {
			return "the data tell of no paid contracts"
		}
		if c.Not {
			return "no paid contract is open"
		}
		return "a paid contract is open"
	case c.Op != "" && !c.Known:
		return fmt.Sprintf("%s has no value yet (the rule asks for %s %s)", c.Measure, c.Op, bound)
	case c.Op != "":
		unit := ""
		if c.Unit != "" && c.Unit != "money" { // an amount's currency is the data's
			unit = " " + c.Unit
		}
		return fmt.Sprintf("%s is %s%s (%sthe rule asks for %s %s)", c.Measure, short(c.Value), unit, no(c.Not), c.Op, bound)
	}
	if c.Not {
		return "not " + c.Text
	}
	return c.Text
}

// one writes a number with one digit behind the point.
func one(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

// missing says what a promotion lacks: "missing for growth: 2 more active days".
func (p *Prover) missing(n *Near, st measure.State) string {
	var out []string
	for _, c := range n.Missing {
		name, _, _ := strings.Cut(c.Measure, "(")
		lack := c.Bound - c.Value
		switch {
		case c.Not && c.Op != "" && c.Known:
			out = append(out, fmt.Sprintf("not %s %s %s, as %s is", c.Measure, c.Op, short(c.Bound), short(c.Value)))
		case c.Not:
			out = append(out, "not "+c.Text)
		case c.Op == ">=" && c.Known && name == "spell_active_days":
			out = append(out, plural(int(lack), "more active day"))
		case c.Op == ">=" && c.Known && name == "beats_active_4":
			out = append(out, fmt.Sprintf("activity in %s of the last 4 blocks of %s instead of %s", short(c.Bound), plural(p.beat(), "day"), short(c.Value)))
		case c.Op == ">=" && c.Known && c.Unit == "days":
			out = append(out, fmt.Sprintf("%s more days of %s", short(lack), c.Measure))
		case c.Op != "" && c.Known:
			out = append(out, fmt.Sprintf("%s %s %s instead of %s", c.Measure, c.Op, short(c.Bound), short(c.Value)))
		default:
			out = append(out, c.Text)
		}
	}
	if n.Wait > 0 {
		out = append(out, fmt.Sprintf("%s in %s", plural(n.Wait, "more day"), p.m.model.Stages[st.Stage].Label()))
	}
	return "missing for " + p.m.model.Stages[n.Stage].Label() + ": " + series(out, " and ")
}

// series joins parts with commas, and the last with its own word.
func series(parts []string, last string) string {
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + last + parts[n-1]
	}
	return strings.Join(parts, "")
}

func no(not bool) string {
	if not {
		return "not "
	}
	return ""
}

func are(n float64) string {
	if n == 1 {
		return "1 is"
	}
	return short(n) + " are"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// short writes a number for a sentence, never as a power of ten: two digits
// behind the point at most, and four that say something where it is small.
func short(x float64) string {
	if x > -1 && x < 1 {
		return strconv.FormatFloat(x, 'g', 4, 64)
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(x, 'f', 2, 64), "0"), ".")
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
