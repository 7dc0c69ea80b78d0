package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"partnerview/internal/dynamo"
)

// product is the product, as make run starts it, on empty tables of its own.
type product struct {
	base   string // "http://127.0.0.1:34567/v1"
	tables dynamo.Tables

	cmd   *exec.Cmd
	log   bytes.Buffer // complete when ended has told
	ended chan error   // gets what it ended with, once
}

// It builds its functions before it serves.
const (
	startTimeout = 5 * time.Minute
	stopTimeout  = 20 * time.Second
)

// startProduct starts build/local on an engine and waits until it serves. Its bronze plan
// is small, and its authorizer is asked often. It ends with this process, however that ends.
func startProduct(ctx context.Context, endpoint string) (*product, error) {
	folder, err := os.MkdirTemp("", "partnerview-load-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	ready := filepath.Join(folder, "ready.json")
	p := &product{ended: make(chan error, 1)}
	p.cmd = exec.Command(filepath.Join("build", "local"), "--listen", "127.0.0.1:0", "--ready-file", ready,
		"--empty", "--until-eof", "--no-inbox", "--now", now.Format(time.RFC3339), "--endpoint", endpoint,
		"--parameter", "AuthorizerTtlSeconds=5", "--parameter", "UsagePlans=true",
		"--parameter", fmt.Sprintf("BronzeRate=%d", bronzeRate), "--parameter", fmt.Sprintf("BronzeBurst=%d", bronzeBurst),
		"--parameter", "GoldRate=10000", "--parameter", "GoldBurst=10000")
	if _, err := p.cmd.StdinPipe(); err != nil { // which closes with this process
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; make proof-load builds it", err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if text, err := os.ReadFile(ready); err == nil {
			return p, p.read(text)
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			return nil, fmt.Errorf("the product has ended: %w: %s", err, &p.log)
		case <-ctx.Done():
			return nil, errors.Join(errors.New("the product does not serve"), p.stop())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *product) read(text []byte) error {
	var ready struct {
		BaseURL string
		Tables  dynamo.Tables
	}
	if err := json.Unmarshal(text, &ready); err != nil {
		return errors.Join(err, p.stop())
	}
	p.base, p.tables = ready.BaseURL, ready.Tables
	return nil
}

// stop ends the product as Ctrl-C does, and waits for it.
func (p *product) stop() error {
	_ = p.cmd.Process.Signal(os.Interrupt) // it may have ended, which Wait tells
	select {
	case err := <-p.ended:
		p.ended <- err
		return err
	case <-time.After(stopTimeout):
		return errors.Join(errors.New("the product did not end when it was asked to"), p.cmd.Process.Kill())
	}
}
