package query

import "dwell/model"

// A Population is every user on one day: base measures, stage and last property
// values, column by column.
type Population struct {
	Day model.Day
	ids []string
}

// Len is the number of users.
func (p *Population) Len() int { return len(p.ids) }

// ID is a row's user.
func (p *Population) ID(row int) string { return p.ids[row] }
