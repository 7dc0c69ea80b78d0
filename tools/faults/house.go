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
	"strings"
	"time"

	"partnerview/internal/dev/local/engine"
	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/template"
)

// now is the time of everything that is tried: what is in testdata does not age.
const now = "2026-11-20T12:00:00Z"

// house is what all trials share: an engine, the binaries, and what the tables hold at first.
type house struct {
	root, folder string // the repository; where what is made goes
	binaries     string // of the functions, <logical id>/bootstrap
	engine       *engine.Engine
	base         contents
	keys         map[string]string // "whole", "narrow", "revoked", "ending": access keys
	ids          map[string]string // theirs
}

// newHouse builds the binaries, starts the engine and makes the first contents.
func newHouse(ctx context.Context) (_ *house, err error) {
	h := &house{keys: map[string]string{}, ids: map[string]string{}}
	if h.root, err = os.Getwd(); err != nil {
		return nil, err
	}
	h.binaries = filepath.Join(h.root, "build", "host")
	if h.folder, err = os.MkdirTemp("", "partnerview-faults-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			h.end()
		}
	}()
	if err := h.build(ctx); err != nil {
		return nil, err
	}
	if h.engine, err = engine.Start(ctx, h.root, "", 0); err != nil {
		return nil, err
	}
	return h, h.fill(ctx)
}

// end stops the engine and removes what was made.
func (h *house) end() {
	if h.engine != nil {
		h.engine.Stop()
	}
	_ = os.RemoveAll(h.folder) // it is the temporary folder's
}

func (h *house) build(ctx context.Context) error {
	written, err := template.Read(filepath.Join(h.root, "template.yaml"), nil)
	if err != nil {
		return err
	}
	for _, f := range written.Functions {
		to := filepath.Join(h.binaries, f.ID, "bootstrap")
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := lambda.Build(ctx, h.root, f.Folder, to); err != nil {
			return err
		}
	}
	return lambda.Build(ctx, h.root, "cmd/partnerctl", h.tool())
}

// tool is where partnerctl is built: where it is quick when nothing has changed.
func (h *house) tool() string { return filepath.Join(h.root, "build", "tried", "partnerctl") }

// fill makes the contents that trials begin with, by partnerctl.
func (h *house) fill(ctx context.Context) error {
	s, err := h.newStage(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	for _, args := range [][]string{{"apply", "-f", h.data("directory.yaml")}, {"import", "usage", h.data("seed.ndjson")}} {
		if said := s.partnerctl(ctx, args...); said.code != 0 {
			return fmt.Errorf("partnerctl %s: exit %d: %s", strings.Join(args, " "), said.code, said.err)
		}
	}
	for name, more := range map[string][]string{
		"whole": nil, "narrow": {"--customer", "alder_cafe=sms"}, "revoked": nil, "ending": {"--expires", "10d"},
	} {
		var made struct{ Key, KeyID string }
		said := s.partnerctl(ctx, append([]string{"key", "create", "--partner", "north", "--label", name, "-o", "json"}, more...)...)
		if err := json.Unmarshal([]byte(said.out), &made); err != nil || said.code != 0 {
			return fmt.Errorf("key create: exit %d: %s", said.code, said.err)
		}
		h.keys[name], h.ids[name] = made.Key, made.KeyID
	}
	if said := s.partnerctl(ctx, "key", "revoke", h.ids["revoked"]); said.code != 0 {
		return fmt.Errorf("key revoke: exit %d: %s", said.code, said.err)
	}
	h.base, err = s.contents(ctx)
	return err
}

// data is a file of testdata.
func (h *house) data(name string) string {
	return filepath.Join(h.root, "tools", "faults", "testdata", name)
}

// said is how a command ended.
type said struct {
	out, err string
	code     int // -1: it was killed
	took     time.Duration
}

// patience is how long a command may take; it is far beyond what is right.
const patience = 90 * time.Second

// partnerctl runs a command on the stage's tables, through its gate.
func (s *stage) partnerctl(ctx context.Context, args ...string) said {
	said, err := s.runs(s.command(ctx, args...))
	if err != nil {
		said.err += err.Error()
	}
	return said
}

// command is one of partnerctl on the stage's tables, through its gate.
func (s *stage) command(ctx context.Context, args ...string) *exec.Cmd {
	if args[0] != "doctor" { // which checks the real clock
		args = append(args, "--now", now)
	}
	cmd := exec.CommandContext(ctx, s.house.tool(), args...)
	cmd.Dir = s.folder
	cmd.Env = append(s.environment(), "HOME="+s.folder, "AWS_EC2_METADATA_DISABLED=true", "DYNAMODB_ENDPOINT="+s.gate.url,
		"OIDC_ISSUER=https://login.example.com/", "USER=faults")
	return cmd
}

// runs runs a command to its end.
func (s *stage) runs(cmd *exec.Cmd) (said, error) {
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return said{code: -1}, err
	}
	s.running.Store(int64(cmd.Process.Pid))
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	late.Stop()
	s.running.Store(0)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return said{out.String(), complaints.String(), cmd.ProcessState.ExitCode(), time.Since(began)}, err
}
