package apigateway

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

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
	a := c.gateway.refuse(no, x)
	a.header.Set("Connection", "close")
	a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
	a.header.Set("X-Amzn-Requestid", x.id)
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	a.header.Write(&out)
	out.WriteString("\r\n")
	out.Write(a.body)
	c.gateway.log(x, a.status, no)
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
