package ingest

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"

	"dwell/model"
)

// An amountExpr is what --amount says: a column, or + - * / and parentheses
// over columns and numbers. A column whose name is no plain word is written in
// backquotes: `Unit Price` * Quantity.
type amountExpr struct {
	op   byte // 'c' column, 'n' number, '+', '-', '*', '/', '~' (minus sign)
	col  int  // index into names
	num  decimal
	l, r *amountExpr
}

// An amountPlan is a parsed expression with the columns it reads.
type amountPlan struct {
	expr  *amountExpr
	names []string // columns, each once, in order of appearance
	style numberStyle
}

const maxExprDepth = 100

// parseAmount parses an amount expression. isColumn tells whether the whole text is
// the name of a column, whatever characters it has.
func parseAmount(text string, isColumn func(string) bool) (*amountPlan, error) {
	p := &exprParser{text: text, plan: &amountPlan{}}
	if isColumn != nil && isColumn(text) {
		p.plan.expr = p.column(text)
		return p.plan, nil
	}
	e, err := p.sum(0)
	if err == nil {
		if p.blank(); p.pos < len(p.text) {
			err = fmt.Errorf("%q was not expected", p.text[p.pos:])
		}
	}
	if err != nil {
		return nil, &sentence{ErrOption, fmt.Sprintf("the amount %q cannot be understood: %v; write a column, or an expression such as Quantity*UnitPrice (a name with blanks in backquotes)", text, err)}
	}
	if len(p.plan.names) == 0 {
		return nil, &sentence{ErrOption, fmt.Sprintf("the amount %q names no column", text)}
	}
	p.plan.expr = e
	return p.plan, nil
}

type exprParser struct {
	text string
	pos  int
	plan *amountPlan
}

func (p *exprParser) blank() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

func (p *exprParser) peek() byte {
	p.blank()
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *exprParser) sum(depth int) (*amountExpr, error) {
	l, err := p.product(depth)
	for err == nil {
		op := p.peek()
		if op != '+' && op != '-' {
			return l, nil
		}
		p.pos++
		var r *amountExpr
		r, err = p.product(depth)
		l = &amountExpr{op: op, l: l, r: r}
	}
	return nil, err
}

func (p *exprParser) product(depth int) (*amountExpr, error) {
	l, err := p.factor(depth)
	for err == nil {
		op := p.peek()
		if op != '*' && op != '/' {
			return l, nil
		}
		p.pos++
		var r *amountExpr
		r, err = p.factor(depth)
		l = &amountExpr{op: op, l: l, r: r}
	}
	return nil, err
}

func (p *exprParser) factor(depth int) (*amountExpr, error) {
	if depth > maxExprDepth {
		return nil, errors.New("it is nested too deep")
	}
	switch c := p.peek(); {
	case c == 0:
		return nil, errors.New("it ends too early")
	case c == '-' || c == '+':
		p.pos++
		e, err := p.factor(depth + 1)
		if err != nil || c == '+' {
			return e, err
		}
		return &amountExpr{op: '~', l: e}, nil
	case c == '(':
		p.pos++
		e, err := p.sum(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.peek() != ')' {
			return nil, errors.New("a parenthesis is not closed")
		}
		p.pos++
		return e, nil
	case c == '`' || c == '"':
		end := strings.IndexByte(p.text[p.pos+1:], c)
		if end < 0 {
			return nil, errors.New("a quoted name is not closed")
		}
		name := p.text[p.pos+1 : p.pos+1+end]
		p.pos += end + 2
		return p.column(name), nil
	case c >= '0' && c <= '9' || c == '.':
		start := p.pos
		for p.pos < len(p.text) && (p.text[p.pos] >= '0' && p.text[p.pos] <= '9' || p.text[p.pos] == '.') {
			p.pos++
		}
		d, ok, fits := parseDecimal([]byte(p.text[start:p.pos]))
		if !ok || !fits {
			return nil, fmt.Errorf("%q is not a number", p.text[start:p.pos])
		}
		return &amountExpr{op: 'n', num: d}, nil
	}
	start := p.pos
	for p.pos < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[p.pos:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.$#@:", r) {
			break
		}
		p.pos += n
	}
	if p.pos == start {
		return nil, fmt.Errorf("%q was not expected", p.text[start:])
	}
	return p.column(p.text[start:p.pos]), nil
}

func (p *exprParser) column(name string) *amountExpr {
	for i, n := range p.plan.names {
		if n == name {
			return &amountExpr{op: 'c', col: i}
		}
	}
	p.plan.names = append(p.plan.names, name)
	return &amountExpr{op: 'c', col: len(p.plan.names) - 1}
}

// An amountFault says why a row has no usable amount.
type amountFault uint8

const (
	amountOK amountFault = iota
	amountAbsent
	amountNoNumber
	amountTooBig
)

// reason is why a row of such an amount is rejected; one without an amount is not.
func (f amountFault) reason() reason {
	switch f {
	case amountNoNumber:
		return badAmount
	case amountTooBig:
		return bigAmount
	}
	return accepted
}

// eval computes the amount of a row; cell gives the text of a column by its
// index in names. A row in which any column of the expression is empty has no
// amount. Division by zero is no number.
func (a *amountPlan) eval(cell func(int) []byte, scratch *[]byte) (m model.Money, rounded bool, fault amountFault) {
	if a.expr.op == 'c' { // the common case
		d, fits, f := a.number(cell(a.expr.col), scratch)
		if f != amountOK {
			return model.NoMoney, false, f
		}
		if fits {
			m, rounded, ok := d.money()
			if !ok {
				return model.NoMoney, false, amountTooBig
			}
			return m, rounded, amountOK
		}
	} else if d, f, exact := a.fast(a.expr, cell, scratch); f != amountOK {
		if f == amountNoNumber {
			f = a.absentFirst(cell) // an empty cell makes the amount absent, whatever the others hold
		}
		return model.NoMoney, false, f
	} else if exact {
		m, rounded, ok := d.money()
		if !ok {
			return model.NoMoney, false, amountTooBig
		}
		return m, rounded, amountOK
	}
	r, f := a.slow(a.expr, cell, scratch)
	if f != amountOK {
		if f == amountNoNumber {
			f = a.absentFirst(cell)
		}
		return model.NoMoney, false, f
	}
	m, rounded, ok := ratMoney(r)
	if !ok {
		return model.NoMoney, false, amountTooBig
	}
	return m, rounded, amountOK
}

func (a *amountPlan) absentFirst(cell func(int) []byte) amountFault {
	for i := range a.names {
		if isNoNumber(trim(cell(i))) {
			return amountAbsent
		}
	}
	return amountNoNumber
}

// number reads one cell.
func (a *amountPlan) number(b []byte, scratch *[]byte) (d decimal, fits bool, f amountFault) {
	b = trim(b)
	if isAbsent(b) {
		return d, false, amountAbsent
	}
	cell := b
	if a.style != numberPlain {
		b = a.style.plain(b, scratch)
	}
	d, ok, fits := parseDecimal(b)
	if !ok {
		if isNoNumber(cell) {
			return d, false, amountAbsent
		}
		return d, false, amountNoNumber
	}
	return d, fits, amountOK
}

// fast evaluates in decimals; exact is false where they do not suffice.
func (a *amountPlan) fast(e *amountExpr, cell func(int) []byte, scratch *[]byte) (d decimal, f amountFault, exact bool) {
	switch e.op {
	case 'n':
		return e.num, amountOK, true
	case 'c':
		d, fits, f := a.number(cell(e.col), scratch)
		return d, f, fits
	case '~':
		d, f, exact := a.fast(e.l, cell, scratch)
		return decimal{-d.m, d.s}, f, exact
	case '/':
		return d, amountOK, false
	}
	l, f, ok := a.fast(e.l, cell, scratch)
	if f != amountOK || !ok {
		return d, f, false
	}
	r, f, ok := a.fast(e.r, cell, scratch)
	if f != amountOK || !ok {
		return d, f, false
	}
	switch e.op {
	case '*':
		d, ok = l.mul(r)
	case '-':
		d, ok = l.add(decimal{-r.m, r.s})
	default:
		d, ok = l.add(r)
	}
	return d, amountOK, ok
}

// slow evaluates in fractions of any size.
func (a *amountPlan) slow(e *amountExpr, cell func(int) []byte, scratch *[]byte) (*big.Rat, amountFault) {
	switch e.op {
	case 'n':
		return e.num.rat(), amountOK
	case 'c':
		d, fits, f := a.number(cell(e.col), scratch)
		if f != amountOK {
			return nil, f
		}
		if fits {
			return d.rat(), amountOK
		}
		b := trim(cell(e.col))
		if a.style != numberPlain {
			b = a.style.plain(b, scratch)
		}
		if i := strings.IndexAny(string(b), "eE"); i >= 0 && len(b)-i > 4 {
			return nil, amountTooBig // an exponent beyond 99 would be written out in full
		}
		r, ok := new(big.Rat).SetString(strings.TrimPrefix(string(b), "+"))
		if !ok {
			return nil, amountNoNumber
		}
		return r, amountOK
	case '~':
		r, f := a.slow(e.l, cell, scratch)
		if f == amountOK {
			r = new(big.Rat).Neg(r)
		}
		return r, f
	}
	l, f := a.slow(e.l, cell, scratch)
	if f != amountOK {
		return nil, f
	}
	r, f := a.slow(e.r, cell, scratch)
	if f != amountOK {
		return nil, f
	}
	out := new(big.Rat)
	switch e.op {
	case '*':
		return out.Mul(l, r), amountOK
	case '-':
		return out.Sub(l, r), amountOK
	case '+':
		return out.Add(l, r), amountOK
	}
	if r.Sign() == 0 {
		return nil, amountNoNumber
	}
	return out.Quo(l, r), amountOK
}
