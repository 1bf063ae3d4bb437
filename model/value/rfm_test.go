package value

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/stat"
	"dwell/sample/reference"
)

// peerRFM is the RFM block of the event files.
type peerRFM struct {
	N          int
	Thresholds map[string][]float64
	Counts     map[string]map[string]int `json:"score_counts_threshold"`
	Cells      map[string]int            `json:"cells_threshold"`
	Customers  []struct {
		ID      string
		R, F, M float64
		Code    string `json:"threshold_RFM"`
	}
}

// spentMoney is what a line brought, in millionths.
func spentMoney(t *testing.T, quantity int64, price string) model.Money {
	t.Helper()
	p, ok := model.MoneyOf(number(t, price))
	if !ok {
		t.Fatalf("price %s", price)
	}
	return p * model.Money(quantity)
}

// retailRFM are Online Retail's customers by their purchases, as the peer counts
// them: invoices, and days to the day after the last.
func retailRFM(t *testing.T) map[string]RFM {
	t.Helper()
	in := csv.NewReader(bytes.NewReader(reference.Data(t, "online_retail/online_retail.csv.gz")))
	rows, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	type customer struct {
		last     model.Day
		invoices map[string]bool
		sum      model.Money
	}
	all := map[string]*customer{}
	var last model.Day
	for _, r := range rows[1:] {
		id, invoice := strings.TrimSuffix(r[at["CustomerID"]], ".0"), r[at["InvoiceNo"]]
		if id == "" || strings.HasPrefix(invoice, "C") {
			continue
		}
		c := all[id]
		if c == nil {
			c = &customer{invoices: map[string]bool{}}
			all[id] = c
		}
		day, err := model.ParseDay(r[at["InvoiceDate"]][:10])
		if err != nil {
			t.Fatal(err)
		}
		q, err := strconv.ParseInt(r[at["Quantity"]], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		c.last, last = max(c.last, day), max(last, day)
		c.invoices[invoice] = true
		c.sum += spentMoney(t, q, r[at["UnitPrice"]])
	}
	out := map[string]RFM{}
	for id, c := range all {
		out[id] = RFM{int32(last + 1 - c.last), int32(len(c.invoices)), c.sum}
	}
	return out
}

// cdnowRFM are CDNOW's customers by their buying days.
func cdnowRFM(t *testing.T) map[string]RFM {
	t.Helper()
	out := map[string]RFM{}
	end := model.DayOf(1998, 7, 1)
	for id, b := range cdnow(t, "CDNOW_master.txt.gz", 0) {
		u := RFM{int32(end - b.days[len(b.days)-1]), int32(len(b.days)), 0}
		for _, x := range b.spent {
			m, _ := model.MoneyOf(x)
			u.Monetary += m
		}
		out[id] = u
	}
	return out
}

func (p peerRFM) against(t *testing.T, all map[string]RFM) {
	t.Helper()
	users := make([]RFM, 0, len(all))
	var columns [3][]float64
	for _, u := range all {
		users = append(users, u)
		for d, x := range [3]float64{float64(u.DaysSince), float64(u.Frequency), u.Monetary.Float()} {
			columns[d] = append(columns[d], x)
		}
	}
	s, err := NewScale(users)
	if err != nil || s.Users != p.N {
		t.Fatal(s, err)
	}
	codes := map[string]int{}
	for _, u := range users {
		codes[s.Score(u).String()]++
	}
	for c, n := range p.Cells {
		if codes[c] != n {
			t.Errorf("%s holds %d users, the peer has %d", c, codes[c], n)
		}
		delete(codes, c)
	}
	if len(codes) > 0 {
		t.Errorf("the peer has nobody in %v", codes)
	}
	for d, name := range []string{"R", "F", "M"} {
		slices.Sort(columns[d])
		for k, want := range p.Thresholds[name] {
			q, _ := stat.Quantile(columns[d], float64(k+1)/5)
			within(t, "cut of "+name, q, want, 1e-6)
		}
		for score, n := range s.Used(d) {
			if n != p.Counts[name][strconv.Itoa(score+1)] {
				t.Errorf("%d users have %s %d, the peer has %d", n, name, score+1, p.Counts[name][strconv.Itoa(score+1)])
			}
		}
		if s.Scores(d) != len(p.Counts[name]) {
			t.Errorf("%s has %d scores", name, s.Scores(d))
		}
	}
	for _, c := range p.Customers {
		u := all[c.ID]
		if float64(u.DaysSince) != c.R || float64(u.Frequency) != c.F || math.Abs(u.Monetary.Float()-c.M) > 1e-6 || s.Score(u).String() != c.Code {
			t.Errorf("%s: %+v, code %s; the peer has %+v", c.ID, u, s.Score(u), c)
		}
	}
}

// A peerFile is what an event file says of value.
type peerFile struct {
	RFM          peerRFM               `json:"rfm"`
	KMeans       map[string]peerKMeans `json:"kmeans_rfm"`
	BoughtRFM    peerRFM               `json:"rfm_purchase_only"`
	BoughtKMeans map[string]peerKMeans `json:"kmeans_rfm_purchase_only"`
}

func TestPeerRetail(t *testing.T) {
	var p peerFile
	reference.JSON(t, "events_online_retail.json", &p)
	all := retailRFM(t)
	p.BoughtRFM.against(t, all)
	kmeansAgainst(t, all, p.BoughtKMeans)
}

func TestPeerCDNOW(t *testing.T) {
	var p peerFile
	reference.JSON(t, "events_cdnow.json", &p)
	all := cdnowRFM(t)
	p.RFM.against(t, all)
	kmeansAgainst(t, all, p.KMeans)
}

// V11: eleven cells cover 125 codes once each.
func TestCellsCoverCodesOnce(t *testing.T) {
	seen := map[Code]Cell{}
	if len(Cells()) != 11 {
		t.Errorf("%d cells", len(Cells()))
	}
	for _, c := range Cells() {
		if len(c.Codes()) == 0 || c.Title() == "" || c.Meaning() == "" || c.String() == "" {
			t.Errorf("cell %d is empty", c)
		}
		// The declared text itself, not the index made from it.
		for _, w := range strings.Fields(cellCodes[c]) {
			code := Code{w[0] - '0', w[1] - '0', w[2] - '0'}
			if before, there := seen[code]; there {
				t.Errorf("%s is in %s and in %s", code, before, c)
			}
			seen[code] = c
			if code.Cell() != c || !slices.Contains(c.Codes(), code) {
				t.Errorf("%s is declared in %s and found in %s", code, c, code.Cell())
			}
		}
	}
	n := 0
	for r := uint8(1); r <= 5; r++ {
		for f := uint8(1); f <= 5; f++ {
			for m := uint8(1); m <= 5; m++ {
				code := Code{r, f, m}
				if _, there := seen[code]; !there {
					t.Errorf("%s is in no cell", code)
				}
				if CodeAt(code.Index()) != code {
					t.Errorf("%s has index %d", code, code.Index())
				}
				n++
			}
		}
	}
	if n != 125 || len(seen) != 125 {
		t.Errorf("%d codes, %d in cells", n, len(seen))
	}
}

// A slow obvious scoring: type-7 quantiles in fractions of fifths.
func slowScore(values []int64, v int64) int {
	s := slices.Clone(values)
	slices.Sort(s)
	score := 1
	for k := int64(1); k <= 4; k++ {
		h := k * int64(len(s)-1)
		i := h / 5
		cut := 5 * s[i]
		if h%5 > 0 {
			cut += h % 5 * (s[i+1] - s[i])
		}
		if 5*v > cut {
			score++
		}
	}
	return score
}

func TestScaleLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) RFM {
			return RFM{int32(rapid.IntRange(0, 30).Draw(t, "days")), int32(rapid.IntRange(1, 6).Draw(t, "n")), model.Money(rapid.IntRange(-3, 40).Draw(t, "m"))}
		}), 1, 60).Draw(t, "users")
		s, err := NewScale(users)
		if err != nil {
			t.Fatal(err)
		}
		var days, often, money []int64
		for _, u := range users {
			days, often, money = append(days, int64(u.DaysSince)), append(often, int64(u.Frequency)), append(money, int64(u.Monetary))
		}
		for _, u := range users {
			want := Code{uint8(6 - slowScore(days, int64(u.DaysSince))), uint8(slowScore(often, int64(u.Frequency))), uint8(slowScore(money, int64(u.Monetary)))}
			if got := s.Score(u); got != want {
				t.Fatalf("%+v scores %s, by fractions %s", u, got, want)
			}
		}
		for d := range 3 {
			n := 0
			for _, k := range s.Used(d) {
				n += k
			}
			if n != len(users) {
				t.Fatalf("dimension %d counts %d of %d users", d, n, len(users))
			}
		}
	})
	if _, err := NewScale(nil); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
	// All alike: one score each, and it is the lowest quintile's.
	s, _ := NewScale([]RFM{{3, 1, 5}, {3, 1, 5}, {3, 1, 5}})
	if got := s.Score(RFM{3, 1, 5}); got != (Code{5, 1, 1}) || s.Scores(0) != 1 {
		t.Error(got)
	}
}

func TestTiers(t *testing.T) {
	r := DefaultTiers()
	values := []model.Money{100, 90, 80, 80, 80, 5, 4, 0, -3, model.NoMoney}
	tiers := r.Cut(values)
	var got []int
	for _, v := range values {
		got = append(got, tiers.Of(v))
	}
	if want := []int{0, 0, 1, 1, 1, 2, 2, 2, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("tiers %v, want %v", got, want)
	}
	// A tie is never parted, and nobody who brought nothing is above the lowest.
	tiers = r.Cut([]model.Money{7, 7, 7, 7, 0, 0, 0, 0, 0, 0})
	if tiers.Of(7) != 0 || tiers.Of(0) != 2 {
		t.Errorf("%+v", tiers)
	}
	if tiers = r.Cut([]model.Money{0, 0}); tiers.Of(0) != 2 || tiers.Of(1) != 0 {
		t.Errorf("%+v", tiers)
	}
	if tiers = r.Cut(nil); tiers.Of(1) != 0 {
		t.Errorf("%+v", tiers)
	}
	a, err := ParseTiers("amount:1000,200")
	if err != nil {
		t.Fatal(err)
	}
	tiers = a.Cut(values)
	if tiers.Of(1000*model.Unit) != 0 || tiers.Of(999*model.Unit) != 1 || tiers.Of(199*model.Unit) != 2 {
		t.Errorf("%+v", tiers)
	}
	for _, s := range []string{"share:0.2,0.5", "amount:1000,200", "share:0.01", "amount:0.5"} {
		r, err := ParseTiers(s)
		if err != nil || r.String() != s || len(r.Names()) != len(r.Shares)+len(r.Thresholds)+1 {
			t.Errorf("%q: %+v %v", s, r, err)
		}
	}
	for _, s := range []string{"", "share", "share:", "share:0", "share:1", "share:0.5,0.2", "share:NaN", "share:0.1,0.2,0.3,0.4,0.5", "amount:0", "amount:-1", "amount:1,2", "amount:1e30", "best:3"} {
		if _, err := ParseTiers(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestSplit(t *testing.T) {
	// By hand: 10 users × 2 orders × 5.00 = 100.00 → 20 users × 2 orders × 5.00:
	// users alone.
	u := model.Unit
	c, err := Split(Takings{10, 20, 100 * u, 0}, Takings{20, 40, 200 * u, 0})
	if err != nil || c != (Change{Total: 100 * u, Users: 100 * u}) {
		t.Errorf("%+v %v", c, err)
	}
	// 1 × 1 × 1 → 2 × 2 × 2: symmetrical, 7 parted in three, the rounding kept.
	c, _ = Split(Takings{1, 1, 1, 0}, Takings{2, 4, 8, 0})
	if c.Users+c.Orders+c.Amount != 7 || c.Total != 7 {
		t.Errorf("%+v", c)
	}
	// From nothing: all of it is users'.
	c, _ = Split(Takings{}, Takings{3, 7, 70 * u, 10 * u})
	if c != (Change{Total: 60 * u, Users: 70 * u, Refund: -10 * u}) {
		t.Errorf("%+v", c)
	}
	c, _ = Split(Takings{3, 7, 70 * u, 0}, Takings{0, 0, 0, 5 * u})
	if c != (Change{Total: -75 * u, Users: -70 * u, Refund: -5 * u}) {
		t.Errorf("%+v", c)
	}
	if c, err = Split(Takings{}, Takings{}); err != nil || c != (Change{}) {
		t.Errorf("%+v %v", c, err)
	}
	if _, err = Split(Takings{1, 1, math.MinInt64 + 1, 0}, Takings{1, 1, math.MaxInt64, 0}); !errors.Is(err, model.ErrOverflow) {
		t.Error(err)
	}
	// Laws: the parts add up; turning time around turns every sign; a factor that
	// does not move has no part (but for the last millionths of rounding).
	rng := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		draw := func() Takings {
			n := rng.Int64N(50)
			o := n + rng.Int64N(80)
			if n == 0 {
				o = 0
			}
			var g model.Money
			if o > 0 {
				g = model.Money(rng.Int64N(1e12))
			}
			return Takings{n, o, g, model.Money(rng.Int64N(1e9))}
		}
		a, b := draw(), draw()
		c, err := Split(a, b)
		if err != nil || c.Users+c.Orders+c.Amount+c.Refund != c.Total || c.Total != b.Net()-a.Net() {
			t.Fatalf("%+v → %+v: %+v %v", a, b, c, err)
		}
		back, _ := Split(b, a)
		for _, p := range [][2]model.Money{{c.Users, back.Users}, {c.Orders, back.Orders}, {c.Amount, back.Amount}, {c.Refund, back.Refund}} {
			if abs(p[0]+p[1]) > 2 {
				t.Fatalf("%+v → %+v: %+v and back %+v", a, b, c, back)
			}
		}
		if a.Users == b.Users && abs(c.Users) > 2 {
			t.Fatalf("as many users, yet their part is %v", c.Users)
		}
	}
}

func TestSteps(t *testing.T) {
	u := model.Unit
	steps := func(grace int, subs ...Subscription) []Step {
		t.Helper()
		s, err := Steps(subs, grace)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	got := steps(0,
		Subscription{0, 30, 10 * u}, Subscription{30, 60, 10 * u}, // renewed on the day: nothing changes
		Subscription{40, 60, 5 * u}, // a second one
		Subscription{60, 90, 10 * u},
		Subscription{100, 130, 20 * u},
		Subscription{7, 7, 3 * u}, Subscription{7, 9, 0}) // neither days nor money
	want := []Step{{0, 0, 10 * u, NewRevenue}, {40, 10 * u, 15 * u, Expansion}, {60, 15 * u, 10 * u, Contraction},
		{90, 10 * u, 0, ChurnedOut}, {100, 0, 20 * u, Reactivated}, {130, 20 * u, 0, ChurnedOut}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	got = steps(10, Subscription{0, 30, 10 * u}, Subscription{40, 70, 10 * u})
	if !slices.Equal(got, []Step{{0, 0, 10 * u, NewRevenue}, {70, 10 * u, 0, ChurnedOut}}) {
		t.Errorf("a late renewal: %+v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		subs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Subscription {
			from := model.Day(rapid.IntRange(0, 60).Draw(t, "from"))
			return Subscription{from, from + model.Day(rapid.IntRange(0, 20).Draw(t, "days")), model.Money(rapid.IntRange(0, 4).Draw(t, "amount"))}
		}), 0, 8).Draw(t, "subs")
		ss, err := Steps(subs, 0)
		if err != nil {
			t.Fatal(err)
		}
		for d := model.Day(0); d <= 85; d++ {
			var paid, sum model.Money
			for _, s := range subs {
				if s.From <= d && d < s.Until {
					paid += s.Monthly
				}
			}
			for _, s := range ss {
				if s.Day <= d {
					sum += s.After - s.Before
				}
			}
			if paid != sum {
				t.Fatalf("on day %d %d is paid, the movements add up to %d", d, paid, sum)
			}
		}
		for i, s := range ss {
			if (s.Movement == NewRevenue) != (i == 0) {
				t.Fatalf("%+v", ss)
			}
		}
	})
	for _, c := range []struct {
		amount       model.Money
		months, days int
		want         model.Money
	}{{120 * u, 12, 0, 10 * u}, {10 * u, 1, 0, 10 * u}, {7 * u, 0, 7, 30_437_500}, {u, 3, 0, 333_333}} {
		if got, err := Monthly(c.amount, c.months, c.days); err != nil || got != c.want {
			t.Errorf("%v for %d months %d days: %v %v, want %v", c.amount, c.months, c.days, got, err, c.want)
		}
	}
	for _, c := range [][3]int64{{-1, 1, 0}, {1, 0, 0}, {int64(model.NoMoney), 1, 0}, {1, -1, 0}} {
		if _, err := Monthly(model.Money(c[0]), int(c[1]), int(c[2])); err == nil {
			t.Errorf("%v is taken", c)
		}
	}
}
