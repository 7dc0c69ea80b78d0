package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
)

func TestAPartnerIsPutIntoAPlanMovedAndTakenOut(t *testing.T) {
	d := newPlanDesk(t, "none")
	for _, step := range []struct {
		plan, says, state string
		calls             []string
	}{
		{"bronze", "northwind: none → bronze\n", "bronze", []string{"GET /apikeys", "POST /apikeys", "GET /usageplans", "POST /usageplans/b1plan/keys"}},
		{"bronze", "northwind: bronze → bronze\n", "bronze", []string{"GET /apikeys/" + recordedKeyID, "GET /usageplans"}},
		{"silver", "northwind: bronze → silver\n", "silver", []string{"GET /apikeys/" + recordedKeyID, "GET /usageplans", "DELETE /usageplans/b1plan/keys/" + recordedKeyID, "POST /usageplans/s1plan/keys"}},
		{"none", "northwind: silver → none\nWhere plans are enforced, it gets 503 until it is put into one.\n", "none",
			[]string{"GET /apikeys/" + recordedKeyID, "GET /usageplans", "DELETE /usageplans/s1plan/keys/" + recordedKeyID, "DELETE /apikeys/" + recordedKeyID}},
		{"none", "northwind: none → none\nWhere plans are enforced, it gets 503 until it is put into one.\n", "none", []string{"GET /apikeys"}},
	} {
		d.gateway.calls = nil
		r := d.setPlan(step.plan)
		if r.code != 0 || r.out != step.says || r.errOut != "" {
			t.Errorf("%s: exit code %d, it says %q, %q", step.plan, r.code, r.out, r.errOut)
		}
		if diff := cmp.Diff(step.calls, d.gateway.calls); diff != "" || d.gateway.state != step.state {
			t.Errorf("%s: the key is then %s; calls (-want +got):\n%s", step.plan, d.gateway.state, diff)
		}
		want := recordedValue
		if step.plan == "none" {
			want = ""
		}
		if got := d.kept(); got != want {
			t.Errorf("%s: kept is %q, want %q", step.plan, got, want)
		}
	}
	noted := d.history("--stack", "partnerview-prod")
	if len(noted) != 5 || noted[2].Command != "partner set-plan" || noted[2].Text != "change partner northwind (plan: bronze → silver)" {
		t.Errorf("the history is %+v", noted)
	}
	if text := d.ledgerText(); strings.Contains(text, recordedValue) || strings.Contains(text, recordedKeyID) {
		t.Errorf("the ledger tells of the key: %s", text)
	}
}

func TestSetPlanForPrograms(t *testing.T) {
	d := newPlanDesk(t, "none")
	for plan, want := range map[string]string{"bronze": `"plan": "bronze",`, "none": `"plan": null,`} {
		d.setPlan("bronze")
		r := d.setPlan(plan, "--output", "json")
		var got setPlan
		decode(t, r.out, &got)
		if !strings.Contains(r.out, want) || got.PartnerID != "northwind" || got.PreviousPlan == nil || *got.PreviousPlan != "bronze" {
			t.Errorf("it is %s", r.out)
		}
	}
}

// Whatever call an interruption falls on, and whether it came through or not: a
// key that the authorizer could name is in a plan or refused, no second one is
// made (that call is not among the recorded), and the command, run again, does the rest.
func TestSetPlanMayBeInterruptedAtEveryCall(t *testing.T) {
	d := newPlanDesk(t, "none")
	for _, c := range []struct {
		from, plan string
		calls      int
	}{{"none", "bronze", 4}, {"bronze", "silver", 4}, {"silver", "silver", 2}, {"bronze", "none", 4}} {
		for call := 1; call <= c.calls; call++ {
			for _, lost := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s to %s, call %d, lost %v", c.from, c.plan, call, lost), func(t *testing.T) {
					d.reset(t, c.from)
					d.gateway.interrupted, d.gateway.lost = call, lost
					if r := d.setPlan(c.plan); r.code != 1 || len(d.gateway.calls) != call {
						t.Fatalf("exit code %d after %v: %s", r.code, d.gateway.calls, r.errOut)
					}
					if c.from == "none" && d.kept() != "" {
						t.Error("a key is kept that may be in no plan")
					}
					if c.from != "none" && c.plan != "none" && d.kept() != recordedValue {
						t.Error("the partner's key is forgotten while it moves")
					}
					d.gateway.interrupted = 0
					if r := d.setPlan(c.plan); r.code != 0 {
						t.Fatalf("run again: exit code %d: %s", r.code, r.errOut)
					}
					want := recordedValue
					if c.plan == "none" {
						want = ""
					}
					if d.gateway.state != c.plan || d.kept() != want {
						t.Errorf("run again, the key is %s, and kept is %q", d.gateway.state, d.kept())
					}
				})
			}
		}
	}
}

// One answer that gets lost on the way is no matter: the call is made again, and
// finds done what it wants to do. Only a key is not made again.
func TestALostAnswerIsAskedForAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	var all sync.WaitGroup // all at once: the SDK waits before it asks again
	for _, c := range []struct {
		from, plan string
		call       int
		again      bool // whether the command must be run again
	}{
		{"none", "bronze", 1, false}, {"none", "bronze", 2, true}, {"none", "bronze", 3, false}, {"none", "bronze", 4, false},
		{"bronze", "silver", 3, false}, {"bronze", "silver", 4, false}, {"bronze", "none", 3, false}, {"bronze", "none", 4, false},
	} {
		all.Go(func() {
			t.Run(fmt.Sprintf("%s to %s, call %d", c.from, c.plan, c.call), func(t *testing.T) {
				d := newPlanDeskApart(t, c.from)
				d.env = append(d.env, "AWS_MAX_ATTEMPTS=2")
				d.gateway.interrupt(c.call)
				r := d.setPlan(c.plan)
				if c.again {
					if calls, _ := d.gateway.seen(); r.code != 1 || len(calls) != c.call {
						t.Fatalf("exit code %d after %v", r.code, calls)
					}
					r = d.setPlan(c.plan)
				}
				if calls, state := d.gateway.seen(); r.code != 0 || state != c.plan {
					t.Errorf("exit code %d after %v, the key is %s: %s", r.code, calls, state, r.errOut)
				}
			})
		})
	}
	all.Wait()
}

// What somebody deleted or changed by hand is mended by the same command.
func TestSetPlanMendsWhatWasChangedByHand(t *testing.T) {
	for claim, hand := range map[string]func(*planDesk) error{
		"the key was deleted":      func(d *planDesk) error { d.gateway.state = "none"; return nil },
		"the key was taken out":    func(d *planDesk) error { d.gateway.state = "loose"; return nil },
		"the table forgot the key": func(d *planDesk) error { return d.store.DeleteGatewayKey(d.t.Context(), "northwind") },
		"the table holds another's value": func(d *planDesk) error {
			return d.store.PutGatewayKey(d.t.Context(), "northwind", directory.GatewayKey{ID: recordedKeyID, Value: "another"})
		},
	} {
		t.Run(claim, func(t *testing.T) {
			d := newPlanDesk(t, "bronze")
			check(t, hand(d))
			if r := d.setPlan("bronze"); r.code != 0 || d.gateway.state != "bronze" || d.kept() != recordedValue {
				t.Errorf("exit code %d %s; the key is %s, and kept is %q", r.code, r.errOut, d.gateway.state, d.kept())
			}
		})
	}
}

// A directory file says nothing of plans.
func TestApplyLeavesAPartnersPlan(t *testing.T) {
	d := newPlanDesk(t, "none")
	d.setPlan("bronze")
	env := d.env
	d.env = []string{"DYNAMODB_ENDPOINT=" + engine.Endpoint(t), "PARTNERS_TABLE=" + d.tables.Partners, "CUSTOMERS_TABLE=" + d.tables.Customers, "PRICELISTS_TABLE=" + d.tables.PriceLists, "USAGE_TABLE=" + d.tables.Usage, "TOTALS_TABLE=" + d.tables.Totals, "LEDGER_TABLE=" + d.tables.Ledger}
	d.must("apply", "-f", d.write("directory.yaml", directoryFile))
	d.must("apply", "-f", d.write("renamed.yaml", "partners: [{id: northwind, name: North, status: suspended}]"))
	for _, args := range [][]string{{"apply", "-f", "directory.yaml", "-o", "json"}, {"key", "create", "--partner", "northwind", "-o", "json"}, {"key", "list", "--partner", "northwind", "-o", "json"}} {
		d.said.WriteString(d.must(args...))
	}
	d.env = env
	if d.kept() != recordedValue {
		t.Errorf("after apply, kept is %q: the partner would not be counted", d.kept())
	}
}

func TestSetPlanIsRefusedWithTheWayOut(t *testing.T) {
	d := newPlanDesk(t, "none")
	d.run("partner", "set-plan", "northwind", "bronze").fails(t, 2, "--stack NAME")
	d.run("partner", "set-plan", "northwind", "platinum", "--stack", "partnerview-prod").fails(t, 2, "platinum")
	d.run("partner", "set-plan", "northwind", "--stack", "partnerview-prod").fails(t, 2, "<PLAN>")
	d.run("partner", "set-plan", "northwind", "bronze", "--stack", "planless").fails(t, 1, "the stack planless has no usage plans", "UsagePlans=prepared")
	d.run("partner", "set-plan", "nobody", "bronze", "--stack", "partnerview-prod").fails(t, 1, noPartner)
	d.run("partner", "set-plan", "nobody", "none", "--stack", "partnerview-prod").fails(t, 1, noPartner)
	if len(d.gateway.calls) > 0 {
		t.Errorf("API Gateway was asked %v", d.gateway.calls)
	}
}

// exchange is a call that was recorded of API Gateway's control plane.
type exchange struct {
	When    []string // the states of the partner's key in which it is answered so
	Request struct {
		Method, Path string
		Query        map[string]string
		Body         any
	}
	Response struct {
		Status int
		Error  string // x-amzn-ErrorType
		Body   any
	}
	Then string // the key's state after; empty: the same
}

// exchangesOf reads what was recorded.
func exchangesOf(t *testing.T, root string) []exchange {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "cmd/partnerctl/testdata/controlplane.json"))
	check(t, err)
	var file struct {
		About     string
		Exchanges []exchange
	}
	decode(t, string(text), &file)
	return file.Exchanges
}

// recorded plays the exchanges, and fails the test for any other call.
type recorded struct {
	t         *testing.T
	exchanges []exchange

	mu    sync.Mutex
	state string   // of the key: "none", "loose", or the plan that it is in
	calls []string // "POST /apikeys"

	// The call that is interrupted, from 1; 0: none. The command does not learn
	// what came of it, and neither that call nor any after it is answered.
	interrupted int
	lost        bool // whether the interrupted call did not arrive either
	once        bool // whether the calls after it are answered
}

// interrupt interrupts a call, once. It and seen hold the lock, since a command that is
// a process of its own shares nothing else with the test.
func (r *recorded) interrupt(call int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.interrupted, r.once = call, true
}

// seen are the calls until now, and what state the key is in.
func (r *recorded) seen() (calls []string, state string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls), r.state
}

func (r *recorded) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	raw, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	var body any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &body); err != nil {
			r.t.Errorf("%s %s sends %s", request.Method, request.URL, raw)
		}
	}
	query := make(map[string]string)
	for name := range request.URL.Query() {
		query[name] = request.URL.Query().Get(name)
	}
	if len(query) == 0 {
		query = nil
	}
	if !strings.Contains(request.Header.Get("Authorization"), "/eu-central-1/apigateway/aws4_request") {
		r.t.Errorf("%s %s is not signed for API Gateway", request.Method, request.URL)
	}
	at := slices.IndexFunc(r.exchanges, func(e exchange) bool {
		return slices.Contains(e.When, r.state) && e.Request.Method == request.Method && e.Request.Path == request.URL.Path &&
			cmp.Equal(e.Request.Query, query) && cmp.Equal(e.Request.Body, body)
	})
	if at < 0 {
		r.t.Errorf("unexpected, when the key is %s: %s %s %s", r.state, request.Method, request.URL, raw)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	r.calls = append(r.calls, request.Method+" "+request.URL.Path)
	cut := r.interrupted > 0 && (len(r.calls) == r.interrupted || len(r.calls) > r.interrupted && !r.once)
	e := r.exchanges[at]
	if arrives := !cut || !r.lost && len(r.calls) == r.interrupted; arrives && e.Then != "" {
		r.state = e.Then
	}
	if cut {
		panic(http.ErrAbortHandler) // the connection ends without an answer
	}
	w.Header().Set("Content-Type", "application/json")
	if e.Response.Error != "" {
		w.Header().Set("X-Amzn-Errortype", e.Response.Error)
	}
	w.WriteHeader(e.Response.Status)
	if e.Response.Body != nil {
		if err := json.NewEncoder(w).Encode(e.Response.Body); err != nil {
			r.t.Error(err)
		}
	}
}

const (
	recordedKeyID = "q8ur6g2yx4"
	recordedValue = "aVeRySeCrEtCaNaRyVaLuE0123456789abcdefgh"
)

// planDesk is a desk with a deployed stack that has plans, and a partner.
type planDesk struct {
	*desk
	gateway *recorded
	store   *dynamo.Store
	said    strings.Builder
}

func newPlanDesk(t *testing.T, state string) *planDesk {
	t.Helper()
	d := newPlanDeskApart(t, state)
	d.sit()
	return d
}

// newPlanDeskApart is one whose commands run in processes of their own.
func newPlanDeskApart(t *testing.T, state string) *planDesk {
	t.Helper()
	d := &planDesk{desk: newDeskApart(t), gateway: &recorded{t: t}}
	d.gateway.exchanges = exchangesOf(t, d.root)
	d.store = dynamo.NewStore(engine.Client(t), d.tables)
	check(t, d.store.PutPartner(t.Context(), directory.Partner{ID: "northwind", Name: "Northwind", Status: directory.Active}))
	d.reset(t, state)
	gateway := httptest.NewServer(d.gateway)
	t.Cleanup(gateway.Close)
	gateway.Config.SetKeepAlivesEnabled(false) // or net/http would ask a second time where an answer is lost
	stacks := map[string]map[string]string{
		"partnerview-prod": {"PartnersTable": d.tables.Partners, "LedgerTable": d.tables.Ledger, "BronzePlan": "b1plan", "SilverPlan": "s1plan", "GoldPlan": "g1plan"},
		"planless":         {"PartnersTable": d.tables.Partners, "LedgerTable": d.tables.Ledger},
	}
	d.env = []string{
		"AWS_ENDPOINT_URL_CLOUDFORMATION=" + serveStacks(t, stacks), "AWS_ENDPOINT_URL_API_GATEWAY=" + gateway.URL, "AWS_MAX_ATTEMPTS=1",
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL_DYNAMODB=" + engine.Endpoint(t),
	}
	t.Cleanup(func() {
		if strings.Contains(d.said.String(), recordedValue) {
			t.Errorf("the key's value is told:\n%s", d.said.String())
		}
	})
	return d
}

// reset brings the partner's key to a state, as if no command had been typed yet.
func (d *planDesk) reset(t *testing.T, state string) {
	t.Helper()
	d.t = t
	d.gateway.calls, d.gateway.state, d.gateway.interrupted = nil, state, 0
	err := d.store.DeleteGatewayKey(t.Context(), "northwind")
	if state != "none" && state != "loose" {
		err = d.store.PutGatewayKey(t.Context(), "northwind", directory.GatewayKey{ID: recordedKeyID, Value: recordedValue})
	}
	check(t, err)
}

// setPlan types the command, and keeps what it said.
func (d *planDesk) setPlan(plan string, more ...string) result {
	d.t.Helper()
	r := d.run(append([]string{"partner", "set-plan", "northwind", plan, "--stack", "partnerview-prod"}, more...)...)
	d.said.WriteString(r.out + r.errOut)
	d.gateway.mu.Lock() // what it noted may be read now
	defer d.gateway.mu.Unlock()
	return r
}

// kept is what the authorizer would name to the gateway.
func (d *planDesk) kept() string {
	d.t.Helper()
	stands, err := d.store.Standing(d.t.Context(), "northwind", "", "")
	check(d.t, err)
	return stands.Partner.GatewayKey.Value.Reveal()
}
