package query

// A sortItem is a row with the number it is sorted by.
type sortItem struct {
	key uint64
	row int32
}

// sortKeyed sorts rows by their keys, equal keys staying in their order: byte by
// byte from the last, each pass dealing the rows into 256 piles. That is linear
// in the rows and compares nothing, several times faster than a sort by
// comparison for a million of them. A byte that is the same in all keys, as most
// are, costs no pass. The result is in items or in a slice of its own.
func sortKeyed(items []sortItem) []sortItem {
	var piles [8][256]int32
	for _, it := range items {
		for b := range piles {
			piles[b][byte(it.key>>(8*b))]++
		}
	}
	var other []sortItem
	for b := range piles {
		pile := &piles[b]
		if len(items) == 0 || int(pile[byte(items[0].key>>(8*b))]) == len(items) {
			continue
		}
		if other == nil {
			other = make([]sortItem, len(items))
		}
		at := int32(0)
		for i, n := range pile {
			pile[i], at = at, at+n
		}
		for _, it := range items {
			to := &pile[byte(it.key>>(8*b))]
			other[*to] = it
			*to++
		}
		items, other = other, items
	}
	return items
}
