package main

import (
	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
)

type doctorCommand struct{}

func (doctorCommand) Help() string {
	return `It changes nothing. Each line says what was looked at and, where something is wrong, what mends it; the exit code is then 1.

Example: partnerctl doctor --stack partnerview`
}

// examined is the result for programs.
type examined struct {
	OK     bool           `json:"ok"`
	Checks []examinedLine `json:"checks"`
}

type examinedLine struct {
	Check  string `json:"check"`
	Table  string `json:"table,omitempty"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Mend   string `json:"mend,omitempty"`
}

func (doctorCommand) Run(s *session) error {
	if !s.connection.Now.time.IsZero() {
		return misuseError("doctor looks at the real clock: leave --now out")
	}
	o, err := s.operator(partnersTable, customersTable, priceListsTable, usageTable)
	if err != nil {
		return err
	}
	local := false
	if s.connection.Endpoint != "" {
		if local, err = dynamo.IsLoopback(s.connection.Endpoint); err != nil {
			return misuseError(err.Error())
		}
	}
	out := examined{OK: true, Checks: []examinedLine{}}
	t := newTable()
	for _, f := range o.Examine(s.ctx, local) {
		out.OK = out.OK && f.OK()
		out.Checks = append(out.Checks, examinedLine{f.Check, f.Table, f.OK(), f.Detail, f.Mend})
		state, detail := "ok", f.Detail
		if !f.OK() {
			state, detail = "failed", f.Detail+". "+f.Mend
		}
		t.add(inColour(state), f.Check, orDash(textOrNil(f.Table)), detail)
	}
	if err := s.ctx.Err(); err != nil {
		return err
	}
	if s.json {
		err = s.printJSON(out)
	} else {
		s.show(t)
	}
	if err == nil && !out.OK {
		err = operator.Refusal("something has to be mended: see the lines that failed")
	}
	return err
}
