package sample

import (
	"encoding/json"
	"fmt"
	"strings"
)

// unknown is what a platform writes where it does not know: null, or nothing.
func (g *generator) unknown() any {
	if g.oneIn(2) {
		return json.RawMessage("null")
	}
	return nil
}

// known is a word as a field, and unknown where the word is empty.
func (g *generator) known(word string) any {
	if word == "" {
		return g.unknown()
	}
	return word
}

func (g *generator) sms(r *line, l log) {
	g.remote(r, l)
	r.Direction, r.From, r.To = "outbound", g.ownAddress(), g.address()
	status := odds{
		{640, "delivered"}, {20, "Delivered"}, {90, "sent"}, {70, "undelivered"}, {25, "queued"}, {25, "rejected"},
		{20, "failed"}, {10, "canceled"}, {10, "error"}, {6, "read"}, {6, "unknown"}, {4, "expired"}, {14, ""},
	}
	if g.oneIn(7) {
		r.Direction, r.From, r.To = "inbound", r.To, r.From
		status = odds{{90, "received"}, {6, "delivered"}, {4, ""}}
	}
	word := g.draw(status)
	r.Status = g.known(word)
	g.errorCode(r, word)

	switch {
	case g.oneIn(30):
		r.Segments = g.unknown()
	case g.oneIn(60):
		r.Segments = 0
	case g.oneIn(4):
		r.Segments = 2 + g.rng.IntN(7)
	default:
		r.Segments = 1
	}
}

func (g *generator) voice(r *line, l log) {
	g.remote(r, l)
	r.Direction, r.From, r.To = "outbound", g.number(), g.address()
	if g.oneIn(3) {
		r.Direction, r.From, r.To = "inbound", r.To, r.From
	}
	word := g.draw(odds{
		{700, "completed"}, {30, "Completed"}, {90, "no_answer"}, {20, "NO-ANSWER"}, {70, "busy"}, {25, "failed"},
		{20, "canceled"}, {10, "rejected"}, {10, "error"}, {10, "in progress"}, {5, "unknown"}, {10, ""},
	})
	r.Status = g.known(word)
	g.errorCode(r, word)

	switch strings.ToLower(word) {
	case "completed":
		r.DurationSeconds = g.seconds()
		if g.oneIn(50) {
			r.DurationSeconds = g.unknown()
		}
	case "in progress", "unknown", "":
		r.DurationSeconds = g.unknown()
	default:
		r.DurationSeconds = 0
	}
}

func (g *generator) video(r *line) {
	// A session has no other party: who took part does not say where they were.
	r.Direction = g.known(g.draw(odds{{85, ""}, {10, "outbound"}, {5, "inbound"}}))
	r.Country = g.unknown()
	r.From, r.To = g.unknown(), g.unknown()
	if g.oneIn(3) {
		r.From = g.email()
	}
	if g.oneIn(12) {
		r.To = g.number() // someone joined by telephone
	}
	word := g.draw(odds{{900, "completed"}, {30, "in-progress"}, {30, "failed"}, {20, "canceled"}, {20, ""}})
	r.Status = g.known(word)
	g.errorCode(r, word)

	participants, seconds := 2+g.rng.IntN(9), g.seconds()
	switch {
	case word == "failed" || word == "canceled":
		r.DurationSeconds, r.Participants, r.ParticipantSeconds = 0, g.rng.IntN(2), 0
	case word == "in-progress" || g.oneIn(30):
		r.Participants = participants // how long is not told
	case g.oneIn(3):
		r.DurationSeconds, r.Participants = seconds, participants // the importer multiplies
	case g.oneIn(20):
		r.ParticipantSeconds = min(seconds*participants, 99_999) // as many as may be told alone
	default: // some came late, some left early
		r.DurationSeconds, r.Participants = seconds, participants
		r.ParticipantSeconds = seconds + g.rng.IntN(seconds*(participants-1)+1)
	}
}

func (g *generator) messaging(r *line, l log) {
	g.remote(r, l)
	r.Operator = nil // messaging apps have none
	r.Channel = g.known(g.draw(odds{
		{450, "whatsapp"}, {60, "WhatsApp"}, {110, "viber"}, {130, "line"}, {100, "rcs"}, {30, "messenger"},
		{20, "sms"}, {15, ""},
	}))
	r.Category = g.known(g.draw(odds{
		{300, "marketing"}, {280, "utility"}, {180, "authentication"}, {120, "service"}, {20, "Marketing"}, {90, ""},
	}))
	r.Direction, r.From, r.To = "outbound", g.unknown(), g.address()
	status := odds{
		{420, "delivered"}, {300, "read"}, {90, "sent"}, {60, "undelivered"}, {30, "queued"}, {30, "failed"},
		{20, "rejected"}, {10, "canceled"}, {10, "error"}, {5, "unknown"}, {15, ""},
	}
	if g.oneIn(3) {
		r.Direction, r.From, r.To = "inbound", r.To, r.From
		status = odds{{80, "received"}, {15, "read"}, {5, ""}}
	}
	word := g.draw(status)
	r.Status = g.known(word)
	g.errorCode(r, word)
}

// remote fills in where the other party is, as far as that is known.
func (g *generator) remote(r *line, l log) {
	if g.oneIn(25) {
		r.Country, r.Operator = g.unknown(), g.unknown()
		return
	}
	countries := strings.Fields(l.countries)
	country := countries[0]
	if g.oneIn(3) {
		country = pick(g, countries...)
	}
	r.Country, r.Operator = country, g.unknown()
	if known := operators(country); len(known) > 0 && !g.oneIn(5) {
		r.Operator = pick(g, known...)
	}
}

// seconds is how long a call took: mostly a few minutes, now and then hours.
func (g *generator) seconds() int {
	switch {
	case g.oneIn(200):
		return 3600 + g.rng.IntN(4*3600)
	case g.oneIn(4):
		return 600 + g.rng.IntN(3000)
	}
	return 1 + g.rng.IntN(300)
}

// errorCode says why a record failed. A few codes are the number that failed,
// which an importer must not keep.
func (g *generator) errorCode(r *line, status string) {
	switch status {
	case "undelivered", "rejected", "failed", "error", "busy":
	default:
		return
	}
	r.ErrorCode = pick(g, "15", "43", "46", "spam_filter", "E-1017", "SIP.486", "absent_subscriber")
	if g.oneIn(25) {
		r.ErrorCode = "447700900" + fmt.Sprintf("%03d", g.rng.IntN(1000))
	}
}

// price is what the platform recorded: in one of several ways to write it, now
// and then a known 0, and seldom in a currency other than the customer's.
func (g *generator) price(l log) price {
	currency := l.currency
	if g.oneIn(40) {
		currency = pick(g, "USD", "EUR")
	}
	tenThousandths := 1 + g.rng.IntN(1999)
	switch {
	case g.oneIn(30):
		return price{pick(g, "0", "0.0000", "0E-7"), currency}
	case currency == "JPY":
		return price{fmt.Sprint(1 + tenThousandths/100), currency}
	case g.oneIn(25):
		return price{fmt.Sprintf("%d.%de-3", 1+tenThousandths%9, tenThousandths%7), currency}
	case g.oneIn(20):
		return price{fmt.Sprintf("0.%04d471", tenThousandths), currency}
	}
	return price{fmt.Sprintf("0.%04d", tenThousandths), currency}
}
