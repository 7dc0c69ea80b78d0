package dynamo

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/masking"
	"partnerview/internal/usage"
)

// attributesOf is an item of a JSON object, as any pipeline may have stored it.
func attributesOf(fields map[string]any) item {
	it := item{}
	for name, value := range fields {
		it[name] = attributeOf(value)
	}
	return it
}

func attributeOf(value any) types.AttributeValue {
	switch v := value.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case float64:
		return &types.AttributeValueMemberN{Value: strconv.FormatFloat(v, 'f', -1, 64)}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []any:
		list := &types.AttributeValueMemberL{}
		for _, element := range v {
			list.Value = append(list.Value, attributeOf(element))
		}
		return list
	case map[string]any:
		return &types.AttributeValueMemberM{Value: attributesOf(v)}
	}
	return &types.AttributeValueMemberNULL{Value: true}
}

// Whatever is stored, reading it ends, in a value or an error; a record that is read tells no
// number.
//
//fuzz:reaches record.go:decodeVersion record.go:position record.go:numberUpTo customers.go:decodeCustomer directory.go:decodePartner
//fuzz:reaches directory.go:decodeGrant directory.go:parseHolderKey keys.go:decodeAccessKey people.go:decodePerson pricelists.go:decodePriceList
//fuzz:reaches totals.go:decodeDay totals_read.go:decodeMonth totals_read.go:decodeLogState ledger.go:decodeImport history.go:decodeEvent
func FuzzItems(f *testing.F) {
	for _, seed := range []string{
		`{"log":"acme_retail#sms","at":"2026-11-03T10:00:00.120Z#u-1","from":"+447700900123","to":"****0123","status":"sent","statusAt":"2026-11-03T10:00:04.000Z","errorCode":"900123",
			"operator":"23401","country":"GB","segments":2,"recordedAmount":"0.0412","recordedCurrency":"EUR","priceAt":"2026-11-03T10:00:04.000Z","expiresAt":1800000000}`,
		`{"at":"2026-11-03T10:00:00.120Z#447700900123","from":"447700900123","durationSeconds":447700900,"participants":2,"participantSeconds":1e30,"channel":"n447700","operator":"447700"}`,
		`{"at":"2026-11-03T10:00:00.120Z#wamid.HBgMNDQ3NzAwOTAwMTIz"}`, `{"at":"u-1"}`, `{"at":1,"segments":"2"}`,
		`{"accountId":"acme_retail","name":"Acme","products":["sms"],"currency":"EUR","billingMode":"prepaid","remainingCredit":"1520.73","creditLimit":"0","creditAsOf":"2026-11-03T10:00:00.000Z","timeZone":"UTC"}`,
		`{"pk":"PARTNER#northwind","sk":"PROFILE","name":"Northwind","status":"active","version":3,"plan":"p"}`,
		`{"pk":"PARTNER#northwind","sk":"GRANT#acme_retail","accountId":"acme_retail","products":["sms","fax"],"nameKey":"acme#acme_retail"}`,
		`{"pk":"VIEWER#northwind#0123","sk":"GRANT#acme_retail","accountId":"acme_retail"}`, `{"pk":"VIEWER#"}`, `{"pk":"KEY#x"}`,
		`{"pk":"KEY#4fzyo82mXw3b","sk":"KEY#4fzyo82mXw3b","keyId":"4fzyo82mXw3b","partnerId":"northwind","hash":"aa","label":"l","createdAt":"2026-11-03T10:00:00.000Z","expiresAt":"2027-11-03T10:00:00.000Z","narrowed":true}`,
		`{"pk":"PERSON#northwind","status":"active","name":"Billing","issuer":"https://login.example.com","subject":"s","partnerId":"northwind"}`,
		`{"log":"acme_retail#sms","effectiveFrom":"2026-01-01T00:00:00.000Z","currency":"EUR","mode":"half-up","scale":6,"chargeOn":"submitted",
			"rates":"[{\"direction\":\"outbound\",\"unitPrice\":\"0.08\",\"setupFee\":\"0.01\",\"first\":60,\"next\":60},{\"unitPrice\":\"x\"}]"}`,
		`{"log":"acme_retail#sms","effectiveFrom":"2026-01-01T00:00:00.000Z","currency":"EUR","mode":"half-up","scale":19,"rates":"[]"}`,
		`{"pk":"acme_retail#sms","sk":"DAY#2026-11-03","zone":"UTC","updatedAt":"2026-11-03T10:00:00.000Z","groups":"outbound|delivered|GB|||rated|EUR|1|1||||0.08","expiresAt":1800000000,"parts":2,"set":"a"}`,
		`{"pk":"acme_retail","sk":"MONTH#2026-11","zone":"UTC","sms":{"groups":"|||||unrated||1|||||","lastDay":"2026-11-03","updatedAt":"2026-11-03T10:00:00.000Z","expiresAt":1800000000}}`,
		`{"pk":"acme_retail#sms","firstDay":"2026-11-03","lastDay":"2026-02-30","loadedThrough":"2026-11-03T10:00:00.000Z","stale":"yes"}`,
		`{"pk":"IMPORTS#2026-11","sk":"2026-11-03T10:00:00.000Z#k2abcdefghij","source":"usage.ndjson","format":"native","who":"operator","outcome":"done","startedAt":"2026-11-03T10:00:00.000Z",
			"endedAt":"2026-11-03T10:01:00.000Z","counts":"{}","accounts":["acme_retail"],"accountCount":1,"bytes":10}`,
		`{"pk":"HISTORY#2026-11","sk":"2026-11-03T10:00:00.000Z#k2abcdefghij","who":"operator","command":"apply","text":"t","partners":["northwind"],"partnerCount":1,"summary":"[]","incomplete":"yes"}`,
		`{}`, `{"sk":""}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var fields map[string]any
		if json.Unmarshal(text, &fields) != nil {
			return
		}
		it := attributesOf(fields)
		for _, product := range usage.Products() {
			log := usage.Log{Account: "acme_retail", Product: product}
			if v, err := decodeVersion(log, it); err == nil {
				tellsNoNumber(t, v, it)
			}
		}
		_, _ = decodeCustomer(it)
		_, _ = decodePartner("northwind", it)
		_, _ = decodeGrant(it)
		_, _ = decodeAccessKey(it)
		_, _ = decodePerson(it)
		_, _ = decodePriceList(it)
		_, _ = decodeDay(usage.Log{Account: "acme_retail", Product: usage.SMS}, it)
		_, _, _ = decodeMonth(it)
		_, _ = decodeLogState(it)
		_, _ = decodeImport(it)
		_, _ = decodeEvent(it)
	})
}

// tellsNoNumber holds a record that was read against the rules of docs/privacy.md.
func tellsNoNumber(t *testing.T, v usage.Version, it item) {
	t.Helper()
	for _, text := range []string{string(v.Direction), string(v.Status), v.ErrorCode, string(v.Country), string(v.Channel), string(v.Category), v.From.String(), v.To.String()} {
		if masking.TellsDigits(text) {
			t.Fatalf("%v is read with %q", it, text)
		}
	}
	var numbers masking.Endings
	for _, name := range []string{"from", "to"} {
		if text, isText := it[name].(*types.AttributeValueMemberS); isText {
			numbers.Add(text.Value)
		}
	}
	if usage.TellsNumber(v.ID, numbers) || v.Operator != "" && v.Operator.Check() != nil {
		t.Fatalf("%v is read with the id %s and the operator %s", it, v.ID, v.Operator)
	}
	for _, n := range []*int64{v.Segments, v.DurationSeconds, v.Participants} {
		if n != nil && *n > 99_999 {
			t.Fatalf("%v is read with the count %d", it, *n)
		}
	}
}
