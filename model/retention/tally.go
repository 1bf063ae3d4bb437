package retention

// A Tally is the lives of one cell, a cohort's column, counted.
type Tally struct {
	Closed   int64 // lives whose interval has ended: the denominator
	Back     int64 // of them, those who returned
	Open     int64 // lives whose interval has not ended
	OpenBack int64 // of them, those who have already returned
}

// Rate is Back/Closed; ok is false where nobody's interval has closed.
func (t Tally) Rate() (rate float64, ok bool) {
	if t.Closed == 0 {
		return 0, false
	}
	return float64(t.Back) / float64(t.Closed), true
}

// PlainMean is the mean of the cells' rates, each cohort counting once whatever
// its size. A cohort that lost everybody counts as 0, one without a closed user
// not at all (SPEC V3, V4). ok is false if no cell has a rate.
//
// It is not what an overall row shows unless asked for: ten users weigh as much
// as a thousand in it.
func PlainMean(cells []Tally) (mean float64, ok bool) {
	n := 0
	for _, c := range cells {
		if r, has := c.Rate(); has {
			mean += r
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	return mean / float64(n), true
}
