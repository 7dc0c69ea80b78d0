// Partnerctl is the tool of the platform's operator: it brings partners,
// customers and price lists to the state of a file or changes one of them, makes,
// finds and ends access keys, explains prices, loads, shows and deletes usage, and loads
// remaining credit. docs/operating.md shows it at work.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // a second Ctrl-C ends us at once
		time.AfterFunc(lastWait, giveUp)
	})
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// lastWait is how long a command that is interrupted has to end by itself. Only
// what cannot be told to end takes longer: a write to a pipe that nobody reads, a
// file system that does not answer.
const lastWait = 1500 * time.Millisecond

func giveUp() {
	told := make(chan struct{})
	go func() { // the standard error may be what is not read
		fmt.Fprintln(os.Stderr,
			"partnerctl: interrupted, while waiting for what does not answer. What was written stays; "+
				"run the same command again to finish")
		close(told)
	}()
	select {
	case <-told:
	case <-time.After(lastWait / 10):
	}
	os.Exit(exitFailure)
}
