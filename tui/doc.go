// Package tui is the explorer: screens over the answers of a query.Engine, in a
// terminal that may be at the far end of a slow link.
//
// One tea.Model, the app, owns header, history, palette, help, messages, jobs
// and quitting; one Screen at a time has the body. A screen shows one address,
// and everything that goes anywhere (enter, palette, back, bookmarks, the
// command line) is an address. What a screen draws are the blocks of an Answer,
// by the widgets of package widget; most analyses need no screen of their own.
//
// Invariants:
//   - The package reads and writes nothing but the session's terminal. Engine,
//     shelf and the actions that touch the machine come in by the Desk.
//   - Update starts jobs, takes messages and stops jobs; it never waits. View is
//     a function of the fields.
//   - Messages take three roads: keys to the screen in front after the global
//     keys, results to the screen whose job they name, size, theme and changed
//     data to all.
//   - No style is made outside style.go, no key bound outside keys.go and the
//     screens' own key structs, and the help shows exactly what Update takes.
//   - A panic, in Update or in a job, reaches the person as a sentence and a file.
//
// A session runs until the person quits:
//
//	address, err := tui.Run(ctx, desk, tui.Options{In: stdin, Out: stdout}, "overview")
package tui
