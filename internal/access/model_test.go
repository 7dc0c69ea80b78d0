package access_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"

	"partnerview/internal/access"
	"partnerview/internal/access/oidc"
	"partnerview/internal/api"
	"partnerview/internal/dev/local/apigateway"
	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/template"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/gateway"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/testkit/oidctest"
	"partnerview/internal/usage"
)

// model is who may see what, by the rules of docs/access.md and no code of the product.
type model struct {
	status  map[directory.PartnerID]directory.PartnerStatus // a partner that is not there is in it no more
	enabled map[usage.AccountID][]usage.Product             // so is a customer
	grants  map[holder]map[usage.AccountID][]usage.Product  // none named: all
	people  map[holder]directory.PersonState
	wide    map[directory.ViewerID]bool // keys that count, and whether they see all of their partner's
	none    bool                        // what a person sees of whom nothing is said
}

// holder is whose list it is: a partner's, or a viewer's.
type holder struct {
	partner directory.PartnerID
	viewer  directory.ViewerID
}

// nobodys is the list of whom nothing is shown.
const nobodys directory.ViewerID = "-"

// list is whose list bounds what a credential sees; counts: it is not refused.
func (m model) list(c credential) (list holder, counts bool) {
	all, own, nothing := holder{c.partner, ""}, holder{c.partner, c.viewer}, holder{c.partner, nobodys}
	active := m.status[c.partner] == directory.Active
	wide, isKey := m.wide[c.viewer]
	switch {
	case c.isPerson && m.people[own] == directory.Removed, !c.isPerson && !isKey:
		return nothing, false
	case !c.isPerson && wide, c.isPerson && m.people[own] == directory.NoEntry && !m.none:
		return all, active
	case c.isPerson && m.people[own] == directory.NoEntry:
		return nothing, active
	}
	return own, active
}

// shows lists what may be seen by a list: "acme", a customer, and "acme/sms", its log.
func (m model) shows(by holder) map[string]bool {
	seen := make(map[string]bool)
	for account, granted := range m.grants[holder{by.partner, ""}] {
		own, listed := m.grants[by][account]
		enabled, exists := m.enabled[account]
		if !listed || !exists {
			continue
		}
		seen[string(account)] = true
		for _, p := range enabled {
			if (len(granted) == 0 || slices.Contains(granted, p)) && (len(own) == 0 || slices.Contains(own, p)) {
				seen[string(account)+"/"+string(p)] = true
			}
		}
	}
	return seen
}

// counted is how many customers a list has that its partner has too; one that is gone counts.
func (m model) counted(by holder) (n int) {
	for account := range m.grants[by] {
		if _, granted := m.grants[holder{by.partner, ""}][account]; granted {
			n++
		}
	}
	return n
}

func (m model) clone() model {
	grants := make(map[holder]map[usage.AccountID][]usage.Product, len(m.grants))
	for h, list := range m.grants {
		grants[h] = maps.Clone(list)
	}
	return model{maps.Clone(m.status), maps.Clone(m.enabled), grants, maps.Clone(m.people), maps.Clone(m.wide), m.none}
}

// credential is a key or a token.
type credential struct {
	name     string // "key 2 of north", "sam of north"
	text     string
	partner  directory.PartnerID
	viewer   directory.ViewerID
	isPerson bool
}

// run is one sequence of changes and requests, on data of its own in tables that are
// shared.
type run struct {
	*rapid.T
	number      string
	unnumbered  *strings.Replacer
	store       *dynamo.Store
	api         http.Handler
	now         time.Time
	credentials []credential
	elsewhere   holder // another issuer's person, of the same subject as one here
	issuer      string
	accounts    []usage.AccountID

	model
	past    []past
	decided map[string]time.Time // when the gateway had its decision for a credential and path
	cursors []string             // queries for a further page
	again   func()               // the last request for a customer, once more
	counts  map[string]int

	operations int
}

// past is what was true until some time.
type past struct {
	model
	until time.Time
}

const ttl = time.Minute

// change makes a change in the store and in the model.
func (r *run) change(stored error, modelled func(*model), format string, a ...any) {
	r.Helper()
	if stored != nil {
		r.Fatal(stored)
	}
	before := r.model.clone()
	modelled(&r.model)
	r.past = append(r.past, past{before, r.now})
	r.operations++
	r.Logf("%s %s", r.now.Format("15:04:05"), fmt.Sprintf(format, a...))
}

// window are the models of the last TTL, the present one first.
func (r *run) window() []model {
	r.past = slices.DeleteFunc(r.past, func(p past) bool { return !p.until.After(r.now.Add(-ttl)) })
	window := []model{r.model}
	for _, p := range r.past {
		window = append(window, p.model)
	}
	return window
}

// answer is what a request is answered with: what it shows, or a problem's code.
type answer struct {
	status int
	code   string
	shown  []string
	next   string
	self   self // of /me
}

// self is what a credential is told of itself.
type self struct {
	PartnerID                   directory.PartnerID
	Label                       *string
	Customers, PartnerCustomers int
	Narrowed                    bool
}

// ask sends a request through the gateway.
func (r *run) ask(c credential, path string) answer {
	r.Helper()
	request := httptest.NewRequest("GET", "/v1"+path, nil)
	request.Header.Set("Authorization", "Bearer "+c.text)
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, request)
	var body struct {
		Code       string
		NextCursor string
		Data       json.RawMessage
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		r.Fatalf("GET %s: %v: %s", path, err, w.Body)
	}
	a := answer{status: w.Code, code: body.Code, next: body.NextCursor}
	if w.Code != http.StatusOK {
		return a
	}
	if path == "/me" {
		if err := json.Unmarshal(w.Body.Bytes(), &a.self); err != nil {
			r.Fatalf("GET %s: %v: %s", path, err, w.Body)
		}
		return a
	}
	var all []struct {
		AccountID string   // of a customer
		Products  []string // of a customer
		ID        string   // of a record: "acme_1-sms"
	}
	text := body.Data
	if text == nil {
		text = json.RawMessage("[" + w.Body.String() + "]")
	}
	if err := json.Unmarshal(text, &all); err != nil {
		r.Fatalf("GET %s: %v: %s", path, err, w.Body)
	}
	for _, one := range all {
		if one.ID != "" {
			a.shown = append(a.shown, strings.Replace(one.ID, "-", "/", 1))
			continue
		}
		a.shown = append(a.shown, one.AccountID)
		for _, p := range one.Products {
			a.shown = append(a.shown, one.AccountID+"/"+p)
		}
	}
	return a
}

// whole asks for a list to its end.
func (r *run) whole(c credential, query string) answer {
	r.Helper()
	all := r.ask(c, "/customers"+query)
	for next := all.next; next != ""; {
		r.cursors = append(r.cursors, query+"&cursor="+next)
		page := r.ask(c, "/customers"+query+"&cursor="+next)
		all.shown = append(all.shown, page.shown...)
		if next = page.next; page.status != http.StatusOK {
			r.Fatalf("%s asks for the next page: %d %s", c.name, page.status, page.code)
		}
	}
	return all
}

// decidedIn are the models by which the decision on a request may have been made: the present
// one alone, unless the gateway may have kept one from before a change.
func (r *run) decidedIn(c credential, path string, a answer) []model {
	r.operations++
	window := r.window()
	decided, isKept := r.decided[c.text+path]
	if isKept && decided.After(r.now.Add(-ttl)) {
		return window
	}
	if a.status != http.StatusUnauthorized {
		r.decided[c.text+path] = r.now
	}
	return window[:1]
}

// holds compares an answer with the model: to the letter where no decision can have been
// kept from before a change, and otherwise with all that was true within the TTL. A list is
// read as the grants are now, by whose list it was when the decision was made. asked are
// the facts that the request is about.
func (r *run) holds(c credential, path string, a answer, asked func(fact string) bool) {
	r.Helper()
	window := r.decidedIn(c, path, a)
	may, counts := make(map[string]bool), false
	for _, then := range window {
		list, counted := then.list(c)
		if !counted {
			continue
		}
		counts = true
		if path == "/customers" {
			then = r.model
		}
		maps.Copy(may, then.shows(list))
	}
	r.Logf("%s %s asks for %s: %d, shown %q", r.now.Format("15:04:05"), c.name, r.plain(path), a.status, r.plain(strings.Join(a.shown, " ")))
	if a.status == http.StatusOK && !counts {
		r.Fatalf("%s does not count, and is let in: %s", c.name, r.plain(path))
	}
	for _, fact := range a.shown {
		if !may[fact] || !asked(fact) {
			r.Fatalf("%s reads %s by %s: %s", c.name, r.plain(fact), r.plain(path), r.why(c, fact))
		}
	}
	r.count(c, a, len(window) > 1)
	if len(window) > 1 {
		return
	}
	want := slices.DeleteFunc(slices.Sorted(maps.Keys(may)), func(fact string) bool { return !asked(fact) })
	if got := slices.Sorted(slices.Values(a.shown)); counts && !slices.Equal(got, want) {
		r.Fatalf("%s is shown %s by %s, and may see %s", c.name, r.plain(fmt.Sprint(got)), r.plain(path), r.plain(fmt.Sprint(want)))
	}
	status := 200
	if !counts {
		status = 401
	} else if len(want) == 0 && path != "/customers" {
		status = 404
	}
	if a.status != status {
		r.Fatalf("%s asks for %s: %d %s, want %d", c.name, r.plain(path), a.status, a.code, status)
	}
}

// count counts answers by what they are and to whom.
func (r *run) count(c credential, a answer, kept bool) {
	kind := fmt.Sprint(a.status)
	switch list, _ := r.list(c); {
	case kept:
		kind += " kept"
	case a.status == http.StatusUnauthorized, a.status == http.StatusOK && len(a.shown) == 0: // as it is, or an empty list
	case list.viewer == "":
		kind += " wide"
	default:
		kind += " narrowed"
	}
	r.counts[kind]++
}

// why says what a credential must not see something for.
func (r *run) why(c credential, fact string) string {
	account, product, _ := strings.Cut(fact, "/")
	partners := r.shows(holder{c.partner, ""})
	list, _ := r.list(c)
	_, listed := r.grants[list][usage.AccountID(account)]
	switch {
	case !partners[account]:
		return "its partner is not granted that customer, or it is gone"
	case !partners[fact]:
		return "its partner does not see that customer's " + product
	case !listed:
		return "the customer is not on its own list"
	}
	return "its own list leaves out that customer's " + product
}

// plain is a text without the run's number, so that what fails reads the same each time.
func (r *run) plain(text string) string {
	return r.unnumbered.Replace(text)
}

func drawn[T any](r *run, label string, from []T) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(r.T, label)]
}

// products draws some; empty: none of them.
func (r *run) products() (some []usage.Product) {
	mask := rapid.IntRange(0, 15).Draw(r.T, "products")
	for i, p := range usage.Products() {
		if mask&(1<<i) != 0 {
			some = append(some, p)
		}
	}
	return some
}

func customerName(account usage.AccountID) string {
	name, _, _ := strings.Cut(string(account), "_")
	return strings.ToUpper(name[:1]) + name[1:]
}

// step does one thing: nothing, a change, a while that passes, or a request.
func (r *run) step() {
	ctx := context.Background()
	c := drawn(r, "credential", r.credentials)
	account := drawn(r, "account", r.accounts)
	products := r.products()
	own, isPerson := holder{c.partner, c.viewer}, c.isPerson
	person := directory.Person{Partner: c.partner, Issuer: r.issuer, Subject: strings.Fields(c.name)[0], CreatedAt: r.now}
	if rapid.IntRange(0, 9).Draw(r.T, "elsewhere") == 9 {
		person.Partner, person.Issuer, person.Subject = r.elsewhere.partner, "https://login.example.org/", "sam"
		own, isPerson = r.elsewhere, true
	}
	h := own
	grant := func(h holder) directory.Grant {
		return directory.Grant{Partner: h.partner, Viewer: h.viewer, Account: account, Products: products, CustomerName: customerName(account)}
	}
	switch rapid.IntRange(0, 36).Draw(r.T, "step") {
	case 0:
	case 1, 2:
		h = holder{c.partner, ""}
		fallthrough
	case 3, 4, 5:
		r.change(r.store.PutGrant(ctx, grant(h)), func(m *model) {
			if m.grants[h] == nil {
				m.grants[h] = make(map[usage.AccountID][]usage.Product)
			}
			m.grants[h][account] = products
		}, "%s gets %s, %v", r.told(h), customerName(account), products)
	case 6:
		h = holder{c.partner, ""}
		fallthrough
	case 7:
		r.change(r.store.DeleteGrant(ctx, grant(h)), func(m *model) { delete(m.grants[h], account) },
			"%s loses %s", r.told(h), customerName(account))
	case 8, 9, 10:
		if _, exists := r.wide[c.viewer]; !exists {
			return
		}
		if rapid.IntRange(0, 2).Draw(r.T, "narrow") > 0 {
			r.change(r.store.NarrowAccessKey(ctx, string(c.viewer)), func(m *model) { m.wide[c.viewer] = false }, "%s is narrowed", c.name)
		} else {
			r.change(r.store.WidenAccessKey(ctx, string(c.viewer)), func(m *model) { m.wide[c.viewer] = true }, "%s is widened", c.name)
		}
	case 11, 12:
		if isPerson {
			r.change(r.store.PutPerson(ctx, person), func(m *model) { m.people[own] = directory.Listed }, "%s counts", r.told(own))
		}
	case 13:
		if isPerson {
			_, err := r.store.RemovePerson(ctx, own.partner, own.viewer, r.now)
			if fault.Is(err, fault.NotFound) {
				person.RemovedAt = r.now
				err = r.store.PutPerson(ctx, person)
			}
			r.change(err, func(m *model) { m.people[own] = directory.Removed }, "whose is %s is removed", r.told(own))
		}
	case 14:
		if isPerson {
			r.change(r.store.DeletePerson(ctx, own.partner, own.viewer), func(m *model) { delete(m.people, own) },
				"whose is %s is forgotten, and the list is left", r.told(own))
		}
	case 15, 16:
		if _, counts := r.wide[c.viewer]; counts && !c.isPerson && rapid.IntRange(0, 2).Draw(r.T, "end") == 2 {
			r.endKey(ctx, c)
		} else if !counts && !c.isPerson {
			r.newKey(c.name, c.partner, rapid.Bool().Draw(r.T, "narrowed"))
		}
	case 17:
		if r.status[c.partner] != directory.Active || rapid.Bool().Draw(r.T, "turn") {
			r.turn(ctx, c.partner)
		}
	case 18:
		if len(products) == 0 {
			r.change(r.store.DeleteCustomer(ctx, account), func(m *model) { delete(m.enabled, account) }, "%s is gone", customerName(account))
			return
		}
		r.change(r.put(account, products), func(m *model) { m.enabled[account] = products }, "%s has %v", customerName(account), products)
	case 19, 20, 21:
		r.now = r.now.Add(time.Duration(rapid.IntRange(1, 25).Draw(r.T, "seconds")) * time.Second)
		r.operations++
	case 22:
		r.now = r.now.Add(ttl)
		r.operations++
	case 23, 24, 25, 26:
		if r.again != nil {
			r.again()
		}
	default:
		r.request(c, account)
	}
}

func (r *run) put(account usage.AccountID, products []usage.Product) error {
	return r.store.PutCustomer(context.Background(), directory.Customer{Account: account, Name: customerName(account), Products: products,
		Currency: "EUR", Credit: directory.Credit{Mode: directory.Prepaid}})
}

// told is a list in words.
func (r *run) told(h holder) string {
	if h.viewer == "" {
		return r.plain(string(h.partner))
	}
	for _, c := range r.credentials {
		if c.partner == h.partner && c.viewer == h.viewer {
			return "the list of " + c.name
		}
	}
	return "the list of somebody else in " + r.plain(string(h.partner))
}

// endKey revokes, expires or deletes a key.
func (r *run) endKey(ctx context.Context, c credential) {
	var err error
	how := drawn(r, "how", []string{"revoked", "expired", "deleted"})
	switch how {
	case "revoked":
		_, err = r.store.RevokeAccessKey(ctx, string(c.viewer), r.now)
	case "expired":
		_, err = r.store.ExpireAccessKey(ctx, string(c.viewer), r.now)
	case "deleted":
		err = r.store.DeleteAccessKey(ctx, c.partner, string(c.viewer))
	}
	r.change(err, func(m *model) { delete(m.wide, c.viewer) }, "%s is %s", c.name, how)
}

// newKey makes a key, in place of one of the same name.
func (r *run) newKey(name string, partner directory.PartnerID, narrowed bool) {
	text, id, hash, err := access.NewKey(rand.Reader)
	if err != nil {
		r.Fatal(err)
	}
	viewer := directory.ViewerID(id)
	r.credentials = slices.DeleteFunc(r.credentials, func(c credential) bool { return c.name == name })
	r.credentials = append(r.credentials, credential{name: name, text: text, partner: partner, viewer: viewer})
	slices.SortFunc(r.credentials, func(a, b credential) int { return cmp.Compare(a.name, b.name) })
	key := directory.AccessKey{ID: id, Partner: partner, SecretHash: hash, CreatedAt: r.now, Narrowed: narrowed}
	r.change(r.store.PutAccessKey(context.Background(), key), func(m *model) { m.wide[viewer] = !narrowed }, "%s is made, narrowed %v", name, narrowed)
}

// turn makes a partner active, suspended or gone.
func (r *run) turn(ctx context.Context, partner directory.PartnerID) {
	status := drawn(r, "status", []directory.PartnerStatus{directory.Active, directory.Active, directory.Active, directory.Suspended, ""})
	if status == "" {
		r.change(r.store.DeletePartner(ctx, partner), func(m *model) { delete(m.status, partner) }, "%s is gone", r.plain(string(partner)))
		return
	}
	r.change(r.store.PutPartner(ctx, directory.Partner{ID: partner, Name: "P", Status: status}), func(m *model) { m.status[partner] = status },
		"%s is %s", r.plain(string(partner)), status)
}

// request asks for something, and holds the answer to the model.
func (r *run) request(c credential, account usage.AccountID) {
	path := "/customers/" + string(account)
	product := drawn(r, "product", usage.Products())
	log := string(account) + "/" + string(product)
	switch kind := drawn(r, "request", []string{"list", "list", "cursor", "customer", "log", "record", "me"}); kind {
	case "me":
		r.me(c)

	case "list":
		word := drawn(r, "search", []string{"", "", "ta", "echo"})
		with := drawn(r, "with", []usage.Product{"", product})
		query := fmt.Sprintf("?limit=%d", rapid.IntRange(1, 4).Draw(r.T, "limit"))
		if word != "" {
			query += "&search=" + word
		}
		if with != "" {
			query += "&product=" + string(with)
		}
		a := r.whole(c, query)
		of := func(fact string) string { account, _, _ := strings.Cut(fact, "/"); return account }
		list, _ := r.list(c)
		shows := r.shows(list)
		r.holds(c, "/customers", a, func(fact string) bool {
			return strings.Contains(of(fact), word) && (with == "" || shows[of(fact)+"/"+string(with)] || slices.Contains(a.shown, of(fact)+"/"+string(with)))
		})
	case "cursor": // of an earlier list, maybe somebody else's
		if len(r.cursors) > 0 {
			a := r.ask(c, "/customers"+drawn(r, "cursor", r.cursors))
			r.holds(c, "/customers", a, func(fact string) bool { return slices.Contains(a.shown, fact) })
		}
	case "customer":
		r.again = func() {
			r.holds(c, path, r.ask(c, path), func(fact string) bool { return strings.HasPrefix(fact, string(account)) })
		}
		r.again()
	case "log", "record":
		path += "/usage/" + string(product)
		if kind == "record" {
			path += "/" + string(account) + "-" + string(product)
		}
		r.again = func() { r.holds(c, path, r.ask(c, path), func(fact string) bool { return fact == log }) }
		r.again()
	}
}

// me asks who somebody is. Like a list it is read as the lists are now, by whose list it was
// when the decision was made.
func (r *run) me(c credential) {
	a := r.ask(c, "/me")
	var may []string
	for _, then := range r.decidedIn(c, "/me", a) {
		told := "401"
		if list, counts := then.list(c); counts {
			all := holder{c.partner, ""}
			told = fmt.Sprintf("200 %d of %d, narrowed %v", r.counted(list), r.counted(all), list != all)
		}
		may = append(may, told)
	}
	got := fmt.Sprint(a.status)
	if a.status == http.StatusOK {
		got = fmt.Sprintf("200 %d of %d, narrowed %v", a.self.Customers, a.self.PartnerCustomers, a.self.Narrowed)
	}
	r.Logf("%s %s is told who it is: %s", r.now.Format("15:04:05"), c.name, got)
	_, partnerExists := r.status[c.partner]
	if a.status == http.StatusServiceUnavailable && !partnerExists && len(may) > 1 {
		return // it was let in before its partner went
	}
	if !slices.Contains(may, got) || a.status == http.StatusOK && (a.self.PartnerID != c.partner || a.self.Label != nil) {
		r.Fatalf("%s is told %s of %s, label %v; it sees %q", c.name, got, r.plain(string(a.self.PartnerID)), a.self.Label, may)
	}
}

// Whatever is granted, narrowed, widened, revoked, suspended, removed and forgotten, in
// whatever order: a key and a person see what the model says, which is what their partner
// sees and their own list has. A decision that the gateway keeps shows, until the TTL is
// over, what was true within it, and no more.
func TestNobodySeesMoreThanTheModelSays(t *testing.T) {
	issuer, err := oidctest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer issuer.Close()
	signs, err := issuer.NewKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	issuer.Publish(signs)
	written, err := template.Read("../../template.yaml", map[string]string{"AuthorizerTtlSeconds": fmt.Sprint(ttl.Seconds())})
	if err != nil {
		t.Fatal(err)
	}
	const wanted = 50 // of which rapid makes a fifth in make quick
	const halves = 2  // at the same time, each with an engine of its own
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set(fmt.Sprint(wanted / halves)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = checks.Value.Set(checks.DefValue) }() // which it has been before
	}
	var counts [halves]map[string]int
	t.Run("halves", func(t *testing.T) {
		for half := range counts {
			counts[half] = make(map[string]int)
			t.Run(fmt.Sprint(half+1), func(t *testing.T) {
				t.Parallel()
				own := new(dynamotest.Engine)
				t.Cleanup(own.Stop)
				store, runs := own.NewStore(t), 0
				rapid.Check(t, func(t *rapid.T) {
					runs++
					r := newRun(t, runs, store, written, issuer, signs)
					r.counts = counts[half]
					for steps := 0; r.operations < 300 && steps < 600; steps++ { // what is shrunk does nothing
						r.step()
					}
				})
			})
		}
	})
	t.Logf("answers: %v", counts)
	for _, kind := range []string{"200 wide", "200 narrowed", "404 wide", "404 narrowed", "401", "200 kept", "404 kept"} {
		n := 0
		for _, half := range counts {
			n += half[kind]
		}
		if n < wanted && !testing.Short() { // a few runs may well have none
			t.Errorf("of the answers only %d are %s: the changes leave too little to see", n, kind)
		}
	}
}

func newRun(t *rapid.T, nth int, store *dynamo.Store, written *template.Template, issuer *oidctest.Issuer, signs oidctest.Key) *run {
	number := fmt.Sprintf("_%d", nth)
	dash := strings.Replace(number, "_", "-", 1)
	north, south := directory.PartnerID("north"+dash), directory.PartnerID("south"+dash)
	r := &run{T: t, number: number, unnumbered: strings.NewReplacer(number, "", dash, ""), issuer: issuer.URL, store: store, now: now, decided: make(map[string]time.Time)}
	r.model = model{
		map[directory.PartnerID]directory.PartnerStatus{}, map[usage.AccountID][]usage.Product{}, map[holder]map[usage.AccountID][]usage.Product{},
		map[holder]directory.PersonState{}, map[directory.ViewerID]bool{}, rapid.Bool().Draw(t, "none by default"),
	}
	r.elsewhere = holder{north, directory.PersonID("https://login.example.org/", "sam")}
	r.api = r.serve(written, issuer)
	var records []usage.Record
	for _, name := range []string{"alpha", "beta", "gamma", "delta", "echo"} {
		account := usage.AccountID(name + number)
		r.accounts = append(r.accounts, account)
		r.change(r.put(account, usage.Products()), func(m *model) { m.enabled[account] = usage.Products() }, "%s is there", name)
		for _, p := range usage.Products() {
			id := usage.RecordID(string(account) + "-" + string(p))
			records = append(records, usage.Record{Log: usage.Log{Account: account, Product: p}, ID: id, Timestamp: now.Add(-time.Hour), Direction: usage.Outbound, Status: usage.Delivered})
		}
	}
	for some := range slices.Chunk(records, dynamo.MaxUsageBatch) {
		if _, err := store.WriteUsage(context.Background(), some); err != nil {
			t.Fatal(err)
		}
	}
	for partner, accounts := range map[directory.PartnerID][]usage.AccountID{north: r.accounts[:4], south: r.accounts[2:]} {
		r.change(store.PutPartner(context.Background(), directory.Partner{ID: partner, Name: "P", Status: directory.Active}),
			func(m *model) { m.status[partner] = directory.Active }, "%s is active", r.plain(string(partner)))
		r.grants[holder{partner, ""}] = make(map[usage.AccountID][]usage.Product)
		for _, account := range accounts {
			g := directory.Grant{Partner: partner, Account: account, CustomerName: customerName(account)}
			r.change(store.PutGrant(context.Background(), g), func(m *model) { m.grants[holder{partner, ""}][account] = nil }, "%s gets %s", r.plain(string(partner)), customerName(account))
		}
	}
	for i, partner := range []directory.PartnerID{north, north, south} {
		r.newKey(fmt.Sprintf("key %d of %s", i+1, strings.TrimSuffix(string(partner), dash)), partner, i == 1)
	}
	for _, who := range []struct {
		subject string
		partner directory.PartnerID
	}{{"sam", north}, {"kim", north}, {"sam", south}} {
		claims := issuer.Claims(testAudience, string(who.partner), now)
		claims["sub"], claims["exp"] = who.subject, now.Add(24*time.Hour).Unix()
		token, err := signs.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		name := who.subject + " of " + strings.TrimSuffix(string(who.partner), dash)
		r.credentials = append(r.credentials, credential{name, token, who.partner, directory.PersonID(issuer.URL, who.subject), true})
	}
	r.operations = 0
	return r
}

const testAudience = "https://api.example.com"

// serve is the API as the template has it, with its functions in this process.
func (r *run) serve(written *template.Template, issuer *oidctest.Issuer) http.Handler {
	clock, log := func() time.Time { return r.now }, slog.New(slog.DiscardHandler)
	verifier, err := oidc.New(oidc.Settings{Issuer: issuer.URL, Audience: testAudience, PartnerClaim: "partner_id", Local: true}, clock, log)
	if err != nil {
		r.Fatal(err)
	}
	guard := access.NewGuard(r.store, clock)
	guard.Tokens, guard.PersonDefault = verifier, directory.SeesAll
	if r.none {
		guard.PersonDefault = directory.SeesNone
	}
	env := api.Env{Viewer: gateway.Viewer, RequestID: gateway.RequestID, Now: clock, Log: log}
	functions := map[string]func(context.Context, []byte) ([]byte, error){
		"AuthorizerFunction":    called(gateway.Authorizer(guard.Decide, log)),
		"ListCustomersFunction": called(gateway.Handler(api.ListCustomers(env, r.store), log)),
		"GetCustomerFunction":   called(gateway.Handler(api.GetCustomer(env, r.store), log)),
		"GetMeFunction":         called(gateway.Handler(api.GetMe(env, r.store), log)),
		"GetUsageFunction":      called(gateway.Handler(api.GetUsage(env, r.store), log)),
	}
	served, err := apigateway.New(apigateway.Config{Template: written, Clock: clock, Invoke: func(ctx context.Context, function string, event []byte) ([]byte, error) {
		if functions[function] == nil {
			return nil, errors.New("no function " + function)
		}
		return functions[function](ctx, event)
	}})
	if err != nil {
		r.Fatal(err)
	}
	return served
}

// called is a handler as Lambda calls it: with JSON.
func called[In gateway.Asked | events.APIGatewayProxyRequest, Out any](handler func(context.Context, In) (Out, error)) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, event []byte) ([]byte, error) {
		var in In
		if err := json.Unmarshal(event, &in); err != nil {
			return nil, err
		}
		out, err := handler(ctx, in)
		if err != nil {
			return nil, &lambda.Failure{Type: "errorString", Message: err.Error()}
		}
		return json.Marshal(out)
	}
}
