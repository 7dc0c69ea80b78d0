package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/importer"
	"partnerview/internal/money"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// The arguments and flags that have a form of their own are checked as they are
// read, so that a wrong one is wrong use. Each takes what an operator would write,
// and its error says what that is; none passes on what a parser of Go says, or
// repeats what was written: that may be a telephone number.

// timeArgument is a time, strictly in RFC 3339, or a day, which begins at midnight UTC. The zero
// timeArgument was not given.
type timeArgument struct{ time time.Time }

func (a *timeArgument) UnmarshalText(text []byte) (err error) {
	a.time, err = parseTime(string(text))
	return err
}

func parseTime(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil && day.Year() > 0 {
		return day, nil
	}
	at, err := usage.ParseTime(text)
	if err != nil {
		return time.Time{},
			errors.New("not a time: write a day, such as 2026-06-01, which begins at midnight UTC, or RFC 3339, " +
				"such as 2026-06-01T12:00:00Z")
	}
	return at, nil
}

// or is the time that was given, or else another.
func (a timeArgument) or(other time.Time) time.Time {
	if a.time.IsZero() {
		return other
	}
	return a.time
}

// spanArgument is a length of time.
type spanArgument struct{ length time.Duration }

func (a *spanArgument) UnmarshalText(text []byte) error {
	length, ok := parseSpan(string(text))
	if !ok {
		return errors.New("not a length of time: write it as 90d, 2w, 36h or 1d12h30m")
	}
	a.length = length
	return nil
}

var spanForm = regexp.MustCompile(`^(?:(\d{1,5})w)?(?:(\d{1,5})d)?((?:\d+(?:\.\d+)?(?:h|m|s|ms))*)$`)

// parseSpan reads weeks, days of 24 hours, and what Go's durations have. It is
// never negative.
func parseSpan(text string) (length time.Duration, ok bool) {
	parts := spanForm.FindStringSubmatch(text)
	if parts == nil || text == "" {
		return 0, false
	}
	if parts[3] != "" {
		var err error
		if length, err = time.ParseDuration(parts[3]); err != nil {
			return 0, false
		}
	}
	const day = 24 * time.Hour
	for i, unit := range []time.Duration{7 * day, day} {
		n, _ := strconv.Atoi("0" + parts[i+1]) // at most five digits, or none
		if length > math.MaxInt64-time.Duration(n)*unit || time.Duration(n) > math.MaxInt64/unit {
			return 0, false
		}
		length += time.Duration(n) * unit
	}
	return length, true
}

// expiryArgument is when a key ends: after a length of time, or at a time.
type expiryArgument struct{ operator.Expiry }

func (a *expiryArgument) UnmarshalText(text []byte) error {
	if length, ok := parseSpan(string(text)); ok && length > 0 {
		a.After = length
		return nil
	} else if ok {
		return errors.New("would end the key at once: without --expires it does not expire")
	}
	at, err := parseTime(string(text))
	if err != nil {
		return errors.New("neither a length of time, such as 90d, 2w or 36h, nor a time, " +
			"such as 2027-01-01 or 2027-01-01T12:00:00Z")
	}
	a.At = at
	return nil
}

// countArgument is a whole number, 0 or more.
type countArgument int64

func (a *countArgument) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 0 {
		return errors.New("not a whole number of 0 or more, such as 100")
	}
	*a = countArgument(n)
	return nil
}

// number is what a record has: nil where the flag was not given.
func (a *countArgument) number() *int64 { return (*int64)(a) }

// secondsArgument is a number of seconds, or a length of time.
type secondsArgument int64

func (a *secondsArgument) UnmarshalText(text []byte) error {
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil && n >= 0 {
		*a = secondsArgument(n)
		return nil
	}
	length, ok := parseSpan(string(text))
	if !ok || length%time.Second != 0 {
		return errors.New("not a number of seconds: write 90, 90s or 1m30s")
	}
	*a = secondsArgument(length / time.Second)
	return nil
}

func (a *secondsArgument) number() *int64 { return (*int64)(a) }

// countryArgument is ISO 3166-1 alpha-2, in any case.
type countryArgument string

func (a *countryArgument) UnmarshalText(text []byte) error {
	code, err := usage.ParseCountry(string(text))
	if err != nil {
		return errors.New("not a country: write its two letters of ISO 3166-1, such as GB")
	}
	*a = countryArgument(code)
	return nil
}

// operatorArgument is the digits of MCC and MNC.
type operatorArgument string

func (a *operatorArgument) UnmarshalText(text []byte) error {
	if _, err := usage.ParseOperator(string(text)); err != nil {
		return errors.New("not an operator: write the 5 or 6 digits of MCC and MNC, such as 23401")
	}
	*a = operatorArgument(text)
	return nil
}

// wordArgument is a status, a channel or a category, in the form that records
// have.
type wordArgument string

func (a *wordArgument) UnmarshalText(text []byte) error {
	word, err := usage.ParseChannel(usage.Underscored(string(text)))
	if err != nil {
		return errors.New("not a word such as delivered, whatsapp or marketing: at most 32 letters, digits and _")
	}
	*a = wordArgument(word)
	return nil
}

type (
	partnerArgument struct{ id directory.PartnerID }
	accountArgument struct{ id usage.AccountID }
	formatArgument  struct{ format importer.Format }
)

func (a *partnerArgument) UnmarshalText(text []byte) (err error) {
	a.id, err = directory.ParsePartnerID(string(text))
	return err
}

func (a *accountArgument) UnmarshalText(text []byte) (err error) {
	a.id, err = usage.ParseAccountID(string(text))
	return err
}

func (a *formatArgument) UnmarshalText(text []byte) (err error) {
	a.format, err = importer.ParseFormat(string(text))
	return err
}

// keyArgument is a key's id, or the whole key as one finds it where it leaked.
// Its error does not repeat it: it may be a secret.
type keyArgument struct{ id string }

func (a *keyArgument) UnmarshalText(text []byte) (err error) {
	if ids := access.FindKeyIDs(string(text)); len(ids) == 1 {
		a.id = ids[0]
		return nil
	}
	a.id, err = access.ParseKeyID(string(text))
	return err
}

// creditArgument is an amount; nil: unknown.
type creditArgument struct{ amount *decimal.Decimal }

func (a *creditArgument) UnmarshalText(text []byte) error {
	if string(text) == "unknown" {
		return nil
	}
	d, err := money.Parse(string(text))
	if err != nil {
		return errors.New("not an amount: write a decimal number, such as 1520.73, or unknown")
	}
	a.amount = &d
	return nil
}

// recordArgument is a record's id, or one of WhatsApp's, which the record may have.
type recordArgument struct{ id usage.RecordID }

func (a *recordArgument) UnmarshalText(text []byte) (err error) {
	if usage.IsWhatsApp(string(text)) {
		a.id = usage.RecordID(text)
		return nil
	}
	a.id, err = usage.ParseRecordID(string(text))
	return err
}

// recordedArgument is an amount with its currency, as 0.0412EUR.
type recordedArgument struct{ price money.Money }

func (a *recordedArgument) UnmarshalText(text []byte) error {
	amount, code := string(text), ""
	if cut := len(text) - 3; cut > 0 {
		amount, code = strings.TrimSpace(string(text[:cut])), string(text[cut:])
	}
	d, err := money.Parse(amount)
	currency, notCurrency := money.ParseCurrency(code)
	if err != nil || notCurrency != nil {
		return fmt.Errorf("a recorded price is an amount and an ISO 4217 code, such as 0.0412EUR")
	}
	a.price = money.Money{Amount: d, Currency: currency}
	return nil
}

// last4Argument is four digits. Its error does not repeat a longer number.
type last4Argument string

func (a *last4Argument) UnmarshalText(text []byte) error {
	if len(text) != 4 || strings.Trim(string(text), "0123456789") != "" {
		return fmt.Errorf("give the last four digits, such as 0123, and no more: whole numbers are not stored")
	}
	*a = last4Argument(text)
	return nil
}
