package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"

	"partnerview/internal/usage"
	"partnerview/tools/report"
)

// bench is what all parts are measured with.
type bench struct {
	options
	out       io.Writer
	folder    string
	functions []*side // hello, floor, and ours
	besides   []*side // of another checkout, for the quotas
	answers   tables  // DynamoDB's
	daemon    *daemon
	on        cores
	machine   string
}

// newBench builds what is measured, looks whether the machine is quiet, and takes its
// cores. It is to be closed.
func newBench(ctx context.Context, o options, out io.Writer) (*bench, error) {
	b := &bench{options: o, out: out, machine: fmt.Sprintf("%s %s/%s, %d CPUs", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}
	if err := b.prepare(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) prepare(ctx context.Context) (err error) {
	allowed, err := allowedCores()
	if err != nil {
		return err
	}
	var key string
	if b.answers, key, err = everything(); err != nil {
		return err
	}
	if b.folder, err = os.MkdirTemp("", "partnerview-bench-"); err != nil {
		return err
	}
	if _, _, err := awaitQuiet(ctx, allowed); err != nil { // before a build that would be for nothing
		return err
	}
	if b.functions, err = build(ctx, b.folder, key); err != nil {
		return err
	}
	for _, f := range b.functions {
		if b.beside == "" || !slices.Contains(measuredOnLambda, f.name) {
			continue
		}
		other, err := buildBeside(ctx, f, b.beside)
		if err != nil {
			return err
		}
		b.besides = append(b.besides, other)
	}
	for _, f := range slices.Concat(b.functions, b.besides) {
		if err := f.zip(); err != nil {
			return err
		}
	}
	if b.on.functions, b.on.own, err = awaitQuiet(ctx, allowed); err != nil {
		return err
	}
	if err := keepOn(b.on.own); err != nil {
		return err
	}
	b.daemon, err = newDaemon()
	return err
}

func (b *bench) close() error {
	if b.daemon != nil {
		b.daemon.close()
	}
	if b.folder == "" {
		return nil
	}
	return os.RemoveAll(b.folder)
}

// all measures every part, and tells each as soon as it is there.
func (b *bench) all(ctx context.Context) error {
	fmt.Fprintf(b.out, "%s; functions on core %d, all else on core %d\n\n", b.machine, b.on.functions, b.on.own)
	if err := b.cold(ctx); err != nil {
		return err
	}
	if b.quotaStarts > 0 && !b.check && !b.record {
		if err := b.onLambda(ctx); err != nil {
			return err
		}
	}
	pages, err := b.warm(ctx)
	if err != nil {
		return err
	}
	found := recordingOf(b.machine, b.functions, pages)
	switch {
	case b.record:
		return found.write(recordedFile)
	case b.check:
		recorded, err := readRecording(recordedFile)
		if err != nil {
			return err
		}
		return found.against(recorded)
	}
	return nil
}

func (b *bench) show(t report.Table) {
	if b.markdown {
		fmt.Fprintln(b.out, t.Markdown())
		return
	}
	fmt.Fprintln(b.out, t.Text())
}

// environment is a function's, with DynamoDB at an address.
func (b *bench) environment(address string) variables {
	return append(environment(address), "AWS_XRAY_DAEMON_ADDRESS="+b.daemon.address())
}

// cold measures starts, once hello-world has been equal to itself.
func (b *bench) cold(ctx context.Context) error {
	server, address, err := serve(b.answers, nil)
	if err != nil {
		return err
	}
	defer server.Close()
	env := b.environment(address)
	if err := twins(ctx, b.functions[0], b.starts, env, b.on); err != nil {
		return err
	}
	if err := startInTurn(ctx, b.functions, b.starts, env, b.on); err != nil {
		return err
	}
	if b.daemon.segments.Load() == 0 {
		return errors.New("no trace came: X-Ray was not on")
	}
	b.show(coldTable(b.functions, b.starts))
	return nil
}

// onLambda measures what answers cost with the quotas of memory sizes; where signals
// are no quota either, the table is left out.
func (b *bench) onLambda(ctx context.Context) (err error) {
	q, why := newQuota()
	if why != "" {
		fmt.Fprintf(b.out, "Quotas by signals: %s\n\n", why)
	}
	defer func() { err = errors.Join(err, q.close()) }()
	with, bundle, err := certify(b.folder)
	if err != nil {
		return err
	}
	server, address, err := serve(b.answers, with)
	if err != nil {
		return err
	}
	defer server.Close()
	large, largeAddress, err := serve(aLog(usage.SMS, largestPage), with)
	if err != nil {
		return err
	}
	defer large.Close()
	p := plan{starts: b.quotaStarts, warm: b.quotaWarm, functions: b.besides}
	for _, f := range b.functions {
		if slices.Contains(measuredOnLambda, f.name) {
			p.functions = append(p.functions, f)
		}
		if f.name == "getusage" {
			p.functions = append(p.functions, ofLargestPage(f, largeAddress))
		}
	}
	all, err := asOnLambda(ctx, p, q, append(b.environment(address), "SSL_CERT_FILE="+bundle), b.on)
	if err != nil {
		return err
	}
	b.show(lambdaTable(all, p, q))
	return nil
}

// warm measures pages of two products; a check has one of them.
func (b *bench) warm(ctx context.Context) (pages []warmPage, err error) {
	products := map[usage.Product]any{usage.SMS: new(usageAnswer[smsAnswer]), usage.Voice: new(usageAnswer[voiceAnswer])}
	for _, p := range []usage.Product{usage.SMS, usage.Voice} {
		if b.check && p != usage.SMS || b.record && p != usage.SMS {
			continue
		}
		page, err := warm(ctx, p, products[p], b.rounds)
		if err != nil {
			return nil, err
		}
		b.show(page.table())
		pages = append(pages, page)
	}
	return pages, nil
}
