package query

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model"
)

// troubles are refunds, complaints and cancellations.
const troubles = model.Refund | model.Complaint | model.Cancel

// mostTrouble is how many of them are listed.
const mostTrouble = 20

// A mishap is one refund, complaint or cancellation: the lines of one document
// (order number, or instant) are one.
type mishap struct {
	first, lines int // index of its first event, number of events
	role         model.Role
	sum          model.Sum
	amounts      bool
}

// mishaps are the user's, in order of time.
func (u *userLife) mishaps() (out []mishap) {
	order := u.r.Info.Key(u.r.Dict.Columns.Order)
	column := 0
	for k := range u.r.Info.Keys {
		if order == &u.r.Info.Keys[k] {
			column = k
		}
	}
	at := map[string]int{}
	for i := range u.days {
		role := u.role(i) & troubles
		if role == 0 {
			continue
		}
		key := fmt.Sprint(u.days[i], role, u.tl.Name[i], u.tl.Time[i])
		if order != nil {
			if n := u.tl.Props[column].At(order, i); n != "" {
				key = fmt.Sprint(u.days[i], role, n)
			}
		}
		k, ok := at[key]
		if !ok {
			k = len(out)
			at[key] = k
			out = append(out, mishap{first: i, role: role})
		}
		m := &out[k]
		m.lines++
		if u.tl.Amount != nil && u.tl.Amount[i] != model.NoMoney {
			m.sum.Add(u.tl.Amount[i])
			m.amounts = true
		}
	}
	return out
}

// trouble lists refunds, complaints and cancellations, newest first: what a
// support person must see before anything else.
func (u *userLife) trouble(b *Builder) {
	all := u.mishaps()
	if len(all) == 0 {
		return
	}
	title := "refunds, complaints, cancellations: " + fmt.Sprint(len(all))
	if len(all) > mostTrouble {
		title += fmt.Sprintf(", the last %d", mostTrouble)
	}
	bl := Block{Kind: TableBlock, Name: "trouble", Title: title, Heads: []Head{{"what", false}, {"event", false}, {"lines", true}, {"amount", true}, {"detail", false}}}
	slices.Reverse(all)
	for _, m := range all[:min(mostTrouble, len(all))] {
		amount := ""
		if x, err := m.sum.Money(); err == nil && m.amounts {
			amount = x.String()
		}
		bl.Rows = append(bl.Rows, Row{Key: rowKey(&u.tl, m.first), Label: u.r.Cal.Stamp(&u.tl, m.first), Open: u.rowsAt(u.days[m.first]),
			Cells: []Cell{TextCell(m.role.String()), TextCell(u.r.Info.Names[u.tl.Name[m.first]].Name), TextCell(fmt.Sprint(m.lines)), TextCell(amount), TextCell(u.detail(m.first))}})
	}
	b.Block(bl)
}

// detail is the reason of an event where the dictionary names the column, else
// its first few properties.
func (u *userLife) detail(i int) string {
	var out []string
	for k := range u.r.Info.Keys {
		info := &u.r.Info.Keys[k]
		v := u.tl.Props[k].At(info, i)
		if v == "" {
			continue
		}
		if info.Name == u.r.Dict.Columns.Reason {
			return v
		}
		// The order number first: it is what a customer asks about.
		if info.Name == u.r.Dict.Columns.Order {
			out = append([]string{info.Name + " " + shorten(v, 30)}, out[:min(2, len(out))]...)
		} else if len(out) < 3 {
			out = append(out, info.Name+" "+shorten(v, 30))
		}
	}
	return strings.Join(out, ", ")
}

// troubleLine counts refunds, complaints and cancellations.
func (u *userLife) troubleLine() string {
	var parts []string
	for _, x := range []struct {
		role model.Role
		word string
	}{{model.Refund, "refund"}, {model.Complaint, "complaint"}, {model.Cancel, "cancellation"}} {
		n, last := 0, model.NoDay
		for _, m := range u.mishaps() {
			if m.role&x.role != 0 {
				n++
				last = u.days[m.first]
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s, the last on %s", plural(n, x.word), last))
		}
	}
	if parts == nil {
		return ""
	}
	return capital(strings.Join(parts, "; ")) + "."
}
