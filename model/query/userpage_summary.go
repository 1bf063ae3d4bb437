package query

import (
	"fmt"
	"strings"
)

// stageLine says in one sentence where the user stands and since when.
func (u *userLife) stageLine() string {
	since := u.hist.Since()
	days := int(u.r.AsOf - since)
	long := "since " + since.String() + " (" + plural(days, "day") + ")"
	if days == 0 {
		long = "since today"
	}
	return capital(u.label(u.hist.Now())) + " " + long
}

// now is stage, since when and why in one plain sentence, what the next stage
// still lacks today, then what marks hold.
func (u *userLife) now() []string {
	why := u.proofs[len(u.proofs)-1].Sentence
	lines := []string{u.stageLine() + ". " + why}
	if u.near != nil && u.hist.Now() != u.r.machine.Lost() {
		lines = append(lines, capital(u.near.Plain)+".")
	}
	if m := u.marks(); len(m) > 0 {
		lines = append(lines, "Marks: "+strings.Join(m, ", ")+".")
	}
	return lines
}

// marks are the marks that hold, in words with their numbers.
func (u *userLife) marks() (out []string) {
	for i, name := range u.r.machine.Marks() {
		if !u.hist.Marked(i) {
			continue
		}
		text := strings.ReplaceAll(name, "_", " ")
		switch name {
		case "silent":
			if v, ok := u.value("recency_days"); ok {
				text += fmt.Sprintf(" (%.0f days without activity)", v)
			}
		case "late":
			if v, ok := u.value("overdue"); ok {
				text += fmt.Sprintf(" (%.1f times the usual gap)", v)
			}
		case "declining":
			if v, ok := u.value("rate_ratio"); ok {
				text += fmt.Sprintf(" (active days at %.0f %% of before)", 100*v)
			}
		}
		out = append(out, text)
	}
	return out
}

// summary is at most eight lines of plain text for a support ticket.
func (u *userLife) summary() []string {
	out := []string{
		fmt.Sprintf("User %s, as of %s (%s)", u.id, u.r.AsOf, u.r.Cal.Zone),
		"Stage: " + u.stageLine() + ".",
		"Why: " + u.proofs[len(u.proofs)-1].Sentence,
	}
	line := fmt.Sprintf("Known since %s; %s, %s", u.days[0], plural(u.tl.Len(), "event"), plural(len(u.active), "active day"))
	if n := len(u.active); n > 0 {
		line += fmt.Sprintf("; last active %s (%s before)", u.active[n-1], plural(int(u.r.AsOf-u.active[n-1]), "day"))
	}
	out = append(out, line+".")
	if orders, ok := u.value("orders"); ok && orders > 0 {
		line := plural(int(orders), "order")
		if v, ok := u.value("revenue"); ok {
			unit, _ := u.r.currency()
			line += fmt.Sprintf(", revenue %.2f", v)
			if unit != "amount" {
				line += " " + unit
			}
		} else if each := u.revenues(); len(each) > 0 {
			line += ", revenue " + strings.Join(each, " + ")
		}
		out = append(out, line+".")
	}
	if line := u.troubleLine(); line != "" {
		out = append(out, line)
	}
	if m := u.marks(); len(m) > 0 {
		out = append(out, "Marks: "+strings.Join(m, ", ")+".")
	}
	if u.risk != nil && u.risk.Scored {
		out = append(out, fmt.Sprintf("Probability of churn within %d days: %s (base rate %s).", u.risk.Horizon, churnShare(u.risk.Probability), churnShare(u.risk.BaseRate)))
	}
	return out
}

// revenues are the user's revenues where the data have several currencies, those
// that are not nothing.
func (u *userLife) revenues() (out []string) {
	for i := range u.set.Len() {
		ref := u.set.Ref(i)
		cur := u.r.onlyCurrency(ref)
		if v, ok := u.cur.Value(i); cur != "" && ok && v != 0 {
			out = append(out, fmt.Sprintf("%.2f %s", v, cur))
		}
	}
	return out
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
