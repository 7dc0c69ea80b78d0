package bulk

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// row is a record, or what the log says of it before receipts come. A text that
// is empty, a time that is zero and a count below 0 are not told.
type row struct {
	rng     *rand.Rand
	account string
	product string
	id      string
	at      time.Time

	direction, status, errorCode string
	statusAt                     time.Time
	person                       number // the other side
	own                          number // the customer's own
	country, operator            string
	segments, seconds            int
	participants                 int
	channel, category            string
	price                        price
}

// number is a telephone number, or a name, and what may be shown of it.
type number struct{ raw, shown string }

// price is a recorded price: no amount, no price.
type price struct{ amount, currency string }

// row makes the record of a number.
func (l Load) row(n int) *row {
	f := l.kind(n)
	r := &row{rng: rand.New(rand.NewPCG(uint64(n), 41)), account: account(n), segments: -1, seconds: -1, participants: -1}
	step := window / time.Duration(f.Lines)
	r.at = Now().Add(-window + time.Duration(n-f.first)*step + time.Duration(r.rng.Int64N(int64(step)))).Truncate(time.Millisecond)
	r.person, r.own = r.number(), r.number()
	r.direction = pick(r, "outbound", "outbound", "outbound", "inbound")
	r.country, r.operator = "GB", pick(r, "23401", "23402", "")
	if strings.HasPrefix(r.person.raw, "+1") {
		r.country, r.operator = "US", pick(r, "310099", "")
	}
	switch f.Format {
	case "native":
		r.id, r.product = fmt.Sprintf("n-%07d", n), []string{"sms", "voice", "video", "messaging"}[n%4]
	case "connect-sms-csv":
		r.id, r.product = fmt.Sprintf("u-%07d", n), "sms"
	case "connect-messaging-csv":
		r.id, r.product = fmt.Sprintf("w-%07d:1", n), "messaging"
	case "connect-voice-csv":
		r.id, r.product = fmt.Sprintf("c-%07d", n), "voice"
	}
	r.fill(f.Format)
	return r
}

// fill makes what depends on the product and the format.
func (r *row) fill(format string) {
	r.status = pick(r, "sent", "delivered", "delivered", "undelivered")
	r.price = price{fmt.Sprintf("0.%04d", 1+r.rng.IntN(9999)), "EUR"}
	if r.rng.IntN(5) > 0 {
		r.statusAt = r.at.Add(time.Duration(1+r.rng.IntN(9000)) * time.Millisecond)
	}
	switch r.product {
	case "sms":
		r.segments = 1 + r.rng.IntN(4)
	case "messaging":
		r.operator, r.channel, r.category = "", pick(r, "whatsapp", "viber", "rcs"), pick(r, "marketing", "utility")
		r.own = number{}
	case "voice":
		r.status, r.seconds = pick(r, "completed", "completed", "no_answer"), r.rng.IntN(900)
	case "video":
		r.direction, r.country, r.operator, r.person, r.own = "", "", "", number{}, number{}
		r.status, r.seconds, r.participants = "completed", 1+r.rng.IntN(5000), 2+r.rng.IntN(9)
	}
	switch format {
	case "connect-messaging-csv":
		r.category, r.price = "", price{}
	case "connect-voice-csv":
		r.statusAt = time.Time{}
	}
	if r.rng.IntN(10) == 0 {
		r.price = price{}
	}
	if r.status == "undelivered" {
		r.errorCode = pick(r, "43", "46")
	}
}

// number makes one of the numbers that are kept for fiction, or a sender's name.
func (r *row) number() number {
	switch r.rng.IntN(6) {
	case 0:
		last := fmt.Sprintf("01%02d", r.rng.IntN(100))
		return number{"+1202555" + last, "****" + last}
	case 1:
		return number{"Canary News", "****"}
	case 2:
		last := fmt.Sprintf("%03d", r.rng.IntN(1000))
		return number{"+44 7700 900" + last, "****0" + last}
	}
	last := fmt.Sprintf("%03d", r.rng.IntN(1000))
	return number{"+447700900" + last, "****0" + last}
}

func pick(r *row, from ...string) string { return from[r.rng.IntN(len(from))] }

// sides are from and to.
func (r *row) sides() (from, to number) {
	if r.direction == "inbound" {
		return r.person, r.own
	}
	return r.own, r.person
}

// receipt is what one of a record's two receipts says. The first tells a price,
// the second none; every seventh record's log is newer than both.
type receipt struct {
	status, errorCode string
	at                time.Time
	price             price
}

func (r *row) receipts(number int) (first, second receipt) {
	base := r.at
	if number%7 == 0 && !r.statusAt.IsZero() {
		base = r.at.Add(-time.Hour)
	}
	first = receipt{"sent", "", base.Add(10 * time.Second), price{fmt.Sprintf("0.%04d", 1+r.rng.IntN(9999)), "EUR"}}
	second = receipt{"delivered", "", base.Add(25 * time.Second), price{}}
	if r.rng.IntN(4) == 0 {
		second.status, second.errorCode = "undelivered", "46"
	}
	return first, second
}
