package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

const list = "../../../node_modules/mcc-mnc-list/mcc-mnc-list.json"

func TestTheModuleIsOfTheListThatIsInstalled(t *testing.T) {
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatalf("%v: npm ci brings it", err)
	}
	want, err := moduleOf(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("../web/operatorlist.js"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("operatorlist.js is another (%v); make it anew: go generate ./internal/dashboard", err)
	}
	for _, network := range []string{`\n262\t01 Telekom\t`, `\t10 O2 (UK)\t`, `\t15 Vodafone UK\t`} {
		if !bytes.Contains(want, []byte(network)) {
			t.Errorf("%s is not in it", network)
		}
	}
}

func TestAListThatIsCutShortIsRefused(t *testing.T) {
	short := `[{"countryCode":"DE","mcc":"262","mnc":"01","brand":"Telekom","status":"Operational"}]`
	if _, err := moduleOf([]byte(short)); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("%v", err)
	}
}
