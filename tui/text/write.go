// Package text writes whole answers as plain text: what `dwell show` prints, a
// screen exports and a pipe receives. It draws the same blocks as the screens,
// with the same figures written by package format, but without styles, cursor or
// scrolling: columns that do not fit the width follow below, under the same labels,
// and a long last text is wrapped; what even so finds no room is left out and said
// to be.
//
// The text is ASCII where Options.ASCII asks for it; it never holds an escape
// sequence.
//
//	text.Write(os.Stdout, answer, 80)
package text

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"

	"dwell/model/query"
	"dwell/tui/chart"
	"dwell/tui/format"
)

// Options change how an answer is written.
type Options struct {
	ASCII bool
}

// Write writes an answer in lines of at most width cells; 0 means 80.
func Write(w io.Writer, a *query.Answer, width int) error {
	return WriteWith(w, a, width, Options{})
}

// WriteWith is Write with options.
func WriteWith(w io.Writer, a *query.Answer, width int, o Options) error {
	if width <= 0 {
		width = 80
	}
	p := &printer{w: bufio.NewWriter(w), width: width, ascii: o.ASCII}
	p.wrap("", a.Title)
	if a.Address != "" { // else it is of a plain table
		at := "as of " + format.Day(a.AsOf)
		if a.Zone != "" {
			at += " · " + a.Zone
		}
		p.line(at + " · " + a.Address)
	}
	for i := range a.Blocks {
		p.line("")
		p.block(a, &a.Blocks[i])
	}
	if len(a.Blocks) == 0 && len(a.Figures) > 0 {
		p.line("")
		p.figures(a)
	}
	if p.open {
		p.line("")
		p.wrap("", format.OpenMark+" still open: not everybody's time has come; never counted as lost")
	}
	if len(a.Warnings) > 0 {
		p.line("")
		for _, x := range a.Warnings {
			p.wrap("! ", x.Text)
		}
	}
	if a.Definition != "" {
		p.line("")
		p.wrap("", a.Definition)
	}
	return p.w.Flush()
}

// WriteExplanation writes what a figure is, each part under its heading.
func WriteExplanation(w io.Writer, x *query.Explanation, width int) error {
	if width <= 0 {
		width = 80
	}
	p := &printer{w: bufio.NewWriter(w), width: width}
	p.wrap("", format.Clean(x.Figure.Label)+"  "+format.Line(&x.Figure))
	for _, l := range x.Lines {
		p.line("")
		p.line(l.Head)
		for _, s := range strings.Split(l.Text, "\n") {
			p.wrap("  ", s)
		}
		if l.Go != "" {
			p.line("  → " + l.Go)
		}
	}
	return p.w.Flush()
}

type printer struct {
	w     *bufio.Writer
	width int
	ascii bool
	open  bool // some cell carried the open mark
}

func (p *printer) line(s string) {
	s = strings.TrimRight(s, " ")
	if p.ascii {
		s = format.ASCII(s)
	}
	p.w.WriteString(s)
	p.w.WriteByte('\n')
}

// wrap writes a paragraph behind a prefix; later lines are set in by as much.
func (p *printer) wrap(prefix, s string) {
	for i, l := range format.Wrap(format.Clean(s), max(p.width-format.Width(prefix), 20)) {
		if i > 0 {
			prefix = strings.Repeat(" ", format.Width(prefix))
		}
		p.line(prefix + l)
	}
}

func (p *printer) block(a *query.Answer, b *query.Block) {
	if b.Title != "" {
		p.wrap("", b.Title)
	}
	switch b.Kind {
	case query.ChartBlock:
		if b.Chart != nil {
			c := b.Chart
			if chart.Squashed(c) {
				c = chart.Near(c)
			}
			for _, l := range chart.Lines(c, chart.Options{Width: p.width, Height: 14, ASCII: p.ascii}) {
				p.line(l)
			}
		}
	case query.BarBlock:
		p.bars(a, b)
	case query.TextBlock:
		for _, l := range b.Lines {
			p.wrap("", l)
		}
	case query.SpanBlock:
		for _, l := range format.TimeBar(b.Spans, p.width, p.ascii) {
			p.line(l)
		}
		p.table(a, b)
	default:
		for _, l := range b.Lines {
			p.wrap("", l)
		}
		p.table(a, b)
	}
}

// figures lists the figures of an answer without blocks.
func (p *printer) figures(a *query.Answer) {
	wide := 0
	for i := range a.Figures {
		wide = max(wide, format.Width(a.Figures[i].Label))
	}
	wide = min(wide, p.width/2)
	for i := range a.Figures {
		f := &a.Figures[i]
		p.line(format.Pad(format.Clean(f.Label), wide, false) + "  " + format.Line(f))
	}
}

// mostParts is how often a table begins anew below itself with the columns that
// did not fit.
const mostParts = 4

// leastText is the room in which a text is wrapped rather than put below.
const leastText = 24

// table writes rows with columns as wide as their contents. Columns beyond the
// width follow in further parts with the labels again; of more than mostParts the
// rest is counted.
func (p *printer) table(a *query.Answer, b *query.Block) {
	cols := len(b.Heads)
	for i := range b.Rows {
		cols = max(cols, len(b.Rows[i].Cells))
	}
	labels := make([]string, len(b.Rows))
	labelWidth := 0
	cells := make([][]string, len(b.Rows))
	widths := make([]int, cols)
	for c := range b.Heads {
		widths[c] = format.Width(b.Heads[c].Label)
	}
	for r := range b.Rows {
		row := &b.Rows[r]
		labels[r] = format.Clean(row.Label)
		labelWidth = max(labelWidth, format.Width(labels[r]))
		cells[r] = make([]string, cols)
		for c := range row.Cells {
			s := format.Cell(a, &row.Cells[c], 24, p.ascii)
			p.open = p.open || row.Cells[c].Open && !row.Cells[c].Blank
			cells[r][c] = s
			widths[c] = max(widths[c], format.Width(s))
		}
	}
	labelWidth = min(labelWidth, max(p.width/2, 16))
	from := 0
	for part := 0; part == 0 || from < cols && part < mostParts; part++ {
		to := p.fit(b, widths, from, labelWidth)
		if part > 0 {
			p.line("")
		}
		p.part(b, labels, cells, widths, from, to, labelWidth)
		from = to
	}
	if len(b.Rows) == 0 {
		p.line("(none)")
	}
	if from < cols {
		p.wrap("… ", fmt.Sprintf("%s to the right: there is no room in %d cells (--width, or --format csv)", format.Plural(int64(cols-from), "column more", "columns more"), p.width))
	}
}

// fit finds how many columns from one on have room, at least one; a text that ends
// the line takes what room is left.
func (p *printer) fit(b *query.Block, widths []int, from, used int) (to int) {
	for to = from; to < len(widths); to++ {
		if used+2+widths[to] <= p.width {
			used += 2 + widths[to]
			continue
		}
		room := p.width - used - 2
		if !right(b, to) && (room >= leastText || to == from) || to == from {
			if !right(b, to) {
				widths[to] = max(room, 8)
			}
			to++
		}
		break
	}
	return to
}

// part writes the rows with some of the columns; labels and texts wider than
// their column go on in lines below.
func (p *printer) part(b *query.Block, labels []string, cells [][]string, widths []int, from, to, labelWidth int) {
	if len(b.Heads) > from {
		line := strings.Repeat(" ", labelWidth)
		for c := from; c < to; c++ {
			h := ""
			if c < len(b.Heads) {
				h = b.Heads[c].Label
			}
			line += "  " + format.Pad(h, widths[c], right(b, c))
		}
		p.line(line)
	}
	for r := range cells {
		names := []string{labels[r]}
		if format.Width(labels[r]) > labelWidth {
			names = format.Wrap(labels[r], labelWidth)
		}
		lines := len(names)
		texts := make([][]string, to-from)
		for c := from; c < to; c++ {
			texts[c-from] = []string{cells[r][c]}
			if !right(b, c) && format.Width(cells[r][c]) > widths[c] {
				texts[c-from] = format.Wrap(cells[r][c], widths[c])
				lines = max(lines, len(texts[c-from]))
			}
		}
		for k := range lines {
			label := ""
			if k < len(names) {
				label = names[k]
			}
			line := format.Pad(label, labelWidth, false)
			for c := from; c < to; c++ {
				s := ""
				if k < len(texts[c-from]) {
					s = texts[c-from][k]
				}
				line += "  " + format.Pad(s, widths[c], right(b, c))
			}
			p.line(line)
		}
	}
}

func right(b *query.Block, c int) bool { return c < len(b.Heads) && b.Heads[c].Right }

// leastBar is how short bars may become for the sake of their labels.
const leastBar = 14

// bars writes one bar a row, scaled to the greatest; rows that stand apart are
// scaled by themselves, so that they do not flatten the others.
func (p *printer) bars(a *query.Answer, b *query.Block) {
	labelWidth, valueWidth := 0, 0
	top := [2]float64{}
	value := func(r *query.Row) (float64, string) {
		for i := range r.Cells {
			if f := r.Cells[i].Figure; f >= 0 && f < len(a.Figures) && r.Cells[i].Spark == nil && !r.Cells[i].Blank {
				if a.Figures[f].None {
					return math.NaN(), format.None
				}
				return a.Figures[f].Value, format.Cell(a, &r.Cells[i], 0, p.ascii)
			}
		}
		return math.NaN(), ""
	}
	for i := range b.Rows {
		v, s := value(&b.Rows[i])
		labelWidth = max(labelWidth, format.Width(format.Clean(b.Rows[i].Label)))
		valueWidth = max(valueWidth, format.Width(s))
		if k := apart(&b.Rows[i]); v > top[k] {
			top[k] = v
		}
	}
	rest := make([]string, len(b.Rows))
	restWidth := 0
	for i := range b.Rows {
		rest[i] = trail(a, &b.Rows[i], p.ascii)
		restWidth = max(restWidth, format.Width(rest[i]))
	}
	room := p.width - valueWidth - 4
	if restWidth > 0 {
		restWidth = min(restWidth, (room-min(labelWidth, p.width/3))/2)
		room -= restWidth + 2
	}
	labelWidth = min(labelWidth, max(p.width/3, room-leastBar)) // a name read whole says more than a long bar
	room = min(max(room-labelWidth, 4), 40)
	split := false
	for i := range b.Rows {
		r := &b.Rows[i]
		if r.Apart && !split && i > 0 {
			p.line(strings.Repeat("- ", (labelWidth+valueWidth+4)/2))
			split = true
		}
		v, s := value(r)
		bar := ""
		if t := top[apart(r)]; t > 0 && !r.Apart {
			bar = format.Bar(v/t, room, p.ascii)
		}
		p.line(format.Pad(format.Clean(r.Label), labelWidth, false) + "  " + format.Pad(s, valueWidth, true) + "  " + format.Pad(bar, room, false) + "  " + format.Cut(rest[i], restWidth))
	}
	if len(b.Rows) == 0 {
		p.line("(none)")
	}
}

func apart(r *query.Row) int {
	if r.Apart {
		return 1
	}
	return 0
}

// trail are the cells of a bar row after the one that is drawn.
func trail(a *query.Answer, r *query.Row, ascii bool) string {
	var out []string
	first := true
	for i := range r.Cells {
		c := &r.Cells[i]
		if first && c.Figure >= 0 && c.Spark == nil && !c.Blank {
			first = false
			continue
		}
		if s := format.Cell(a, c, 16, ascii); s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, "  ")
}
