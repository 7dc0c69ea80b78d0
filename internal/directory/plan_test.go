package directory_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"partnerview/internal/directory"
)

func TestASecretIsNotShown(t *testing.T) {
	partner := directory.Partner{ID: "northwind", GatewayKey: directory.GatewayKey{ID: "k1", Value: "canary"}}
	var shown bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&shown, verb+" "+verb+"\n", partner, partner.GatewayKey.Value)
	}
	text, err := json.Marshal(partner)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(text)
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "partner", partner, "key", partner.GatewayKey.Value)
	slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "partner", partner, "key", partner.GatewayKey.Value)
	if strings.Contains(shown.String(), "canary") || strings.Contains(shown.String(), fmt.Sprintf("%x", "canary")) || !strings.Contains(shown.String(), "(secret)") {
		t.Errorf("shown is\n%s", shown.String())
	}
	if partner.GatewayKey.Value.Reveal() != "canary" {
		t.Error("it is not revealed where that is asked for")
	}
}
