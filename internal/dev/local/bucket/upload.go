package bucket

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"io"
	"os"
	"strings"

	"github.com/rclone/gofakes3"
)

// upload is an object that comes in parts. Its parts are contents of the folder; those of
// an upload that is neither completed nor given up go at the next start.
type upload struct {
	bucket, key string
	headers     map[string]string
	parts       map[int]*content // guarded by the store's mutex
}

// What follows is gofakes3.MultipartBackend: without it, parts would be held in memory.

func (s *store) CreateMultipartUpload(_ context.Context, bucket, key string, headers map[string]string) (
	gofakes3.UploadID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := gofakes3.UploadID(rand.Text())
	s.uploads[id] = &upload{bucket: bucket, key: key, headers: headers, parts: make(map[int]*content)}
	return id, nil
}

func (s *store) UploadPart(_ context.Context, _, _ string, id gofakes3.UploadID, number int, size int64,
	body io.Reader) (etag string, err error) {
	c, err := s.newContent()
	if err != nil {
		return "", err
	}
	if err := c.add(body, size); err != nil {
		s.drop(c)
		return "", err
	}
	if err := c.file.Close(); err != nil {
		s.drop(c)
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploads[id]
	if u == nil {
		s.drop(c)
		return "", gofakes3.ErrNoSuchUpload
	}
	if before := u.parts[number]; before != nil {
		s.drop(before)
	}
	u.parts[number] = c
	return partTag(c), nil
}

func partTag(c *content) string { return `"` + hex.EncodeToString(c.hash.Sum(nil)) + `"` }

// CompleteMultipartUpload makes one object of the parts that are named, in ascending order.
// Its ETag is the MD5 of the parts' MD5s, without the "-N" that S3 puts behind it, for which
// gofakes3 has no place.
func (s *store) CompleteMultipartUpload(ctx context.Context, bucket, key string, id gofakes3.UploadID,
	wanted *gofakes3.CompleteMultipartUploadRequest) (version gofakes3.VersionID, etag string, err error) {
	u, parts, err := s.wantedParts(id, wanted)
	if err != nil {
		return "", "", err
	}
	whole, err := s.newContent()
	if err != nil {
		return "", "", err
	}
	tags := md5.New()
	for _, part := range parts {
		tags.Write(part.hash.Sum(nil))
		if err := s.join(whole, part); err != nil {
			s.drop(whole)
			return "", "", err
		}
	}
	o := &object{Bucket: bucket, Key: key, MD5: tags.Sum(nil), Headers: u.headers}
	if err := s.commit(ctx, whole, o, byComplete); err != nil {
		s.drop(whole)
		return "", "", err
	}
	return "", `"` + o.etag() + `"`, s.AbortMultipartUpload(ctx, bucket, key, id)
}

// wantedParts finds the parts that make the object.
func (s *store) wantedParts(id gofakes3.UploadID, wanted *gofakes3.CompleteMultipartUploadRequest) (u *upload,
	parts []*content, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if u = s.uploads[id]; u == nil {
		return nil, nil, gofakes3.ErrNoSuchUpload
	}
	if len(wanted.Parts) == 0 {
		return nil, nil, gofakes3.ErrMalformedXML
	}
	for i, w := range wanted.Parts {
		if i > 0 && w.PartNumber <= wanted.Parts[i-1].PartNumber {
			return nil, nil, gofakes3.ErrInvalidPartOrder
		}
		part := u.parts[w.PartNumber]
		if part == nil || strings.Trim(w.ETag, `"`) != strings.Trim(partTag(part), `"`) {
			return nil, nil, gofakes3.ErrInvalidPart
		}
		parts = append(parts, part)
	}
	return u, parts, nil
}

func (s *store) join(whole, part *content) error {
	file, err := os.Open(part.file.Name())
	if err != nil {
		return err
	}
	defer file.Close()
	return whole.add(file, part.size)
}

func (s *store) AbortMultipartUpload(_ context.Context, _, _ string, id gofakes3.UploadID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploads[id]
	if u == nil {
		return nil
	}
	for _, part := range u.parts {
		s.drop(part)
	}
	delete(s.uploads, id)
	return nil
}
