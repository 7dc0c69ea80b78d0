package main

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"strings"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"partnerview/internal/access"
)

// wish is what an answer must be.
type wish int

const (
	itsOwn       wish = iota // 200, and what the same asker got before the load
	notThere                 // 404: another partner's customer
	unauthorized             // 401
)

// ask is a request of somebody, and what is to come of it.
type ask struct {
	wish       wish
	who        string // "partner-007"; empty: nobody whom we know
	bronze     bool   // who has the small plan
	route      string // "a log as CSV"
	path       string // with the query: "/customers?limit=2"
	csv        bool
	credential string // of the header Authorization; empty: there is none
	got        answer // what itsOwn was answered with, alone
}

// routes are the requests that each partner makes.
func routes(p partner) []ask {
	log := "/customers/" + p.account(0) + "/usage/sms?limit=100"
	days := "&from=" + firstDay + "&to=" + endDay
	all := []ask{
		{route: "the list", path: "/customers?limit=100"},
		{route: "a search", path: "/customers?limit=2&search=customer"},
		{route: "the list as CSV", path: "/customers?limit=100", csv: true},
		{route: "a log", path: log},
		{route: "a log, filtered", path: log + "&country=GB&order=asc"},
		{route: "a log as CSV", path: log, csv: true},
		{route: "the summary", path: "/summary?groupBy=customer" + days},
		{route: "a summary by day", path: "/customers/" + p.account(0) + "/summary?groupBy=day&groupBy=product" + days},
		{route: "who asks", path: "/me"},
	}
	for i := range all {
		all[i].who, all[i].bronze, all[i].credential = p.id(), p.bronze(), "Bearer "+p.key
	}
	return all
}

// strangers are requests for customers of the next partner.
func strangers(p partner) []ask {
	next := partner{number: (p.number + 1) % partners}
	one := ask{wish: notThere, who: p.id(), bronze: p.bronze(), credential: "Bearer " + p.key,
		route: "another's log", path: "/customers/" + next.account(0) + "/usage/sms"}
	csv := one
	csv.route, csv.csv = "another's log as CSV", true
	return []ask{one, csv}
}

// badCredentials are requests for what a partner sees, with what opens nothing.
func badCredentials(p partner) ([]ask, error) {
	unknown, _, _, err := access.NewKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	cut := len("Bearer pvk_") + 12 + 1 // the id of a key that there is, and another's secret
	mixed := "Bearer " + p.key[:cut-len("Bearer ")] + unknown[cut-len("Bearer "):]
	path := "/customers/" + p.account(0) + "/usage/sms?limit=100"
	all := []ask{
		{route: "an unknown key", credential: "Bearer " + unknown},
		{route: "a key with another's secret", credential: mixed},
		{route: "a key without its end", credential: "Bearer " + p.key[:len(p.key)-1]},
		{route: "a key by another name", credential: "Basic " + p.key},
		{route: "no credential"},
	}
	for i := range all {
		all[i].wish, all[i].path, all[i].csv = unauthorized, path, i%2 == 1
	}
	return all, nil
}

// Of a hundred requests so many are with a bad credential, and so many for another's
// customer. Of the others so many in a hundred are those of the few partners with the
// small plan.
const (
	badOfHundred      = 20
	strangerOfHundred = 4
	bronzeOfHundred   = 20
)

// asks are all requests of a load.
type asks struct{ bronze, own, strangers, bad []ask }

// draw is the next one.
func (a asks) draw() ask {
	switch n := mathrand.IntN(100); {
	case n < badOfHundred:
		return pick(a.bad)
	case n < badOfHundred+strangerOfHundred:
		return pick(a.strangers)
	}
	if mathrand.IntN(100) < bronzeOfHundred {
		return pick(a.bronze)
	}
	return pick(a.own)
}

func pick(from []ask) ask { return from[mathrand.IntN(len(from))] }

// number joins a request to its ask, from the targeter to the judge, which takes it out.
const number = "X-Proof-Number"

// targeter draws requests, and tells the judge what each is.
func (a asks) targeter(base string, j *judge) vegeta.Targeter {
	return func(t *vegeta.Target) error {
		one := a.draw()
		t.Method, t.URL, t.Header = http.MethodGet, base+one.path, one.header()
		t.Header.Set(number, strconv.FormatInt(j.expect(one), 10))
		return nil
	}
}

func (a ask) header() http.Header {
	h := make(http.Header)
	if a.credential != "" {
		h.Set("Authorization", a.credential)
	}
	if a.csv {
		h.Set("Accept", "text/csv")
	}
	return h
}

func (a ask) String() string {
	who := a.who
	if who == "" {
		who = "nobody"
	}
	return fmt.Sprintf("%s asks for %s (%s)", who, a.route, strings.SplitN(a.path, "?", 2)[0])
}
