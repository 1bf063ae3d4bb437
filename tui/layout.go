package tui

import (
	"dwell/tui/widget"
)

// A rect is a pane's place in the body.
type rect struct{ x, y, w, h int }

// SetSize lays the panes out anew.
func (s *answerScreen) SetSize(w, h int) { s.w, s.h = w, h; s.layout() }

// layout gives each pane its place. What does not fit is reached with tab.
func (s *answerScreen) layout() {
	if s.w == 0 || len(s.panes) == 0 {
		return
	}
	for _, p := range s.panes {
		if f, ok := p.(*widget.Facts); ok {
			f.Fold(s.h < 30 && len(s.panes) > 1)
		}
	}
	two := s.columns > 1 && s.w >= 120 && len(s.panes) > 1 || s.w >= 160 && len(s.panes) > 3
	if two {
		s.rects = sideBySide(s.panes, s.w, s.h)
	}
	if two && (s.focus >= len(s.panes) || s.rects[s.focus].h > 0) {
		s.top = 0
	} else { // two columns do not scroll: what has the focus must be seen
		s.rects, s.top = s.stacked()
	}
	for i, r := range s.rects {
		s.panes[i].SetSize(r.w, max(r.h, 0))
	}
}

// stacked places the panes below each other. A chart that would be pushed off the
// screen is shown as a line of small bars instead, if that makes room for it.
func (s *answerScreen) stacked() ([]rect, int) {
	fold := func(short bool) {
		for i, p := range s.panes {
			if c, ok := p.(*widget.Chart); ok {
				c.Fold(short && i != s.focus)
			}
		}
	}
	fold(false)
	rects, top := stack(s.panes, 0, s.w, s.h, s.focus, s.top)
	if lost := hidden(s.panes, rects); lost > 0 {
		fold(true)
		small, from := stack(s.panes, 0, s.w, s.h, s.focus, s.top)
		if hidden(s.panes, small) < lost {
			return small, from
		}
		fold(false)
	}
	return rects, top
}

// hidden is how many charts have no room.
func hidden(panes []widget.Pane, rects []rect) (n int) {
	for i, p := range panes {
		if _, ok := p.(*widget.Chart); ok && rects[i].h < 2 {
			n++
		}
	}
	return n
}

// stack places panes below each other in h lines, beginning with the first that
// lets the focused one be seen. Each gets at least what it needs; what is left
// goes to those that wish for more.
func stack(panes []widget.Pane, x, w, h, focus, top int) ([]rect, int) {
	least := make([]int, len(panes))
	wish := make([]int, len(panes))
	for i, p := range panes {
		least[i], wish[i] = p.Room(w)
		least[i] = min(least[i], wish[i], h)
		if i == focus && h < 30 { // where room is short it goes to what is looked at
			least[i] = min(wish[i], max(least[i], h/2))
		}
	}
	top = min(top, focus)
	end := top
	for {
		used := 0
		for end = top; end < len(panes) && used+least[end] <= h; end++ {
			used += least[end] + 1 // a blank line between panes
		}
		end = max(end, top+1)
		if focus < end {
			break
		}
		top++
	}
	for top > 0 { // room above is used before it is left empty below
		used := 0
		for i := top - 1; i < end; i++ {
			used += least[i] + 1
		}
		if used-1 > h || end < len(panes) {
			break
		}
		top--
	}
	height := make([]int, len(panes))
	left := h - (end - top - 1)
	for i := top; i < end; i++ {
		height[i] = min(least[i], max(left, 0))
		left -= height[i]
	}
	for left > 0 {
		gave := false
		for i := top; i < end && left > 0; i++ {
			if height[i] < wish[i] {
				height[i]++
				left--
				gave = true
			}
		}
		if !gave {
			break
		}
	}
	rects := make([]rect, len(panes))
	y := 0
	for i := top; i < end; i++ {
		rects[i] = rect{x, y, w, height[i]}
		y += height[i] + 1
	}
	return rects, top
}

// sideBySide fills two columns, each pane into the one that is shorter so far.
func sideBySide(panes []widget.Pane, w, h int) []rect {
	half := (w - 2) / 2
	var cols [2][]int
	var used [2]int
	for i, p := range panes {
		_, wish := p.Room(half)
		c := 0
		if used[1] < used[0] {
			c = 1
		}
		cols[c] = append(cols[c], i)
		used[c] += min(wish, h) + 1
	}
	rects := make([]rect, len(panes))
	for c, list := range cols {
		var sub []widget.Pane
		for _, i := range list {
			sub = append(sub, panes[i])
		}
		if len(sub) == 0 {
			continue
		}
		rs, _ := stack(sub, c*(half+2), half, h, 0, 0)
		for k, i := range list {
			rects[i] = rs[k]
		}
	}
	return rects
}
