package sample

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand"
	"strconv"
	"time"
)

// A Bulk is made-up events in any number, for measurements: no truth lies behind
// them, only shapes that resemble one: activity per user is skewed (a tenth of
// the users make two in five of the events), users start all over the span, and
// properties have few values. Rows come in time order.
type Bulk struct {
	Events, Users int
	Days          int // span; 365 if 0
	Seed          int64
}

var bulkEvents = [...]string{"open", "open", "open", "open", "search", "search", "share", "purchase", "message_received", "feedback"}

var (
	bulkCountries = [...]string{"DE", "AT", "CH", "FR", "US", "GB", "PL", "IT"}
	bulkPlans     = [...]string{"free", "free", "free", "pro", "team"}
	bulkChannels  = [...]string{"ads", "organic", "referral", "mail"}
)

// Write writes the events as CSV with a header line; the same Bulk gives the
// same bytes. It fails if w does, or without users.
func (b Bulk) Write(w io.Writer) error {
	if b.Users < 1 || b.Events < 1 {
		return fmt.Errorf("%d events of %d users cannot be made", b.Events, b.Users)
	}
	days := b.Days
	if days <= 0 {
		days = 365
	}
	rnd := rand.New(rand.NewSource(b.Seed))
	out := bufio.NewWriterSize(w, 1<<20)
	out.WriteString("user_id,timestamp,event,amount,channel,country,plan\n")
	begin := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	step := float64(days) * 86_400_000 / float64(b.Events)
	var row []byte
	for i := range b.Events {
		at := begin + int64((float64(i)+rnd.Float64())*step)
		// The known users grow with time; among them a power law draws.
		known := max(1, int(float64(b.Users)*math.Sqrt(float64(i+1)/float64(b.Events))))
		u := int(math.Pow(rnd.Float64(), 2) * float64(known))
		// Multiplying by an odd number spreads neighbours without a table.
		h := uint32(u)*2654435761 + 12345
		event := bulkEvents[rnd.Intn(len(bulkEvents))]
		row = append(row[:0], 'u')
		row = strconv.AppendUint(row, uint64(h), 36)
		row = append(row, ',')
		row = time.UnixMilli(at).UTC().AppendFormat(row, "2006-01-02 15:04:05")
		row = append(append(append(row, ','), event...), ',')
		if event == "purchase" {
			row = strconv.AppendFloat(row, float64(1+rnd.Intn(20000))/100, 'f', 2, 64)
		}
		row = append(append(row, ','), bulkChannels[h%4]...)
		row = append(append(row, ','), bulkCountries[h>>2%8]...)
		row = append(append(row, ','), bulkPlans[(int(h>>5)+i*5/b.Events)%5]...)
		row = append(row, '\n')
		if _, err := out.Write(row); err != nil {
			return fmt.Errorf("write the events: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the events: %w", err)
	}
	return nil
}
