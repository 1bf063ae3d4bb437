package query

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"dwell/model"
	"dwell/model/churn"
	"dwell/model/stage"
	"dwell/model/stat"
)

// What an edit of the stage model does to the churn model (SPEC 6.3): measures such
// as the days in a stage are features, so other rules make another model. It is
// trained twice under one question, with one seed and the same cut-offs (the
// silence that is churn stays that of the model in force), and tested on the same
// users: the difference of AUC is paired, user by user.

// A restageChurn is the churn model under both stage models, or why there is none.
type restageChurn struct {
	question churn.Question
	cuts     churn.Cuts
	why      string   // "" if both could be trained and tested
	users    []string // tested
	was, is  []stat.Forecast
}

// restageChurnNames are the options of churn that restage takes: all that say what is
// foretold and by what. Whom it is asked of (where=, segment=) is not among them, for
// rules may speak of stages, and other stages would be other users; nor is what
// changes nothing about the two models' AUC.
var restageChurnNames = []string{"by", "event", "goal", "who", "gap", "horizon", "model", "seed", "features", "monotone"}

func restageChurnKeys() (out []KeySpec) {
	for _, k := range churnKeys() {
		if slices.Contains(restageChurnNames, k.Name) {
			k.Help = "with churn=yes: " + k.Help
			out = append(out, k)
		}
	}
	return out
}

// restagedChurn is the churn question that a restage question asks of both models.
func restagedChurn(q Query) Query {
	out := Query{Analysis: "churn", AsOf: q.AsOf}
	for _, name := range restageChurnNames {
		if v := q.Get(name); v != "" {
			out = out.With(name, v)
		}
	}
	return out
}

// checkRestageChurn refuses options of churn that cannot be compared, or were not
// asked for.
func checkRestageChurn(q Query) error {
	asked := restagedChurn(q)
	switch {
	case len(asked.Params) == 0:
		return nil
	case q.Value("churn") != "yes":
		return fmt.Errorf("%s= is about the churn model: ask for it with churn=yes", asked.Params[0].Key)
	case q.Get("by") == "stage":
		return fmt.Errorf("by=stage asks who enters the lost stage, which the other model may place elsewhere: its two answers are of two questions and cannot be compared; ask by=gap, by=silence or by=contract")
	}
	_, err := asked.Check()
	return err
}

// restageChurn trains both; other is the edited stage model.
func (r *Run) restageChurn(other *stage.Model) (*restageChurn, error) {
	all := r.progress
	const parts = 5 // two tables each, and the figures
	r.progress = all.part(0, parts)
	defer func() { r.progress = all.part(parts-1, parts) }()
	base, err := r.eng.newRun(r.Ctx, r.st, restagedChurn(r.Q), r.progress)
	if err != nil {
		return nil, err
	}
	now, err := base.churnSetting()
	if err != nil {
		if r.Ctx.Err() != nil {
			return nil, r.Ctx.Err()
		}
		return &restageChurn{why: "There is no churn model to compare: " + err.Error() + "."}, nil
	}
	machine, err := stage.Compile(other, base.Schema)
	if err != nil {
		return nil, err
	}
	then := *base
	then.machine, then.Schema = machine, machine.Schema()
	then.Q = base.Q.With("gap", strconv.Itoa(now.q.Gap)).With("horizon", strconv.Itoa(now.q.Horizon)) // by=contract reads no gap
	edited, err := then.churnSetting()
	if err != nil {
		if r.Ctx.Err() != nil {
			return nil, r.Ctx.Err()
		}
		return &restageChurn{why: "There is no churn model under the other stage model: " + err.Error() + "."}, nil
	}
	out := &restageChurn{question: now.q, cuts: now.cuts}
	tables := 0
	trial := func(s *churnSetting) (*churn.Table, []stat.Forecast, error) {
		s.r.progress = all.part(int64(tables), parts)
		before, err := s.table(s.cuts.Train)
		if err != nil {
			return nil, nil, err
		}
		s.r.progress = all.part(int64(tables+1), parts)
		tables += 2
		fitted, err := churn.Train(before.Only(s.names()...), s.options(false))
		if err != nil {
			if errors.Is(err, churn.ErrStopped) && r.Ctx.Err() != nil {
				return nil, nil, r.Ctx.Err()
			}
			out.why = "There is no churn model to compare: " + err.Error() + "."
			return nil, nil, nil
		}
		tested, err := s.table(s.cuts.Test)
		if err != nil {
			return nil, nil, err
		}
		return tested, s.test(tested, fitted, nil, nil).model, nil
	}
	a, was, err := trial(&now)
	if err != nil || out.why != "" {
		return out, err
	}
	b, is, err := trial(&edited)
	if err != nil || out.why != "" {
		return out, err
	}
	if !slices.Equal(a.IDs, b.IDs) || !slices.Equal(a.Yes, b.Yes) {
		return nil, fmt.Errorf("the two churn models were not tested on the same users: this is a fault of the program")
	}
	if yes := a.Churned(); yes < leastTested || a.Len()-yes < leastTested {
		out.why = fmt.Sprintf("There is no comparison of churn models: %d of the %s of the test %s, and %d of each outcome are needed.", yes, plural(a.Len(), "user"), now.q.Happened(), leastTested)
		return out, nil
	}
	out.users, out.was, out.is = a.IDs, was, is
	return out, nil
}

// churnRounds is the number of resamplings behind the interval of the difference.
const churnRounds = 400

// layout shows both AUCs and their difference.
func (c *restageChurn) layout(ctx context.Context, b *Builder) error {
	if c.why != "" {
		b.Block(Block{Kind: TextBlock, Name: "churn", Title: "The churn model", Lines: []string{c.why}})
		b.Warn("no-churn-model", "%s", c.why)
		return nil
	}
	was, err := stat.AUC(c.was, stat.Level)
	if err != nil {
		return err
	}
	is, err := stat.AUC(c.is, stat.Level)
	if err != nil {
		return err
	}
	own := func(key, label string, v float64, iv stat.Interval, ok bool, method string) int {
		f := Figure{Key: key, Label: label, Kind: Stat, Value: v, N: int64(len(c.users))}
		if ok {
			f.Interval, f.Lo, f.Hi, f.Method = true, iv.Lo, iv.Hi, method
		}
		return b.Own(f)
	}
	diff, banded, err := c.difference(ctx)
	if err != nil {
		return err
	}
	bl := Block{Kind: TableBlock, Name: "churn", Title: fmt.Sprintf("The churn model under both: trained on %s, tested on %s", c.cuts.Train, c.cuts.Test), Heads: []Head{{Label: "now", Right: true}, {Label: "then", Right: true}, {Label: "difference", Right: true}, {Label: "95 %"}}}
	d := own("churn.auc.change", "by how much the AUC of the churn model changes", is.AUC-was.AUC, diff, banded, fmt.Sprintf("95 %%, %d resamplings of users, paired", churnRounds))
	band := ""
	if banded {
		band = fmt.Sprintf("%+.4f to %+.4f", diff.Lo, diff.Hi)
	}
	bl.Rows = []Row{{Key: "auc", Label: "AUC: 0.5 is guessing", Cells: []Cell{
		b.Cell(own("churn.auc.now", "AUC of the churn model, now", was.AUC, was.Interval, was.Bounded, "DeLong 95 %")),
		b.Cell(own("churn.auc.then", "AUC of the churn model, then", is.AUC, is.Interval, is.Bounded, "DeLong 95 %")), b.Cell(d), TextCell(band)}}}
	word := "The churn model foretells as well under the other stage model as now: the interval of the difference holds 0."
	switch {
	case !banded:
		word = "The data do not tell whether the churn model foretells better or worse."
	case diff.Lo > 0:
		word = "The churn model foretells better under the other stage model."
	case diff.Hi < 0:
		word = "The churn model foretells worse under the other stage model."
	case is.AUC == was.AUC && diff.Lo == diff.Hi:
		word = "The churn model is the same under both: no measure that it goes by depends on what was changed."
	}
	b.Block(bl)
	b.Block(Block{Kind: TextBlock, Name: "churn.question", Title: "What was foretold", Lines: []string{word, c.question.Sentence() + " Question, cut-offs, seed and users are the same for both."}})
	return nil
}

// difference is the paired bootstrap interval of the difference of AUC: users are
// drawn, each with what both models said of them. The seed is fixed.
func (c *restageChurn) difference(ctx context.Context) (stat.Interval, bool, error) {
	n := len(c.was)
	a, b := ascending(c.was), ascending(c.is)
	iv, ok := stat.Bootstrap(n, churnRounds, stat.Level, rand.New(rand.NewPCG(5, 6)), func(weights []int32) (float64, bool) {
		if ctx.Err() != nil {
			return 0, false
		}
		x, ok := weightedAUC(c.was, a, weights)
		y, both := weightedAUC(c.is, b, weights)
		return y - x, ok && both
	})
	return iv, ok, ctx.Err()
}

// ascending are the places of forecasts by probability.
func ascending(fs []stat.Forecast) []int {
	at := make([]int, len(fs))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(i, j int) int { return cmp.Compare(fs[i].P, fs[j].P) })
	return at
}

// weightedAUC is the share of pairs of users with different outcomes that the
// probabilities put in order, ties counting half, each user counting as often as
// drawn; false where one outcome was not drawn.
func weightedAUC(fs []stat.Forecast, at []int, weights []int32) (float64, bool) {
	var yes, no, won float64
	for i := 0; i < len(at); {
		var y, n float64
		p := fs[at[i]].P
		for ; i < len(at) && fs[at[i]].P == p; i++ {
			if w := float64(weights[at[i]]); fs[at[i]].Yes {
				y += w
			} else {
				n += w
			}
		}
		won += y * (no + n/2)
		yes, no = yes+y, no+n
	}
	if yes == 0 || no == 0 {
		return 0, false
	}
	return won / (yes * no), true
}

// list are the users that both were tested on.
func (c *restageChurn) list() []User {
	out := make([]User, len(c.users))
	for i, id := range c.users {
		out[i] = User{ID: id, Amount: model.NoMoney}
	}
	return out
}
