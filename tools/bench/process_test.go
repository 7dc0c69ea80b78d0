package main

import (
	"strings"
	"testing"

	"partnerview/internal/usage"
)

// Only good answers are measured: what the bench stands in for must be all that a
// function asks of it, with TLS and without.
func TestEverySideAnswersWell(t *testing.T) {
	t.Chdir("../..")
	answers, key, err := everything()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	sides, err := build(t.Context(), folder, key)
	if err != nil {
		t.Fatal(err)
	}
	with, bundle, err := certify(folder)
	if err != nil {
		t.Fatal(err)
	}
	plain, address, err := serve(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	secret, secretAddress, err := serve(answers, with)
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	d, err := newDaemon()
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	traced := "AWS_XRAY_DAEMON_ADDRESS=" + d.address()
	for _, f := range sides {
		for _, env := range []variables{
			append(environment(address), traced), append(environment(secretAddress), traced, "SSL_CERT_FILE="+bundle),
		} {
			s, err := coldStart(t.Context(), f, env, twoCores(t))
			if err != nil {
				t.Error(err)
			} else if s.wall <= 0 || s.cpu <= 0 || s.peak <= 0 {
				t.Errorf("%s is said to take %v", f.name, s)
			}
		}
	}
	large, largeAddress, err := serve(aLog(usage.SMS, largestPage), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	for _, f := range sides {
		if f.name != "getusage" {
			continue
		}
		f = ofLargestPage(f, largeAddress)
		if !strings.Contains(string(f.payload), `"limit":["500"]`) {
			t.Errorf("the largest page is asked for by %s", f.payload)
		}
		if _, err := coldStart(t.Context(), f, append(append(environment(address), traced), f.env...), twoCores(t)); err != nil {
			t.Error(err)
		}
	}
	if d.segments.Load() == 0 {
		t.Error("no trace came: X-Ray was not on")
	}
}
