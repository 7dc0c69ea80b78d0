package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type doctorCommand struct {
	Logs bool `help:"Show of each log how far it is loaded, and whether a day of it is pending, too."`
}

// doctorReport is the result for programs.
type doctorReport struct {
	OK     bool         `json:"ok"`
	Checks []tableCheck `json:"checks"`
	Logs   []logAge     `json:"logs,omitempty"`
}

type tableCheck struct {
	Check  string `json:"check"`
	Table  string `json:"table,omitempty"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Remedy string `json:"mend,omitempty"`
}

type logAge struct {
	AccountID     usage.AccountID `json:"accountId"`
	Product       usage.Product   `json:"product"`
	LoadedThrough *string         `json:"loadedThrough"`
	LoadedAt      *string         `json:"loadedAt"`
	Pending       bool            `json:"pending"`
}

func (c doctorCommand) Run(s *session) error {
	if !s.connection.Now.IsZero() {
		return misuseError("doctor checks the real clock: leave out --now")
	}
	o, err := s.operator(allTables()...)
	if err != nil {
		return err
	}
	local := false
	if s.connection.Endpoint != "" {
		if local, err = dynamo.IsLoopback(s.connection.Endpoint); err != nil {
			return misuseError(err.Error())
		}
	}
	out := doctorReport{OK: true, Checks: []tableCheck{}}
	t := newTable()
	for _, f := range o.Examine(s.ctx, local) {
		out.OK = out.OK && f.OK()
		out.Checks = append(out.Checks, tableCheck{f.Check, f.Table, f.OK(), f.Detail, f.Remedy})
		state, detail := "ok", f.Detail
		if !f.OK() {
			state, detail = "failed", f.Detail+". "+f.Remedy
		}
		t.add(inColour(state), f.Check, orDash(textOrNil(f.Table)), detail)
	}
	if err := s.ctx.Err(); err != nil {
		return err
	}
	logs := newTable("ACCOUNT ID", "PRODUCT", "LOADED THROUGH", "AGE", "LOADED AT", "TOTALS")
	if c.Logs {
		if err := c.logs(s, o, &out, logs); err != nil && out.OK { // else the checks say why
			return err
		}
	}
	people := func() {
		s.show(t)
		if len(out.Logs) > 0 {
			s.printf("\n")
			s.show(logs)
		}
	}
	if err = s.print(out, people); err == nil && !out.OK {
		err = operator.UserError("some checks failed: see the lines above")
	}
	return err
}

// logs adds each log and its age to the report.
func (doctorCommand) logs(s *session, o *operator.Operator, out *doctorReport, t *textTable) error {
	ages, err := o.LogAges(s.ctx)
	if err != nil {
		return err
	}
	for _, l := range ages {
		age := logAge{l.Account, l.Product, timeOrNil(l.LoadedThrough), timeOrNil(l.LoadedAt), l.Stale}
		out.Logs = append(out.Logs, age)
		state := "counted"
		if l.Stale {
			state = "pending"
		}
		t.add(l.Account, l.Product, orDash(age.LoadedThrough), operator.AgeText(l.LoadedThrough, s.now()),
			orDash(age.LoadedAt), state)
	}
	return nil
}

// version and commit are set by make release; elsewhere the build knows what it
// was built of.
var version, commit string

type versionCommand struct{}

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
	return s.print(out, func() {
		s.printf("partnerctl %s (%s, %s, %s)\n", out.Version, cmp.Or(out.Commit, "commit not known"), out.Go,
			out.Platform)
	})
}

// versionOf prefers what the release has set to what the build knows; info may be
// nil.
func versionOf(version, commit string, info *debug.BuildInfo) builtOf {
	out := builtOf{Version: cmp.Or(version, "devel"), Commit: commit, Go: runtime.Version(),
		Platform: fmt.Sprintf("%s/%s", runtime.GOOS, runtime.GOARCH)}
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
