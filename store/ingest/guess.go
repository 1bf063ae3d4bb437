package ingest

import (
	"slices"
	"strconv"
	"strings"

	"dwell/model"
)

// GuessDictionary suggests what event names and columns mean, from their words
// and, for columns, from the values the data set has. It is printed for a person
// to correct, so it is conservative: a name that says nothing sure is "use" and
// is left out of the dictionary. Words are compared whole: purchase_failed and
// add_to_cart are no purchases. m is the mapping of the newest load.
func GuessDictionary(info *model.Info, m Mapping) *model.Dictionary {
	d := model.NewDictionary()
	if m.Zone != "" {
		d.Zone = m.Zone
	}
	for _, n := range info.Names {
		if role := GuessRole(n.Name); role != 0 {
			d.Events[n.Name] = role.String()
		}
	}
	d.Columns = guessColumns(info)
	if info.Amounts && (d.Columns.PaidUntil != "" || d.Columns.Period != "") {
		for _, n := range info.Names {
			if d.Events[n.Name] == "" && paysForPeriod(n.Name) {
				d.Events[n.Name] = model.Purchase.String()
			}
		}
	}
	if info.Amounts {
		paid := false
		for _, role := range d.Events {
			paid = paid || role == model.Purchase.String()
		}
		for _, n := range info.Names {
			if !paid && d.Events[n.Name] == "" && pays(n.Name) {
				d.Events[n.Name] = model.Purchase.String()
			}
		}
	}
	return d
}

// pays says whether an event is a payment in so many words. Beside an order or a
// purchase it would count the same money twice, and without amounts it may be a
// page, so it counts only where rows carry amounts and nothing surer is bought.
func pays(name string) bool {
	w := eventNameWords(name)
	return len(w) == 1 && w.any([]string{"payment", "charge", "charged", "invoice"}) || w.all([]string{"deal|opportunity", "won"})
}

// paysForPeriod says whether an event is the beginning or renewal of a
// subscription. Where rows carry amounts and say until when they are paid, that is
// the first payment; without, it may be a trial and is left alone.
func paysForPeriod(name string) bool {
	w := eventNameWords(name)
	about := w.any([]string{"subscription", "subscribe", "subscribed", "membership"})
	begins := len(w) == 1 || w.any([]string{"start", "started", "create", "created", "activate", "activated", "new", "begin", "began", "renew", "renewed", "resume", "resumed"})
	return about && begins && !w.any([]string{"trial", "free", "fail", "failed", "view", "viewed", "page", "click", "clicked", "newsletter", "email", "mail", "push"})
}

// GuessRole is the meaning of one event name, 0 where nothing sure can be said.
func GuessRole(name string) model.Role {
	w := eventNameWords(name)
	for _, r := range roleRules {
		if w.all(r.need) && (len(r.with) == 0 || w.any(r.with)) && !w.any(r.not) && (!r.alone || len(w) == 1) {
			return r.role
		}
	}
	return 0
}

// A nameWords is the set of words of an event name.
type nameWords map[string]bool

func eventNameWords(name string) nameWords {
	set := nameWords{}
	ws := wordsOf(name)
	for i, w := range ws {
		set[w] = true
		if i > 0 {
			set[ws[i-1]+w] = true // sign_up is signup as well
		}
	}
	if len(ws) == 2 && set["signup"] {
		delete(set, "sign")
		delete(set, "up")
	}
	return set
}

func (w nameWords) any(words []string) bool {
	return slices.ContainsFunc(words, func(s string) bool { return w[s] })
}

// all says whether each group has a word in the name; a group is words joined by |.
func (w nameWords) all(groups []string) bool {
	for _, g := range groups {
		if !w.any(strings.Split(g, "|")) {
			return false
		}
	}
	return true
}

// A roleRule gives a role to names that have a word of each group of need, one
// of with (if any are given) and none of not.
type roleRule struct {
	role  model.Role
	need  []string
	with  []string
	not   []string
	alone bool
}

// unfinished are words that say an act did not happen, or is only on screen.
var unfinished = []string{"fail", "failed", "failure", "error", "declined", "rejected", "abandon", "abandoned", "start", "started", "begin", "began",
	"initiate", "initiated", "attempt", "attempted", "pending", "view", "viewed", "views", "page", "screen", "click", "clicked", "button", "form", "modal",
	"popup", "open", "opened", "shown", "show", "seen", "add", "added", "remove", "removed", "list", "history", "detail", "details", "search", "draft", "try", "tried",
	"prompt", "prompted", "hover", "scroll", "tab", "link", "step", "bug", "info", "read", "edit", "edited", "delete", "deleted", "wishlist", "cart", "filter", "test",
	"skip", "skipped", "dismiss", "dismissed", "limit", "exchange", "update", "updated", "intent", "not", "no", "never"}

func without(words ...string) []string {
	return slices.DeleteFunc(slices.Clone(unfinished), func(s string) bool { return slices.Contains(words, s) })
}

const (
	sending   = "sent|send|delivered|received|bounced|queued|dispatched"
	messaging = "email|mail|push|notification|sms|newsletter|message|inapp|whatsapp"
	undoing   = "cancel|canceled|cancelled|cancellation|void|voided|reversed"
	ordering  = "order|purchase|transaction|payment|invoice|sale|booking|item|product|delivery"
)

// roleRules are tried in order; the first that fits decides.
var roleRules = []roleRule{
	{role: model.Passive, need: []string{messaging, sending}},
	{role: model.Passive, need: []string{"survey|nps|invite|invitation|campaign|reminder|offer", sending}, not: []string{"invite", "invitation"}},
	{role: model.Passive, need: []string{"invite|invitation", "received"}},
	{role: model.Passive, need: []string{"impression|impressions"}},
	{role: model.Passive, need: []string{"ad|ads|banner|advert", "shown|view|viewed|served|displayed|seen"}},
	{role: model.Touch, need: []string{"ad|ads|banner|campaign|advert|promo", "click|clicked"}},
	{role: model.Touch, need: []string{"visit|visited|touch|landing|touchpoint"}, not: []string{"return", "returned", "end", "ended", "store", "screen"}},
	{role: model.Refund, need: []string{"refund|refunded|chargeback|moneyback"}, not: append(without(), "request", "requested", "policy")},
	{role: model.Refund, need: []string{undoing, ordering}, not: append(without(), "subscription", "policy", "request", "requested")},
	{role: model.Refund, need: []string{"return|returned|returns", ordering}, not: append(without(), "policy", "request", "requested", "label")},
	{role: model.Refund, need: []string{"return|refund|returned"}, alone: true},
	{role: model.Refund, need: []string{"creditnote|creditmemo"}, not: unfinished},
	{role: model.Cancel, need: []string{"unsubscribe|unsubscribed|cancel|canceled|cancelled|cancellation|cancelation"}, not: append(without(), "email", "mail", "newsletter", "sms", "push",
		"notification", "request", "requested", "ride", "trip", "meeting", "event", "policy", "upload", "download", "dialog")},
	{role: model.Cancel, need: []string{"account|user|profile|contract|membership|subscription", "deleted|delete|closed|close|terminated|ended|expired|churned"},
		not: []string{"fail", "failed", "error", "view", "viewed", "page", "click", "clicked", "button", "started", "request", "requested", "menu", "modal", "photo"}},
	{role: model.Cancel, need: []string{"churned|optout"}, alone: true},
	{role: model.Complaint, need: []string{"complaint|complaints|complain|complained|dispute|disputed|grievance"}, not: without("open", "opened")},
	{role: model.Complaint, need: []string{"support|helpdesk|service|customer|customerservice", "ticket|chat|contact|contacted|call|case|request|complaint"}, not: without("open", "opened", "start", "started")},
	{role: model.Complaint, need: []string{"ticket"}, with: []string{"open", "opened", "create", "created", "submit", "submitted"}, not: []string{"view", "viewed", "page", "buy", "purchase", "sale", "fail", "failed"}},
	{role: model.Complaint, need: []string{"contactsupport|supportcontact|bugreport|reportproblem"}},
	{role: model.Signup, need: []string{"signup|register|registered|registration|signedup|userregistered"}, not: append(without("form"), "form", "webinar", "event", "newsletter", "device", "push", "token", "vote", "confirm")},
	{role: model.Signup, need: []string{"account|user|profile|customer|member", "created|create|registered|joined|new"}, not: append(without(), "group", "team", "project", "post", "list")},
	{role: model.Invite, need: []string{"invite|invited|invitation|invites|referral|refer|referred|recommend"}, not: append(without(), "accept", "accepted", "received", "redeem", "redeemed", "code", "program", "declined", "item", "items", "reward", "friend_accepted", "referrer")},
	{role: model.Feedback, need: []string{"rating|rated|nps|review|reviewed|feedback|survey|csat"}, not: append(without(), "code", "order", "request", "requested", "cartreview", "checkout")},
	{role: model.Feedback, need: []string{"rate"}, with: []string{"app", "product", "item", "order", "us", "seller", "driver", "song", "movie", "course", "trip", "ride"}, not: unfinished},
	{role: model.Feedback, need: []string{"rate"}, alone: true},
	{role: model.Social, need: []string{"share|shared|post|posted|comment|commented|repost|retweet|tweet|publish|published"}, not: append(without(), "paid", "code", "office", "purchase", "screen", "market")},
	{role: model.Purchase, need: []string{"purchase|purchased|buy|bought"}, not: append(without(), "now", "cancel", "cancelled", "canceled", "restore", "restored", "request", "requested", "funnel", "email", "guide", "flow", "interest", "likely", "consider")},
	{role: model.Purchase, need: []string{"order|checkout|transaction|sale|payment|invoice|booking|subscription|donation|renewal"},
		with: []string{"complete", "completed", "success", "succeeded", "successful", "placed", "paid", "confirmed", "confirm", "made", "done", "finished", "finish", "received", "renewed", "charged", "processed", "submitted", "submit", "place"}, not: without()},
	{role: model.Purchase, need: []string{"order|ordered|transaction|sale|renewal|renewed|donation|donated|deposit|paid|topup"}, alone: true},
	{role: model.KeyAction, need: []string{"activation|activated|aha"}, not: append(without(), "code", "email", "device", "card", "sim", "promo", "coupon")},
	{role: model.KeyAction, need: []string{"onboarding", "complete|completed|finished|done"}, not: unfinished},
	{role: model.Alias, need: []string{"alias|createalias|mergeusers|usermerge"}},
	// The surest words of other languages, alone: what is joined to them may undo them.
	{role: model.Purchase, need: []string{"kauf|gekauft|bestellung|bestellt|achat|commande|compra|pedido|acquisto|购买"}, alone: true},
	{role: model.Refund, need: []string{"rückgabe|retoure|erstattung|rückerstattung|storno|gutschrift|remboursement|reembolso|devolución|rimborso|退款"}, alone: true},
	{role: model.Cancel, need: []string{"kündigung|gekündigt|résiliation"}, alone: true},
	{role: model.Complaint, need: []string{"beschwerde|reklamation|réclamation|queja|reclamo"}, alone: true},
	{role: model.Signup, need: []string{"registrierung|registriert|inscription|registro|注册"}, alone: true},
	{role: model.Feedback, need: []string{"bewertung|reseña"}, alone: true},
}

// A columnRule lists the names a column with a meaning goes by, likeliest first.
type columnRule struct {
	names []string
	fits  func(k *model.KeyInfo) bool // nil: by name alone
}

func guessColumns(in *model.Info) model.Columns {
	find := func(r columnRule) string {
		for _, want := range r.names {
			for i := range in.Keys {
				k := &in.Keys[i]
				if columnName(k.Name) == want && (r.fits == nil || r.fits(k)) {
					return k.Name
				}
			}
		}
		return ""
	}
	c := model.Columns{
		Currency:  find(columnRule{[]string{"currency", "currencycode", "ccy", "curr"}, isCurrency}),
		Channel:   find(columnRule{[]string{"channel", "acquisitionchannel", "marketingchannel", "utmsource", "trafficsource", "mediasource", "acquisitionsource", "signupchannel", "channelgrouping", "utmmedium", "source", "campaignsource"}, few(500)}),
		Arm:       find(columnRule{[]string{"arm", "variant", "experimentarm", "experimentvariant", "experimentgroup", "abgroup", "abvariant", "abtest", "testgroup", "treatment", "experiment", "abarm", "group", "cohortgroup"}, few(12)}),
		Item:      find(columnRule{[]string{"item", "itemid", "productid", "product", "sku", "stockcode", "productsku", "productcode", "itemcode", "asin", "articleid", "goodsid", "itemname", "productname"}, nil}),
		Order:     find(columnRule{[]string{"order", "orderid", "orderno", "ordernumber", "invoice", "invoiceno", "invoiceid", "invoicenumber", "transactionid", "receiptid", "receiptno", "basketid", "bookingid"}, nil}),
		Inviter:   find(columnRule{[]string{"inviter", "inviterid", "invitedby", "referrerid", "referredby", "referreruserid", "referrer", "inviteruserid"}, nil}),
		Plan:      find(columnRule{[]string{"plan", "planname", "subscriptionplan", "planid", "tier", "subscriptiontype", "subscriptiontier", "membership", "membershiptype"}, few(200)}),
		PaidUntil: find(columnRule{[]string{"paiduntil", "validuntil", "paidthrough", "expiresat", "expirydate", "expirationdate", "subscriptionend", "contractend", "membershipexpiredate", "currentperiodend"}, nil}),
		Period:    find(columnRule{[]string{"billingperiod", "period", "billingcycle", "paidperiod", "billinginterval", "subscriptionperiod", "planperiod"}, few(50)}),
		Score:     find(columnRule{[]string{"score", "npsscore", "nps", "rating", "stars", "feedbackscore", "reviewscore", "csat", "surveyscore"}, isScore}),
		Reason:    find(columnRule{[]string{"cancelreason", "cancellationreason", "churnreason", "cancelationreason", "reason"}, nil}),
		Alias:     find(columnRule{[]string{"alias", "aliasid", "previousid", "otherid", "mergedid", "newid", "anonymousid"}, nil}),
	}
	if r := find(columnRule{[]string{"rating", "starrating", "stars", "ratingscore", "reviewscore", "csat", "csatscore"}, isScore}); r != c.Score {
		c.Rating = r
	}
	for i := range in.Keys {
		k := &in.Keys[i]
		if isPersonal(k.Name) {
			c.Personal = append(c.Personal, k.Name)
		}
		if k.Name == c.Order || isEmail(k.Name) {
			c.Searchable = append(c.Searchable, k.Name)
		}
	}
	return c
}

// columnName is the plain name of a property; of a dotted path its last part.
func columnName(key string) string {
	return plainName(key[strings.LastIndexByte(key, '.')+1:])
}

// few says that a column has at most n distinct values: a group, not an id.
func few(n int) func(*model.KeyInfo) bool {
	return func(k *model.KeyInfo) bool { return !k.Plain && len(k.Values) <= n+1 }
}

func isCurrency(k *model.KeyInfo) bool {
	if !few(200)(k) {
		return false
	}
	for _, v := range k.Values[1:] {
		if len([]rune(v)) > 3 {
			return false
		}
	}
	return true
}

func isScore(k *model.KeyInfo) bool {
	if !few(1000)(k) {
		return false
	}
	for _, v := range k.Values[1:] {
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			return false
		}
	}
	return len(k.Values) > 1
}

func isEmail(key string) bool {
	n := columnName(key)
	return strings.HasSuffix(n, "email") || n == "emailaddress" || n == "mail" || n == "mailaddress"
}

// isPersonal goes by name: a name alone is a person's, product_name is not.
func isPersonal(key string) bool {
	n := columnName(key)
	switch n {
	case "name", "fullname", "firstname", "lastname", "surname", "username", "customername", "clientname", "membername", "displayname", "nickname", "givenname", "familyname",
		"phone", "phonenumber", "telephone", "mobilephone", "mobilenumber", "msisdn", "tel", "cellphone", "address", "streetaddress", "street", "ip", "ipaddress", "birthdate", "dateofbirth",
		"dob", "birthday", "ssn", "passport":
		return true
	}
	return isEmail(key)
}
