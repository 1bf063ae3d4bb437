package query

import (
	"fmt"
	"slices"

	"dwell/model"
	"dwell/model/stat"
)

// A Builder lays a run's hits out as an answer. Its methods add figures of the
// current group and return their index into Answer.Figures.
type Builder struct {
	A     *Answer
	Run   *Run
	hits  *Hits // of Kernel
	rows  *Hits // of Rows
	slots int
	state Kernel
	group int
	err   error
}

// Kernel is the merged kernel, for plans whose kernel is a Merger.
func (b *Builder) Kernel() Kernel { return b.state }

// Groups is the number of groups that are compared; 1 without where= and segment=.
func (b *Builder) Groups() int { return len(b.Run.Groups) }

// Group makes group g the current one.
func (b *Builder) Group(g int) { b.group = g }

func (b *Builder) at(slot int, p Part) (*Hits, int) {
	h := b.hits
	if slot >= b.slots {
		h, slot = b.rows, slot-b.slots
	}
	return h, (b.group*h.slots+slot)*int(parts) + int(p)
}

// N is the number of users in a slot's part.
func (b *Builder) N(slot int, p Part) int64 {
	h, i := b.at(slot, p)
	return h.counts()[i]
}

// TimesOf is the sum of a slot's numbers (Hits.Times).
func (b *Builder) TimesOf(slot int, p Part) int64 {
	h, i := b.at(slot, p)
	if h.times == nil {
		return 0
	}
	return h.times[i]
}

// SumOf is the sum of a slot's amounts.
func (b *Builder) SumOf(slot int) model.Sum {
	h, i := b.at(slot, Self)
	if h.money == nil {
		return model.Sum{}
	}
	return h.money[i]
}

// Values are the numbers given to Hits.Value, in person order (Plan.Values).
func (b *Builder) Values(slot int) []float64 {
	h := b.hits
	if slot >= b.slots {
		h, slot = b.rows, slot-b.slots
	}
	return h.values[b.group*h.slots+slot]
}

// Key is a figure's key, with the group's name before it where groups are
// compared: group.NAME.cohort.….
func (b *Builder) Key(key string) string {
	if len(b.Run.Groups) == 1 {
		return key
	}
	return "group." + b.Run.Groups[b.group].Name + "." + key
}

func (b *Builder) label(label string) string {
	if len(b.Run.Groups) == 1 {
		return label
	}
	return b.Run.Groups[b.group].Label() + ": " + label
}

func (b *Builder) figure(slot int, kind Kind, key, label string) Figure {
	return Figure{Key: b.Key(key), Label: b.label(label), Kind: kind, Slot: slot, Group: b.group, N: b.N(slot, Self)}
}

func (b *Builder) push(f Figure) int {
	b.A.Figures = append(b.A.Figures, f)
	return len(b.A.Figures) - 1
}

// Count adds the number of users who hit the slot.
func (b *Builder) Count(slot int, key, label string) int {
	f := b.figure(slot, Count, key, label)
	f.Value, f.Unit = float64(f.N), "users"
	return b.push(f)
}

// Rate adds the share of a slot's Of who are Self, with its Wilson interval at
// 95 %. With nobody in Of it has no value.
func (b *Builder) Rate(slot int, key, label string) int {
	f := b.figure(slot, Rate, key, label)
	hit := f.N
	f.N, f.Unit = b.N(slot, Of), "share"
	f.Open, f.OpenReturned = b.N(slot, Open), b.N(slot, OpenReturned)
	if f.N == 0 {
		f.None = true
		return b.push(f)
	}
	f.Value = float64(hit) / float64(f.N)
	if iv, ok := stat.Wilson(hit, f.N, 0.95); ok {
		f.Lo, f.Hi, f.Interval, f.Method = iv.Lo, iv.Hi, true, "Wilson 95 %"
	}
	return b.push(f)
}

// Sum adds the sum of a slot's amounts; unit is a currency, or what is counted.
// Amounts that do not fit make the answer fail with model.ErrOverflow.
func (b *Builder) Sum(slot int, key, label, unit string) int {
	f := b.figure(slot, Sum, key, label)
	m, err := b.SumOf(slot).Money()
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("%s: %w", label, err)
	}
	f.Value, f.Unit = m.Float(), unit
	return b.push(f)
}

// Rows adds the sum of a slot's event numbers (Hits.Times); N are its users.
func (b *Builder) Rows(slot int, key, label string) int {
	f := b.figure(slot, Rows, key, label)
	f.Value, f.Unit = float64(b.TimesOf(slot, Self)), "events"
	return b.push(f)
}

// Pairs adds the number of pairs of user and interval.
func (b *Builder) Pairs(slot int, key, label string) int {
	f := b.figure(slot, Pairs, key, label)
	f.Value, f.Unit = float64(f.N), "user-intervals"
	return b.push(f)
}

// Stat adds a statistic of the slot's users, computed by the caller; none says
// that there is no value.
func (b *Builder) Stat(slot int, key, label string, value float64, none bool, unit string) int {
	f := b.figure(slot, Stat, key, label)
	f.Value, f.None, f.Unit = value, none, unit
	if none {
		f.Value = 0
	}
	return b.push(f)
}

// Own adds a figure whose users Plan.List gives; its value, n and kind must
// agree with them as for every figure.
func (b *Builder) Own(f Figure) int {
	f.Slot, f.Group = ownSlot, b.group
	f.Key, f.Label = b.Key(f.Key), b.label(f.Label)
	return b.push(f)
}

// Fig is the figure just added, for setting an interval or an open count.
func (b *Builder) Fig(i int) *Figure { return &b.A.Figures[i] }

// Cell is a table cell that shows a figure.
func (b *Builder) Cell(i int) Cell { return Cell{Figure: i} }

// TextCell is a table cell of text.
func TextCell(s string) Cell { return Cell{Figure: NoFigure, Text: s} }

// Block adds a block.
func (b *Builder) Block(bl Block) { b.A.Blocks = append(b.A.Blocks, bl) }

// Warn adds a warning; the same code and text is added once.
func (b *Builder) Warn(code, format string, args ...any) {
	w := Warning{Code: code, Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(b.A.Warnings, w) {
		b.A.Warnings = append(b.A.Warnings, w)
	}
}
