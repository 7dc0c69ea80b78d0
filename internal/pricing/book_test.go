package pricing_test

import (
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/usage"
)

var (
	sms       = usage.Log{Account: "acme_retail", Product: usage.SMS}
	voice     = usage.Log{Account: "acme_retail", Product: usage.Voice}
	video     = usage.Log{Account: "acme_retail", Product: usage.Video}
	messaging = usage.Log{Account: "acme_retail", Product: usage.Messaging}

	january = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	day     = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
)

func dec(text string) decimal.Decimal { return decimal.RequireFromString(text) }
