package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
)

// number is a full telephone number of a range that nobody has: "447700900123".
type number string

// drawNumber draws one of +44 7700 900000 to 900999, or of +1 202 555 0100 to 0199.
func drawNumber(rng *rand.Rand) number {
	if rng.IntN(4) > 0 {
		return number(fmt.Sprintf("447700900%03d", rng.IntN(1000)))
	}
	return number(fmt.Sprintf("120255501%02d", rng.IntN(100)))
}

// pieces are the two parts in which a number is split over two fields: "447700" and "900123".
// The second is more than any count may be.
func (n number) pieces() (first, second string) { return string(n[:len(n)-6]), string(n[len(n)-6:]) }

// national is the number without its country's code.
func (n number) national() string {
	if rest, isUK := strings.CutPrefix(string(n), "44"); isUK {
		return rest
	}
	return string(n[1:])
}

// grouped is the number in groups, with a separator between: "44-7700-900123".
func (n number) grouped(separator string) string {
	if strings.HasPrefix(string(n), "44") {
		return strings.Join([]string{string(n[:2]), string(n[2:6]), string(n[6:])}, separator)
	}
	return strings.Join([]string{string(n[:1]), string(n[1:4]), string(n[4:7]), string(n[7:])}, separator)
}

// in is a text with its digits in another script, by that script's zero.
func in(zero rune, text string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return zero + c - '0'
		}
		return c
	}, text)
}

// spellings are the ways in which a number is written.
func (n number) spellings() []string {
	plain := string(n)
	spelt := []string{
		plain, "+" + plain, "00" + plain, "0" + n.national(), "+" + n.grouped(" "), n.grouped("-"), n.grouped("."), n.grouped("\u00a0"),
		"(+" + n.grouped(") "), "+" + plain[:2] + " (0)" + plain[2:], "tel:+" + plain, "tel:+" + n.grouped("-"),
		"sip:+" + plain + "@example.com", plain + ":15@s.whatsapp.net", "whatsapp:+" + plain, url.QueryEscape("+" + plain), url.QueryEscape("+" + n.grouped(" ")),
		in('０', "+"+plain), in('٠', plain), in('०', n.grouped(" ")), in('𝟎', plain), "\u202a+" + n.grouped("\u200e") + "\u202c", plain + ".0",
		"Call +" + n.grouped(" ") + " now",
	}
	var escaped strings.Builder
	for _, c := range []byte(plain) {
		fmt.Fprintf(&escaped, "%%%02x", c)
	}
	return append(spelt, escaped.String())
}

// spelt is one of the spellings.
func (n number) spelt(rng *rand.Rand) string { return pick(rng, n.spellings()) }

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }
