package rule

import "slices"

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
	c := Clause{Holds: n.holds(row), Decides: decides, Slots: reads(n)}
	if w, ok := n.(interface{ source() string }); ok {
		c.Text = w.source()
	}
	if n, ok := n.(*compare); ok {
		c.Op = n.op
		c.Left, c.KnownLeft = n.a.num(row)
		c.Right, c.KnownRight = n.b.num(row)
	}
	return append(out, c)
}

// reads are the slots below a node, each once, in the order written.
func reads(n node) (out []int) {
	n.slots(func(slot int) {
		if !slices.Contains(out, slot) {
			out = append(out, slot)
		}
	})
	return out
}

func seeAll[N node](see func(int), nodes ...N) {
	for _, n := range nodes {
		n.slots(see)
	}
}

func (numLit) slots(func(int))  {}
func (none) slots(func(int))    {}
func (boolLit) slots(func(int)) {}
func (textLit) slots(func(int)) {}

func (n numRef) slots(see func(int))      { see(n.slot) }
func (n textRef) slots(see func(int))     { see(n.slot) }
func (n *textNumber) slots(see func(int)) { see(n.slot) }
func (n *boolRef) slots(see func(int))    { see(n.slot) }
func (n *textTest) slots(see func(int))   { see(n.slot) }

func (n *junction) slots(see func(int))    { seeAll(see, n.kids...) }
func (n *call) slots(see func(int))        { seeAll(see, n.args...) }
func (n *not) slots(see func(int))         { n.kid.slots(see) }
func (n *numIn) slots(see func(int))       { n.a.slots(see) }
func (n *knownNum) slots(see func(int))    { n.a.slots(see) }
func (n *knownText) slots(see func(int))   { n.a.slots(see) }
func (n *textWhen) slots(see func(int))    { n.a.slots(see) }
func (n *arith) slots(see func(int))       { seeAll(see, n.a, n.b) }
func (n *numElse) slots(see func(int))     { seeAll(see, n.a, n.b) }
func (n *textElse) slots(see func(int))    { seeAll(see, n.a, n.b) }
func (n *compare) slots(see func(int))     { seeAll(see, n.a, n.b) }
func (n *textCompare) slots(see func(int)) { seeAll(see, n.a, n.b) }
func (n *same) slots(see func(int))        { seeAll(see, n.a, n.b) }
func (n *boolCond) slots(see func(int))    { seeAll(see, n.c, n.a, n.b) }
func (n *numCond) slots(see func(int))     { seeAll[node](see, n.c, n.a, n.b) }
func (n *textCond) slots(see func(int))    { seeAll[node](see, n.c, n.a, n.b) }
