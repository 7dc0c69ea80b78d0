// Package money holds exact amounts: decimals with a currency, never floats.
//
// A float cannot hold 0.1, so a sum of float prices is wrong by an amount that
// nobody chose; a partner who recalculates an invoice finds it. Here amounts are
// read from decimal text and written as decimal text, and nothing in between
// rounds.
//
// It is a leaf: it imports no package of this project. The decimals are
// github.com/shopspring/decimal's; docs/decisions says why.
package money

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// Currency is an ISO 4217 code in capitals, such as "EUR"; "JPY" has no
// decimals.
type Currency string

// ParseCurrency reads three capitals, whether they stand for money or not: see
// [Currency.IsInUse].
func ParseCurrency(s string) (Currency, error) {
	if len(s) != 3 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", errors.New("a currency is the three letters of ISO 4217, as EUR")
	}
	return Currency(s), nil
}

// currencies are the codes of ISO 4217 that money can be owed in: the active
// ones, and BGN, which ended with 2025 and is within what the logs reach back to.
// Precious metals, test codes and "no currency" are not among them.
// docs/decisions says why they are listed here.
const currencies = " AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF " +
	"GTQ GYD " +
	"HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD " +
	"MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG " +
	"QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD " +
	"TWD TZS " +
	"UAH UGX USD UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

// IsInUse reports whether money can be owed in the currency.
func (c Currency) IsInUse() bool {
	return len(c) == 3 && strings.Contains(currencies, " "+string(c)+" ")
}

// Money is an exact amount of one currency, as in "EUR 0.0412". Amounts may be
// negative: a prepaid account's credit can be overdrawn.
type Money struct {
	Amount   decimal.Decimal
	Currency Currency
}

// The bounds of Parse. They keep a hostile "1e999999999" from becoming a
// gigabyte of zeros, and are far beyond any price.
const (
	maxText     = 64
	maxExponent = 18
)

// Parse reads decimal text: "0.0412", "-12", "0E-7", with an exponent up to
// ±18 and at most 64 characters. The value is exact; "", "1,5", "NaN", "0x1"
// and "1e400" are errors, which say what is wanted.
func Parse(text string) (decimal.Decimal, error) {
	if len(text) > maxText {
		return decimal.Decimal{}, fmt.Errorf("a decimal of %d characters: at most %d are taken", len(text), maxText)
	}
	mantissa, exponent, hasExponent := cutExponent(text)
	if !isPlain(mantissa) || hasExponent && !isSmallExponent(exponent) {
		return decimal.Decimal{},
			fmt.Errorf("%q is not a decimal number such as 0.0412 (an exponent may be up to ±%d)", text, maxExponent)
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return decimal.Decimal{}, fmt.Errorf("%q is not a decimal number such as 0.0412", text)
	}
	return d, nil
}

// Text writes a decimal in plain notation: no exponent and no trailing zeros,
// as in "0.081", "0", "1520.73", "-3".
func Text(d decimal.Decimal) string { return d.String() }

func cutExponent(text string) (mantissa, exponent string, has bool) {
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, "", false
}

// isPlain reports whether s is [+-]digits[.digits], with a digit before the point.
func isPlain(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	whole, fraction, hasPoint := strings.Cut(s, ".")
	return areDigits(whole) && (!hasPoint || areDigits(fraction))
}

func isSmallExponent(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	if !areDigits(s) {
		return false
	}
	s = strings.TrimLeft(s, "0")
	return len(s) < 2 || len(s) == 2 && s <= fmt.Sprint(maxExponent)
}

func areDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
