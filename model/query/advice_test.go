package query_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
)

// shop is made-up buyers whose own rhythm changes from one day on.
func shop(t *testing.T, users, days, change int, before, after float64) (*model.Memory, *model.Dictionary) {
	t.Helper()
	rng := rand.New(rand.NewPCG(21, 22))
	b := &model.Batch{}
	for u := range users {
		at := rng.Float64() * 30
		for at < float64(days) {
			b.Line, b.User = append(b.Line, int64(len(b.Time)+1)), append(b.User, fmt.Appendf(nil, "u%03d", u))
			b.Time = append(b.Time, int64(model.DayOf(2022, 1, 1))*86_400_000+int64(at*86_400_000))
			b.Event, b.Amount = append(b.Event, []byte("buy")), append(b.Amount, 20*model.Unit)
			gap := before
			if at >= float64(change) {
				gap = after
			}
			at += gap * (0.8 + 0.4*rng.Float64())
		}
	}
	mem := model.NewMemory()
	l, err := mem.Begin(context.Background(), model.LoadPlan{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(model.Quality{Read: int64(b.Len())}, []model.SourceInfo{{Path: "shop.csv"}}); err != nil {
		t.Fatal(err)
	}
	d := model.NewDictionary()
	d.Starts = "complete"
	d.Events["buy"] = "purchase"
	return mem, d
}

// The source's case: a cycle that goes from 30 to 25 days proposes a shorter
// exploration, shows how many would move, and changes nothing. The same shop
// without a change gives no such advice.
func TestAdvice(t *testing.T) {
	mem, dict := shop(t, 300, 900, 300, 30, 25)
	e := over(t, mem, dict)
	before := ask(t, e, "stages")
	a := ask(t, e, "advice")
	was, is, change := a.Figure("cycle.before"), a.Figure("cycle.now"), a.Figure("cycle.change")
	if was.Value < 29 || was.Value > 31 || is.Value < 24 || is.Value > 26 || change.Hi >= 0 || change.Lo < -7 {
		t.Errorf("the cycle went from %v to %v, by %v (%v to %v)", was.Value, is.Value, change.Value, change.Lo, change.Hi)
	}
	moves := a.Figure("moves.cycle")
	if moves == nil {
		t.Fatal("no edit is proposed for a cycle that changed")
	}
	listed(t, e, a, "moves.cycle")
	var open string
	for _, bl := range a.Blocks {
		for _, row := range bl.Rows {
			if bl.Name == "edits" && row.Key == "cycle" {
				open = row.Open
			}
		}
	}
	if !strings.HasPrefix(open, "restage?with=exploration.min_dwell%3D12") {
		t.Fatalf("the proposal is %q: 14 days by 25/30 is 12", open)
	}
	if edit := ask(t, e, open); value(t, edit, "moved")*value(t, edit, "users") < moves.Value-0.5 || value(t, edit, "moved")*value(t, edit, "users") > moves.Value+0.5 {
		t.Errorf("the edit moves %v of %v, the advice said %v", value(t, edit, "moved"), value(t, edit, "users"), moves.Value)
	}
	// Everybody spends 20 every time: value in maturity does not grow.
	if a.Figure("arpu.change").None || a.Figure("moves.arpu") == nil || moved(a, "arpu") != 0 {
		t.Errorf("value in maturity: %+v", a.Figure("arpu.change"))
	}
	if after := ask(t, e, "stages"); after.Model != before.Model {
		t.Error("advice has changed the model")
	}
	if log, err := e.ModelLog(""); err != nil || len(log) != 0 {
		t.Errorf("advice has left %v, %v", log, err)
	}

	mem, dict = shop(t, 300, 900, 300, 30, 30)
	a = ask(t, over(t, mem, dict), "advice")
	if a.Figure("moves.cycle") != nil || a.Figure("moves.activity") != nil {
		t.Error("a steady shop is advised about its rhythm")
	}
	// A jump of everybody's activity: half the gap from day 450 on.
	mem, dict = shop(t, 200, 700, 450, 16, 8)
	a = ask(t, over(t, mem, dict), "advice")
	if f := a.Figure("activity.change"); a.Figure("moves.activity") == nil || f.Lo < 1.2 || f.Hi > 3 {
		t.Errorf("a jump is not seen: %+v", f)
	}
	day := model.DayOf(2022, 1, 1) + 450
	for _, bl := range a.Blocks {
		if bl.Name == "activity" && (len(bl.Chart.Marks) != 1 || bl.Chart.Marks[0].X < float64(day-14) || bl.Chart.Marks[0].X > float64(day+14)) {
			t.Errorf("the jump of %s is marked at %v", day, bl.Chart.Marks)
		}
	}
}

func moved(a *query.Answer, key string) float64 { return a.Figure("moves." + key).Value }

// Advice of an earlier day knows nothing later: there the suggestions are those
// of the data up to it.
func TestAdviceOfAnEarlierDay(t *testing.T) {
	mem, dict := shop(t, 100, 900, 450, 40, 10)
	e := over(t, mem, dict)
	if err := e.ConfirmModel(context.Background(), nil, ""); err != nil {
		t.Fatal(err)
	}
	now, then := ask(t, e, "advice"), ask(t, e, "advice@2023-01-01")
	if a, b := value(t, then, "param.usage.now"), value(t, now, "param.usage.now"); a < 35 || b > 20 {
		t.Errorf("usage as suggested: %v then, %v now", a, b)
	}
	if then.Figure("moves.param.usage") == nil || now.Figure("moves.param.usage") != nil {
		t.Error("the number in force is the last day's: it differs from the earlier day's suggestion alone")
	}
}
