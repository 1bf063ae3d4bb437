package stat

// A Fenwick tree counts things by place, and how many lie below one, both in the
// logarithm of the places: make(Fenwick, places+1) is empty.
//
// Fenwick, P. M. (1994). "A New Data Structure for Cumulative Frequency Tables".
// Software: Practice and Experience 24 (3): 327–336.
type Fenwick []int64

// Add counts n more at a place, from 0 on.
func (t Fenwick) Add(at int, n int64) {
	for i := at + 1; i < len(t); i += i & -i {
		t[i] += n
	}
}

// Below is how many stand at the places before at.
func (t Fenwick) Below(at int) (n int64) {
	for i := at; i > 0; i -= i & -i {
		n += t[i]
	}
	return n
}
