package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/chromedp"
)

// ErrNoChromium says that there is no Chromium on this machine, and the way out.
var ErrNoChromium = errors.New("no Chromium was found: apt-get update && apt-get install -y chromium, or set CHROMIUM to the path of one")

// Find is the path of a Chromium: the variable CHROMIUM, else the first on PATH
// by one of its usual names. ErrNoChromium.
func Find(getenv func(string) string) (string, error) {
	if path := getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoChromium
}

// Chromium is a running browser without a window. It can reach loopback and
// nothing else, and has a profile of its own that goes with it.
type Chromium struct {
	ctx   context.Context
	close func()
}

// startTimeout is how long a browser may take to start; a busy machine with two
// cores needs some seconds.
const startTimeout = time.Minute

// StartChromium starts the browser at path. Close ends it.
func StartChromium(path string) (*Chromium, error) {
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.Headless,
		chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(startTimeout),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("metrics-recording-only", true),
		chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"),
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox does not run as root
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endBrowser := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		endBrowser()
		endAllocator()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return &Chromium{ctx: ctx, close: func() {
		_ = chromedp.Cancel(ctx) // closes it and waits; what goes wrong then is of no interest
		endBrowser()
		endAllocator()
	}}, nil
}

// Close ends the browser and removes its profile.
func (c *Chromium) Close() { c.close() }
