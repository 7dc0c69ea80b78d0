package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
)

// recordedFile is where the ratios stand that -check holds a run against, from the
// repository's root.
const recordedFile = "tools/bench/recorded.json"

// tolerance is what -check lets a ratio grow to, × the recorded one.
const tolerance = 1.25

// recording is the main ratios of a run.
type recording struct {
	Machine string           `json:"machine"` // "go1.26.8 linux/amd64, 2 CPUs"
	Ratios  map[string]ratio `json:"ratios"`  // by function, × hello; and of the warm pages, × the floor
}

type ratio struct {
	Wall float64 `json:"wall"`
	CPU  float64 `json:"cpu"`
}

// recordingOf takes the main ratios of what was measured.
func recordingOf(machine string, functions []*side, pages []warmPage) recording {
	r := recording{machine, map[string]ratio{}}
	for _, f := range functions[1:] {
		hello := over(f, functions[0])
		r.Ratios[f.name] = ratio{hello.wall, hello.cpu}
	}
	for _, p := range pages {
		wall, cpu := p.overFloor()
		r.Ratios["warm page of "+string(p.product)] = ratio{wall, cpu}
	}
	return r
}

// against names every ratio that has grown beyond the tolerance, and every one that
// only one side has.
func (r recording) against(recorded recording) error {
	var faults []error
	both := map[string]ratio{}
	maps.Copy(both, recorded.Ratios)
	maps.Copy(both, r.Ratios)
	for _, name := range slices.Sorted(maps.Keys(both)) {
		was, before := recorded.Ratios[name]
		is, now := r.Ratios[name]
		if !before || !now {
			faults = append(faults, fmt.Errorf("%s: recorded %t, measured %t: make bench ARGS=-record", name, before, now))
			continue
		}
		if is.Wall > tolerance*was.Wall {
			faults = append(faults, fmt.Errorf("%s: wall time %.2f ×, more than %.2f × the recorded %.2f", name, is.Wall, tolerance, was.Wall))
		}
		if is.CPU > tolerance*was.CPU {
			faults = append(faults, fmt.Errorf("%s: processor time %.2f ×, more than %.2f × the recorded %.2f", name, is.CPU, tolerance, was.CPU))
		}
	}
	return errors.Join(faults...)
}

func readRecording(path string) (r recording, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("there is nothing to hold the run against: %w: make bench ARGS=-record", err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func (r recording) write(path string) error {
	for name, one := range r.Ratios { // two digits are what a run can tell
		r.Ratios[name] = ratio{rounded(one.Wall), rounded(one.CPU)}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

func rounded(v float64) float64 { return float64(int(v*100+0.5)) / 100 }
