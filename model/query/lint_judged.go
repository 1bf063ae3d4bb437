package query

// lintJudged says where a group has nobody only because its rule was judged on the
// day of each user's start, before it could hold: a plan that was bought later
// chooses nobody then, and the answer looks as if there were no such users.
func (r *Run) lintJudged(b *Builder) {
	instead := "judge=landmark with landmark=YYYY-MM-DD judges everybody on one day instead"
	switch {
	case r.Spec.Name == "survival" && r.Q.Get("landmark") == "" && r.Q.Get("age") == "":
		instead = "landmark=YYYY-MM-DD or age=DAYS judges those who are still there then, and counts from there"
	case r.Spec.Key("judge") == nil || r.Str("judge") == "landmark":
		return
	}
	for i, g := range r.Groups {
		if g.Rule == "" || !nobodyIn(b.A, i) {
			continue
		}
		pop, err := r.Population()
		if err != nil {
			b.err = err // cancelled, or the data cannot be read
			return
		}
		in, err := r.match(pop, g.Rule)
		if err != nil {
			b.err = err
			return
		}
		if n := in.Count(); n > 0 {
			who := countOf(int64(n), "user") + " meet it"
			if n == 1 {
				who = "1 user meets it"
			}
			b.Warn("judged-at-start", "Nobody met %s on the day of their start, when it is judged; %s on %s. %s.", g.Label(), who, r.AsOf, instead)
		}
	}
}

// nobodyIn says whether no figure of a group counts anybody.
func nobodyIn(a *Answer, group int) bool {
	for i := range a.Figures {
		if f := &a.Figures[i]; f.Group == group && (f.N > 0 || f.Open > 0 || f.Kind == Count && f.Value > 0) {
			return false
		}
	}
	return true
}
