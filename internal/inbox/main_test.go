package inbox_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"partnerview/internal/dev/local/bucket"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/inbox"
	"partnerview/internal/ledger"
	"partnerview/internal/objects"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

var engine dynamotest.Engine

func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }

// now is every test's clock for records.
var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const bucketName = "inbox-of-tests"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func etagOf(body []byte) string {
	sum := md5.Sum(body)
	return hex.EncodeToString(sum[:])
}

// stage is an inbox in a bucket and on tables of its own, with one customer, acme_retail.
type stage struct {
	*inbox.Inbox
	t   *testing.T
	s3  *s3.Client
	log *bytes.Buffer
}

func newStage(t *testing.T) *stage { return stageOn(t, engine.NewStore(t)) }

func stageOn(t *testing.T, store *dynamo.Store) *stage {
	t.Helper()
	server, err := bucket.Start(bucket.Config{Folder: t.TempDir(), Buckets: []string{bucketName}})
	must(t, err)
	t.Cleanup(func() { server.Stop(context.Background()) })
	files, err := objects.NewStore(func(name string) string { return map[string]string{"AWS_ENDPOINT_URL_S3": server.Endpoint}[name] })
	must(t, err)
	must(t, store.PutCustomer(t.Context(), directory.Customer{Account: "acme_retail", Name: "Acme", Products: usage.Products(), Currency: "EUR",
		Credit: directory.Credit{Mode: directory.Prepaid}, SubAccounts: []string{"acme_eu"}}))
	log := new(bytes.Buffer)
	return &stage{t: t, log: log, Inbox: &inbox.Inbox{Files: files, Store: store, Now: func() time.Time { return now }, Log: slog.New(slog.NewJSONHandler(log, nil))},
		s3: s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: &server.Endpoint, UsePathStyle: true, Credentials: aws.CredentialsProviderFunc(
			func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
			})})}
}

// put puts a file into the bucket, and is the state with which its import begins.
func (s *stage) put(key string, body []byte) inbox.State {
	s.t.Helper()
	must(s.t, s.Files.Put(s.t.Context(), bucketName, key, body))
	return s.begins(key, body)
}

// begins is the state with which the import of a file begins, each time of another execution.
func (s *stage) begins(key string, body []byte) inbox.State {
	return inbox.State{Bucket: bucketName, Key: key, ETag: etagOf(body), Size: int64(len(body)), Time: now, Step: inbox.StepImport,
		ID: ledger.NewID() + "_of-the-state-machine", Started: now}
}

// call makes one call, as the state machine does: as JSON.
func (s *stage) call(ctx context.Context, state inbox.State) (inbox.State, error) {
	s.t.Helper()
	answer, err := s.Call(ctx, overTheWire(s.t, state))
	return overTheWire(s.t, answer), err
}

func overTheWire(t *testing.T, state inbox.State) (arrived inbox.State) {
	t.Helper()
	text, err := json.Marshal(state)
	must(t, err)
	must(t, json.Unmarshal(text, &arrived))
	return arrived
}

// answer is what one call answers.
func (s *stage) answer(state inbox.State) inbox.State {
	s.t.Helper()
	answer, err := s.call(s.t.Context(), state)
	must(s.t, err)
	return answer
}

func hasEnded(o inbox.Outcome) bool {
	return slices.Contains([]inbox.Outcome{inbox.Done, inbox.Failed, inbox.Replaced}, o)
}

// keys are those of all objects, in order.
func (s *stage) keys() (keys []string) {
	s.t.Helper()
	out, err := s.s3.ListObjectsV2(s.t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucketName)})
	must(s.t, err)
	for _, o := range out.Contents {
		keys = append(keys, *o.Key)
	}
	return keys
}

// read is what an object holds.
func (s *stage) read(key string) []byte {
	s.t.Helper()
	out, err := s.s3.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucketName), Key: &key})
	must(s.t, err)
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	must(s.t, err)
	return text
}

// result is what results/ says of the last import of a file.
type result struct {
	ID, Outcome, File, Format, Account, Error string
	Bytes                                     int64
	SHA256                                    *string
	Calls, Unlisted                           int
	Counts                                    json.RawMessage
	Rejected                                  []string
	LoadedBefore                              *struct{ ID, Who string }
}

// result is what is told of the import that ended with an answer.
func (s *stage) result(of inbox.State) (r result) {
	s.t.Helper()
	id := s.entry(of).ID
	must(s.t, json.Unmarshal(s.read("results/"+of.Key+"."+id+".json"), &r))
	return r
}

// entry is what the ledger says of an import; it must say it once.
func (s *stage) entry(of inbox.State) (found ledger.Import) {
	s.t.Helper()
	for i, err := range operator.New(s.Store, s.Now).Imports(s.t.Context(), time.Time{}, false) {
		must(s.t, err)
		if i.Source == ledger.Source(of.Key) && i.SHA256 == of.SHA256 && i.Started.Equal(of.Started) && string(i.Counts) == string(of.Counts) {
			found = i
		}
	}
	if found.ID == "" {
		s.t.Fatalf("the ledger knows no import of %s with %s", of.Key, of.Counts)
	}
	return found
}

// records are those that are stored of a log, by id.
func (s *stage) records(product usage.Product) (ids []string) {
	s.t.Helper()
	page, err := s.Store.Log(s.t.Context(), usage.Log{Account: "acme_retail", Product: product}, usage.Query{Limit: 500, Now: now})
	must(s.t, err)
	for _, r := range page.Records {
		ids = append(ids, string(r.ID))
	}
	return ids
}

// ticking is a clock by which each look at it takes a while.
func ticking(step time.Duration) func() time.Time {
	at := time.Now()
	return func() time.Time {
		at = at.Add(step)
		return at
	}
}

// inTime gives each call its time, and makes calls until the import has ended.
func (s *stage) inTime(state inbox.State, whole time.Duration) (inbox.State, int) {
	s.t.Helper()
	for calls := 1; ; calls++ {
		ctx, cancel := context.WithDeadline(s.t.Context(), s.Clock().Add(whole))
		var err error
		state, err = s.call(ctx, state)
		cancel()
		must(s.t, err)
		if hasEnded(state.Outcome) {
			return state, calls
		}
		if calls == 200 {
			s.t.Fatal("it has not ended after 200 calls")
		}
	}
}

type ctx = context.Context

// leaseOf is somebody else's wish to write.
func leaseOf(what string) dynamo.LeaseWish { return dynamo.LeaseWish{What: what, Where: "host/1"} }

// entryOf is what the ledger says of an import that has not ended.
func (s *stage) entryOf(begins inbox.State) ledger.Import {
	s.t.Helper()
	for i, err := range operator.New(s.Store, s.Now).Imports(s.t.Context(), time.Time{}, false) {
		must(s.t, err)
		if i.Source == ledger.Source(begins.Key) && i.Started.Equal(begins.Started) {
			return i
		}
	}
	s.t.Fatalf("the ledger knows no import of %s", begins.Key)
	return ledger.Import{}
}
