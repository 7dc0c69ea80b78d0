package importer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/usage"
)

func TestThePeopleOfAPartnerAreRead(t *testing.T) {
	d, err := parseText(`partners:
  - id: northwind
    viewers:
      - subject: "auth0|5f2c"
        issuer: https://login.example.com/
        name: Billing desk
        customers:
          - accountId: acme_retail
            products: [voice, sms]
          - accountId: b&b
      - {subject: 42, customers: [{accountId: b&b}]}
  - {id: southbank, viewers: []}
  - {id: eastgate}
`, "x")
	if err != nil {
		t.Fatal(err)
	}
	want := []Viewer{
		{Line: 4, Subject: "auth0|5f2c", Issuer: "https://login.example.com/", Name: "Billing desk",
			Customers: []Grant{{Line: 8, Account: "acme_retail", Products: []usage.Product{usage.SMS, usage.Voice}}, {Line: 10, Account: "b&b"}}},
		{Line: 11, Subject: "42", Customers: []Grant{{Line: 11, Account: "b&b"}}},
	}
	if diff := cmp.Diff(want, d.Partners[0].Viewers.Value); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if none := d.Partners[1].Viewers; !none.IsSet() || len(none.Value) != 0 || d.Partners[2].Viewers.IsSet() {
		t.Errorf("an empty list is %+v, none %+v", none, d.Partners[2].Viewers)
	}
}

// Each of these would leave open who sees what, or for whom nobody could ever be looked up.
func TestWhatIsWrongWithPeopleIsNamedAtOnceWithItsLine(t *testing.T) {
	_, err := parseText(`partners:
  - id: northwind
    viewers:
      - customers: [{accountId: acme_retail}]
      - {subject: "", customers: [{accountId: acme_retail}]}
      - {subject: ann}
      - {subject: ben, customers: []}
      - subject: ann
        issuer: login.example.com
        name: `+strings.Repeat("x", 101)+`
        customers: [{accountId: acme_retail, products: [fax]}, {accountId: acme_retail, products: []}]
      - {subject: cleo, issuer: "https://a.example", customers: [{accountId: b&b}]}
      - {subject: cleo, issuer: "https://b.example", customers: [{accountId: b&b}]}
      - {subject: cleo, issuer: "https://a.example", customers: [{accountId: b&b}]}
`, "x")
	want := `x:4: partners[0].viewers[0].subject: is missing
x:5: partners[0].viewers[1].subject: must not be empty
x:6: partners[0].viewers[2].customers: is missing
x:7: partners[0].viewers[3].customers: must not be empty: who sees no customer is left out of viewers
x:8: partners[0].viewers[4].subject: "ann" is there twice, first on line 6
x:9: partners[0].viewers[4].issuer: "login.example.com" is no issuer: write the URL that stands in the iss of its tokens
x:10: partners[0].viewers[4].name: has 101 characters; at most 100 are taken
x:11: partners[0].viewers[4].customers[0].products[0]: "fax": a product is sms, voice, video or messaging
x:11: partners[0].viewers[4].customers[1].products: must not be empty
x:11: partners[0].viewers[4].customers[1].accountId: "acme_retail" is there twice, first on line 11
x:14: partners[0].viewers[7].subject: "cleo" is there twice, first on line 12`
	if err == nil {
		t.Fatal("there is no fault")
	}
	same(t, "the faults", want, err.Error())
}

func TestAListOfCustomersIsReadLineByLine(t *testing.T) {
	got, err := ParseList(strings.NewReader("\ufeff# billing\r\n\r\nacme_retail\r\n  b&b=voice, sms\n"), "list.txt")
	want := []Grant{{Line: 3, Account: "acme_retail"}, {Line: 4, Account: "b&b", Products: []usage.Product{usage.SMS, usage.Voice}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for claim, c := range map[string]struct{ text, want string }{
		"all faults are named": {"a!\nacme=\nacme=sms,sms\nacme=fax\nb&b\nb&b=sms\n", `list.txt:1: "a!": an account ID is 3 to 50 of A-Z a-z 0-9 - . _ &
list.txt:2: "": a product is sms, voice, video or messaging
list.txt:3: sms is there twice
list.txt:4: "fax": a product is sms, voice, video or messaging
list.txt:6: "b&b" is there twice, first on line 5`},
		"an empty list is none":                {"# nobody\n\n", "list.txt:1: names no customer: a viewer's list has at least one"},
		"a directory file is told from it":     {"partners:\n  - id: northwind\n", "read list.txt: the file looks like a directory file: partnerctl apply -f brings it into force"},
		"a number in the wrong file is masked": {"+44 7700 900123\n", `list.txt:1: "****0123": an account ID is 3 to 50 of A-Z a-z 0-9 - . _ &`},
	} {
		_, err := ParseList(strings.NewReader(c.text), "list.txt")
		if err == nil {
			t.Errorf("%s: no fault", claim)
			continue
		}
		same(t, claim, c.want, err.Error())
	}
}
