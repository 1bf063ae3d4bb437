package query_test

import (
	"math"
	"strings"
	"testing"

	"dwell/model"
	"dwell/model/query"
	"dwell/sample/reference"
)

// TestForecastCovers asks for the forecasts of CDNOW and says that the bands held
// near as often as they say, and that past weeks are what populations count.
func TestForecastCovers(t *testing.T) {
	mem, dict := reference.CDNOW(t)
	e := over(t, mem, dict)
	a := ask(t, e, "forecast")
	seen := 0
	for _, bl := range a.Blocks {
		if bl.Name != "worth" {
			continue
		}
		for _, row := range bl.Rows {
			if row.Key != "buyers" && row.Key != "stages" {
				continue
			}
			seen++
			var share float64
			for _, c := range strings.TrimSuffix(row.Cells[2].Text, " %") {
				share = 10*share + float64(c-'0')
			}
			if share < 65 || share > 99 || row.Key == "stages" && share > 94 {
				t.Errorf("%s: the 80 %% band held %v %%", row.Label, share)
			}
		}
	}
	if seen != 2 {
		t.Errorf("%d lines of coverage of buyers and stages", seen)
	}
	p := ask(t, e, "populations?unit=day&from=1998-06-23&to=1998-06-30")
	for _, day := range []string{"1998-06-23", "1998-06-30"} {
		for _, stage := range []string{"exploration", "growth", "maturity", "churned"} {
			got, want := a.Figure("week."+day+"."+stage), p.Figure("at."+day+"."+stage)
			if got == nil || want == nil || got.Value != want.Value {
				t.Errorf("%s on %s: %v, populations has %v", stage, day, got, want)
			}
		}
	}
	// Nobody new has come for a year: the stages go on adding up to everybody.
	for i := range 8 {
		sum := 0.0
		for _, stage := range []string{"acquisition", "exploration", "growth", "maturity", "churned"} {
			sum += a.Figure("ahead." + dayAfter(i) + "." + stage).Value
		}
		if math.Abs(sum-23570) > 1e-6*23570 {
			t.Errorf("week %d: the stages hold %v of 23570", i+1, sum)
		}
	}
}

func dayAfter(week int) string {
	return (model.DayOf(1998, 6, 30) + model.Day(7*(week+1))).String()
}

// TestForecastOfLittle says that too little data get a sentence.
func TestForecastOfLittle(t *testing.T) {
	mem, dict := randomData(t, 2, 5)
	e := over(t, mem, dict)
	for _, address := range []string{"forecast@2020-02-01", "forecast@2020-01-09?truncated=keep", "forecast?weeks=52", "forecast?event=open&weeks=3"} {
		a := ask(t, e, address)
		for i := range a.Figures {
			if f := &a.Figures[i]; f.Value-f.Value != 0 || f.Lo-f.Lo != 0 || f.Hi < f.Lo {
				t.Errorf("%s: %s is %v, %v to %v", address, f.Key, f.Value, f.Lo, f.Hi)
			}
		}
	}
}

// TestForecastSaysWhatIsMissing says how much data are wanted and how much there are:
// below eight weeks instead of a forecast, and instead of a table of what forecasts
// were worth until one could be tested.
func TestForecastSaysWhatIsMissing(t *testing.T) {
	mem, dict := randomData(t, 2, 30)
	e := over(t, mem, dict)
	from := model.DayOf(2020, 1, 5) // the first event is on it
	text := func(address, name string) string {
		t.Helper()
		for _, bl := range ask(t, e, address).Blocks {
			if bl.Name == name {
				return string(bl.Kind) + ": " + strings.Join(bl.Lines, " ")
			}
		}
		return ""
	}
	for _, tt := range []struct {
		days          int
		options, name string
		want          string
	}{
		{20, "", "none", "8 whole weeks (56 days), and up to 2020-01-24 there are 20 days, 2 whole weeks."},
		{70, "", "none", "70 days, 10 whole weeks. Weeks before"},
		{70, "", "none", "truncated=keep takes them in, and is enough."},
		{50, "?truncated=keep", "none", "50 days, 7 whole weeks."},
		{13 * 7, "?truncated=keep", "worth", "14 weeks to learn from are needed, and there are 13."},
		{14 * 7, "?truncated=keep", "worth", string(query.TableBlock)},
		{20 * 7, "?truncated=keep&weeks=1", "worth", "21 weeks to learn from are needed, and there are 20."},
		{21 * 7, "?truncated=keep&weeks=1", "worth", string(query.TableBlock)},
	} {
		at := "forecast@" + (from + model.Day(tt.days-1)).String() + tt.options
		if got := text(at, tt.name); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", at, got, tt.want)
		}
	}
}
