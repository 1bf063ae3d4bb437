package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model/query"
	"dwell/tui/format"
)

// Following a file: the desk's News say that rows have been stored while the
// explorer is open. What is on screen stays as it is, of one data version, until
// the person asks for the new data (U) or has asked to follow (F).

// News is what has happened to the data set meanwhile.
type News struct {
	Rows     int64  // stored since the last news
	Rejected int64  // that came and could not be read
	Text     string // one sentence; "" says nothing beyond the rows
	Bad      bool   // the sentence is of something that went wrong: nothing is stored until other news

	Done, Total int64 // bytes of a long load that is under way; 0 of 0: none is
}

type newsMsg struct{ News }

// newsTick comes when what has come meanwhile may be shown by itself again.
type newsTick struct{}

// follower is what the app knows of the news.
type follower struct {
	fresh    int64 // rows stored and not shown yet
	rejected int64 // that came beside them
	since    time.Time
	auto     bool // show them by themselves
	job      *job // reads them

	// What is shown by itself comes when the screen has worked out what was shown
	// before, and takes at most a quarter of the time: a question that takes long is
	// answered all the same, and keeps no processor busy for ever.
	began time.Time // of the last showing; zero once the screen has it all
	rest  time.Time // nothing is shown by itself before
	waits bool      // for a newsTick

	rows, refused int64     // that have come since the explorer was opened
	last          time.Time // when any came
	bad           bool      // nothing is stored
	said          string    // by the last sentence
	done, total   int64     // of a load under way
}

// newsShare is how much longer than it took a showing is rested from.
const newsShare = 3

// awaitNews waits for the next news; nil where nobody brings any.
func (a *App) awaitNews() tea.Cmd {
	news := a.s.desk.News
	if news == nil {
		return nil
	}
	return func() tea.Msg {
		if n, ok := <-news; ok {
			return newsMsg{n}
		}
		return nil
	}
}

// news takes one.
func (a *App) news(n News) tea.Cmd {
	f, now := &a.follow, a.s.desk.Now()
	f.done, f.total = n.Done, n.Total
	if n.Total > 0 {
		return a.awaitNews()
	}
	switch {
	case n.Text != "" && n.Rows+n.Rejected > 0: // the line about the new data says it in short
		a.keep(message{at: now, text: n.Text, bad: n.Bad})
	case n.Text != "":
		a.tell(statusMsg{text: n.Text, bad: n.Bad})
		f.said = n.Text
	}
	if n.Rows > 0 && f.auto && a.status.text == f.said { // it would lie over the rows that come
		a.status = statusMsg{}
	}
	if f.bad = n.Bad; n.Rows+n.Rejected > 0 {
		if f.none() {
			f.since = now
		}
		f.last = now
	}
	f.fresh += n.Rows
	f.rejected += n.Rejected
	f.rows += n.Rows
	f.refused += n.Rejected
	return tea.Batch(a.awaitNews(), a.showByItself())
}

// showByItself shows the new data to who wants it as it comes, once the screen has
// worked out what was shown last.
func (a *App) showByItself() tea.Cmd {
	f, now := &a.follow, a.s.desk.Now()
	if !f.began.IsZero() && f.job == nil && !a.s.jobs.ofScreens() {
		f.rest, f.began = now.Add(newsShare*now.Sub(f.began)), time.Time{}
	}
	switch {
	case !f.auto || f.none() || f.waits || a.s.jobs.ofScreens():
		return nil
	case now.Before(f.rest):
		f.waits = true
		return a.s.after(f.rest.Sub(now), newsTick{})
	}
	return a.showNews()
}

// showNews reads the new data, unless that is under way.
func (a *App) showNews() tea.Cmd {
	f := &a.follow
	if f.none() || f.job != nil {
		return nil
	}
	e := a.s.desk.Engine
	var cmd tea.Cmd
	f.job, cmd = start(a.s.jobs, nil, "read the new data", "", func(ctx context.Context, _ query.Progress) (newsRead, error) {
		return newsRead{}, e.Reload(ctx)
	})
	f.fresh, f.rejected, f.began = 0, 0, a.s.desk.Now()
	return cmd
}

// none says that all that has come is on screen.
func (f *follower) none() bool { return f.fresh+f.rejected == 0 }

// newsRead says that the engine stands on the new data.
type newsRead struct{}

func (a *App) afterNews(m doneMsg[newsRead]) tea.Cmd {
	if !a.follow.job.owns(m.job) {
		return nil
	}
	a.follow.job = nil
	if m.err != nil {
		if !cancelled(m.err) {
			a.status = statusMsg{text: m.err.Error(), bad: true}
		}
		return nil
	}
	return tea.Batch(a.changed(), a.showByItself())
}

// newsKey takes the keys of following.
func (a *App) newsKey(m tea.KeyMsg) (cmd tea.Cmd, took bool) {
	k := &a.s.keys
	switch {
	case matches(m, k.Update):
		if a.follow.none() {
			a.status = statusMsg{text: "nothing has come since this was read"}
		}
		return a.showNews(), true
	case matches(m, k.Follow):
		if a.follow.auto = !a.follow.auto; a.follow.auto {
			a.status = statusMsg{text: "new data is shown as it comes; F stops that"}
		} else {
			a.status = statusMsg{text: "new data waits for U"}
		}
		return a.showByItself(), true
	}
	return nil, false
}

// newsLate is how long data that is shown by itself may wait without a word.
const newsLate = 2 * time.Second

// newsLine is what the status line says of data that is not on screen; "" without any.
func (a *App) newsLine() string {
	f := &a.follow
	if f.none() || f.auto && a.s.desk.Now().Sub(f.since) < newsLate {
		return ""
	}
	text := "new data: " + format.Plural(f.fresh, "row", "rows")
	switch {
	case f.fresh == 0:
		text = fmt.Sprintf("%s came and could not be read (:quality)", format.Plural(f.rejected, "row", "rows"))
	case f.rejected > 0:
		text += fmt.Sprintf(", %s rejected (:quality)", format.Count(f.rejected))
	}
	switch {
	case f.auto && a.s.jobs.ofScreens():
		return text + ", shown after this; U shows it now"
	case f.auto:
		return text + ", shown soon; U shows it now"
	}
	return text + "; U shows it, F shows all that comes"
}

// followLines say how the followed file stands, the longest first.
func (a *App) followLines() []string {
	f, name := &a.follow, format.Clean(a.s.desk.Follows)
	clock := func(t time.Time) string { return t.Format("15:04:05") }
	switch {
	case a.s.desk.News == nil:
		return nil
	case f.total > 0:
		part := fmt.Sprintf("storing, %d%%", 100*min(f.done, f.total)/f.total)
		return []string{name + ": " + part, part}
	case f.bad && f.last.IsZero():
		return []string{name + ": not being stored", "not being stored"}
	case f.bad:
		return []string{name + ": not stored since " + clock(f.last), "not stored since " + clock(f.last), "not being stored"}
	case f.last.IsZero():
		return []string{name + ": nothing new yet", "nothing new yet"}
	}
	rows := format.Plural(f.rows, "row", "rows")
	if f.refused > 0 {
		rows += ", " + format.Count(f.refused) + " rejected"
	}
	last := "last at " + clock(f.last)
	return []string{name + ": " + rows + ", " + last, rows + ", " + last, last}
}

// besides draws how the followed file stands at the right of the status line, as far
// as there is room.
func (a *App) besides(line string) string {
	st, used := a.s.styles, format.Width(line)
	if used > 0 {
		used += 2
	}
	for _, l := range a.followLines() {
		if gap := a.w - 1 - used - format.Width(l); gap >= 0 {
			style := st.Dim
			if a.follow.bad {
				style = st.Bad
			}
			return line + strings.Repeat(" ", a.w-1-format.Width(line)-format.Width(l)) + style.Render(l)
		}
	}
	return line
}
