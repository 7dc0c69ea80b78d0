package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version and commit are set by make release; elsewhere the build knows what it
// was built of.
var version, commit string

type versionCommand struct{}

func (versionCommand) Help() string {
	return `A build from a clone has no version of its own, and tells its commit.

Example: partnerctl version`
}

// builtOf is the result for programs.
type builtOf struct {
	Version  string `json:"version"` // "v1.2.0", or "devel": not a release
	Commit   string `json:"commit"`  // empty: not known
	Go       string `json:"go"`
	Platform string `json:"platform"` // "linux/arm64"
}

func (versionCommand) Run(s *session) error {
	info, _ := debug.ReadBuildInfo()
	out := versionOf(version, commit, info)
	if s.json {
		return s.printJSON(out)
	}
	s.printf("partnerctl %s (%s, %s, %s)\n", out.Version, cmp.Or(out.Commit, "commit not known"), out.Go, out.Platform)
	return nil
}

// versionOf prefers what the release has set to what the build knows; info may be
// nil.
func versionOf(version, commit string, info *debug.BuildInfo) builtOf {
	out := builtOf{Version: cmp.Or(version, "devel"), Commit: commit, Go: runtime.Version(), Platform: fmt.Sprintf("%s/%s", runtime.GOOS, runtime.GOARCH)}
	if info == nil || commit != "" {
		return out
	}
	changed := ""
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			out.Commit = setting.Value
		case "vcs.modified":
			if setting.Value == "true" {
				changed = ", with changes"
			}
		}
	}
	if out.Commit != "" {
		out.Commit += changed
	}
	return out
}
