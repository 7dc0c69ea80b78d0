package apigateway

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// answer is what a caller gets.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// refusal is an answer of the gateway's own: one of its response types, the
// status that it has where the template does not set another, and for our log
// what has failed.
type refusal struct {
	kind   string
	status int
	cause  error
}

func (r *refusal) Error() string { return r.kind }

// refuse renders a refusal as the template has it.
func (g *Gateway) refuse(no *refusal, x *exchange) *answer {
	response, written := g.Template.GatewayResponse(no.kind, no.status)
	if !written { // as API Gateway puts it
		return &answer{no.status, http.Header{"Content-Type": {"application/json"}}, fmt.Appendf(nil, `{"message":%q}`, http.StatusText(no.status))}
	}
	a := &answer{response.Status, make(http.Header), []byte(response.Body(x.id))}
	for name, value := range response.Headers {
		a.header.Set(name, value)
	}
	return a
}

// parseResponse reads what a function answered. The form is strict, as API
// Gateway's is: a field that it does not know makes a malformed response.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
func parseResponse(text []byte) (*answer, error) {
	var response struct {
		StatusCode        json.Number
		Headers           map[string]any
		MultiValueHeaders map[string][]any
		Body              string
		IsBase64Encoded   bool // plays a part only with BinaryMediaTypes, which the template has not
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if len(text) == 0 || text[0] != '{' {
		return nil, errMalformed
	}
	if err := in.Decode(&response); err != nil {
		return nil, errMalformed // not err, which may quote the response
	}
	a := &answer{http.StatusOK, make(http.Header), []byte(response.Body)}
	if response.StatusCode != "" {
		status, err := strconv.Atoi(response.StatusCode.String())
		if err != nil || status < 200 || status > 599 {
			return nil, errMalformed
		}
		a.status = status
	}
	for name, values := range response.MultiValueHeaders {
		for _, v := range values {
			if err := a.add(name, v); err != nil {
				return nil, err
			}
		}
	}
	for name, v := range response.Headers {
		if slices.Contains(a.header.Values(outward(name)), fmt.Sprint(v)) {
			continue // it is in both
		}
		if err := a.add(name, v); err != nil {
			return nil, err
		}
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/json")
	}
	return a, nil
}

var errMalformed = errors.New("malformed proxy response")

func (a *answer) add(name string, value any) error {
	switch value.(type) {
	case string, bool, float64:
		a.header.Add(outward(name), fmt.Sprint(value))
		return nil
	}
	return errMalformed
}

// outward is the name under which a function's header leaves: some are the
// gateway's own, and a function's go out under another.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
func outward(name string) string {
	switch strings.ToLower(name) {
	case "authorization", "connection", "content-length", "content-md5", "date", "expect", "host", "max-forwards", "proxy-authenticate",
		"server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via", "warn", "www-authenticate":
		return "x-amzn-Remapped-" + name
	}
	return name
}

// write sends an answer with the headers that API Gateway puts on each, and
// compresses it where the template and the caller want that.
func (g *Gateway) write(w http.ResponseWriter, r *http.Request, x *exchange, a *answer) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	h.Set("X-Amzn-Requestid", x.id)
	h.Set("X-Amz-Apigw-Id", extendedID(x.id))
	body := a.body
	if from := g.Template.CompressFrom; from >= 0 && len(body) >= from && len(body) > 0 && h.Get("Content-Encoding") == "" && takesGzip(r) {
		body = compressed(body)
		h.Set("Content-Encoding", "gzip")
	}
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	w.Write(body) // a caller who has left misses nothing
}

func takesGzip(r *http.Request) bool {
	for _, codings := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(codings, ",") {
			name, quality, _ := strings.Cut(coding, ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") && strings.TrimRight(strings.ReplaceAll(quality, " ", ""), "0.") != "q=" {
				return true
			}
		}
	}
	return false
}

func compressed(body []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(body) // a buffer takes everything
	z.Close()
	return out.Bytes()
}

// extendedID is the second of the two ids that API Gateway gives a request.
func extendedID(requestID string) string { return strings.ReplaceAll(requestID, "-", "")[:15] + "=" }
