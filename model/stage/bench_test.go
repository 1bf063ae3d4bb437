package stage

import (
	"testing"

	"dwell/model"
	"dwell/sample/reference"
)

// BenchmarkReplay stages the whole of CDNOW, 23,570 users, from timelines that
// are already in memory.
func BenchmarkReplay(b *testing.B) {
	snap, schema := open(b, reference.CDNOW)
	m := machine(b, growth(b, 56, 56, 162, 2), schema)
	last := schema.Cal.Day(snap.Info().Last)
	var tls []*model.Timeline
	err := snap.Scan(b.Context(), model.Split{To: model.Buckets}, m.Filter(last), func(tl *model.Timeline) error {
		tls = append(tls, tl.Clone())
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	r := m.NewReplayer()
	var h History
	b.ReportAllocs()
	for b.Loop() {
		for _, tl := range tls {
			r.Replay(tl, last, &h)
		}
	}
}
