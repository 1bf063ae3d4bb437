package ingest

import (
	"strings"
	"unicode"
)

// wordsOf splits a name into lower-case words: at what is no letter or digit,
// and where small letters turn into capitals. CustomerID and customer_id are
// both [customer id]; purchase_failed is [purchase failed], never purchase.
func wordsOf(name string) (words []string) {
	var cur []rune
	flush := func() {
		if len(cur) > 0 {
			words = append(words, strings.ToLower(string(cur)))
			cur = cur[:0]
		}
	}
	rs := []rune(name)
	for i, r := range rs {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0 && unicode.IsLower(rs[i-1]):
			flush()
		case unicode.IsUpper(r) && i > 0 && i+1 < len(rs) && unicode.IsUpper(rs[i-1]) && unicode.IsLower(rs[i+1]) && len(cur) > 1:
			flush() // the N of IDNumber
		}
		cur = append(cur, r)
	}
	flush()
	return words
}

// plainName is a name's words run together.
func plainName(name string) string { return strings.Join(wordsOf(name), "") }

// A wordScore says how much a column's plain name speaks for a use, 0–100.
type wordScore map[string]int

var userWords = wordScore{
	"userid": 100, "customerid": 100, "user": 95, "customer": 95, "uid": 92, "userno": 90, "custid": 95, "customerno": 95,
	"customernumber": 95, "usernumber": 90, "clientid": 88, "client": 80, "accountid": 86, "account": 75, "memberid": 90, "member": 85,
	"visitorid": 90, "playerid": 95, "player": 85, "subscriberid": 90, "subscriber": 80, "personid": 92, "person": 85, "distinctid": 95,
	"profileid": 80, "msno": 90, "userpseudoid": 95, "useruuid": 95, "userkey": 85, "customerkey": 85, "contactid": 80, "patientid": 80,
	"studentid": 80, "learnerid": 80, "guestid": 70, "buyerid": 85, "shopperid": 85, "anonymousid": 70, "deviceid": 50, "cookieid": 50,
	"useremail": 65, "customeremail": 65, "email": 60, "username": 70, "login": 60, "id": 40, "用户id": 95, "用户": 90, "uuid": 35,
	"kunde": 90, "kundennr": 95, "kundennummer": 95, "kundenid": 95, "benutzer": 85, "nutzer": 85, "cliente": 85, "utilisateur": 85, "usuario": 85,
}

var timeWords = wordScore{
	"timestamp": 100, "eventtime": 100, "eventtimestamp": 100, "time": 95, "ts": 95, "datetime": 95, "eventdatetime": 98, "occurredat": 96,
	"createdat": 90, "eventdate": 90, "date": 85, "when": 70, "day": 60, "orderdate": 85, "invoicedate": 85, "purchasedate": 85,
	"transactiondate": 85, "transactiontime": 88, "purchasetime": 88, "ordertime": 88, "orderedat": 88, "loggedat": 85, "servertime": 85,
	"clienttime": 80, "originaltimestamp": 75, "receivedat": 50, "sentat": 50, "updatedat": 40, "eventts": 98, "dt": 85, "at": 70, "t": 60,
	"unixtime": 85, "epoch": 85, "utc": 70, "时间": 90, "日期": 85, "datum": 85, "zeit": 80, "zeitpunkt": 95, "zeitstempel": 100, "fecha": 85, "horodatage": 95,
}

var eventWords = wordScore{
	"event": 100, "eventname": 100, "eventtype": 95, "action": 85, "eventaction": 82, "activity": 80, "activitytype": 82, "actiontype": 84,
	"useraction": 84, "interaction": 70, "interactiontype": 72, "behavior": 70, "behaviour": 70, "behaviortype": 75, "verb": 60, "type": 50,
	"kind": 45, "operation": 50, "eventcategory": 40, "eventid": 30, "name": 25, "事件": 90, "行为": 80, "what": 45, "ereignis": 95, "aktion": 80, "evento": 90,
}

var amountWords = wordScore{
	"amount": 100, "amt": 95, "revenue": 96, "totalamount": 97, "orderamount": 96, "ordervalue": 95, "saleamount": 96, "purchaseamount": 96,
	"transactionamount": 96, "purchaserevenue": 94, "totalprice": 94, "linetotal": 92, "ordertotal": 94, "total": 85, "grandtotal": 90, "dollarvalue": 90,
	"price": 80, "value": 65, "sales": 80, "spend": 80, "spent": 80, "payment": 65, "paymentvalue": 80, "paymentamount": 92, "paid": 55,
	"amountusd": 98, "amounteur": 98, "revenueusd": 96, "usd": 70, "gmv": 85, "turnover": 75, "eventrevenue": 92, "eventvalue": 75,
	"purchasevalue": 90, "transactionvalue": 90, "monetaryvalue": 85, "salesamount": 95, "netamount": 90, "grossamount": 88, "金额": 90, "betrag": 95, "umsatz": 92, "montant": 92, "importe": 92,
}

var quantityWords = wordScore{"quantity": 100, "qty": 100, "units": 80, "itemquantity": 95, "orderquantity": 95, "quantityordered": 95, "numitems": 60, "unitssold": 85, "menge": 90, "anzahl": 80, "quantite": 90, "cantidad": 90}

var unitPriceWords = wordScore{"unitprice": 100, "priceperunit": 100, "priceeach": 100, "itemprice": 90, "price": 80, "unitvalue": 80, "sellingprice": 75, "einzelpreis": 100, "stückpreis": 100, "preis": 75, "prix": 75, "precio": 75}

// of scores a name. The last parts of a dotted JSON path count nearly as much
// as a whole name: properties.user_id is a user id.
func (ws wordScore) of(name string) int {
	if s, ok := ws[plainName(name)]; ok {
		return s
	}
	parts := strings.Split(name, ".")
	for n := len(parts) - 1; n > 0; n-- {
		if s, ok := ws[plainName(strings.Join(parts[len(parts)-n:], "."))]; ok {
			return s - 5
		}
	}
	return 0
}

// timeScore also takes names that end like one: signup_date, clicked_at.
func timeScore(name string) int {
	if s := timeWords.of(name); s > 0 {
		return s
	}
	words := wordsOf(name)
	for _, w := range words {
		switch w {
		case "birth", "born", "dob", "until", "expires", "expiry", "end", "due", "valid", "next", "zone":
			return 0
		}
	}
	if len(words) > 1 {
		switch words[len(words)-1] {
		case "time", "date", "timestamp", "datetime", "ts", "at", "dt", "datum":
			return 55
		}
	}
	return 0
}

// nearest is the known name closest to a wrong one, "" if none is close.
func nearest(wrong string, known []string) string {
	best, bestDist := "", len(wrong)/2+1
	for _, k := range known {
		if plainName(k) == plainName(wrong) {
			return k
		}
		if d := editDistance(strings.ToLower(wrong), strings.ToLower(k)); d < bestDist {
			best, bestDist = k, d
		}
	}
	return best
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range x {
		diag := row[0]
		row[0] = i + 1
		for j, s := range y {
			cost := 1
			if r == s {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diag+cost)
		}
	}
	return row[len(y)]
}
