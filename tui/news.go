package tui

import (
	"context"
	"fmt"

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
	Bad      bool   // the sentence is of something that went wrong
}

type newsMsg struct{ News }

// follower is what the app knows of the news.
type follower struct {
	fresh    int64 // rows stored and not shown yet
	rejected int64 // that came beside them
	auto     bool  // show them by themselves
	job      *job  // reads them
}

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
	switch {
	case n.Text != "" && n.Rows+n.Rejected > 0: // the line about the new data says it in short
		a.keep(message{at: a.s.desk.Now(), text: n.Text, bad: n.Bad})
	case n.Text != "":
		a.tell(statusMsg{text: n.Text, bad: n.Bad})
	}
	a.follow.fresh += n.Rows
	a.follow.rejected += n.Rejected
	return tea.Batch(a.awaitNews(), a.showNews(a.follow.auto))
}

// showNews reads the new data, unless that is under way.
func (a *App) showNews(wanted bool) tea.Cmd {
	f := &a.follow
	if !wanted || f.none() || f.job != nil {
		return nil
	}
	e := a.s.desk.Engine
	var cmd tea.Cmd
	f.job, cmd = start(a.s.jobs, nil, "read the new data", "", func(ctx context.Context, _ query.Progress) (newsRead, error) {
		return newsRead{}, e.Reload(ctx)
	})
	f.fresh, f.rejected = 0, 0
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
	return tea.Batch(a.changed(), a.showNews(a.follow.auto))
}

// newsKey takes the keys of following.
func (a *App) newsKey(m tea.KeyMsg) (cmd tea.Cmd, took bool) {
	k := &a.s.keys
	switch {
	case matches(m, k.Update):
		if a.follow.none() {
			a.status = statusMsg{text: "nothing has come since this was read"}
		}
		return a.showNews(true), true
	case matches(m, k.Follow):
		if a.follow.auto = !a.follow.auto; a.follow.auto {
			a.status = statusMsg{text: "new data is shown as it comes; F stops that"}
		} else {
			a.status = statusMsg{text: "new data waits for U"}
		}
		return a.showNews(a.follow.auto), true
	}
	return nil, false
}

// newsLine is what the status line says of data that is not on screen; "" without any.
func (a *App) newsLine() string {
	f := &a.follow
	if f.none() {
		return ""
	}
	text := "new data: " + format.Plural(f.fresh, "row", "rows")
	if f.rejected > 0 {
		text += fmt.Sprintf(", %s rejected (:quality)", format.Count(f.rejected))
	}
	return text + "; U shows it, F shows all that comes"
}
