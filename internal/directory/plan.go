package directory

import (
	"fmt"
	"log/slog"
)

// Plan is one of the usage plans: how fast and how often a partner may ask.
type Plan string

const (
	Bronze Plan = "bronze"
	Silver Plan = "silver"
	Gold   Plan = "gold"
)

// Plans are all plans, the smallest first.
func Plans() []Plan { return []Plan{Bronze, Silver, Gold} }

// GatewayKey is the key by which API Gateway counts a partner's requests. No
// partner ever sends it: the authorizer gives its value to the gateway. It opens
// nothing; who knew it could at most be counted as the partner, and cannot send it.
type GatewayKey struct {
	ID    string // the gateway's name for it
	Value Secret
}

// Secret is a text that is not shown: printed, logged or encoded, it is
// "(secret)". Reveal yields it.
type Secret string

// Reveal is the text itself.
func (s Secret) Reveal() string { return string(s) }

// Format hides the text whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// LogValue hides the text in a log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the text in JSON and wherever else texts are encoded.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
