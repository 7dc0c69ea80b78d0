package objects_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"partnerview/internal/dev/local/bucket"
	"partnerview/internal/fault"
	"partnerview/internal/objects"
)

const inbox = "inbox-of-tests"

// stage is a store on a bucket of its own, with a proxy between that may meddle.
type stage struct {
	*objects.Store
	t      *testing.T
	meddle atomic.Pointer[func(http.ResponseWriter, *http.Request, http.Handler)]
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t}
	server, err := bucket.Start(bucket.Config{Folder: t.TempDir(), Buckets: []string{inbox}})
	must(t, err)
	t.Cleanup(func() { server.Stop(context.Background()) })
	to, err := url.Parse(server.Endpoint)
	must(t, err)
	relay := httputil.NewSingleHostReverseProxy(to)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if meddle := s.meddle.Load(); meddle != nil {
			(*meddle)(w, r, relay)
			return
		}
		relay.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	s.Store = store(t, map[string]string{"AWS_ENDPOINT_URL_S3": proxy.URL})
	return s
}

func store(t *testing.T, env map[string]string) *objects.Store {
	t.Helper()
	s, err := objects.NewStore(func(name string) string { return env[name] })
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes an object, and is its ETag as an event tells it.
func (s *stage) put(key, text string) (etag string) {
	s.t.Helper()
	must(s.t, s.Put(s.t.Context(), inbox, key, []byte(text)))
	return etagOf(text)
}

func (s *stage) read(key, etag string) (string, error) {
	r, err := s.Open(s.t.Context(), inbox, key, etag)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), errors.Join(err, r.Close())
}

func etagOf(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestAnObjectIsReadAsTheOneThatIsMeant(t *testing.T) {
	s := newStage(t)
	key := "connect-sms-csv/account=a&b/a file+1.csv"
	etag := s.put(key, "hello")
	for _, quoted := range []string{etag, `"` + etag + `"`} {
		if text, err := s.read(key, quoted); text != "hello" || err != nil {
			t.Errorf("read %q, %v", text, err)
		}
	}
	s.put(key, "another")
	if _, err := s.read(key, etag); !errors.Is(err, objects.ErrReplaced) {
		t.Errorf("the former: %v", err)
	}
	if _, err := s.read("native/none", etag); !fault.Is(err, fault.NotFound) {
		t.Errorf("none: %v", err)
	}
}

func TestAnEmptyObjectIsRead(t *testing.T) {
	s := newStage(t)
	if text, err := s.read("native/x", s.put("native/x", "")); text != "" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
}

// cutting ends answers to GET after so many bytes, the first times that it is asked.
func (s *stage) cutting(bytes int64, times int32) *atomic.Int32 {
	var asked atomic.Int32
	f := func(w http.ResponseWriter, r *http.Request, relay http.Handler) {
		if r.Method == http.MethodGet && asked.Add(1) <= times {
			w = &cut{w, bytes}
			defer panic(http.ErrAbortHandler)
		}
		relay.ServeHTTP(w, r)
	}
	s.meddle.Store(&f)
	return &asked
}

type cut struct {
	http.ResponseWriter
	left int64
}

func (c *cut) Write(p []byte) (int, error) {
	n := min(int64(len(p)), c.left)
	c.left -= n
	if _, err := c.ResponseWriter.Write(p[:n]); err != nil {
		return 0, err
	}
	c.ResponseWriter.(http.Flusher).Flush()
	return len(p), nil
}

func TestAConnectionThatBreaksIsMadeAnewWhereItWas(t *testing.T) {
	s := newStage(t)
	var text strings.Builder
	for n := range 200_000 {
		fmt.Fprintf(&text, "%06d\n", n)
	}
	etag := s.put("native/x", text.String())
	asked := s.cutting(100_000, 4)
	got, err := s.read("native/x", etag)
	if got != text.String() || err != nil {
		t.Errorf("%d bytes of %d, %v", len(got), text.Len(), err)
	}
	if n := asked.Load(); n != 5 {
		t.Errorf("it was asked for %d times", n)
	}
}

func TestAFileThatIsReplacedWhileItsConnectionIsBrokenIsNotReadOn(t *testing.T) {
	s := newStage(t)
	etag := s.put("native/x", strings.Repeat("old ", 100_000))
	f := func(w http.ResponseWriter, r *http.Request, relay http.Handler) {
		s.meddle.Store(nil)
		relay.ServeHTTP(&cut{w, 1000}, r)
		s.put("native/x", strings.Repeat("new ", 100_000))
		panic(http.ErrAbortHandler)
	}
	s.meddle.Store(&f)
	got, err := s.read("native/x", etag)
	if !errors.Is(err, objects.ErrReplaced) || strings.Contains(got, "new") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestAConnectionThatBreaksAgainAndAgainIsAFailureThatMayPass(t *testing.T) {
	s := newStage(t)
	etag := s.put("native/x", strings.Repeat("x", 10_000))
	s.cutting(0, 1000)
	if got, err := s.read("native/x", etag); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestReadingEndsWithItsContext(t *testing.T) {
	s := newStage(t)
	etag := s.put("native/x", strings.Repeat("x", 10_000))
	f := func(w http.ResponseWriter, r *http.Request, relay http.Handler) {
		relay.ServeHTTP(&cut{w, 100}, r)
		<-r.Context().Done()
	}
	s.meddle.Store(&f)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := s.Open(ctx, inbox, "native/x", etag)
	must(t, err)
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		t.Error(err)
	}
	cancel()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
	must(t, r.Close())
}

func TestAnObjectIsMovedAndDeletedAsTheOneThatIsMeant(t *testing.T) {
	s := newStage(t)
	key := "native/account=a&b/a file+1.ndjson"
	etag := s.put(key, "old")
	s.put(key, "new")
	if err := s.Move(t.Context(), inbox, key, etag, "failed/"+key); !errors.Is(err, objects.ErrReplaced) {
		t.Errorf("the former is moved: %v", err)
	}
	if _, err := s.read("failed/"+key, etagOf("new")); !fault.Is(err, fault.NotFound) {
		t.Errorf("another stands where the former was to be moved: %v", err)
	}
	if err := s.Delete(t.Context(), inbox, key, etag); !errors.Is(err, objects.ErrReplaced) {
		t.Errorf("the former is deleted: %v", err)
	}
	must(t, s.Move(t.Context(), inbox, key, etagOf("new"), "failed/"+key))
	if text, err := s.read("failed/"+key, etagOf("new")); text != "new" || err != nil {
		t.Errorf("moved: %q, %v", text, err)
	}
	if _, err := s.read(key, etagOf("new")); !fault.Is(err, fault.NotFound) {
		t.Errorf("where it was: %v", err)
	}
	if err := s.Move(t.Context(), inbox, key, etagOf("new"), "failed/"+key); !fault.Is(err, fault.NotFound) {
		t.Errorf("moved again: %v", err)
	}
	must(t, s.Delete(t.Context(), inbox, "failed/"+key, etagOf("new")))
	must(t, s.Delete(t.Context(), inbox, "failed/"+key, etagOf("new"))) // no error twice
}

func TestAnAnswerOfS3IsTheKindOfFaultThatItIs(t *testing.T) {
	for status, want := range map[int]fault.Kind{403: fault.NotFound, 404: fault.NotFound, 400: fault.Internal, 503: fault.Unavailable, 500: fault.Unavailable} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			f := func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(status) }
			s.meddle.Store(&f)
			if _, err := s.read("native/+447700900123.csv", "x"); fault.KindOf(err) != want || strings.Contains(err.Error(), "7700900123") {
				t.Errorf("it is %v", err)
			}
			if status != http.StatusForbidden {
				return
			}
			if err := s.Put(t.Context(), inbox, "results/x", nil); fault.KindOf(err) != fault.Internal {
				t.Errorf("a result that may not be written is %v", err)
			}
		})
	}
}

func TestWithoutARegionOrWithABadEndpointThereIsNoStore(t *testing.T) {
	for want, env := range map[string]map[string]string{"no AWS region": {}, "is not a URL": {"AWS_ENDPOINT_URL_S3": "here"}} {
		if _, err := objects.NewStore(func(name string) string { return env[name] }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", env, err)
		}
	}
}
