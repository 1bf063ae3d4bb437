package sample

import "dwell/model"

// The names below are chosen as a product team would choose them, so that a
// reader who knows only common words can guess their meaning.
const (
	evClick    = "ad_click"
	evVisit    = "page_visit"
	evSignup   = "signup"
	evActivate = "activation_completed"
	evOpen     = "open_app"
	evSearch   = "search"
	evView     = "view_template"
	evCreate   = "create_document"
	evEdit     = "edit_document"
	evExport   = "export_document"
	evComment  = "comment"
	evShare    = "share"
	evInvite   = "invite_sent"
	evPurchase = "purchase"
	evPay      = "payment_completed"
	evRefund   = "refund"
	evSurvey   = "survey_received"
	evNPS      = "nps_answer"
	evRating   = "rating_given"
	evComplain = "complaint"
	evSupport  = "support_contact"
	evCancel   = "subscription_cancelled"
	evClose    = "account_cancelled"
	evAlias    = "alias"
)

var eventRoles = []struct {
	name string
	role model.Role
}{
	{evClick, model.Touch}, {evVisit, model.Touch}, {evSignup, model.Signup}, {evActivate, model.KeyAction},
	{evOpen, model.Use}, {evSearch, model.Use}, {evView, model.Use}, {evCreate, model.Use}, {evEdit, model.Use}, {evExport, model.Use},
	{evComment, model.Social}, {evShare, model.Social}, {evInvite, model.Invite},
	{evPurchase, model.Purchase}, {evPay, model.Purchase}, {evRefund, model.Refund},
	{evSurvey, model.Passive}, {evNPS, model.Feedback}, {evRating, model.Feedback},
	{evComplain, model.Complaint}, {evSupport, model.Complaint}, {evCancel, model.Cancel}, {evClose, model.Cancel}, {evAlias, model.Alias},
}

// features are the kinds of use beside opening the app, with their share of an
// average person's actions. A person's own shares vary around them.
var features = []struct {
	name  string
	share float64
}{
	{evEdit, 0.42}, {evCreate, 0.14}, {evSearch, 0.12}, {evView, 0.14}, {evExport, 0.09}, {evComment, 0.06}, {evShare, 0.03},
}

// channels bring people; taste is added to the standard normal of those they bring.
var channels = []struct {
	name         string
	share, taste float64
	ad           bool
}{
	{"organic", 0.34, 0.20, false}, {"search_ads", 0.24, 0, true}, {"social_ads", 0.26, -0.50, true}, {"newsletter", 0.09, 0.35, false}, {"partner", 0.07, -0.10, true},
}

const (
	referral      = "referral"
	referralTaste = 0.45
	referralDays  = 4.0 // mean wait between an invite and the first visit
	acceptShare   = 0.22
)

// countries with their share and hours east of UTC, which move the daily rhythm.
var countries = []struct {
	code  string
	share float64
	east  int
}{
	{"DE", 0.27, 1}, {"FR", 0.14, 1}, {"GB", 0.13, 0}, {"AT", 0.07, 1}, {"ES", 0.08, 1}, {"NL", 0.06, 1}, {"PL", 0.05, 1}, {"US", 0.14, -5}, {"IN", 0.06, 5},
}

var devices = []struct {
	name  string
	share float64
}{{"web", 0.46}, {"ios", 0.21}, {"android", 0.33}}

// items of the shop: people who buy one of a theme tend to take another of it.
var items = []struct {
	name  string
	theme int
	cents int64
}{
	{"Thesis kit", 0, 1490}, {"Citation styles", 0, 690}, {"Lab notebook", 0, 890}, {"Exam planner", 0, 490},
	{"Novel planner", 1, 1290}, {"Character sheets", 1, 590}, {"World atlas", 1, 990}, {"Screenplay format", 1, 1190},
	{"Invoice pack", 2, 790}, {"Pitch deck", 2, 1690}, {"Contract set", 2, 2490}, {"Meeting notes", 2, 390},
	{"Travel journal", 3, 590}, {"Recipe book", 3, 490}, {"Habit tracker", 3, 390}, {"Photo diary", 3, 690},
}

// themes of the items are numbered below this.
const themes = 4

// plans are paid every 30 days.
var plans = []struct {
	name, item string
	cents      int64
}{{"pro", "Pro month", 900}, {"team", "Team month", 2400}}

// reasons for cancelling and topics of complaints are drawn by what truly
// happened to the person where that is known, else by chance.
var (
	reasons = []string{"too expensive", "not using it enough", "missing a feature", "found another tool", "project finished"}
	topics  = []string{"billing", "lost document", "slow", "missing feature", "login"}

	firstNames = []string{"mara", "jonas", "ines", "tomas", "lena", "paul", "aisha", "felix", "nora", "emil", "clara", "hugo", "sofia", "marek", "julia", "david", "elif", "victor", "anna", "ravi", "chloe", "simon", "greta", "oscar", "priya", "lukas", "zoe", "adam", "yara", "finn"}
	lastNames  = []string{"lindner", "moreau", "keller", "novak", "brandt", "silva", "hughes", "weber", "rossi", "petit", "kaya", "schmid", "jansen", "garcia", "fischer", "nowak", "taylor", "singh", "meyer", "dubois", "horak", "martin", "berg", "costa", "wagner", "lopez", "clarke", "huber", "vogel", "patel"}
)

// Rhythms, as factors of the mean. A writing tool is used on working days, less
// in August and over Christmas.
var (
	byWeekday = [7]float64{0.72, 1.16, 1.20, 1.18, 1.12, 0.98, 0.64} // from Sunday
	byMonth   = [12]float64{1.12, 1.06, 1.04, 1.00, 1.00, 0.94, 0.86, 0.74, 1.12, 1.10, 1.12, 0.90}
	byHour    = [24]float64{3, 1.5, 1, 1, 1, 2, 6, 18, 42, 62, 68, 62, 46, 54, 64, 62, 54, 44, 36, 34, 36, 30, 18, 8}
	buyMonth  = [12]float64{0.95, 0.9, 0.9, 0.95, 0.95, 0.9, 0.85, 0.8, 1.1, 1.0, 1.6, 1.5}
)
