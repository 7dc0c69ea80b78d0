package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/contract"
	"partnerview/internal/testkit/output"
)

// The real binaries, the template's plans, the partners of the sample data: a
// partner that floods is held back, and another does not notice.
func TestABronzePartnerThatFloodsIsHeldBackAndNobodyElseNotices(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "")
	path := filepath.Join(t.TempDir(), "ready.json")
	c := begin(t, "--listen", "127.0.0.1:0", "--ready-file", path, "--records", "200", "--now", "2026-11-20T12:00:00Z", "--logs", "--parameter", "AuthorizerTtlSeconds=0",
		"--parameter", "UsagePlans=true", "--parameter", "BronzeRate=1", "--parameter", "BronzeBurst=10", "--parameter", "SilverRate=1000", "--parameter", "SilverBurst=1000")
	var ready struct {
		readyFile
		Partners []demoPartner
	}
	if err := json.Unmarshal(c.serves(t, path), &ready); err != nil {
		t.Fatal(err)
	}
	caller := newCaller(t, ready.BaseURL)
	if len(ready.Partners) < 2 || ready.Partners[0].Plan != directory.Bronze || ready.Partners[1].Plan != directory.Silver {
		t.Fatalf("the partners are %+v", ready.Partners)
	}
	bronze, silver := ready.Partners[0], ready.Partners[1]

	// The flood goes on for as long as the other partner asks.
	over := make(chan struct{})
	var flood sync.WaitGroup
	var floods [4][]answered
	for i := range floods {
		flood.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					floods[i] = append(floods[i], caller.ask(bronze.Key, "/customers"))
				}
			}
		})
	}
	var quiet []answered
	for len(quiet) < 60 {
		quiet = append(quiet, caller.ask(silver.Key, "/customers"))
	}
	close(over)
	flood.Wait()

	for _, a := range quiet {
		if a.status != 200 {
			t.Fatalf("the partner that does not flood gets %+v", a)
		}
	}
	count := make(map[int]int)
	for _, a := range slices.Concat(floods[:]...) {
		count[a.status]++
		if a.status == 429 && (a.code != "too_many_requests" || a.header.Get("Retry-After") != "1" || a.header.Get("Content-Type") != "application/problem+json") {
			t.Fatalf("the partner that floods gets %+v", a)
		}
	}
	if count[200] < 10 || count[429] < 10 || len(count) != 2 {
		t.Errorf("the partner that floods gets %v: want a burst of 10, then 429", count)
	}

	// A partner that nobody put into a plan: it is not let through, and not told that it is to blame.
	db, err := dynamo.NewClient(func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": ready.DynamodbEndpoint}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	store := dynamo.NewStore(db, dynamo.Tables{Partners: ready.Tables["Partners"]})
	if err := store.DeleteGatewayKey(t.Context(), silver.ID); err != nil {
		t.Fatal(err)
	}
	if a := caller.ask(silver.Key, "/customers"); a.status != 503 || a.code != "unavailable" || a.header.Get("Retry-After") != "2" {
		t.Errorf("a partner without a plan gets %+v", a)
	}
	if status := get(t, ready.BaseURL+"/", "Bearer "+silver.Key); status != 200 {
		t.Errorf("the page, which nobody counts, is answered with %d", status)
	}
	mend := fmt.Sprintf("partner %s has no usage plan: partnerctl partner set-plan %[1]s", silver.ID)
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(c.stderr.String(), mend) && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	if log := c.stderr.String(); !strings.Contains(log, mend) || !strings.Contains(log, " 429 ") || !strings.Contains(log, "THROTTLED") {
		t.Errorf("the logs do not say %q, or what was throttled:\n%s", mend, log)
	}
	if said := c.stdout.String() + c.stderr.String() + caller.said.String(); strings.Contains(said, "BronzePlan.") || strings.Contains(said, "SilverPlan.") {
		t.Error("a gateway key is told: in an answer, a log, or what is printed")
	}
}

type answered struct {
	status int
	code   string
	header http.Header
}

// caller asks the product, and holds each answer against openapi.yaml.
type caller struct {
	t    *testing.T
	base string
	spec *contract.Spec
	said output.Buffer // all that was answered
}

func newCaller(t *testing.T, base string) *caller {
	spec, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return &caller{t: t, base: base, spec: spec}
}

func (c *caller) ask(key, path string) answered {
	r, err := http.NewRequest(http.MethodGet, c.base+path, nil)
	if err != nil {
		c.t.Error(err)
		return answered{}
	}
	r.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Error(err)
		return answered{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Error(err)
	}
	if err := c.spec.CheckAnswer(r.Method, r.URL.EscapedPath(), response.StatusCode, response.Header, body); err != nil {
		c.t.Errorf("%s breaks openapi.yaml: %v", path, err)
	}
	fmt.Fprintf(&c.said, "%v%s", response.Header, body)
	var problem struct{ Code string }
	if response.StatusCode >= 400 {
		if err := json.Unmarshal(body, &problem); err != nil {
			c.t.Errorf("%s: %d %s is no problem", path, response.StatusCode, body)
		}
	}
	return answered{response.StatusCode, problem.Code, response.Header}
}
