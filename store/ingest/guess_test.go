package ingest

import (
	"maps"
	"slices"
	"testing"

	"dwell/model"
	"dwell/sample/reference"
)

// Whole words decide, and words that say an act did not happen undo it. What is
// not sure is "" (use).
func TestGuessRole(t *testing.T) {
	cases := map[string][]string{
		"purchase":  {"purchase", "Purchase", "order_completed", "Order Completed", "checkout_complete", "buy", "payment_succeeded", "order placed", "transaction", "subscription_renewed", "OrderPaid", "invoice_paid", "Kauf", "achat"},
		"refund":    {"refund", "order_refunded", "Refund Issued", "order_cancelled", "item_returned", "product return", "chargeback", "return", "Rückgabe", "STORNO"},
		"signup":    {"signup", "sign_up", "Signed Up", "register", "user_registered", "account_created", "registration_completed", "complete_registration"},
		"cancel":    {"cancel", "unsubscribe", "subscription_cancelled", "cancel_subscription", "account_deleted", "close_account", "churned"},
		"invite":    {"invite", "invite_sent", "referral", "friend_invited", "Invite Friend"},
		"social":    {"share", "post_created", "comment", "content_shared", "Comment Posted"},
		"feedback":  {"rating", "nps", "review_submitted", "feedback", "rate_app", "survey_completed", "nps_response"},
		"complaint": {"complaint", "support_ticket", "support_chat", "ticket_opened", "support_contact", "dispute_opened"},
		"passive":   {"email_sent", "push_received", "impression", "ad_impression", "ad_shown", "notification_delivered", "survey_sent"},
		"touch":     {"visit", "landing", "ad_click", "touch", "campaign_click"},
		"key":       {"activation", "activated", "onboarding_completed"},
		"alias":     {"alias", "$create_alias"},
		"": {"purchase_failed", "add_to_cart", "cart", "view", "page_view", "checkout_started", "payment_error", "payment_details", "review_page", "checkout_bug", "order_history", "buy_button_clicked",
			"search", "login", "shipping_details", "wishlist_add", "compare", "promo_page", "error_page", "account_page", "signup_started", "sign_up_page", "share_price_viewed", "invite_accepted",
			"cancel_clicked", "refund_policy_viewed", "return_visit", "download", "repurchase_reminder_page", "email_opened", "purchase_intent", "post_office_search", "rate_limit_hit", "preorder", "order_viewed", "unpurchased",
			"registered_device", "close", "open", "session_start", "video_play", "buyer_guide", "borderline", "commentary", "Kauf abgebrochen", "Kaufberatung"},
	}
	for _, want := range slices.Sorted(maps.Keys(cases)) {
		for _, name := range cases[want] {
			if got := GuessRole(name).String(); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	}
}

func TestGuessColumns(t *testing.T) {
	key := func(name string, values ...string) model.KeyInfo {
		return model.KeyInfo{Name: name, Values: append([]string{""}, values...)}
	}
	info := &model.Info{Names: []model.NameInfo{{Name: "purchase"}, {Name: "view"}}, Keys: []model.KeyInfo{
		key("InvoiceNo", "536365"), key("StockCode", "85123A"), key("Description", "MUG"), key("Country", "UK"), key("acquisition_channel", "email", "ads"),
		key("ab_group", "A", "B"), key("properties.currency", "EUR", "USD"), key("customer_email", "a@b.c"), key("name", "Ann"), key("product_name", "Mug"),
		key("rating", "5", "4.5"), key("plan", "pro"), key("paid_until", "2024-01-01"), key("billing_period", "month"), key("inviter_id", "u7"), key("cancel_reason", "price"),
		{Name: "group", Plain: true}, key("currency_symbol_text", "dollars"), key("source", "x"), key("phone", "1"),
	}}
	d := GuessDictionary(info, Mapping{Zone: "Europe/Vienna"})
	want := model.Columns{Currency: "properties.currency", Channel: "acquisition_channel", Arm: "ab_group", Item: "StockCode", Order: "InvoiceNo", Inviter: "inviter_id", Plan: "plan",
		PaidUntil: "paid_until", Period: "billing_period", Score: "rating", Reason: "cancel_reason", Personal: []string{"customer_email", "name", "phone"}, Searchable: []string{"InvoiceNo", "customer_email"}}
	got := d.Columns
	if !slices.Equal(got.Personal, want.Personal) || !slices.Equal(got.Searchable, want.Searchable) {
		t.Errorf("personal %q, searchable %q", got.Personal, got.Searchable)
	}
	got.Personal, got.Searchable, want.Personal, want.Searchable = nil, nil, nil, nil
	if a, b := (&model.Dictionary{Columns: got}).Format(), (&model.Dictionary{Columns: want}).Format(); string(a) != string(b) {
		t.Errorf("got\n%s\nwant\n%s", a, b)
	}
	if d.Zone != "Europe/Vienna" || d.Starts != "partial" || len(d.Events) != 1 || d.Events["purchase"] != "purchase" {
		t.Errorf("dictionary %+v", d)
	}
	if _, err := model.ParseDictionary(d.Format()); err != nil {
		t.Errorf("the guess is no valid dictionary: %v", err)
	}
}

// A subscription's beginning is its first payment where rows carry amounts and say
// until when they are paid, and nothing sure otherwise.
func TestGuessSubscriptions(t *testing.T) {
	for _, c := range []struct {
		amounts bool
		column  string
		want    string
	}{{true, "paid_until", "purchase"}, {true, "billing_period", "purchase"}, {true, "plan", ""}, {false, "paid_until", ""}} {
		info := &model.Info{Amounts: c.amounts, Keys: []model.KeyInfo{{Name: c.column, Values: []string{"", "2024-01-01"}}}}
		for _, n := range []string{"subscription_started", "Subscription Created", "subscribe"} {
			info.Names = []model.NameInfo{{Name: n}, {Name: "trial_subscription_started"}, {Name: "subscription_page_viewed"}, {Name: "plan_changed"}}
			d := GuessDictionary(info, Mapping{})
			if got := d.Events[n]; got != c.want {
				t.Errorf("%s, amounts %v, column %s: got %q, want %q", n, c.amounts, c.column, got, c.want)
			}
			for _, other := range info.Names[1:] {
				if got := d.Events[other.Name]; got != "" {
					t.Errorf("%s: got %q", other.Name, got)
				}
			}
		}
	}
}

// A payment by that name alone is what is bought where rows carry amounts and
// nothing surer is: beside an order it would count the same money twice.
func TestGuessPayments(t *testing.T) {
	for _, c := range []struct {
		amounts bool
		beside  string
		want    string
	}{{true, "login", "purchase"}, {true, "order", ""}, {false, "login", ""}} {
		for _, n := range []string{"payment", "Invoice", "charge", "deal_won"} {
			info := &model.Info{Amounts: c.amounts, Names: []model.NameInfo{{Name: c.beside}, {Name: n}, {Name: "payment_method_added"}, {Name: "payment_failed"}, {Name: "deal_lost"}}}
			d := GuessDictionary(info, Mapping{})
			if got := d.Events[n]; got != c.want {
				t.Errorf("%s beside %s, amounts %v: got %q, want %q", n, c.beside, c.amounts, got, c.want)
			}
			for _, other := range info.Names[2:] {
				if got := d.Events[other.Name]; got != "" {
					t.Errorf("%s: got %q", other.Name, got)
				}
			}
		}
	}
}

// infoOf is what a data set would say of a load's names and keys.
func infoOf(r *recorder) *model.Info {
	in := &model.Info{}
	seen := map[string]bool{}
	at := map[string]int{}
	for seq := range len(r.batches) {
		b := r.batches[seq]
		for _, e := range b.Event {
			if !seen["n"+string(e)] {
				seen["n"+string(e)] = true
				in.Names = append(in.Names, model.NameInfo{Name: string(e)})
			}
		}
		for _, p := range b.Props {
			if _, ok := at[p.Key]; !ok {
				at[p.Key] = len(in.Keys)
				in.Keys = append(in.Keys, model.KeyInfo{Name: p.Key, Values: []string{""}})
			}
			k := &in.Keys[at[p.Key]]
			for _, v := range p.Values {
				if id := "v" + p.Key + "\x00" + string(v); len(v) > 0 && !seen[id] {
					seen[id] = true
					k.Values = append(k.Values, string(v))
				}
			}
		}
	}
	return in
}

// The dictionaries of the reference sets: cancellations of online_retail are
// refunds, the funnel pages of ecom are plain use.
func TestGuessDataSets(t *testing.T) {
	cases := []struct {
		file    string
		events  map[string]string
		columns model.Columns
	}{
		{"online_retail/online_retail.csv.gz", map[string]string{"purchase": "purchase"}, model.Columns{Item: "StockCode", Order: "InvoiceNo"}},
		{"retentioneering_ecom/ecom.csv.gz", map[string]string{"purchase": "purchase", "support_chat": "complaint"}, model.Columns{Channel: "acquisition_channel"}},
		{"rees46_sample/2019-Oct-head.csv.gz", map[string]string{"purchase": "purchase"}, model.Columns{Item: "product_id"}},
		{"cdnow/CDNOW_master.txt.gz", map[string]string{"purchase": "purchase"}, model.Columns{}},
	}
	for _, c := range cases {
		d := GuessDictionary(infoOf(record(t, Options{}, File(reference.File(t, c.file)))), Mapping{})
		if !maps.Equal(d.Events, c.events) {
			t.Errorf("%s: events %v, want %v", c.file, d.Events, c.events)
		}
		if d.Columns.Item != c.columns.Item || d.Columns.Order != c.columns.Order || d.Columns.Channel != c.columns.Channel || d.Columns.Arm != "" || d.Columns.Currency != "" {
			t.Errorf("%s: columns %+v", c.file, d.Columns)
		}
		if d.Negative != "refund" {
			t.Errorf("%s: negative purchases are %s", c.file, d.Negative)
		}
	}
}
