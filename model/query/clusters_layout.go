package query

import (
	"fmt"
	"slices"
	"strings"

	"dwell/model/stat"
	"dwell/model/value"
)

func (c *clustering) layout(b *Builder) error {
	r := c.r
	b.A.Title = fmt.Sprintf("Clusters · %d groups by %s", c.k, strings.Join(c.names, ", "))
	coin := ""
	if c.buys != nil {
		b.A.Title += c.buys.title()
		coin = c.buys.code
	}
	b.A.Title += " · " + asOfNote(r)
	b.A.Definition = "k-means: every user belongs to the group whose centre is nearest, by " + c.compared() + ", each divided by its standard deviation; the best of " + plural(r.Int("starts"), "start") + ". A group is named by where its centre lies (half a standard deviation from the mean of all): what it means nobody but the reader can say."
	if c.why != "" {
		b.Block(Block{Kind: TextBlock, Name: "none", Title: "no groups", Lines: []string{c.why}})
		b.Count(clusterOut, "left_out", "users in no group")
		return b.coins(coin)
	}
	for g := range b.Groups() {
		b.Group(g)
		c.groups(b)
		c.stages(b)
	}
	c.fit(b)
	if c.buys != nil && !c.buys.money {
		b.Warn("no-money", "Groups go by recency and frequency alone. %s", c.buys.why)
	}
	if same := c.constants(); len(same) > 0 {
		b.Warn("constant", "All clustered users are equal in %s: the groups are made by the rest.", joinWords(same, "and"))
	}
	if c.made.Agreement < 0.8 && c.made.Starts > 1 {
		b.Warn("unstable", "The starts do not end alike (adjusted Rand index %.2f): the groups are one division among several that fit as well. Try another k.", c.made.Agreement)
	}
	if c.shape.Silhouette < 0.25 {
		b.Warn("no-gaps", "The groups touch (silhouette %.2f, under 0.25): they cut one cloud of users into parts, and say nothing about kinds of users.", c.shape.Silhouette)
	}
	return b.coins(coin)
}

// compared says what distances are made of.
func (c *clustering) compared() string {
	out := "log(1 + x) of " + joinWords(c.names, "and")
	if c.buys != nil {
		return out + " (" + c.buys.moneyNote() + "; " + c.buys.orderNote() + ")"
	}
	return out + fmt.Sprintf(" (the outermost %.1f %% at each end drawn in)", 100*clusterClip)
}

// groups is a line a group, the largest first.
func (c *clustering) groups(b *Builder) {
	all := b.Count(clusterIn, "clustered", "users in a group")
	bl := Block{Kind: TableBlock, Name: b.Key("groups"), Title: b.label("the groups, largest first"), Heads: []Head{{"users", true}, {"of them", true}}}
	for _, name := range c.names {
		bl.Heads = append(bl.Heads, Head{"median " + name, true}, Head{"mean", true})
	}
	bl.Heads = append(bl.Heads, Head{"silhouette", true})
	for i, title := range c.titles {
		key := fmt.Sprintf("cluster.%d", i+1)
		n := b.Count(c.group(i), key, title)
		row := Row{Key: key, Label: fmt.Sprintf("%d: %s", i+1, title), Cells: []Cell{b.Cell(n), TextCell(percent(b.Fig(n).N, b.Fig(all).N))}}
		for f, name := range c.names {
			xs := slices.Clone(b.Values(c.feature(i, f)))
			slices.Sort(xs)
			med, ok := stat.Median(xs)
			sum := 0.0
			for _, x := range xs {
				sum += x
			}
			word := strings.ReplaceAll(name, " ", "_")
			row.Cells = append(row.Cells,
				b.Cell(b.Stat(c.feature(i, f), key+"."+word, title+", median "+name, med, !ok, c.units[f])),
				b.Cell(b.Stat(c.feature(i, f), key+"."+word+".mean", title+", mean "+name, over(sum, int64(len(xs))), !ok, c.units[f])))
		}
		row.Cells = append(row.Cells, TextCell(fixed(c.shape.Each[i], 2)))
		bl.Rows = append(bl.Rows, row)
	}
	out := b.Count(clusterOut, "left_out", c.leftOut())
	row := Row{Key: "left_out", Label: c.leftOut(), Apart: true, Cells: []Cell{b.Cell(out), TextCell("")}}
	for range 2*len(c.names) + 1 {
		row.Cells = append(row.Cells, TextCell(""))
	}
	bl.Rows = append(bl.Rows, row)
	b.Block(bl)
}

func (c *clustering) leftOut() string {
	if c.buys != nil {
		return "in none: no purchase" + c.buys.in()
	}
	return "in none: a measure is not known"
}

// stages sets the groups beside the stages: how far one says the other.
func (c *clustering) stages(b *Builder) {
	stages := c.r.machine.Model().Stages
	heat := Block{Kind: HeatBlock, Name: b.Key("stages"), Title: b.label("stage (row) by group (column): share of the stage's clustered users"), Heads: []Head{{"users", true}}}
	for i := range c.k {
		heat.Heads = append(heat.Heads, Head{fmt.Sprintf("group %d", i+1), true})
	}
	var both [][]int64
	for s, st := range stages {
		of := b.N(c.cell(s, 0), Of)
		counts := make([]int64, c.k)
		if of == 0 {
			continue
		}
		row := Row{Key: st.Name, Label: st.Label(), Cells: []Cell{TextCell(count(of))}}
		for i := range c.k {
			counts[i] = b.N(c.cell(s, i), Self)
			row.Cells = append(row.Cells, b.Cell(b.Rate(c.cell(s, i), fmt.Sprintf("stage.%s.%d", st.Name, i+1), fmt.Sprintf("%s, in group %d", st.Label(), i+1))))
		}
		both = append(both, counts)
		heat.Rows = append(heat.Rows, row)
	}
	if len(heat.Rows) == 0 {
		return
	}
	b.Block(heat)
	index, ok := value.AdjustedRand(both)
	f := b.Stat(clusterIn, "agreement.stages", "agreement of groups and stages (adjusted Rand index)", index, !ok, "")
	b.Block(Block{Kind: TableBlock, Name: b.Key("agreement"), Title: b.label("how far groups and stages agree"), Heads: []Head{{"", true}, {"", false}}, Rows: []Row{
		{Key: "stages", Label: "adjusted Rand index", Cells: []Cell{b.Cell(f), TextCell("1: the same division; 0: as by chance")}}}})
}

// fit is how far apart and how stable the groups are, and what other numbers of
// groups would be.
func (c *clustering) fit(b *Builder) {
	b.Group(0)
	bl := Block{Kind: TableBlock, Name: "fit", Title: "how well they are apart", Heads: []Head{{"", true}, {"", false}}}
	add := func(key, label string, v float64, note string) {
		f := b.Stat(clusterIn, "fit."+key, label, v, false, "")
		bl.Rows = append(bl.Rows, Row{Key: key, Label: label, Cells: []Cell{b.Cell(f), TextCell(note)}})
	}
	add("inertia", "within-cluster sum of squares", c.made.Inertia, "of the standardised features")
	add("explained", "share of the spread between groups", c.shape.Explained, "")
	add("silhouette", "mean silhouette", c.shape.Silhouette, fmt.Sprintf("of %s; near 1 apart, near 0 touching", plural(c.shape.Sampled, "user")))
	add("stability", "agreement of the starts", c.made.Agreement, fmt.Sprintf("adjusted Rand index of %s with the best", plural(c.made.Starts, "start")))
	b.Block(bl)
	if len(c.others) == 0 {
		return
	}
	many := Block{Kind: TableBlock, Name: "others", Title: "other numbers of groups", Heads: []Head{{"between groups", true}, {"silhouette", true}, {"agreement", true}, {"", false}}}
	for _, o := range c.others {
		there := TextCell("shown")
		if o.k != c.k {
			there = TextCell(fmt.Sprintf("%d groups ›", o.k))
			there.Go = c.r.link(c.r.Q.With("k", fmt.Sprint(o.k)))
		}
		many.Rows = append(many.Rows, Row{Key: fmt.Sprint(o.k), Label: plural(o.k, "group"), Cells: []Cell{TextCell(shareText(o.explained)), TextCell(fixed(o.silhouette, 3)), TextCell(fixed(o.agreement, 3)), there}})
	}
	b.Block(many)
}

func (c *clustering) explain(f *Figure) []ExplainLine {
	text := "users of the stage in the group ÷ users of the stage in any group"
	switch {
	case f.Slot == clusterOut:
		text = c.leftOut()
	case f.Kind == Stat && f.Slot != clusterIn:
		text = "the median (mean) of the group's users, as measured: logarithms and the drawing in of the ends are for distances alone"
	case f.Kind == Count:
		text = "users whose nearest centre is the group's"
	case f.Kind == Stat:
		text = "silhouette: Rousseeuw 1987, of every n-th user; agreement: adjusted Rand index, Hubert and Arabie 1985; k-means by Lloyd's steps from k-means++ starts with Hartigan's exchanges"
	}
	return []ExplainLine{{Head: "Formula", Text: text}}
}
