package main

import (
	"errors"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/shopspring/decimal"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/importer"
	"partnerview/internal/money"
	"partnerview/internal/operator"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// argumentParsers read the arguments and flags that have a form of their own, so that
// a wrong one is wrong use. Each takes what an operator would write, and its error
// says what that is; none passes on what a parser of Go says, or repeats what was
// written: that may be a telephone number.
func argumentParsers() []kong.Option {
	return []kong.Option{
		readBy(directory.ParsePartnerID, ""),
		readBy(usage.ParseAccountID, ""),
		readBy(importer.ParseListed, "not a customer: write an account ID and, for only some of its products, = and "+
			"these, such as acme_retail=sms,voice"),
		readBy(asType[subjectArgument](importer.ParseSubject), ""),
		readBy(asType[issuerArgument](importer.ParseIssuer), "not an issuer: write the URL that stands in the iss of "+
			"its tokens"),
		readBy(asType[nameArgument](importer.ParseViewerName), ""),
		readBy(parseRecordID, ""),
		readBy(parseKeyID, ""),
		readBy(importer.ParseFormat, ""),
		readBy(parseTime, "not a time: write a day, such as 2026-06-01, which begins at midnight UTC, or RFC 3339, "+
			"such as 2026-06-01T12:00:00Z"),
		readBy(totals.ParseDay, "not a day: write it as 2026-06-01"),
		readBy(parseSpan, "not a length of time: write it as 90d, 2w, 36h or 1d12h30m"),
		readBy(parseExpiry, ""),
		readBy(parseCount, "not a whole number of 0 or more, such as 100"),
		readBy(parseSeconds, "not a number of seconds: write 90, 90s or 1m30s"),
		readBy(usage.ParseCountry, "not a country: write its two letters of ISO 3166-1, such as GB"),
		readBy(usage.ParseOperator, "not an operator: write the 5 or 6 digits of MCC and MNC, such as 23401"),
		readBy(parseWord, "not a word such as delivered, whatsapp or marketing: at most 32 letters, digits and _"),
		readBy(parseCredit, "not an amount: write a decimal number, such as 1520.73, or unknown"),
		readBy(parseRecorded, "a recorded price is an amount and an ISO 4217 code, such as 0.0412EUR"),
		readBy(usage.ParseLast4, "give the last four digits, such as 0123, and no more: whole numbers are not stored"),
	}
}

// readBy reads all arguments of a type by a parser; complaint, where there is one,
// replaces the parser's own.
func readBy[T any](parse func(string) (T, error), complaint string) kong.Option {
	read := func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("value", &text); err != nil {
			return err
		}
		value, err := parse(text)
		target.Set(reflect.ValueOf(value))
		if err != nil && complaint != "" {
			return errors.New(complaint)
		}
		return err
	}
	return kong.TypeMapper(reflect.TypeFor[T](), kong.MapperFunc(read))
}

// parseTime reads a time, strictly in RFC 3339, or a day, which begins at midnight UTC.
// The zero time was not given.
func parseTime(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil && day.Year() > 0 {
		return day, nil
	}
	return usage.ParseTime(text)
}

var spanForm = regexp.MustCompile(`^(?:(\d{1,5})w)?(?:(\d{1,5})d)?((?:\d+(?:\.\d+)?(?:h|m|s|ms))*)$`)

// parseSpan reads weeks, days of 24 hours, and what Go's durations have. It is
// never negative.
func parseSpan(text string) (length time.Duration, err error) {
	parts := spanForm.FindStringSubmatch(text)
	if parts == nil || text == "" {
		return 0, strconv.ErrSyntax
	}
	if parts[3] != "" {
		if length, err = time.ParseDuration(parts[3]); err != nil {
			return 0, err
		}
	}
	const day = 24 * time.Hour
	for i, unit := range []time.Duration{7 * day, day} {
		n, _ := strconv.Atoi("0" + parts[i+1]) // at most five digits, or none
		if length > math.MaxInt64-time.Duration(n)*unit || time.Duration(n) > math.MaxInt64/unit {
			return 0, strconv.ErrRange
		}
		length += time.Duration(n) * unit
	}
	return length, nil
}

// parseExpiry reads when a key ends: after a length of time, or at a time.
func parseExpiry(text string) (operator.Expiry, error) {
	if length, err := parseSpan(text); err == nil && length > 0 {
		return operator.Expiry{After: length}, nil
	} else if err == nil {
		return operator.Expiry{}, errors.New("would end the key at once: without --expires it does not expire")
	}
	at, err := parseTime(text)
	if err != nil {
		return operator.Expiry{}, errors.New("neither a length of time, such as 90d, 2w or 36h, nor a time, " +
			"such as 2027-01-01 or 2027-01-01T12:00:00Z")
	}
	return operator.Expiry{At: at}, nil
}

// countArgument is a whole number, 0 or more.
type countArgument int64

func parseCount(text string) (countArgument, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if n < 0 {
		return 0, strconv.ErrRange
	}
	return countArgument(n), err
}

// secondsArgument is a number of seconds, or a length of time.
type secondsArgument int64

func parseSeconds(text string) (secondsArgument, error) {
	if n, err := parseCount(text); err == nil {
		return secondsArgument(n), nil
	}
	length, err := parseSpan(text)
	if length%time.Second != 0 {
		return 0, strconv.ErrRange
	}
	return secondsArgument(length / time.Second), err
}

// wordArgument is a status, a channel or a category, in the form that records
// have.
type wordArgument string

func parseWord(text string) (wordArgument, error) {
	word, err := usage.ParseChannel(usage.Underscored(text))
	return wordArgument(word), err
}

// keyArgument is a key's id, or the whole key as one finds it where it leaked.
type keyArgument struct{ id string }

// parseKeyID does not repeat in its error what it was given: it may be a secret.
func parseKeyID(text string) (key keyArgument, err error) {
	if ids := access.FindKeyIDs(text); len(ids) == 1 {
		return keyArgument{ids[0]}, nil
	}
	key.id, err = access.ParseKeyID(text)
	return key, err
}

// creditArgument is an amount; nil: unknown.
type creditArgument struct{ amount *decimal.Decimal }

func parseCredit(text string) (creditArgument, error) {
	if text == "unknown" {
		return creditArgument{}, nil
	}
	d, err := money.Parse(text)
	return creditArgument{&d}, err
}

// parseRecordID reads a record's id, or one of WhatsApp's, which the record may have.
func parseRecordID(text string) (usage.RecordID, error) {
	if usage.IsWhatsApp(text) {
		return usage.RecordID(text), nil
	}
	return usage.ParseRecordID(text)
}

// parseRecorded reads an amount with its currency, as 0.0412EUR.
func parseRecorded(text string) (money.Money, error) {
	cut := max(len(text)-3, 0)
	amount, err := money.Parse(strings.TrimSpace(text[:cut]))
	currency, notCurrency := money.ParseCurrency(text[cut:])
	return money.Money{Amount: amount, Currency: currency}, errors.Join(err, notCurrency)
}
