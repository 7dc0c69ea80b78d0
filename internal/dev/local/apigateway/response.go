package apigateway

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// response is what a caller gets.
type response struct {
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
func (g *Gateway) refuse(no *refusal, x *exchange) *response {
	of, written := g.Template.GatewayResponse(no.kind, no.status)
	if !written { // as API Gateway puts it
		body := fmt.Appendf(nil, `{"message":%q}`, http.StatusText(no.status))
		return &response{no.status, http.Header{"Content-Type": {"application/json"}}, body}
	}
	r := &response{of.Status, make(http.Header), []byte(of.Body(x.id))}
	for name, value := range of.Headers {
		r.header.Set(name, value)
	}
	return r
}

// parseResponse reads what a function answered. The form is strict, as API
// Gateway's is: a field that it does not know makes a malformed response.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
func parseResponse(text []byte) (*response, error) {
	var output struct {
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
	if err := in.Decode(&output); err != nil {
		return nil, errMalformed // not err, which may quote the response
	}
	r := &response{http.StatusOK, make(http.Header), []byte(output.Body)}
	if output.StatusCode != "" {
		status, err := strconv.Atoi(output.StatusCode.String())
		if err != nil || status < 200 || status > 599 {
			return nil, errMalformed
		}
		r.status = status
	}
	for name, values := range output.MultiValueHeaders {
		for _, v := range values {
			if err := r.add(name, v); err != nil {
				return nil, err
			}
		}
	}
	for name, v := range output.Headers {
		if slices.Contains(r.header.Values(outward(name)), fmt.Sprint(v)) {
			continue // it is in both
		}
		if err := r.add(name, v); err != nil {
			return nil, err
		}
	}
	if r.header.Get("Content-Type") == "" {
		r.header.Set("Content-Type", "application/json")
	}
	return r, nil
}

var errMalformed = errors.New("malformed proxy response")

func (r *response) add(name string, value any) error {
	switch value.(type) {
	case string, bool, float64:
		r.header.Add(outward(name), fmt.Sprint(value))
		return nil
	}
	return errMalformed
}

// outward is the name under which a function's header leaves: some are the
// gateway's own, and a function's go out under another.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
func outward(name string) string {
	switch strings.ToLower(name) {
	case "authorization", "connection", "content-length", "content-md5", "date", "expect", "host", "max-forwards",
		"proxy-authenticate",
		"server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via", "warn", "www-authenticate":
		return "x-amzn-Remapped-" + name
	}
	return name
}

// write sends a response with the headers that API Gateway puts on each, and
// compresses it where the template and the caller want that.
func (g *Gateway) write(w http.ResponseWriter, r *http.Request, x *exchange, of *response) {
	h := w.Header()
	for name, values := range of.header {
		h[name] = values
	}
	h.Set("X-Amzn-Requestid", x.id)
	h.Set("X-Amz-Apigw-Id", extendedID(x.id))
	body := of.body
	from := g.Template.CompressFrom
	if from >= 0 && len(body) >= max(from, 1) && h.Get("Content-Encoding") == "" && takesGzip(r) {
		body = compressed(body)
		h.Set("Content-Encoding", "gzip")
	}
	if of.status != http.StatusNoContent && of.status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(of.status)
	w.Write(body) // a caller who has left misses nothing
}

func takesGzip(r *http.Request) bool {
	for _, codings := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(codings, ",") {
			name, quality, _ := strings.Cut(coding, ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") &&
				strings.TrimRight(strings.ReplaceAll(quality, " ", ""), "0.") != "q=" {
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

// Listen wraps a listener for the http.Server that serves the gateway. What that
// server cannot read as a request (a path with a broken escape, a header without
// end) it refuses by itself, in plain text. Here that too is an answer of the
// gateway's.
func (g *Gateway) Listen(l net.Listener) net.Listener { return listener{l, g} }

type listener struct {
	net.Listener
	gateway *Gateway
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return conn{c, l.gateway}, nil
}

type conn struct {
	net.Conn
	gateway *Gateway
}

// plainRefusal stands after the status line of what net/http says by itself, in
// one piece.
var plainRefusal = []byte("Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

func (c conn) Write(p []byte) (int, error) {
	status, ok := plainStatus(p)
	if !ok {
		return c.Conn.Write(p)
	}
	x := c.gateway.newExchange(&http.Request{})
	no := &refusal{kind: "DEFAULT_4XX", status: status}
	if status == http.StatusRequestHeaderFieldsTooLarge {
		no.kind = "REQUEST_TOO_LARGE"
	}
	r := c.gateway.refuse(no, x)
	r.header.Set("Connection", "close")
	r.header.Set("Content-Length", strconv.Itoa(len(r.body)))
	r.header.Set("X-Amzn-Requestid", x.id)
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\n", r.status, http.StatusText(r.status))
	r.header.Write(&out)
	out.WriteString("\r\n")
	out.Write(r.body)
	c.gateway.log(x, r.status, no)
	if _, err := c.Conn.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

func plainStatus(p []byte) (status int, ok bool) {
	line, rest, _ := bytes.Cut(p, []byte("\r\n"))
	digits, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || !bytes.HasPrefix(rest, plainRefusal) || len(digits) < 3 {
		return 0, false
	}
	status, err := strconv.Atoi(string(digits[:3]))
	return status, err == nil && status >= 400
}
