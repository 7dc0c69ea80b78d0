package sample_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerview/internal/dev/sample"
	"partnerview/internal/masking"
)

func TestLeaksFindsCanaries(t *testing.T) {
	for _, test := range []struct {
		name, text, want string
	}{
		{"in E.164", `{"to":"+447700900123"}`, "7700900123"},
		{"without the plus", `447700900999`, "7700900999"},
		{"with the international prefix", `00447700900000`, "7700900000"},
		{"in the national form", `call 07700 900123 now`, "7700900123"},
		{"spaced", `+44 7700 900 123`, "7700900123"},
		{"with a zero in parentheses", `+44 (0)7700 900123`, "7700900123"},
		{"dotted", `+44.7700.900.123`, "7700900123"},
		{"with no-break spaces", "+44\u00a07700\u202f900\u2011123", "7700900123"},
		{"full-width", `＋４４７７００９００１２３`, "7700900123"},
		{"in Arabic digits", `٠٧٧٠٠ ٩٠٠١٢٣`, "7700900123"},
		{"escaped for a URL", `/customers?search=%2B44%207700%20900123`, "7700900123"},
		{"of the United States", `(202) 555-0147`, "2025550147"},
		{"of the United States, with its country code", `+12025550199`, "2025550199"},
		{"of the fixtures", `+6580000099`, "6580000099"},
		{"behind other digits", `1 7700 7700900123`, "7700900123"},
		{"in a log line", `level=error msg="bad from" value=447700900123`, "7700900123"},
		{"at the very end", `x7700900123`, "7700900123"},
		{"masked by the platform", `"+44770090xxxx"`, "770090x"},
		{"masked by the platform in capitals", `1202555XXXX`, "202555x"},
		{"as a short code", `"from":"770090"`, "770090"},
		{"as a name", `<td>CANARY-NAME-00417 Ada Example</td>`, "canary"},
		{"as a sender", `"from":"CanaryShop"`, "canary"},
		{"as an address", `canary.0012@example.com`, "canary"},
		{"as the fixtures' sender", `SampleCo`, "sampleco"},
		{"as the fixtures' content", `{""Name"":""sample_visit""}`, "sample_visit"},
		{"in base64", base64.StdEncoding.EncodeToString([]byte(`{"to":"+447700900123"}`)), "7700900123"},
		{"in base64 with slashes around it", base64.StdEncoding.EncodeToString([]byte("\xff\xff\xffcanary\xff\xff\xff")), "canary"},
		{"in base64 with a letter behind", base64.RawURLEncoding.EncodeToString([]byte("to=07700900123!")) + "A", "7700900123"},
		{"twice", "7700900123, 7700900123", "7700900123"},
		{"in an id of WhatsApp", `"wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgSM0VC+/8="`, "7700900123"},
		{"in a cursor", `{"nextCursor":"v1-` + base64.RawURLEncoding.EncodeToString([]byte("\xff\xfe?>harbour#07700900123#u-1")) + `"}`, "7700900123"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := sample.Leaks(test.text); !slices.Equal(got, []string{test.want}) {
				t.Errorf("%s: got %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func TestLeaksPassesWhatMayBeSeen(t *testing.T) {
	for _, text := range []string{
		"",
		`{"from":"****","to":"****0123"}`,
		`"fromLast4=0123&toLast4=9001"`,
		`"timestamp":"2026-11-03T10:00:00.120Z"`,
		`{"amount":"0.770091","currency":"EUR"}`,
		`{"amount":"0.20255","currency":"EUR"}`,
		`"operator":"23401","country":"GB"`,
		`7700, 900123`,
		`7700 900 12`, // too short for a number
		`"x-amzn-requestid":"7700a900-1230-4000-8000-000000000101"`,
		`Content-Length: 7700901`,
	} {
		if got := sample.Leaks(text); got != nil {
			t.Errorf("%s: takes %q for a leak", text, got)
		}
	}
}

// What the API may show of a record is free of canaries, and every line that
// the importer reads has some: else the test that looks for them finds nothing
// because there is nothing.
func TestEveryRecordCarriesCanariesOnlyWhereTheyAreDropped(t *testing.T) {
	for now, n := range map[time.Time]int{noon: count, noon.AddDate(1, 3, 7): few, time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC): few} {
		var shown bytes.Buffer
		for line := range bytes.Lines(generate(t, now, n)) {
			var r map[string]any
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			for _, field := range []string{"contactName", "content"} {
				if !strings.Contains(fmt.Sprint(r[field]), "CANARY-") {
					t.Fatalf("%s of %s is not marked", field, line)
				}
				delete(r, field)
			}
			for _, field := range []string{"from", "to"} {
				if raw, ok := r[field].(string); ok {
					r[field] = masking.Mask(raw)
				}
			}
			delete(r, "agentNote")
			if code, _ := r["errorCode"].(string); code != "" {
				if _, isNumber := masking.Digits(code); isNumber {
					delete(r, "errorCode")
				}
			}
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			shown.Write(append(text, '\n'))
		}
		if got := sample.Leaks(shown.String()); got != nil {
			t.Errorf("as of %s: masked records hold %q", now, got)
		}
		if got := sample.Leaks(string(render(t, now))); got != nil {
			t.Errorf("as of %s: the directory holds %q", now, got)
		}
	}
}

// No number here may be anybody's: whatever has the digits of a telephone
// number is of a range that is kept for fiction.
func TestEveryNumberIsFictional(t *testing.T) {
	fictional := regexp.MustCompile(`^(((00)?44)?0?7700900[0-9]{3}|(00)?1?20255501[0-9]{2})$`)
	candidates := regexp.MustCompile(`\+?[0-9][0-9 ().\-]{6,}[0-9]`)
	toASCII := strings.NewReplacer("+44770090xxxx", "", // a mask, not a number
		"０", "0", "１", "1", "２", "2", "３", "3", "４", "4", "５", "5", "６", "6", "７", "7", "８", "8", "９", "9",
		"٠", "0", "١", "1", "٢", "2", "٣", "3", "٤", "4", "٥", "5", "٦", "6", "٧", "7", "٨", "8", "٩", "9")
	for _, r := range records(t, noon, few) {
		text, err := json.Marshal([]any{r.ID, r.From, r.To, r.ContactName, r.Content, r.AgentNote, r.ErrorCode})
		if err != nil {
			t.Fatal(err)
		}
		for _, candidate := range candidates.FindAllString(toASCII.Replace(string(text)), -1) {
			if number, ok := masking.Digits(candidate); ok && !fictional.MatchString(number) {
				t.Fatalf("%q of %s is no fictional number", candidate, text)
			}
		}
	}
}

func TestNumbersAreWrittenInManyWays(t *testing.T) {
	var addresses []string
	for _, r := range atNoon(t) {
		for _, address := range []*string{r.From, r.To} {
			if address != nil {
				addresses = append(addresses, *address)
			}
		}
	}
	for _, way := range []string{
		"+447700900", "447700900", "00447700900", "07700900", "07700 900 ", "+44 7700 900", "+44-7700-900", "+44 (0)7700 900", "7700900",
		"tel:+447700900", "＋４４７７００９００", "٠٧٧٠٠ ٩٠٠",
		"+1202555", "001202555", "(202) 555-", "202.555.", "1-202-555-", "+44770090xxxx", "1202555XXXX",
		"****0", "****", "770090", "202550", "CanaryShop", "canary.", "GB.canary-user-", " ",
	} {
		if !slices.ContainsFunc(addresses, func(a string) bool { return strings.HasPrefix(a, way) }) {
			t.Errorf("none is written as %q", way)
		}
	}
}
