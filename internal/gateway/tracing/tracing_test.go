package tracing

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/gateway"
)

// get asks an engine that always answers, as a function with the option would.
func get(t *testing.T, ctx context.Context, option func(*dynamodb.Options)) error {
	t.Helper()
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{"Item":{"pk":{"S":"x"}}}`)
	}))
	defer engine.Close()
	db := dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: &engine.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	}, option)
	_, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("t"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "x"}}})
	return err
}

func with(daemon string) func(string) string {
	return func(name string) string {
		if name == "AWS_XRAY_DAEMON_ADDRESS" {
			return daemon
		}
		return ""
	}
}

// traced is a context as aws-lambda-go makes it: the key is this very text.
func traced(ctx context.Context, header string) context.Context {
	//lint:ignore SA1029 the SDK reads a plain string key
	return context.WithValue(ctx, "x-amzn-trace-id", header)
}

const sampled = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

var allowed = directory.Decision{
	Viewer:  directory.Viewer{Identity: directory.Identity{Partner: "northwind"}, Account: "acme_retail"},
	Allowed: true,
}

func TestTracingNeverMakesARequestFail(t *testing.T) {
	contexts := map[string]context.Context{"no trace": t.Context()}
	for _, header := range []string{"", sampled, "Root=", ";;;", "Root=x;Parent=y;Sampled=?", strings.Repeat("Root=1;", 5000), "\x00\xff"} {
		contexts["trace "+header[:min(len(header), 20)]] = traced(t.Context(), header)
	}
	for _, daemon := range []string{"", "127.0.0.1:1", "udp:127.0.0.1:1 tcp:127.0.0.1:1", "not an address"} {
		option := DynamoDB(with(daemon))
		for claim, ctx := range contexts {
			if err := get(t, ctx, option); err != nil {
				t.Errorf("daemon %q, %s: %v", daemon, claim, err)
			}
		}
	}
}

func TestACallIsASubsegmentOfTheRequestsTrace(t *testing.T) {
	daemon, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	if err := get(t, traced(t.Context(), sampled), DynamoDB(with(daemon.LocalAddr().String()))); err != nil {
		t.Fatal(err)
	}
	segment := receive(t, daemon)
	for _, want := range []string{`"name":"DynamoDB"`, "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8", "GetItem"} {
		if !strings.Contains(segment, want) {
			t.Errorf("the segment lacks %s: %s", want, segment)
		}
	}
}

// receive is what the daemon gets next.
func receive(t *testing.T, daemon net.PacketConn) string {
	t.Helper()
	buf := make([]byte, 65536)
	if err := daemon.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, _, err := daemon.ReadFrom(buf)
	if err != nil {
		t.Fatalf("no segment arrived: %v", err)
	}
	return string(buf[:n])
}

// Traces are found by their annotations, so both the endpoint's and the
// authorizer's bear them, with the calls to DynamoDB below.
func TestARequestsTraceIsFoundByPartnerAndAccount(t *testing.T) {
	daemon, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	getenv := with(daemon.LocalAddr().String())
	option := DynamoDB(getenv)
	asked := func(segment string) {
		t.Helper()
		for _, want := range []string{`"partner":"northwind"`, `"account":"acme_retail"`, "1-5759e988-bd862e3fe1be46a994272793"} {
			if !strings.Contains(segment, want) {
				t.Errorf("the segment lacks %s: %s", want, segment)
			}
		}
		if !regexp.MustCompile(`"subsegments":\[.*"name":"DynamoDB"`).MatchString(segment) {
			t.Errorf("the call to DynamoDB is not below the request: %s", segment)
		}
	}
	h := Requests(getenv, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := get(t, r.Context(), option); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusOK)
	}))
	event := events.APIGatewayProxyRequest{Resource: "/customers", HTTPMethod: "GET", RequestContext: events.APIGatewayProxyRequestContext{
		Authorizer: map[string]any{"partnerId": "northwind", "keyId": "k1", "narrowed": "no", "accountId": "acme_retail", "products": "sms"},
	}}
	if _, err := gateway.Handler(h, slog.New(slog.DiscardHandler))(traced(t.Context(), sampled), event); err != nil {
		t.Fatal(err)
	}
	asked(receive(t, daemon))

	decide := Decisions(getenv, func(ctx context.Context, _ string, _ *string) (directory.Decision, error) {
		return allowed, get(t, ctx, option)
	})
	if d, err := decide(traced(t.Context(), sampled), "", nil); err != nil || !d.Allowed {
		t.Fatalf("got %+v, %v", d, err)
	}
	asked(receive(t, daemon))
}

func TestTracingLeavesRequestsWithoutATraceAlone(t *testing.T) {
	for _, daemon := range []string{"", "127.0.0.1:1"} {
		for _, ctx := range []context.Context{t.Context(), traced(t.Context(), ""), traced(t.Context(), ";;;"), traced(t.Context(), sampled)} {
			w := httptest.NewRecorder()
			Requests(with(daemon), http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
			if w.Code != http.StatusNotFound {
				t.Errorf("daemon %q: %d", daemon, w.Code)
			}
			decide := Decisions(with(daemon), func(context.Context, string, *string) (directory.Decision, error) {
				return allowed, nil
			})
			if d, err := decide(ctx, "", nil); d.Partner != "northwind" || !d.Allowed || err != nil {
				t.Errorf("daemon %q: %+v, %v", daemon, d, err)
			}
		}
	}
}
