package value

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dwell/model"
	"dwell/sample/reference"
)

// near compares with a relative tolerance.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*math.Max(math.Abs(want), 1e-9)) {
		t.Errorf("%s: %.10g, want %.10g", what, got, want)
	}
}

// within compares with an absolute tolerance.
func within(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: %.10g, want %.10g", what, got, want)
	}
}

// A buyer is one line of a summary: her history and the mean of her repeat days.
type buyer struct {
	History
	zbar float64
}

// summary is the published customer summary of CDNOW's sample.
func summary(t *testing.T) map[string]buyer {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(reference.Data(t, "cdnow/cdnow_customers_summary_with_transactions.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]buyer{}
	for _, r := range rows[1:] {
		x, _ := strconv.Atoi(r[1])
		out[r[0]] = buyer{History{x, number(t, r[2]), number(t, r[3])}, number(t, r[4])}
	}
	return out
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A shop is a purchase log by buyer: buying days, ascending, and what each brought.
type shop map[string]*log

type log struct {
	days  []model.Day
	spent []float64
}

// cdnow reads one of CDNOW's logs; field is the place of the buyer's id.
func cdnow(t *testing.T, name string, field int) shop {
	t.Helper()
	in := bufio.NewScanner(bytes.NewReader(reference.Data(t, "cdnow/"+name)))
	type line struct {
		day   model.Day
		spent float64
	}
	lines := map[string][]line{}
	for in.Scan() {
		w := strings.Fields(in.Text())
		if len(w) < field+4 {
			continue
		}
		id, err := strconv.Atoi(w[field])
		if err != nil {
			continue // the heading
		}
		date := w[field+1]
		d, err := model.ParseDay(date[:4] + "-" + date[4:6] + "-" + date[6:])
		if err != nil {
			t.Fatal(err)
		}
		key := strconv.Itoa(id)
		lines[key] = append(lines[key], line{d, number(t, w[field+3])})
	}
	out := shop{}
	for id, ls := range lines {
		slices.SortStableFunc(ls, func(a, b line) int { return int(a.day - b.day) })
		b := &log{}
		for _, l := range ls {
			if n := len(b.days); n > 0 && b.days[n-1] == l.day {
				b.spent[n-1] += l.spent
			} else {
				b.days, b.spent = append(b.days, l.day), append(b.spent, l.spent)
			}
		}
		out[id] = b
	}
	return out
}

// cut is everybody as of a day; buyers of later are left out.
func (s shop) cut(t *testing.T, day model.Day) map[string]buyer {
	t.Helper()
	out := map[string]buyer{}
	for id, b := range s {
		h, err := HistoryOf(b.days, day)
		if err != nil {
			continue
		}
		var sum float64
		for i := 1; i <= h.Repeats; i++ {
			sum += b.spent[i]
		}
		out[id] = buyer{h, sum / math.Max(1, float64(h.Repeats))}
	}
	return out
}

func sampleOf(bs map[string]buyer) *Sample {
	s := &Sample{}
	for _, b := range bs {
		s.Add(b.History)
	}
	return s
}

// A peerFit is one block of btyd_cdnow_lifetimes.json.
type peerFit struct {
	Parameters    map[string]float64 `json:"parameters"`
	LogLikelihood float64            `json:"log_likelihood"`
	N             int                `json:"n"`
	SE            map[string]float64 `json:"standard_errors"`
	AliveMean     float64            `json:"p_alive_mean"`
	Next39        struct {
		Sum, Mean, Max float64
	} `json:"expected_purchases_next_39"`
	Next52 struct {
		Sum, Mean, Max float64
	} `json:"expected_purchases_next_52"`
	New       map[string]float64 `json:"unconditional_expected_purchases_new_customer"`
	Customers []struct {
		ID    string
		Alive float64 `json:"p_alive"`
		E39   float64 `json:"expected_purchases_next_39"`
		E52   float64 `json:"expected_purchases_next_52"`
		Spend float64 `json:"expected_average_spend"`
		CLV   float64 `json:"clv_12m"`
	}
	CLV struct {
		Sum, Mean, Max float64
	} `json:"clv_12_months_discount_0.01_per_month"`
	PopulationSpend float64 `json:"population_mean_expected_spend_pv_over_q_minus_1"`
	RepeatSpend     float64 `json:"expected_spend_mean_over_repeat_customers"`
}

func lifetimes(t *testing.T) map[string]peerFit {
	t.Helper()
	var raw map[string]json.RawMessage
	reference.JSON(t, "btyd_cdnow_lifetimes.json", &raw)
	out := map[string]peerFit{}
	for k, v := range raw {
		var p peerFit
		if json.Unmarshal(v, &p) == nil && p.Parameters != nil {
			out[k] = p
		}
	}
	return out
}

func (p peerFit) params(k Kind) (out Params) {
	for i, n := range k.Names() {
		out[i] = p.Parameters[n]
	}
	return out
}

// against fits the buyers and compares with the peer's fit.
func (p peerFit) against(t *testing.T, k Kind, bs map[string]buyer) *Repeat {
	t.Helper()
	s := sampleOf(bs)
	if p.N != 0 && int(s.Buyers()) != p.N {
		t.Fatalf("%d buyers, the peer has %d", s.Buyers(), p.N)
	}
	m, err := Fit(k, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s %.6f: %s", k, m.Params, m.Convergence.Sentence())
	if p.LogLikelihood != 0 {
		within(t, "log-likelihood", m.Convergence.LogLikelihood, p.LogLikelihood, 0.01)
		within(t, "log-likelihood at the peer's parameters", LogLikelihood(k, s, p.params(k)), p.LogLikelihood, 0.01)
	}
	if m.Convergence.LogLikelihood < LogLikelihood(k, s, p.params(k))-1e-6 {
		t.Errorf("the peer's parameters are likelier: %.6f and ours %.6f", LogLikelihood(k, s, p.params(k)), m.Convergence.LogLikelihood)
	}
	for i, n := range k.Names() {
		near(t, n, m.Params[i], p.Parameters[n], 1e-3)
		if p.SE != nil {
			near(t, "standard error of "+n, m.SE[i], p.SE[n], 1e-2)
		}
	}
	var alive, e39, e52 float64
	for _, b := range bs {
		alive += m.Alive(b.History) / float64(len(bs))
		e39 += m.Expected(b.History, 39)
		e52 += m.Expected(b.History, 52)
	}
	if p.AliveMean != 0 {
		near(t, "mean P(alive)", alive, p.AliveMean, 1e-3)
	}
	if p.Next39.Sum != 0 {
		near(t, "purchases in 39 weeks", e39, p.Next39.Sum, 1e-3)
	}
	if p.Next52.Sum != 0 {
		near(t, "purchases in 52 weeks", e52, p.Next52.Sum, 1e-3)
	}
	for w, want := range p.New {
		near(t, "purchases of a new buyer in "+w, m.New(number(t, w)), want, 1e-3)
	}
	for _, c := range p.Customers {
		h := bs[c.ID].History
		near(t, "P(alive) of "+c.ID, m.Alive(h), c.Alive, 1e-3)
		near(t, "39 weeks of "+c.ID, m.Expected(h, 39), c.E39, 1e-3)
		if c.E52 != 0 {
			near(t, "52 weeks of "+c.ID, m.Expected(h, 52), c.E52, 1e-3)
		}
	}
	return m
}

func TestPeerSample(t *testing.T) {
	bs, peers := summary(t), lifetimes(t)
	bg := peers["bgnbd_sample_published_summary"].against(t, BG, bs)
	peers["gamma_gamma_sample_published_summary"].spendAgainst(t, bg, bs)
	peers["modified_bgnbd_sample_published_summary"].against(t, MBG, bs)
	peers["pnbd_sample_published_summary"].against(t, Pareto, bs)
	day := model.DayOf(1997, 9, 30)
	peers["bgnbd_sample_from_raw_log"].against(t, BG, cdnow(t, "CDNOW_sample.txt", 1).cut(t, day))
}

func TestPeerMaster(t *testing.T) {
	all, peers := cdnow(t, "CDNOW_master.txt.gz", 0), lifetimes(t)
	for name, day := range map[string]model.Day{"calibration_to_1997-09-30": model.DayOf(1997, 9, 30), "full_to_1998-06-30": model.DayOf(1998, 6, 30)} {
		bs := all.cut(t, day)
		bg := peers["bgnbd_master_"+name].against(t, BG, bs)
		peers["gamma_gamma_master_"+name].spendAgainst(t, bg, bs)
	}
}

func spendingOf(bs map[string]buyer) *Spending {
	s := &Spending{}
	for _, b := range bs {
		s.Add(b.Repeats, b.zbar)
	}
	return s
}

// clv is the peer's definition of value in the next year.
var clv = Discount{Steps: 12, Weeks: Month, Rate: 0.01}

// spendAgainst compares spending and value with the peer, both fits being ours.
func (p peerFit) spendAgainst(t *testing.T, m *Repeat, bs map[string]buyer) {
	t.Helper()
	s := spendingOf(bs)
	g, err := FitSpend(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("spending %.6f %.6f %.6f: %s", g.P, g.Q, g.V, g.Convergence.Sentence())
	if int(g.Buyers) != p.N {
		t.Errorf("%d buyers, the peer has %d", g.Buyers, p.N)
	}
	within(t, "log-likelihood of spending", g.Convergence.LogLikelihood, p.LogLikelihood, 0.01)
	within(t, "the same at the peer's parameters", SpendLogLikelihood(s, p.Parameters["p"], p.Parameters["q"], p.Parameters["v"]), p.LogLikelihood, 0.01)
	near(t, "p", g.P, p.Parameters["p"], 1e-3)
	near(t, "q", g.Q, p.Parameters["q"], 1e-3)
	near(t, "v", g.V, p.Parameters["v"], 1e-3)
	near(t, "mean spend", g.Mean(), p.PopulationSpend, 1e-3)
	var sum, most, own, n float64
	for _, b := range bs {
		w := m.Worth(b.History, g.Expected(b.Repeats, b.zbar), clv)
		sum += w
		most = max(most, w)
		if b.Repeats > 0 && b.zbar > 0 {
			own += g.Expected(b.Repeats, b.zbar)
			n++
		}
	}
	near(t, "sum of values", sum, p.CLV.Sum, 1e-3)
	near(t, "largest value", most, p.CLV.Max, 1e-3)
	near(t, "mean spend of repeat buyers", own/n, p.RepeatSpend, 1e-3)
	for _, c := range p.Customers {
		b := bs[c.ID]
		near(t, "spend of "+c.ID, g.Expected(b.Repeats, b.zbar), c.Spend, 1e-3)
		near(t, "value of "+c.ID, m.Worth(b.History, g.Expected(b.Repeats, b.zbar), clv), c.CLV, 1e-3)
	}
}

// The R package BTYD: its optimiser stops earlier, so the likelihood at its own
// parameters is compared as well as ours.
func TestPeerR(t *testing.T) {
	type fit struct {
		Parameters    map[string]float64
		LogLikelihood float64 `json:"log_likelihood"`
		AliveMean     float64 `json:"p_alive_mean"`
		Sum39         float64 `json:"expected_39_sum"`
		Customers     []struct {
			ID    int
			Alive float64 `json:"p_alive"`
			E39   float64 `json:"expected_purchases_next_39"`
			Spend float64 `json:"expected_average_spend"`
		}
	}
	var file struct {
		Result struct {
			BG    fit `json:"bgnbd"`
			PN    fit `json:"pnbd"`
			Gamma fit `json:"gamma_gamma"`
		}
	}
	reference.JSON(t, "btyd_cdnow_R.json", &file)
	bs := summary(t)
	s := sampleOf(bs)
	for k, p := range map[Kind]fit{BG: file.Result.BG, Pareto: file.Result.PN} {
		m, err := Fit(k, s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		within(t, "log-likelihood", m.Convergence.LogLikelihood, p.LogLikelihood, 0.01)
		theirs := &Repeat{Kind: k}
		for i, n := range k.Names() {
			theirs.Params[i] = p.Parameters[n]
			near(t, n, m.Params[i], p.Parameters[n], 1e-3)
		}
		within(t, "log-likelihood at theirs", LogLikelihood(k, s, theirs.Params), p.LogLikelihood, 1e-6)
		for _, m := range []*Repeat{m, theirs} {
			tol := 1e-3
			if m == theirs {
				tol = 1e-8 // the formulas alone
			}
			var alive, sum float64
			for _, b := range bs {
				alive += m.Alive(b.History) / float64(len(bs))
				sum += m.Expected(b.History, 39)
			}
			near(t, "mean P(alive)", alive, p.AliveMean, tol)
			near(t, "purchases in 39 weeks", sum, p.Sum39, tol)
			for _, c := range p.Customers {
				h := bs[strconv.Itoa(c.ID)].History
				near(t, "P(alive)", m.Alive(h), c.Alive, tol)
				near(t, "39 weeks", m.Expected(h, 39), c.E39, tol)
			}
		}
	}
	p := file.Result.Gamma
	g := &Spend{P: p.Parameters["p"], Q: p.Parameters["q"], V: p.Parameters["gamma"]}
	for _, c := range p.Customers {
		b := bs[strconv.Itoa(c.ID)]
		near(t, "spend", g.Expected(b.Repeats, b.zbar), c.Spend, 1e-8)
	}
}

// Fader, Hardie and Lee (2005), table 2, of the same 2357 customers.
func TestPublishedCDNOW(t *testing.T) {
	s := sampleOf(summary(t))
	for k, want := range map[Kind]struct {
		p  Params
		ll float64
	}{
		BG:     {Params{0.243, 4.414, 0.793, 2.426}, -9582.4},
		Pareto: {Params{0.553, 10.578, 0.606, 11.669}, -9595.0},
	} {
		m, err := Fit(k, s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		within(t, "log-likelihood", m.Convergence.LogLikelihood, want.ll, 0.05)
		for i := range want.p {
			near(t, k.Names()[i], m.Params[i], want.p[i], 2e-3)
		}
	}
}
