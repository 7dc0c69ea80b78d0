package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
)

// The exit codes; docs/operating.md tells them.
const (
	exitFailure  = 1 // nothing, or not all, was done: the error says what
	exitUsage    = 2 // the command line cannot be
	exitRejected = 3 // all was done, but for lines that could not be taken
)

type streams struct {
	in       io.Reader
	out, err io.Writer
}

// commandLine is what may be typed.
type commandLine struct {
	Apply    applyCommand     `cmd:"" help:"Bring partners, customers and price lists to the state of a file."`
	Partner  partnerCommands  `cmd:"" help:"Partners."`
	Grant    grantCommands    `cmd:"" help:"Which partner sees which customer."`
	Key      keyCommands      `cmd:"" help:"Access keys."`
	Viewer   viewerCommands   `cmd:"" help:"People with customers of their own."`
	Customer customerCommands `cmd:"" help:"Customers."`
	Price    priceCommands    `cmd:"" help:"Price lists and prices."`
	Import   struct {
		Usage  importUsageCommand  `cmd:"" help:"Load usage records from files."`
		Credit importCreditCommand `cmd:"" help:"Load the customers' remaining credit from files."`
		List   importListCommand   `cmd:"" help:"List what was loaded: by whom, when, and what came of it."`
		Show   importShowCommand   `cmd:"" help:"Show one import."`
	} `cmd:"" help:"Load data."`
	Usage      usageCommands     `cmd:"" help:"Usage records."`
	History    historyCommand    `cmd:"" help:"Show who changed access, prices or customers, and when."`
	Totals     totalsCommands    `cmd:"" help:"Totals of usage by day."`
	Audit      auditCommand      `cmd:"" help:"Show who looked at a customer's data: which partner, by which key or person, when."`
	Doctor     doctorCommand     `cmd:"" help:"Check the tables, the clock and your permissions."`
	Version    versionCommand    `cmd:"" help:"Show which version of partnerctl this is."`
	Completion completionCommand `cmd:"" help:"Print a shell completion script."`

	Connection connection `embed:""`
	Output     string     `short:"o" enum:"text,json,csv" default:"text" help:"Output format: text for people, json for programs; csv, a table for spreadsheets, of audit alone."`
}

// errRejected ends a command that has done all it could.
var errRejected = errors.New("some lines were rejected")

func newParser(line *commandLine, std streams, exit func(int)) (*kong.Kong, error) {
	parser, err := kong.New(line, append(argumentParsers(),
		kong.Name("partnerctl"),
		kong.Description("The operator's tool of Partnerview. Exit codes: 0 all well, 1 failure, 2 wrong use, "+
			"3 some lines rejected."),
		kong.Writers(std.out, std.err),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"formats": formatNames()},
	)...)
	if err != nil {
		return nil, err
	}
	for _, command := range parser.Model.Leaves(false) {
		help := helpTexts[command.Path()]
		example := strings.TrimSpace(command.FullPath() + " " + help.example)
		command.Detail = help.text + "\n\nExample: " + example
	}
	return parser, nil
}

// run carries a command line out and returns the exit code.
func run(ctx context.Context, args []string, std streams) int {
	var line commandLine
	helped := false
	parser, err := newParser(&line, std, func(int) { helped = true }) // kong asks for it after --help, and goes on
	if err != nil {
		fmt.Fprintln(std.err, "partnerctl:", err)
		return exitFailure
	}
	if len(args) > 0 && args[0] == completeWord {
		for _, c := range candidates(parser.Model, args[1:], storedWords(ctx, args[1:])) {
			fmt.Fprintf(std.out, "%s\t%s\n", c.word, c.help)
		}
		return 0
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return 0
	case err != nil:
		s := &session{std: std, json: wantsJSON(args)}
		return s.fail(exitUsage, fmt.Sprintf("%s\nSee: %s --help", misuseText(err), understood(err)))
	}
	s := &session{ctx: ctx, std: std, connection: line.Connection, json: line.Output == "json",
		csv: line.Output == "csv", colour: wantsColour(std.out), command: command.Selected().Path()}
	if s.csv && s.command != "audit" {
		err = misuseError("--output csv is for partnerctl audit alone: give json")
	} else {
		err = line.Connection.check()
	}
	if err == nil {
		err = command.Run(s)
	}
	switch misuse, isMisuse := errors.AsType[misuseError](err); {
	case err == nil:
		return 0
	case errors.Is(err, errRejected):
		return exitRejected
	case isMisuse:
		return s.fail(exitUsage, misuse.Error())
	}
	text := explain(ctx, err)
	if unsaid, too := errors.AsType[*notNoted](err); too && text != unsaid.Error() {
		text += "\n" + unsaid.Error()
	}
	return s.fail(exitFailure, text)
}

// failure is what programs get where there is no result.
type failure struct {
	Error string `json:"error"`
}

// fail tells what went wrong: people always, and a program that has not got its
// result, so that it always has JSON to read.
func (s *session) fail(code int, text string) int {
	fmt.Fprintf(s.std.err, "partnerctl: %s\n", printableLines(text))
	if s.json && !s.answered {
		e := json.NewEncoder(s.std.out) // on one line: usage get may have written others
		e.SetEscapeHTML(false)
		_ = e.Encode(failure{text}) // the exit code tells it too
	}
	return code
}

// wantsJSON looks for --output json in a command line that cannot be.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		switch arg {
		case "--":
			return false
		case "--output=json", "-ojson", "-o=json":
			return true
		case "--output", "-o":
			if i+1 < len(args) && args[i+1] == "json" {
				return true
			}
		}
	}
	return false
}

// understood is as much of a command line as named a command.
func understood(err error) string {
	if wrong, ok := errors.AsType[*kong.ParseError](err); ok {
		if node := wrong.Context.Selected(); node != nil {
			return node.FullPath()
		}
	}
	return "partnerctl"
}

// noValue is how the parser says that a flag has nothing behind it, or another
// flag; emptyEnum how it lists words of which none need be given.
var (
	noValue   = regexp.MustCompile(`expected \S+ value but got .*`)
	emptyEnum = strings.NewReplacer(`one of "",`, "one of ", `one of ","`, `one of "`)
	// longNumber is what follows words that the parser repeats.
	longNumber = regexp.MustCompile(`((?:but got|unexpected argument|did you mean) )"?\+?[0-9(][-0-9 .()]{6,}"?`)
)

// misuseText is what the parser says of a command line, in words.
func misuseText(err error) string {
	text := noValue.ReplaceAllStringFunc(err.Error(), func(said string) string {
		if _, flag, found := strings.Cut(said, "perhaps try "); found {
			return "needs a value; one that begins with - is written " + strings.TrimSuffix(flag, "?")
		}
		return "needs a value"
	})
	return longNumber.ReplaceAllString(emptyEnum.Replace(text), "$1…")
}

// misuseError is a command line that cannot be, found while it is carried out.
type misuseError string

func (m misuseError) Error() string { return string(m) }

// session is what a command runs with.
type session struct {
	ctx        context.Context
	std        streams
	connection connection
	command    string // "grant add"
	json       bool
	csv        bool
	colour     bool
	answered   bool   // a result was printed for programs
	caller     string // in whose name the command acts; empty: it was not asked yet
}

// print writes a command's result: out for programs, or what people prints.
func (s *session) print(out any, people func()) error {
	if s.json {
		return s.printJSON(out)
	}
	people()
	return nil
}

// printJSON writes a command's result for programs.
func (s *session) printJSON(v any) error {
	s.answered = true
	e := json.NewEncoder(s.std.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func formatNames() string {
	var names []string
	for _, f := range importer.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// explain says what went wrong and what to do next: one line, or a list.
func explain(ctx context.Context, err error) string {
	var faults importer.Faults
	var wrong operator.UserError
	var api smithy.APIError
	var file *fs.PathError
	var unsaid *notNoted
	missing := new(types.ResourceNotFoundException)
	switch {
	case errors.As(err, &faults):
		return fmt.Sprintf("nothing was written: the file has %s\n%v", count(len(faults), "fault"), faults)
	case errors.As(err, &wrong):
		return string(wrong)
	case errors.As(err, &unsaid):
		return unsaid.Error()
	case ctx.Err() != nil:
		done := ""
		if p, ok := errors.AsType[*partlyDone](err); ok {
			done = p.done + ". "
		}
		return "interrupted. " + done + "What was written stays; run the same command again to finish"
	case errors.As(err, &file):
		return fileText(file)
	case errors.As(err, &missing):
		return "a table is not there: check the names of the tables, --stack, --endpoint and the region: " +
			oneLine(err)
	case fault.Is(err, fault.Unavailable):
		return "the database does not answer: check that it runs, and --endpoint; " +
			"then run the same command again, which is safe: " + oneLine(err)
	case errors.As(err, &api):
		return "AWS refuses: check the credentials and what they may do: " + oneLine(err)
	}
	return oneLine(err)
}

// fileText says what is wrong with a file, and what to look at.
func fileText(err *fs.PathError) string {
	switch name := strings.TrimSuffix(err.Path, "/"); {
	case errors.Is(err, fs.ErrNotExist):
		folder := filepath.Dir(name)
		if !filepath.IsAbs(name) {
			folder = filepath.Join("the current folder", folder)
		}
		return fmt.Sprintf("there is no %s: check the name, which is looked for in %s", name, folder)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("%s may not be opened: check who may read and write it, and its folder", name)
	case errors.Is(err, syscall.EISDIR):
		return fmt.Sprintf("%s is a folder: name a file in it", name)
	}
	return oneLine(err)
}

// partlyDone is an error of a command that has done a part of its work: "50 of 120
// records deleted".
type partlyDone struct {
	done string
	err  error
}

func (p *partlyDone) Error() string { return p.done + ": " + p.err.Error() }
func (p *partlyDone) Unwrap() error { return p.err }

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// count is "1 fault" or "2 faults".
func count[N int | int32 | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
