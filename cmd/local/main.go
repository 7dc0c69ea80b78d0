// Local runs the whole product on this machine, as `make run` does: a DynamoDB
// engine, the functions as their real binaries, the gateway of template.yaml, and
// sample data loaded by the operator's own code. It needs no AWS account.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"partnerview/internal/dev/local"
	"partnerview/internal/usage"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends us at once, and what we started with us
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// commandLine is what may be typed.
type commandLine struct {
	Listen     string            `placeholder:"ADDRESS" default:"127.0.0.1:3000" help:"Where to serve. Port 0 picks a free one."`
	Empty      bool              `help:"Load no sample data: the tables stay as they are."`
	Records    int               `placeholder:"N" default:"${records}" help:"How many usage records the sample data has, over 90 days. With fewer it serves sooner."`
	ReadyFile  string            `type:"path" placeholder:"PATH" help:"Write this file when it serves: JSON with baseUrl, dynamodbEndpoint, tables, auditLog, inboxUrl, partners with their keys and, with --sso, the issuer."`
	SSO        bool              `name:"sso" help:"Start an OpenID provider too, with two users and a program of different partners: people sign in there, and tokens count beside access keys."`
	Now        *timeArgument     `placeholder:"TIME" help:"Take this for the time, as 2026-06-01T00:00:00Z, in the functions and for the sample data."`
	Path       string            `type:"path" placeholder:"FOLDER" help:"Keep the tables and the audit lines in this folder. Sample data is loaded only when it is new."`
	Inbox      bool              `negatable:"" default:"true" help:"Serve the inbox: a bucket whose files are imported by themselves. --inbox=false, or --no-inbox, is the template's parameter Inbox."`
	InboxPause time.Duration     `placeholder:"TIME" help:"Let an import wait no longer than this, as 1s, in one go: where somebody else writes, and between two tries. Else it waits as template.yaml says, a minute and more."`
	Parameter  map[string]string `placeholder:"NAME=VALUE" help:"Give a parameter of template.yaml another value than its default, as AuthorizerTtlSeconds=0. May be repeated."`
	UntilEOF   bool              `name:"until-eof" help:"End when standard input ends too: for a program that starts this one, and may be killed."`
	Logs       bool              `help:"Show all that the functions log, not only what is wrong."`
	Log        string            `enum:"text,json" default:"text" placeholder:"FORM" help:"What to print while it serves: text, a line for each request; or json, the lines of the functions' logs as they are, audit and metrics among them, and nothing else."`
	BuildDir   string            `type:"path" placeholder:"FOLDER" help:"Serve the binaries in this folder, such as .aws-sam/build, in place of building them. They must be for this machine: BUILD_GOARCH=amd64 sam build makes such on an amd64."`
	Endpoint   string            `env:"DYNAMODB_ENDPOINT,AWS_ENDPOINT_URL_DYNAMODB" placeholder:"URL" help:"A DynamoDB engine that runs already, such as DynamoDB Local. Without one, dynalite is started, which needs Node."`
}

// timeArgument is a time in RFC 3339.
type timeArgument struct{ time time.Time }

func (a *timeArgument) UnmarshalText(text []byte) (err error) {
	a.time, err = usage.ParseTime(string(text))
	return err
}

const description = `Runs the whole of Partnerview on this machine: a DynamoDB engine, the functions of template.yaml as their real binaries, and the gateway with its routes, authorizer and refusals. It prints the address, a demo key of each partner and calls to try, and then a line for each request. Ctrl-C ends it and everything that it started.`

// The exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

// stopTimeout is how long requests under way may take when we are asked to end.
const stopTimeout = 5 * time.Second

// run carries a command line out, until ctx ends (with --until-eof, stdin too), and
// returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var line commandLine
	helped := false
	parser, err := kong.New(&line, kong.Name("local"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Vars{"records": strconv.Itoa(sampleRecords)},
		kong.Exit(func(int) { helped = true })) // kong asks for it after --help, and goes on
	if err != nil {
		fmt.Fprintln(stderr, "local:", err)
		return exitFailure
	}
	_, err = parser.Parse(args)
	switch {
	case helped:
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "local: %v\nSee: go run ./cmd/local --help\n", err)
		return exitUsage
	}
	if line.Records < 0 {
		fmt.Fprintln(stderr, "local: --records cannot be negative\nSee: go run ./cmd/local --help")
		return exitUsage
	}
	if line.UntilEOF {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		go func() { // ends with its input, or with the process
			defer cancel()
			_, _ = io.Copy(io.Discard, stdin) // an input that cannot be read has ended
		}()
	}
	if err := serve(ctx, line, stdout, stderr); err != nil && ctx.Err() == nil {
		fmt.Fprintln(stderr, "local:", explain(err, line))
		return exitFailure
	}
	return 0
}

// serve runs the product until ctx ends, or something that it needs does.
func serve(ctx context.Context, line commandLine, stdout, stderr io.Writer) error {
	root, err := repository()
	if err != nil {
		return err
	}
	if line.ReadyFile != "" {
		if err := os.Remove(line.ReadyFile); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	options := local.Options{
		Root: root, Parameters: line.Parameter, Listen: line.Listen, Endpoint: line.Endpoint, Path: line.Path,
		InboxPause: line.InboxPause, Requests: stderr, Logs: complaints{stderr},
	}
	if !line.Inbox {
		options.Parameters = maps.Clone(line.Parameter)
		if options.Parameters == nil {
			options.Parameters = make(map[string]string)
		}
		options.Parameters["Inbox"] = "false"
	}
	switch {
	case line.Log == "json":
		options.Requests, options.Logs = nil, rawLines{stderr}
	case line.Logs:
		options.Logs = stderr
	}
	starting := "Building the functions, which takes a minute the first time, and starting the database …"
	if line.BuildDir != "" {
		options.Binaries, options.Prebuilt = line.BuildDir, true
		starting = "Starting the database …"
	}
	clock := time.Now
	if line.Now != nil {
		options.Now = line.Now.time
		clock = func() time.Time { return line.Now.time }
	}
	if line.SSO {
		if line.Now != nil {
			return errors.New("--now and --sso do not go together: an issuer's tokens are of the time of day, " +
				"and would not count at another")
		}
		options.Issuer = &demoIssuer
	}
	fmt.Fprintln(stderr, starting)
	stack, err := local.Start(ctx, options)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := stack.Wait(); err != nil {
			cancel(err) // whatever is under way cannot go on
		}
	}()
	defer func() {
		late, cancelLate := context.WithTimeout(context.Background(), stopTimeout)
		defer cancelLate()
		if stopErr := stack.Stop(late); stopErr != nil {
			fmt.Fprintln(stderr, "local:", stopErr)
		}
		<-ended
		cancel(nil)
	}()

	var partners []demoPartner
	if stack.Fresh && !line.Empty {
		fmt.Fprintln(stderr, "Loading the sample data, and counting its totals: some ten seconds …")
		if partners, err = loadSample(ctx, stack, root, clock(), line.Records); err != nil {
			return because(ctx, err)
		}
	}
	uncounted := false
	if !stack.Fresh {
		if uncounted, err = hasUncounted(ctx, stack); err != nil {
			return because(ctx, err)
		}
	}
	upload := ""
	if len(partners) > 0 && stack.InboxURL != "" {
		if upload, err = writeUpload(root, clock()); err != nil {
			return err
		}
		defer os.Remove(upload)
	}
	announce(stdout, stack, partners, upload, uncounted)
	if line.ReadyFile != "" { // last: whoever waits for it finds all else said
		if err := writeReadyFile(line.ReadyFile, stack, partners); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return because(ctx, nil)
}

// because is what ended the product by itself, where that has happened, else err.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// explain puts an error in the words of our command line.
func explain(err error, line commandLine) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf("%s is taken by another program: end that, or choose another address: "+
			"--listen 127.0.0.1:0 picks a free port (make run ARGS=\"--listen 127.0.0.1:0\")", line.Listen)
	case line.Endpoint != "" && line.Path != "":
		return "--path is for the engine that is started here: leave it out, or unset DYNAMODB_ENDPOINT"
	}
	return err.Error()
}

// repository is the folder of template.yaml, at or above the current one.
func repository() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "template.yaml")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("there is no template.yaml in this folder or above it: " +
				"run this in Partnerview's repository")
		}
		folder = parent
	}
}
