package tracing

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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
	return context.WithValue(ctx, "x-amzn-trace-id", header) //nolint:staticcheck // the SDK reads a plain string key
}

const sampled = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

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
	buf := make([]byte, 65536)
	if err := daemon.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, _, err := daemon.ReadFrom(buf)
	if err != nil {
		t.Fatalf("no segment arrived: %v", err)
	}
	segment := string(buf[:n])
	for _, want := range []string{`"name":"DynamoDB"`, "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8", "GetItem"} {
		if !strings.Contains(segment, want) {
			t.Errorf("the segment lacks %s: %s", want, segment)
		}
	}
}
