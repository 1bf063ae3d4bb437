package model

import "github.com/go-faster/city"

// BucketOf is the bucket of a person: cityHash64 of the id modulo Buckets, the
// number by which a cluster would shard as well (go-faster/city: ClickHouse's
// own variant of the hash).
func BucketOf(id []byte) int { return int(city.CH64(id) % Buckets) }

// CutSplits divides the buckets into at most n ranges of about equal width, for
// sources that have nothing better to go by.
func CutSplits(n int) []Split {
	n = min(max(n, 1), Buckets)
	out := make([]Split, n)
	for i := range out {
		out[i] = Split{From: i * Buckets / n, To: (i + 1) * Buckets / n}
	}
	return out
}
