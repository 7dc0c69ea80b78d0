package bucket

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rclone/gofakes3"
)

// store keeps the objects of all buckets in a folder. An object is two files of a random
// name: NAME.data, its content, and NAME.json, which is written last and without which
// there is no object. Whoever reads an object that is replaced or deleted meanwhile reads
// it to its end, as from S3: the open file stays until it is closed.
type store struct {
	folder  string
	created func(event []byte)
	order   sequence

	mu      sync.RWMutex
	buckets map[string]map[string]*object // bucket → key
	uploads map[gofakes3.UploadID]*upload
}

// object is what NAME.json says.
type object struct {
	Bucket, Key string
	Size        int64
	MD5         []byte
	Modified    time.Time
	Headers     map[string]string // Content-Type, x-amz-meta-…, Last-Modified
	name        string            // of its files
}

func (o *object) etag() string { return hex.EncodeToString(o.MD5) }

// openStore reads the folder of an earlier run. Contents that have no object, as of an
// upload that was cut short, are removed.
func openStore(c Config) (*store, error) {
	s := &store{folder: c.Folder, created: c.Created, buckets: make(map[string]map[string]*object),
		uploads: make(map[gofakes3.UploadID]*upload)}
	for _, name := range c.Buckets {
		s.buckets[name] = make(map[string]*object)
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(c.Folder)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool)
	for _, e := range entries {
		name, isObject := strings.CutSuffix(e.Name(), ".json")
		if !isObject {
			continue
		}
		o, err := readObject(filepath.Join(c.Folder, e.Name()))
		if err != nil {
			return nil, err
		}
		o.name, known[name] = name, true
		s.put(o)
	}
	for _, e := range entries {
		if name, is := strings.CutSuffix(e.Name(), ".data"); is && !known[name] {
			if err := os.Remove(filepath.Join(c.Folder, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func readObject(path string) (*object, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	o := new(object)
	return o, json.Unmarshal(text, o)
}

// put makes an object the one of its key, and removes what it replaces. s.mu is held, or
// nobody else knows s. Objects of a bucket that is served no more are left alone.
func (s *store) put(o *object) {
	of := s.buckets[o.Bucket]
	if of == nil {
		return
	}
	if before := of[o.Key]; before != nil {
		if before.Modified.After(o.Modified) { // an earlier run ended between two writes
			before, of[o.Key] = o, before
		} else {
			of[o.Key] = o
		}
		s.remove(before)
		return
	}
	of[o.Key] = o
}

// remove deletes an object's files, that which makes it one first. What cannot be deleted
// is left for the next start.
func (s *store) remove(o *object) {
	os.Remove(s.path(o.name, ".json"))
	os.Remove(s.path(o.name, ".data"))
}

func (s *store) path(name, extension string) string { return filepath.Join(s.folder, name+extension) }

// content is a file that is being written, with what will be known of it.
type content struct {
	file *os.File
	name string
	size int64
	hash hash.Hash
}

func (s *store) newContent() (*content, error) {
	name := rand.Text()
	file, err := os.OpenFile(s.path(name, ".data"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return &content{file: file, name: name, hash: md5.New()}, err
}

// add copies size bytes, or all there are if that is negative; fewer are the error that
// S3 has for them.
func (c *content) add(from io.Reader, size int64) error {
	n, err := io.Copy(io.MultiWriter(c.file, c.hash), from)
	c.size += n
	if err == nil && size >= 0 && n != size {
		return gofakes3.ErrIncompleteBody
	}
	return err
}

// drop gives up a content that did not become an object.
func (s *store) drop(c *content) {
	c.file.Close()
	os.Remove(c.file.Name())
}

// commit makes a written content the object of a key, and tells of it.
func (s *store) commit(ctx context.Context, c *content, o *object, reason string) error {
	if err := c.file.Close(); err != nil {
		return err
	}
	o.name, o.Size = c.name, c.size
	if err := s.enter(ctx, o); err != nil || s.created == nil {
		return err
	}
	event, err := eventOf(o.Bucket, o, reason, s.order.next(o.Modified))
	if err != nil {
		return err
	}
	s.created(event)
	return nil
}

// enter writes NAME.json, under the conditions of the request.
func (s *store) enter(ctx context.Context, o *object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, exists := s.buckets[o.Bucket][o.Key]
	etag := ""
	if exists {
		etag = before.etag()
	}
	if err := gofakes3.CheckWriteConditions(ctx, exists, etag); err != nil {
		return err
	}
	o.Modified = time.Now()
	if exists && !o.Modified.After(before.Modified) {
		o.Modified = before.Modified.Add(1)
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path(o.name, ".json"), text, 0o600); err != nil {
		return err
	}
	s.put(o)
	return nil
}

// find is the object of a key.
func (s *store) find(bucket, key string) (*object, error) {
	of := s.buckets[bucket]
	if of == nil {
		return nil, gofakes3.BucketNotFound(bucket)
	}
	if o := of[key]; o != nil {
		return o, nil
	}
	return nil, gofakes3.KeyNotFound(key)
}

// What follows is gofakes3.Backend.

func (s *store) ListBuckets(context.Context) (all []gofakes3.BucketInfo, err error) {
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		all = append(all, gofakes3.BucketInfo{Name: name})
	}
	return all, nil
}

func (s *store) BucketExists(_ context.Context, name string) (bool, error) {
	return s.buckets[name] != nil, nil
}

func (s *store) CreateBucket(context.Context, string) error { return gofakes3.ErrNotImplemented }
func (s *store) DeleteBucket(context.Context, string) error { return gofakes3.ErrNotImplemented }

// ListBucket lists keys in the order of their bytes. A page that ends with a common prefix
// goes on behind all keys of that.
func (s *store) ListBucket(_ context.Context, bucket string, prefix *gofakes3.Prefix,
	page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	of := s.buckets[bucket]
	if of == nil {
		return nil, gofakes3.BucketNotFound(bucket)
	}
	if prefix == nil {
		prefix = new(gofakes3.Prefix)
	}
	list, last, seen := gofakes3.NewObjectList(), "", int64(0)
	for _, key := range slices.Sorted(maps.Keys(of)) {
		name := grouped(key, prefix)
		if !strings.HasPrefix(key, prefix.Prefix) || name == last && last != "" ||
			page.HasMarker && (key <= page.Marker || name != key && name <= page.Marker) {
			continue
		}
		if page.MaxKeys > 0 && seen == page.MaxKeys {
			list.IsTruncated, list.NextMarker = true, last
			break
		}
		last = name
		seen++
		if name != key {
			list.AddPrefix(name)
			continue
		}
		o := of[key]
		list.Add(&gofakes3.Content{Key: key, LastModified: gofakes3.NewContentTime(o.Modified),
			ETag: `"` + o.etag() + `"`, Size: o.Size, StorageClass: gofakes3.StorageStandard})
	}
	return list, nil
}

// grouped is a key, or the common prefix under which it is listed.
func grouped(key string, prefix *gofakes3.Prefix) string {
	rest, matches := strings.CutPrefix(key, prefix.Prefix)
	if !matches || !prefix.HasDelimiter || prefix.Delimiter == "" {
		return key
	}
	if before, _, deeper := strings.Cut(rest, prefix.Delimiter); deeper {
		return prefix.Prefix + before + prefix.Delimiter
	}
	return key
}

func (s *store) HeadObject(_ context.Context, bucket, key string) (*gofakes3.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, err := s.find(bucket, key)
	if err != nil {
		return nil, err
	}
	return answer(o, io.NopCloser(strings.NewReader("")), nil), nil
}

func (s *store) GetObject(_ context.Context, bucket, key string,
	wanted *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock() // until the file is open: it may then go
	o, err := s.find(bucket, key)
	if err != nil {
		return nil, err
	}
	part, err := wanted.Range(o.Size)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(s.path(o.name, ".data"))
	if err != nil {
		return nil, err
	}
	if part == nil {
		return answer(o, file, nil), nil
	}
	section := struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(file, part.Start, part.Length), file}
	return answer(o, section, part), nil
}

func answer(o *object, contents io.ReadCloser, part *gofakes3.ObjectRange) *gofakes3.Object {
	return &gofakes3.Object{Name: o.Key, Metadata: o.Headers, Size: o.Size, Hash: o.MD5, Contents: contents,
		Range: part}
}

func (s *store) PutObject(ctx context.Context, bucket, key string, headers map[string]string, body io.Reader,
	size int64) (result gofakes3.PutObjectResult, err error) {
	c, err := s.newContent()
	if err != nil {
		return result, err
	}
	if err := c.add(body, size); err != nil {
		s.drop(c)
		return result, err
	}
	o := &object{Bucket: bucket, Key: key, MD5: c.hash.Sum(nil), Headers: headers}
	if err := s.commit(ctx, c, o, byPut); err != nil {
		s.drop(c)
		return result, err
	}
	return result, nil
}

func (s *store) CopyObject(ctx context.Context, sourceBucket, sourceKey, bucket, key string,
	headers map[string]string) (result gofakes3.CopyObjectResult, err error) {
	source, err := s.GetObject(ctx, sourceBucket, sourceKey, nil)
	if err != nil {
		return result, err
	}
	defer source.Contents.Close()
	c, err := s.newContent()
	if err != nil {
		return result, err
	}
	if err := c.add(source.Contents, source.Size); err != nil {
		s.drop(c)
		return result, err
	}
	o := &object{Bucket: bucket, Key: key, MD5: c.hash.Sum(nil), Headers: headers}
	if err := s.commit(ctx, c, o, byCopy); err != nil {
		s.drop(c)
		return result, err
	}
	return gofakes3.CopyObjectResult{ETag: `"` + o.etag() + `"`, LastModified: gofakes3.NewContentTime(o.Modified)}, nil
}

func (s *store) DeleteObject(_ context.Context, bucket, key string) (result gofakes3.ObjectDeleteResult, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.find(bucket, key)
	if err != nil {
		if gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) {
			err = nil // S3 deletes what is not there
		}
		return result, err
	}
	if err := os.Remove(s.path(o.name, ".json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return result, err
	}
	delete(s.buckets[bucket], key)
	s.remove(o)
	return result, nil
}

func (s *store) DeleteMulti(ctx context.Context, bucket string, keys ...string) (result gofakes3.MultiDeleteResult,
	err error) {
	for _, key := range keys {
		if _, err := s.DeleteObject(ctx, bucket, key); err != nil {
			failed := gofakes3.ErrorResultFromError(err)
			failed.Key = cmp.Or(failed.Key, key)
			result.Error = append(result.Error, failed)
			continue
		}
		result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
	}
	return result, nil
}
