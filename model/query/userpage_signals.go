package query

import (
	"fmt"
	"strings"

	"dwell/model"
	"dwell/model/measure"
)

// signalDays is how far back signals are looked for: two years say what there is
// to say to somebody who looks at one user.
const signalDays = 731

// A signal is one time for which a mark of the model held.
type signal struct {
	mark     int
	from, to model.Day // both included
}

// signals are the times for which each mark held, by the end of each day and the
// numbers of the variant in force on it, newest first; a return's mark is the
// spell itself.
func (u *userLife) signals() (out []signal, err error) {
	r := u.r
	m := r.machine.Model()
	rep, err := r.machine.NewReplayerFor(u.filter())
	if err != nil {
		return nil, err
	}
	begun := make([]model.Day, len(m.Marks))
	for i := range begun {
		begun[i] = model.NoDay
	}
	finish := func(i int, last model.Day) {
		if begun[i] != model.NoDay {
			out = append(out, signal{i, begun[i], last})
			begun[i] = model.NoDay
		}
	}
	rep.Marks(&u.tl, &u.hist, max(u.days[0], r.AsOf-signalDays+1), r.AsOf, func(d model.Day, marks uint64) {
		for i := range begun {
			if marks>>i&1 == 0 {
				finish(i, d-1)
			} else if begun[i] == model.NoDay {
				begun[i] = d
			}
		}
	})
	for i := range begun {
		finish(i, r.AsOf)
	}
	sortBy(out, func(s signal) (int64, string) { return -int64(s.from), m.Marks[s.mark].Name })
	return out, nil
}

// filter is what the page's timeline was read with.
func (u *userLife) filter() model.Filter {
	f := model.Filter{Until: u.r.Cut, Amounts: true, Sources: true}
	for _, k := range u.r.Info.Keys {
		f.Columns = append(f.Columns, k.Name)
	}
	return f
}

// mostSignals is how many are listed.
const mostSignals = 30

// signalBlock lists the signals with their days, those in force first of all.
func (u *userLife) signalBlock(b *Builder) error {
	all, err := u.signals()
	if err != nil || len(all) == 0 {
		return err
	}
	r := u.r
	now := u.marks()
	bl := Block{Kind: TableBlock, Name: "signals", Title: "signals, by date", Heads: []Head{{"from", false}, {"until", false}, {"days", true}, {"numbers now", false}}}
	for _, s := range all[:min(mostSignals, len(all))] {
		name := strings.ReplaceAll(r.machine.Model().Marks[s.mark].Name, "_", " ")
		until, text := s.to.String(), ""
		if s.to == r.AsOf {
			until, text = "in force", u.signalNumbers(r.machine.Model().Marks[s.mark].Name, name, now)
		}
		bl.Rows = append(bl.Rows, Row{Key: fmt.Sprintf("%s.%s", name, s.from), Label: name, Open: u.rowsAt(s.from), Cells: []Cell{
			TextCell(s.from.String()), TextCell(until), TextCell(fmt.Sprint(int(s.to-s.from) + 1)), TextCell(text)}})
	}
	if len(all) > mostSignals {
		bl.Title += fmt.Sprintf(": the last %d of %d", mostSignals, len(all))
	}
	b.Block(bl)
	return nil
}

// signalNumbers are a signal's numbers today: of a decline both windows, both
// counts and the chance test.
func (u *userLife) signalNumbers(mark, name string, now []string) string {
	if mark == "declining" {
		beat := u.r.paramIn(u.hist.State.Variant, "beat", 0)
		base, ok := u.value("base_active")
		ratio, _ := u.value("rate_ratio")
		p, _ := u.value("drop_p")
		if w := measure.DropWindow(beat); ok && beat >= 1 && base > 0 {
			from := max(u.hist.State.SpellFrom, u.r.AsOf-model.Day(5*w)+1)
			days := int(u.r.AsOf-model.Day(w)-from) + 1
			recent := int(ratio*base*float64(w)/float64(days) + 0.5)
			return fmt.Sprintf("%d active days of the last %d, %.0f of the %d before: ratio %.2f, p %.2g", recent, w, base, days, ratio, p)
		}
	}
	for _, text := range now {
		if rest, ok := strings.CutPrefix(text, name+" ("); ok {
			return strings.TrimSuffix(rest, ")")
		}
	}
	return ""
}
