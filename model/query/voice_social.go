package query

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dwell/model"
)

// inviterOf is the first inviter that a user's events name, the user apart.
func inviterOf(p *Person, column int, k *model.KeyInfo) string {
	for i := range p.TL.Time {
		if v := strings.TrimSpace(p.TL.Props[column].At(k, i)); v != "" && v != p.TL.ID {
			return v
		}
	}
	return ""
}

// broughtIn counts, by inviter, the users who name one (SPEC R2.8).
func (r *Run) broughtIn(k *model.KeyInfo) (map[string]int, error) {
	out := map[string]int{}
	err := Scan(r, Needs{Columns: []string{k.Name}},
		func() map[string]int { return map[string]int{} },
		func(m map[string]int, p *Person) error {
			if by := inviterOf(p, 0, k); by != "" {
				m[strings.Clone(by)]++
			}
			return nil
		},
		func(m map[string]int) error {
			for by, n := range m {
				out[by] += n
			}
			return nil
		})
	return out, err
}

// topInviters is how many inviters are shown; the figure lists all.
const topInviters = 10

// social is who shares and invites in each stage, and who was brought in by whom.
func (v *voice) social(b *Builder) {
	if v.has&(model.Social|model.Invite) != 0 {
		bl := Block{Kind: TableBlock, Name: b.Key("social"), Title: b.label("social acts and invitations, by the stage in which they were made"), Heads: []Head{{"shared", true}, {"invited", true}}}
		for i, s := range v.r.machine.Model().Stages {
			row := Row{Key: s.Name, Label: s.Label(), Apart: i == v.lost}
			for _, x := range []struct {
				role      model.Role
				slot      int
				key, what string
			}{{model.Social, voiceShared, "shared.", "did a social act"}, {model.Invite, voiceInvited, "invited.", "invited somebody"}} {
				if v.has&x.role == 0 {
					row.Cells = append(row.Cells, TextCell("—"))
					continue
				}
				row.Cells = append(row.Cells, b.Cell(b.Rate(v.stage(i, x.slot), x.key+s.Name, s.Label()+", "+x.what+" while in it")))
			}
			bl.Rows = append(bl.Rows, row)
		}
		b.Block(bl)
	}
	if v.inviter < 0 {
		if v.has&model.Invite != 0 {
			b.Warn("no-inviter", "Who was brought in is —: the dictionary names no inviter column.")
		}
		return
	}
	brought := b.Rate(voiceBrought, "brought", "users who name an inviter")
	by := b.Count(voiceInviters, "inviters", "users who brought in others")
	b.Fig(by).Carry = "users brought in"
	bl := Block{Kind: TableBlock, Name: b.Key("brought"), Title: b.label("brought in by others, and by whom most"), Heads: []Head{{"users", true}, {"95 % interval", true}}}
	bl.Rows = append(bl.Rows,
		Row{Key: "brought", Label: "brought in, of all users", Cells: []Cell{b.Cell(brought), TextCell(b.Fig(brought).interval())}},
		Row{Key: "inviters", Label: "who brought in others", Cells: []Cell{b.Cell(by), TextCell("")}})
	if b.Groups() == 1 {
		ids := slices.SortedFunc(maps.Keys(v.brought), func(x, y string) int { return cmp.Or(v.brought[y]-v.brought[x], strings.Compare(x, y)) })
		for _, id := range ids[:min(topInviters, len(ids))] {
			bl.Rows = append(bl.Rows, Row{Key: "by." + id, Label: "by " + id, Open: v.r.link(Query{Analysis: "user", ID: id}), Cells: []Cell{TextCell(fmt.Sprint(v.brought[id])), TextCell("")}})
		}
	}
	b.Block(bl)
}
