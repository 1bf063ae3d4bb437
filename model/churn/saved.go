package churn

import (
	"errors"
	"fmt"
	"math"

	"github.com/pelletier/go-toml/v2"
)

// A Saved is a trained model as it lies on the shelf: what was asked, of which
// data, and what it was worth.
type Saved struct {
	Question Question `toml:"question"`
	Address  string   `toml:"address" comment:"the question whose model this is"`
	Data     string   `toml:"data" comment:"hash of the data version it was trained on"`
	Model    string   `toml:"stage_model" comment:"hash of the stage model whose numbers its measures use"`
	Seed     uint64   `toml:"seed" comment:"of the training: trees are grown on users drawn by it, the other kinds draw nothing"`
	Train    string   `toml:"train" comment:"last day that the training's features know"`
	Test     string   `toml:"test" comment:"last day that the test's features know; its outcomes are the horizon's days after"`

	Quality SavedQuality `toml:"quality" comment:"on the test, whose outcomes the training did not see"`
	Fitted  Model        `toml:"fitted"`
}

// A SavedQuality is a Quality in short.
type SavedQuality struct {
	Users      int     `toml:"users"`
	BaseRate   float64 `toml:"base_rate"`
	AUC        float64 `toml:"auc"`
	Lo         float64 `toml:"auc_lo"`
	Hi         float64 `toml:"auc_hi"`
	Brier      float64 `toml:"brier"`
	Skill      float64 `toml:"skill"`
	LogLoss    float64 `toml:"log_loss"`
	RecencyAUC float64 `toml:"recency_auc" comment:"of the baseline that knows recency alone"`
	RuleAUC    float64 `toml:"rule_auc" comment:"of the 30 % rule"`
	Verdict    string  `toml:"verdict"`
}

// ErrBadModel wraps every error of ParseSaved.
var ErrBadModel = errors.New("the churn model cannot be used")

// Format writes the model as TOML; equal models give equal bytes.
func (s *Saved) Format() ([]byte, error) {
	body, err := toml.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write the churn model: %w", err)
	}
	return body, nil
}

// ParseSaved reads a model back and checks that it can predict.
func ParseSaved(body []byte) (*Saved, error) {
	var s Saved
	if err := toml.Unmarshal(body, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadModel, err)
	}
	m := &s.Fitted
	if m.Kind == "" {
		m.Kind = LogisticKind // written before there were others
	}
	switch {
	case m.Kind == BoostingKind && m.Forest == nil, m.Kind == HazardKind && m.Rhythm == nil:
		return nil, fmt.Errorf("%w: it is called %s and holds none", ErrBadModel, m.Kind)
	case m.Kind == BoostingKind:
		if err := m.Forest.check(len(m.Features)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadModel, err)
		}
	case m.Kind == HazardKind && !m.Rhythm.sound(len(m.Features)):
		return nil, fmt.Errorf("%w: its rhythm is not whole", ErrBadModel)
	case m.Kind != LogisticKind && m.Kind != HazardKind:
		return nil, fmt.Errorf("%w: %q is not a kind of model", ErrBadModel, m.Kind)
	}
	if n := m.Near; n != nil {
		whole := len(n.Precision) == len(n.Features)*len(n.Features)
		for _, at := range n.Features {
			whole = whole && at >= 0 && at < len(m.Features) && m.Features[at].SD > 0
		}
		if !whole {
			return nil, fmt.Errorf("%w: what it knows of the training users is not whole", ErrBadModel)
		}
	}
	if len(m.Features) == 0 || s.Question.Horizon < 1 {
		return nil, fmt.Errorf("%w: it has no features, or no horizon", ErrBadModel)
	}
	ok := finite(m.Intercept)
	for _, f := range m.Features {
		if f.Column < 0 || f.Column >= len(m.Columns) {
			return nil, fmt.Errorf("%w: feature %q stands on column %d of %d", ErrBadModel, f.Name, f.Column, len(m.Columns))
		}
		ok = ok && finite(f.Coef) && finite(f.Mean) && finite(f.Fill) && f.Lo <= f.Hi
	}
	if !ok {
		return nil, fmt.Errorf("%w: a number in it is not finite", ErrBadModel)
	}
	return &s, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
