package start_test

import (
	"strings"
	"testing"

	"partnerview/functions/start"
)

func TestEveryFaultOfTheEnvironmentIsNamedAtOnce(t *testing.T) {
	env := map[string]string{"PARTNERVIEW_NOW": "yesterday", "AWS_ENDPOINT_URL_DYNAMODB": "http://db.example.com"}
	f, err := start.FromEnv(func(name string) string { return env[name] })
	if err == nil || !strings.Contains(err.Error(), "PARTNERVIEW_NOW") || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("named is %v", err)
	}
	if f.Log == nil {
		t.Error("there is no log to tell it by")
	}
}

func TestAnImportsCallsAreNotTraced(t *testing.T) {
	env := start.Untraced(func(name string) string { return "the value of " + name })
	if got := env("AWS_XRAY_DAEMON_ADDRESS") + env("USAGE_TABLE"); got != "the value of USAGE_TABLE" {
		t.Errorf("the environment has %q", got)
	}
}
