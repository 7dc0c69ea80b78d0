package access

import (
	"fmt"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
)

// Metering says whether requests are counted by their partner's gateway key: the
// parameter UsagePlans of template.yaml.
type Metering string

const (
	// MeteringOff tells no key.
	MeteringOff Metering = ""
	// MeteringPrepared tells the keys of those that have one. The gateway does not
	// ask for them yet, but it keeps decisions: those that it keeps when it begins
	// to ask must hold the keys already.
	MeteringPrepared Metering = "prepared"
	// MeteringEnforced lets nobody through who cannot be counted.
	MeteringEnforced Metering = "enforced"
)

// ParseMetering reads the parameter's value: "false" or nothing, "prepared", "true".
func ParseMetering(text string) (Metering, error) {
	switch text {
	case "", "false":
		return MeteringOff, nil
	case "prepared":
		return MeteringPrepared, nil
	case "true":
		return MeteringEnforced, nil
	}
	return "", fmt.Errorf("USAGE_PLANS is %q: want false, prepared or true", text)
}

// keyOf is the key that a partner's request is counted by; empty: it is not
// counted. That a partner has no plan is a fault of ours, and the error, which
// is for the log, tells the way out.
func (m Metering) keyOf(p directory.Partner) (directory.Secret, error) {
	if m == MeteringOff {
		return "", nil
	}
	if p.GatewayKey.Value == "" && m == MeteringEnforced {
		return "", fault.New(fault.Internal, fmt.Sprintf("partner %s has no usage plan: partnerctl partner set-plan %[1]s bronze --stack NAME", p.ID), nil)
	}
	return p.GatewayKey.Value, nil
}
