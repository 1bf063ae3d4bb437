package query

import (
	"fmt"
	"strings"

	"dwell/model"
	"dwell/model/stage"
)

// typicalAnalysis is the panel of SPEC R8.8: what each stage's users did, beside
// what the source work calls typical of the stage. The latter is information from
// a book, no target and no benchmark: nothing is judged by it.
func typicalAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "typical", Title: "Stage panel", Help: "per stage: dwell, repurchase, first shares, complaints and revenue as observed, beside what the source work calls typical; information only", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "days", Type: Int, Min: 1, Help: "users are put into stages so many days before the as-of day; what they did since is observed; left out: 90, of short data half of them"},
			}, moneyKeys(), groupKeys(), truncatedKeys(), zoneKeys())},
		plan: planTypical,
	}
}

// sourceSays is what the source work gives as typical of a stage of growth5, in
// the words of SPEC part 2; "" where it says nothing.
var sourceSays = map[string]struct{ dwell, repurchase, share, value string }{
	"acquisition": {"1–4 weeks", "", "", "near zero"},
	"exploration": {"2–8 weeks", "15 % rising to 35 %", "", "low"},
	"growth":      {"3–6 months", "", "the first", "rising"},
	"maturity":    {"6–12 months", "", "", "the highest"},
	"churned":     {"", "under 5 %", "social acts stop", ""},
}

// Slots of the panel: the users there on the day, the 1-3-5 rule's two facts, then
// for each stage what follows.
const (
	typUsers = iota
	typFirst // rate: an active day in the first week
	typThird // rate: a third one within two weeks
	typStages
)

const (
	typHere    = iota // in the stage on the day
	typDwell          // values: first stay
	typAgain          // rate: of those who had bought, bought again
	typShared         // rate: had shared or invited by the day
	typTrouble        // rate: complained since
	typMoney          // what they brought since
	typSlots
)

// A typical holds what kernel and layout share.
type typical struct {
	r       *Run
	his     *historian
	buys    *buying
	day     model.Day // users are put into stages at its end
	entries []stage.EntryInfo
	n       int
}

func (t *typical) slot(stage, what int) int { return typStages + stage*typSlots + what }

func planTypical(r *Run) (*Plan, error) {
	days := min(r.Int("days"), maxDays)
	if r.Str("days") == "" {
		days = max(1, min(90, int(r.AsOf-r.FirstDay)/2))
	}
	t := &typical{r: r, entries: r.machine.Entries(), n: len(r.machine.Model().Stages), day: r.AsOf - model.Day(days)}
	if t.day < r.FirstDay {
		return nil, fmt.Errorf("days=%d: on %s the data had not begun (%s): choose fewer days, or a later as-of day", days, t.day, r.FirstDay)
	}
	var err error
	if t.buys, err = r.buying(); err != nil {
		return nil, err
	}
	t.buys.abroad = true // who buys again does so in any currency
	if t.his, err = r.historian(t.buys.columns...); err != nil {
		return nil, err
	}
	return t.his.on(&Plan{Slots: t.slot(t.n, 0), Values: true, Amounts: true, JudgeAtT: true, List: r.coinList, Kernel: t.kernel, Layout: t.layout, Explain: t.explain}), nil
}

func (t *typical) kernel() Kernel {
	st, read := t.his.staging(), t.buys.reader()
	var active []model.Day
	var list []stay
	return Visit(func(p *Person, h *Hits) {
		r := t.r
		hist := st.To(p.TL, r.AsOf)
		truncated := r.Truncated(p.Days[0])
		active = r.ActiveDays(active[:0], p)
		if !truncated {
			t.early(p.Days[0], active, h)
		}
		list = stays(list[:0], hist, t.entries, r.AsOf)
		seen := uint64(0)
		for i, s := range list {
			if seen>>s.stage&1 == 0 && (i > 0 || !truncated) {
				h.Value(t.slot(s.stage, typDwell), lifeValue(s.days(), s.ended))
			}
			seen |= 1 << s.stage
		}
		at := hist.On(t.day)
		if at < 0 {
			return
		}
		h.Hit(typUsers, Self)
		h.Hit(t.slot(at, typHere), Self)
		t.since(p, at, read.read(p, r.AsOf), h)
	})
}

// early is the source's 1-3-5 rule as far as it states it: a use in week 1, the
// third in week 2.
func (t *typical) early(first model.Day, active []model.Day, h *Hits) {
	for _, e := range []struct {
		slot, nth int
		within    model.Day
	}{{typFirst, 1, 7}, {typThird, 3, 14}} {
		in := len(active) >= e.nth && active[e.nth-1]-first < e.within
		if t.r.AsOf-first >= e.within-1 {
			h.Rate(e.slot, in)
		} else {
			h.OpenRate(e.slot, in)
		}
	}
}

// since is what a user who stood in a stage on the day did before and after it.
func (t *typical) since(p *Person, at int, days []buyDay, h *Hits) {
	before, after := false, false
	var spent model.Sum
	for _, b := range days {
		if b.day <= t.day {
			before = before || b.bought
			continue
		}
		after = after || b.bought
		spent.Merge(b.spent)
	}
	if before {
		h.Rate(t.slot(at, typAgain), after)
	}
	shared, trouble := false, false
	for i, d := range p.Days {
		switch role := t.r.Role(p, i); {
		case d <= t.day:
			shared = shared || role&(model.Social|model.Invite) != 0
		default:
			trouble = trouble || role&model.Complaint != 0
		}
	}
	h.Rate(t.slot(at, typShared), shared)
	h.Rate(t.slot(at, typTrouble), trouble)
	if !t.buys.money {
		return
	}
	m, err := spent.Money()
	if err != nil {
		h.Fail(fmt.Errorf("the amounts of %s: %w", p.TL.ID, err))
		return
	}
	h.Money(t.slot(at, typMoney), m)
}

func (t *typical) layout(b *Builder) error {
	r := t.r
	b.A.Title = fmt.Sprintf("Stage panel · stages on %s, observed to %s · %s", t.day, r.AsOf, r.Cal.Zone) + t.buys.title()
	b.A.Definition = fmt.Sprintf("Users stand in the stage they were in at the end of %s; repurchase, complaints and revenue are of the %s since, shares and invitations of the time before. Dwell is of each user's first stay, those still there censored (Kaplan–Meier). What the source work calls typical stands beside it as information only: it is no benchmark, and nothing is judged by it.", t.day, plural(int(r.AsOf-t.day), "day"))
	for g := range b.Groups() {
		b.Group(g)
		t.group(b)
	}
	if r.truncates {
		b.Warn("truncated", "Users first seen before %s may have come before the data begin: their first stay and first weeks are left out (truncated=keep takes them in).", r.truncatedBefore())
	}
	return b.coins(t.buys.code)
}

func (t *typical) group(b *Builder) {
	r := t.r
	b.Count(typUsers, "users", "users there on the day")
	buys, social, complaints := r.hasRole(model.Purchase), r.hasRole(model.Social|model.Invite), r.hasRole(model.Complaint)
	for i, s := range r.machine.Model().Stages {
		says, known := sourceSays[s.Name]
		if known {
			known = r.machine.Model().Name == stage.Default
		}
		if !known {
			says = struct{ dwell, repurchase, share, value string }{}
		}
		key := func(what string) string { return "stage." + s.Name + "." + what }
		bl := Block{Kind: TableBlock, Name: b.Key(s.Name), Title: b.label(s.Label()), Heads: []Head{{"observed", true}, {"source work", false}, {"95 % interval", true}, {"of users", true}}}
		add := func(name, label string, f int, of, typical string) {
			if typical == "" {
				typical = "—"
			}
			bl.Rows = append(bl.Rows, Row{Key: name, Label: label, Cells: []Cell{b.Cell(f), TextCell(typical), TextCell(b.Fig(f).between()), TextCell(of)}})
		}
		rate := func(what int, name, label, typical string) {
			f := b.Rate(t.slot(i, what), key(name), s.Label()+", "+label)
			add(name, label, f, count(b.Fig(f).N), typical)
		}
		here := b.Count(t.slot(i, typHere), key("users"), s.Label()+", users on the day")
		add("users", "users on the day", here, "", "")
		if i != r.machine.Lost() {
			f := b.medianStay(t.slot(i, typDwell), key("dwell"), s.Label()+", median days of a stay")
			add("dwell", "median stay, days", f, censoredNote(b.Values(t.slot(i, typDwell))), says.dwell)
		}
		if i == 0 {
			first := b.Rate(typFirst, key("week1"), s.Label()+", active in the first week")
			add("week1", "first use in week 1", first, count(b.Fig(first).N), map[bool]string{true: "the rule of week 1"}[known])
			third := b.Rate(typThird, key("week2"), s.Label()+", third active day within two weeks")
			add("week2", "third use by week 2", third, count(b.Fig(third).N), map[bool]string{true: "the rule of week 2"}[known])
		}
		if buys {
			rate(typAgain, "repurchase", "bought again since, of earlier buyers", says.repurchase)
		}
		if social {
			rate(typShared, "shared", "had shared or invited by the day", says.share)
		}
		if complaints {
			rate(typTrouble, "complained", "complained since", map[bool]string{true: "three times as many"}[known && i == r.machine.Lost()])
		}
		if t.buys.money {
			sum := b.Sum(t.slot(i, typMoney), key("revenue"), s.Label()+", revenue since", t.buys.unit)
			n, v := b.Fig(here).N, 0.0
			if n > 0 {
				v = b.Fig(sum).Value / float64(n)
			}
			f := b.Stat(t.slot(i, typHere), key("value"), s.Label()+", revenue since per user", v, n == 0, t.buys.unit)
			add("value", "revenue since per user", f, count(n), says.value)
			add("revenue", "revenue since", sum, "", "")
		}
		if s.Name == "maturity" && known && r.hasRole(model.Feedback) {
			bl.Rows = append(bl.Rows, Row{Key: "nps", Label: "NPS", Open: r.link(Query{Analysis: "voice", AsOf: r.Q.AsOf}), Cells: []Cell{TextCell("in voice"), TextCell("50 or more"), TextCell(""), TextCell("")}})
		}
		b.Block(bl)
	}
	var missing []string
	for _, m := range []struct {
		there bool
		word  string
	}{{buys, "no purchases, so no repurchase"}, {social, "no shares or invitations"}, {complaints, "no complaints"}} {
		if !m.there {
			missing = append(missing, m.word)
		}
	}
	if !t.buys.money {
		b.Warn("no-money", "Revenue is —. %s", t.buys.why)
	}
	if len(missing) > 0 {
		b.Warn("no-role", "The data have %s: those lines are left out.", strings.Join(missing, ", "))
	}
}

func (t *typical) explain(f *Figure) []ExplainLine {
	text := "users who stood in the stage at the end of " + t.day.String()
	switch what := (f.Slot - typStages) % typSlots; {
	case f.Slot == typFirst || f.Slot == typThird:
		text = "users with the active day in time ÷ users first seen long enough ago"
	case f.Slot < typStages:
	case what == typDwell:
		text = "the Kaplan–Meier median of each user's first stay in the stage, stays that go on being censored"
	case what == typAgain:
		text = "users of the stage who bought since ÷ those who had bought by the day"
	case what == typShared:
		text = "users of the stage with a share or an invitation by the day ÷ users of the stage"
	case what == typTrouble:
		text = "users of the stage with a complaint or support contact since ÷ users of the stage"
	case what == typMoney:
		text = "amounts since the day of the stage's users, added exactly: " + t.buys.moneyNote()
	case f.Kind == Stat:
		text = "revenue since the day of the stage's users ÷ those users"
	}
	return []ExplainLine{{Head: "Formula", Text: text}}
}
