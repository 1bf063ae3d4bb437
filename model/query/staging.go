package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dwell/model"
	"dwell/model/measure"
	"dwell/model/stage"
)

// modelEntry is the shelf's name of the stage model in force (kind "model").
const modelEntry = "model"

// shelfModel is the stage model on the shelf, as written; the default preset if
// there is none yet.
func (e *Engine) shelfModel() (*stage.Model, error) {
	entry, err := e.shelf.Get(model.KindModel, modelEntry, 0)
	if errors.Is(err, model.ErrNoEntry) {
		m, _, err := stage.Preset(stage.Default)
		return m, err
	}
	if err != nil {
		return nil, fmt.Errorf("the stage model cannot be read: %w", err)
	}
	return stage.Parse(entry.Body)
}

// staged compiles the stage model against the data and gives the state its
// schema. Numbers that are still suggestions are suggested from all the data.
func (st *state) staged(ctx context.Context, e *Engine, m *stage.Model, p Progress) error {
	schema, err := measure.NewSchema(st.info, st.dict)
	if err != nil {
		return err
	}
	st.data = &Data{Schema: schema, AsOf: lastDay(st.info, schema.Cal), ModelName: m.Name}
	frozen := m
	if !m.Frozen() {
		s, err := st.suggestion(ctx, e, p)
		if err != nil {
			return err
		}
		if frozen, err = st.passing(ctx, e, p).freeze(m, s); err != nil {
			return err
		}
	}
	if st.machine, err = stage.Compile(frozen, schema); err != nil {
		return err
	}
	st.data.Schema = st.machine.Schema()
	st.data.ModelHash = st.machine.Hash()
	st.data.Confirmed = st.dict.Confirmed && m.Frozen()
	st.model = frozen
	return nil
}

// suggestion is what the data say about a model's numbers, from the cache or
// from a pass over all events. It is made once for a state.
func (st *state) suggestion(ctx context.Context, e *Engine, p Progress) (*stage.Suggestion, error) {
	st.suggesting.Lock()
	defer st.suggesting.Unlock()
	if st.suggested != nil {
		return st.suggested, nil
	}
	key := "suggest/2/" + hashOf([]byte(strings.Join([]string{st.info.Version.Hash, st.dictHash, programVersion, e.opt.Version}, "|")))
	if e.cache != nil {
		if body, ok := e.cache.Recall(key); ok {
			s := &stage.Suggestion{}
			if json.Unmarshal(body, s) == nil {
				st.suggested = s
				return s, nil
			}
		}
	}
	schema := st.data.Schema
	r := st.passing(ctx, e, p)
	total := stage.NewSuggester(schema, r.AsOf)
	counted := st.newCensus() // on the way: the pass reads every event anyhow
	told := st.told(len(counted.All))
	type gathering struct {
		gaps *stage.Suggester
		days *census
	}
	err := Scan(r, Needs{Amounts: total.Filter().Amounts},
		func() *gathering { return &gathering{stage.NewSuggester(schema, r.AsOf), st.newCensus()} },
		func(g *gathering, p *Person) error {
			g.gaps.Add(p.TL)
			g.days.add(p.TL, r.Cal, told)
			return nil
		},
		func(g *gathering) error {
			total.Merge(g.gaps)
			counted.merge(g.days)
			return nil
		})
	if err != nil {
		return nil, err
	}
	st.suggested = total.Suggest()
	st.keepCensus(e, counted)
	if body, err := json.Marshal(st.suggested); err == nil && e.cache != nil {
		e.cache.Keep(key, body)
	}
	return st.suggested, nil
}

// A standing is a user's measure.State in 12 bytes.
type standing struct {
	since, spellFrom int32
	stage            int8
	high             int8 // the highest stage in four bits, the variant in force in three
	spell            int16
}

func standingOf(h *stage.History) standing {
	s := h.State
	return standing{since: int32(s.Since), spellFrom: int32(s.SpellFrom), stage: int8(s.Stage), high: int8(s.High | h.Variant(h.AsOf)<<4), spell: int16(min(s.Spell, 1<<15-1))}
}

// variant is the variant in force on the day of the standing.
func (s standing) variant() int { return int(s.high) >> 4 }

func (s standing) state(m *stage.Machine) measure.State {
	v := s.variant()
	_, most := m.DwellIn(v, int(s.stage))
	return measure.State{Stage: int(s.stage), Since: model.Day(s.since), SpellFrom: model.Day(s.spellFrom), Spell: int(s.spell), High: int(s.high & 15), MaxDwell: most, Variant: v}
}

// A Staging replays persons up to days; it belongs to one goroutine. It must not
// outlive the machine's scan.
type Staging struct {
	machine *stage.Machine
	rep     *stage.Replayer
	hist    stage.History
}

// machineFor is the run's stage model; over the calendar of zone= if that is
// another than the dictionary's.
func (r *Run) machineFor() (*stage.Machine, error) {
	if r.Cal.Zone == r.st.dict.Zone {
		return r.st.machine, nil
	}
	return stage.Compile(r.st.model, r.Schema)
}

// Machine is the stage model in force, compiled for the run's calendar.
func (r *Run) Machine() *stage.Machine { return r.machine }

// Staging makes a replayer for timelines scanned with the filter, which must
// have been widened by Machine().Widen.
func (r *Run) Staging(f model.Filter) (*Staging, error) {
	rep, err := r.machine.NewReplayerFor(f)
	if err != nil {
		return nil, err
	}
	return &Staging{machine: r.machine, rep: rep}, nil
}

// To replays a person up to the end of a day. The history is valid until the
// next call.
func (s *Staging) To(tl *model.Timeline, day model.Day) *stage.History {
	s.rep.Replay(tl, day, &s.hist)
	return &s.hist
}

// mark is the set of users with a mark on the as-of day.
func (r *Run) mark(pop *Population, name string) (measure.Bits, error) {
	names := r.machine.Marks()
	i := slices.Index(names, name)
	if i < 0 {
		return nil, fmt.Errorf("mark=: there is no mark %q%s: use one of %s", name, didYouMean(name, names), strings.Join(names, ", "))
	}
	b := measure.NewBits(pop.Len())
	for row, m := range pop.marks {
		if m>>i&1 != 0 {
			b.Set(row)
		}
	}
	return b, nil
}
