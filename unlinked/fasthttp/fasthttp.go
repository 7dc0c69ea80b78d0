// Package fasthttp stands in for github.com/valyala/fasthttp: it declares what the X-Ray
// SDK's handler names, which nothing here makes. See the folder's README.
package fasthttp

import (
	"crypto/tls"
	"net"
)

const StatusInternalServerError = 500

type RequestHandler func(*RequestCtx)

type RequestCtx struct {
	Request  Request
	Response Response
}

func (*RequestCtx) RequestURI() []byte                       { return nil }
func (*RequestCtx) Host() []byte                             { return nil }
func (*RequestCtx) Method() []byte                           { return nil }
func (*RequestCtx) RemoteAddr() net.Addr                     { return nil }
func (*RequestCtx) TLSConnectionState() *tls.ConnectionState { return nil }
func (*RequestCtx) Error(string, int)                        {}
func (*RequestCtx) SetUserValue(key, value any)              {}
func (*RequestCtx) UserValue(any) any                        { return nil }
func (*RequestCtx) Logger() Logger                           { return nil }

type Request struct{ Header RequestHeader }

func (*Request) Host() []byte { return nil }

type Response struct{ Header ResponseHeader }

func (*Response) StatusCode() int { return 0 }

type RequestHeader struct{}

func (*RequestHeader) VisitAll(func(key, value []byte)) {}
func (*RequestHeader) Set(key, value string)            {}
func (*RequestHeader) Peek(string) []byte               { return nil }

type ResponseHeader struct{}

func (*ResponseHeader) ContentLength() int { return 0 }

type Logger interface {
	Printf(format string, args ...any)
}
