package bucket

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"
)

// The region and the account number under which events are told: those of
// internal/dev/local/lambda, which are of AWS's own examples.
const (
	region  = "us-east-1"
	account = "123456789012"
)

// Why an object is there, in S3's words.
const (
	byPut      = "PutObject"
	byCopy     = "CopyObject"
	byComplete = "CompleteMultipartUpload"
)

// objectCreated is the event of an object, as EventBridge gets it from S3:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html. Unlike in S3's
// older notifications, the key is as it is, not escaped.
type objectCreated struct {
	Version    string    `json:"version"`
	ID         string    `json:"id"`
	DetailType string    `json:"detail-type"`
	Source     string    `json:"source"`
	Account    string    `json:"account"`
	Time       time.Time `json:"time"`
	Region     string    `json:"region"`
	Resources  []string  `json:"resources"`
	Detail     detail    `json:"detail"`
}

type detail struct {
	Version string `json:"version"`
	Bucket  struct {
		Name string `json:"name"`
	} `json:"bucket"`
	Object struct {
		Key       string `json:"key"`
		Size      int64  `json:"size"`
		ETag      string `json:"etag"`
		Sequencer string `json:"sequencer"`
	} `json:"object"`
	RequestID       string `json:"request-id"`
	Requester       string `json:"requester"`
	SourceIPAddress string `json:"source-ip-address"`
	Reason          string `json:"reason"`
}

// sequence orders the events of a key: a greater sequencer is later.
type sequence struct{ last atomic.Int64 }

// next is greater than all before it, those of an earlier run too.
func (s *sequence) next(now time.Time) string {
	for {
		last := s.last.Load()
		if next := max(now.UnixNano(), last+1); s.last.CompareAndSwap(last, next) {
			return fmt.Sprintf("%016X", next)
		}
	}
}

// eventOf is the event of an object that is stored now.
func eventOf(bucket string, o *object, reason, sequencer string) ([]byte, error) {
	e := objectCreated{
		Version: "0", ID: randomID(), DetailType: "Object Created", Source: "aws.s3", Account: account,
		Time: o.Modified.UTC().Truncate(time.Second), Region: region, Resources: []string{"arn:aws:s3:::" + bucket},
	}
	e.Detail = detail{Version: "0", RequestID: rand.Text()[:16], Requester: account, SourceIPAddress: "127.0.0.1",
		Reason: reason}
	e.Detail.Bucket.Name = bucket
	e.Detail.Object.Key, e.Detail.Object.Size = o.Key, o.Size
	e.Detail.Object.ETag, e.Detail.Object.Sequencer = o.etag(), sequencer
	return json.Marshal(e)
}

// randomID is a random UUID.
func randomID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
