package usage

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

//go:generate go run ./networks -list ../../node_modules/mcc-mnc-list/mcc-mnc-list.json -table networks_table.go

// The values that fields of a record may have. Each has one parser, which reads the
// value in any spelling that is taken and returns the one that records have; of what
// it refuses, the error says what is wanted and repeats nothing. A caller with a
// sentence of its own needs only to know that there is one. Empty values are refused:
// whether a field may be left out is not theirs to say.

const (
	digits       = "0123456789"
	capitals     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	smallLetters = "abcdefghijklmnopqrstuvwxyz"
	letters      = capitals + smallLetters
)

// madeOf reports whether s has no other characters than these, of ASCII. It is asked
// before the case is changed: "ſ", a long s, has the capital S.
func madeOf(s, characters string) bool { return strings.Trim(s, characters) == "" }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// Status is how a record ended: 1 to 32 of a–z and _, as "delivered" or "no_answer".
// The platform's own words are kept, so there may be others than those below. Empty is
// unknown.
type Status string

const (
	Queued      Status = "queued"
	Sent        Status = "sent"
	Delivered   Status = "delivered"
	Undelivered Status = "undelivered"
	Read        Status = "read"
	Rejected    Status = "rejected"
	Failed      Status = "failed"
	Received    Status = "received"
	Completed   Status = "completed"
	NoAnswer    Status = "no_answer"
	Busy        Status = "busy"
	Canceled    Status = "canceled"
	Error       Status = "error"
	InProgress  Status = "in_progress"
	Unknown     Status = "unknown"
)

// ParseStatus reads a status in any case, with "-" and " " for "_": "No-Answer" is
// "no_answer".
func ParseStatus(s string) (Status, error) {
	if s == "" || len(s) > 32 || !madeOf(s, letters+"_- ") {
		return "", errors.New("a status is 1 to 32 letters, -, _ or spaces, as delivered")
	}
	return Status(Underscored(s)), nil
}

// Underscored is a word as statuses are written: in lower case, with "_" for "-" and
// " ". Exports write channels of several words the same way.
func Underscored(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(s), "-", "_"), " ", "_")
}

// Channel is the messaging app that a message went through: a letter, then up to 31 of
// a–z, 0–9 and _, as "whatsapp". Empty is unknown.
type Channel string

// ParseChannel reads a channel in any case.
func ParseChannel(s string) (Channel, error) { return parseWord[Channel](s) }

// Category is what a message is billed as, in the form of a [Channel], as "marketing".
// Empty is unknown.
type Category string

// ParseCategory reads a category in any case.
func ParseCategory(s string) (Category, error) { return parseWord[Category](s) }

func parseWord[T ~string](s string) (T, error) {
	if s == "" || len(s) > 32 || !madeOf(s[:1], letters) || !madeOf(s, letters+digits+"_") {
		return "", errors.New("a channel or a category is a letter, then up to 31 letters, digits or _")
	}
	return T(strings.ToLower(s)), nil
}

// Country is that of a record's remote party: two capitals, as ISO 3166-1 alpha-2 has
// them, as in "GB". Empty is unknown.
type Country string

// ParseCountry reads two letters in any case, whether a country has them or not: see
// [Country.IsAssigned].
func ParseCountry(s string) (Country, error) {
	if len(s) != 2 || !madeOf(s, letters) {
		return "", errors.New("a country is the two letters of ISO 3166-1 alpha-2, as GB")
	}
	return Country(strings.ToUpper(s)), nil
}

// countries are the alpha-2 codes of ISO 3166-1, and XK, which it leaves free
// and everybody uses for Kosovo.
const countries = " " +
	"AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW " +
	"BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI " +
	"FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN " +
	"IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME " +
	"MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF " +
	"PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV " +
	"SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK " +
	"YE YT ZA ZM ZW "

// Countries are all that are assigned, in the order of their codes.
func Countries() iter.Seq[Country] {
	return func(yield func(Country) bool) {
		for code := range strings.FieldsSeq(countries) {
			if !yield(Country(code)) {
				return
			}
		}
	}
}

// IsAssigned reports whether a country has the code, by ISO 3166-1, or is Kosovo, XK.
func (c Country) IsAssigned() bool {
	return len(c) == 2 && strings.Contains(countries, " "+string(c)+" ")
}

// Operator is the network of a record's remote party: a mobile country code of three
// digits and a mobile network code of two or three (ITU-T E.212), as in "23401". Empty
// is unknown.
type Operator string

// ParseOperator reads 5 or 6 digits, whether a network can have them or not: see
// [Operator.Check]. The error ends a sentence about the operator.
func ParseOperator(s string) (Operator, error) {
	if len(s) < 5 || len(s) > 6 || !madeOf(s, digits) {
		return "", errors.New("must be the 5 or 6 digits of MCC and MNC, as 23401")
	}
	return Operator(s), nil
}

// Check finds out whether a network can have the code: whether its MCC is in use, and
// its MNC has as many digits as its country's have. "310099" can be, "31099" is no shorter
// way to write it, and "447700" begins a telephone number. The error ends a sentence about
// the operator, and does not repeat it whole.
func (o Operator) Check() error {
	if _, err := ParseOperator(string(o)); err != nil {
		return err
	}
	mcc, length := string(o[:3]), len(o)-3
	two, three := hasCode(twoDigitNetworks, mcc), hasCode(threeDigitNetworks, mcc)
	if !two && !three {
		return errors.New("must begin with an MCC that is in use, as 234")
	}
	if two != three && two != (length == 2) {
		return fmt.Errorf("must have an MNC of %d digits, as all of MCC %s have", 5-length, mcc)
	}
	return nil
}

// IsMCC reports whether s is a mobile country code that is in use.
func IsMCC(s string) bool { return hasCode(twoDigitNetworks, s) || hasCode(threeDigitNetworks, s) }

// hasCode reports whether a list of codes, with a blank around each, has one.
func hasCode(list, code string) bool {
	return len(code) == 3 && madeOf(code, digits) && strings.Contains(list, " "+code+" ")
}

// Last4 are four digits, the last of a telephone number, as a filter has them: "0123".
type Last4 string

// ParseLast4 reads four digits. More of a number are refused, and not repeated.
func ParseLast4(s string) (Last4, error) {
	if len(s) != 4 || !madeOf(s, digits) {
		return "", errors.New("is exactly four digits, the last of a number; never send more of it")
	}
	return Last4(s), nil
}
