package sample_test

import (
	"context"
	"encoding/csv"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dwell/model"
	"dwell/model/query"
	"dwell/model/stat"
	"dwell/sample"
)

// quillpad loads the embedded product into memory.
func quillpad(t *testing.T) *model.Memory {
	t.Helper()
	set, r, err := sample.Open("quillpad")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	b := model.Batch{Amount: []model.Money{}}
	for _, k := range rows[0][4:] {
		b.Props = append(b.Props, model.BatchCol{Key: k})
	}
	for i, row := range rows[1:] {
		at, err := time.Parse(time.RFC3339, row[0])
		if err != nil {
			t.Fatal(err)
		}
		amount := model.NoMoney
		if row[3] != "" {
			whole, frac, _ := strings.Cut(strings.TrimPrefix(row[3], "-"), ".")
			for _, d := range whole + frac {
				amount = max(amount, 0)*10 + model.Money(d-'0')*model.Unit/100
			}
			if row[3][0] == '-' {
				amount = -amount
			}
		}
		b.Line, b.Time, b.Amount = append(b.Line, int64(i+2)), append(b.Time, at.UnixMilli()), append(b.Amount, amount)
		b.User, b.Event = append(b.User, []byte(row[1])), append(b.Event, []byte(row[2]))
		for k := range b.Props {
			b.Props[k].Values = append(b.Props[k].Values, []byte(row[4+k]))
		}
	}
	mem := model.NewMemory()
	l, err := mem.Begin(context.Background(), model.LoadPlan{Zone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: int64(b.Len())}, []model.SourceInfo{{Path: set.File}}); err != nil {
		t.Fatal(err)
	}
	if _, err := mem.Put(model.KindDictionary, model.KindDictionary, set.Dictionary.Format(), ""); err != nil {
		t.Fatal(err)
	}
	return mem
}

// Predictions against a truth that they did not make: those who are scored high
// are dead or fading, the probabilities of the test hold within their
// intervals, and the signals point as the generator made them.
func TestChurnAgainstTheTruth(t *testing.T) {
	ctx := context.Background()
	mem := quillpad(t)
	e, err := query.New(mem, mem, nil, query.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	q, err := query.Parse("churn")
	if err != nil {
		t.Fatal(err)
	}
	a, err := e.Answer(ctx, q, nil)
	if err != nil {
		t.Fatal(err)
	}
	scored, err := e.Users(ctx, q, "scored", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, truth := sample.Generate(sample.Seed)
	phase := map[string]sample.Phase{}
	for i := range truth.People {
		p := &truth.People[i]
		for _, id := range p.IDs {
			phase[id] = p.PhaseAt(truth.To - 1)
		}
	}
	var fs []stat.Forecast
	for _, u := range scored.Users {
		ph := phase[u.ID]
		fs = append(fs, stat.Forecast{P: u.Score, Yes: ph == sample.Gone})
	}
	area, err := stat.AUC(fs, stat.Level)
	if err != nil {
		t.Fatal(err)
	}
	if area.Lo < 0.85 {
		t.Errorf("the dead are told from the living with an AUC of %.3f (from %.3f)", area.AUC, area.Lo)
	}
	value := func(key string) float64 {
		f := a.Figure(key)
		if f == nil || f.None {
			t.Fatalf("no figure %s", key)
		}
		return f.Value
	}
	if s, i := value("calibration.slope"), value("calibration.intercept"); math.Abs(s-1) > 0.2 || math.Abs(i) > 0.3 {
		t.Errorf("calibration slope %.3f, intercept %.3f", s, i)
	}
	if value("skill") < 0.3 || value("auc") < value("recency.auc") {
		t.Errorf("skill %.3f, AUC %.3f against %.3f of recency alone", value("skill"), value("auc"), value("recency.auc"))
	}
	// Silence and complaints go before death, use and payment with life.
	for key, sign := range map[string]float64{"coef.recency_days": 1, "coef.complaints(90)": 1, "coef.active_days(7)": -1, "coef.revenue": -1} {
		if v := value(key); v*sign <= 0 {
			t.Errorf("%s is %v", key, v)
		}
	}
	// What was said lies within the interval of what came true, tenth by tenth: of
	// ten intervals at 95 % one may miss.
	said := map[string]float64{}
	for _, b := range a.Blocks {
		if b.Name != "calibration" {
			continue
		}
		for _, row := range b.Rows {
			f := &a.Figures[row.Cells[1].Figure]
			x, err := strconv.ParseFloat(strings.TrimSuffix(row.Cells[0].Text, "%"), 64)
			if err != nil {
				t.Fatal(err)
			}
			if x /= 100; x < f.Lo || x > f.Hi {
				said[f.Key] = x
			}
		}
	}
	if len(said) > 1 {
		t.Errorf("outside their intervals: %v", said)
	}
	// The generator's people leave after a time in which they come less and less, and
	// by nothing that is kept of them as a property: so of those who are truly fading
	// or gone and scored high, the strongest signal is one of coming less.
	fall := []string{"recency_days", "overdue", "active_days", "active_days(7)", "active_days(28)", "active_days(90)", "rate_ratio", "sessions(28)", "gap_median_days", "beats_active_4", "distinct(event, 90)", "dwell_days"}
	told, all := 0, 0
	for i, u := range scored.Users {
		if ph := phase[u.ID]; u.Score < 0.5 || ph != sample.Fading && ph != sample.Gone || i%5 != 0 {
			continue
		}
		k, err := e.Risk(ctx, u.ID, model.NoDay, nil)
		if err != nil {
			t.Fatal(err)
		}
		all++
		for _, why := range k.Reasons {
			if why.LogOdds > 0 {
				if slices.Contains(fall, strings.TrimSuffix(why.Name, " has no value")) {
					told++
				}
				break
			}
		}
	}
	t.Logf("of %d truly leaving and scored high, %d are told of by their coming less", all, told)
	if all < 30 || told*10 < all*9 {
		t.Errorf("of %d truly leaving and scored high, %d are told of by their coming less", all, told)
	}
}
