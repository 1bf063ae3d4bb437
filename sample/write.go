package sample

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"time"
)

// columns of the file after time, user_id, event and amount.
var columns = []string{"currency", "order_id", "item", "plan", "paid_until", "channel", "country", "device", "arm", "email", "inviter", "alias", "score", "rating", "reason", "topic"}

// Write writes events as CSV with a header line: times as RFC 3339 in UTC, the
// amount in euros with two decimals, an absent property as an empty field. It
// fails if w does, or if an event has a property that is not a column.
func Write(w io.Writer, events []Event) error {
	buf := bufio.NewWriterSize(w, 1<<16)
	out := csv.NewWriter(buf)
	row := append([]string{"time", "user_id", "event", "amount"}, columns...)
	if err := out.Write(row); err != nil {
		return fmt.Errorf("write the header: %w", err)
	}
	for i := range events {
		e := &events[i]
		clear(row)
		row[0], row[1], row[2] = time.UnixMilli(e.Time).UTC().Format(time.RFC3339), e.ID, e.Name
		if e.Priced {
			sign, c := "", e.Cents
			if c < 0 {
				sign, c = "-", -c
			}
			row[3] = fmt.Sprintf("%s%d.%02d", sign, c/100, c%100)
		}
		for _, p := range e.Props {
			k := slices.Index(columns, p.Key)
			if k < 0 {
				return fmt.Errorf("event %d: the file has no column %q", i, p.Key)
			}
			row[4+k] = p.Value
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write event %d: %w", i, err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the events: %w", err)
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("write the events: %w", err)
	}
	return nil
}
