package browser

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Look is how a page is looked at.
type Look struct {
	Width, Height int
	Dark          bool
	ReducedMotion bool
	Locale        string // "de-DE"; empty: en-GB
	TimeZone      string // "Europe/Berlin"; empty: UTC
}

// waitTimeout is how long something that should happen may take. Where it happens nobody
// waits so long; it is for a machine that has much else to do.
const waitTimeout = 2 * time.Minute

// Page is one tab with a profile of its own.
type Page struct {
	browser *Browser
	context string // the tab, as the browser calls it
	profile string

	mu       sync.Mutex
	errors   []string
	requests []string
	changes  []string
}

// Open opens a tab, which is blank at first.
func (b *Browser) Open(look Look) (*Page, error) {
	p := &Page{browser: b}
	var profile struct{ UserContext string }
	if err := p.command("browser.createUserContext", params{}, &profile); err != nil {
		return nil, err
	}
	p.profile = profile.UserContext
	if err := p.open(look); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Page) open(look Look) error {
	var tab struct{ Context string }
	window := params{"type": "window", "userContext": p.profile}
	if err := p.inFront("browsingContext.create", window, &tab); err != nil {
		return err
	}
	p.context = tab.Context
	p.browser.listen(p.context, p.hear)
	if look.Locale == "" {
		look.Locale = "en-GB"
	}
	if look.TimeZone == "" {
		look.TimeZone = "UTC"
	}
	locale := params{"contexts": []string{p.context}, "locale": look.Locale}
	if err := p.command("emulation.setLocaleOverride", locale, nil); err != nil {
		return err
	}
	zone := params{"contexts": []string{p.context}, "timezone": look.TimeZone}
	if err := p.command("emulation.setTimezoneOverride", zone, nil); err != nil {
		return err
	}
	return p.Look(look)
}

// params are the parameters of a command of the protocol.
type params map[string]any

// command gives the browser a command and decodes its result into out, which may be nil.
func (p *Page) command(method string, params params, out any) error {
	return p.commandWithin(waitTimeout, method, params, out)
}

func (p *Page) commandWithin(timeout time.Duration, method string, params params, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return p.browser.call(ctx, method, params, out)
}

// inFront gives a command while no other page's window comes to the front, or goes.
func (p *Page) inFront(method string, params params, out any) error {
	p.browser.front.Lock()
	defer p.browser.front.Unlock()
	return p.command(method, params, out)
}

// Close closes the tab and forgets its profile.
func (p *Page) Close() error {
	p.browser.listen(p.context, nil)
	return p.inFront("browser.removeUserContext", params{"userContext": p.profile}, nil)
}

// Look changes the size of the window and the person's preferences.
func (p *Page) Look(look Look) error {
	scheme, motion := "light", "no-preference"
	if look.Dark {
		scheme = "dark"
	}
	if look.ReducedMotion {
		motion = "reduce"
	}
	if err := p.command("browsingContext.setViewport", params{
		"context": p.context, "viewport": params{"width": look.Width, "height": look.Height}, "devicePixelRatio": 1,
	}, nil); err != nil {
		return err
	}
	if p.browser.Kind == Firefox {
		return p.preferInFirefox(scheme, motion)
	}
	return p.command("emulation.setMediaFeaturesOverride", params{
		"contexts": []string{p.context},
		"features": params{"prefers-color-scheme": scheme, "prefers-reduced-motion": motion},
	}, nil)
}

// preferInFirefox does what emulation.setMediaFeaturesOverride does, which Firefox 153 has not:
// its own window knows how. A navigation may put another context into the tab, which then
// gets the same.
func (p *Page) preferInFirefox(scheme, motion string) error {
	return p.evaluate(waitTimeout, p.browser.window, fmt.Sprintf(`{
		const {NavigableManager} = %s;
		const tab = NavigableManager.getBrowsingContextById(%q);
		if (!window.preferences) {
			window.preferences = new Map();
			const prefer = (context) => Object.assign(context, window.preferences.get(context.browserId));
			Services.obs.addObserver(prefer, 'browsing-context-attached');
		}
		window.preferences.set(tab.browserId, {prefersColorSchemeOverride: %q, prefersReducedMotionOverride: %q});
		Object.assign(tab, window.preferences.get(tab.browserId));
	}`, navigables, p.context, scheme, motion), nil)
}

// navigables is the module of Firefox that knows its tabs by the names that the protocol has for them.
const navigables = `ChromeUtils.importESModule('chrome://remote/content/shared/NavigableManager.sys.mjs')`

// hear takes note of what happens in the tab.
func (p *Page) hear(event message) {
	var e struct {
		Type, Level, Text, Method string // of what is in the console
		Request                   struct{ URL, Method string }
	}
	err := json.Unmarshal(event.Params, &e)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil:
		p.errors = append(p.errors, fmt.Sprintf("%s: %v", event.Method, err))
	case event.Method == "log.entryAdded":
		// A server that does not answer is told by Firefox itself, whatever the page does then.
		if e.Method != "log" && !strings.Contains(e.Text, "(Reason: CORS request did not succeed)") {
			p.errors = append(p.errors, fmt.Sprintf("%s %s: %s", e.Type, e.Level, e.Text))
		}
	case event.Method == "network.beforeRequestSent":
		p.requests = append(p.requests, e.Request.URL)
		if e.Request.Method != "GET" {
			p.changes = append(p.changes, e.Request.Method+" "+e.Request.URL)
		}
	}
}

// Errors lists what the browser's console complained of since the page was opened.
func (p *Page) Errors() []string { return p.noted(&p.errors) }

// Requests lists the addresses that were asked for since the page was opened.
func (p *Page) Requests() []string { return p.noted(&p.requests) }

// Changes lists the requests, as "POST /…", that could have changed something.
func (p *Page) Changes() []string { return p.noted(&p.changes) }

func (p *Page) noted(list *[]string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(*list)
}

// Bytes is how much came over the wire for the document that is shown, headers included, as
// the browser counts it.
func (p *Page) Bytes() (int, error) {
	var sum int
	err := p.Eval(`['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))
		.reduce((sum, e) => sum + e.transferSize, 0)`, &sum)
	return sum, err
}

// Go loads an address anew, as typing it into the address bar of a new tab does.
func (p *Page) Go(url string) error {
	return p.command("browsingContext.navigate", params{"context": p.context, "url": url, "wait": "complete"}, nil)
}

// Reload, Back and Forward are the browser's buttons. Reload waits for the new document: a
// browser may answer while the old one is still there.
func (p *Page) Reload() error {
	if err := p.Eval("window.isOld = true", nil); err != nil {
		return err
	}
	if err := p.command("browsingContext.reload", params{"context": p.context, "wait": "complete"}, nil); err != nil {
		return err
	}
	return p.Wait("the page anew", "!window.isOld && document.readyState === 'complete'")
}
func (p *Page) Back() error    { return p.leaves("history.back()") }
func (p *Page) Forward() error { return p.leaves("history.forward()") }

// leaves evaluates what may lead to another document, once the answer that it was evaluated is
// on its way: with the document the answer would be gone.
func (p *Page) leaves(script string) error { return p.Eval("setTimeout(() => { "+script+" }); 0", nil) }

// Eval evaluates JavaScript in the page. With out, which may be nil, it is an expression, whose
// JSON value, of a promise the one that it keeps, is decoded into out; undefined is null.
func (p *Page) Eval(script string, out any) error {
	return p.evalIn(waitTimeout, p.context, script, out)
}

func (p *Page) evalIn(timeout time.Duration, where, script string, out any) error {
	if out == nil {
		return p.evaluate(timeout, where, script, nil)
	}
	var text string
	wrapped := "(async () => JSON.stringify(await (" + script + "\n)) ?? 'null')()"
	if err := p.evaluate(timeout, where, wrapped, &text); err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), out)
}

// evaluate evaluates a script, and sets text, which may be nil, to the text that it comes to.
func (p *Page) evaluate(timeout time.Duration, where, script string, text *string) error {
	var answer struct {
		Type             string
		Result           struct{ Value json.RawMessage }
		ExceptionDetails struct{ Text string }
	}
	asked := params{"expression": script, "target": params{"context": where}, "awaitPromise": true}
	if err := p.commandWithin(timeout, "script.evaluate", asked, &answer); err != nil {
		return err
	}
	if answer.Type != "success" {
		return errors.New(answer.ExceptionDetails.Text)
	}
	if text == nil {
		return nil
	}
	return json.Unmarshal(answer.Result.Value, text)
}

// call evaluates the body of a function whose arguments are args.
func (p *Page) call(body string, out any, args ...any) error {
	encoded, err := json.Marshal(args)
	if err != nil {
		return err
	}
	return p.Eval(fmt.Sprintf("((...args) => { %s })(...%s)", body, encoded), out)
}

// Wait waits until a JavaScript expression is true. What says what is waited for.
func (p *Page) Wait(what, expression string) error { return p.waitIn(p.context, what, expression) }

// looksFor is how long a page looks by itself whether something has happened, and answerTimeout how long its answer may
// take: with a document that another takes the place of, it may be gone.
const (
	looksFor      = 300 * time.Millisecond
	answerTimeout = 3 * time.Second
)

// waitIn has the page look, ten times for each time that it is asked: to be asked is what takes a browser's time.
func (p *Page) waitIn(where, what, expression string) error {
	deadline := time.Now().Add(waitTimeout)
	look := fmt.Sprintf(`(async () => {
		for (const end = Date.now() + %d;;) {
			if (%s) return true;
			if (Date.now() > end) return false;
			await new Promise((again) => setTimeout(again, 30));
		}
	})()`, looksFor.Milliseconds(), expression)
	for {
		var ok bool
		err := p.evalIn(answerTimeout, where, look, &ok)
		if err == nil && ok {
			return nil
		}
		if time.Now().After(deadline) {
			text, _ := p.Text("body")
			words := strings.Fields(text)
			says := strings.Join(words[:min(len(words), 120)], " ")
			return fmt.Errorf("%s: did not happen within %s (%v); the page says: %s", what, waitTimeout, err, says)
		}
		if err != nil {
			time.Sleep(30 * time.Millisecond)
		}
	}
}

// see is what finds the element that a person means by its text: the innermost visible
// match whose text or label contains it. An empty text is the first visible match.
const see = `
const [selector, text] = args;
const visible = (e) => e.getClientRects().length > 0;
const texts = (e) => [e.textContent, e.getAttribute('aria-label') ?? '', e.getAttribute('title') ?? ''];
const said = (e) => texts(e).some((t) => t.replace(/\s+/g, ' ').includes(text));
const found = [...document.querySelectorAll(selector)].filter((e) => visible(e) && said(e));
const dialog = document.querySelector('dialog[open]');
const element = (dialog ? found.filter((e) => dialog.contains(e)) : found)[0];
`

// WaitFor waits until an element with that text is to be seen.
func (p *Page) WaitFor(selector, text string) error {
	return p.waitForElement(fmt.Sprintf("%s %q", selector, text), "element", selector, text)
}

// WaitGone waits until no element with that text is to be seen.
func (p *Page) WaitGone(selector, text string) error {
	return p.waitForElement(fmt.Sprintf("no %s %q", selector, text), "!element", selector, text)
}

func (p *Page) waitForElement(what, expression, selector, text string) error {
	args, err := json.Marshal([]string{selector, text})
	if err != nil {
		return err
	}
	return p.Wait(what, fmt.Sprintf("((...args) => { %s return %s; })(...%s)", see, expression, args))
}

// Click clicks the middle of an element with that text with the mouse, once it stands still:
// what is still being loaded may move it.
func (p *Page) Click(selector, text string) error {
	if err := p.WaitFor(selector, text); err != nil {
		return err
	}
	return p.whileInFront(func() error {
		type point struct{ X, Y float64 }
		var at, before point
		for looks := 0; looks < 2 || at != before && looks < 40; looks++ {
			before = at
			if err := p.call(see+`
element.scrollIntoView({block: 'nearest', inline: 'nearest'});
const box = element.getClientRects()[0];
return new Promise((done) => setTimeout(done, 40, {X: box.left + box.width / 2, Y: box.top + box.height / 2}));`, &at, selector, text); err != nil {
				return err
			}
		}
		return p.input(params{"type": "pointer", "id": "mouse", "actions": []params{
			{"type": "pointerMove", "x": int(at.X), "y": int(at.Y)},
			{"type": "pointerDown", "button": 0},
			{"type": "pointerUp", "button": 0},
		}})
	})
}

// perform uses the mouse or the keyboard, in front.
func (p *Page) perform(input params) error {
	return p.whileInFront(func() error { return p.input(input) })
}

func (p *Page) input(input params) error {
	return p.command("input.performActions", params{"context": p.context, "actions": []params{input}}, nil)
}

// whileInFront does something while the window is in front, as where a person uses it: of one behind
// another, Firefox tells the page of a key and then does not do what the key does.
func (p *Page) whileInFront(do func() error) error {
	p.browser.front.Lock()
	defer p.browser.front.Unlock()
	if err := p.comeToFront(); err != nil {
		return err
	}
	return do()
}

// comeToFront puts Firefox's window before all others; Chromium does what a key does in any
// window. Firefox itself is asked which one is in front: a page has no focus either where Tab
// has led from it to the browser's own controls.
func (p *Page) comeToFront() error {
	if p.browser.Kind != Firefox {
		return nil
	}
	where, isInFront := p.browser.window, fmt.Sprintf(
		`%s.NavigableManager.getBrowsingContextById(%q).topChromeWindow === Services.focus.activeWindow`,
		navigables, p.context)
	var front bool
	if err := p.evalIn(waitTimeout, where, isInFront, &front); err != nil || front {
		return err
	}
	if err := p.command("browsingContext.activate", params{"context": p.context}, nil); err != nil {
		return err
	}
	return p.waitIn(where, "the window to come to the front", isInFront)
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
	return p.call(see+`
const field = document.getElementById(element.htmlFor);
field.focus();
field.select?.();`, nil, "label", label)
}

func down(key string) params { return params{"type": "keyDown", "value": key} }
func up(key string) params   { return params{"type": "keyUp", "value": key} }

// Type types into what has the focus, key by key.
func (p *Page) Type(text string) error {
	var strokes []params
	for _, key := range text {
		strokes = append(strokes, down(string(key)), up(string(key)))
	}
	return p.perform(params{"type": "key", "id": "keyboard", "actions": strokes})
}

// Paste puts a text where the focus is, all at once.
func (p *Page) Paste(text string) error {
	return p.call("document.execCommand('insertText', false, args[0])", nil, text)
}

// AllowClipboard lets the page that is shown read and write the clipboard, as a person may.
func (p *Page) AllowClipboard() error {
	if p.browser.Kind == Firefox {
		return nil // it may
	}
	var origin string
	if err := p.Eval("origin", &origin); err != nil {
		return err
	}
	for _, name := range []string{"clipboard-write", "clipboard-read"} {
		if err := p.command("permissions.setPermission", params{
			"descriptor": params{"name": name}, "state": "granted", "origin": origin, "userContext": p.profile,
		}, nil); err != nil {
			return err
		}
	}
	return nil
}

// keys are those that write nothing, as WebDriver numbers them.
var keys = map[string]string{
	"Enter": "\uE007", "Escape": "\uE00C", "Tab": "\uE004", "Home": "\uE011",
	"ArrowUp": "\uE013", "ArrowDown": "\uE015", "ArrowLeft": "\uE012", "ArrowRight": "\uE014",
	"Backspace": "\uE003", "Space": " ", "Shift": "\uE008",
}

// Press presses one key: "Enter", "Escape", "Tab", "Shift+Tab", "ArrowUp", "ArrowDown",
// "ArrowLeft", "ArrowRight", "Home", "Backspace", "Space".
func (p *Page) Press(key string) error {
	plain, shift := strings.CutPrefix(key, "Shift+")
	strokes := []params{down(keys[plain]), up(keys[plain])}
	if shift {
		strokes = slices.Concat([]params{down(keys["Shift"])}, strokes, []params{up(keys["Shift"])})
	}
	return p.perform(params{"type": "key", "id": "keyboard", "actions": strokes})
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
	err := p.Eval(`((e) => {
		const said = e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent;
		return e.tagName.toLowerCase() + ' ' + said.trim().slice(0, 80);
	})(document.activeElement)`, &text)
	return text, err
}

// Screenshot is a PNG of the window.
func (p *Page) Screenshot() ([]byte, error) {
	var shot struct{ Data string }
	if err := p.command("browsingContext.captureScreenshot", params{"context": p.context}, &shot); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(shot.Data)
}
