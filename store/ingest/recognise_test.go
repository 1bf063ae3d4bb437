package ingest

import (
	"context"
	"strings"
	"testing"
)

// The column layouts of well-known public data sets and exporters, a few rows
// of each made up.
func TestRecognise(t *testing.T) {
	cases := []struct {
		name, text string
		want       Mapping
		first      string // user, time, event and amount of the first row
		note       string // a part of what is printed
	}{
		{"shop export", "Order ID,Order Date,Customer Name,Customer Email,Product,Quantity,Price\n1001,12/1/2010 8:26,Ann,ann@x.org,Mug,2,\"$1,234.50\"\n1002,12/13/2010 8:30,Bob,bob@x.org,Cup,1,$3.00\n",
			Mapping{User: "Customer Email", Time: "Order Date", TimeFormat: "m/d/y", EventConst: "purchase", Amount: "Quantity*Price", Number: "1,234.5"},
			"ann@x.org 2010-12-01 08:26:00 UTC purchase 2469", "days above 12 show it"},
		{"Segment NDJSON", `{"type":"track","event":"Order Completed","userId":"u1","anonymousId":"a","timestamp":"2024-01-02T03:04:05.678Z","properties":{"revenue":12.5}}` + "\n",
			Mapping{User: "userId", Time: "timestamp", TimeFormat: "iso", Event: "event", Amount: "properties.revenue", Number: "1234.5"},
			"u1 2024-01-02 03:04:05.678 UTC Order Completed 12.5", ""},
		{"Mixpanel array", `[{"event":"Sign Up","properties":{"distinct_id":"u1","time":1577836800}},` + "\n" + `{"event":"x","properties":{"distinct_id":"u2","time":1577836801}}]`,
			Mapping{User: "properties.distinct_id", Time: "properties.time", TimeFormat: "unix", Event: "event"}, "u1 2020-01-01 00:00:00 UTC Sign Up ", ""},
		{"Google Analytics", "event_date,event_timestamp,event_name,user_pseudo_id,country\n20201101,1604188800123456,page_view,12.45,US\n20201101,1604188800223456,purchase,12.47,DE\n",
			Mapping{User: "user_pseudo_id", Time: "event_timestamp", TimeFormat: "unix_us", Event: "event_name"}, "12.45 2020-11-01 00:00:00.123 UTC page_view ", ""},
		{"German semicolons, Latin-1 letters, date and clock", "Kunde;Datum;Uhrzeit;Betrag\nK1;01.12.2010;08:26;12,50\nK2;13.12.2010;09:30;1.200,00\n",
			Mapping{User: "Kunde", Time: "Datum", Clock: "Uhrzeit", TimeFormat: "d/m/y", EventConst: "purchase", Amount: "Betrag", Number: "1.234,5"},
			"K1 2010-12-01 08:26:00 UTC purchase 12.5", "time of day is taken from Uhrzeit"},
		{"MovieLens", "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n2,10,4.0,835355493\n",
			Mapping{User: "userId", Time: "timestamp", TimeFormat: "unix", EventConst: "event"}, "1 2009-12-14 02:52:24 UTC event ", "no column holds event names"},
		{"Taobao, no header", "1,2268318,2520377,pv,1511544070\n1,2333346,2520771,pv,1511561733\n2,2576651,149192,buy,1511572885\n",
			Mapping{User: "c1", Time: "c5", TimeFormat: "unix", Event: "c4"}, "1 2017-11-24 17:21:10 UTC pv ", "a guess"},
		{"RetailRocket", "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n1433224214164,992329,transaction,248676,11117\n",
			Mapping{User: "visitorid", Time: "timestamp", TimeFormat: "unix_ms", Event: "event"}, "257597 2015-06-02 05:02:12.117 UTC view ", ""},
		{"Olist", "\"order_id\",\"customer_id\",\"order_status\",\"order_purchase_timestamp\",\"order_approved_at\"\n\"e4\",\"9e\",\"delivered\",\"2017-10-02 10:56:33\",\"2017-10-02 11:07:15\"\n",
			Mapping{User: "customer_id", Time: "order_purchase_timestamp", TimeFormat: "iso", EventConst: "purchase"}, "9e 2017-10-02 10:56:33 UTC purchase ", "(--tz says another)"},
		{"log of blanks", "2024-01-01T00:00:00Z u1 open\n2024-01-01T00:01:00Z u2 close\n2024-01-02T00:01:00Z u1 close\n",
			Mapping{User: "c2", Time: "c1", TimeFormat: "iso", Event: "c3"}, "u1 2024-01-01 00:00:00 UTC open ", ""},
		{"Excel with sep line", "sep=;\nuser;time;event\nu1;2024-01-01;a\nu2;2024-01-02;b\n",
			Mapping{User: "user", Time: "time", TimeFormat: "iso", Event: "event"}, "u1 2024-01-01 a ", "semicolons"},
		{"month names", "user,when,what\nu1,5 Jan 2024 10:11,open\nu2,16 Jan 2024 10:12,close\n",
			Mapping{User: "user", Time: "when", TimeFormat: "2 Jan 2006 15:04", Event: "what"}, "u1 2024-01-05 10:11:00 UTC open ", ""},
		{"Unix seconds with parts under a bare name", "uid,stamped,name\nu1,1700000000.250,ping\nu2,1700003600.001,pong\n",
			Mapping{User: "uid", Time: "stamped", TimeFormat: "unix", Event: "name"}, "u1 2023-11-14 22:13:20.25 UTC ping ", ""},
		{"floats for ids", "user_id,ts,action\n17850.0,2020-01-01,a\n,2020-01-01,a\n13047.0,2020-01-02,b\n",
			Mapping{User: "user_id", UserInteger: true, Time: "ts", TimeFormat: "iso", Event: "action"}, "17850 2020-01-01 a ", "stored as 17850"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rec, err := Inspect(context.Background(), File(write(t, "f", c.text)), Options{Now: testNow})
			if err != nil {
				t.Fatal(err)
			}
			got := rec.Mapping
			got.Format, got.Delimiter, got.Header, got.Width, got.Zone, got.Props, got.AllProps = "", "", false, 0, "", nil, false
			if string(got.TOML()) != string(c.want.TOML()) {
				t.Errorf("got\n%s\nwant\n%s", got.TOML(), c.want.TOML())
			}
			r := rec.Rows[0]
			if row := r.User + " " + r.Time + " " + r.Event + " " + r.Amount; row != c.first {
				t.Errorf("first row %q, want %q", row, c.first)
			}
			if text := strings.Join(rec.Lines, "\n"); !strings.Contains(text, c.note) {
				t.Errorf("%q is not said:\n%s", c.note, text)
			}
		})
	}
}

// Options overrule what would be recognised.
func TestOptions(t *testing.T) {
	text := "a,b,c,d,e\nu1,05.01.2024 10:00,x,2,3\nu2,06.01.2024 11:00,y,4,5\n"
	rec, err := Inspect(context.Background(), File(write(t, "f", text)), Options{Now: testNow, User: "a", Time: "b", Event: "c", Amount: "d*e", Props: []string{"d"},
		TimeFormat: "%d.%m.%Y %H:%M", Zone: "Europe/Vienna", Header: "yes"})
	if err != nil {
		t.Fatal(err)
	}
	r := rec.Rows[1]
	if r.User != "u2" || r.Time != "2024-01-06 10:00:00 UTC" || r.Event != "y" || r.Amount != "20" || len(r.Props) != 1 || r.Props[0] != [2]string{"d", "4"} {
		t.Errorf("row %+v", r)
	}
	rec, err = Inspect(context.Background(), File(write(t, "f", "2024-01-05 08:00;u1;7\n2024-01-06 08:00;u2;8\n")), Options{Now: testNow, User: "2", Time: "c1", EventConst: "visit", Amount: "c3*2", Header: "no", Delimiter: ";"})
	if err != nil {
		t.Fatal(err)
	}
	if r := rec.Rows[0]; r.User != "u1" || r.Event != "visit" || r.Amount != "14" || r.Time != "2024-01-05 08:00:00 UTC" {
		t.Errorf("columns by number: %+v", r)
	}
	for given, want := range map[string]string{"Net (€)": "`Net (€)`", "`Net (€)`*2": "`Net (€)`*2", "": "`Total ($)`"} {
		rec, err = Inspect(context.Background(), File(write(t, "f", "user,day,Net (€),Total ($)\nu1,2024-01-05,8,9\n")), Options{Now: testNow, Amount: given})
		if err != nil || rec.Mapping.Amount != want {
			t.Errorf("amount %q: %v %+v", given, err, rec)
		}
	}
	rec, err = Inspect(context.Background(), File(write(t, "f", "user,day,clock,x\nu1,2024-01-05,08:00,a\n")), Options{Now: testNow, Time: "day+clock", EventConst: "visit"})
	if err != nil {
		t.Fatal(err)
	}
	if r := rec.Rows[0]; r.Time != "2024-01-05 08:00:00 UTC" {
		t.Errorf("two columns for a time: %+v", r)
	}
}
