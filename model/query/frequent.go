package query

import "slices"

// frequentKept is how many values a frequent keeps.
const frequentKept = 4096

// A frequent finds the values of a stream that occur often, in bounded memory:
// every value that makes up more than one in frequentKept+1 of the stream is among
// those kept. Which values are kept does not depend on the order of a map.
//
// Misra, J.; Gries, D. (1982). "Finding Repeated Elements". Science of Computer
// Programming 2 (2): 143–152. Merging: Agarwal et al. (2012). "Mergeable
// Summaries". PODS '12: 23–34.
type frequent struct {
	count map[string]int64
	n     int64 // length of the stream, counted by the caller
}

func newFrequent() *frequent { return &frequent{count: map[string]int64{}} }

func (f *frequent) add(v string) {
	if _, ok := f.count[v]; ok || len(f.count) < frequentKept {
		f.count[v]++
		return
	}
	for k := range f.count {
		if f.count[k]--; f.count[k] == 0 {
			delete(f.count, k)
		}
	}
}

// merge adds another summary and lowers all counts by the first that is one too many.
func (f *frequent) merge(o *frequent) {
	f.n += o.n
	for k, n := range o.count {
		f.count[k] += n
	}
	if len(f.count) <= frequentKept {
		return
	}
	var ns []int64
	for _, n := range f.count {
		ns = append(ns, n)
	}
	slices.Sort(ns)
	cut := ns[len(ns)-frequentKept-1]
	for k := range f.count {
		if f.count[k] -= cut; f.count[k] <= 0 {
			delete(f.count, k)
		}
	}
}
