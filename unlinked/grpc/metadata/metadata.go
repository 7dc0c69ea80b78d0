// Package metadata stands in for that of google.golang.org/grpc.
package metadata

import "context"

type MD map[string][]string

func New(map[string]string) MD { return nil }

func (MD) Get(string) []string { return nil }

func FromIncomingContext(context.Context) (MD, bool) { return nil, false }

func AppendToOutgoingContext(ctx context.Context, _ ...string) context.Context { return ctx }
