package oidc

import "time"

// SetClock gives the keys' age another clock; until then it is the time of day.
func (v *Verifier) SetClock(now func() time.Time) { v.keys.now = now }
