package main

import (
	"strings"
	"testing"
)

func readText(t *testing.T, lines ...string) result {
	t.Helper()
	r, err := read(strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOfTestsWithinATestOnlyTheOuterOneIsCounted(t *testing.T) {
	r := readText(t,
		`{"Action":"pass","Package":"p","Test":"TestA/one"}`, `{"Action":"pass","Package":"p","Test":"TestA/two"}`,
		`{"Action":"pass","Package":"p","Test":"TestA"}`, `{"Action":"pass","Package":"p"}`)
	if r.passed != 1 || len(r.failed)+len(r.skipped) != 0 {
		t.Errorf("one test is counted as %+v", r)
	}
}

func TestATestThatFailsIsToldWithWhatItsPartsSaid(t *testing.T) {
	r := readText(t,
		`{"Action":"output","Package":"p","Test":"TestA/one","Output":"x_test.go:1: two, want one\n"}`,
		`{"Action":"fail","Package":"p","Test":"TestA/one"}`, `{"Action":"fail","Package":"p","Test":"TestA"}`,
		`{"Action":"fail","Package":"p"}`)
	if len(r.failed) != 1 || r.failed[0].test != "TestA" || !strings.Contains(r.failed[0].said, "two, want one") {
		t.Errorf("it is told as %+v", r)
	}
}

func TestAPackageThatFailsBeforeItsTestsHasFailed(t *testing.T) {
	r := readText(t, `{"Action":"output","Package":"p","Output":"partnerview does not start\n"}`, `{"Action":"fail","Package":"p"}`)
	if len(r.failed) != 1 || r.failed[0] != (failure{"p", "partnerview does not start\n"}) {
		t.Errorf("it is told as %+v", r)
	}
}

func TestWhatIsLeftOutIsToldWithItsReason(t *testing.T) {
	r := readText(t, `{"Action":"output","Package":"p","Test":"TestA","Output":"    x_test.go:7: it loads 300,000 lines\n"}`,
		`{"Action":"skip","Package":"p","Test":"TestA"}`)
	if len(r.skipped) != 1 || r.skipped[0] != "TestA: it loads 300,000 lines" || r.passed != 0 {
		t.Errorf("it is told as %+v", r)
	}
}

func TestTheSentenceHasItsCounts(t *testing.T) {
	r := result{passed: 214, skipped: []string{"TestA: long"}}
	if got, want := r.sentence("DynamoDB Local 3.3.1"), "engine: 214 tests passed on DynamoDB Local 3.3.1, 0 failed, 1 left out"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
