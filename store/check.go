package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"dwell/model"
)

// A Problem is one broken promise: where, and what is wrong there.
type Problem struct {
	Place string
	What  string
}

func (p Problem) String() string { return p.Place + ": " + p.What }

// Check reads the whole data set and calls fn with everything that is not as the
// layout promises: keys and their order, checksums, the figures of markers,
// tables, summaries and chunks against one another, dictionary ids, users in
// their bucket and in order, times in order, entries that belong to no load. It
// tells report how many of how many chunks are done; both functions are called
// by this goroutine. Its own error is only that it could not go on.
func (s *Store) Check(ctx context.Context, report func(done, total int64), fn func(Problem)) (err error) {
	sn, err := s.Snapshot(ctx)
	if errors.Is(err, model.ErrClosed) || ctx.Err() != nil {
		return err
	}
	if err != nil {
		fn(Problem{"the data set", err.Error()})
		return nil
	}
	defer sn.Close()
	snap := sn.(*snapshot)
	if err := snap.enter(); err != nil {
		return err
	}
	defer snap.leave()
	c := &checker{ctx: ctx, st: s, txn: snap.txn, view: snap.view, report: report, fn: fn, loads: map[uint32]*loadCheck{}, wild: map[uint32]bool{}}
	var inFn bool
	defer func() {
		if err != nil && ctx.Err() == nil {
			fn(Problem{"the data set", err.Error()})
			err = nil
		}
	}()
	defer guard(&inFn, &err)
	if err := c.intents(); err != nil {
		return err
	}
	for i, l := range c.view.loads {
		c.loads[l.mark.Load] = &loadCheck{load: l, maps: c.view.plan(model.Filter{Until: model.NoCut}).loads[i]}
		c.total += l.mark.Chunks
	}
	return c.run()
}

type checker struct {
	ctx         context.Context
	st          *Store
	txn         *badger.Txn
	view        *view
	loads       map[uint32]*loadCheck
	wild        map[uint32]bool // loads without a marker that need no report, or have had it
	report      func(done, total int64)
	fn          func(Problem)
	done, total int64
	stops       [][]byte // of walk, once it needs them

	read chunkReader
	sums []summary // of the bucket and load at hand, from its pages
	at   int       // how many of them the chunks have used
}

// intents notes interrupted loads: what they left is not a broken promise, for
// every reader ignores it and the next load removes it.
func (c *checker) intents() error {
	for e, err := range entries(c.txn, []byte{kindIntent}, false) {
		if err != nil {
			return err
		}
		if load, err := parseLoadKey(e.key, kindIntent); err == nil {
			c.wild[load] = true
		}
	}
	return nil
}

// loadCheck is what has been counted of one load.
type loadCheck struct {
	load  *loadView
	maps  loadMaps
	rows  [buckets]bucketRow
	names []int64
	// Of the pages of hidden rows: how many there are, and the last one.
	hidden   int64
	lastPage hiddenKey
}

func (c *checker) problem(key []byte, format string, args ...any) {
	c.fn(Problem{placeOf(key), fmt.Sprintf(format, args...)})
}

// run walks all keys once. Summaries are read with the chunks of their bucket,
// so that the two can be held against one another.
func (c *checker) run() error {
	if err := c.walk(); err != nil {
		return err
	}
	c.unfinished()
	for _, l := range c.view.loads {
		c.totals(c.loads[l.mark.Load])
	}
	if _, err := readLedger(c.st.dir); err != nil {
		c.fn(Problem{ledgerFile, err.Error()})
	}
	if _, err := c.txn.Get(formatKey()); err != nil {
		c.problem(formatKey(), "it cannot be read: %v", err)
	}
	return nil
}

// entry checks one record by its kind.
func (c *checker) entry(key, value []byte) {
	rec, err := unseal(key, value)
	if err != nil {
		c.fn(Problem{placeOf(key), err.Error()})
		return
	}
	switch key[0] {
	case kindFormat:
		if len(key) != 1 {
			c.problem(key, "%v", ErrBadKey)
		}
	case kindIntent, kindMarker, kindTable:
		load, err := parseLoadKey(key, key[0])
		if err != nil {
			c.problem(key, "%v", err)
			return
		}
		if key[0] == kindIntent && c.loads[load] != nil {
			c.problem(key, "the load has both a marker and an intent")
		}
		if key[0] == kindTable {
			c.owner(key, load, nil)
		}
	case kindDict:
		k, err := parseDictKey(key)
		if l := c.owner(key, k.load, err); l != nil && k.kind == dictCounts {
			counts, err := decodeCountPage(key, rec)
			if err != nil {
				c.problem(key, "%v", err)
			}
			l.names = append(l.names, counts...)
		}
	case kindHidden:
		c.hidden(key, rec)
	case kindSummary:
		c.summary(key, rec)
	case kindChunk:
		c.chunk(key, rec)
	default:
		c.problem(key, "%v", ErrBadKey)
	}
}

// owner is the committed load an entry belongs to by its parsed key, nil if there is
// none. A key that could not be parsed is reported, and so, once, is a load with
// neither marker nor intent.
func (c *checker) owner(key []byte, load uint32, bad error) *loadCheck {
	if bad != nil {
		c.problem(key, "%v", bad)
		return nil
	}
	l := c.loads[load]
	if l == nil && !c.wild[load] {
		c.wild[load] = true
		c.problem(key, "load %d has entries, but neither a marker nor an intent to write one", load)
	}
	return l
}

func (c *checker) summary(key, rec []byte) {
	k, err := parseSummaryKey(key)
	l := c.owner(key, k.load, err)
	if l == nil {
		return
	}
	sums, err := decodeSummaries(rec)
	if err != nil {
		c.problem(key, "%v", err)
	}
	row := &l.rows[k.bucket]
	if int64(k.page) != row.pages {
		c.problem(key, "the page before it is missing")
	}
	row.pages++
	last := ""
	for i := range sums {
		if model.BucketOf([]byte(sums[i].id)) != k.bucket {
			c.problem(key, "user %q belongs into bucket %d", sums[i].id, model.BucketOf([]byte(sums[i].id)))
		}
		if sums[i].id <= last {
			c.problem(key, "user %q stands after %q", sums[i].id, last)
		}
		last = sums[i].id
	}
}

func (c *checker) hidden(key, rec []byte) {
	k, err := parseHiddenKey(key)
	l := c.owner(key, k.load, err)
	if l == nil {
		return
	}
	if follows := l.hidden > 0 && k.bucket == l.lastPage.bucket; follows && k.page != l.lastPage.page+1 || !follows && k.page != 0 {
		c.problem(key, "the page before it is missing")
	}
	l.hidden++
	l.lastPage = k
	rows, err := decodeHidden(key, rec)
	if err != nil {
		c.problem(key, "%v", err)
	}
	for i := range rows {
		if model.BucketOf([]byte(rows[i].user)) != k.bucket || int(rows[i].source) >= len(l.load.mark.Sources) {
			c.problem(key, "row %d is of user %q and source %d, which do not belong here", i, rows[i].user, rows[i].source)
		}
	}
}

func (c *checker) chunk(key, rec []byte) {
	k, err := parseChunkKey(key)
	l := c.owner(key, k.load, err)
	if l == nil {
		return
	}
	row := &l.rows[k.bucket]
	row.chunks++
	c.done++
	if c.report != nil && (c.done%64 == 0 || c.done == c.total) {
		c.report(c.done, c.total)
	}
	r := &c.read
	if err := r.load(rec); err != nil {
		c.problem(key, "%v", err)
		return
	}
	if err := r.decode(columnWish{names: true, amounts: true, sources: true, dated: true}, l.maps); err != nil {
		c.problem(key, "%v", err)
		return
	}
	if !r.ordered() {
		c.problem(key, "users or times are out of order")
	}
	if r.ids[0] != k.user {
		c.problem(key, "its first user is %q", r.ids[0])
	}
	c.properties(key, l)
	if row.chunks == 1 {
		c.startBucket(l, k)
	}
	c.users(key, k, row)
	if row.events == 0 || r.head.first < row.first {
		row.first = r.head.first
	}
	if row.events == 0 || r.head.last > row.last {
		row.last = r.head.last
	}
	row.events += int64(r.head.events)
}

// properties decodes every property of the chunk against its dictionary.
func (c *checker) properties(key []byte, l *loadCheck) {
	r := &c.read
	r.codes = grow(r.codes, r.head.events)
	strs := make([]string, r.head.events)
	for _, s := range r.head.sections {
		if s.tag < tagProps {
			continue
		}
		k, plain := int((s.tag-tagProps)/2), (s.tag-tagProps)%2 == 1
		if k >= len(l.load.keys) || l.load.keys[k].plain != plain {
			c.problem(key, "the load has no such property as number %d", k)
			continue
		}
		var err error
		if plain {
			err = r.col.strings(strs, s.body, r.codes)
		} else {
			err = r.col.codes(r.codes, s.body, codeMap{limit: uint32(l.load.mark.Keys[k].Values)})
		}
		if err != nil {
			c.problem(key, "property %q: %v", l.load.keys[k].name, err)
		}
	}
}

// startBucket reads the summaries that the chunks of a bucket have to match.
func (c *checker) startBucket(l *loadCheck, k chunkKey) {
	c.unfinished()
	c.sums, c.at = nil, 0
	for page := range l.load.table[k.bucket].pages {
		key := appendSummaryKey(nil, summaryKey{bucket: k.bucket, load: k.load, page: uint16(page)})
		value, err := getSealed(c.txn, key)
		if err != nil {
			c.fn(Problem{placeOf(key), err.Error()})
			continue
		}
		rec, err := unseal(key, value)
		if err != nil {
			continue // reported where the walk comes by it
		}
		sums, _ := decodeSummaries(rec) // what is wrong with it is reported there too
		c.sums = append(c.sums, sums...)
	}
}

// unfinished reports summaries of the bucket before that no chunk had.
func (c *checker) unfinished() {
	for ; c.at < len(c.sums); c.at++ {
		if s := &c.sums[c.at]; s.events > 0 {
			c.fn(Problem{fmt.Sprintf("user %q", s.id), fmt.Sprintf("the summaries have %d events of them that the chunks have not", s.events)})
		}
	}
}

// users holds the chunk's users against their buckets and summaries. A user in
// parts uses up one summary over several chunks.
func (c *checker) users(key []byte, k chunkKey, row *bucketRow) {
	r := &c.read
	at := 0
	for u, id := range r.ids {
		if b := model.BucketOf([]byte(id)); b != k.bucket {
			c.problem(key, "user %q belongs into bucket %d", id, b)
		}
		n := int(r.counts[u])
		first, last := r.time[at], r.time[at+n-1]
		at += n
		if u > 0 || k.part == 0 {
			row.users++
		}
		for c.at < len(c.sums) && c.sums[c.at].id != id && c.sums[c.at].events == 0 {
			c.at++
		}
		if c.at >= len(c.sums) || c.sums[c.at].id != id {
			c.problem(key, "user %q has no summary", id)
			continue
		}
		s := &c.sums[c.at]
		if first < s.first || last > s.last || int64(n) > s.events {
			c.problem(key, "the summary of user %q does not fit", id)
		}
		s.events -= int64(n)
		s.first = first
		if s.events == 0 && last != s.last {
			c.problem(key, "the summary of user %q ends at another time", id)
		}
	}
}

// totals holds what was counted against table and marker.
func (c *checker) totals(l *loadCheck) {
	m := l.load.mark
	key := appendLoadKey(nil, kindMarker, m.Load)
	var sum bucketRow
	for b := range l.rows {
		got, want := l.rows[b], l.load.table[b]
		sum.events += got.events
		sum.users += got.users
		sum.chunks += got.chunks
		sum.pages += got.pages
		sum.newUsers += want.newUsers
		got.newUsers = want.newUsers
		if got != want {
			c.problem(appendLoadKey(nil, kindTable, m.Load), "bucket %d has %s, and the table says %s", b, got, want)
		}
	}
	if sum.events != m.Events || sum.users != m.Info.Users || sum.chunks != m.Chunks || sum.pages != m.Pages || sum.newUsers != m.NewUsers {
		c.problem(key, "it says %d events of %d users (%d new) in %d chunks and %d pages; there are %d of %d (%d new) in %d and %d",
			m.Events, m.Info.Users, m.NewUsers, m.Chunks, m.Pages, sum.events, sum.users, sum.newUsers, sum.chunks, sum.pages)
	}
	if l.hidden != m.Hidden {
		c.problem(key, "it says %d pages of rows that another source had; there are %d", m.Hidden, l.hidden)
	}
	var named int64
	for _, n := range l.names {
		named += n
	}
	if named != m.Events {
		c.problem(key, "its event names count %d events of %d", named, m.Events)
	}
	var stored int64
	sources := 0
	for _, p := range m.parts() {
		q := &p.Info.Quality
		if q.Stored+q.Already+q.Dropped+q.RejectedTotal() != q.Read {
			c.problem(key, "the quality report of load %d does not add up: %d read; %d stored, %d already there, %d dropped, %d rejected", p.Info.ID, q.Read, q.Stored, q.Already, q.Dropped, q.RejectedTotal())
		}
		stored += q.Stored
		sources += len(p.Sources)
	}
	if stored != m.Events || sources != len(m.Sources) {
		c.problem(key, "its loads stored %d rows of %d sources, and it has %d of %d", stored, sources, m.Events, len(m.Sources))
	}
}
