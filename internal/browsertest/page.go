package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Look is how a page is looked at.
type Look struct {
	Width, Height int
	Dark          bool
	ReducedMotion bool
	Locale        string // "de-DE"; empty: en-GB
	TimeZone      string // "Europe/Berlin"; empty: UTC
}

// patience is how long something that should happen may take.
const patience = 15 * time.Second

// Page is one tab with a profile of its own.
type Page struct {
	ctx   context.Context
	close context.CancelFunc

	mu       sync.Mutex
	errors   []string
	requests []string
	changes  []string
	bytes    map[network.RequestID]int64
}

// Open opens a tab, which is blank at first.
func (c *Chromium) Open(look Look) (*Page, error) {
	ctx, end := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	p := &Page{ctx: ctx, close: end, bytes: map[network.RequestID]int64{}}
	if look.Locale == "" {
		look.Locale = "en-GB"
	}
	if look.TimeZone == "" {
		look.TimeZone = "UTC"
	}
	err := chromedp.Listen(ctx, p.hear)
	if err == nil {
		err = chromedp.Do(ctx,
			command(network.Enable, network.EnableParams{}),
			command(emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: look.Locale}),
			command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: look.TimeZone}),
		)
	}
	if err == nil {
		err = p.Look(look)
	}
	if err != nil {
		end()
		return nil, err
	}
	return p, nil
}

// command is a command of the browser's protocol whose answer does not matter.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// Close closes the tab and forgets its profile.
func (p *Page) Close() { p.close() }

// Look changes the size of the window and the person's preferences.
func (p *Page) Look(look Look) error {
	scheme, motion := "light", "no-preference"
	if look.Dark {
		scheme = "dark"
	}
	if look.ReducedMotion {
		motion = "reduce"
	}
	return chromedp.Do(p.ctx,
		command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: int64(look.Width), Height: int64(look.Height), DeviceScaleFactor: 1}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: motion},
		}}))
}

func (p *Page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.errors = append(p.errors, "exception: "+exceptionText(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeLog {
			p.errors = append(p.errors, fmt.Sprintf("console.%s: %s", e.Type, e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		// An answer that is an error is logged by Chromium itself, whatever the page does with it.
		if e.Entry.Source != log.EntrySourceNetwork {
			p.errors = append(p.errors, fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
		if e.Request.Method != "GET" {
			p.changes = append(p.changes, e.Request.Method+" "+e.Request.URL)
		}
	case *network.EventLoadingFinished:
		p.bytes[e.RequestID] = int64(e.EncodedDataLength)
	}
}

// Errors lists what the browser's console complained of since the page was opened.
func (p *Page) Errors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.errors)
}

// Requests lists the addresses that were asked for since the page was opened.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Changes lists the requests, as "POST /…", that could have changed something.
func (p *Page) Changes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.changes)
}

// Bytes is how much came over the wire since the page was opened, headers
// included.
func (p *Page) Bytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var sum int64
	for _, n := range p.bytes {
		sum += n
	}
	return sum
}

// Go loads an address anew, as typing it into the address bar of a new tab does.
func (p *Page) Go(url string) error { return p.run(chromedp.Navigate(url)) }

// Reload, Back and Forward are the browser's buttons.
func (p *Page) Reload() error  { return p.run(chromedp.Reload()) }
func (p *Page) Back() error    { return p.Eval("history.back()", nil) }
func (p *Page) Forward() error { return p.Eval("history.forward()", nil) }

// Eval evaluates JavaScript in the page and decodes its JSON value into out, which
// may be nil.
func (p *Page) Eval(script string, out any) error {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](script, chromedp.EvalAwaitPromise))
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(value, out)
}

// call evaluates the body of a function whose arguments are args.
func (p *Page) call(body string, out any, args ...any) error {
	encoded, err := json.Marshal(args)
	if err != nil {
		return err
	}
	return p.Eval(fmt.Sprintf("((...args) => { %s })(...%s)", body, encoded), out)
}

func (p *Page) run(actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, actions...)
}

// Wait waits until a JavaScript expression is true. What says what is waited for.
func (p *Page) Wait(what, expression string) error {
	deadline := time.Now().Add(patience)
	for {
		var ok bool
		err := p.Eval("Boolean("+expression+")", &ok)
		if err == nil && ok {
			return nil
		}
		if time.Now().After(deadline) {
			text, _ := p.Text("body")
			words := strings.Fields(text)
			return fmt.Errorf("%s: did not happen within %s (%v); the page says: %s", what, patience, err, strings.Join(words[:min(len(words), 120)], " "))
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// see is what finds the element that a person means by its text: the innermost visible
// match whose text or label contains it. An empty text is the first visible match.
const see = `
const [selector, text] = args;
const visible = (e) => e.getClientRects().length > 0;
const said = (e) => [e.textContent, e.getAttribute('aria-label') ?? '', e.getAttribute('title') ?? ''].some((t) => t.replace(/\s+/g, ' ').includes(text));
const found = [...document.querySelectorAll(selector)].filter((e) => visible(e) && said(e));
const dialog = document.querySelector('dialog[open]');
const element = (dialog ? found.filter((e) => dialog.contains(e)) : found)[0];
`

// WaitFor waits until an element with that text is to be seen.
func (p *Page) WaitFor(selector, text string) error {
	args, err := json.Marshal([]string{selector, text})
	if err != nil {
		return err
	}
	return p.Wait(fmt.Sprintf("%s %q", selector, text), fmt.Sprintf("((...args) => { %s return element; })(...%s)", see, args))
}

// WaitGone waits until no element with that text is to be seen.
func (p *Page) WaitGone(selector, text string) error {
	args, err := json.Marshal([]string{selector, text})
	if err != nil {
		return err
	}
	return p.Wait(fmt.Sprintf("no %s %q", selector, text), fmt.Sprintf("((...args) => { %s return !element; })(...%s)", see, args))
}

// Click clicks the middle of an element with that text with the mouse.
func (p *Page) Click(selector, text string) error {
	if err := p.WaitFor(selector, text); err != nil {
		return err
	}
	var at struct{ X, Y float64 }
	if err := p.call(see+`
element.scrollIntoView({block: 'nearest', inline: 'nearest'});
const box = element.getClientRects()[0];
return {X: box.left + box.width / 2, Y: box.top + box.height / 2};`, &at, selector, text); err != nil {
		return err
	}
	mouse := func(kind input.DispatchMouseEventType, button input.MouseButton) chromedp.Action[chromedp.Void] {
		return command(input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y, Button: button, ClickCount: 1})
	}
	return p.run(
		mouse(input.DispatchMouseEventTypeMouseMoved, input.MouseButtonNone),
		mouse(input.DispatchMouseEventTypeMousePressed, input.MouseButtonLeft),
		mouse(input.DispatchMouseEventTypeMouseReleased, input.MouseButtonLeft))
}

// Choose chooses an option of a select by its value, as the keyboard or the mouse would.
func (p *Page) Choose(label, value string) error {
	if err := p.WaitFor("label", label); err != nil {
		return err
	}
	return p.call(see+`
const select = document.getElementById(element.htmlFor);
select.value = args[2];
select.dispatchEvent(new Event('change', {bubbles: true}));`, nil, "label", label, value)
}

// Focus puts the focus on the field that a label names, and selects what is in it.
func (p *Page) Focus(label string) error {
	if err := p.WaitFor("label", label); err != nil {
		return err
	}
	return p.call(see+`const field = document.getElementById(element.htmlFor); field.focus(); field.select?.();`, nil, "label", label)
}

// Type types into what has the focus, key by key.
func (p *Page) Type(text string) error { return p.run(chromedp.KeyEvent(text)) }

// Paste puts a text where the focus is, all at once.
func (p *Page) Paste(text string) error {
	return p.run(command(input.InsertText, input.InsertTextParams{Text: text}))
}

// AllowClipboard lets the page read and write the clipboard, as a person may.
func (p *Page) AllowClipboard() error {
	allow := func(name string) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			c := chromedp.FromContext(ctx)
			_, err := cdp.Call(ctx, c.Browser, browser.SetPermission, browser.SetPermissionParams{
				Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted, BrowserContextID: c.BrowserContextID,
			})
			return err
		})
	}
	return p.run(allow("clipboard-write"), allow("clipboard-read"))
}

// Press presses one key: "Enter", "Escape", "Tab", "Shift+Tab", "ArrowDown", "Backspace", "Space".
func (p *Page) Press(key string) error {
	keys := map[string]string{"Enter": kb.Enter, "Escape": kb.Escape, "Tab": kb.Tab, "ArrowDown": kb.ArrowDown, "Backspace": kb.Backspace, "Space": " "}
	if plain, ok := strings.CutPrefix(key, "Shift+"); ok {
		return p.run(chromedp.KeyEvent(keys[plain], chromedp.KeyModifiers(chromedp.ModifierShift)))
	}
	return p.run(chromedp.KeyEvent(keys[key]))
}

// Text is what is to be read in the first element that matches.
func (p *Page) Text(selector string) (string, error) {
	var text string
	err := p.call("return document.querySelector(args[0])?.innerText ?? ''", &text, selector)
	return text, err
}

// Texts is the texts of all elements that match, to be seen or not.
func (p *Page) Texts(selector string) ([]string, error) {
	var texts []string
	err := p.call("return [...document.querySelectorAll(args[0])].map((e) => e.textContent.trim())", &texts, selector)
	return texts, err
}

// Focused describes what has the focus: its tag, then its label or text.
func (p *Page) Focused() (string, error) {
	var text string
	err := p.Eval("document.activeElement.tagName.toLowerCase() + ' ' + (document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent).trim().slice(0, 80)", &text)
	return text, err
}

// Hash is the fragment of the address, without the "#".
func (p *Page) Hash() (string, error) {
	var hash string
	err := p.Eval("location.hash.slice(1)", &hash)
	return hash, err
}

// Screenshot is a PNG of the window, or of the whole page.
func (p *Page) Screenshot(whole bool) ([]byte, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: &whole})
		return shot.Data, err
	})
}

func exceptionText(e *runtime.ExceptionDetails) string {
	if e.Exception != nil && e.Exception.Description != "" {
		return e.Exception.Description
	}
	return e.Text
}
