package query_test

import (
	"context"
	"strings"
	"testing"
)

// Every figure of these analyses explains itself in whole sentences, with users
// of the data worked through.
func TestFiguresExplainThemselves(t *testing.T) {
	mem, dict := randomData(t, 5, 40)
	e := over(t, mem, dict)
	for _, address := range []string{
		"retention?truncated=keep", "retention?unit=week&overall=mean", "retention?window=24h&mode=on-or-after&within=20", "retention?mode=bracket&brackets=1-3,4-30",
		"retention?eligible=all&unit=month&where=plan%20%3D%3D%20%22pro%22", "lifecycle", "lifecycle?unit=month&new=any&pending=dormant", "overview", "events", "event/buy",
		"properties", "property/plan", "rows?event=buy",
		"funnel?step=open&step=buy", "funnel?step=open&step=buy&step=open&breakdown=plan&attribution=all&try=best&exclude=ad&exclusion=remove", "funnel?step=open&step=buy&order=any&hold=plan&count=holds",
		"aha?truncated=keep&least=3", "steps?around=buy", "steps?path=session&gap=2d&repeats=collapse", "journeys?from=open&paths=3&top=2", "activation?truncated=keep", "activation?milestone=2,30,buy&milestone=1,10,open&per=events&goal=buy&cohort=month",
	} {
		a := ask(t, e, address)
		for i := range a.Figures {
			if i > 8 && i%41 != 0 && i != len(a.Figures)-1 {
				continue
			}
			f := &a.Figures[i]
			x, err := e.Explain(context.Background(), a.Query, f.Key, nil)
			if err != nil {
				t.Errorf("%s %s: %v", address, f.Key, err)
				continue
			}
			worked := 0
			for _, l := range x.Lines {
				if l.Head == "" || l.Text == "" || strings.Contains(l.Text, "%!") {
					t.Errorf("%s %s: %s: %q", address, f.Key, l.Head, l.Text)
				}
				if l.Head == "For example" {
					worked++
				}
			}
			if f.N > 0 && worked == 0 && f.Value != 0 {
				t.Errorf("%s %s: %d users and no example", address, f.Key, f.N)
			}
		}
	}
}
