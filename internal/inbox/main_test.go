package inbox_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/inbox"
	"partnerview/internal/objects"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

var engine dynamotest.Engine

func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }

// now is every test's clock for records.
var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bucket keeps objects in memory, by their keys.
type bucket struct {
	mu   sync.Mutex
	held map[string][]byte
}

func etagOf(body []byte) string {
	sum := md5.Sum(body)
	return hex.EncodeToString(sum[:])
}

func (b *bucket) is(key, etag string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, there := b.held[key]
	switch {
	case !there:
		return nil, fault.New(fault.NotFound, "read an object", nil)
	case etagOf(body) != etag:
		return nil, objects.ErrReplaced
	}
	return body, nil
}

func (b *bucket) Open(_ context.Context, _, key, etag string) (io.ReadCloser, error) {
	body, err := b.is(key, etag)
	return io.NopCloser(bytes.NewReader(body)), err
}

func (b *bucket) Put(_ context.Context, _, key string, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held[key] = bytes.Clone(body)
	return nil
}

func (b *bucket) Move(ctx context.Context, in, key, etag, to string) error {
	body, err := b.is(key, etag)
	if err != nil {
		return err
	}
	if err := b.Put(ctx, in, to, body); err != nil {
		return err
	}
	return b.Delete(ctx, in, key, etag)
}

func (b *bucket) Delete(_ context.Context, _, key, etag string) error {
	if _, err := b.is(key, etag); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.held, key)
	return nil
}

// keys are those of all objects, in order.
func (b *bucket) keys() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.held))
}

// stage is an inbox on tables of its own, with one customer, acme_retail.
type stage struct {
	*inbox.Inbox
	t     *testing.T
	files *bucket
	log   *bytes.Buffer
}

func newStage(t *testing.T) *stage { return stageOn(t, engine.NewStore(t)) }

func stageOn(t *testing.T, store *dynamo.Store) *stage {
	t.Helper()
	files, log := &bucket{held: map[string][]byte{}}, new(bytes.Buffer)
	must(t, store.PutCustomer(t.Context(), directory.Customer{Account: "acme_retail", Name: "Acme", Products: usage.Products(), Currency: "EUR",
		Credit: directory.Credit{Mode: directory.Prepaid}, SubAccounts: []string{"acme_eu"}}))
	return &stage{t: t, files: files, log: log, Inbox: &inbox.Inbox{Files: files, Store: store, Now: func() time.Time { return now },
		Log: slog.New(slog.NewJSONHandler(log, nil))}}
}

// put puts a file into the bucket, and is the state with which its import begins.
func (s *stage) put(key string, body []byte) inbox.State {
	s.t.Helper()
	must(s.t, s.files.Put(s.t.Context(), "inbox", key, body))
	return inbox.State{Bucket: "inbox", Key: key, ETag: etagOf(body), Size: int64(len(body)), Time: now, Step: inbox.StepImport,
		ID: key + "/execution-" + etagOf(body)[:8], Started: time.Now().UTC().Truncate(time.Millisecond)}
}

// call makes one call, as the state machine does: as JSON.
func (s *stage) call(ctx context.Context, state inbox.State) (inbox.State, error) {
	s.t.Helper()
	return s.Call(ctx, overTheWire(s.t, state))
}

func overTheWire(t *testing.T, state inbox.State) (arrived inbox.State) {
	t.Helper()
	text, err := json.Marshal(state)
	must(t, err)
	must(t, json.Unmarshal(text, &arrived))
	return arrived
}

// run makes calls until the import has ended.
func (s *stage) run(state inbox.State) inbox.State {
	s.t.Helper()
	for range 100 {
		var err error
		state, err = s.call(s.t.Context(), state)
		must(s.t, err)
		switch state.Outcome {
		case inbox.Done, inbox.Failed, inbox.Replaced:
			return state
		}
	}
	s.t.Fatal("it has not ended after a hundred calls")
	return state
}

// result is what results/ says of the one import of a file.
func (s *stage) result(key string) (result map[string]any) {
	s.t.Helper()
	for _, name := range s.files.keys() {
		if strings.HasPrefix(name, "results/"+key+".") && strings.HasSuffix(name, ".json") {
			if result != nil {
				s.t.Fatalf("there are two results of %s", key)
			}
			must(s.t, json.Unmarshal(s.files.held[name], &result))
		}
	}
	if result == nil {
		s.t.Fatalf("there is no result of %s among %v", key, s.files.keys())
	}
	return result
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
