package usage

import (
	"errors"
	"fmt"
	"strings"
)

//go:generate go run ./networks -list ../../node_modules/mcc-mnc-list/mcc-mnc-list.json -table networks_table.go

var errOperatorForm = errors.New("must be the 5 or 6 digits of MCC and MNC, as 23401")

// CheckOperator finds out whether s is an operator: a mobile country code of three
// digits, and a mobile network code of as many digits as its country's have (ITU-T
// E.212): "310099", but not "31099", which is no shorter way to write it. Of a country
// code that is not known, two and three are taken. The error ends a sentence about
// the operator, and does not repeat it whole.
func CheckOperator(s string) error {
	if len(s) < 5 || len(s) > 6 || strings.Trim(s, "0123456789") != "" {
		return errOperatorForm
	}
	mcc, digits := s[:3], len(s)-3
	two, three := strings.Contains(twoDigitNetworks, " "+mcc+" "), strings.Contains(threeDigitNetworks, " "+mcc+" ")
	if two != three && two != (digits == 2) {
		return fmt.Errorf("must have an MNC of %d digits, as all of MCC %s have", 5-digits, mcc)
	}
	return nil
}
