// Package objects keeps files in a bucket of S3. It is the only package that knows
// S3: keys, conditions on ETags, and the SDK's errors, which it turns into the kinds
// of package fault by type.
//
// It owns no name of a bucket or a file: those are its callers'. A file is read from
// its start to its end however long that takes: a connection that breaks, or that S3
// ends while nothing was read from it, is made anew where it was.
package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"partnerview/internal/fault"
)

// callTimeout ends a call that S3 does not answer. Reading what an object holds is no
// call: it lasts as long as its context.
const callTimeout = time.Minute

// ErrReplaced is what a call ends with that was meant for an object with another ETag
// than the one that is there: somebody has put another in its place.
var ErrReplaced = errors.New("another file stands there by now")

// Store reads and writes objects. Its methods may be called from several goroutines.
type Store struct{ client *s3.Client }

// NewStore makes a store from the variables that Lambda sets (AWS_REGION, the role's
// credentials) and AWS_ENDPOINT_URL_S3, which points at another engine. An endpoint on
// this machine needs neither region nor credentials.
func NewStore(getenv func(string) string) (*Store, error) {
	o := s3.Options{Region: getenv("AWS_REGION"), Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = 5, 3*time.Second // what fails for longer the state machine tries again
	})}
	creds := aws.Credentials{AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: getenv("AWS_SESSION_TOKEN"), Source: "environment"}
	if endpoint := getenv("AWS_ENDPOINT_URL_S3"); endpoint != "" {
		if u, err := url.Parse(endpoint); err != nil || u.Host == "" {
			return nil, fmt.Errorf("the S3 endpoint %q is not a URL such as http://127.0.0.1:9000", endpoint)
		}
		o.BaseEndpoint, o.UsePathStyle = &endpoint, true
		if creds.AccessKeyID == "" {
			creds.AccessKeyID, creds.SecretAccessKey = "local", "local"
		}
		if o.Region == "" {
			o.Region = "us-east-1"
		}
	}
	if o.Region == "" {
		return nil, errors.New("no AWS region: set AWS_REGION, or AWS_ENDPOINT_URL_S3 for an engine on this machine")
	}
	o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return creds, nil })
	return &Store{s3.New(o)}, nil
}

// Open reads an object with that ETag from its start. NotFound: it is not there, or may
// not be read, which S3 does not tell apart for who may not list. ErrReplaced: it has
// another ETag, which reading may end with too. ctx is for the reading as well.
func (s *Store) Open(ctx context.Context, bucket, key, etag string) (io.ReadCloser, error) {
	r := &reader{ctx: ctx, store: s, bucket: bucket, key: key, etag: etag}
	return r, r.open()
}

// Put writes an object in place of what has its key.
func (s *Store) Put(ctx context.Context, bucket, key string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body),
		ContentType: aws.String("application/json")})
	return failed(writing, err)
}

// MaxMove is how large an object may be that is moved, in bytes.
const MaxMove = 5 << 30

// Move gives an object with that ETag, of at most MaxMove bytes, another key. NotFound: it
// is not there any more. ErrReplaced: it has another ETag.
func (s *Store) Move(ctx context.Context, bucket, key, etag, to string) error {
	copying, cancel := context.WithTimeout(ctx, 5*callTimeout) // S3 copies 5 GB in some minutes
	defer cancel()
	source := escaped(bucket + "/" + key)
	_, err := s.client.CopyObject(copying, &s3.CopyObjectInput{Bucket: &bucket, Key: &to, CopySource: &source,
		CopySourceIfMatch: quoted(etag), TaggingDirective: types.TaggingDirectiveReplace})
	if err := failed(moving, err); err != nil {
		return err
	}
	return s.Delete(ctx, bucket, key, etag)
}

// Delete deletes an object with that ETag. It is no error if there is none.
// ErrReplaced: it has another ETag.
func (s *Store) Delete(ctx context.Context, bucket, key, etag string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key, IfMatch: quoted(etag)})
	if err = failed(deleting, err); fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// escaped is a path as S3 wants it of what is copied: all but letters, digits, "-", ".", "_"
// and the slashes are escaped.
func escaped(path string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(path))
}

// quoted is an ETag as a header has it; events tell it without its quotes.
func quoted(etag string) *string {
	return aws.String(`"` + strings.Trim(etag, `"`) + `"`)
}

// What a call does, for those who read of its failure.
const (
	reading  = "read an object"
	writing  = "write an object"
	moving   = "copy an object"
	deleting = "delete an object"
)

// failed is a fault of an error of S3. The key is in none: it may hold a number.
func failed(op string, err error) error {
	if err == nil {
		return nil
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) {
		return fault.New(fault.Unavailable, op, err)
	}
	switch status := response.HTTPStatusCode(); {
	case status == http.StatusPreconditionFailed:
		return ErrReplaced
	case status == http.StatusNotFound, status == http.StatusForbidden && (op == reading || op == moving):
		return fault.New(fault.NotFound, op, nil)
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError,
		status == http.StatusConflict:
		return fault.New(fault.Unavailable, op, fmt.Errorf("S3 answers with status %d", status))
	default:
		return fault.New(fault.Internal, op, fmt.Errorf("S3 answers with status %d", status))
	}
}
