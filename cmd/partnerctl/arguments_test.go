package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"partnerview/internal/operator"
)

func TestALengthOfTimeIsWrittenAsPeopleWriteIt(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"90d": 90 * day, "2w": 14 * day, "1w2d": 9 * day, "36h": 36 * time.Hour, "1d12h30m": 36*time.Hour + 30*time.Minute, "0s": 0, "1.5h": 90 * time.Minute, "99999d": 99999 * day,
	} {
		if got, err := parseSpan(text); err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "90", "-1h", "d", "1d2w", "1.5d", "1 d", "90D", "99999w99999d", "9999999h", "1e3h", "soon", "2026-01-01", "٩d"} {
		if got, err := parseSpan(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestAKeyExpiresAfterALengthOfTimeOrAtATime(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	for expires, want := range map[string]string{
		"90d":                       "2026-09-13T12:00:00.000Z",
		"720h":                      "2026-07-15T12:00:00.000Z",
		"2027-01-01":                "2027-01-01T00:00:00.000Z",
		"2027-01-01T12:00:00+02:00": "2027-01-01T10:00:00.000Z",
	} {
		made := asJSON[createdKey](d, "key", "create", "--partner", "northwind", "--expires", expires, "--now", "2026-06-15T12:00:00Z")
		if made.ExpiresAt == nil || *made.ExpiresAt != want {
			t.Errorf("--expires %s: the key is %+v, want its end at %s", expires, made, want)
		}
		rotated := asJSON[rotatedKey](d, "key", "rotate", made.KeyID, "--expires", "2028-02-01", "--overlap", "3d", "--now", "2026-06-15T12:00:00Z")
		if *rotated.ExpiresAt != "2028-02-01T00:00:00.000Z" || *rotated.Replaces.ExpiresAt != "2026-06-18T12:00:00.000Z" {
			t.Errorf("rotated, it is %+v", rotated)
		}
	}
	d.run("key", "create", "--partner", "northwind", "--expires", "2020-01-01").fails(t, 1, "a key that ends at 2020-01-01T00:00:00.000Z would never be valid", "90d")
	d.run("key", "create", "--partner", "northwind", "--expires", "0d").fails(t, 2, "without --expires it does not expire")
}

func TestADayIsATimeEverywhere(t *testing.T) {
	d := newDeskWithPrices(t)
	for want, args := range map[string][]string{
		"rated: 0.1 EUR":                     {"price", "explain", "acme_retail", "sms", "--at", "2026-05-04", "--direction", "outbound", "--status", "delivered", "--segments", "1"},
		"Rates from 2027-01-01T":             {"price", "show", "acme_retail", "sms", "--at", "2027-01-01"},
		"→ 2026-06-30T00:00:00.000Z":         {"customer", "set-credit", "acme_retail", "--remaining", "1", "--as-of", "2026-06-30", "--dry-run"},
		"2026-01-01T00:00:00.000Z  in force": {"price", "show", "acme_retail", "sms", "--now", "2026-06-01"},
	} {
		says(t, d.must(args...), want)
	}
}

// What Go's parsers, and the parser of the command line, say of a wrong value.
var saysParser = regexp.MustCompile(`parsing |strconv|invalid syntax|unknown unit|2006-01|bit int|duration but|expected (value|string)|EOL|time: (unknown|invalid|missing)|one of ""|\*[a-z]+\.|no such file|900123`)

// Every flag and every argument of every command, with values that none of them
// can have, and with none: who typed it reads what can stand there.
func TestNoParserSpeaksToTheOperator(t *testing.T) {
	d, parser := newDesk(t), parserOf(t)
	for i, leaf := range parser.Model.Leaves(true) {
		words := strings.Fields(leaf.Path())
		var tries [][]string
		flags := leaf.Flags
		if i == 0 { // those that all commands have
			flags = slices.Concat(leaf.AllFlags(true)...)
		}
		for _, flag := range flags {
			if flag.Name == "help" || flag.IsBool() {
				continue
			}
			tries = append(tries, []string{"--" + flag.Name})
			if isFree(flag.Value) {
				continue
			}
			for _, value := range []string{"", "soon", "1.5x", "-1", "+44 7700 900123", "99999999999999999999", "2026-13-01", "2026-05-04 08:00"} {
				tries = append(tries, []string{"--" + flag.Name + "=" + value})
			}
		}
		for _, try := range tries {
			args, said := slices.Concat(words, try), ""
			if _, err := parser.Parse(args); err != nil {
				said = misuseText(err) // as run says it, which makes a parser each time
			} else {
				said = d.run(args...).errOut
			}
			if saysParser.MatchString(said) {
				t.Errorf("partnerctl %s %s: %s", strings.Join(words, " "), try[0], said)
			}
		}
	}
}

// isFree reports whether any text can be a value.
func isFree(v *kong.Value) bool {
	kind := fmt.Sprint(v.Target.Type())
	return v.Enum == "" && (kind == "string" || kind == "[]string")
}

func TestAnExpiryIsNeverNothingByAccident(t *testing.T) {
	for _, text := range []string{"", "0s", "0", "-90d"} {
		if expiry, err := parseExpiry(text); err == nil || expiry != (operator.Expiry{}) {
			t.Errorf("%q is taken for %+v", text, expiry)
		}
	}
}

// A file that is not there is told with where it was looked for, by every command
// that reads one.
func TestMissingFilesAreToldWithWhatToDo(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	for _, args := range [][]string{
		{"apply", "-f", "in/missing.yaml"}, {"price", "check", "-f", "in/missing.yaml"}, {"price", "explain", "acme_retail", "sms", "-f", "in/missing.yaml"},
		{"import", "usage", "in/missing.yaml"}, {"import", "credit", "in/missing.yaml"},
	} {
		d.run(args...).fails(t, 1, "there is no in/missing.yaml: check the name, which is looked for in the current folder/in")
	}
	d.run("apply", "-f", ".").fails(t, 1, ". is a folder: name a file in it")
}
