package lambda

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The greatest payload that Lambda takes or gives back in one piece: 6 MiB, and
// a little for its own use.
const maxPayload = 6<<20 + 100

// runtimeAPI is what a function's process asks for work and answers to:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (i *instance) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", i.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", i.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", i.error)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", i.initError)
	return mux
}

func (i *instance) next(w http.ResponseWriter, r *http.Request) {
	i.offer()
	select {
	case v := <-i.work:
		deadline := i.begin(v)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", v.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", arn(i.function.Name))
		h.Set("Lambda-Runtime-Trace-Id", traceID(v.id))
		w.Write(v.payload)
	case <-r.Context().Done(): // the process went away, or was ended
	}
}

func (i *instance) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		return // it did not come through: the process will not live on
	}
	if len(body) > maxPayload {
		tooLarge := &Failure{"Function.ResponseSizeTooLarge",
			"the response is larger than Lambda takes: " + strconv.Itoa(maxPayload) + " bytes"}
		i.end(r.PathValue("id"), nil, tooLarge)
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge")
		return
	}
	if !i.end(r.PathValue("id"), body, nil) {
		refuse(w, http.StatusBadRequest, "InvalidRequestID")
		return
	}
	accept(w)
}

func (i *instance) error(w http.ResponseWriter, r *http.Request) {
	if !i.end(r.PathValue("id"), nil, failure(r)) {
		refuse(w, http.StatusBadRequest, "InvalidRequestID")
		return
	}
	accept(w)
}

// initError is told by a process that cannot start. It ends by itself.
func (i *instance) initError(w http.ResponseWriter, r *http.Request) {
	why := failure(r)
	i.function.mu.Lock()
	i.why = why
	i.function.mu.Unlock()
	accept(w)
}

// failure reads what a process says of its error.
func failure(r *http.Request) *Failure {
	f := new(Failure)
	json.NewDecoder(io.LimitReader(r.Body, maxPayload)).Decode(f) // what cannot be read stays empty
	if f.Type == "" {
		f.Type = r.Header.Get("Lambda-Runtime-Function-Error-Type")
	}
	return f
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, typ string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(Failure{Type: typ, Message: typ})
}

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
