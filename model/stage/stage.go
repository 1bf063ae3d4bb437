// Package stage keeps the stages of a user's life: models as data, the suggestion
// of their numbers, the replay of one user's history, and the proof of each step.
//
// A Model is a TOML file: stages with entry rules over user measures, least and
// most dwell, named numbers, marks. Its numbers may be expressions over what the
// data suggest (a Suggester counts that); Freeze turns them into numbers, which
// with the rules make its Hash. Compile makes it ready for one data version, and
// a Replayer folds users' timelines into Histories:
//
//	m, _, err := stage.Preset(stage.Default)
//	m, err = m.Freeze(suggester.Suggest())
//	machine, err := stage.Compile(m, schema)
//	r := machine.NewReplayer()
//	var h stage.History
//	err = snap.Scan(ctx, split, machine.Filter(asOf), func(tl *model.Timeline) error {
//		r.Replay(tl, asOf, &h)
//		counts[h.Now()]++
//		return nil
//	})
//
// What holds:
//
//   - A history is ordered and gap-free from the first event on. It depends on the
//     user's own events up to the as-of day, the model and the dictionary, and on
//     nothing else: later events and other users never change an earlier day.
//   - A stage is judged at the end of each local day: return, then loss, then at
//     most one promotion. A user active on the day silence falls due is not lost;
//     a cancellation takes effect although the user was active that day.
//   - Rules that time alone makes true fire on the day they fall due. Replay
//     visits change days only, and tests hold it equal to a replay of every day.
//   - Variants give other numbers to users who meet a rule; which is in force is
//     judged on every day from what is known then, and the history names it.
//   - A proof is recomputed by the same replay; nothing of it is stored.
package stage
