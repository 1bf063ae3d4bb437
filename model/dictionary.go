package model

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// A Role is what an event means; an event name may have several.
type Role uint16

const (
	Touch     Role = 1 << iota // contact with a channel before or without use
	Signup                     // registration
	Use                        // plain use; the role of every name the dictionary does not hold
	KeyAction                  // the activation event
	Purchase                   // an order, or a line of one
	Refund                     // money given back, an order cancelled
	Social                     // content, a share
	Invite                     // brings in others
	Feedback                   // a rating or an NPS answer, in the score column
	Complaint                  // a complaint, a support contact
	Cancel                     // ends a contract or an account
	Alias                      // joins two ids
	Passive                    // impressions and messages received
)

var roleNames = []string{"touch", "signup", "use", "key", "purchase", "refund", "social", "invite", "feedback", "complaint", "cancel", "alias", "passive"}

// contacts are on the timeline but are not activity (SPEC 2, Activity).
const contacts = Passive | Alias | Refund | Cancel | Complaint

// Active says whether an event of this meaning makes its day an active day.
func (r Role) Active() bool { return r&contacts == 0 }

// String lists the words of the roles, joined by "+".
func (r Role) String() string {
	var out []string
	for i, n := range roleNames {
		if r&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return strings.Join(out, "+")
}

// RoleNames are the words of all roles, in the order of the constants.
func RoleNames() []string { return slices.Clone(roleNames) }

// ParseRole reads one word, or several joined by "+".
func ParseRole(s string) (Role, error) {
	var r Role
	for _, w := range strings.Split(s, "+") {
		i := slices.Index(roleNames, strings.TrimSpace(w))
		if i < 0 {
			return 0, fmt.Errorf("%q is not a meaning: use one of %s", w, strings.Join(roleNames, ", "))
		}
		r |= 1 << i
	}
	return r, nil
}

// A Dictionary ties event names and columns to meaning. It is a TOML file on
// the shelf (kind KindDictionary, name "dictionary"), guessed at load and edited
// by people; changing it re-reads no event file.
type Dictionary struct {
	Zone      string `toml:"zone" comment:"calendar days are counted in this zone (IANA name)"`
	WeekStart string `toml:"week_start" comment:"monday … sunday"`
	Starts    string `toml:"starts" comment:"complete: nobody used the product before the first day of the data; partial: some did, and users first seen early are left out of pooled figures"`

	// Events maps a name to its role words. Names not listed are "use".
	Events map[string]string `toml:"events" comment:"meaning of each event name: touch signup use key purchase refund social invite feedback complaint cancel alias passive; several joined by +"`
	// Negative is the role of a purchase whose amount is below zero.
	Negative string `toml:"negative" comment:"what a purchase with an amount below zero is: refund or purchase"`

	Columns Columns `toml:"columns" comment:"which property means what; empty where the data has none"`

	// Answers is the best answer of a feedback event's scale, where neither its
	// name nor the values say it (see Scales).
	Answers map[string]float64 `toml:"answers" comment:"best answer of a feedback event's scale, where its name and values do not tell: survey = 10 (0 to 10), review = 5 (1 to 5)"`

	// Affinity is the formula of the affinity axis.
	Affinity Affinity `toml:"affinity" comment:"what acts tell of a user's attitude: the sum of the weights of all acts, each fading with time (measure attitude, affinity axis)"`

	// Confirmed says that a person has looked at the suggested stage parameters.
	Confirmed bool `toml:"confirmed" comment:"true once a person has confirmed the suggested stage parameters"`
}

// Columns names the properties with a meaning of their own; "" where the data
// has none.
type Columns struct {
	Currency   string   `toml:"currency"`
	Channel    string   `toml:"channel"`
	Arm        string   `toml:"arm" comment:"of an A/B test"`
	Item       string   `toml:"item"`
	Order      string   `toml:"order" comment:"order or invoice number; without one each purchase event is an order"`
	Inviter    string   `toml:"inviter"`
	Plan       string   `toml:"plan"`
	PaidUntil  string   `toml:"paid_until" comment:"date to which a contract is paid"`
	Period     string   `toml:"period" comment:"length of a paid period: month, year, or days"`
	Score      string   `toml:"score" comment:"answer of feedback events: 0 to 10 (NPS), or 1 to 5"`
	Rating     string   `toml:"rating" comment:"rating of feedback events, 1 to 5, where it has a column of its own"`
	Alias      string   `toml:"alias" comment:"the other id of an alias event"`
	Reason     string   `toml:"reason" comment:"of a cancellation"`
	Personal   []string `toml:"personal" comment:"name, e-mail, phone"`
	Searchable []string `toml:"searchable" comment:"properties by which a user can be found: e-mail, order number"`
}

// NewDictionary is the dictionary of data about which nothing is known.
func NewDictionary() *Dictionary {
	return &Dictionary{Zone: "UTC", WeekStart: "monday", Starts: "partial", Events: map[string]string{}, Negative: "refund", Affinity: DefaultAffinity()}
}

// decodeSentence says what is wrong with a value in the words of the file, not in
// those of the program: "an integer stands where a text in quotes is wanted".
func decodeSentence(de *toml.DecodeError) string {
	_, mismatch, ok := strings.Cut(de.Error(), "cannot decode TOML ")
	if !ok {
		return strings.TrimPrefix(de.Error(), "toml: ")
	}
	got, into, _ := strings.Cut(mismatch, " into ")
	if i := strings.LastIndex(into, " of type "); i >= 0 {
		into = into[i+len(" of type "):]
	}
	wanted := "another kind of value"
	switch strings.Fields(into + " .")[0] {
	case "string":
		wanted = "a text in quotes"
	case "bool":
		wanted = "true or false"
	case "[]string":
		wanted = `a list of texts, as ["a", "b"],`
	case "float64", "int", "int64":
		wanted = "a number"
	}
	return fmt.Sprintf("%s %s stands where %s is wanted", article(got), got, wanted)
}

func article(noun string) string {
	if noun != "" && strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an"
	}
	return "a"
}

// ErrBadDictionary wraps every error of ParseDictionary.
var ErrBadDictionary = errors.New("the dictionary cannot be used")

// ParseDictionary reads and validates a dictionary. Errors name line and column.
func ParseDictionary(body []byte) (*Dictionary, error) {
	d := NewDictionary()
	dec := toml.NewDecoder(bytes.NewReader(body)).DisallowUnknownFields()
	if err := dec.Decode(d); err != nil {
		var se *toml.StrictMissingError
		if errors.As(err, &se) && len(se.Errors) > 0 {
			row, col := se.Errors[0].Position()
			key := se.Errors[0].Key()
			return nil, fmt.Errorf("%w: line %d, column %d: there is no setting %q%s", ErrBadDictionary, row, col, strings.Join(key, "."), known(key[:len(key)-1]))
		}
		var de *toml.DecodeError
		if errors.As(err, &de) {
			row, col := de.Position()
			return nil, fmt.Errorf("%w: line %d, column %d: %v", ErrBadDictionary, row, col, decodeSentence(de))
		}
		return nil, fmt.Errorf("%w: %v", ErrBadDictionary, err)
	}
	for _, name := range sortedKeys(d.Events) {
		if _, err := ParseRole(d.Events[name]); err != nil {
			return nil, errAt(body, []string{"events", name}, fmt.Errorf("event %q: %w", name, err))
		}
	}
	if _, err := d.Calendar(); err != nil {
		key := "zone"
		if _, bad := NewCalendar(d.Zone); bad == nil {
			key = "week_start"
		}
		return nil, errAt(body, []string{key}, err)
	}
	if d.Starts != "complete" && d.Starts != "partial" {
		return nil, errAt(body, []string{"starts"}, fmt.Errorf("starts is %q: use complete or partial", d.Starts))
	}
	if d.Negative != "refund" && d.Negative != "purchase" {
		return nil, errAt(body, []string{"negative"}, fmt.Errorf("negative is %q: use refund or purchase", d.Negative))
	}
	if path, err := d.validateAnswers(); err != nil {
		return nil, errAt(body, path, err)
	}
	if path, err := d.Affinity.validate(); err != nil {
		return nil, errAt(body, append([]string{"affinity"}, path...), err)
	}
	return d, nil
}

// Format writes the dictionary as TOML with its comments, keys sorted: equal
// dictionaries give equal bytes.
func (d *Dictionary) Format() []byte {
	body, err := toml.Marshal(d)
	if err != nil {
		panic(err) // strings, bools and lists of strings always marshal
	}
	return body
}

// Calendar is the calendar the dictionary asks for.
func (d *Dictionary) Calendar() (*Calendar, error) {
	c, err := NewCalendar(d.Zone)
	if err != nil {
		return nil, err
	}
	for w := range 7 {
		if strings.EqualFold(d.WeekStart, Day(w+3).Weekday().String()) {
			return c.With(Day(w+3).Weekday(), 1), nil
		}
	}
	return nil, fmt.Errorf("week_start is %q: use monday … sunday", d.WeekStart)
}

// Roles is what each of a data version's event names means.
type Roles struct {
	byName   []Role
	negative Role
}

// Roles resolves the dictionary against a data version.
func (d *Dictionary) Roles(in *Info) *Roles {
	r := &Roles{byName: make([]Role, len(in.Names)), negative: Refund}
	if d.Negative == "purchase" {
		r.negative = Purchase
	}
	for i, n := range in.Names {
		r.byName[i] = Use
		if w, ok := d.Events[n.Name]; ok {
			if role, err := ParseRole(w); err == nil {
				r.byName[i] = role
			}
		}
	}
	return r
}

// Of is what an event means; amount may be NoMoney.
func (r *Roles) Of(name NameID, amount Money) Role {
	role := r.byName[name]
	if role&Purchase != 0 && amount < 0 && amount != NoMoney && r.negative != Purchase {
		role = role&^Purchase | r.negative
	}
	return role
}

// Name is what the name means when no amount is looked at.
func (r *Roles) Name(name NameID) Role { return r.byName[name] }

// NeedsAmount says whether Of depends on the amount: a scan must then ask for it.
func (r *Roles) NeedsAmount() bool {
	if r.negative == Purchase {
		return false
	}
	for _, x := range r.byName {
		if x&Purchase != 0 {
			return true
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
