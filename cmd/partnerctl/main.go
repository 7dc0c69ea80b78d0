// Partnerctl is the tool of the platform's operator: it brings partners,
// customers and price lists to the state of a file or changes one of them, makes,
// finds and ends access keys, explains prices, loads, shows and deletes usage, and loads
// remaining credit. docs/operating.md shows it at work.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends us at once
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}
