package main

import (
	"encoding/json"
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
	d := &planDesk{desk: newDesk(t), gateway: &recorded{t: t, state: state}}
	text, err := os.ReadFile(filepath.Join(d.root, "cmd/partnerctl/testdata/controlplane.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		About     string
		Exchanges []exchange
	}
	decode(t, string(text), &file)
	d.gateway.exchanges = file.Exchanges
	d.store = dynamo.NewStore(engine.Client(t), d.tables)
	if err := d.store.PutPartner(t.Context(), directory.Partner{ID: "northwind", Name: "Northwind", Status: directory.Active}); err != nil {
		t.Fatal(err)
	}
	if state != "none" && state != "loose" {
		if err := d.store.PutGatewayKey(t.Context(), "northwind", directory.GatewayKey{ID: recordedKeyID, Value: recordedValue}); err != nil {
			t.Fatal(err)
		}
	}
	gateway := httptest.NewServer(d.gateway)
	t.Cleanup(gateway.Close)
	gateway.Config.SetKeepAlivesEnabled(false) // or net/http would ask a second time where an answer is lost
	stacks := map[string]map[string]string{
		"partnerview-prod": {"PartnersTable": d.tables.Partners, "BronzePlan": "b1plan", "SilverPlan": "s1plan", "GoldPlan": "g1plan"},
		"planless":         {"PartnersTable": d.tables.Partners},
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
	p, _, err := d.store.PartnerAndGrant(d.t.Context(), "northwind", "")
	if err != nil {
		d.t.Fatal(err)
	}
	return p.GatewayKey.Value.Reveal()
}
