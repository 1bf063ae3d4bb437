package rule

// A Clause is one condition of a rule as it stood for one user on one day.
type Clause struct {
	Text    string // as written, in canonical spelling
	Holds   bool
	Decides bool // the rule stands as it does because of this clause, among others that decide
	Slots   []int
	// Of a comparison of two numbers: Left Op Right, each known or missing.
	Op                    string
	Left, Right           float64
	KnownLeft, KnownRight bool
}

// Short is how far a failed comparison is from holding: the change of Left that
// would meet it (2 for "3 >= 5"). ok is false where there is no such number.
func (c Clause) Short() (by float64, ok bool) {
	if c.Holds || c.Op == "" || !c.KnownLeft || !c.KnownRight {
		return 0, false
	}
	return c.Right - c.Left, true
}

// Proof takes the rule apart for one user on one day: its clauses in the order
// written, segments opened, and which of them decide. Of conditions joined by
// and that hold, all decide; of those that fail, the ones that fail; and of or
// the other way round. Under not a clause is given as written, without the not.
func (r *Rule) Proof(row Row) []Clause { return prove(nil, r.node, row, true) }

func prove(out []Clause, n boolNode, row Row, decides bool) []Clause {
	switch n := n.(type) {
	case *junction:
		holds := n.holds(row)
		for _, kid := range n.kids {
			out = prove(out, kid, row, decides && kid.holds(row) == holds)
		}
		return out
	case *not:
		return prove(out, n.kid, row, decides)
	}
	c := Clause{Holds: n.holds(row), Decides: decides}
	switch n := n.(type) {
	case boolLit:
		c.Text = "false"
		if n {
			c.Text = "true"
		}
	case *boolRef:
		c.Text = n.text
	case *compare:
		c.Text, c.Op = n.text, n.op
		c.Left, c.KnownLeft = n.a.num(row)
		c.Right, c.KnownRight = n.b.num(row)
	case *numIn:
		c.Text = n.text
	case *textTest:
		c.Text = n.text
	case *textCompare:
		c.Text = n.src
	case *textWhen:
		c.Text = n.src
	case *same:
		c.Text = n.text
	case *boolCond:
		c.Text = n.text
	case *knownNum:
		c.Text = n.text
	case *knownText:
		c.Text = n.text
	}
	c.Slots = reads(nil, n)
	return append(out, c)
}

// reads are the slots below a node, each once, in the order written.
func reads(out []int, n any) []int {
	add := func(slot int) {
		for _, s := range out {
			if s == slot {
				return
			}
		}
		out = append(out, slot)
	}
	switch n := n.(type) {
	case numRef:
		add(n.slot)
	case textRef:
		add(n.slot)
	case *textNumber:
		add(n.slot)
	case *boolRef:
		add(n.slot)
	case *textTest:
		add(n.slot)
	case *arith:
		out = reads(reads(out, n.a), n.b)
	case *call:
		for _, a := range n.args {
			out = reads(out, a)
		}
	case *numCond:
		out = reads(reads(reads(out, n.c), n.a), n.b)
	case *numElse:
		out = reads(reads(out, n.a), n.b)
	case *textCond:
		out = reads(reads(reads(out, n.c), n.a), n.b)
	case *textElse:
		out = reads(reads(out, n.a), n.b)
	case *compare:
		out = reads(reads(out, n.a), n.b)
	case *numIn:
		out = reads(out, n.a)
	case *textCompare:
		out = reads(reads(out, n.a), n.b)
	case *textWhen:
		out = reads(out, n.a)
	case *same:
		out = reads(reads(out, n.a), n.b)
	case *boolCond:
		out = reads(reads(reads(out, n.c), n.a), n.b)
	case *knownNum:
		out = reads(out, n.a)
	case *knownText:
		out = reads(out, n.a)
	case *junction:
		for _, kid := range n.kids {
			out = reads(out, kid)
		}
	case *not:
		out = reads(out, n.kid)
	}
	return out
}
