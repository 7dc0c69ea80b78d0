package api

import (
	"time"

	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

type usageJSON struct {
	Data       []any     `json:"data"` // records of one product
	Range      rangeJSON `json:"range"`
	NextCursor *string   `json:"nextCursor"`
}

type rangeJSON struct {
	From *string `json:"from"`
	To   *string `json:"to"`
}

func rangeOf(p usage.Period) rangeJSON { return rangeJSON{timeText(p.From), timeText(p.To)} }

// A record's fields are those of its product, each always there, null where
// unknown; the fields of other products are absent.
type (
	commonJSON struct {
		ID        usage.RecordID   `json:"id"`
		Product   usage.Product    `json:"product"`
		Timestamp string           `json:"timestamp"`
		Direction *usage.Direction `json:"direction"`
		Status    *usage.Status    `json:"status"`
		StatusAt  *string          `json:"statusAt"`
		ErrorCode *string          `json:"errorCode"`
		From      masking.Number   `json:"from"`
		To        masking.Number   `json:"to"`
		Country   *string          `json:"country"`
	}
	smsJSON struct {
		commonJSON
		Operator *string   `json:"operator"`
		Segments *int64    `json:"segments"`
		Price    priceJSON `json:"price"`
	}
	voiceJSON struct {
		commonJSON
		Operator        *string   `json:"operator"`
		DurationSeconds *int64    `json:"durationSeconds"`
		Price           priceJSON `json:"price"`
	}
	videoJSON struct {
		commonJSON
		DurationSeconds    *int64    `json:"durationSeconds"`
		Participants       *int64    `json:"participants"`
		ParticipantSeconds *int64    `json:"participantSeconds"`
		Price              priceJSON `json:"price"`
	}
	messagingJSON struct {
		commonJSON
		Channel  *string   `json:"channel"`
		Category *string   `json:"category"`
		Price    priceJSON `json:"price"`
	}
)

// recordOf is a record and its price as JSON; it keeps pointers into r.
func recordOf(r *usage.Record, p pricing.Price) any {
	common := commonJSON{
		ID: r.ID, Product: r.Product, Timestamp: usage.FormatTime(r.Timestamp),
		Direction: orNull(&r.Direction), Status: orNull(&r.Status), ErrorCode: orNull(&r.ErrorCode),
		From: r.From, To: r.To, Country: orNull(&r.Country),
	}
	if r.StatusAt != nil {
		common.StatusAt = timeText(*r.StatusAt)
	}
	price := priceOf(p)
	switch r.Product {
	case usage.Voice:
		return voiceJSON{common, orNull(&r.Operator), r.DurationSeconds, price}
	case usage.Video:
		return videoJSON{common, r.DurationSeconds, r.Participants, r.ParticipantSeconds, price}
	case usage.Messaging:
		return messagingJSON{common, orNull(&r.Channel), orNull(&r.Category), price}
	}
	return smsJSON{common, orNull(&r.Operator), r.Segments, price}
}

type priceJSON struct {
	Status      pricing.Outcome  `json:"status"`
	Amount      *string          `json:"amount"`
	Currency    *money.Currency  `json:"currency"`
	Reason      *pricing.Reason  `json:"reason"`
	Explanation *explanationJSON `json:"explanation"`
}

type explanationJSON struct {
	UnitPrice       string         `json:"unitPrice"`
	Unit            pricing.Unit   `json:"unit"`
	Quantity        int64          `json:"quantity"`
	SetupFee        string         `json:"setupFee"`
	Increment       *incrementJSON `json:"increment"`
	BillableSeconds *int64         `json:"billableSeconds"`
	Rate            selectorsJSON  `json:"rate"`
	EffectiveFrom   string         `json:"effectiveFrom"`
	Rounding        roundingJSON   `json:"rounding"`
}

type incrementJSON struct {
	First int64 `json:"first"`
	Next  int64 `json:"next"`
}

// selectorsJSON holds the selectors that the rate names, and no others.
type selectorsJSON struct {
	Direction usage.Direction `json:"direction,omitempty"`
	Channel   string          `json:"channel,omitempty"`
	Category  string          `json:"category,omitempty"`
	Country   string          `json:"country,omitempty"`
	Operator  string          `json:"operator,omitempty"`
}

type roundingJSON struct {
	Scale int32                `json:"scale"`
	Mode  pricing.RoundingMode `json:"mode"`
}

func priceOf(p pricing.Price) priceJSON {
	out := priceJSON{Status: p.Outcome, Reason: orNull(&p.Reason)}
	if p.Money != nil {
		amount := money.Text(p.Money.Amount)
		out.Amount, out.Currency = &amount, &p.Money.Currency
	}
	if why := p.Why; why != nil {
		out.Explanation = &explanationJSON{
			UnitPrice: money.Text(why.Rate.UnitPrice), Unit: why.Unit, Quantity: why.Quantity, SetupFee: money.Text(why.Rate.SetupFee),
			Rate:          selectorsJSON(why.Rate.Selectors),
			EffectiveFrom: usage.FormatTime(why.EffectiveFrom),
			Rounding:      roundingJSON{why.Rounding.Scale, why.Rounding.Mode},
		}
		if why.Rate.Increment != (pricing.Increment{}) {
			out.Explanation.Increment = &incrementJSON{why.Rate.Increment.First, why.Rate.Increment.Next}
			out.Explanation.BillableSeconds = &why.Billable
		}
	}
	return out
}

// orNull is nil, JSON null, for an empty text.
func orNull[S ~string](s *S) *S {
	if *s == "" {
		return nil
	}
	return s
}

// timeText is nil, JSON null, for the zero time.
func timeText(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := usage.FormatTime(t)
	return &s
}
