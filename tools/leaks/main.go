// Command leaks searches for what may not be seen. It makes up records from a seed, with
// telephone numbers in every spelling, and pieces of them, in every field of every format,
// and canaries in names and contents; sends them through the whole product; and looks at
// all that comes out: what partnerctl prints, lists of rejected lines, the inbox's results,
// the items of every table, the API's answers with their headers, as JSON and as CSV, its
// errors, the processes' logs with the audit's lines, and the page of the dashboard with
// what it downloads. Nothing may have five digits in a row that it does not explain.
//
// "make proof-leaks" runs it. Its last line has the counts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// timeout is what everything may take; on two processors it is a minute at most.
const timeout = 8 * time.Minute

func main() {
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "what the records are drawn by, as a run has printed it")
	records := flag.Int("records", 3000, "records of the native format; of the others there are half as many together")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	fmt.Printf("leaks: seed %d, %d records of the native format\n", *seed, *records)
	if err := run(ctx, *seed, *records); err != nil {
		fmt.Fprintln(os.Stderr, err)
		fmt.Println("leaks: failed")
		os.Exit(1)
	}
}

// counts are what was done.
type counts struct{ written, rejected, shown, errors, items, pages int }

func run(ctx context.Context, seed uint64, records int) (err error) {
	root, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	if _, err := os.Stat("template.yaml"); err != nil {
		return errors.New("run this in the repository's root")
	}
	w := &writer{rng: rand.New(rand.NewPCG(seed, 45)), now: time.Now(), watch: newWatch(operators)}
	p, err := start(ctx, root, w.watch)
	if err != nil {
		return err
	}
	n, err := p.everything(ctx, w, records)
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	if found := w.watch.found; len(found) > 0 {
		for _, leak := range slices.Sorted(maps.Keys(found))[:min(40, len(found))] {
			fmt.Printf("  %s (%d times)\n", leak, found[leak])
		}
		return fmt.Errorf("%d different leaks", len(found))
	}
	fmt.Printf("leaks: none in %d texts of %.1f MB: %d records taken and %d lines rejected in 6 formats by partnerctl and the inbox, %d records shown, "+
		"%d requests with numbers, %d items of tables, %d views of the page; seed %d\n",
		w.watch.texts, float64(w.watch.bytes)/1e6, n.written, n.rejected, n.shown, n.errors, n.items, n.pages, seed)
	return nil
}

// everything sends records through the product, and reads all that it has.
func (p *product) everything(ctx context.Context, w *writer, records int) (n counts, err error) {
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"imports by partnerctl", func() error { return p.byHand(ctx, w, records, &n) }},
		{"imports by the inbox", func() error { return p.byInbox(ctx, w, records/10, &n) }},
		{"what another pipeline wrote", func() error { return p.besides(ctx, w, records/10) }},
		{"what the operator is told", func() error { return p.told(ctx) }},
		{"what a partner reads", func() error { n.shown, err = p.reads(ctx); return err }},
		{"requests with numbers", func() error { n.errors, err = p.errs(ctx, w); return err }},
		{"the items of the tables", func() error { n.items, err = p.items(ctx); return err }},
		{"the page", func() error { n.pages, err = p.page(); return err }},
	} {
		began := time.Now()
		if err := step.do(); err != nil {
			return n, fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Printf("  %s, %.0f s\n", step.name, time.Since(began).Seconds())
	}
	if n.written < records/3 || n.rejected < records/10 || n.shown < n.written/2 {
		return n, fmt.Errorf("too little was taken or rejected to say anything: %+v", n)
	}
	return n, nil
}

// byHand loads files of every format by partnerctl; their names tell numbers too.
func (p *product) byHand(ctx context.Context, w *writer, records int, n *counts) error {
	load := func(ending string, file []byte, command ...string) error {
		written, rejected, err := p.imports(ctx, "usage-"+string(w.number())+ending, file, command...)
		n.written, n.rejected = n.written+written, n.rejected+rejected
		return err
	}
	if err := load(".ndjson", w.native(records), "usage"); err != nil {
		return err
	}
	for _, format := range sortedKeys(exports) {
		if err := load(".csv", w.csvFile(format, records/8), "usage", "--format", format, "--keep-going"); err != nil {
			return err
		}
	}
	if err := load(".ndjson", w.receipts(records/8), "usage", "--format", "connect-sms-receipts", "--keep-going"); err != nil {
		return err
	}
	return load(".csv", w.credit(100), "credit")
}

// byInbox uploads files of every format.
func (p *product) byInbox(ctx context.Context, w *writer, lines int, n *counts) error {
	files := map[string][]byte{"native": w.native(lines), "connect-sms-receipts": w.receipts(lines), "credit": w.credit(lines / 10)}
	for format := range exports {
		files[format] = w.csvFile(format, lines)
	}
	for _, folder := range sortedKeys(files) {
		written, rejected, err := p.uploads(ctx, folder+"/usage-"+string(w.number())+".txt", files[folder])
		if err != nil {
			return err
		}
		n.written, n.rejected = n.written+written, n.rejected+rejected
	}
	return nil
}

// told asks for what the operator may read of it all.
func (p *product) told(ctx context.Context) error {
	for _, arguments := range [][]string{
		{"totals", "rebuild"}, {"import", "list"}, {"import", "list", "--output", "json"}, {"history"}, {"doctor"}, {"customer", "list"}, {"usage", "mend-ids", "--dry-run"},
		{"totals", "show", accounts[0]}, {"customer", "show", accounts[1]}, {"usage", "get", accounts[0], "--product", "sms", "--limit", "500"},
		{"usage", "get", accounts[1], "--product", "video", "--limit", "500", "--output", "json"},
	} {
		if out, code := p.operates(ctx, "", arguments...); code == 2 {
			return fmt.Errorf("partnerctl %v: %s", arguments, out)
		}
	}
	return nil
}

func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }
