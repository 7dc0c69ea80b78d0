package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestACheckFailsWhereARatioHasGrownByMoreThanAQuarter(t *testing.T) {
	recorded := recording{Ratios: map[string]ratio{"getusage": {2, 2}}}
	for _, is := range []ratio{{2.5, 2.5}, {1, 1}} {
		if err := (recording{Ratios: map[string]ratio{"getusage": is}}).against(recorded); err != nil {
			t.Errorf("%v fails: %v", is, err)
		}
	}
	for what, is := range map[string]ratio{"wall time": {2.51, 2}, "processor time": {2, 2.51}} {
		err := (recording{Ratios: map[string]ratio{"getusage": is}}).against(recorded)
		if err == nil || !strings.Contains(err.Error(), what) || isRefusal(err) {
			t.Errorf("%v: %v", is, err)
		}
	}
}

func TestACheckFailsWhereOneSideKnowsNoSuchRatio(t *testing.T) {
	one, none := recording{Ratios: map[string]ratio{"getusage": {2, 2}}}, recording{}
	if one.against(none) == nil || none.against(one) == nil {
		t.Error("a ratio that only one side has passes")
	}
}

func TestWhatIsRecordedIsWhatIsHeldAgainst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "recorded.json")
	r := recording{"a machine", map[string]ratio{"getusage": {2.004, 1.996}}}
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	read, err := readRecording(path)
	if err != nil || read.Ratios["getusage"] != (ratio{2, 2}) {
		t.Errorf("%v, %v", read, err)
	}
}

// The file in the repository has every ratio that a check measures.
func TestEveryRatioOfACheckIsRecorded(t *testing.T) {
	recorded, err := readRecording("recorded.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append([]string{"warm page of sms"}, measured[1:]...) {
		if recorded.Ratios[name].Wall <= 0 || recorded.Ratios[name].CPU <= 0 {
			t.Errorf("%s is not recorded", name)
		}
	}
}
