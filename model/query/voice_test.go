package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"dwell/model"
	"dwell/sample/reference"
)

// Ten users; eight answer 10 9 9 8 7 6 3 0 on the second day, two complain on the
// third, three cancel on the fourth, two of them over the price. Counted by hand:
// three promoters and three detractors of eight make an NPS of 0; with ¾, 1½ and ¾
// answers added p = q = 3.75/11, so that the interval is ± 100·1.96·√(7.5/11/11).
func TestVoiceByHand(t *testing.T) {
	base := int64(model.DayOf(2024, 3, 1)) * day
	var rows []rawRow
	for u, score := range []string{"10", "9", "9", "8", "7", "6", "3", "0", "", ""} {
		id := fmt.Sprintf("u%d", u)
		rows = append(rows, rawRow{id, base + int64(u)*second, "open", nil})
		if score != "" {
			rows = append(rows, rawRow{id, base + day, "survey", map[string]string{"score": score}})
		}
		switch u {
		case 0, 1:
			rows = append(rows, rawRow{id, base + 2*day, "ticket", nil})
		case 2, 3:
			rows = append(rows, rawRow{id, base + 3*day, "cancel", map[string]string{"why": "price"}})
		case 4:
			rows = append(rows, rawRow{id, base + 3*day, "cancel", nil})
		}
	}
	dict := model.NewDictionary()
	dict.Starts = "complete"
	dict.Events = map[string]string{"survey": "feedback", "ticket": "complaint", "cancel": "cancel"}
	dict.Columns.Score, dict.Columns.Reason = "score", "why"
	e := over(t, loaded(t, rows, "score", "why"), dict)
	a := ask(t, e, "voice")
	for key, want := range map[string]float64{
		"nps.acquisition": 0, "answered.acquisition": 0.8, "promoters.acquisition": 3.0 / 8, "detractors.acquisition": 3.0 / 8,
		"complained.acquisition": 0.2, "cancelled": 3, "reason.is.price": 2, "reason.none": 1, "contact.lost": 0, "contact.living": 2.0 / 7,
	} {
		if f := a.Figure(key); f == nil || math.Abs(f.Value-want) > 1e-12 {
			t.Errorf("%s: %+v, want %v", key, f, want)
		} else {
			listed(t, e, a, key)
		}
	}
	f := a.Figure("nps.acquisition")
	if want := 196 * math.Sqrt(7.5/121); math.Abs(f.Hi-want) > 0.01 || math.Abs(f.Lo+want) > 0.01 {
		t.Errorf("NPS lies in %v to %v, want ± %v", f.Lo, f.Hi, want)
	}
	// The answer of 10 is the best of its scale, +1, two days old; the complaint −2,
	// a day old.
	want := math.Exp2(-2.0/90) - 2*math.Exp2(-1.0/90)
	m := ask(t, e, "measure/attitude?user=u0&unit=day")
	if f := m.Figure("at.2024-03-04"); f == nil || math.Abs(f.Value-want) > 1e-12 {
		t.Errorf("attitude %+v, want %v", f, want)
	}
	if f := m.Figure("at.2024-03-01"); f == nil || !f.None {
		t.Errorf("attitude before any act: %+v", f)
	}
}

// Stars and answers of 0 to 10 are kept apart: by column where the stars have one
// of their own, by the events' names where both share a column, by the dictionary
// before all. Five users: stars 5 4 3 1 and, from one of them, 10 of 10; counted
// by hand.
func TestVoiceKeepsScalesApart(t *testing.T) {
	base := int64(model.DayOf(2024, 3, 1)) * day
	for name, c := range map[string]struct {
		stars   string // column of the stars
		event   string
		answers map[string]float64
	}{
		"own column": {stars: "stars", event: "thumbs"},
		"by name":    {stars: "score", event: "star_rating"},
		"declared":   {stars: "score", event: "thumbs", answers: map[string]float64{"thumbs": 5}},
	} {
		t.Run(name, func(t *testing.T) {
			var rows []rawRow
			for u, stars := range []string{"5", "4", "3", "1", ""} {
				id := fmt.Sprintf("u%d", u)
				rows = append(rows, rawRow{id, base + int64(u)*second, "open", nil})
				if stars != "" {
					rows = append(rows, rawRow{id, base + day, c.event, map[string]string{c.stars: stars}})
				}
			}
			rows = append(rows, rawRow{"u3", base + day, "survey", map[string]string{"score": "10"}})
			dict := model.NewDictionary()
			dict.Starts, dict.Answers = "complete", c.answers
			dict.Events = map[string]string{c.event: "feedback", "survey": "feedback"}
			dict.Columns.Score = "score"
			if c.stars != "score" {
				dict.Columns.Rating = c.stars
			}
			e := over(t, loaded(t, rows, "score", "stars"), dict)
			a := ask(t, e, "voice?unit=day")
			for key, want := range map[string]float64{
				"nps.acquisition": 100, "answered.acquisition": 0.2, "promoters.acquisition": 1,
				"rating.acquisition": 13.0 / 4, "rates.acquisition": 0.8, "rated.2024-03-02": 13.0 / 4, "score.2024-03-02": 10,
			} {
				if f := a.Figure(key); f == nil || math.Abs(f.Value-want) > 1e-12 {
					t.Errorf("%s: %+v, want %v", key, f, want)
				} else {
					listed(t, e, a, key)
				}
			}
			// One star is the worst of its scale, −1; 10 the best, +1.
			m := ask(t, e, "measure/attitude?user=u3&unit=day")
			if f := m.Figure("at.2024-03-02"); f == nil || math.Abs(f.Value) > 1e-12 || f.None {
				t.Errorf("attitude %+v, want 0", f)
			}
			if bl := block(t, m, "acts"); len(bl.Rows) != 3 {
				t.Errorf("%d lines of acts, want two acts and their sum", len(bl.Rows))
			}
		})
	}
}

// Ann shares and invites; Bob and Cy name her as inviter, Cy on a later event too;
// Dan names himself, which is nobody, and Eve one who is not in the data.
func TestWhoWasBroughtIn(t *testing.T) {
	base := int64(model.DayOf(2024, 3, 1)) * day
	by := func(id string) map[string]string { return map[string]string{"ref": id} }
	rows := []rawRow{
		{"ann", base, "open", nil}, {"ann", base + day, "share", nil}, {"ann", base + 2*day, "invite", nil},
		{"bob", base + 3*day, "open", by("ann")}, {"cy", base + 4*day, "open", nil}, {"cy", base + 5*day, "open", by("ann")},
		{"dan", base + 4*day, "open", by("dan")}, {"eve", base + 5*day, "open", by("zoe")},
	}
	dict := model.NewDictionary()
	dict.Starts = "complete"
	dict.Events = map[string]string{"share": "social", "invite": "invite"}
	dict.Columns.Inviter = "ref"
	e := over(t, loaded(t, rows, "ref"), dict)
	a := ask(t, e, "voice")
	for key, want := range map[string]float64{"shared.acquisition": 0.2, "invited.acquisition": 0.2, "brought": 0.6, "inviters": 1} {
		if f := a.Figure(key); f == nil || math.Abs(f.Value-want) > 1e-12 {
			t.Errorf("%s: %+v, want %v", key, f, want)
		} else {
			listed(t, e, a, key)
		}
	}
	if u := listed(t, e, a, "inviters"); len(u) != 1 || u[0].ID != "ann" || u[0].Score != 2 {
		t.Errorf("the inviters are %+v", u)
	}
	if before := ask(t, e, "voice@2024-03-04"); before.Figure("brought").Value != 0.5 {
		t.Errorf("on the fourth day %v are brought in", before.Figure("brought").Value)
	}
}

func TestVoiceSaysWhereNothingIsSaid(t *testing.T) {
	mem, dict := reference.CDNOW(t)
	a := ask(t, over(t, mem, dict), "voice")
	if got := strings.Join(lines(a, block(t, a, "voice")), " "); !strings.Contains(got, "No event of the data means feedback, complaint or cancel") || len(a.Figures) > 0 {
		t.Errorf("%q with %d figures", got, len(a.Figures))
	}
}

// On CDNOW the peers' script counted 23,570 customers and 69,659 purchases; the
// shares of the top users are counted here from those counts, sorted anew.
func TestActionsOfCDNOW(t *testing.T) {
	mem, dict := reference.CDNOW(t)
	e := over(t, mem, dict)
	a := ask(t, e, "actions")
	var counts []float64
	total := 0.0
	for _, u := range listed(t, e, a, "users") {
		counts = append(counts, u.Score)
		total += u.Score
	}
	if len(counts) != 23570 || total != 69659 {
		t.Fatalf("%d users with %v events", len(counts), total)
	}
	for _, p := range []int{1, 10, 20} {
		f := a.Figure(fmt.Sprintf("top.%d", p))
		sum := 0.0
		for _, u := range listed(t, e, a, f.Key) {
			sum += u.Score
		}
		if math.Abs(sum/total-f.Value) > 1e-12 || f.N != int64(math.Ceil(float64(p)*235.70)) {
			t.Errorf("the top %d %%: %v of %d users, their list holds %v", p, f.Value, f.N, sum/total)
		}
	}
	// Gini by the mean difference over the histogram.
	hist := map[float64]float64{}
	for _, c := range counts {
		hist[c]++
	}
	diff := 0.0
	for x, n := range hist {
		for y, m := range hist {
			diff += n * m * math.Abs(x-y)
		}
	}
	if want, f := diff/(2*23570*total), a.Figure("gini"); math.Abs(f.Value-want) > 1e-9 {
		t.Errorf("Gini %v, by mean difference %v", f.Value, want)
	}
	var bins float64
	for i := range a.Figures {
		if f := &a.Figures[i]; strings.HasPrefix(f.Key, "bin.") {
			bins += f.Value
		}
	}
	if bins != 23570 {
		t.Errorf("the bins hold %v users", bins)
	}
}
