package dynamo_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/dynamo"
)

// secureEngine answers as DynamoDB's endpoint does, by TLS, and counts its connections.
type secureEngine struct {
	*httptest.Server
	connections atomic.Int64
	mu          sync.Mutex
	asked       []string // method, and the operation of a call
}

func newSecureEngine(t *testing.T, answer http.HandlerFunc) *secureEngine {
	t.Helper()
	e := new(secureEngine)
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.asked = append(e.asked, r.Method+" "+r.Header.Get("X-Amz-Target")+r.Header.Get("Authorization")[:min(4, len(r.Header.Get("Authorization")))])
		e.mu.Unlock()
		answer(w, r)
	}))
	e.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			e.connections.Add(1)
		}
	}
	e.StartTLS()
	t.Cleanup(func() { e.CloseClientConnections(); e.Close() })
	return e
}

func (e *secureEngine) client(t *testing.T) *dynamodb.Client {
	t.Helper()
	db, err := dynamo.NewClient(func(name string) string { return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": e.URL}[name] },
		func(o *dynamodb.Options) { o.HTTPClient = e.Client() })
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// What the first request would wait for is done when it comes: it finds a connection.
func TestTheFirstCallOfAPrimedClientFindsAConnection(t *testing.T) {
	e := newSecureEngine(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_, _ = io.WriteString(w, `{"Item":{"pk":{"S":"x"}}}`)
			return
		}
		_, _ = io.WriteString(w, "healthy: dynamodb.eu-central-1.amazonaws.com ")
	})
	db := e.client(t)
	<-dynamo.Prime(t.Context(), db)
	if got := e.connections.Load(); got != 1 || len(e.asked) != 1 || e.asked[0] != "GET " {
		t.Fatalf("primed by %d connections, and %q", got, e.asked)
	}
	if _, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("t")}); err != nil {
		t.Fatal(err)
	}
	if got := e.connections.Load(); got != 1 {
		t.Errorf("the first call opened a connection of its own: %d", got)
	}
}

// A start neither fails nor waits for an endpoint that does not answer as it should.
func TestPrimingNeverFailsAndEndsInItsTime(t *testing.T) {
	for claim, answer := range map[string]http.HandlerFunc{
		"an endpoint that is silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"one that hangs up":          func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"one that refuses":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"one that never ends": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		},
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			e := newSecureEngine(t, answer)
			begun := time.Now()
			select {
			case <-dynamo.Prime(t.Context(), e.client(t)):
			case <-time.After(5 * time.Second):
				t.Fatal("it does not end")
			}
			if took := time.Since(begun); took > dynamo.PrimeTime+2*time.Second { // on a machine that is loaded
				t.Errorf("it took %s", took)
			}
		})
	}
}

// On an engine without TLS there is nothing to prime: nobody is asked.
func TestAnEngineWithoutTLSIsNotPrimed(t *testing.T) {
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	defer server.Close()
	db, err := dynamo.NewClient(func(name string) string { return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": server.URL}[name] })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	select {
	case <-dynamo.Prime(ctx, db):
	default:
		t.Error("somebody has to wait for it")
	}
	select {
	case <-asked:
		t.Error("the engine is asked")
	case <-time.After(50 * time.Millisecond):
	}
}

// Where no endpoint is set, AWS's own of the region is the one that calls go to.
func TestTheEndpointOfARegionIsPrimed(t *testing.T) {
	db, err := dynamo.NewClient(func(name string) string {
		return map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	if url, secure := dynamo.EndpointOf(t.Context(), db); url != "https://dynamodb.eu-central-1.amazonaws.com" || !secure {
		t.Errorf("primed is %s (by TLS: %v)", url, secure)
	}
}
