package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func isRefusal(err error) bool {
	_, ok := errors.AsType[refusal](err)
	return ok
}

func TestAHelloThatDiffersFromItselfByMoreThanATwentiethIsRefused(t *testing.T) {
	for _, same := range []float64{0.96, 1, 1.04} {
		if err := judgeTwins(same, same); err != nil {
			t.Errorf("%.2f is refused: %v", same, err)
		}
	}
	for _, pair := range [][2]float64{{0.94, 1}, {1.06, 1}, {1, 0.94}, {1, 1.06}} {
		if err := judgeTwins(pair[0], pair[1]); !isRefusal(err) {
			t.Errorf("wall %.2f, CPU %.2f: %v", pair[0], pair[1], err)
		}
	}
}

func TestWhatOthersUseOfTheMachineIsNotWhatThisProgramUses(t *testing.T) {
	from := snapshot{at: time.Unix(0, 0), idle: map[int]time.Duration{0: 0, 1: 0}}
	to := snapshot{at: time.Unix(10, 0), used: 11 * time.Second, own: 10 * time.Second, idle: map[int]time.Duration{0: 0, 1: 0}}
	if foreign, _ := others(from, to); foreign != 0.05 {
		t.Errorf("a second of others in ten of two cores is %v", foreign)
	}
	if err := judgeMachine(from, to); err != nil {
		t.Error(err)
	}
	to.used += 100 * time.Millisecond
	if err := judgeMachine(from, to); !isRefusal(err) || !strings.Contains(err.Error(), "load average") {
		t.Errorf("more than that: %v", err)
	}
	to.used, to.stolen = 11*time.Second, 500*time.Millisecond
	if err := judgeMachine(from, to); !isRefusal(err) || !strings.Contains(err.Error(), "stolen") {
		t.Errorf("a host that is busy: %v", err)
	}
}

func TestAMachineWithAnotherProgramOnItIsRefused(t *testing.T) {
	on := twoCores(t)
	burn(t, on)
	if _, _, err := quietCores(t.Context(), []int{on.own, on.functions}); !isRefusal(err) || !strings.Contains(err.Error(), "others used") {
		t.Errorf("it is taken for quiet: %v", err)
	}
}

func TestARefusalEndsWithThreeAndItsReason(t *testing.T) {
	var said strings.Builder
	if code := conclude(fmt.Errorf("cold: %w", refuse("others work")), false, &said); code != 3 || !strings.Contains(said.String(), "others work") {
		t.Errorf("%d, %q", code, said.String())
	}
}

func TestACheckThatIsRefusedPassesWithItsReason(t *testing.T) {
	var said strings.Builder
	if code := conclude(refuse("others work"), true, &said); code != 0 || !strings.Contains(said.String(), "others work") {
		t.Errorf("%d, %q", code, said.String())
	}
	if code := conclude(errors.New("it answers with an error"), true, &said); code != 1 {
		t.Errorf("a failure ends with %d", code)
	}
}

func TestOneCoreIsRefused(t *testing.T) {
	if _, _, err := awaitQuiet(t.Context(), []int{0}); !isRefusal(err) {
		t.Error(err)
	}
}

func TestAFunctionIsOnItsCoreFromTheStart(t *testing.T) {
	on := twoCores(t)
	cmd := burn(t, on)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("Cpus_allowed_list:\t%d\n", on.functions); !strings.Contains(string(status), want) {
		t.Errorf("%q is not in\n%s", want, status)
	}
}
