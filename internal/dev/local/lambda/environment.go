package lambda

import (
	"strconv"
	"strings"
)

// Where functions believe they run: a region of AWS's, and the account number of
// its documentation's examples.
const (
	Region  = "us-east-1"
	Account = "123456789012"
)

func arn(function string) string {
	return "arn:aws:lambda:" + Region + ":" + Account + ":function:" + function
}

// traceID is a trace that is not sampled.
func traceID(requestID string) string {
	hex := strings.ReplaceAll(requestID, "-", "")
	return "Root=1-" + hex[:8] + "-" + hex[8:] + ";Parent=" + hex[:16] + ";Sampled=0"
}

// environment is what Lambda sets for a function, and then the function's own
// variables: none of the shell's, so that nothing works here by a variable that
// is not in the template. The credentials are dummies; by the session token an
// endpoint can tell which function calls. There is no X-Ray daemon.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func environment(c Config, folder, runtimeAPI string) []string {
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI,
		"AWS_LAMBDA_FUNCTION_NAME=" + c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(c.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + c.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=local",
		"AWS_REGION=" + Region,
		"AWS_DEFAULT_REGION=" + Region,
		"AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN=local-" + c.Name,
		"AWS_SESSION_TOKEN=local-" + c.Name, // tells whoever stands before the engine which function asks
		"_HANDLER=bootstrap",
		"LAMBDA_TASK_ROOT=" + folder,
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"TZ=:UTC",
	}
	for name, value := range c.Environment {
		env = append(env, name+"="+value)
	}
	return env
}
