package query_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// A life is one user's stages as their own page tells them: the slow way to every
// figure of the stage analyses, user by user, day by day.
type life struct {
	id    string
	spans []query.Span
	steps []step // changes of stage, those of one day too
}

type step struct {
	stage int
	day   model.Day
}

func lives(t *testing.T, e *query.Engine, labels []string, users []query.User) (out []life) {
	t.Helper()
	for _, u := range users {
		a := ask(t, e, "user/"+u.ID)
		l := life{id: u.ID, spans: block(t, a, "history").Spans}
		for _, r := range block(t, a, "history").Rows {
			d, err := model.ParseDay(r.Cells[0].Text)
			if err != nil {
				t.Fatal(err)
			}
			l.steps = append(l.steps, step{slices.Index(labels, r.Label), d})
		}
		out = append(out, l)
	}
	return out
}

// on is the stage at the end of a day, −1 before the first event.
func (l life) on(d model.Day) int {
	for _, s := range l.spans {
		if d >= s.From && d < s.To {
			return s.Stage
		}
	}
	return -1
}

func TestStageAnalysesAgainstTheSlowWay(t *testing.T) {
	mem, dict := randomData(t, 21, 70)
	dict.Starts = "complete"
	e := over(t, mem, dict)
	if err := e.ConfirmModel(context.Background(), nil, ""); err != nil {
		t.Fatal(err)
	}
	var stages, labels []string
	for _, r := range block(t, ask(t, e, "stages"), "stages").Rows {
		stages, labels = append(stages, r.Key), append(labels, r.Label)
	}
	all := lives(t, e, labels, listed(t, e, ask(t, e, "overview"), "users"))
	end := ask(t, e, "stages").AsOf
	value := func(a *query.Answer, key string) float64 {
		if f := a.Figure(key); f != nil {
			return f.Value
		}
		return 0 // an empty cell has no figure
	}
	day := func(s string) model.Day {
		d, err := model.ParseDay(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}

	// Populations at the end of each month.
	a := ask(t, e, "populations?unit=month")
	for _, row := range block(t, a, "table").Rows {
		d := day(row.Cells[0].Text)
		for i, s := range stages {
			want := 0
			for _, l := range all {
				if l.on(d) == i {
					want++
				}
			}
			if got := value(a, "at."+row.Key+"."+s); got != float64(want) {
				t.Errorf("%s on %s: %v, day by day %d", s, d, got, want)
			}
		}
	}

	// Flows between two days.
	old := day("2020-06-01")
	a = ask(t, e, "changed?since=2020-06-01")
	for from := -1; from < len(stages); from++ {
		for to := range stages {
			name, want := "new", 0
			if from >= 0 {
				name = stages[from]
			}
			for _, l := range all {
				if l.on(old) == from && l.on(end) == to {
					want++
				}
			}
			if got := value(a, "flow."+name+"."+stages[to]); got != float64(want) {
				t.Errorf("flow %s → %s: %v, one by one %d", name, stages[to], got, want)
			}
		}
	}

	// Moves of a period, and who was at risk.
	from, to := day("2020-04-01"), day("2020-09-30")
	a = ask(t, e, "transitions?from=2020-04-01&to=2020-09-30")
	for f := range stages {
		risk, stayed := 0, 0
		moved := make([]int, len(stages))
		for _, l := range all {
			in, left := l.on(from-1) == f, false
			seen := make([]bool, len(stages))
			for k, s := range l.steps {
				in = in || s.stage == f && s.day >= from && s.day <= to
				if k > 0 && l.steps[k-1].stage == f && s.day >= from && s.day <= to {
					left = true
					if !seen[s.stage] {
						moved[s.stage]++
						seen[s.stage] = true
					}
				}
			}
			if in {
				risk++
				if !left {
					stayed++
				}
			}
		}
		fig := a.Figure("stayed." + stages[f])
		if fig == nil || fig.N != int64(risk) || math.Round(fig.Value*float64(fig.N)) != float64(stayed) {
			t.Errorf("%s: %+v, one by one %d of %d stayed", stages[f], fig, stayed, risk)
		}
		for k, n := range moved {
			if got := value(a, "move."+stages[f]+"."+stages[k]); got != float64(n) {
				t.Errorf("%s → %s: %v, one by one %d", stages[f], stages[k], got, n)
			}
		}
	}

	// Inflow, outflow and users of a scorecard.
	a = ask(t, e, "scorecard?from=2020-04-01&to=2020-09-30")
	for i, s := range stages {
		users, in, out := 0, 0, 0
		for _, l := range all {
			if l.on(to) == i {
				users++
			}
			came, went := false, false
			for k, sp := range l.steps {
				in := sp.day >= from && sp.day <= to
				came = came || in && sp.stage == i
				went = went || in && k > 0 && l.steps[k-1].stage == i
			}
			if came {
				in++
			}
			if went {
				out++
			}
		}
		for key, want := range map[string]int{"users": users, "in": in, "out": out} {
			if got := value(a, "stage."+s+"."+key); got != float64(want) {
				t.Errorf("%s, %s: %v, one by one %d", s, key, got, want)
			}
		}
	}
}

// A dwell curve never rises, and its figures' users are those still at risk, so
// that they do not grow either.
func TestDwellCurves(t *testing.T) {
	mem, dict := randomData(t, 4, 120)
	e := over(t, mem, dict)
	a := ask(t, e, "dwell?truncated=keep")
	last := map[string]*query.Figure{}
	for i := range a.Figures {
		f := &a.Figures[i]
		stage, ok := strings.CutPrefix(f.Key, "still.")
		if !ok {
			continue
		}
		stage = stage[:strings.LastIndexByte(stage, '.')]
		if p := last[stage]; p != nil && (f.Value > p.Value || f.N > p.N) {
			t.Errorf("%s rises: %v of %d after %v of %d", f.Key, f.Value, f.N, p.Value, p.N)
		}
		last[stage] = f
	}
	if len(last) < 3 {
		t.Errorf("curves of %d stages only", len(last))
	}
}

// The two windows of SPEC R2.14 counted from the file itself, user by user, with
// the arithmetic of SPEC V10 (hypergeometric by products of fractions).
func TestWarningsByHand(t *testing.T) {
	mem, dict := some(t, reference.CDNOW)
	e := over(t, mem, dict)
	a := ask(t, e, "warnings?top=200")
	rows := block(t, a, "declining").Rows
	if len(rows) == 0 || len(rows) != int(a.Figure("declining").Value) {
		t.Fatalf("%d rows, the figure says %v", len(rows), a.Figure("declining").Value)
	}
	for _, r := range rows[:min(8, len(rows))] {
		var base, baseDays, recent, w int
		if _, err := fmt.Sscanf(r.Cells[0].Text+" "+r.Cells[2].Text, "%d of %d %d of %d", &base, &baseDays, &recent, &w); err != nil {
			t.Fatal(err)
		}
		// P(X ≤ recent) by drawing the recent days one after another.
		p := make([]float64, w+1) // of so many active ones so far
		p[0] = 1
		marked, total := base+recent, baseDays+w
		for d := range w {
			next := make([]float64, w+1)
			for k := 0; k <= d; k++ {
				hit := float64(marked-k) / float64(total-d)
				if hit < 0 {
					hit = 0
				}
				next[k+1] += p[k] * hit
				next[k] += p[k] * (1 - hit)
			}
			p = next
		}
		tail := 0.0
		for k := 0; k <= recent; k++ {
			tail += p[k]
		}
		if got := fmt.Sprintf("%.2g", tail); got != r.Cells[5].Text {
			t.Errorf("%s: p %s, drawn day by day %s", r.Label, r.Cells[5].Text, got)
		}
		if ratio := float64(recent) / float64(w) * float64(baseDays) / float64(base); base < 14 || ratio >= 0.7 || tail >= 0.05 {
			t.Errorf("%s is no decline: %d of %d, %d of %d, p %v", r.Label, base, baseDays, recent, w, tail)
		}
		page := ask(t, e, "user/"+r.Label)
		if f := page.Figure("measure.base_active"); f == nil || int(f.Value) != base {
			t.Errorf("%s: %d active days before, on the page %+v", r.Label, base, f)
		}
	}
	// Living and judged add up.
	if n := a.Figure("judged").Value + a.Figure("too_few").Value; n != a.Figure("living").Value {
		t.Errorf("%v are judged or not, %v live", n, a.Figure("living").Value)
	}
	// The latest user comes first, and all of them are under 5 %.
	users := listed(t, e, a, "late")
	for _, u := range users {
		if u.Score <= 0.95 {
			t.Errorf("%s is late with %v", u.ID, u.Score)
		}
	}
}

// One population: the three rates of loyalty have one denominator, and the
// signals of a page are the marks that the model tells of that day.
func TestLoyaltyAndSignals(t *testing.T) {
	mem, dict := randomData(t, 31, 60)
	dict.Starts = "complete"
	e := over(t, mem, dict)
	a := ask(t, e, "loyalty?within=60")
	n := a.Figure("retention").N
	for _, k := range []string{"purchase", "repurchase", "recommendation"} {
		if a.Figure(k).N != n {
			t.Errorf("%s is of %d users, retention of %d", k, a.Figure(k).N, n)
		}
	}
	if a.Figure("repurchase_buyers").N != int64(math.Round(a.Figure("purchase").Value*float64(n))) {
		t.Error("buyers are not those who bought")
	}
	signals := 0
	for _, u := range listed(t, e, ask(t, e, "overview"), "users")[:20] {
		page := ask(t, e, "user/"+u.ID)
		for i := range page.Blocks {
			if page.Blocks[i].Name != "signals" {
				continue
			}
			for _, r := range page.Blocks[i].Rows {
				signals++
				// On its first day the mark holds, on the day before it does not.
				at := ask(t, e, "user/"+u.ID+"@"+r.Cells[0].Text)
				now := strings.Join(lines(at, block(t, at, "now")), " ")
				if !strings.Contains(now, r.Label) {
					t.Errorf("%s: %s from %s, that day's page says %q", u.ID, r.Label, r.Cells[0].Text, now)
				}
			}
		}
	}
	if signals == 0 {
		t.Error("nobody has a signal")
	}
}
