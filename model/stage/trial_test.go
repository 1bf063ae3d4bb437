package stage

import (
	"math"
	"slices"
	"testing"

	"dwell/model"
	"dwell/model/measure"
	"dwell/sample/reference"
)

// A trial is one reference set with growth5 frozen from it, and every user's
// history to the end with the active days.
type trial struct {
	first, last model.Day
	m           *Machine
	hist        []History
	active      [][]model.Day
}

// runTrial replays a whole set. purchases keeps active events and the users who
// have one: the trial of SPEC part 2 on Online Retail.
func runTrial(t *testing.T, load loader, purchases bool) *trial {
	t.Helper()
	snap, schema := open(t, load)
	last := schema.Cal.Day(snap.Info().Last)
	sug := suggest(t, snap, schema, last)
	preset, _, err := Preset(Default)
	if err != nil {
		t.Fatal(err)
	}
	frozen, err := preset.Freeze(sug)
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{first: sug.First, last: last, m: machine(t, frozen, schema)}
	r := tr.m.NewReplayer()
	err = snap.Scan(t.Context(), model.Split{To: model.Buckets}, tr.m.Filter(last), func(tl *model.Timeline) error {
		if purchases {
			tl = onlyActive(schema, tl)
		}
		if tl.Len() == 0 {
			return nil
		}
		var h History
		r.Replay(tl, last, &h)
		tr.hist = append(tr.hist, h)
		tr.active = append(tr.active, activeDays(schema, tl))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func onlyActive(s *measure.Schema, tl *model.Timeline) *model.Timeline {
	out := &model.Timeline{ID: tl.ID, Props: make([]model.Column, len(tl.Props))}
	for i := range tl.Time {
		if !s.Roles.Of(tl.Name[i], tl.Amount[i]).Active() {
			continue
		}
		out.Time, out.Name, out.Amount = append(out.Time, tl.Time[i]), append(out.Name, tl.Name[i]), append(out.Amount, tl.Amount[i])
	}
	return out
}

func activeDays(s *measure.Schema, tl *model.Timeline) (out []model.Day) {
	for i := range tl.Time {
		amount := model.NoMoney
		if tl.Amount != nil {
			amount = tl.Amount[i]
		}
		if s.Roles.Of(tl.Name[i], amount).Active() {
			out = append(out, s.Cal.EventDay(tl, i))
		}
	}
	return slices.Compact(out)
}

// shares are the percentages of the users known by a day in each stage.
func (tr *trial) shares(day model.Day) (pct []float64, users int) {
	pct = make([]float64, len(tr.m.stages))
	for i := range tr.hist {
		if s := tr.hist[i].On(day); s != NoStage {
			pct[s]++
			users++
		}
	}
	for i := range pct {
		pct[i] *= 100 / float64(users)
	}
	return pct, users
}

func TestTrials(t *testing.T) {
	for _, c := range []struct {
		name      string
		load      loader
		purchases bool
		want      map[string][5]float64
		rises     bool // P(active in the next 90 d): exploration < growth < maturity
		returns   [5]float64
	}{
		{"cdnow", reference.CDNOW, false, map[string][5]float64{
			"1997-07-02": {52, 24, 10, 0, 14}, "1998-06-30": {0, 12, 3, 7, 79}}, true, [5]float64{.09, .28, .44, .58, .08}},
		{"online retail", reference.OnlineRetail, true, map[string][5]float64{
			"2011-06-06": {33, 24, 17, 6, 21}, "2011-12-09": {17, 29, 8, 16, 30}}, true, [5]float64{.37, .60, .81, .91, .30}},
		{"ecom", reference.Ecom, false, map[string][5]float64{"2024-06-29": {0, 33, 55, 1, 11}}, false, [5]float64{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := runTrial(t, c.load, c.purchases)
			for at, want := range c.want {
				d, err := model.ParseDay(at)
				if err != nil {
					t.Fatal(err)
				}
				got, users := tr.shares(d)
				for i := range want {
					if math.Round(got[i]) != want[i] {
						t.Errorf("%s, %d users: %.2f, want %v", at, users, got, want)
						break
					}
				}
			}
			tr.living(t)
			if !c.rises {
				return
			}
			p := tr.activeSoon()
			if !(p[1] < p[2] && p[2] < p[3]) {
				t.Errorf("P(active in the next 90 d) is %.3f by stage: it must rise from exploration to maturity", p)
			}
			for i, want := range c.returns {
				if math.Abs(p[i]-want) > 0.0051 {
					t.Errorf("P(active in the next 90 d) is %.3f by stage, want %v", p, c.returns)
					break
				}
			}
		})
	}
}

// living is the test to hold: from day 2·G on no living stage holds over 70 % of
// the living.
func (tr *trial) living(t *testing.T) {
	t.Helper()
	g, _ := tr.m.model.Param("G")
	for day := tr.first + 2*model.Day(g); day <= tr.last; day++ {
		pct, _ := tr.shares(day)
		alive := 100 - pct[tr.m.lost]
		for s := range pct {
			if s != tr.m.lost && pct[s] > 0.7*alive {
				t.Errorf("%s: %s holds %.1f %% of the living", day, tr.m.model.Stages[s].Name, 100*pct[s]/alive)
			}
		}
	}
}

// activeSoon is the share of each stage active in the next 90 days, pooled over
// the days at 40, 50 … 80 % of the range that have 90 days left.
func (tr *trial) activeSoon() []float64 {
	n, yes := make([]float64, len(tr.m.stages)), make([]float64, len(tr.m.stages))
	for _, k := range []int{40, 50, 60, 70, 80} {
		day := tr.first + model.Day(int(tr.last-tr.first)*k/100)
		if day+90 > tr.last {
			continue
		}
		for i := range tr.hist {
			s := tr.hist[i].On(day)
			if s == NoStage {
				continue
			}
			n[s]++
			at, _ := slices.BinarySearch(tr.active[i], day+1)
			if at < len(tr.active[i]) && tr.active[i][at] <= day+90 {
				yes[s]++
			}
		}
	}
	for i := range n {
		yes[i] /= max(n[i], 1)
	}
	return yes
}
