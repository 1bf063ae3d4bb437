package ingest

import "encoding/binary"

// A dateCache remembers the days of dates as they are written: a column has few, and
// taking 2024-01-31T12:30:00Z apart is mostly finding out what day that is. It is
// one worker's own.
type dateCache struct{ slots [512]cachedDate }

// A cachedDate is a date of ten bytes, by its first and last eight.
type cachedDate struct {
	first, last uint64
	ms          int64
}

// parse is timeParser.parse. Where the text is a known date, T or a blank, and
// HH:MM:SS, alone or with Z, it needs three numbers compared and two multiplied.
func (c *dateCache) parse(b []byte, p *timeParser) (st stamp, ok bool) {
	n := len(b)
	if p.form != formISO || n != 19 && (n != 20 || b[19] != 'Z') || b[10] != 'T' && b[10] != ' ' {
		return p.parse(b)
	}
	first, last := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[2:])
	slot := &c.slots[last*0x9E3779B97F4A7C15>>55]
	if slot.first != first || slot.last != last {
		date, ok := parseISO(b[:10])
		if !ok || !date.dated {
			return p.parse(b)
		}
		*slot = cachedDate{first, last, date.ms}
	}
	// The bytes of HH:MM:SS less those of 00:00:00 are 0 to 9, and 0 for the colons.
	d := binary.LittleEndian.Uint64(b[11:]) ^ 0x30303A30303A3030
	if (d|(d+0x76767F76767F7676))&0x8080808080808080 != 0 {
		return p.parse(b)
	}
	h, m, s := d&0xFF*10+d>>8&0xFF, d>>24&0xFF*10+d>>32&0xFF, d>>48&0xFF*10+d>>56
	if h > 23 || m > 59 || s > 59 {
		return p.parse(b)
	}
	return stamp{ms: slot.ms + int64(h*3_600_000+m*60_000+s*1000), zoned: n == 20}, true
}
