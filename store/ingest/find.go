package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"dwell/model"
)

// A Wanted event is one whose row in its source file is asked for. Rows are
// compared by content: user, time, event, amount and the given properties.
type Wanted struct {
	User   string
	Time   int64 // as Timeline.Time
	Dated  bool
	Event  string
	Amount model.Money       // NoMoney if the event has none
	Props  map[string]string // nil compares none; an empty value must be absent
}

// A Place is where a wanted event stands: every line with its content, because
// equal rows cannot be told apart, at most maxPlaces of them. Lines is empty if
// the file has no such row.
type Place struct {
	Lines []int64 // ascending
	Text  string  // the beginning of the first of them, as it stands in the file
}

const maxPlaces = 100

// FindRows re-reads a loaded file to find the lines of some events ("line on
// demand", DESIGN 4): the store keeps no line numbers. The places are in the
// order of wanted. The file is read whole, and its digest must still be the one
// it was loaded with; otherwise the error wraps ErrChanged. m is the mapping of
// the load, parsed from its LoadInfo.
func FindRows(ctx context.Context, path, digest string, m Mapping, wanted []Wanted) ([]Place, error) {
	if path == "-" {
		return nil, &sentence{ErrChanged, "these rows came from standard input: there is no file to look into"}
	}
	fi, err := os.Stat(path)
	if err == nil && !fi.Mode().IsRegular() {
		return nil, &sentence{ErrChanged, "these rows came through a pipe: there is no file to look into"}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &sentence{ErrChanged, path + ": is no longer where it was loaded from: bring it back to see its lines"}
	}
	f := &finder{wanted: wanted, places: make([]Place, len(wanted)), at: map[finderKey][]int{}}
	for i, w := range wanted {
		k := finderKey{w.User, w.Time, w.Event}
		f.at[k] = append(f.at[k], i)
	}
	l := &load{m: m, inputs: []*Input{File(path)}, loader: f, tally: &tally{},
		o: Options{AllowFuture: true, Now: time.UnixMilli(maxTime)}}
	l.start([]string{path})
	if err := l.file(ctx, 0, l.inputs[0]); err != nil {
		return nil, err
	}
	if got := l.sources[0].Digest; digest != "" && got != digest {
		return nil, &sentence{ErrChanged, path + ": has changed since it was loaded, so its lines cannot be told"}
	}
	if err := f.texts(ctx, path, m); err != nil {
		return nil, err
	}
	return f.places, nil
}

type finderKey struct {
	user  string
	time  int64
	event string
}

// A finder is a Loader that keeps the lines of the rows looked for.
type finder struct {
	wanted []Wanted
	at     map[finderKey][]int
	mu     sync.Mutex
	places []Place
}

// Add compares the rows of one batch.
func (f *finder) Add(b *model.Batch) error {
	for i := range b.Time {
		for _, w := range f.at[finderKey{string(b.User[i]), b.Time[i], string(b.Event[i])}] {
			if !f.wanted[w].equal(b, i) {
				continue
			}
			f.mu.Lock()
			// Blocks come in any order: all lines are kept until texts sorts them.
			if len(f.places[w].Lines) < 100*maxPlaces {
				f.places[w].Lines = append(f.places[w].Lines, b.Line[i])
			}
			f.mu.Unlock()
		}
	}
	return nil
}

func (w *Wanted) equal(b *model.Batch, i int) bool {
	amount := model.NoMoney
	if b.Amount != nil {
		amount = b.Amount[i]
	}
	if amount != w.Amount || w.Dated != (b.Dated != nil && b.Dated[i]) {
		return false
	}
	for key, want := range w.Props {
		got := ""
		for _, c := range b.Props {
			if c.Key == key {
				got = string(c.Value(i))
			}
		}
		if got != want {
			return false
		}
	}
	return true
}

// texts sorts the lines and reads the text of the first of each place.
func (f *finder) texts(ctx context.Context, path string, m Mapping) error {
	need := map[int64]string{}
	last := int64(0)
	for i := range f.places {
		p := &f.places[i]
		slices.Sort(p.Lines)
		p.Lines = p.Lines[:min(len(p.Lines), maxPlaces)]
		if len(p.Lines) > 0 {
			need[p.Lines[0]] = ""
			last = max(last, p.Lines[0])
		}
	}
	if len(need) == 0 {
		return nil
	}
	s, p, err := openPlan(File(path), &m, &Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	pool := &sync.Pool{New: func() any { return new([]byte) }}
	sp := s.splitter(p.sx, pool)
	for line := int64(0); line <= last; {
		b, err := sp.next()
		if err == io.EOF {
			break // behind a last row without a line end no line begins
		}
		if err != nil {
			return fmt.Errorf("%s: reading its lines again: %w", path, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		line = b.line
		for at := 0; at < len(b.data); {
			end, kind := p.sx.next(b.data, at, true)
			if kind == rowLong {
				end = len(b.data)
			}
			row := b.data[at:end]
			for p.sx.mode == modeJSON && len(row) > 0 && between(row[0]) {
				line += countLines(row[:1])
				row = row[1:]
			}
			if _, ok := need[line]; ok {
				need[line] = cutText(chomp(row))
			}
			line += countLines(row)
			at = end
		}
	}
	for i := range f.places {
		if p := &f.places[i]; len(p.Lines) > 0 {
			p.Text = need[p.Lines[0]]
		}
	}
	return nil
}

// Commit and Abort make a finder a Loader; nothing is ever stored.
func (f *finder) Commit(model.Quality, []model.SourceInfo) (model.LoadInfo, error) {
	return model.LoadInfo{}, nil
}

// Abort does nothing.
func (f *finder) Abort() error { return nil }
