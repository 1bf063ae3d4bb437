package value

import (
	"testing"

	"dwell/model"
)

func TestBackTestCDNOW(t *testing.T) {
	origins, err := Origins(model.DayOf(1997, 1, 1), model.DayOf(1998, 6, 30), 4, 14)
	if err != nil || len(origins) != 14 {
		t.Fatal(origins, err)
	}
	r, half := NewRolling(origins, 4), NewRolling(origins, 4)
	i := 0
	for _, b := range cdnow(t, "CDNOW_sample.txt", 1) {
		if i++; i%2 == 0 {
			half.Add(b.days)
		} else {
			r.Add(b.days)
		}
	}
	r.Merge(half)
	for _, k := range []Kind{MBG} {
		b, err := r.Judge(k, Outlook{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(k, "purchases:", b.Purchases.Sentence())
		t.Log(k, "buyers:", b.Buyers.Sentence())
		t.Log(k, "whole purchases:", b.WholePurchases.Sentence())
		t.Log(k, "whole buyers:", b.WholeBuyers.Sentence())
		t.Logf("%+v %d %v", b.Drift, b.First, b.Trouble)
	}
}
