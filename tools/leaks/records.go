package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// accounts are the customers of the proof; each has all products.
var accounts = []string{"pier_kiosk", "quay_market"}

// operators are the networks of the records. Nothing else of five digits may be seen.
var operators = []string{"23401", "26201", "310410"}

// writer makes up files of records that tell numbers wherever they can.
type writer struct {
	rng    *rand.Rand
	now    time.Time
	watch  *watch
	serial int
	sms    []string // ids that receipts can be of
}

// id is one of letters alone.
func (w *writer) id() string {
	w.serial++
	letters := []byte("aaaaaa")
	for i, n := len(letters)-1, w.serial; n > 0; i, n = i-1, n/26 {
		letters[i] = byte('a' + n%26)
	}
	return "m-" + string(letters)
}

func (w *writer) number() number {
	n := drawNumber(w.rng)
	w.watch.expect(n)
	return n
}

func (w *writer) time() string {
	return w.now.Add(-time.Minute - time.Duration(w.rng.IntN(8*24*60))*time.Minute).UTC().Format(time.RFC3339)
}

// secret is a name or a content that may not be seen.
func (w *writer) secret(n number) string {
	return pick(w.rng, []string{"Canary Person", "CANARY", "your cañary, canary code", "ＣＡＮＡＲＹ"}) + " " + n.spelt(w.rng)
}

// record is a line of the native format.
func (w *writer) record() map[string]any {
	n, other := w.number(), w.number()
	product := pick(w.rng, []string{"sms", "voice", "video", "messaging"})
	r := map[string]any{
		"accountId": pick(w.rng, accounts), "product": product, "id": w.id(), "timestamp": w.time(), "direction": pick(w.rng, []string{"inbound", "outbound"}),
		"status": pick(w.rng, []string{"delivered", "failed", "sent"}), "from": pick(w.rng, []string{"CanaryCo", other.spelt(w.rng)}), "to": n.spelt(w.rng),
		"country": "GB", "contactName": w.secret(n), "content": w.secret(other), "errorCode": pick(w.rng, []string{"", "43", "E-1203"}),
	}
	switch product {
	case "sms":
		r["segments"], r["operator"] = 1+w.rng.IntN(3), pick(w.rng, operators)
	case "voice":
		r["durationSeconds"], r["operator"] = w.rng.IntN(4), pick(w.rng, operators)
	case "video":
		r["durationSeconds"], r["participants"] = w.rng.IntN(4), 2+w.rng.IntN(2)
	case "messaging":
		r["channel"], r["category"] = "whatsapp", "utility"
	}
	if w.rng.IntN(3) > 0 {
		w.stray(r, n)
	} else if product == "sms" {
		w.sms = append(w.sms, r["id"].(string))
	}
	return r
}

// stray puts the number of a record, or a piece of it, into a field where none belongs.
func (w *writer) stray(r map[string]any, n number) {
	first, second := n.pieces()
	spelt, whole := n.spelt(w.rng), json.Number(n)
	// Ids and prices are held against the numbers of their record that have digits, as each
	// spelling has but the percent-encoded one.
	id := func(text string) { r["id"], r["to"] = text, "+"+string(n) }
	price := func(amount, currency any) {
		r["to"] = "+" + string(n)
		r["recordedPrice"] = map[string]any{"amount": amount, "currency": currency}
	}
	text := func(field string) {
		r[field] = pick(w.rng, []string{spelt, string(n), first, second, "e" + second, in('０', second)})
	}
	count := func(field string) {
		r[field] = json.Number(pick(w.rng, []string{string(n), second}))
	}
	all := []func(){
		func() { r["errorCode"], r["operator"] = second, first },
		func() { r["operator"] = first },
		func() {
			id(pick(w.rng, []string{string(n), "x-" + n.grouped("-"), "0" + n.national(), n.grouped(".") + ":1", spelt}))
		},
		func() { id(fmt.Sprintf("%s-%s", n, r["id"])); r["timestamp"] = "yesterday" },
		func() { r["from"] = whole },
		func() { r[spelt] = "x" },
		func() { r["agentNote"] = w.secret(n) },
		func() { price(string(n), "EUR") },
		func() { price(string(n[:len(n)-9]+"."+n[len(n)-9:]), "EUR") },
		func() { price(spelt, spelt) },
		func() { r["recordedPrice"] = spelt },
		func() { price("0.04", "EUR"); r["recordedPrice"].(map[string]any)[spelt] = 1 },
	}
	for _, field := range strings.Fields("errorCode operator channel category status direction country product accountId timestamp statusAt") {
		all = append(all, func() { text(field) })
	}
	for _, field := range strings.Fields("segments durationSeconds participants participantSeconds") {
		all = append(all, func() { count(field) })
	}
	pick(w.rng, all)()
}

// native is a file of so many lines, some of them broken.
func (w *writer) native(lines int) []byte {
	var file bytes.Buffer
	for range lines {
		line, err := json.Marshal(w.record())
		if err != nil {
			continue // of texts and numbers, which always can be
		}
		switch w.rng.IntN(20) {
		case 0: // digits as escapes
			line = bytes.ReplaceAll(line, []byte("77009"), []byte(`\u0037\u0037\u0030\u0030\u0039`))
		case 1:
			line = line[:len(line)-1-w.rng.IntN(40)] // cut off
		case 2:
			line = append(line, line...) // twice on a line
		}
		file.Write(append(line, '\n'))
	}
	return file.Bytes()
}

// exported is what an export of a format has in a row, by column; others are in the header too.
type exported func(w *writer, n number) map[string]string

// exports are the CSV exports, and the columns into which a number strays.
var exports = map[string]struct {
	row   exported
	stray string
}{
	"connect-sms-csv": {func(w *writer, n number) map[string]string {
		return map[string]string{"umid": w.id(), "subaccountid": pick(w.rng, accounts), "direction": pick(w.rng, []string{"0", "1"}), "country": "GB", "mcc": "234", "mnc": "01",
			"status_value": "delivered", "status_errorcode": "43", "status_timestamp": w.time(), "msisdn": n.spelt(w.rng), "source": pick(w.rng, []string{"CanaryCo", w.number().spelt(w.rng)}),
			"createdat": w.time(), "smscount": "1", "price_currency": "EUR", "price_total": "0.04", "body": w.secret(n)}
	}, "umid subaccountid direction country mcc mnc status_value status_errorcode status_timestamp createdat smscount price_currency price_total"},
	"connect-messaging-csv": {func(w *writer, n number) map[string]string {
		return map[string]string{"umid": w.id(), "subAccountId": pick(w.rng, accounts), "direction": pick(w.rng, []string{"inbound", "outbound"}), "channelType": "WhatsApp", "country": "GB",
			"status_value": "read", "status_errorCode": "0", "status_errorMessage": w.secret(n), "status_timestamp": w.time(), "user_msisdn": n.spelt(w.rng),
			"user_channelUserId": n.spelt(w.rng), "createdAt": w.time(), "step": "1", "content": w.secret(n)}
	}, "umid subAccountId direction channelType country status_value status_errorCode status_timestamp createdAt step"},
	"connect-voice-csv": {func(w *writer, n number) map[string]string {
		return map[string]string{"CallId": w.id(), "SubAccountId": pick(w.rng, accounts), "Direction": pick(w.rng, []string{"INBOUND", "OUTBOUND"}), "SourceEndpoint": w.number().spelt(w.rng),
			"DestinationEndpoint": n.spelt(w.rng), "DestinationCountry": "United Kingdom", "DestinationCountryCode": "44", "DestinationMCC": "234", "DestinationMNC": "01",
			"InitiatedAt": w.time(), "DurationInSec": "6", "CallStatus": "completed", "UnitPriceCurrency": "EUR", "TotalPriceOfCall": "0.04"}
	}, "CallId SubAccountId Direction DestinationCountry DestinationCountryCode DestinationMCC DestinationMNC InitiatedAt DurationInSec CallStatus UnitPriceCurrency TotalPriceOfCall"},
}

// wholes are the columns of ids and prices, which may have a piece of a number, and not one whole.
var wholes = strings.Fields("umid step CallId price_total TotalPriceOfCall")

// wholeNumbers are the columns of counts: the first piece of a number may be one, and nobody can tell.
var wholeNumbers = strings.Fields("smscount DurationInSec")

// csvFile is an export of so many rows; its header has a column that is a number.
func (w *writer) csvFile(format string, rows int) []byte {
	e := exports[format]
	header := append(sortedKeys(e.row(w, w.number())), "+"+string(w.number()))
	var file bytes.Buffer
	out := csv.NewWriter(&file)
	_ = out.Write(header) // into memory
	for range rows {
		n := w.number()
		row := e.row(w, n)
		if w.rng.IntN(2) == 0 {
			first, second := n.pieces()
			column := pick(w.rng, strings.Fields(e.stray))
			row[column] = pick(w.rng, []string{n.spelt(w.rng), string(n), first, second, in('０', second)})
			if slices.Contains(wholeNumbers, column) {
				row[column] = pick(w.rng, []string{string(n), second})
			}
			if slices.Contains(wholes, column) { // what is held against the numbers of its record, where they can be read
				row[column] = string(n)
				for _, end := range strings.Fields("msisdn user_msisdn DestinationEndpoint") {
					if row[end] != "" {
						row[end] = "+" + string(n)
					}
				}
			}
		}
		cells := make([]string, len(header))
		for i, column := range header {
			cells[i] = row[column]
		}
		cells[len(cells)-1] = w.secret(n)
		if w.rng.IntN(20) == 0 {
			cells = append(cells, n.spelt(w.rng)) // one too many
		}
		_ = out.Write(cells)
	}
	out.Flush()
	fmt.Fprintf(&file, "\"%s\nunclosed %s\n", w.number().spelt(w.rng), w.secret(w.number()))
	return file.Bytes()
}

// receipts are of SMS that were loaded, and of others.
func (w *writer) receipts(lines int) []byte {
	var file bytes.Buffer
	for range lines {
		n := w.number()
		first, second := n.pieces()
		text := func(good string) any {
			if w.rng.IntN(8) > 0 {
				return good
			}
			return pick(w.rng, []any{n.spelt(w.rng), string(n), json.Number(n), second, first})
		}
		destination := n.spelt(w.rng)
		whole := func(good string) any {
			if w.rng.IntN(8) > 0 {
				return good
			}
			destination = "+" + string(n)
			return string(n)
		}
		umid, total := whole(pick(w.rng, append(w.sms, "m-none"))), whole("0.04")
		line, err := json.Marshal(map[string]any{"eventType": text("outbound_message_status_changed"), "payload": map[string]any{
			"umid": umid, "subAccountId": text(pick(w.rng, accounts)), "source": w.secret(n), "destination": destination,
			"status": map[string]any{"state": text("delivered"), "timestamp": text(w.time()), "errorCode": text("43"), "detail": w.secret(n)},
			"price":  map[string]any{"total": total, "currency": text("EUR")}}})
		if err != nil {
			continue // of texts and numbers, which always can be
		}
		file.Write(append(line, '\n'))
	}
	return file.Bytes()
}

// credit is a file of remaining credit.
func (w *writer) credit(lines int) []byte {
	var file bytes.Buffer
	fmt.Fprintf(&file, "account,amount,as-of,currency,%s\n", w.number().spelt(w.rng))
	for range lines {
		n := w.number()
		cells := []string{pick(w.rng, accounts), "480.25", w.time(), "EUR", w.secret(n)}
		if w.rng.IntN(4) > 0 {
			first, second := n.pieces()
			cells[w.rng.IntN(4)] = pick(w.rng, []string{n.spelt(w.rng) + "x", first + "x", second + "x", in('０', string(n))})
		}
		out := csv.NewWriter(&file)
		_ = out.Write(cells) // into memory
		out.Flush()
	}
	return file.Bytes()
}
