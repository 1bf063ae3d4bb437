package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"dwell/model"
)

// Begin starts a load: store.Begin or model.Memory.Begin.
type Begin func(context.Context, model.LoadPlan) (model.Loader, error)

// Load reads the inputs in order under one mapping and commits them as one
// load. progress, if not nil, is called from one goroutine after each block.
//
// It fails, with nothing of the load left in the data set, if an input cannot
// be read or does not fit the mapping, if ctx is done (the error is ctx's), if a
// source is known already (model.ErrKnownSource), or if not one row could be
// stored (model.ErrNoRows; the LoadInfo then still has the quality report).
func Load(ctx context.Context, begin Begin, inputs []*Input, m Mapping, o Options, progress func(Progress)) (model.LoadInfo, error) {
	if len(inputs) == 0 {
		return model.LoadInfo{}, &sentence{ErrUnreadable, "no file was named: name at least one, or - for standard input"}
	}
	if err := m.check(); err != nil {
		return model.LoadInfo{}, err
	}
	l := &load{o: o, m: m, inputs: inputs, progress: progress, tally: &tally{}}
	lp, err := l.prepare(ctx)
	if err != nil {
		return model.LoadInfo{}, err
	}
	l.loader, err = begin(ctx, lp)
	if err != nil {
		return model.LoadInfo{}, err
	}
	defer l.loader.Abort() // nothing after Commit
	err = l.run(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return model.LoadInfo{}, err
	}
	q, err := l.report.finish(l.tally)
	if err != nil {
		return model.LoadInfo{}, err
	}
	stored := int64(0)
	for i := range l.sources {
		l.sources[i].Rows = l.report.rows[i]
		stored += l.report.rows[i]
	}
	if stored == 0 && (!l.o.rejectsAlone || q.Read == 0) {
		return model.LoadInfo{Mapping: lp.Mapping, Zone: lp.Zone, At: lp.At, Quality: q}, noRows(inputs, q)
	}
	return l.loader.Commit(q, l.sources)
}

// load is the state of one Load.
type load struct {
	o        Options
	m        Mapping
	inputs   []*Input
	progress func(Progress)
	loader   model.Loader
	tally    *tally
	report   *report
	sources  []model.SourceInfo
	total    int64 // bytes of all inputs; 0 if unknown
	before   int64 // bytes of the inputs already read
	current  atomic.Pointer[stream]
	seq      int // of the next block to be read
	next     int // of the next block to be added up
	pool     sync.Pool
}

// prepare checks each input as far as can be told without reading it all, so
// that the tenth file's missing column is found before the first is loaded.
func (l *load) prepare(ctx context.Context) (model.LoadPlan, error) {
	lp := model.LoadPlan{Mapping: string(l.m.TOML()), Zone: l.m.Zone, At: l.o.Now.UnixMilli(), KeepEqual: l.o.KeepEqual, Dedupe: l.o.Dedupe}
	var names []string
	var left []*Input
	var out error // of the first input that is left out
	for _, in := range l.inputs {
		if err := ctx.Err(); err != nil {
			return lp, err
		}
		size := in.length()
		err := l.refuseKnown(ctx, in, size)
		if err == nil {
			err = in.interruptible(ctx, func() error {
				s, p, err := openPlan(in, &l.m, &l.o)
				if err == nil {
					size = s.size
					s.Close()
				}
				if err == nil && l.o.Note != nil {
					for _, n := range p.notes {
						l.o.Note(n)
					}
				}
				return err
			})
		}
		if err != nil && l.o.Skip != nil && len(l.inputs) > 1 && (errors.Is(err, ErrNothing) || errors.Is(err, model.ErrKnownSource)) {
			why := strings.TrimSuffix(strings.TrimSuffix(err.Error(), nothingLoaded), ": there is nothing to load")
			l.o.Skip(in.Path, why+": it is left out")
			if out == nil {
				out = err
			}
			continue
		}
		if err != nil {
			return lp, err
		}
		left, names = append(left, in), append(names, in.Path)
		if size < 0 || l.total < 0 {
			l.total = -1
		} else {
			l.total += size
		}
		src := model.SourceInfo{Path: in.Path, Bytes: max(size, 0)}
		if in.piece != nil {
			src.Stream, src.From, src.Bytes = in.piece.src.Stream, in.piece.src.From, in.piece.Size
		}
		lp.Sources = append(lp.Sources, src)
	}
	if len(left) == 0 {
		return lp, &sentence{out, fmt.Sprintf("none of the %d files holds anything new: %v", len(l.inputs), out)}
	}
	l.inputs = left
	l.start(names)
	return lp, nil
}

// start makes what run needs.
func (l *load) start(names []string) {
	l.report = newReport(names, l.o.Rejects)
	l.report.columns = []string{l.m.User, l.m.Time, l.m.Event, l.m.Clock, l.m.Amount}
	l.sources = make([]model.SourceInfo, len(l.inputs))
	l.pool.New = func() any { b := make([]byte, 0, blockSize+blockSize/8); return &b }
}

// nothingLoaded ends the sentence of a refusal.
const nothingLoaded = ": nothing was loaded"

// refuseKnown finds out early that a file has been loaded before: only a file
// as long as a known source is hashed for it. Commit refuses the rest.
func (l *load) refuseKnown(ctx context.Context, in *Input, size int64) error {
	digest := ""
	for _, k := range l.o.Known {
		if size <= 0 || k.Bytes != size || k.Digest == "" {
			continue
		}
		if digest == "" {
			var err error
			if digest, err = digestFile(ctx, in.Path); err != nil {
				return err
			}
		}
		if digest == k.Digest {
			return &sentence{model.ErrKnownSource, fmt.Sprintf("%s: this file has been loaded before, as %s", in.Path, k.Path) + nothingLoaded}
		}
	}
	return nil
}

// run reads all inputs.
func (l *load) run(ctx context.Context) error {
	for i, in := range l.inputs {
		if err := l.file(ctx, i, in); err != nil {
			return err
		}
	}
	return nil
}

// file reads one input: a splitter, workers, and this goroutine as collector.
//
// Every block a worker has taken is added, even after an error: the loader may
// make later batches wait for earlier ones, so a batch that never came would
// leave another waiting for ever. Blocks are taken in order, so those not taken
// after an error are the last ones.
func (l *load) file(ctx context.Context, source int, in *Input) error {
	s, p, err := openPlan(in, &l.m, &l.o)
	if err != nil {
		return err
	}
	s.forget()
	l.current.Store(s)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	workers := l.o.workers()
	blocks := make(chan block) // unbuffered: what waits here is a block of memory
	results := make(chan *summary, workers)
	read := make(chan error, 1)
	go func() {
		defer close(blocks)
		read <- l.split(ctx, s, p, source, blocks)
	}()
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			l.work(ctx, cancel, p, blocks, results)
		}()
	}
	go func() { wg.Wait(); close(results) }()

	err = l.collect(results, cancel)
	if cause := context.Cause(ctx); cause != nil && err == nil {
		err = cause
	}
	if err != nil && in.stdin != nil {
		return err // the splitter may hang in a read that nothing can end
	}
	if rerr := <-read; err == nil {
		err = rerr
	}
	defer s.Close()
	if err != nil {
		return err
	}
	digest, size, err := s.finish()
	if err != nil {
		return err
	}
	l.sources[source] = s.source(digest, size)
	l.before += size
	return nil
}

// split sends the blocks of a file until it ends or ctx is done.
func (l *load) split(ctx context.Context, s *stream, p *plan, source int, out chan<- block) (err error) {
	defer recovered(&err)
	next := s.blocks(p, l)
	skip := p.header != nil
	for {
		b, err := next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return s.readError(err)
		}
		if skip {
			skip = false
			b = cutHeader(p.sx, b)
		}
		b.seq, b.source = l.seq, source
		l.seq++
		select {
		case out <- b:
		case <-ctx.Done():
			return nil
		}
	}
}

// cutHeader takes the first row that is not empty off the first block.
func cutHeader(sx syntax, b block) block {
	for p := 0; p < len(b.data); {
		end, kind := sx.next(b.data, p, true)
		if kind == rowLong {
			end = len(b.data)
		}
		row := b.data[p:end]
		p = end
		if len(trim(row)) > 0 {
			b.line += countLines(b.data[:p])
			b.data = b.data[p:]
			return b
		}
	}
	return b
}

// A summary is what the collector needs of a parsed block. Its batch is gone:
// the worker reuses it.
type summary struct {
	parsed parsed
	types  map[string]*[kinds]int64 // of a worker that is done, else nil
}

// work parses blocks until there are none.
func (l *load) work(ctx context.Context, cancel context.CancelCauseFunc, p *plan, blocks <-chan block, results chan<- *summary) {
	w := newWorker(p, l.o.Rejects != nil, l.tally)
	defer func() { results <- &summary{types: w.types} }()
	for {
		var b block
		var ok bool
		select {
		case <-ctx.Done():
			return
		case b, ok = <-blocks:
		}
		if !ok {
			return
		}
		out, err := safeParse(w, b)
		if err != nil {
			cancel(err)
		}
		if err := l.loader.Add(&out.batch); err != nil {
			cancel(err)
			return
		}
		sum := &summary{parsed: *out}
		sum.parsed.batch = model.Batch{}
		sum.parsed.block.data, sum.parsed.block.rows = nil, nil
		results <- sum
		if b.rows != nil {
			b.rows.release()
			continue
		}
		data := b.data[:0]
		l.pool.Put(&data)
	}
}

// safeParse turns a panic of the parser into an error and an empty batch.
func safeParse(w *worker, b block) (out *parsed, err error) {
	defer func() {
		if err != nil {
			out = &parsed{block: b, batch: model.Batch{Seq: b.seq, Source: b.source}}
		}
	}()
	defer recovered(&err)
	if b.rows != nil {
		return w.records(b)
	}
	return w.parse(b), nil
}

// recovered turns a panic into a worker's error (DESIGN 7).
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the reader failed (%v): please report this with the file's first lines\n%s", r, debug.Stack())
	}
}

// collect adds up the blocks in their order until the workers are done.
func (l *load) collect(results <-chan *summary, cancel context.CancelCauseFunc) (err error) {
	early := map[int]*summary{} // blocks that came before their turn: at most one a worker
	for sum := range results {
		if sum.types != nil {
			l.report.addTypes(sum.types)
			continue
		}
		early[sum.parsed.block.seq] = sum
		for s := early[l.next]; s != nil; s = early[l.next] {
			delete(early, l.next)
			l.next++
			if err != nil {
				continue
			}
			if err = l.report.add(&s.parsed); err != nil {
				cancel(err)
				continue
			}
			l.tell()
		}
	}
	return err
}

// tell reports progress.
func (l *load) tell() {
	if l.progress == nil {
		return
	}
	s := l.current.Load()
	l.progress(Progress{Bytes: l.before + s.progress(), TotalBytes: max(l.total, 0), Rows: l.report.q.Read, Rejected: l.report.rejected(), File: s.in.Path})
}

// noRows says why nothing could be stored.
func noRows(inputs []*Input, q model.Quality) error {
	var why []string
	for _, r := range q.Rejected {
		text := fmt.Sprintf("%s (%d rows", r.Reason, r.Count)
		if len(r.Lines) > 0 {
			text += fmt.Sprintf(", first in line %d of %s", r.Lines[0].Line, inputs[r.Lines[0].Source].Path)
		}
		why = append(why, text+")")
	}
	if len(why) == 0 {
		return &sentence{model.ErrNoRows, inputs[0].Name() + ": has no rows: nothing was loaded"}
	}
	return &sentence{model.ErrNoRows, fmt.Sprintf("no row of %d could be stored: %s", q.Read, strings.Join(why, "; "))}
}
