package ingest

import (
	"dwell/model"
)

// store checks the row in vals and appends it to the batch.
func (w *worker) store(line int64) reason {
	p, t := w.plan, &w.out.batch
	user, why := p.userID(trim(w.vals[p.user]))
	if why != accepted {
		return why
	}
	var event []byte
	if p.event >= 0 {
		event = trim(w.vals[p.event])
	}
	if event, why = p.eventName(event); why != accepted {
		return why
	}
	ms, dated, why := w.time(trim(w.vals[p.time]))
	if why != accepted {
		return why
	}
	amount := model.NoMoney
	if p.amount != nil {
		m, rounded, fault := p.amount.eval(w.cellFn, &w.num)
		if why := fault.reason(); why != accepted {
			return why
		}
		if fault == amountOK {
			amount = m
		}
		if rounded {
			w.out.facts.rounded++
		}
	}
	if why := w.properties(); why != accepted {
		return why
	}
	t.Line, t.User, t.Time = append(t.Line, line), append(t.User, user), append(t.Time, ms)
	t.Event, w.dated, w.amount = append(t.Event, event), append(w.dated, dated), append(w.amount, amount)
	w.note(ms)
	return accepted
}

// properties appends the row's property values, all or none.
func (w *worker) properties() reason {
	if w.plan.sx.mode == modeTable {
		return w.tableProperties()
	}
	named := len(w.plan.names)
	for i := len(w.props) - w.base + named; i < len(w.keys); i++ {
		w.addProp(w.keys[i]) // a key no row before had
	}
	for _, c := range w.plan.props {
		if len(w.vals[c]) > MaxValue {
			return longValue
		}
	}
	for _, c := range w.given {
		if c >= named && len(w.vals[c]) > MaxValue {
			return longValue
		}
	}
	for i, c := range w.plan.props {
		v, kind := w.jsonValue(c)
		w.property(i, v, kind)
	}
	n := int32(len(w.out.batch.Time))
	for _, c := range w.given {
		if c < named {
			continue
		}
		i := w.base + c - named
		v, kind := w.jsonValue(c)
		if w.typeAt[i][kind]++; kind == kindNull || kind == kindAbsent {
			continue
		}
		p := &w.props[i]
		p.Values, p.At = append(p.Values, v), append(p.At, n)
	}
	return accepted
}

// jsonValue is what column c of a JSON row holds.
func (w *worker) jsonValue(c int) ([]byte, valueKind) {
	v, kind := trim(w.vals[c]), w.kinds[c]
	if kind == kindText {
		if kind = classify(v); kind != kindTime && kind != kindAbsent && kind != kindNull {
			kind = kindText
		}
	}
	return v, kind
}

// tableProperties is properties of a table, which has the same in every row.
func (w *worker) tableProperties() reason {
	for _, c := range w.plan.props {
		if len(w.vals[c]) > MaxValue {
			return longValue
		}
	}
	for i, c := range w.plan.props {
		v := trim(w.vals[c])
		w.property(i, v, classify(v))
	}
	return accepted
}

// property appends one value to column i.
func (w *worker) property(i int, v []byte, kind valueKind) {
	w.typeAt[i][kind]++
	if kind == kindNull || kind == kindAbsent {
		v = nil
	}
	p := &w.props[i]
	p.Values = append(p.Values, v)
}

// time reads the row's time.
func (w *worker) time(b []byte) (ms int64, dated bool, why reason) {
	if isAbsent(b) {
		return 0, false, noTime
	}
	st, ok := w.dates.parse(b, w.plan.times)
	if !ok {
		return 0, false, badTime
	}
	var day []byte
	if c := w.plan.clock; c >= 0 && st.dated {
		day = trim(w.vals[c])
	}
	return w.place(st, day)
}

// place puts a time as written into its zone and checks its range; day is the time
// of day where it stands in a column of its own.
func (w *worker) place(st stamp, day []byte) (ms int64, dated bool, why reason) {
	if st.dated && !isAbsent(day) { // without one it stays a date alone
		ok := false
		if st, ok = clock(st, day); !ok {
			return 0, false, badTime
		}
		st.dated = false
	}
	ms = st.ms
	if !st.zoned && !st.dated {
		var ambiguous, missing bool
		if ms > minTime-86_400_000 && ms < maxTime+86_400_000 {
			ms, ambiguous, missing = toUTC(ms, w.plan.zone)
		}
		if ambiguous {
			w.out.facts.ambiguous++
		}
		if missing {
			w.out.facts.missing++
		}
	}
	switch {
	case ms < minTime:
		return 0, false, early
	case ms >= maxTime:
		return 0, false, beyond
	case ms > w.plan.latest && !w.plan.allow:
		return 0, false, future
	case ms > w.plan.latest:
		w.out.facts.future++
	}
	return ms, st.dated, accepted
}

// note updates the counters that stored rows have.
func (w *worker) note(ms int64) {
	f := &w.out.facts
	if f.rows == 0 {
		f.first = ms
	} else if ms < f.last {
		f.unordered++
	}
	f.last = ms
	f.rows++
}

// dropPointZero makes 17850 of 17850.0: the id of an integer column that a data
// frame with gaps has turned into floats.
func dropPointZero(b []byte) []byte {
	i := 0
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if i == 0 || i+2 > len(b) || b[i] != '.' {
		return b
	}
	for _, c := range b[i+1:] {
		if c != '0' {
			return b
		}
	}
	return b[:i]
}

// classify says what a trimmed cell of text looks like.
func classify(b []byte) valueKind {
	if isAbsent(b) {
		if len(b) == 0 {
			return kindAbsent
		}
		return kindNull
	}
	switch c := b[0]; {
	case c >= 'a' && c <= 'z' && c != 't' && c != 'f':
		return kindText // as most are
	case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
		if looksNumber(b) {
			return kindNumber
		}
		if _, ok := parseISO(b); ok {
			return kindTime
		}
	case c == 't' || c == 'T' || c == 'f' || c == 'F':
		switch string(b) {
		case "true", "false", "TRUE", "FALSE", "True", "False":
			return kindBool
		}
	case c == 'N' && string(b) == "NaN":
		return kindNull
	case c == '{' && b[len(b)-1] == '}', c == '[' && b[len(b)-1] == ']':
		return kindCompound
	}
	return kindText
}

// looksNumber is a cheap test for a decimal number.
func looksNumber(b []byte) bool {
	i := 0
	if b[0] == '-' || b[0] == '+' {
		i++
	}
	seen, point := false, false
	for ; i < len(b); i++ {
		switch {
		case b[i] >= '0' && b[i] <= '9':
			seen = true
		case b[i] == '.' && !point:
			point = true
		case (b[i] == 'e' || b[i] == 'E') && seen:
			_, ok, _ := parseDecimal(b)
			return ok
		default:
			return false
		}
	}
	return seen
}
