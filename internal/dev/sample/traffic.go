package sample

import "time"

// sender is a customer as the generator knows it. Its account, products and
// currency are those of testdata/sample/directory.yaml; a test compares them.
type sender struct {
	account   string
	currency  string // of the prices that the platform recorded
	rhythm    rhythm
	countries string // where its contacts are, the most usual first
	share     share
}

// share says how much of all traffic a customer's products have, in no unit but
// each other. 0 is a product without records, or one that it does not have.
type share struct{ sms, voice, video, messaging int }

// senders are the customers that send. They are unequal, as customers are: the
// log of harbourline_freight's SMS has thousands of records, that of o&o a few,
// and durian&daughters has SMS but never sent one. sample_one and sample_two
// have the records of testdata/fixtures, and none of these.
func senders() []sender {
	return []sender{
		{"harbourline_freight", "EUR", always, "DE NL GB FR PL", share{sms: 4200, voice: 500, messaging: 900}},
		{"mueller_soehne", "EUR", office, "DE AT CH", share{sms: 500, voice: 400, video: 250, messaging: 200}},
		{"tidewheel.energy", "EUR", always, "NO DK SE", share{sms: 900, voice: 250}},
		{"orizontas", "EUR", shop, "GR CY IT", share{sms: 200, messaging: 350}},
		{"sinyaya-soroka", "EUR", office, "RS BG DE", share{voice: 180, video: 120}},
		{"zoes_cafe", "EUR", shop, "FR BE", share{messaging: 160}},
		{"null&void", "EUR", office, "DE NL", share{sms: 120, voice: 90}},
		{"bridge_wardens", "EUR", office, "NL BE GB", share{sms: 60, voice: 40}},
		{"north-sea_ferries.and&islands.passenger-services_x", "EUR", always, "NL DE GB NO",
			share{sms: 450, voice: 120, messaging: 150}},
		{"velvet-tram", "EUR", office, "FR BE", share{voice: 130, video: 110}},

		{"pocket-orchard", "GBP", shop, "GB IE", share{sms: 800, messaging: 450}},
		{"acme_retail", "GBP", shop, "GB US", share{sms: 90, voice: 60}},
		{"saltmarsh.clinics", "GBP", office, "GB", share{sms: 700, voice: 450, video: 400}},
		{"o&o", "GBP", shop, "GB", share{sms: 12}},
		{"fernglade_schools", "GBP", office, "GB", share{sms: 150, video: 200}},
		{"brass.lantern", "GBP", shop, "GB US IE", share{sms: 110, messaging: 130}},
		{"quillfeather", "GBP", office, "GB IE", share{sms: 180, voice: 350, video: 60}},
		{"brolly-library", "GBP", shop, "GB", share{sms: 40}},

		{"kitebird", "USD", always, "US CA MX", share{sms: 650}},
		{"KiteBird", "USD", always, "US CA", share{voice: 140}},
		{"glasshopper", "USD", always, "US GB BR JP", share{messaging: 900}},
		{"tapuz_kachol", "USD", shop, "IL CY", share{sms: 160, messaging: 140}},
		{"dalbit-post", "USD", always, "KR JP", share{sms: 260, messaging: 90}},
		{"neela.patang", "USD", always, "IN AE", share{sms: 400, voice: 110}},
		{"equals_sum", "USD", office, "US CA GB", share{sms: 70}},
		{"finch-quick", "USD", shop, "US CA", share{sms: 140, voice: 160}},
		{"meridian90", "USD", always, "US GB JP SG DE", share{sms: 1100, voice: 300, video: 220, messaging: 600}},

		{"lotus-lane", "SGD", shop, "SG MY CN", share{sms: 190, messaging: 210}},
		{"stall_88", "SGD", shop, "SG", share{sms: 230}},
		{"peacock.coffee", "SGD", shop, "TH SG", share{messaging: 180}},
		{"durian&daughters", "SGD", office, "SG MY", share{voice: 120}},

		{"kinmokusei.jp", "JPY", office, "JP", share{sms: 420, voice: 200, messaging: 380}},
		{"kasasagi-bin", "JPY", always, "JP", share{sms: 310}},
		{"momiji_boats", "JPY", shop, "JP TW", share{sms: 80, video: 90}},
		{"hoshimigaoka", "JPY", shop, "JP", share{voice: 110, messaging: 70}},

		{"copper_oasis", "KWD", always, "KW SA AE", share{sms: 240, voice: 130}},
		{"hudhud.books", "KWD", shop, "KW SA", share{sms: 50, messaging: 60}},
		{"pearl&dhow", "KWD", always, "KW OM", share{sms: 70, voice: 50, video: 30}},
	}
}

// rhythm is when a customer is busy.
type rhythm int

const (
	always rhythm = iota // around the clock, quieter at night
	office               // on weekdays, with a lunch break
	shop                 // every day, and most at the weekend
)

// busy is how much a customer sends in the hour that t lies in; 100 is its best.
func (r rhythm) busy(t time.Time) int {
	hour, weekend := t.Hour(), t.Weekday() == time.Saturday || t.Weekday() == time.Sunday
	switch {
	case r == office && weekend:
		return 3
	case r == office && hour == 12:
		return 60
	case r == office && hour >= 8 && hour < 18:
		return 100
	case r == shop && hour >= 9 && hour < 21 && weekend:
		return 100
	case r == shop && hour >= 9 && hour < 21:
		return 65
	case r == always && hour >= 6 && hour < 22:
		return 80
	case r == always:
		return 40
	}
	return 5
}

// operators lists, for a country of [senders], networks of it as MCC and MNC.
// Countries that are not in it have none that the platform could name.
func operators(country string) []string {
	return map[string][]string{
		"GB": {"23401", "23402", "23415"},
		"DE": {"26201", "26202", "26203"},
		"NL": {"20404", "20408"},
		"FR": {"20801", "20810"},
		"NO": {"24201", "24202"},
		"US": {"310099", "310260"},
		"CA": {"302220"},
		"SG": {"52503", "52505"},
		"JP": {"44010", "44020"},
		"KW": {"41902", "41903"},
		"IN": {"40410"},
		"AT": {"23201"},
	}[country]
}
