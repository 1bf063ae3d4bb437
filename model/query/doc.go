// Package query is the program's one idea: a question has an address, an engine
// answers it, and every figure of the answer opens the users it counts.
//
//	q, err := query.Parse(`retention@2011-12-09?unit=week&where=plan%20%3D%3D%20%22pro%22`)
//	e, err := query.New(source, shelf, cache, query.Options{})
//	a, err := e.Answer(ctx, q, nil)                    // figures, blocks, warnings
//	l, err := e.Users(ctx, q, a.Figures[0].Key, nil)   // who they are
//
// What holds:
//
//   - Parse and Query.String are inverse to each other; an unknown or impossible
//     combination is an error with its reason. The table in specs.go declares all
//     that may be asked: help, completion and subcommands are made from it.
//   - A figure and its list come from the same kernel (kernel.go), so the figure
//     is the length of the list, the quotient of two, or the sum over one.
//   - An answer is computed over one snapshot, and depends on the address, the data
//     version, the dictionary, the stage model, the saved segments it names and the
//     program's definitions: these are its cache key. The number of workers and
//     events after the as-of day change nothing.
//   - Goroutines and contexts of the model live here alone: a kernel is called by
//     one goroutine at a time and knows neither.
//
// Lists, filters, stage counts and segments run over a Population: everybody on
// one day, column by column. Its base columns and states stay; other columns are
// read when a rule or a list asks for them.
package query
