package value

// A Cell is one of the eleven named groups of RFM codes.
type Cell uint8

// The cells, from best to worst recency within good, middling and bad.
const (
	Champions Cell = iota
	Loyal
	PotentialLoyal
	NewBuyers
	Promising
	NeedAttention
	AboutToSleep
	AtRisk
	CannotLose
	Hibernating
	Lost
	cells
)

// cellTexts are each cell's word in addresses, its title, and what it means.
var cellTexts = [cells]struct{ word, title, meaning string }{
	Champions:      {"champions", "champions", "bought lately, often, and for much"},
	Loyal:          {"loyal", "loyal", "buy often, for good sums, not long ago"},
	PotentialLoyal: {"potential-loyal", "potential loyal", "bought lately and more than once, for less"},
	NewBuyers:      {"new", "new buyers", "bought lately, hardly ever before, for little"},
	Promising:      {"promising", "promising", "bought lately and seldom, but for more"},
	NeedAttention:  {"need-attention", "need attention", "about the middle in all three, or good in two and slipping in one"},
	AboutToSleep:   {"about-to-sleep", "about to sleep", "below the middle in recency and frequency, for little"},
	AtRisk:         {"at-risk", "at risk", "bought often or for much, but long ago"},
	CannotLose:     {"cannot-lose", "cannot lose", "were among the best, and have not been seen for long"},
	Hibernating:    {"hibernating", "hibernating", "last bought long ago, seldom, for little"},
	Lost:           {"lost", "lost", "lowest in recency, and low in the rest"},
}

// cellCodes is the division of the 125 codes. It is the eleven-segment map that
// the makers of RFM tools publish (as Bloomreach's "RFM segmentation", after
// Putler's eleven names); a test counts each code once.
var cellCodes = [cells]string{
	Champions:      "555 554 545 544 455 454 445",
	Loyal:          "543 444 435 355 354 345 344 335",
	PotentialLoyal: "553 552 551 542 541 533 532 531 453 452 451 442 441 433 432 431 423 353 352 351 342 341 333 323",
	NewBuyers:      "512 511 422 421 412 411 311",
	Promising:      "525 524 523 522 521 515 514 513 425 424 415 414 413 315 314 313",
	NeedAttention:  "535 534 443 434 343 334 325 324",
	AboutToSleep:   "331 321 312 251 241 231 221 213",
	AtRisk:         "255 254 253 252 245 244 243 242 235 234 225 224 153 152 145 143 142 135 134 133 125 124",
	CannotLose:     "215 214 155 154 144 115 114 113",
	Hibernating:    "332 322 233 232 223 222 212 211 132 123 122",
	Lost:           "151 141 131 121 112 111",
}

// cellOf is the cell of each code by index.
var cellOf = func() (of [125]Cell) {
	for c, codes := range cellCodes {
		for i := 0; i < len(codes); i += 4 {
			of[Code{codes[i] - '0', codes[i+1] - '0', codes[i+2] - '0'}.Index()] = Cell(c)
		}
	}
	return of
}()

// Cells are all eleven.
func Cells() []Cell {
	out := make([]Cell, cells)
	for i := range out {
		out[i] = Cell(i)
	}
	return out
}

// Cell is the named cell of a code.
func (c Code) Cell() Cell { return cellOf[c.Index()] }

// String is the cell's word in addresses.
func (c Cell) String() string { return cellTexts[c].word }

// Title is the cell's name for a person.
func (c Cell) Title() string { return cellTexts[c].title }

// Meaning says in words who is in it.
func (c Cell) Meaning() string { return cellTexts[c].meaning }

// Codes are the cell's codes, best first.
func (c Cell) Codes() []Code {
	var out []Code
	for i := 124; i >= 0; i-- {
		if cellOf[i] == c {
			out = append(out, CodeAt(i))
		}
	}
	return out
}
