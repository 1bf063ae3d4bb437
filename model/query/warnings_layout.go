package query

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/measure"
)

// byLateness orders overdue users: the least likely silence first, then the
// longest, then by id.
func byLateness(a, b lateUser) int {
	return cmp.Or(cmp.Compare(a.longer, b.longer), cmp.Compare(b.silent, a.silent), strings.Compare(a.id, b.id))
}

func (w *warnings) layout(b *Builder) error {
	r := w.r
	b.A.Title = "Early warning · " + asOfNote(r)
	b.A.Definition = "Living users who come much less often than before (active days, not events), and living users who are silent for longer than their own rhythm lets expect. Beside each list stands how many chance alone would put there."
	drops := make([][]dropUser, b.Groups())
	if w.window > 0 {
		var err error
		if drops, err = w.scanDrops(b.Groups()); err != nil {
			return err
		}
	} else {
		b.Warn("no-beat", "The stage model gives no beat, so the windows of the 30 %% rule are not known: only lateness is judged.")
	}
	if w.none != nil {
		b.Warn("no-rhythm", "Nobody is judged by their own rhythm: %s.", w.none)
	}
	for g := range b.Groups() {
		b.Group(g)
		w.summary(b, g)
		if w.window > 0 {
			w.declining(b, drops[g])
		}
		w.overdue(b)
		w.stages(b)
	}
	return nil
}

// A dropUser is one line of the list of declining users.
type dropUser struct {
	row int
	dropFrame
	ratio, p float64
}

// scanDrops gathers each group's steepest declines and its chance alarms.
func (w *warnings) scanDrops(groups int) ([][]dropUser, error) {
	pop, err := w.r.Population()
	if err != nil {
		return nil, err
	}
	if err := w.before(pop); err != nil {
		return nil, err
	}
	out := make([][]dropUser, groups)
	w.expect = [2][]float64{make([]float64, groups), make([]float64, groups)}
	err = w.r.eachRow(pop, func(row int, mask uint64) {
		f, known := w.frame(pop, row)
		if int(pop.states[row].stage) == w.lost || !known || f.base < declineRule.Base {
			return
		}
		c := w.chances(f)
		alarm := declineRule.Alarm(f.base, f.baseDays, f.recent, f.days)
		for g := range groups {
			if mask>>g&1 == 0 {
				continue
			}
			w.expect[0][g] += c[0]
			w.expect[1][g] += c[1]
			if alarm {
				out[g] = append(out[g], dropUser{row, f, f.ratio(), measure.DropP(f.base, f.baseDays, f.recent, f.days)})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for g := range out {
		slices.SortFunc(out[g], func(a, b dropUser) int {
			return cmp.Or(cmp.Compare(a.p, b.p), cmp.Compare(a.ratio, b.ratio), cmp.Compare(string(pop.id(a.row)), string(pop.id(b.row))))
		})
		out[g] = out[g][:min(len(out[g]), w.top)]
	}
	return out, nil
}

// summary is one line a list: how many, of how many, how many by chance.
func (w *warnings) summary(b *Builder, g int) {
	bl := Block{Kind: TableBlock, Name: b.Key("lists"), Title: b.label("the lists"), Heads: []Head{{"users", true}, {"of judged", true}, {"by chance alone", true}, {"", false}}}
	line := func(key, label string, figure, of int, chance, note string) {
		judged := TextCell("")
		if of >= 0 {
			judged = b.Cell(of)
		}
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(figure), judged, TextCell(chance), TextCell(note)}})
	}
	b.Count(warnLiving, "living", "living users")
	if w.window > 0 {
		judged := b.Count(w.rows(warnJudged), "judged", "living users with at least 14 active days before")
		few := b.Count(w.rows(warnFew), "too_few", "living users with too few active days before to say (—)")
		raw := b.Count(w.rows(warnRaw), "raw", "rate of active days more than 30 % below before")
		dec := b.Count(w.rows(warnDeclining), "declining", "declining: more than 30 % below and p < 0.05")
		b.Fig(raw).Carry, b.Fig(dec).Carry = "fall of the rate", "fall of the rate"
		line("declining", "declining (30 % rule and p < 0.05)", dec, judged, fmt.Sprintf("%.1f", w.expect[1][g]), "")
		line("raw", "30 % rule alone", raw, judged, fmt.Sprintf("%.1f", w.expect[0][g]), "no warning by itself")
		line("too_few", "too few active days to say (—)", few, -1, "", "there lateness is the signal")
	}
	if w.none == nil {
		paced := b.Count(warnPaced, "paced", "living users with an active day")
		late := b.Count(warnLate, "late", "silent longer than 95 % of gaps by their own rhythm")
		b.Fig(paced).Carry, b.Fig(late).Carry = "probability of being back by now", "probability of being back by now"
		expect := 0.0
		if k, ok := b.Kernel().(*warnKernel); ok {
			expect = k.expect[g]
		}
		line("late", "overdue by own rhythm (p < 0.05)", late, paced, fmt.Sprintf("%.1f", expect), "")
	}
	b.Block(bl)
}

// declining shows the steepest falls: both windows, both counts, both rates.
func (w *warnings) declining(b *Builder, list []dropUser) {
	pop, err := w.r.Population()
	if err != nil {
		return // it was there for scanDrops
	}
	r := w.r
	from := r.AsOf - model.Day(w.window) + 1
	own := ""
	if len(r.Schema.Variants) > 0 {
		own = " (a variant's users by its own beat)"
	}
	bl := Block{Kind: TableBlock, Name: b.Key("declining"), Title: b.label(fmt.Sprintf("declining: %s to %s against up to %s before", from, r.AsOf, plural(4*w.window, "day")) + own),
		Heads: []Head{{"before", true}, {"rate", true}, {"lately", true}, {"rate", true}, {"ratio", true}, {"p", true}, {"stage", false}, {"before began", false}}}
	for _, u := range list {
		id := pop.ID(u.row)
		bl.Rows = append(bl.Rows, Row{Key: id, Label: id, Open: r.link(Query{Analysis: "user", ID: id}), Cells: []Cell{
			TextCell(fmt.Sprintf("%d of %d", u.base, u.baseDays)), TextCell(fmt.Sprintf("%.3f", float64(u.base)/float64(u.baseDays))),
			TextCell(fmt.Sprintf("%d of %d", u.recent, u.days)), TextCell(fmt.Sprintf("%.3f", float64(u.recent)/float64(u.days))),
			TextCell(fmt.Sprintf("%.2f", u.ratio)), TextCell(fmt.Sprintf("%.2g", u.p)),
			TextCell(r.machine.Model().Stages[pop.states[u.row].stage].Label()), TextCell((r.AsOf - model.Day(u.days+u.baseDays) + 1).String())}})
	}
	if len(list) == 0 {
		bl.Title += ": nobody"
	}
	b.Block(bl)
}

// overdue shows the latest users.
func (w *warnings) overdue(b *Builder) {
	k, ok := b.Kernel().(*warnKernel)
	if !ok || w.none != nil {
		return
	}
	r := w.r
	bl := Block{Kind: TableBlock, Name: b.Key("overdue"), Title: b.label("overdue, the least likely silence first"), Heads: []Head{{"silent", true}, {"own gaps", true}, {"their median", true}, {"half back by", true}, {"so long a gap", true}, {"stage", false}}}
	for _, u := range k.top[b.group] {
		median := "—"
		if u.gaps > 0 {
			median = Number(u.median) + " d"
		}
		bl.Rows = append(bl.Rows, Row{Key: u.id, Label: u.id, Open: r.link(Query{Analysis: "user", ID: u.id}), Cells: []Cell{
			TextCell(plural(u.silent, "day")), TextCell(fmt.Sprint(u.gaps)), TextCell(median), TextCell(fmt.Sprintf("%.1f d", u.usual)),
			TextCell(fmt.Sprintf("%.2g %%", 100*u.longer)), TextCell(r.machine.Model().Stages[u.stage].Label())}})
	}
	b.Block(bl)
	b.Block(Block{Kind: TextBlock, Name: b.Key("rhythm"), Title: b.label("how lateness is judged"), Lines: []string{capital(w.rhythmNote()) + "."}})
}

// stages shows where the warned users stand.
func (w *warnings) stages(b *Builder) {
	bl := Block{Kind: TableBlock, Name: b.Key("stages"), Title: b.label("by stage"), Heads: []Head{{"declining", true}, {"30 % rule", true}, {"overdue", true}}}
	for i, s := range w.r.machine.Model().Stages {
		if i == w.lost {
			continue
		}
		row := Row{Key: s.Name, Label: s.Label()}
		for _, k := range []int{1, 0} {
			if w.window == 0 {
				row.Cells = append(row.Cells, TextCell("—"))
				continue
			}
			key := []string{"raw.", "declining."}[k]
			f := b.Count(w.rows(warnRowStages+2*i+k), key+s.Name, s.Label()+", "+[]string{"30 % rule", "declining"}[k])
			b.Fig(f).Carry = "fall of the rate"
			row.Cells = append(row.Cells, b.Cell(f))
		}
		f := b.Count(warnStages+i, "late."+s.Name, s.Label()+", overdue")
		b.Fig(f).Carry = "probability of being back by now"
		row.Cells = append(row.Cells, b.Cell(f))
		bl.Rows = append(bl.Rows, row)
	}
	b.Block(bl)
}
