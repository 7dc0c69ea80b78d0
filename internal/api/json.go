package api

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/problem"
	"partnerview/internal/usage"
)

// encode writes the body of an answer.
func encode(v any) ([]byte, error) {
	if v, ok := v.(jsonBody); ok {
		var w jsonWriter
		v.writeJSON(&w)
		return w.out, nil
	}
	return problem.JSON(v)
}

// jsonBody is a body with so many fields that it is worth writing them by name:
// for a page of 100 records encoding/json takes four times as long, since it
// finds out by reflection what is then written. Everything else is left to it.
type jsonBody interface{ writeJSON(*jsonWriter) }

// jsonWriter writes objects field by field, in the order of the calls. What is
// empty, zero or nil is null; only a whole number may be 0.
type jsonWriter struct {
	out   []byte
	rates textsOfRates
}

func (w *jsonWriter) open(bracket byte)  { w.out = append(w.out, bracket) }
func (w *jsonWriter) close(bracket byte) { w.out = append(w.out, bracket) }

// next puts a comma before whatever is not the first in its object or list.
func (w *jsonWriter) next() {
	if last := len(w.out) - 1; last >= 0 && w.out[last] != '{' && w.out[last] != '[' {
		w.out = append(w.out, ',')
	}
}

// name begins a field; its value must follow.
func (w *jsonWriter) name(name string) {
	w.next()
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, `":`...)
}

func (w *jsonWriter) null(name string) {
	w.name(name)
	w.out = append(w.out, "null"...)
}

func (w *jsonWriter) text(name, text string) {
	if text == "" {
		w.null(name)
		return
	}
	w.name(name)
	if !isPlain(text) {
		escaped, _ := json.Marshal(text) // a text is always JSON
		w.out = append(w.out, escaped...)
		return
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, text...)
	w.out = append(w.out, '"')
}

// isPlain reports whether a text stands in JSON as it is.
func isPlain(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// masked writes a telephone number: nothing else may be given to write one.
func (w *jsonWriter) masked(name string, n masking.Number) { w.text(name, n.String()) }

func (w *jsonWriter) whole(name string, n int64) {
	w.name(name)
	w.out = strconv.AppendInt(w.out, n, 10)
}

func (w *jsonWriter) wholeOrNull(name string, n *int64) {
	if n == nil {
		w.null(name)
		return
	}
	w.whole(name, *n)
}

func (w *jsonWriter) time(name string, t time.Time) {
	if t.IsZero() {
		w.null(name)
		return
	}
	w.name(name)
	w.out = append(w.out, '"')
	w.out = usage.AppendTime(w.out, t)
	w.out = append(w.out, '"')
}

// usagePage is a page of a log, each record with its price.
type usagePage struct {
	log     usage.Log
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
	w.time("from", p.period.From)
	w.time("to", p.period.To)
	w.close('}')
	w.text("nextCursor", p.next)
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
	w.text("direction", string(r.Direction))
	w.text("status", string(r.Status))
	if r.StatusAt == nil {
		w.null("statusAt")
	} else {
		w.time("statusAt", *r.StatusAt)
	}
	w.text("errorCode", r.ErrorCode)
	w.masked("from", r.From)
	w.masked("to", r.To)
	w.text("country", string(r.Country))
	switch r.Product {
	case usage.SMS:
		w.text("operator", string(r.Operator))
		w.wholeOrNull("segments", r.Segments)
	case usage.Voice:
		w.text("operator", string(r.Operator))
		w.wholeOrNull("durationSeconds", r.DurationSeconds)
	case usage.Video:
		w.wholeOrNull("durationSeconds", r.DurationSeconds)
		w.wholeOrNull("participants", r.Participants)
		w.wholeOrNull("participantSeconds", r.ParticipantSeconds)
	case usage.Messaging:
		w.text("channel", string(r.Channel))
		w.text("category", string(r.Category))
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
	w.text("reason", string(p.Reason))
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
	texts := w.rates.of(why.Rate)
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

// textsOfRates are written once a rate, however many records of a page it prices.
type textsOfRates map[*pricing.Rate]rateTexts

func (t *textsOfRates) of(r *pricing.Rate) rateTexts {
	texts, known := (*t)[r]
	if !known {
		texts = rateTexts{money.Text(r.UnitPrice), money.Text(r.SetupFee)}
		if *t == nil {
			*t = make(textsOfRates)
		}
		(*t)[r] = texts
	}
	return texts
}

// selectors writes those that the rate names, and no others.
func (w *jsonWriter) selectors(s pricing.Selectors) {
	w.open('{')
	for _, selector := range selectorsOf(s) {
		if selector.value != "" {
			w.text(selector.name, selector.value)
		}
	}
	w.close('}')
}

type selector struct{ name, value string }

// selectorsOf are all that a rate may name; the value of one that it does not is empty.
func selectorsOf(s pricing.Selectors) [5]selector {
	return [...]selector{
		{"direction", string(s.Direction)},
		{"channel", string(s.Channel)},
		{"category", string(s.Category)},
		{"country", string(s.Country)},
		{"operator", string(s.Operator)},
	}
}
