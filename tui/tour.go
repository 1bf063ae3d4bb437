package tui

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dwell/model"
	"dwell/model/query"
)

// A Tour goes through every screen of the explorer without a terminal, as dwell
// bench does: it opens each analysis, moves, scrolls, sorts, filters, types,
// opens what is under the cursor, explains it and goes back; and moves at every
// other size too. What the keys start runs beside them, as it does for a person.
// It presses no key that saves anything.
type Tour struct {
	Sizes [][2]int // columns and rows
	Only  []string // analyses; nil: all of them
	User  string   // whose pages are opened
	Note  func(address string)
	// Clock is the processor time that the calling thread has used, to part the
	// work of a frame from the waiting for a processor; nil: it is not told.
	Clock func() time.Duration

	hurried bool // what waits for the next key does not wait: for tests
}

// A stop is one address of a tour, with the keys that its screen has beside
// those of all.
type stop struct{ address, own string }

// Run makes the tour. Screens come in the order in which they were first seen;
// beside an error stand those that were seen before it.
func (t *Tour) Run(ctx context.Context, desk *Desk) ([]*ScreenFrames, error) {
	d := newSession(ctx, desk, home)
	defer d.close()
	if t.hurried {
		d.a.s.after = func(_ time.Duration, m tea.Msg) tea.Cmd { return func() tea.Msg { return m } }
	}
	if err := d.rest(ctx); err != nil {
		return nil, err
	}
	stops, err := t.stops(ctx, desk)
	if err != nil {
		return nil, err
	}
	d.tally = &tally{of: map[string]*ScreenFrames{}, clock: t.Clock}
	if t.Clock != nil {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	return d.tally.all, t.visit(ctx, d, stops)
}

// visit goes from stop to stop.
func (t *Tour) visit(ctx context.Context, d *headless, stops []stop) error {
	for _, s := range stops {
		if t.Note != nil {
			t.Note(s.address)
		}
		d.resize(t.Sizes[0])
		d.step(openMsg{address: s.address}, "opening it")
		if err := d.rest(ctx); err != nil {
			return err
		}
		for i, size := range t.Sizes {
			keys := []string{moves}
			if i == 0 {
				keys = append(keys, drills, s.own)
			} else {
				d.resize(size)
			}
			for _, k := range keys {
				if err := d.press(ctx, k); err != nil {
					if ctx.Err() != nil { // it was stopped, and what it met then is no fault
						return ctx.Err()
					}
					return fmt.Errorf("%s: %w", s.address, err)
				}
			}
		}
	}
	return nil
}

// stops are an address of every analysis. Those that need an id are given the
// user, a row of theirs, the most frequent event and the first property. It fails
// if a name is no analysis, or one that the data have nothing for.
func (t *Tour) stops(ctx context.Context, desk *Desk) ([]stop, error) {
	data, err := desk.Engine.Data(ctx)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{"user": t.User, "whatif": t.User, "twins": t.User, "measure": "active_days"}
	if s := data.Schema; s != nil && s.Info != nil {
		most := int64(-1)
		for _, n := range s.Info.Names {
			if n.Count > most {
				most, ids["event"] = n.Count, n.Name
			}
		}
		if len(s.Info.Keys) > 0 {
			ids["property"] = s.Info.Keys[0].Name
		}
	}
	if ids["row"], err = rowOf(ctx, desk.Engine, t.User); err != nil {
		return nil, err
	}
	var out []stop
	left := slices.Clone(t.Only)
	for _, sp := range query.Specs() {
		if len(t.Only) > 0 && !slices.Contains(t.Only, sp.Name) {
			continue
		}
		left = slices.DeleteFunc(left, func(name string) bool { return name == sp.Name })
		q := query.Query{Analysis: sp.Name, AsOf: model.NoDay}
		switch {
		case sp.ID == query.NeedsID && ids[sp.Name] == "" && len(t.Only) > 0:
			return nil, fmt.Errorf("%s shows one %s, and the data have none", sp.Name, sp.IDIs)
		case sp.ID == query.NeedsID && ids[sp.Name] == "":
			continue
		case sp.ID == query.NeedsID:
			q.ID = ids[sp.Name]
		case sp.Name == "compare":
			q = q.With("where", "events > 3", "events <= 3")
		case sp.Name == "reconcile":
			q = q.With("a", "lifecycle").With("b", "lifecycle?unit=week").With("figure", "users")
		}
		out = append(out, stop{q.String(), keysOf[sp.Name]})
	}
	if len(left) > 0 {
		return nil, fmt.Errorf("%s: there is no such analysis: dwell help addresses names them", strings.Join(left, ", "))
	}
	return out, nil
}

// rowOf is the key of a row of a user; "" if there is none.
func rowOf(ctx context.Context, e Engine, user string) (key string, err error) {
	if user == "" {
		return "", nil
	}
	rows, err := e.Table(ctx, query.Query{Analysis: "rows", AsOf: model.NoDay}.With("user", user), nil)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	first, err := rows.Window(ctx, 0, 1)
	if err != nil || len(first) == 0 {
		return "", err
	}
	return first[0].Key, nil
}

// moves are pressed on every screen at every size, drills at the first size: what
// they open is worked out from the data. "~" waits until nothing runs, "back"
// closes what is open and returns to the stop's own screen, "lit:" is typed as it
// stands; all others are keys.
const (
	moves = "j j j k l l h j j pgdown pgdown k pgup G ~ k g ~ l $ 0 " +
		"tab j l k G g tab l j j h tab pgdown l shift+tab shift+tab g " +
		"t l l h j t back space space " +
		"/ lit:a1 backspace backspace esc back o j j l h k j j l back " +
		"i j pgdown k back ? j j pgdown G k back"
	drills = "s ~ j k s ~ back g j e ~ j pgdown k back " +
		"enter ~ 1 ~ j j pgdown G ~ k g ~ l s ~ back " +
		": lit:ret down down up backspace tab backspace esc back"
)

// keysOf are the keys of single screens.
var keysOf = map[string]string{
	"overview":   ": lit:us backspace backspace lit:users?w tab backspace esc : lit:find lit:1 ~ down down up back : lit:find backspace ~ back < ~ @ ~ back",
	"users":      "C j j space space back / lit:1 ~ back A ~ down back R ~ j l back l l s ~ G ~ back l l l s ~ back",
	"rows":       "C j space back enter ~ j j pgdown k back",
	"segments":   "n lit:recency_days space lit:< space lit:7 ~ backspace ~ lit:8 ~ back N ~ back",
	"user":       "n n b f n v ~ j pgdown G ~ back w ~ l l L h H j l backspace ~ back T ~ j back S",
	"whatif":     "L L H j L l l backspace j l ~ G l ~ back",
	"targets":    "L L l l h H j L l j L h ~ back",
	"model":      "j j enter lit:1 backspace esc a ~ p ~ j back u m ~ j back v ~ back",
	"row":        "enter ~ j j back j enter ~ back",
	"restage":    "w lit:why esc back",
	"events":     "d ~ j j pgdown G k enter j space esc back enter ~ j pgdown back",
	"properties": "d ~ j j G esc back enter ~ j pgdown back",
}
