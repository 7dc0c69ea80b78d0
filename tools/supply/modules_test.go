package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// isc is a licence as it is written.
const isc = `ISC License

Copyright (c) 2026 Somebody

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`

const gpl = `This program is free software: you can redistribute it and/or modify it under the terms of the GNU General Public License as published by
the Free Software Foundation, either version 3 of the License, or (at your option) any later version.

This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU General Public License for more details.
`

func TestALicenceThatIsNotAllowedIsFound(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want, fault string }{
		"one that is allowed":         {"LICENSE", isc, "ISC", ""},
		"by another name":             {"COPYING.md", isc, "ISC", ""},
		"one that is not":             {"LICENSE", gpl, "", "its licence is GPL-3.0"},
		"a text that is none":         {"LICENSE", "You may look at it.\n", "", "no licence can be read of its 1 files"},
		"a licence, and much besides": {"LICENSE", isc + strings.Repeat("You may not use it on a Sunday, nor on a day before one. ", 60), "", "no licence can be read"},
		"no file":                     {"README.md", isc, "", "no licence can be read of its 0 files"},
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, c.file), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := licenceOf(folder)
		if got != c.want || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := licenceOf(""); err == nil {
		t.Error("a module that is nowhere has a licence")
	}
}

// What the program says of itself and its bill must be the same.
func TestABillThatLacksSomethingIsNone(t *testing.T) {
	modules := []module{
		{path: "example.com/a", version: "v1.0.0", licence: "MIT", sum: "h1:x", programs: []string{"p"}},
		{path: "example.com/b", version: "./unlinked/b", licence: "Apache-2.0", programs: []string{"p", "q"}},
	}
	a := map[string]any{"name": "example.com/a", "hashes": []any{"x"}}
	b := map[string]any{"name": "./unlinked/b"}
	for name, c := range map[string]struct {
		components []any
		fault      string
	}{
		"whole":           {[]any{a, b}, ""},
		"one lacks":       {[]any{b}, "the bill lacks example.com/a"},
		"one too many":    {[]any{a, b, map[string]any{"name": "example.com/c"}}, `the bill has "example.com/c"`},
		"one has no hash": {[]any{map[string]any{"name": "example.com/a"}, b}, "no hash of example.com/a"},
	} {
		err := license(map[string]any{"components": c.components}, program{name: "p"}, modules)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, _ := a["licenses"].([]any); len(got) != 1 {
		t.Errorf("its licence is not in the bill: %v", a)
	}
}

func TestProgramsThatDifferAreFound(t *testing.T) {
	programs := func(text string) []program {
		file := filepath.Join(t.TempDir(), "partnerctl")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return []program{{"partnerctl", file}}
	}
	err := equal(t.Context(), "nobody", programs("one"), programs("other"), os.Stderr)
	if err == nil || !strings.Contains(err.Error(), "partnerctl is 7692c3ad") {
		t.Errorf("other bytes pass for the same: %v", err)
	}
	if err := equal(t.Context(), "nobody", programs("one"), nil, os.Stderr); err == nil {
		t.Error("a program that was not built again passes")
	}
}

func TestAModuleOfOtherBytesIsFound(t *testing.T) {
	failed := errors.New("exit status 1")
	const own = "partnerview v0.0.0: missing ziphash: open hash: no such file or directory\n"
	for name, c := range map[string]struct {
		told  string
		err   error
		fault string
	}{
		"all are verified":     {"all modules verified\n", nil, ""},
		"our own is not there": {own, failed, ""},
		"one was changed":      {"example.com/a v1.0.0: dir has been modified (/a)\n", failed, "example.com/a v1.0.0: dir"},
		"one beside our own":   {own + "example.com/a v1.0.0: zip has been modified (/a)\n", failed, "example.com/a v1.0.0: zip"},
		"nothing is said":      {"", nil, "it does not say"},
		"it does not run":      {"", failed, "exit status 1"},
	} {
		if got := strings.Join(complaintsIn(c.told, c.err), "; "); (got == "") != (c.fault == "") || !strings.Contains(got, c.fault) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
