package query

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"dwell/model"
)

// A Kind says what a figure is and which users it counts (DESIGN 2).
type Kind string

const (
	Count Kind = "count" // value == number of users
	Rate  Kind = "rate"  // KEY lists the numerator, KEY/of the denominator
	Sum   Kind = "sum"   // users with amounts that add to the value
	Stat  Kind = "stat"  // median, hazard, AUC: n users
	Pairs Kind = "pairs" // user and interval
	Rows  Kind = "rows"  // value counts events: n users, each with a number of events that adds to it
	Read  Kind = "read"  // value counts rows as a load read them, before there were users: it has no list
)

// A Figure is one number of an answer, with what it takes to trust it.
type Figure struct {
	Key   string // stable and dotted: cohort.2011-01-03.week.6
	Label string
	Kind  Kind
	Value float64 // rates are fractions
	None  bool    // there is no value ("—", null in JSON); Label or a warning says why
	Unit  string  // users, events, days, share, or a currency
	N     int64   // denominator or number of users

	Interval bool // Lo and Hi hold
	Lo, Hi   float64
	Method   string // of the interval: "Wilson 95 %"

	Open         int64 // users whose time has not come: kept out of Value and N
	OpenReturned int64 // of them, those who already came back

	Pairs bool // of a rate: it counts user-intervals, and its lists name a user once for each

	Carry  string // what each user of the list carries in User.Score: "probability"; "" if nothing
	Beside string // what each user of the list carries in User.Beside; "" if nothing
	More   string // what User.More.Value of each is; "" if the list has no User.More

	Slot  int // where the users are found again: the kernel's slot, or ownSlot
	Group int // of the compared groups
}

// ownSlot marks a figure whose users the analysis lists itself.
const ownSlot = -1

// Parts of a figure, as they stand behind the key: KEY, KEY/of, KEY/lost …
const (
	PartSelf         = ""
	PartOf           = "of"
	PartLost         = "lost"
	PartOpen         = "open"
	PartOpenReturned = "open-returned"
)

// A Warning stands with an answer and stops nothing.
type Warning struct {
	Code string `json:"code"` // stable: small-n, partial-day, truncated, open-cells …
	Text string `json:"text"`
}

// An Answer is what an engine says to a query: the figures, and blocks that say
// how they are laid out. Screens, text, CSV and JSON are views of it.
type Answer struct {
	Query      Query
	Address    string // canonical
	Title      string // with the mode in it: "Retention on day N · first event · calendar · Mon · UTC"
	Definition string // one or two sentences: what is counted
	AsOf       model.Day
	Zone       string
	Data       model.Version
	Model      string // hash of the stage model; "" where none was used
	Figures    []Figure
	Blocks     []Block
	Warnings   []Warning
	Choices    []Choice // values that the data offer for keys of the question

	byKey    map[string]int
	volatile bool // made from more than the cache key names (a trained model): not kept
}

// A Choice is what the data offer for a key that has no fixed words: the
// currencies of currency=. The first is what a question without the key takes.
type Choice struct {
	Key    string
	Values []string
}

// Figure finds a figure by key, or nil.
func (a *Answer) Figure(key string) *Figure {
	if a.byKey == nil {
		a.index()
	}
	if i, ok := a.byKey[key]; ok {
		return &a.Figures[i]
	}
	return nil
}

// index prepares Figure, before the answer is shared.
func (a *Answer) index() {
	a.byKey = make(map[string]int, len(a.Figures))
	for i := range a.Figures {
		a.byKey[a.Figures[i].Key] = i
	}
}

// A BlockKind says how a block is drawn.
type BlockKind string

const (
	TableBlock BlockKind = "table" // rows of cells
	HeatBlock  BlockKind = "heat"  // a table whose cells are coloured by value; first column frozen
	BarBlock   BlockKind = "bars"  // rows with one figure, drawn as a bar
	ChartBlock BlockKind = "chart" // series over x
	TextBlock  BlockKind = "text"  // lines
	SpansBlock BlockKind = "spans" // a table of the rows, with Spans as a time bar above it
	SpanBlock  BlockKind = "spans" // a table whose rows are intervals, with a time bar above it
)

// A Block is one part of an answer as a person sees it.
type Block struct {
	Kind  BlockKind
	Name  string // stable: "stages", "triangle"
	Title string
	Heads []Head // of the cells, not of the row's label
	Rows  []Row
	Chart *Chart
	Lines []string
	Spans []Span // of a SpanBlock: one for each row, by time, without gaps
	Whole bool   `json:",omitempty"` // a matrix that wants to be seen whole: shares may lose their decimals for it
}

// A Span is the time of one row of a SpanBlock, [From, To).
type Span struct {
	From, To model.Day
	Stage    int // index of the stage in its model: its sign, and its colour unless it has one
	Name     string
	Colour   string `json:",omitempty"` // as the model names it
}

// A Head is a column's heading.
type Head struct {
	Label string
	Right bool // numbers are set to the right
}

// A Row is one line of a table, heat table or bar block.
type Row struct {
	Key   string // stable; the cursor is kept by it
	Label string
	Cells []Cell
	Open  string // address that enter on the row goes to; "" if its figure's users
	Rule  string // the rule that the row's users meet on the as-of day; "" if there is none
	Apart bool   // drawn apart, not scaled with the others (churned beside the living)

	Colour string `json:",omitempty"` // of a bar: a stage's own, as its model names it; "" goes by place
}

// A Cell is one place of a table: a figure, or text, or small bars.
type Cell struct {
	Figure int // index into Answer.Figures, or NoFigure
	Text   string
	Spark  []float64 // one value a day (or column), drawn as a sparkline
	Open   bool      // the figure's time has not (wholly) come: hatched, never drawn as a drop
	Blank  bool      // there is no such cell
	Go     string    // address of what lies behind a text cell
}

// NoFigure marks a cell that holds no figure.
const NoFigure = -1

// A Chart is a set of series over one axis.
type Chart struct {
	XLabel, YLabel string
	Unit           string    // of y: share, users …
	X              []float64 // ascending; of days: model.Day numbers if Dates
	Labels         []string  // of x, may be nil
	Dates          bool      // x are days
	Zero           bool      // y starts at 0
	Step           bool      // drawn as steps
	Series         []Series
	Marks          []Mark
	Under          []AxisRow // rows of numbers under the axis: users at risk
}

// An AxisRow is a row of numbers under a chart's axis.
type AxisRow struct {
	Name   string
	Values []float64 // one for each x, or fewer
}

// A Series is one line, with its band where it is an estimate. Points whose
// time has not come are Open and are not joined to the line.
type Series struct {
	Name    string
	Y       []float64 // NaN: no point here (drawing only)
	Lo, Hi  []float64 // nil, or one for each point
	Open    []bool    // nil, or one for each point
	Figures []int     // nil, or the figure behind each point
}

// seriesFile is a Series as it stands in the cache: JSON has no NaN, so a point
// that is not there is null.
type seriesFile struct {
	Name    string
	Y       []*float64
	Lo, Hi  []*float64 `json:",omitempty"`
	Open    []bool     `json:",omitempty"`
	Figures []int      `json:",omitempty"`
}

// MarshalJSON writes missing points as null.
func (s Series) MarshalJSON() ([]byte, error) {
	return json.Marshal(seriesFile{s.Name, pointers(s.Y), pointers(s.Lo), pointers(s.Hi), s.Open, s.Figures})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Series) UnmarshalJSON(body []byte) error {
	var f seriesFile
	if err := json.Unmarshal(body, &f); err != nil {
		return err
	}
	*s = Series{f.Name, unpointed(f.Y), unpointed(f.Lo), unpointed(f.Hi), f.Open, f.Figures}
	return nil
}

func pointers(xs []float64) []*float64 {
	if xs == nil {
		return nil
	}
	out := make([]*float64, len(xs))
	for i := range xs {
		if !math.IsNaN(xs[i]) {
			out[i] = &xs[i]
		}
	}
	return out
}

func unpointed(ps []*float64) []float64 {
	if ps == nil {
		return nil
	}
	out := make([]float64, len(ps))
	for i, p := range ps {
		out[i] = math.NaN()
		if p != nil {
			out[i] = *p
		}
	}
	return out
}

// A Mark is a dated note on a chart.
type Mark struct {
	X    float64
	Text string
}

// A User is one entry of a list behind a figure.
type User struct {
	ID     string
	Amount model.Money // of sum figures, else NoMoney
	Times  int64       // of rows figures: how many events; of pairs: the interval
	Score  float64     // of figures that carry something (Figure.Carry)
	Beside float64     // of figures that carry something more (Figure.Beside)
	More   *UserMore   // of figures with Figure.More, else nil
}

// A UserMore is what a list of users to act on says of each.
type UserMore struct {
	Value   float64  // at stake, in the data's currency
	Tier    string   // of the playbook; "" for none
	Suggest string   // to whoever acts on it
	Why     []Signal // the strongest, strongest first
}

// A Signal is one of a user's inputs that raises the probability: no cause, but what
// goes with it.
type Signal struct {
	Measure string   `json:"measure"`
	Value   *float64 `json:"value,omitempty"`    // the user's own, where it is a number
	Is      string   `json:"is,omitempty"`       // of a property its value; else that there is a value, or none
	TakenAs *float64 `json:"taken_as,omitempty"` // by the model, where it is not the user's own
	Usual   *float64 `json:"usual,omitempty"`    // the mean it was trained on
	LogOdds float64  `json:"log_odds"`
	Text    string   `json:"text"` // all but the log-odds, to be read
}

// sentence joins signals.
func (m *UserMore) sentence() string {
	var out []string
	for _, s := range m.Why {
		out = append(out, fmt.Sprintf("raises %+.2f: %s", s.LogOdds, s.Text))
	}
	return strings.Join(out, "; ")
}
