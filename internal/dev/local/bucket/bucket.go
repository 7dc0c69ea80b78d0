// Package bucket is S3 on one machine: gofakes3, which speaks the protocol, over a
// folder that holds the objects. It runs in the process that starts it, on loopback
// only, and asks nobody who he is.
//
// It owns the folder, the objects in it, and what EventBridge is told of each object
// that is there: *Object Created*, in the words of S3. What follows from that is the
// affair of package events. An object is on disk before it is told of, and memory does
// not grow with it: a body is copied piece by piece.
//
// What S3 would refuse and gofakes3 would take or misread is refused here: a body
// without a length, and framings of a body that it does not know.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rclone/gofakes3"
)

// Config says what is served.
type Config struct {
	Folder  string   // where the objects are kept: made if it is not there; what is in it is served again
	Buckets []string // their names, each of three characters and more
	// Folders are the beginnings of keys, "native/", of which an upload into a bucket must
	// have one: others are denied, as a bucket's policy does it. A bucket without takes all.
	Folders map[string][]string
	// Created is called with the event of each object, once it can be read: from many
	// goroutines, before the upload is answered. Nil: nobody is told.
	Created func(event []byte)
	// Through stands before all that is served, as one that fails; nil: nothing does.
	Through func(http.Handler) http.Handler
	Log     io.Writer // gets a line for what goes wrong here, not with a request; nil: nowhere
}

// Server serves buckets.
type Server struct {
	Endpoint string // "http://127.0.0.1:41234"
	server   *http.Server
	served   chan struct{} // closed when the server has ended
}

// Start serves on a free port of loopback until Stop. Its errors name the folder or the
// bucket that cannot be used.
func Start(c Config) (*Server, error) {
	objects, err := openStore(c)
	if err != nil {
		return nil, fmt.Errorf("the bucket's folder %s cannot be used: %w", c.Folder, err)
	}
	for _, name := range c.Buckets {
		if err := gofakes3.ValidateBucketName(name); err != nil {
			return nil, fmt.Errorf("bucket %q: %w", name, err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	complaints := log.New(c.Log, "bucket | ", 0)
	s3 := gofakes3.New(objects, gofakes3.WithLogger(gofakes3.StdLog(complaints, gofakes3.LogErr)))
	served := asS3Does(s3.Server(), c.Folders)
	if c.Through != nil {
		served = c.Through(served)
	}
	s := &Server{
		Endpoint: "http://" + listener.Addr().String(),
		server: &http.Server{
			Handler: served, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
			ErrorLog: complaints,
		},
		served: make(chan struct{}),
	}
	go func() { // until Stop
		defer close(s.served)
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			complaints.Print(err)
		}
	}()
	return s, nil
}

// URL is where a bucket's objects are: a key follows after a slash.
func (s *Server) URL(bucket string) string { return s.Endpoint + "/" + bucket }

// Stop ends the server. Requests under way are answered before, as long as ctx allows.
func (s *Server) Stop(ctx context.Context) {
	if s.server.Shutdown(ctx) != nil {
		s.server.Close()
	}
	<-s.served
}

// framings are the values of X-Amz-Content-Sha256 that say how a body is framed, of those
// that gofakes3 takes apart. It would store the framing of any other as content.
var framings = []string{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}

// asS3Does refuses what S3 refuses and gofakes3 does not, and what gofakes3 misreads.
func asS3Does(s3 http.Handler, folders map[string][]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		framing := r.Header.Get("X-Amz-Content-Sha256")
		_, unknown := strings.CutPrefix(framing, "STREAMING-")
		for _, known := range framings {
			unknown = unknown && framing != known
		}
		switch {
		case unknown:
			refuse(w, http.StatusNotImplemented, "NotImplemented", "the framing "+framing+" is not read here")
		case len(r.TransferEncoding) > 0:
			refuse(w, http.StatusNotImplemented, "NotImplemented",
				"A header you provided implies functionality that is not implemented: Transfer-Encoding. "+
					"Upload a file, whose length is known")
		case r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data"):
			refuse(w, http.StatusNotImplemented, "NotImplemented", "uploads of a browser's form are not taken here")
		case isDenied(r, folders):
			refuse(w, http.StatusForbidden, "AccessDenied", "The bucket's policy denies uploads but into its folders")
		default:
			s3.ServeHTTP(w, r)
		}
	})
}

// isDenied reports whether a request would make an object outside of its bucket's folders.
func isDenied(r *http.Request, folders map[string][]string) bool {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	makes := r.Method == http.MethodPut || r.Method == http.MethodPost && r.URL.Query().Has("uploads")
	return makes && key != "" && folders[bucket] != nil &&
		!slices.ContainsFunc(folders[bucket], func(folder string) bool { return strings.HasPrefix(key, folder) })
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Connection", "close") // the body is not read
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>",
		code, message)
}
