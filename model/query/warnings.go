package query

import (
	"errors"
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stage"
	"dwell/model/stat"
)

// warningsAnalysis is the early warning of SPEC R2.14 and R2.15: who comes much
// less often than before, and who is late by their own rhythm. Each list says how
// many would stand on it by chance alone.
func warningsAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "warnings", Title: "Early warning", Help: "who is declining (30 % rule with its chance test) and who is overdue by their own rhythm, with the number of chance alarms", ID: NoID,
			Keys: keys([]KeySpec{
				{Name: "top", Type: Int, Default: "15", Min: 1, Help: "how many users are shown of each list; the figures list all"},
			}, groupKeys(), zoneKeys())},
		plan: planWarnings,
	}
}

// rawRule is the source's 30 % rule; declineRule adds the chance test.
var (
	rawRule     = stat.DropRule{Base: 14, Ratio: 0.7, P: 1}
	declineRule = stat.DropRule{Base: 14, Ratio: 0.7, P: 0.05}
)

// lateP is the probability of so long a gap under which a user is late.
const lateP = 0.05

// Slots of warnings over the timelines: the living, the judged and the late by
// rhythm; the late by stage; then of the population's rows.
const (
	warnLiving = iota
	warnPaced  // with an active day
	warnLate
	warnStages
)

// Slots over the rows, from a base on.
const (
	warnJudged = iota // living, base_active ≥ 14
	warnFew           // living, too few active days before
	warnRaw
	warnDeclining
	warnRowStages // raw, declining by stage
)

// A warning run holds what kernels and layout share.
type warnings struct {
	r      *Run
	his    *historian
	n      int // stages
	lost   int
	top    int
	rhythm stat.Rhythm
	none   error // there is no rhythm, and why
	window int   // w of the model's own numbers; 0: it has no beat
	base   *measure.Column
	recent *measure.Column
	chance map[[3]int][2]float64 // by marked days, baseline days and window
	expect [2][]float64          // chance alarms of the raw rule and the full one, by group
}

func (w *warnings) rows(slot int) int { return warnStages + w.n + slot }

func planWarnings(r *Run) (*Plan, error) {
	w := &warnings{r: r, n: len(r.machine.Model().Stages), lost: r.machine.Lost(), top: r.Int("top"), chance: map[[3]int][2]float64{}}
	var err error
	if w.his, err = r.historian(); err != nil {
		return nil, err
	}
	sample, err := w.sample()
	if err != nil {
		return nil, err
	}
	if w.rhythm, w.none = stat.FitRhythm(sample); w.none != nil && !errors.Is(w.none, stat.ErrNoGaps) {
		return nil, w.none
	}
	if beat := r.param("beat", 0); beat >= 1 {
		w.window = measure.DropWindow(beat)
	}
	p := &Plan{Slots: warnStages + w.n, JudgeAtT: true, Kernel: w.kernel, Layout: w.layout, Explain: w.explain, Work: w.work}
	if w.window > 0 {
		p.RowSlots = warnRowStages + 2*w.n
		p.Before, p.Rows = w.before, w.row
	}
	return w.his.on(p), nil
}

// fitUsers bounds the users to whom the rhythm is fitted: three numbers need no
// more, and the fit stays a matter of milliseconds.
const fitUsers = 4096

// sample is a fixed choice of living users: the first of each split.
func (w *warnings) sample() ([]stat.GapRecord, error) {
	type part struct {
		s    *Staging
		days []model.Day
		list []stat.GapRecord
	}
	var out []stat.GapRecord
	err := Scan(w.r, Needs{Columns: w.his.need.Columns, Amounts: w.his.need.Amounts},
		func() *part { return &part{s: w.his.staging()} },
		func(a *part, p *Person) error {
			if len(a.list) >= fitUsers/splits {
				return nil
			}
			a.days = w.r.ActiveDays(a.days[:0], p)
			if len(a.days) == 0 {
				return nil
			}
			if h := a.s.To(p.TL, w.r.AsOf); h.Now() != w.lost {
				a.list = append(a.list, w.gaps(a.days, w.gap(h)))
			}
			return nil
		},
		func(a *part) error { out = append(out, a.list...); return nil })
	return out, err
}

// gap is G for a user, by the variant that they are under: a gap over it is a
// loss, not a rhythm.
func (w *warnings) gap(h *stage.History) int {
	return int(w.r.paramIn(h.Variant(h.AsOf), "G", 365))
}

// gaps are a user's gaps between active days, and the silence since the last.
// What the model calls a loss is no gap of the rhythm.
func (w *warnings) gaps(days []model.Day, most int) stat.GapRecord {
	g := stat.GapRecord{Open: int32(w.r.AsOf - days[len(days)-1])}
	for i := 1; i < len(days); i++ {
		if d := int32(days[i] - days[i-1]); int(d) <= most {
			g.Closed = append(g.Closed, d)
		}
	}
	return g
}

// A lateUser is one line of the list of overdue users.
type lateUser struct {
	id                    string
	silent, gaps          int
	median, usual, longer float64 // days, days, probability of so long a gap
	stage                 int
}

// A warnKernel keeps each group's latest users and the chance alarms.
type warnKernel struct {
	w      *warnings
	s      *Staging
	days   []model.Day
	top    [][]lateUser
	expect []float64
}

func (w *warnings) kernel() Kernel {
	n := len(w.r.Groups)
	return &warnKernel{w: w, s: w.his.staging(), top: make([][]lateUser, n), expect: make([]float64, n)}
}

// Visit judges one person's silence by their own rhythm.
func (k *warnKernel) Visit(p *Person, h *Hits) {
	w := k.w
	his := k.s.To(p.TL, w.r.AsOf)
	now, gap := his.Now(), w.gap(his)
	if now < 0 || now == w.lost {
		return
	}
	h.Hit(warnLiving, Self)
	k.days = w.r.ActiveDays(k.days[:0], p)
	if w.none != nil || len(k.days) == 0 {
		return
	}
	g := w.gaps(k.days, gap)
	own := w.rhythm.Own(g.Closed)
	longer := own.Longer(float64(g.Open))
	h.Score(warnPaced, 1-longer)
	if !h.list {
		c := own.Beyond(own.Reached(1-lateP), float64(gap))
		for i := range k.expect {
			if h.mask>>i&1 != 0 {
				k.expect[i] += c
			}
		}
	}
	if longer >= lateP {
		return
	}
	h.Score(warnLate, 1-longer)
	h.Score(warnStages+now, 1-longer)
	if h.list {
		return
	}
	u := lateUser{id: p.TL.ID, silent: int(g.Open), gaps: len(g.Closed), usual: own.Reached(0.5), longer: longer, stage: now}
	slices.Sort(g.Closed)
	if n := len(g.Closed); n > 0 {
		u.median = float64(g.Closed[(n-1)/2]+g.Closed[n/2]) / 2
	}
	for i := range k.top {
		if h.mask>>i&1 != 0 {
			k.keep(i, u)
		}
	}
}

func (k *warnKernel) keep(g int, u lateUser) {
	at, _ := slices.BinarySearchFunc(k.top[g], u, byLateness)
	if at < k.w.top {
		k.top[g] = slices.Insert(k.top[g], at, u)
		k.top[g] = k.top[g][:min(len(k.top[g]), k.w.top)]
	}
}

// Merge takes the users of the next split.
func (k *warnKernel) Merge(next Kernel) error {
	o := next.(*warnKernel)
	for g := range o.top {
		for _, u := range o.top[g] {
			k.keep(g, u)
		}
		k.expect[g] += o.expect[g]
	}
	return nil
}

// before takes the columns of the two windows.
func (w *warnings) before(pop *Population) error {
	cols, err := pop.Columns(w.r, []measure.Ref{measure.Of("base_active"), measure.Of("recent_active")})
	if err != nil {
		return err
	}
	w.base, w.recent = cols[0], cols[1]
	return nil
}

// A dropFrame is the two windows of a user: active days and days of each.
type dropFrame struct{ base, baseDays, recent, days int }

func (f dropFrame) ratio() float64 { return float64(f.recent*f.baseDays) / float64(f.base*f.days) }

// frame is the two windows of a row, by the beat of the variant that the user is
// under; known is false where the baseline has fewer days than the last window.
func (w *warnings) frame(pop *Population, row int) (f dropFrame, known bool) {
	b, ok := w.base.At(row)
	if !ok {
		return f, false
	}
	rec, _ := w.recent.At(row)
	n := measure.DropWindow(w.r.paramIn(pop.states[row].variant(), "beat", 0))
	from := max(model.Day(pop.states[row].spellFrom), pop.Day-model.Day(5*n)+1)
	return dropFrame{int(b), int(pop.Day-model.Day(n)-from) + 1, int(rec), n}, true
}

func (w *warnings) row(pop *Population, row int, h *Hits) {
	at := int(pop.states[row].stage)
	if at == w.lost {
		return
	}
	f, known := w.frame(pop, row)
	if !known || f.base < declineRule.Base {
		h.Hit(warnFew, Self)
		return
	}
	h.Hit(warnJudged, Self)
	for k, rule := range []stat.DropRule{rawRule, declineRule} {
		if rule.Alarm(f.base, f.baseDays, f.recent, f.days) {
			h.Score(warnRaw+k, 1-f.ratio())
			h.Score(warnRowStages+2*at+k, 1-f.ratio())
		}
	}
}

// chances are the probabilities of an alarm by chance, by the raw rule and the
// full one. Users with the same counts share them.
func (w *warnings) chances(f dropFrame) [2]float64 {
	key := [3]int{f.base + f.recent, f.baseDays, f.days}
	c, ok := w.chance[key]
	if !ok {
		c = [2]float64{rawRule.Chance(key[0], f.baseDays, f.days), declineRule.Chance(key[0], f.baseDays, f.days)}
		w.chance[key] = c
	}
	return c
}

func (w *warnings) explain(f *Figure) []ExplainLine {
	if f.Slot < w.rows(0) {
		return []ExplainLine{{Head: "Formula", Text: w.rhythmNote()}}
	}
	return []ExplainLine{{Head: "Formula", Text: fmt.Sprintf("active days of the last %d days against the up to %d days before, in this spell, at least %d of them; judged with at least %d active days before; declining if the rate is under %.0f %% of the rate before and the exact hypergeometric probability of so few is under %g", w.window, 4*w.window, w.window, declineRule.Base, 100*declineRule.Ratio, declineRule.P)}}
}

// rhythmNote says how lateness is judged.
func (w *warnings) rhythmNote() string {
	if w.none != nil {
		return "there is no rhythm to judge by: " + w.none.Error()
	}
	return fmt.Sprintf("gaps between active days are Weibull of shape %.2f with a rate of the user's own, gamma distributed over users (r %.2f, α %.3g), fitted to %s of %s; a user's own gaps bring the rate up to date, so that few gaps lean on the population (Hardie, Fader, Wisniewski 1998). Days are whole: a gap ended somewhere within its last one. Gaps over G = %d days (or a variant's own G) are losses and no part of it", w.rhythm.Shape, w.rhythm.R, w.rhythm.Alpha, plural(int(w.rhythm.Gaps), "gap"), plural(int(w.rhythm.Users), "user"), int(w.r.param("G", 365)))
}

// work says in one sentence how a user stands.
func (w *warnings) work(p *Person, f *Figure, in bool) string {
	days := w.r.ActiveDays(nil, p)
	if f.Slot >= w.rows(0) || len(days) == 0 || w.none != nil {
		return ""
	}
	g := w.gaps(days, w.gap(w.his.staging().To(p.TL, w.r.AsOf)))
	own := w.rhythm.Own(g.Closed)
	return fmt.Sprintf("%s has been silent for %s after %s; by their own rhythm half of the gaps are over after %.1f days, and %.1f %% last longer than this one.", p.TL.ID, plural(int(g.Open), "day"), plural(len(g.Closed), "gap"), own.Reached(0.5), 100*own.Longer(float64(g.Open)))
}
