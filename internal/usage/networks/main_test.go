package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestTableIsThatOfTheListThatIsPinned(t *testing.T) {
	list, err := os.ReadFile("../../../node_modules/mcc-mnc-list/mcc-mnc-list.json")
	if err != nil {
		t.Fatalf("%v: run npm ci", err)
	}
	want, err := tableOf(list)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../networks_table.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the table is not what go generate ./internal/usage makes")
	}
}

func TestListThatCannotBeIsRefused(t *testing.T) {
	for list, want := range map[string]string{
		`{`: "JSON",
		`[{"mcc": "310", "mnc": "099", "countryCode": "US"}, {"mcc": "?", "mnc": "1"}]`: "has 1 country codes",
	} {
		if _, err := tableOf([]byte(list)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", list, err, want)
		}
	}
}
