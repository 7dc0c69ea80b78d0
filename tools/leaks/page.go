package main

import (
	"errors"
	"fmt"
	"os"

	"partnerview/internal/testkit/browser"
)

// page opens the dashboard in Chromium, signs in, and looks at what each view has in its
// document, its address and its storage, and at the file that a log is downloaded as. It
// returns how many views it has looked at.
func (p *product) page() (views int, err error) {
	programs, err := browser.Find(browser.Chromium, os.Getenv)
	if err != nil {
		return 0, err
	}
	b, err := browser.Start(browser.Chromium, programs)
	if err != nil {
		return 0, err
	}
	defer b.Close()
	tab, err := b.Open(browser.Look{Width: 1280, Height: 900})
	if err != nil {
		return 0, err
	}
	err = errors.Join(tab.Go(p.BaseURL+"/#/"), tab.WaitFor("label", "Access key"), tab.Focus("Access key"), tab.Paste(p.key), tab.Press("Enter"),
		tab.WaitGone("h1", "Sign in"))
	if err != nil {
		return 0, err
	}
	fragments := []string{"#/", "#/customers"}
	for _, account := range accounts {
		fragments = append(fragments, "#/customers/"+account)
		for _, product := range products {
			fragments = append(fragments, "#/customers/"+account+"/"+product)
		}
	}
	for _, fragment := range fragments {
		if err := errors.Join(tab.Go(p.BaseURL+"/"+fragment), p.sees(tab, fragment)); err != nil {
			return views, err
		}
		views++
	}
	// A record with why it costs what it costs, and the log as one file.
	err = errors.Join(tab.Go(p.BaseURL+"/#/customers/"+accounts[0]+"/sms"), p.sees(tab, "the log of SMS"), tab.Click("tbody td", ""),
		tab.WaitFor("dialog h3", "Why this price"), p.sees(tab, "a record"), tab.Press("Escape"), tab.WaitGone("dialog h3", "Why this price"), tab.Eval(keepsBlob, nil),
		tab.Click("button", "Download CSV"), tab.Wait("the file", "window.saved !== undefined"))
	if err != nil {
		return views, err
	}
	var file string
	if err := tab.Eval("window.saved.text()", &file); err != nil {
		return views, err
	}
	p.watch.look("the downloaded file", file)
	if len(file) < 1000 {
		return views, fmt.Errorf("the downloaded file has but %d bytes", len(file))
	}
	return views + 2, nil
}

// keepsBlob keeps what a download hands over.
const keepsBlob = `window.showSaveFilePicker = undefined;
const make = URL.createObjectURL;
URL.createObjectURL = (blob) => { window.saved = blob; return make.call(URL, blob); };
0`

// sees waits until nothing is still being loaded, and looks at the document.
func (p *product) sees(tab *browser.Page, view string) error {
	if err := tab.Wait("the page to settle", `document.querySelector('h1') && !document.querySelector('[aria-busy=true]')`); err != nil {
		return err
	}
	var text string
	script := `location.href + ' ' + document.title + ' ' + document.documentElement.outerHTML + JSON.stringify({...sessionStorage, ...localStorage})`
	if err := tab.Eval(script, &text); err != nil {
		return err
	}
	p.watch.look("the page, "+view, text)
	return nil
}
