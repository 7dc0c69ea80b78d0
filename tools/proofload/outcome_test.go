package main

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// loaded is how long the load of these tests lasts.
const loaded = 3 * time.Minute

// line are the samples of it, of memory that grows evenly.
func line(from, perMin float64) (samples []sample) {
	for at := time.Duration(0); at < loaded; at += sampleEvery {
		samples = append(samples, sample{at, from + perMin*at.Minutes()})
	}
	return samples
}

func TestTheSlopeOfMemoryIsThatOfItsLine(t *testing.T) {
	if got := slope(line(20_000, 1234)); got < 1233.9 || got > 1234.1 {
		t.Errorf("%.1f kB a minute, want 1234", got)
	}
	if got := slope(line(20_000, 0)[:1]); got != 0 {
		t.Errorf("one sample has the slope %.1f", got)
	}
}

// fine is an outcome with nothing to be said against it.
func fine() outcome {
	return outcome{lasting: loaded, requests: 300, calls: 1000, failed: 50, statuses: map[int]int{200: 200, 401: 80, 404: 20}}
}

func wantsFault(t *testing.T, o outcome, want string) {
	t.Helper()
	if got := strings.Join(o.faults(), "; "); !strings.Contains(got, want) || want == "" && got != "" {
		t.Errorf("the faults are %q, want %q", got, want)
	}
}

func TestALoadThatWentWellHasNoFault(t *testing.T) { wantsFault(t, fine(), "") }

func TestMemoryThatGrowsIsAFault(t *testing.T) {
	m := memory{all: map[string]map[int][]sample{"GetUsage": {1: line(20_000, 20_000), 2: line(20_000, 20_000)}}}
	o := fine()
	o.trends = m.trends(loaded/3, loaded)
	wantsFault(t, o, "the memory of GetUsage grows by 20000 kB a minute")
	o.lasting = time.Minute // in which it may
	wantsFault(t, o, "a process of GetUsage takes 78 MB")
	o.trends[0].kB = 27_000
	wantsFault(t, o, "")
}

func TestAProcessThatEndsIsAFault(t *testing.T) {
	m := memory{all: map[string]map[int][]sample{"GetUsage": {1: line(20_000, 0)[:20]}}}
	o := fine()
	o.trends = m.trends(0, loaded)
	wantsFault(t, o, "a process of GetUsage has ended")
}

func TestAPartnerThatGetsMoreThanItsPlanIsAFault(t *testing.T) {
	o := fine()
	o.withinPlan = map[string]int{"partner-000": bronzeBurst + 211*bronzeRate}
	wantsFault(t, o, "partner-000 got 223 answers")
}

func TestALoadThatTriedNoBadCredentialIsAFault(t *testing.T) {
	o := fine()
	delete(o.statuses, 401)
	wantsFault(t, o, "401: that was not tried")
}

func TestADatabaseThatNeverFailedIsAFault(t *testing.T) {
	o := fine()
	o.failed = 0
	wantsFault(t, o, "0.0 % of the functions' calls failed")
}

// By time it is more than a twentieth: in an outage fewer calls are made.
func TestATwentiethOfTheCallsFails(t *testing.T) {
	failed, calls := 0, 0
	for at := time.Duration(0); at < time.Minute; at += time.Millisecond {
		if calls++; fails(at, rand.Float64()) {
			failed++
		}
	}
	if share := float64(failed) / float64(calls); share < 0.055 || share > 0.075 {
		t.Errorf("%.3f of the calls fail", share)
	}
}

func TestAFifthOfTheRequestsBearsABadCredential(t *testing.T) {
	a := asks{bronze: []ask{{who: "b"}}, own: []ask{{who: "o"}}, strangers: []ask{{wish: notThere}}, bad: []ask{{wish: unauthorized}}}
	bad := 0
	for range 10_000 {
		if a.draw().wish == unauthorized {
			bad++
		}
	}
	if bad < 1800 || bad > 2200 {
		t.Errorf("%d of 10,000", bad)
	}
}

func TestTheSentenceHasItsCounts(t *testing.T) {
	all := []outcome{{engine: "dynalite 4.0.0", requests: 3000}, {engine: "DynamoDB Local 3.3.1", requests: 1000, mixedUp: 2}}
	const want = "load: 4000 requests of 200 partners on dynalite 4.0.0 and DynamoDB Local 3.3.1, 2 answers mixed up, 2 faults"
	if got := sentence(all, 2); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
