package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"partnerview/internal/fault"
)

// mostBreaks is how often a connection may break without a byte between, before the
// reading fails.
const mostBreaks = 5

// reader reads an object to its end.
type reader struct {
	ctx               context.Context
	store             *Store
	bucket, key, etag string

	body   io.ReadCloser
	cancel context.CancelFunc
	at     int64 // bytes read
	size   int64 // of all
	breaks int   // since the last byte
}

// open asks for what was not read yet. The answer has callTimeout to begin.
func (r *reader) open() error {
	ctx, cancel := context.WithCancel(r.ctx)
	late := time.AfterFunc(callTimeout, cancel)
	in := &s3.GetObjectInput{Bucket: &r.bucket, Key: &r.key, IfMatch: quoted(r.etag)}
	if r.at > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", r.at))
	}
	out, err := r.store.client.GetObject(ctx, in)
	if err != nil {
		cancel()
		return failed(reading, err)
	}
	if !late.Stop() {
		cancel()
		return errors.Join(fault.New(fault.Unavailable, reading, context.DeadlineExceeded), out.Body.Close())
	}
	r.body, r.cancel = out.Body, cancel
	if r.at == 0 {
		r.size = aws.ToInt64(out.ContentLength)
	}
	return nil
}

func (r *reader) Read(p []byte) (int, error) {
	for {
		if r.at == r.size {
			return 0, io.EOF
		}
		n, err := r.body.Read(p)
		r.at += int64(n)
		if n > 0 {
			r.breaks = 0
			return n, nil // an error comes again
		}
		if err == nil {
			continue
		}
		if r.ctx.Err() != nil {
			return 0, r.ctx.Err()
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if r.breaks++; r.breaks > mostBreaks {
			return 0, fault.New(fault.Unavailable, reading, err)
		}
		_ = r.Close() // of a connection that is broken
		if err := r.open(); err != nil {
			return 0, err
		}
	}
}

// Close ends the reading, also in its middle.
func (r *reader) Close() error {
	r.cancel()
	return r.body.Close()
}
