// Package local runs the whole product on one machine, without an AWS account
// and without Docker: a DynamoDB engine, the functions as their real binaries
// over the Lambda Runtime API, and before them the gateway with its routes,
// authorizer and refusals. All of it is read from template.yaml: a route or a
// variable that is missing there is missing here.
//
// The functions' audit lines are kept in a file, as CloudWatch keeps them on AWS.
//
// Its parts are packages of their own: engine (dynalite's process), issuer (an
// OpenID provider's, where single sign-on is asked for), lambda (functions as
// processes), apigateway (an http.Handler); bucket, events and states are the
// inbox: S3, EventBridge and Step Functions. This package puts them
// together, makes the tables, and ends everything that it started. It loads no
// data and knows no partner: a command does that, on the tables that it names.
//
// If it errs, something works here that does not work when it is deployed, or a
// process is left behind.
package local

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/dev/local/apigateway"
	"partnerview/internal/dev/local/engine"
	"partnerview/internal/dev/local/issuer"
	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/template"
)

// Options say what is run. Only Root must be given.
type Options struct {
	Root       string            // the repository: template.yaml, functions/, node_modules/
	Parameters map[string]string // of the template, in place of their defaults: {"AuthorizerTtlSeconds": "2"}
	Listen     string            // "127.0.0.1:3000"; empty: 127.0.0.1 and a free port

	// Endpoint is a DynamoDB engine that runs already, "http://127.0.0.1:8000". The
	// tables made there are deleted in the end. Empty: one is started.
	Endpoint string
	// Path is a folder in which the engine that is started keeps its tables. They
	// have the same names each time, and what is in them stays, as do the audit lines.
	// Empty: the tables are in memory, and the audit lines in a file that goes with them.
	Path string

	// Issuer is whose single sign-on is started beside the product, which is told of it
	// by parameters of the template. Its Page is set here. Nil: there is none.
	Issuer *issuer.Config

	// InboxPause is the longest that the inbox's state machine waits in one go, between
	// two tries too, so that tests need not wait as long as the template says. 0: as that says.
	InboxPause time.Duration
	// InboxThrough stands before the inbox's bucket, as one that fails; nil: nothing does.
	InboxThrough func(bucket http.Handler) http.Handler

	Now time.Time // fixes the functions' clock; zero: the time of day

	// Binaries is the folder of the functions' binaries for this machine, in which one
	// is <logical id>/bootstrap. Empty: build/host in Root.
	Binaries     string
	Prebuilt     bool // whether they are there already, and are not built
	MaxInstances int  // of each function; 0: lambda's default

	Requests io.Writer // gets a line for each request; nil: nowhere
	Logs     io.Writer // gets what the functions print, line by line; nil: nowhere
}

// Stack is the running product.
type Stack struct {
	BaseURL  string            // "http://127.0.0.1:3000/v1"
	Endpoint string            // of the DynamoDB engine
	Issuer   *issuer.Issuer    // nil: none was asked for
	Tables   map[string]string // logical id → name: {"UsageTable": "partnerview-UsageTable-…"}
	Fresh    bool              // whether the tables were made now, and so are empty
	Plans    []string          // logical ids of the usage plans that are enforced; see PlanKey
	AuditLog string            // the file of the functions' audit lines
	InboxURL string            // of the bucket that files are put into; empty: the template has none

	variables map[string]string
	tables    *engine.Tables
	engine    *engine.Engine // nil: a foreign one
	functions map[string]*lambda.Function
	audit     *auditLog
	inbox     *inbox // nil: there is none
	server    *http.Server
	served    chan struct{} // closed when the server has ended

	stop    sync.Once
	stopped chan struct{}
	stopErr error
}

// Start runs the product and returns when it serves. ctx bounds the start only.
// What it has started by the time that something fails, it ends. Each error is
// one line that says the way out, but for the compiler's.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	if o.Endpoint != "" && o.Path != "" {
		return nil, errors.New("a folder to keep the tables in is for the engine that is started here, " +
			"not for one that runs already")
	}
	t, err := readTemplate(o)
	if err != nil {
		return nil, err
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", o.Listen) // first: a taken port is told at once
	if err != nil {
		return nil, err
	}
	s := &Stack{Endpoint: o.Endpoint, Tables: make(map[string]string), functions: make(map[string]*lambda.Function),
		stopped: make(chan struct{})}
	defer func() {
		if err != nil {
			listener.Close()
			s.Stop(context.Background())
		}
	}()
	if o.Binaries == "" {
		o.Binaries = filepath.Join(o.Root, "build", "host")
	}
	if o.Issuer != nil {
		if t, err = s.startIssuer(ctx, &o, baseURL(listener, t)); err != nil {
			return nil, err
		}
	}
	group, both := errgroup.WithContext(ctx)
	if o.Prebuilt {
		if err := prebuilt(o.Binaries, t.Functions); err != nil {
			return nil, err
		}
	} else {
		group.Go(func() error { return build(both, o.Root, o.Binaries, t.Functions) })
	}
	group.Go(func() error { return s.startEngine(both, o, t.Tables) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := s.serve(listener, o, t); err != nil {
		return nil, err
	}
	return s, nil
}

// readTemplate reads the template with names for its tables: those that parameters have
// for them, as of tables that another stack made on the same engine, or new ones.
func readTemplate(o Options) (*template.Template, error) {
	path := filepath.Join(o.Root, "template.yaml")
	t, err := template.Read(path, o.Parameters)
	if err != nil {
		return nil, err
	}
	suffix := rand.Text()[:8]
	if o.Path != "" {
		suffix = "local"
	}
	values := merged(o.Parameters)
	for _, table := range t.Tables {
		values[table.ID] = cmp.Or(values[table.ID], "partnerview-"+table.ID+"-"+suffix)
	}
	bucketNames(t, values, suffix)
	return template.Read(path, values)
}

// startIssuer starts the issuer, which leads people back to the product, and reads
// the template again, with what the product must know of it.
func (s *Stack) startIssuer(ctx context.Context, o *Options, base string) (*template.Template, error) {
	config := *o.Issuer
	config.Page = base + "/"
	started, err := issuer.Start(ctx, o.Root, config)
	if err != nil {
		return nil, err
	}
	s.Issuer = started
	o.Parameters = merged(o.Parameters, issuer.Parameters(started.URL))
	return readTemplate(*o)
}

// startEngine starts the engine, or finds the one that runs, and makes tables.
func (s *Stack) startEngine(ctx context.Context, o Options, wanted []template.Table) error {
	if s.Endpoint == "" {
		path := o.Path
		if path != "" {
			var err error
			if path, err = filepath.Abs(path); err != nil {
				return err
			}
		}
		started, err := engine.Start(ctx, o.Root, path, 0)
		if err != nil {
			return err
		}
		s.engine, s.Endpoint = started, started.Endpoint
	}
	s.tables = engine.NewTables(s.Endpoint)
	made, err := s.tables.Create(ctx, wanted)
	if err != nil {
		if s.engine == nil {
			return fmt.Errorf("the DynamoDB engine at %s cannot be used: %w; start it, "+
				"or unset DYNAMODB_ENDPOINT to run dynalite", s.Endpoint, err)
		}
		return err
	}
	s.Fresh = made == len(wanted)
	for _, table := range wanted {
		s.Tables[table.ID] = table.Name
	}
	return nil
}

// serve puts functions and gateway together and serves.
func (s *Stack) serve(listener net.Listener, o Options, t *template.Template) error {
	var err error
	if s.audit, err = openAuditLog(o.Path); err != nil {
		return err
	}
	s.AuditLog = s.audit.path
	out := new(sync.Mutex) // one for both: they may be the same
	logs, requests := lockedWriter{out, o.Logs}, lockedWriter{out, o.Requests}
	printed := auditedWriter{s.audit, logs}
	if s.inbox, err = s.startInbox(o, t, requests); err != nil {
		return err
	}
	if s.inbox != nil {
		s.InboxURL = s.inbox.server.URL(t.Buckets[0].Name)
	}

	s.variables = s.engineVariables(o.Now)
	for _, f := range t.Functions {
		maps.Copy(s.variables, f.Environment)
		s.functions[f.ID] = lambda.New(lambda.Config{
			Name: f.ID, Bootstrap: filepath.Join(o.Binaries, f.ID, "bootstrap"), Timeout: f.Timeout,
			MemoryMB:    f.MemoryMB,
			Environment: merged(f.Environment, s.engineVariables(o.Now)), MaxInstances: o.MaxInstances, Log: printed,
		})
	}
	address := listener.Addr().String()
	gateway, err := apigateway.New(apigateway.Config{Template: t, Domain: address, Invoke: s.invoke, Log: requests})
	if err != nil {
		return err
	}
	s.BaseURL = baseURL(listener, t)
	s.server = &http.Server{
		Handler: gateway, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: log.New(logs, "gateway | ", 0),
	}
	if slices.ContainsFunc(t.Routes, func(r template.Route) bool { return r.Metered }) {
		for _, p := range t.UsagePlans {
			s.Plans = append(s.Plans, p.ID)
		}
	}
	s.served = make(chan struct{})
	go func() {
		s.server.Serve(gateway.Listen(listener)) // until Stop
		close(s.served)
	}()
	return nil
}

// engineVariables lead to the engines, and are set for every function.
func (s *Stack) engineVariables(now time.Time) map[string]string {
	variables := map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": s.Endpoint}
	if s.inbox != nil {
		variables["AWS_ENDPOINT_URL_S3"] = s.inbox.server.Endpoint
	}
	if !now.IsZero() {
		variables["PARTNERVIEW_NOW"] = now.Format(time.RFC3339Nano)
	}
	return variables
}

func (s *Stack) invoke(ctx context.Context, function string, event []byte) ([]byte, error) {
	f, ok := s.functions[function]
	if !ok {
		return nil, fmt.Errorf("the template has no function %s", function)
	}
	return f.Invoke(ctx, event)
}

// Getenv gives the variables that any function of the product has, those that name a
// table which none has, and those that lead to its engine: with it, a store is made on
// this stack's tables as a function makes one. Empty where there is no such variable; the
// process's own are never looked at.
func (s *Stack) Getenv(name string) string {
	switch name {
	case "AWS_REGION":
		return lambda.Region
	case "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY":
		return engine.Credential
	}
	if value, exists := s.variables[name]; exists {
		return value
	}
	for id, table := range s.Tables { // as LEDGER_TABLE, of a table that is the commands' alone
		if name == strings.ToUpper(strings.TrimSuffix(id, "Table"))+"_TABLE" {
			return table
		}
	}
	return ""
}

// PlanKey is the gateway key with which a partner is counted under one of the
// stack's Plans. Whoever keeps it for the authorizer has put the partner into the
// plan: there is no control plane on one machine.
func PlanKey(plan, partner string) string { return apigateway.PlanKey(plan, partner) }

// Wait returns when the stack was stopped (nil), or when its engine or its issuer
// has ended by itself: then it must be stopped still.
func (s *Stack) Wait() error {
	var engineEnded, issuerEnded <-chan struct{} // nil, which is for ever, with a foreign engine and without an issuer
	if s.engine != nil {
		engineEnded = s.engine.Done()
	}
	if s.Issuer != nil {
		issuerEnded = s.Issuer.Done()
	}
	select {
	case <-s.stopped:
		return nil
	case <-engineEnded:
		if err := s.engine.Err(); err != nil {
			return fmt.Errorf("%w; start again, or set DYNAMODB_ENDPOINT to another engine", err)
		}
		return nil
	case <-issuerEnded:
		if err := s.Issuer.Err(); err != nil {
			return fmt.Errorf("%w; start again", err)
		}
		return nil
	}
}

// Stop ends everything that was started, and returns when it is gone. Requests
// under way are answered before, as long as ctx allows. It may be called more
// than once.
func (s *Stack) Stop(ctx context.Context) error {
	s.stop.Do(func() {
		defer close(s.stopped)
		if s.server != nil {
			if err := s.server.Shutdown(ctx); err != nil {
				s.server.Close()
			}
			<-s.served
		}
		s.stopErr = s.inbox.stop(ctx)
		var functions sync.WaitGroup
		for _, f := range s.functions {
			functions.Go(f.Stop)
		}
		functions.Wait()
		if s.audit != nil {
			s.stopErr = errors.Join(s.stopErr, s.audit.close())
		}
		if s.Issuer != nil {
			s.Issuer.Stop()
		}
		if s.tables != nil && s.engine == nil {
			s.stopErr = errors.Join(s.stopErr, s.tables.Delete())
		}
		if s.tables != nil {
			s.tables.Close()
		}
		if s.engine != nil {
			s.engine.Stop()
		}
	})
	return s.stopErr
}

// merged are the entries of all; of several of a name the last.
func merged(all ...map[string]string) map[string]string {
	into := make(map[string]string)
	for _, m := range all {
		maps.Copy(into, m)
	}
	return into
}

// baseURL is where the product is reached.
func baseURL(listener net.Listener, t *template.Template) string {
	return "http://" + reachable(listener.Addr().String()) + "/" + t.Stage
}

// reachable is an address that a client on this machine can use.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// lockedWriter lets many goroutines write, one after the other. Without a writer
// it takes everything and keeps nothing.
type lockedWriter struct {
	mu *sync.Mutex
	to io.Writer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	if w.to == nil {
		return len(p), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
