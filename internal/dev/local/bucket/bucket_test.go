package bucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

const inbox = "inbox-of-tests"

// served is a bucket with a client, and what was told of its objects.
type served struct {
	*Server
	*s3.Client
	folder string

	mu     sync.Mutex
	events [][]byte
}

// serve starts a bucket in a folder, which ends with the test.
func serve(t *testing.T, folder string) *served {
	t.Helper()
	b := &served{folder: folder}
	var err error
	b.Server, err = Start(Config{Folder: folder, Buckets: []string{inbox, "narrow"}, Folders: map[string][]string{"narrow": {"native/", "credit/"}}, Created: func(event []byte) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.events = append(b.events, event)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Stop(context.Background()) })
	b.Client = s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: &b.Endpoint, UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		})})
	return b
}

// reasons are why the objects that were told of are there, with their keys.
func (b *served) reasons(t *testing.T) (all []string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.events {
		var e objectCreated
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Detail.Reason+" "+e.Detail.Object.Key)
	}
	return all
}

func (b *served) put(t *testing.T, key, text string) {
	t.Helper()
	if _, err := b.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(inbox), Key: &key, Body: strings.NewReader(text)}); err != nil {
		t.Fatal(err)
	}
}

// get reads an object, or a range of it, on condition of its ETag where one is given.
func (b *served) get(t *testing.T, key, part, etag string) (string, error) {
	t.Helper()
	in := &s3.GetObjectInput{Bucket: aws.String(inbox), Key: &key}
	if part != "" {
		in.Range = &part
	}
	if etag != "" {
		in.IfMatch = &etag
	}
	out, err := b.GetObject(t.Context(), in)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), nil
}

func code(err error) string {
	var known smithy.APIError
	if errors.As(err, &known) {
		return known.ErrorCode()
	}
	return fmt.Sprint(err)
}

func request(t *testing.T, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestAFileIsUploadedWithoutASignature(t *testing.T) {
	b := serve(t, t.TempDir())
	if status, text := request(t, "PUT", b.URL(inbox)+"/native/usage.ndjson", "{}\n"); status != 200 {
		t.Fatalf("PUT = %d %s", status, text)
	}
	if text, err := b.get(t, "native/usage.ndjson", "", ""); text != "{}\n" || err != nil {
		t.Errorf("the object is %q, %v", text, err)
	}
}

func TestAnUploadIsToldOfAsS3TellsEventBridge(t *testing.T) {
	b := serve(t, t.TempDir())
	b.put(t, "native/a file+1.ndjson", "hello")
	var got map[string]any
	if len(b.events) != 1 || json.Unmarshal(b.events[0], &got) != nil {
		t.Fatalf("events: %q", b.events)
	}
	d := got["detail"].(map[string]any)
	o := d["object"].(map[string]any)
	for name, is := range map[string]bool{
		"version": got["version"] == "0", "id": len(got["id"].(string)) == 36, "detail-type": got["detail-type"] == "Object Created",
		"source": got["source"] == "aws.s3", "account": got["account"] == "123456789012", "region": got["region"] == "us-east-1",
		"resources":           fmt.Sprint(got["resources"]) == "[arn:aws:s3:::"+inbox+"]",
		"detail.bucket.name":  d["bucket"].(map[string]any)["name"] == inbox,
		"object.key":          o["key"] == "native/a file+1.ndjson", // not escaped
		"object.size":         o["size"] == 5.0,
		"object.etag":         o["etag"] == "5d41402abc4b2a76b9719d911017c592", // without quotes
		"object.sequencer":    len(o["sequencer"].(string)) == 16,
		"detail.requester":    d["requester"] == "123456789012",
		"detail.reason":       d["reason"] == "PutObject",
		"detail.request-id":   len(d["request-id"].(string)) == 16,
		"time, to the second": len(got["time"].(string)) == len("2026-11-29T16:00:00Z"),
	} {
		if !is {
			t.Errorf("%s is not as S3 has it: %s", name, b.events[0])
		}
	}
}

func TestEachWayToMakeAnObjectIsToldOfOnceAndReadingAndDeletingAreNot(t *testing.T) {
	b := serve(t, t.TempDir())
	b.put(t, "native/one", "1")
	if _, err := b.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String(inbox), Key: aws.String("failed/one"), CopySource: aws.String(inbox + "/native/one")}); err != nil {
		t.Fatal(err)
	}
	uploadParts(t, b, "native/parts", "one ", "two")
	b.get(t, "native/one", "", "")
	if _, err := b.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(inbox), Key: aws.String("native/one")}); err != nil {
		t.Fatal(err)
	}
	want := []string{"PutObject native/one", "CopyObject failed/one", "CompleteMultipartUpload native/parts"}
	if got := b.reasons(t); !slices.Equal(got, want) {
		t.Errorf("told of %q, want %q", got, want)
	}
	if text, err := b.get(t, "native/one", "", ""); code(err) != "NoSuchKey" {
		t.Errorf("the deleted object is %q, %v", text, err)
	}
	if text, _ := b.get(t, "failed/one", "", ""); text != "1" {
		t.Errorf("the copy is %q", text)
	}
}

// uploadParts makes an object of parts, the last first.
func uploadParts(t *testing.T, b *served, key string, parts ...string) string {
	t.Helper()
	made, err := b.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(inbox), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	done := make([]types.CompletedPart, len(parts))
	for i := len(parts) - 1; i >= 0; i-- {
		number := aws.Int32(int32(i + 1))
		part, err := b.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: aws.String(inbox), Key: &key, UploadId: made.UploadId,
			PartNumber: number, Body: strings.NewReader(parts[i])})
		if err != nil {
			t.Fatal(err)
		}
		done[i] = types.CompletedPart{PartNumber: number, ETag: part.ETag}
	}
	out, err := b.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: aws.String(inbox), Key: &key, UploadId: made.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done}})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ETag
}

func TestPartsThatCameInAnyOrderAreOneObjectAndLeaveNoFile(t *testing.T) {
	b := serve(t, t.TempDir())
	etag := uploadParts(t, b, "native/parts", "one ", "two ", "three")
	if text, err := b.get(t, "native/parts", "", etag); text != "one two three" || err != nil {
		t.Errorf("the object is %q, %v", text, err)
	}
	if files, _ := os.ReadDir(b.folder); len(files) != 2 {
		t.Errorf("there are %v", files)
	}
	made, err := b.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(inbox), Key: aws.String("native/never")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: aws.String(inbox), Key: aws.String("native/never"), UploadId: made.UploadId,
		PartNumber: aws.Int32(1), Body: strings.NewReader("x")}); err != nil {
		t.Fatal(err)
	}
	_, err = b.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: aws.String(inbox), Key: aws.String("native/never"), UploadId: made.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(2), ETag: aws.String("x")}}}})
	if code(err) != "InvalidPart" {
		t.Errorf("a part that never came: %v", err)
	}
	if _, err := b.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: aws.String(inbox), Key: aws.String("native/never"), UploadId: made.UploadId}); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(b.folder); len(files) != 2 {
		t.Errorf("after the upload is given up there are %v", files)
	}
}

func TestARangeIsReadAndOnlyOfTheObjectThatIsMeant(t *testing.T) {
	b := serve(t, t.TempDir())
	b.put(t, "native/x", "0123456789")
	const etag = `"781e5e245d69b566979b86e28d23f2c7"`
	for part, want := range map[string]string{"": "0123456789", "bytes=2-4": "234", "bytes=7-": "789", "bytes=-2": "89"} {
		if text, err := b.get(t, "native/x", part, etag); text != want || err != nil {
			t.Errorf("%q is %q, %v", part, text, err)
		}
	}
	if _, err := b.get(t, "native/x", "bytes=10-", ""); code(err) != "InvalidRange" {
		t.Errorf("a range behind the end: %v", err)
	}
	if _, err := b.get(t, "native/x", "", `"00000000000000000000000000000000"`); code(err) != "PreconditionFailed" {
		t.Errorf("another ETag: %v", err)
	}
}

func TestAFileThatIsReplacedWhileItIsReadIsReadToItsEnd(t *testing.T) {
	b := serve(t, t.TempDir())
	old := strings.Repeat("old ", 4<<20) // more than what lies in buffers on the way
	b.put(t, "native/x", old)
	out, err := b.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(inbox), Key: aws.String("native/x")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	b.put(t, "native/x", "new")
	if text, err := io.ReadAll(out.Body); string(text) != old || err != nil {
		t.Errorf("it is %d bytes (%v), want %d", len(text), err, len(old))
	}
	if _, err := b.get(t, "native/x", "", *out.ETag); code(err) != "PreconditionFailed" {
		t.Errorf("the next reading under the former ETag: %v", err)
	}
	if files, _ := os.ReadDir(b.folder); len(files) != 2 {
		t.Errorf("there are %v", files)
	}
}

func TestKeysAreListedInPagesInTheOrderOfTheirBytes(t *testing.T) {
	b := serve(t, t.TempDir())
	for _, key := range []string{"results/b", "native/2", "native/1", "native/a/deep", "native/a/deeper", "native/b", "zoo"} {
		b.put(t, key, "x")
	}
	for _, c := range []struct{ prefix, delimiter, want string }{
		{"", "", "native/1 native/2 native/a/deep native/a/deeper native/b results/b zoo"},
		{"native/", "", "native/1 native/2 native/a/deep native/a/deeper native/b"},
		{"native/", "/", "native/1 native/2 native/a/ native/b"},
		{"", "/", "native/ results/ zoo"},
		{"nothing", "/", ""},
	} {
		for pageSize := range int32(4) {
			if got := list(t, b, c.prefix, c.delimiter, pageSize+1); got != c.want {
				t.Errorf("%q by %q in pages of %d: %q, want %q", c.prefix, c.delimiter, pageSize+1, got, c.want)
			}
		}
	}
}

// list is what pages list, keys and common prefixes in one order.
func list(t *testing.T, b *served, prefix, delimiter string, size int32) string {
	t.Helper()
	in := &s3.ListObjectsV2Input{Bucket: aws.String(inbox), Prefix: &prefix, MaxKeys: &size}
	if delimiter != "" {
		in.Delimiter = &delimiter
	}
	var all []string
	for pages := s3.NewListObjectsV2Paginator(b.Client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(all) > 20 {
			t.Fatalf("it lists without end: %q", all)
		}
		if len(page.Contents)+len(page.CommonPrefixes) > int(size) {
			t.Errorf("a page of %d has %d keys and %d prefixes", size, len(page.Contents), len(page.CommonPrefixes))
		}
		for _, o := range page.Contents {
			all = append(all, *o.Key)
		}
		for _, p := range page.CommonPrefixes {
			all = append(all, *p.Prefix)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestAPresignedUploadNeedsNoHeaders(t *testing.T) {
	b := serve(t, t.TempDir())
	signed, err := s3.NewPresignClient(b.Client).PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(inbox), Key: aws.String("credit/c.csv")})
	if err != nil {
		t.Fatal(err)
	}
	if status, text := request(t, "PUT", signed.URL, "account,amount\n"); status != 200 {
		t.Fatalf("PUT = %d %s", status, text)
	}
	if text, _ := b.get(t, "credit/c.csv", "", ""); text != "account,amount\n" {
		t.Errorf("the object is %q", text)
	}
}

func TestTheFramingOfABodyIsNoPartOfTheObject(t *testing.T) {
	b := serve(t, t.TempDir())
	at := b.URL(inbox) + "/native/framed"
	framed := "3;chunk-signature=0\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:hYdpQw==\r\n\r\n"
	for _, framing := range framings {
		status, text := request(t, "PUT", at, framed, "X-Amz-Content-Sha256", framing, "X-Amz-Decoded-Content-Length", "5")
		if status != 200 {
			t.Fatalf("%s: PUT = %d %s", framing, status, text)
		}
		if text, _ := b.get(t, "native/framed", "", ""); text != "abcde" {
			t.Errorf("%s: the object is %q", framing, text)
		}
	}
	status, text := request(t, "PUT", at, framed, "X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length", "5")
	if status != 501 {
		t.Errorf("a framing that is not read: PUT = %d %s", status, text)
	}
}

func TestAFramedBodyThatIsShorterThanItSaysIsRefused(t *testing.T) {
	b := serve(t, t.TempDir())
	status, text := request(t, "PUT", b.URL(inbox)+"/native/short", "3\r\nabc\r\n0\r\n\r\n",
		"X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length", "5")
	if status != 400 || !strings.Contains(text, "IncompleteBody") {
		t.Errorf("PUT = %d %s", status, text)
	}
	waitForFiles(t, b.folder, 0)
}

func TestABodyWithoutALengthIsRefusedAsS3RefusesIt(t *testing.T) {
	b := serve(t, t.TempDir())
	r, err := http.NewRequestWithContext(t.Context(), "PUT", b.URL(inbox)+"/native/x", io.MultiReader(strings.NewReader("x")))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != 501 || !bytes.Contains(text, []byte("Transfer-Encoding")) {
		t.Errorf("PUT = %d %s", response.StatusCode, text)
	}
	if got := b.reasons(t); got != nil {
		t.Errorf("told of %q", got)
	}
}

func TestAnUploadThatIsCutShortLeavesNothingAndIsNotToldOf(t *testing.T) {
	b := serve(t, t.TempDir())
	b.put(t, "native/x", "before")
	at, err := url.Parse(b.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(connection, "PUT /%s/native/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf", inbox)
	waitForFiles(t, b.folder, 3)
	connection.Close()
	waitForFiles(t, b.folder, 2)
	if text, err := b.get(t, "native/x", "", ""); text != "before" || err != nil {
		t.Errorf("the object is %q, %v", text, err)
	}
	if got := b.reasons(t); len(got) != 1 {
		t.Errorf("told of %q", got)
	}
}

// The condition of each holds when its headers are read; the bodies come when all are there.
func TestOfManyThatWriteOnConditionOneWins(t *testing.T) {
	b := serve(t, t.TempDir())
	const writers = 20
	release, statuses := make(chan struct{}), make(chan int, writers)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), "PUT", b.URL(inbox)+"/results/x", afterwards{release, strings.NewReader("x")})
			if err != nil {
				t.Error(err)
				return
			}
			r.ContentLength = 1
			r.Header.Set("If-None-Match", "*")
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
			statuses <- response.StatusCode
		})
	}
	waitForFiles(t, b.folder, writers)
	close(release)
	all.Wait()
	close(statuses)
	counts := make(map[int]int)
	for status := range statuses {
		counts[status]++
	}
	if counts[200] != 1 || counts[412] != writers-1 {
		t.Errorf("answers by status: %v", counts)
	}
}

// afterwards is a body that comes when the channel is closed.
type afterwards struct {
	when <-chan struct{}
	io.Reader
}

func (a afterwards) Read(p []byte) (int, error) {
	<-a.when
	return a.Reader.Read(p)
}

func waitForFiles(t *testing.T, folder string, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		files, _ := os.ReadDir(folder)
		if len(files) == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("there are %v, want %d files", files, n)
		}
	}
}

func TestObjectsOutliveTheProcessAndWhatWasHalfWrittenDoesNot(t *testing.T) {
	folder := t.TempDir()
	first := serve(t, folder)
	first.put(t, "native/x", "kept")
	first.Stop(t.Context())
	if err := os.WriteFile(filepath.Join(folder, "HALF.data"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := serve(t, folder)
	if text, err := again.get(t, "native/x", "", ""); text != "kept" || err != nil {
		t.Errorf("the object is %q, %v", text, err)
	}
	if files, _ := os.ReadDir(folder); len(files) != 2 {
		t.Errorf("there are %v", files)
	}
	if got := again.reasons(t); got != nil {
		t.Errorf("told of %q", got)
	}
}

func TestTheServerListensOnLoopbackAloneAndLeavesNoPort(t *testing.T) {
	b := serve(t, t.TempDir())
	address, err := url.Parse(b.Endpoint)
	if err != nil || address.Hostname() != "127.0.0.1" {
		t.Errorf("it listens at %s (%v)", b.Endpoint, err)
	}
	b.Stop(t.Context())
	if connection, err := net.Dial("tcp", address.Host); err == nil {
		connection.Close()
		t.Errorf("%s is still open", address.Host)
	}
}

func TestAnUploadOutsideOfTheBucketsFoldersIsDenied(t *testing.T) {
	b := serve(t, t.TempDir())
	for key, want := range map[string]int{"native/x": 200, "credit/x/y": 200, "natives/x": 403, "x": 403, "native": 403} {
		if status, text := request(t, "PUT", b.URL("narrow")+"/"+key, "x"); status != want || want == 403 && !strings.Contains(text, "AccessDenied") {
			t.Errorf("PUT %s = %d %s, want %d", key, status, text, want)
		}
	}
	for key, want := range map[string]string{"elsewhere/x": "AccessDenied", "native/parts": "<nil>"} {
		if _, err := b.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("narrow"), Key: &key}); code(err) != want {
			t.Errorf("parts of %s: %v", key, err)
		}
	}
	if got := b.reasons(t); len(got) != 2 {
		t.Errorf("told of %q", got)
	}
}

func TestWhatCannotBeServedIsToldWithItsName(t *testing.T) {
	if _, err := Start(Config{Folder: t.TempDir(), Buckets: []string{"no"}}); err == nil || !strings.Contains(err.Error(), `bucket "no"`) {
		t.Errorf("Start = %v", err)
	}
	taken := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Config{Folder: taken}); err == nil || !strings.Contains(err.Error(), taken) {
		t.Errorf("Start = %v", err)
	}
	b := serve(t, t.TempDir())
	if status, text := request(t, "PUT", b.URL("another")+"/x", "x"); status != 404 || !strings.Contains(text, "NoSuchBucket") {
		t.Errorf("PUT into another bucket = %d %s", status, text)
	}
}
