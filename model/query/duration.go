package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// durationWords are the units of durations in addresses, longest spelling first.
var durationWords = []struct {
	word string
	ms   int64
}{{"min", 60_000}, {"w", 7 * 86_400_000}, {"d", 86_400_000}, {"h", 3_600_000}, {"s", 1000}}

// parseDuration reads a whole number with a unit, as addresses have it: 90s,
// 30min, 1h, 7d, 2w. A day is 24 hours. The result is in ms.
func parseDuration(s string) (int64, error) {
	for _, u := range durationWords {
		digits, ok := strings.CutSuffix(s, u.word)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || digits != strconv.FormatInt(n, 10) || n > 1_000_000_000 {
			break
		}
		return n * u.ms, nil
	}
	return 0, fmt.Errorf("%q is not a length of time: write a whole number and s, min, h, d or w, as 30min or 7d", s)
}

// durationText writes ms in the largest two units that say it: 6 min 19 s, 3 d 4 h.
func durationText(ms int64) string {
	if ms < 0 {
		return "−" + durationText(-ms)
	}
	d := time.Duration(ms) * time.Millisecond
	days, hours, minutes, seconds := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60, int(d/time.Second)%60
	two := func(a int, x string, b int, y string) string {
		if b == 0 {
			return fmt.Sprintf("%d %s", a, x)
		}
		return fmt.Sprintf("%d %s %d %s", a, x, b, y)
	}
	switch {
	case days > 0:
		return two(days, "d", hours, "h")
	case hours > 0:
		return two(hours, "h", minutes, "min")
	case minutes > 0:
		return two(minutes, "min", seconds, "s")
	case d < time.Second && d > 0:
		return "under 1 s"
	}
	return fmt.Sprintf("%d s", seconds)
}
