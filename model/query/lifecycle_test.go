package query_test

import (
	"fmt"
	"math"
	"testing"

	"dwell/sample/reference"
)

// Reference: retentioneering_ecom in events_ecom.json (pandas): active_users,
// growth_week, growth_month.
func TestLifecycleReferenceEcom(t *testing.T) {
	type growth struct {
		Period                                      string
		Active, New, Retained, Resurrected, Churned float64
	}
	var want struct {
		Active map[string]float64 `json:"active_users"`
		Week   []growth           `json:"growth_week"`
		Month  []growth           `json:"growth_month"`
	}
	reference.JSON(t, "events_ecom.json", &want)
	mem, dict := reference.Ecom(t)
	e := over(t, mem, dict)
	a := ask(t, e, "lifecycle?truncated=keep&dau_mau=mean_ratio")
	for key, name := range map[string]string{"dau.mean": "dau_mean", "wau7.mean": "wau7_mean", "mau28.mean": "mau28_mean", "mau28.2024-06-29": "mau28_last", "dau_mau": "stickiness_mean_dau_over_mau28"} {
		f := a.Figure(key)
		if f == nil || math.Abs(f.Value-want.Active[name]) > 1e-9*want.Active[name] {
			t.Errorf("%s: %+v, want %v", key, f, want.Active[name])
		}
	}
	for unit, rows := range map[string][]growth{"week": want.Week, "month": want.Month} {
		a := ask(t, e, "lifecycle?truncated=keep&pending=dormant&unit="+unit)
		for _, w := range rows {
			for word, v := range map[string]float64{"active": w.Active, "new": w.New, "returning": w.Retained, "resurrected": w.Resurrected, "dormant": w.Churned} {
				key := fmt.Sprintf("%s.%s.%s", unit, w.Period, word)
				if f := a.Figure(key); f == nil || f.Value != v {
					t.Errorf("%s: %+v, want %v", key, f, v)
				}
			}
		}
	}
}

func TestLifecycleFiguresAreLists(t *testing.T) {
	mem, dict := reference.Ecom(t)
	dict.Starts = "partial"
	dict.Events["catalog"] = "passive"
	e := over(t, mem, dict)
	for _, address := range []string{"lifecycle", "lifecycle?unit=month&new=any", "lifecycle@2024-03-07?unit=quarter&truncated=keep&dau_mau=mean_ratio"} {
		a := ask(t, e, address)
		for i := range a.Figures {
			if i < 6 || i%53 == 0 || i > len(a.Figures)-30 {
				listed(t, e, a, a.Figures[i].Key)
			}
		}
	}
	a := ask(t, e, "lifecycle@2024-05-15")
	if f := a.Figure("week.2024-05-13.pending"); f == nil || a.Figure("week.2024-05-13.dormant") != nil {
		t.Error("users missing in the open week must be pending")
	}
	if f := a.Figure("week.2024-05-06.dormant"); f == nil {
		t.Error("a closed week has dormant users")
	}
}
