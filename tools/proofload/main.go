// Command proofload loads the whole product with requests of 200 partners, and holds every
// answer against what its asker alone got before: lists, searches, pages, summaries and CSV,
// a fifth of them with credentials that open nothing, while a twentieth of the functions'
// calls to the database fail. No answer may be another's. No error may be told but a 401 for
// a bad credential, a 404 for another's customer, a 429 to whoever exceeds its plan, and a
// 503, as documented, for what fails. The memory of the functions' processes must not grow.
//
// It does so on dynalite and then on DynamoDB Local, and prints both side by side. "make
// proof-load" installs and builds what it needs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"partnerview/internal/dev/local/engine"
	"partnerview/tools/dynamodblocal"
)

func main() {
	lasting := flag.Duration("for", time.Minute, "how long both engines are loaded, half of it each")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute+2**lasting)
	defer cancel()
	if err := run(ctx, *lasting/2); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// errWrong: something was not as it must be, and was listed.
var errWrong = errors.New("not all was as it must be")

// running is an engine that runs.
type running struct {
	name, endpoint string
	stop           func()
}

func startDynalite(ctx context.Context) (running, error) {
	text, err := os.ReadFile(filepath.Join("node_modules", "dynalite", "package.json"))
	if err != nil {
		return running{}, err
	}
	var made struct{ Version string }
	if err := json.Unmarshal(text, &made); err != nil {
		return running{}, err
	}
	e, err := engine.Start(ctx, ".", "", 0)
	if err != nil {
		return running{}, err
	}
	return running{"dynalite " + made.Version, e.Endpoint, e.Stop}, nil
}

func startDynamoDBLocal(ctx context.Context) (running, error) {
	e, err := dynamodblocal.Start(ctx, ".")
	if err != nil {
		return running{}, err
	}
	return running{"DynamoDB Local " + e.Version, e.Endpoint, e.Stop}, nil
}

// run loads one engine after the other.
func run(ctx context.Context, lasting time.Duration) error {
	var all []outcome
	for _, start := range []func(context.Context) (running, error){startDynalite, startDynamoDBLocal} {
		o, err := runOn(ctx, start, lasting)
		if err != nil {
			return err
		}
		all = append(all, o)
	}
	fmt.Println()
	fmt.Println(requestsTable(all).Text())
	fmt.Println(memoryTable(all).Text())
	faults := 0
	for _, o := range all {
		for _, f := range o.faults() {
			fmt.Printf("FAIL on %s: %s\n", o.engine, f)
			faults++
		}
	}
	fmt.Println(sentence(all, faults))
	if faults > 0 {
		return errWrong
	}
	return nil
}

func runOn(ctx context.Context, start func(context.Context) (running, error), lasting time.Duration) (outcome, error) {
	e, err := start(ctx)
	if err != nil {
		return outcome{}, err
	}
	defer e.stop()
	o, err := newLoad(e.name).run(ctx, e.endpoint, lasting)
	if err != nil {
		return outcome{}, fmt.Errorf("%s: %w", e.name, err)
	}
	return o, nil
}

// sentence is what was shown.
func sentence(all []outcome, faults int) string {
	requests, mixedUp := 0, 0
	var names []string
	for _, o := range all {
		requests, mixedUp = requests+o.requests, mixedUp+o.mixedUp
		names = append(names, o.engine)
	}
	return fmt.Sprintf("load: %d requests of %d partners on %s, %d answers mixed up, %d faults",
		requests, partners, strings.Join(names, " and "), mixedUp, faults)
}
