package usage

import (
	"fmt"
	"strings"
	"testing"
)

func TestOperatorsHaveAsManyDigitsAsTheirCountrysDo(t *testing.T) {
	for _, good := range []string{
		"310099", "23401", "26201", "20801", "208500", "338050", "33805", "00101", "001001",
		"99801", "998001", // a country that nobody knows
	} {
		if err := CheckOperator(good); err != nil {
			t.Errorf("%s is refused: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"31099": "3 digits, as all of MCC 310", "31015": "3 digits", "234001": "2 digits, as all of MCC 234", "302720x": "5 or 6 digits",
		"": "5 or 6 digits", "3109": "5 or 6 digits", "310.0": "5 or 6 digits", "3100990": "5 or 6 digits", "３１００９９": "5 or 6 digits",
	} {
		if err := CheckOperator(bad); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q: %v, want %s", bad, err, want)
		}
	}
}
