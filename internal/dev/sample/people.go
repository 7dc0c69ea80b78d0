package sample

import (
	"fmt"
	"strings"
)

// The short codes that the sample's customers send from: of six digits, ending
// in 0 so that no decimal of ours, which has no trailing zeros, can be one.
const (
	shortCodeGB = "770090"
	shortCodeUS = "202550"
)

// number is somebody's telephone number in one of the ways in which people and
// systems write it. All are of the ranges that are kept for fiction: +44 7700
// 900000 to 900999 (Ofcom), and +1 202 555 0100 to 0199 (NANPA).
func (g *generator) number() string {
	if g.oneIn(3) {
		return g.numberUS(fmt.Sprintf("01%02d", g.rng.IntN(100)))
	}
	return g.numberGB(fmt.Sprintf("%03d", g.rng.IntN(1000)))
}

func (g *generator) numberGB(last3 string) string {
	if g.oneIn(400) {
		return "＋４４７７００９００" + digitsFrom('０', last3)
	}
	if g.oneIn(400) {
		return "٠٧٧٠٠ ٩٠٠" + digitsFrom('٠', last3)
	}
	return pick(g, "+447700900", "+447700900", "+447700900", "447700900", "00447700900", "07700900", "07700 900 ",
		"+44 7700 900", "+44 7700 900 ", "+44-7700-900", "+44 (0)7700 900", "+44.7700.900", "7700900") + last3
}

func (g *generator) numberUS(last4 string) string {
	return pick(g, "+1202555", "+1202555", "+1202555", "1202555", "001202555", "(202) 555-", "202-555-", "202.555.",
		"+1 202 555 ", "+1 (202) 555-", "1-202-555-", "202555") + last4
}

// digitsFrom writes ASCII digits in the script whose zero is given.
func digitsFrom(zero rune, digits string) string {
	return strings.Map(func(r rune) rune { return zero + r - '0' }, digits)
}

// address is how the record names the other party: mostly by number, else by
// whatever the platform had, a number that it has masked itself included.
func (g *generator) address() any {
	if !g.oneIn(8) {
		return g.number()
	}
	return pick(g,
		g.unknown(),
		g.email(),
		any(""), any("  "),
		any("****"), any(fmt.Sprintf("****%04d", g.rng.IntN(10000))),
		any("+44770090xxxx"), any("1202555XXXX"),
		any("tel:+447700900"+fmt.Sprintf("%03d", g.rng.IntN(1000))),
		any("GB.canary-user-"+fmt.Sprintf("%04d", g.rng.IntN(10000))),
	)
}

// ownAddress is what a customer sends from: a name, a short code or a number.
func (g *generator) ownAddress() string {
	return pick(g, "CanaryShop", "CANARY-OTP", "Canary News", shortCodeGB, shortCodeUS, g.number(), g.number())
}

func (g *generator) email() any { return fmt.Sprintf("canary.%04d@example.com", g.rng.IntN(10000)) }

// contactName is the name of a person, marked so that a leak of it is found.
func (g *generator) contactName(i int) any {
	name := pick(g, "Ada Example", "Björn Beispiel", "Chloé d’Exemple", "דנה דוגמה", "例子 小明", "ليلى مثال",
		"Ηλίας Παράδειγμα", "O'Sample, Ruth")
	if g.oneIn(30) {
		return map[string]string{"first": fmt.Sprintf("CANARY-NAME-%05d", i), "last": name}
	}
	return fmt.Sprintf("CANARY-NAME-%05d: %s", i, name)
}

// content is what was said, marked so that a leak of it is found.
func (g *generator) content(i int) any {
	said := pick(g,
		"Your parcel arrives between 9 and 11.",
		fmt.Sprintf("%06d is your code. Tell it to nobody.", g.rng.IntN(1_000_000)),
		"Your appointment is tomorrow; call "+g.number()+" to move it.",
		"<img src=x onerror=alert(1)> we ate your \"cookies\", sorry",
		"Ihr Tisch ist bereit. 🍽", "ご予約を承りました。", "رحلتك غداً", "=1+1",
	)
	if g.oneIn(10) {
		return map[string]any{"template": "CANARY-CONTENT-" + fmt.Sprintf("%05d", i), "parameters": []string{said}}
	}
	return fmt.Sprintf("CANARY-CONTENT-%05d: %s", i, said)
}

// id draws the id of a record: of any form that the platform allows, never one
// that could be taken for a telephone number.
func (g *generator) id(product string) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	size := 12
	if g.oneIn(500) {
		size = 128 - len("messaging:")
	}
	id := []byte(map[string]string{"sms": "m-", "voice": "call:", "video": "room.", "messaging": "wa_"}[product])
	for range size {
		id = append(id, letters[g.rng.IntN(len(letters))])
	}
	return string(id)
}
