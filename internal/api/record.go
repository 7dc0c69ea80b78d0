package api

import (
	"slices"

	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// usagePage is a page of a log, each record with its price.
type usagePage struct {
	records []usage.Record
	prices  []pricing.Price
	period  usage.Period
	next    string // a cursor; empty: there is no next page
}

// recordBytes is about what one record takes as JSON.
const recordBytes = 640

func (p usagePage) writeJSON(w *jsonWriter) {
	w.out = slices.Grow(w.out, (1+len(p.records))*recordBytes)
	w.open('{')
	w.name("data")
	w.open('[')
	for i := range p.records {
		w.next()
		w.record(&p.records[i], &p.prices[i])
	}
	w.close(']')
	w.name("range")
	w.open('{')
	w.timeOrNull("from", p.period.From)
	w.timeOrNull("to", p.period.To)
	w.close('}')
	w.textOrNull("nextCursor", p.next)
	w.close('}')
}

// usageRecord is one record with its price.
type usageRecord struct {
	record usage.Record
	price  pricing.Price
}

func (r usageRecord) writeJSON(w *jsonWriter) { w.record(&r.record, &r.price) }

// record writes the fields of the record's product, each always there, null where
// unknown; the fields of other products are absent.
func (w *jsonWriter) record(r *usage.Record, p *pricing.Price) {
	w.open('{')
	w.text("id", string(r.ID))
	w.text("product", string(r.Product))
	w.time("timestamp", r.Timestamp)
	w.textOrNull("direction", string(r.Direction))
	w.textOrNull("status", string(r.Status))
	if r.StatusAt == nil {
		w.null("statusAt")
	} else {
		w.timeOrNull("statusAt", *r.StatusAt)
	}
	w.textOrNull("errorCode", r.ErrorCode)
	w.masked("from", r.From)
	w.masked("to", r.To)
	w.textOrNull("country", string(r.Country))
	switch r.Product {
	case usage.SMS:
		w.textOrNull("operator", string(r.Operator))
		w.wholeOrNull("segments", r.Segments)
	case usage.Voice:
		w.textOrNull("operator", string(r.Operator))
		w.wholeOrNull("durationSeconds", r.DurationSeconds)
	case usage.Video:
		w.wholeOrNull("durationSeconds", r.DurationSeconds)
		w.wholeOrNull("participants", r.Participants)
		w.wholeOrNull("participantSeconds", r.ParticipantSeconds)
	case usage.Messaging:
		w.textOrNull("channel", string(r.Channel))
		w.textOrNull("category", string(r.Category))
	}
	w.name("price")
	w.price(p)
	w.close('}')
}

func (w *jsonWriter) price(p *pricing.Price) {
	w.open('{')
	w.text("status", string(p.Outcome))
	if p.Money == nil {
		w.null("amount")
		w.null("currency")
	} else {
		w.text("amount", money.Text(p.Money.Amount))
		w.text("currency", string(p.Money.Currency))
	}
	w.textOrNull("reason", string(p.Reason))
	if p.Why == nil {
		w.null("explanation")
	} else {
		w.name("explanation")
		w.explanation(p.Why)
	}
	w.close('}')
}

func (w *jsonWriter) explanation(why *pricing.Explanation) {
	w.open('{')
	texts := w.textsOf(why.Rate)
	w.text("unitPrice", texts.unitPrice)
	w.text("unit", string(why.Unit))
	w.whole("quantity", why.Quantity)
	w.text("setupFee", texts.setupFee)
	if increment := why.Rate.Increment; increment == (pricing.Increment{}) {
		w.null("increment")
		w.null("billableSeconds")
	} else {
		w.name("increment")
		w.open('{')
		w.whole("first", increment.First)
		w.whole("next", increment.Next)
		w.close('}')
		w.whole("billableSeconds", why.Billable)
	}
	w.name("rate")
	w.selectors(why.Rate.Selectors)
	w.time("effectiveFrom", why.EffectiveFrom)
	w.name("rounding")
	w.open('{')
	w.whole("scale", int64(why.Rounding.Scale))
	w.text("mode", string(why.Rounding.Mode))
	w.close('}')
	w.close('}')
}

// rateTexts are a rate's decimals as texts.
type rateTexts struct{ unitPrice, setupFee string }

// textsOf writes a rate's decimals once, however many records of a page it
// prices.
func (w *jsonWriter) textsOf(r *pricing.Rate) rateTexts {
	texts, known := w.rates[r]
	if !known {
		texts = rateTexts{money.Text(r.UnitPrice), money.Text(r.SetupFee)}
		if w.rates == nil {
			w.rates = make(map[*pricing.Rate]rateTexts)
		}
		w.rates[r] = texts
	}
	return texts
}

// selectors writes those that the rate names, and no others.
func (w *jsonWriter) selectors(s pricing.Selectors) {
	w.open('{')
	for _, selector := range [...]struct{ name, value string }{
		{"direction", string(s.Direction)}, {"channel", string(s.Channel)}, {"category", string(s.Category)}, {"country", string(s.Country)}, {"operator", string(s.Operator)},
	} {
		if selector.value != "" {
			w.text(selector.name, selector.value)
		}
	}
	w.close('}')
}
