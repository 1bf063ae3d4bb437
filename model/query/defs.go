package query

// modelAnalysis shows the stage model that is in force.
func modelAnalysis() analysis {
	return analysis{
		Spec: Spec{Name: "model", Title: "Stage model", Help: "the stages, their rules and the numbers in them", ID: NoID},
		plan: func(r *Run) (*Plan, error) {
			return &Plan{Layout: func(b *Builder) error { return nil }}, nil
		},
	}
}
