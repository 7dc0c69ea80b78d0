package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"partnerview/internal/dev/local/engine"
)

// smallDisk and largeDisk are the engine's, in the words of mount.
const (
	smallDisk = "size=2m"
	largeDisk = "size=64m"
)

// tooMuch is how many records are more than the small disk holds.
const tooMuch = 20_000

// disk fills the disk of an engine by an import. What is asked meanwhile is answered rightly or by a
// 503; when there is room and the engine runs again, the same command ends the import, and the totals
// are those of the records. A disk of its own is a file system in memory, which root alone may mount.
func (p *proof) disk(ctx context.Context) error {
	began := time.Now()
	folder := filepath.Join(p.house.folder, "disk")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, smallDisk); err != nil {
		if errors.Is(err, syscall.EPERM) {
			p.tally.say("not here: root alone may mount a small file system", began)
			return nil
		}
		return err
	}
	defer func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) }() // the folder goes with the house's
	small := *p.house
	var err error
	if small.engine, err = engine.Start(ctx, small.root, folder, 0); err != nil {
		return err
	}
	defer func() { small.engine.Kill() }()
	at, err := small.newProduct(ctx, now)
	if err != nil {
		return err
	}
	defer at.end()
	wrong := at.fillDisk(ctx, p, folder, &small)
	p.tally.add([]string{"full disk"}, "said, and mended by the same command", "import usage", wrong)
	p.tally.say("filled by an import, which was run again with room", began)
	return nil
}

// fillDisk imports more than there is room for, asks, makes room and imports again.
func (at *product) fillDisk(ctx context.Context, p *proof, folder string, small *house) error {
	asked := request{"/customers/alder_cafe/usage/sms?from=2026-11-19&to=2026-11-20", "application/json", "whole"}
	right, err := at.ask(ctx, asked)
	if err != nil {
		return err
	}
	file := filepath.Join(at.folder, "much.ndjson")
	if err := os.WriteFile(file, []byte(muchUsage()), 0o600); err != nil {
		return err
	}
	importing := at.command(ctx, "import", "usage", file)
	late := time.AfterFunc(40*time.Second, func() { _ = importing.Process.Signal(os.Interrupt) }) // it would try for two minutes
	first, err := at.runs(importing)
	late.Stop()
	if err != nil {
		return err
	}
	if first.code != 1 || !saysTheWayOut(first.err) {
		return fmt.Errorf("with a full disk the import ends with exit %d: %s", first.code, first.err)
	}
	for range 5 {
		got, err := at.ask(ctx, asked)
		outcome := ""
		if err == nil {
			outcome, err = judge(right, got)
		}
		p.tally.add([]string{"full disk"}, outcome, asked.String(), err)
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT, largeDisk); err != nil {
		return err
	}
	if err := restart(ctx, small, folder); err != nil {
		return err
	}
	for _, args := range [][]string{{"import", "usage", file}, {"totals", "check"}} {
		if said := at.partnerctl(ctx, args...); said.code != 0 {
			return fmt.Errorf("with room again, %s: exit %d: %s%s", strings.Join(args[:2], " "), said.code, said.err, said.out)
		}
	}
	return nil
}

// restart ends the engine as a crash does, and starts it at the same address on the same folder.
func restart(ctx context.Context, h *house, folder string) error {
	h.engine.Kill()
	at, err := url.Parse(h.engine.Endpoint)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		return err
	}
	h.engine, err = engine.Start(ctx, h.root, folder, port)
	return err
}

// muchUsage is a file of birch_books' records.
func muchUsage() string {
	var text strings.Builder
	for n := range tooMuch {
		fmt.Fprintf(&text, `{"accountId": "birch_books", "product": "sms", "id": "m-%d", "timestamp": "2026-11-1%dT09:00:00Z", `+
			`"direction": "outbound", "status": "delivered", "to": "+1 202 555 0114", "country": "US", "segments": 1}`+"\n", n, n%9)
	}
	return text.String()
}
