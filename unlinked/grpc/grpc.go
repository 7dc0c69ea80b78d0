// Package grpc stands in for google.golang.org/grpc: it declares what the X-Ray SDK's
// interceptors name, which nothing here calls. See the folder's README.
package grpc

import (
	"context"

	"google.golang.org/grpc/metadata"
)

type ClientConn struct{}

func (*ClientConn) Target() string { return "" }

type CallOption interface{}

type UnaryInvoker func(ctx context.Context, method string, req, reply any, cc *ClientConn, opts ...CallOption) error

type UnaryClientInterceptor func(ctx context.Context, method string, req, reply any, cc *ClientConn, invoker UnaryInvoker, opts ...CallOption) error

type UnaryServerInfo struct{ FullMethod string }

type UnaryHandler func(ctx context.Context, req any) (any, error)

type UnaryServerInterceptor func(ctx context.Context, req any, info *UnaryServerInfo, handler UnaryHandler) (any, error)

func SetHeader(context.Context, metadata.MD) error { return nil }
