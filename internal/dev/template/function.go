package template

import (
	"fmt"
	"strings"
	"time"
)

// event is an event of a function that is a route.
type event struct {
	function                string
	RestApiId, Method, Path string
	Auth                    struct{ Authorizer string }
}

func (rd *reading) function(id string) error {
	var p struct {
		Handler, Runtime, Tracing, Role string
		Architectures                   []string
		Timeout, MemorySize             int `json:",string"`
		Environment                     struct{ Variables map[string]string }
		LoggingConfig                   struct{ LogGroup string }
		Policies                        any
		Events                          map[string]struct {
			Type       string
			Properties event
		}
	}
	p.Timeout, p.MemorySize = 3, 128 // what SAM takes where neither says
	if err := rd.decode(rd.globals["Function"], &p); err != nil {
		return fmt.Errorf("in Globals: %w", err)
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	if p.Policies != nil {
		return fmt.Errorf("its rights must stand in its role, where they are seen, not in Policies")
	}
	_, role, _ := strings.Cut(p.Role, ":role/")
	rd.t.Functions = append(rd.t.Functions, Function{
		ID: id, Folder: folder(id), Handler: p.Handler, Runtime: p.Runtime,
		Architecture: strings.Join(p.Architectures, ","),
		Timeout:      time.Duration(p.Timeout) * time.Second, MemoryMB: p.MemorySize,
		Environment: p.Environment.Variables, Traced: p.Tracing == "Active",
		LogGroup: p.LoggingConfig.LogGroup, Role: role,
	})
	for name, e := range p.Events {
		if e.Type != "Api" {
			return fmt.Errorf("event %s: a %s is not understood", name, e.Type)
		}
		e.Properties.function = id
		rd.events = append(rd.events, e.Properties)
	}
	return nil
}

// folder is where a function's main package is. The Makefile's target
// build-<logical id> goes by the same rule: GetUsageFunction is functions/getusage.
func folder(id string) string {
	return "functions/" + strings.ToLower(strings.TrimSuffix(id, "Function"))
}
