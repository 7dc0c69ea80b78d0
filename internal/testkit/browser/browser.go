package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// Kind is a browser that the dashboard is tested in.
type Kind string

// The browsers. Both are driven in the same words, by WebDriver BiDi: Firefox speaks it
// itself, Chromium by its chromedriver.
const (
	Chromium Kind = "chromium"
	Firefox  Kind = "firefox"
)

// Kinds lists the browsers.
func Kinds() []Kind { return []Kind{Chromium, Firefox} }

// Programs are the paths of what a browser consists of.
type Programs struct {
	Browser string
	Driver  string // Chromium's chromedriver; empty for Firefox
}

// ErrNoBrowser says that a browser is not on this machine; the error that wraps it has the
// way out.
var ErrNoBrowser = errors.New("no browser")

// Find finds a browser: the variable CHROMIUM or FIREFOX has its path, CHROMEDRIVER that
// of Chromium's driver, else each is the first on PATH by one of its usual names.
// ErrNoBrowser.
func Find(kind Kind, getenv func(string) string) (Programs, error) {
	find := func(variable string, names ...string) string {
		if path := getenv(variable); path != "" {
			return path
		}
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				return path
			}
		}
		return ""
	}
	switch kind {
	case Firefox:
		if found := (Programs{Browser: find("FIREFOX", "firefox-esr", "firefox")}); found.Browser != "" {
			return found, nil
		}
		return Programs{}, fmt.Errorf("%w: apt-get update && apt-get install -y firefox-esr, "+
			"or set FIREFOX to the path of a Firefox", ErrNoBrowser)
	case Chromium:
		found := Programs{
			Browser: find("CHROMIUM", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
			Driver:  find("CHROMEDRIVER", "chromedriver", "chromium.chromedriver"),
		}
		if found.Browser != "" && found.Driver != "" {
			return found, nil
		}
		return Programs{}, fmt.Errorf("%w: apt-get update && apt-get install -y chromium chromium-driver, "+
			"or set CHROMIUM and CHROMEDRIVER to the paths of a Chromium and its driver", ErrNoBrowser)
	}
	return Programs{}, fmt.Errorf("%w: there is no %q", ErrNoBrowser, kind)
}

// Browser is a running browser without a window. It can reach loopback and nothing
// else, and has a profile of its own that goes with it.
type Browser struct {
	Kind Kind

	*connection
	folder string        // what it has to itself: home, profile, temporary files
	window string        // Firefox: the context of its own window
	stdin  io.Closer     // of the supervisor; closing it ends the browser
	ended  chan struct{} // closed when the supervisor has ended

	// front is held while a window opens or closes, which brings another to the front,
	// and while a key or a button goes down and up: in between it would be lost.
	front sync.Mutex
}

// startTimeout is how long a browser may take to start: seconds, and more on a machine
// that is busy.
const startTimeout = 5 * time.Minute

// supervise is a program of the shell that runs a command with a folder to itself, until its own
// standard input ends: when we close it, and when we end, however that happens. The folder goes with the command.
// Of the two programs that are run so, each takes its other processes with it.
const supervise = `
folder=$1
shift
HOME="$folder" TMPDIR="$folder" "$@" </dev/null 2>&1 &
exec >/dev/null 2>&1
cat
kill $!
tries=0
while kill -0 $! && [ $((tries += 1)) -le 50 ]; do sleep 0.1; done
kill -9 $!
rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }
`

// Start starts a browser. Close ends it.
func Start(kind Kind, programs Programs) (*Browser, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	folder, err := os.MkdirTemp("", "partnerview-"+string(kind))
	if err != nil {
		return nil, err
	}
	b := &Browser{Kind: kind, folder: folder, ended: make(chan struct{})}
	if kind == Firefox {
		err = b.startFirefox(ctx, programs, folder)
	} else {
		err = b.startChromium(ctx, programs, folder)
	}
	if err == nil {
		events := []string{"log.entryAdded", "network.beforeRequestSent"}
		err = b.call(ctx, "session.subscribe", params{"events": events}, nil)
	}
	if err == nil {
		// What the page's policy refuses is told by each browser in its own way, or not at all.
		err = b.call(ctx, "script.addPreloadScript", params{"functionDeclaration": `() => {
			addEventListener('securitypolicyviolation', (e) => {
				console.error('refused by the policy:', e.effectiveDirective, e.blockedURI, e.sample);
			});
		}`}, nil)
	}
	if err != nil {
		b.Close()
		return nil, errors.Join(fmt.Errorf("start %s: %w", kind, err), os.RemoveAll(folder))
	}
	return b, nil
}

// Close ends the browser and removes its profile.
func (b *Browser) Close() {
	if b.connection != nil {
		b.close()
	}
	if b.stdin != nil {
		_ = b.stdin.Close()
		<-b.ended
	}
}

// run starts a command under the supervisor and returns what pattern matched first in
// what it says.
func (b *Browser) run(ctx context.Context, pattern, folder string, command ...string) (string, error) {
	supervisor := exec.Command("/bin/sh", append([]string{"-c", supervise, "sh", folder}, command...)...)
	supervisor.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us; we end it in order
	stdin, err := supervisor.StdinPipe()
	if err != nil {
		return "", err
	}
	said, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	supervisor.Stdout = write
	err = supervisor.Start()
	_ = write.Close() // the command has its own end of it
	if err != nil {
		_ = said.Close()
		return "", err
	}
	b.stdin = stdin
	go func() { // ends with the supervisor
		_ = supervisor.Wait() // how it went is of no interest
		close(b.ended)
	}()
	first := make(chan []string, 1)
	go func() { // ends with the command
		defer said.Close()
		lines := bufio.NewScanner(said)
		var last string
		for looking := regexp.MustCompile(pattern); lines.Scan(); last = lines.Text() {
			if found := looking.FindStringSubmatch(lines.Text()); found != nil {
				first <- found
				break
			}
		}
		first <- []string{last}
		_, _ = io.Copy(io.Discard, said)
	}()
	select {
	case found := <-first:
		if len(found) == 1 {
			return "", fmt.Errorf("%s ended: %s", command[0], found[0])
		}
		return found[1], nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// startChromium starts a chromedriver and, by its ordinary protocol, a session in a browser.
// The two talk through a pipe, so that neither outlives the other.
func (b *Browser) startChromium(ctx context.Context, programs Programs, folder string) error {
	port, err := b.run(ctx, `started successfully on port (\d+)`, folder, programs.Driver, "--port=0")
	if err != nil {
		return err
	}
	arguments := []string{
		"headless", "remote-debugging-pipe", "disable-gpu", "disable-background-networking",
		"disable-component-update", "disable-dev-shm-usage", "disable-extensions", "disable-quic",
		"disable-sync", "no-first-run", "no-default-browser-check",
		"hide-scrollbars", "metrics-recording-only", "force-color-profile=srgb",
		// Pages of the browser's own window, such as what its address bar opens, which are made for each new one and
		// which nobody sees, and what it loads models and hints for: half of its time.
		"disable-features=PreloadTopChromeWebUI,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup," +
			"OptimizationHints,OptimizationGuideOnDeviceModel",
		"host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
	}
	if os.Geteuid() == 0 {
		arguments = append(arguments, "no-sandbox") // Chromium's sandbox does not run as root
	}
	session, err := json.Marshal(map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"webSocketUrl":       true,
		"goog:chromeOptions": map[string]any{"binary": programs.Browser, "args": arguments},
	}}})
	if err != nil {
		return err
	}
	address := "http://127.0.0.1:" + port + "/session"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(session))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var started struct {
		Value struct{ SessionID, Message string }
	}
	if err := json.NewDecoder(response.Body).Decode(&started); err != nil {
		return err
	}
	if started.Value.SessionID == "" {
		return errors.New(started.Value.Message)
	}
	b.connection, err = dial(ctx, "ws://127.0.0.1:"+port+"/session/"+started.Value.SessionID)
	return err
}

// preferences are Firefox's: everything but loopback is behind a proxy that is not there, a
// page may read the clipboard without asking a person, nothing is kept of a window that was
// closed, nor a process started for a tab that nobody opened yet. What is drawn around a page
// nobody sees: it does not move, nor is a page of Firefox's own made ready for the next tab,
// which was a sixth of its time.
const preferences = `
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("dom.events.testing.asyncClipboard", true);
user_pref("dom.ipc.processPrelaunch.enabled", false);
user_pref("browser.sessionstore.resume_from_crash", false);
user_pref("browser.sessionstore.max_tabs_undo", 0);
user_pref("browser.sessionstore.max_windows_undo", 0);
user_pref("ui.prefersReducedMotion", 1);
user_pref("browser.newtab.preload", false);
user_pref("browser.newtabpage.enabled", false);
`

// startFirefox starts Firefox with a say in its own window, where the person's preferences
// are: see [Page.Look].
func (b *Browser) startFirefox(ctx context.Context, programs Programs, folder string) error {
	if err := os.WriteFile(filepath.Join(folder, "user.js"), []byte(preferences), 0o600); err != nil {
		return err
	}
	url, err := b.run(ctx, `WebDriver BiDi listening on (ws://\S+)`, folder,
		programs.Browser, "--headless", "--no-remote", "--profile", folder,
		"--remote-debugging-port", "0", "--remote-allow-system-access", "about:blank")
	if err != nil {
		return err
	}
	if b.connection, err = dial(ctx, url+"/session"); err != nil {
		return err
	}
	if err := b.call(ctx, "session.new", params{"capabilities": params{}}, nil); err != nil {
		return err
	}
	var tree struct{ Contexts []struct{ Context string } }
	if err := b.call(ctx, "browsingContext.getTree", params{"maxDepth": 0, "moz:scope": "chrome"}, &tree); err != nil {
		return err
	}
	if len(tree.Contexts) == 0 {
		return errors.New("it has no window")
	}
	b.window = tree.Contexts[0].Context
	return nil
}
