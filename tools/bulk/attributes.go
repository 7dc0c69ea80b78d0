package bulk

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// numberOf is where an id has its record's number.
var numberOf = regexp.MustCompile(`^[nuwc]-(\d{7})(?::1)?$`)

// Number finds the number of the record that has an id; false: it is none of a
// load's.
func Number(id string) (number int, ok bool) {
	m := numberOf.FindStringSubmatch(id)
	if m == nil {
		return 0, false
	}
	number, err := strconv.Atoi(m[1])
	return number, err == nil
}

// Attributes is what the table Usage holds of a record when the whole load is in
// it: each attribute as text.
func (l Load) Attributes(number int) map[string]string {
	r := l.row(number)
	from, to := r.sides()
	all := map[string]string{
		"log": r.account + "#" + r.product, "at": stamp(r.at) + "#" + r.id, "byId": r.account + "#" + r.product + "#" + r.id,
		"direction": r.direction, "from": from.shown, "to": to.shown, "country": r.country, "operator": r.operator,
		"channel": r.channel, "category": r.category,
		"expiresAt": fmt.Sprint(r.at.AddDate(0, 13, 0).Unix()),
	}
	for name, n := range map[string]int{"segments": r.segments, "durationSeconds": r.seconds, "participants": r.participants} {
		if n >= 0 {
			all[name] = strconv.Itoa(n)
		}
	}
	if r.participants >= 0 {
		all["participantSeconds"] = strconv.Itoa(r.participants * r.seconds)
	}
	status, code, at := r.status, r.errorCode, r.statusAt
	recorded, recordedAt := r.price, at
	if l.hasReceipts(number) {
		first, second := r.receipts(number)
		if second.at.After(at) {
			status, code, at = second.status, second.errorCode, second.at
		}
		if first.at.After(recordedAt) {
			recorded, recordedAt = first.price, first.at
		}
	}
	all["status"], all["errorCode"], all["statusAt"] = status, code, stamp(at)
	if recorded.amount != "" {
		all["recordedAmount"], all["recordedCurrency"] = strings.TrimRight(recorded.amount, "0"), recorded.currency
	}
	if !recordedAt.Equal(at) {
		all["priceAt"] = recordedAt.Format("2006-01-02T15:04:05.000Z07:00")
	}
	for name, text := range all {
		if text == "" {
			delete(all, name)
		}
	}
	return all
}
