package main

import (
	"context"
	"io"
	"os"
)

// input is a file that is read, or the standard input.
type input struct {
	io.Reader
	size  int64 // in bytes; -1: unknown
	close func()
}

// open opens a file, or with "-" the standard input. What may keep its reader
// waiting for ever, as a pipe that nobody writes to, is given up when the command
// is interrupted.
func (s *session) open(name string) (input, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	if name == stdin {
		return input{readUntilDone(ctx, s.std.in), -1, cancel}, nil
	}
	f, err := openUntilDone(ctx, func() (*os.File, error) { return os.Open(name) })
	if err != nil {
		cancel()
		return input{}, err
	}
	in := input{readUntilDone(ctx, f), -1, func() { cancel(); f.Close() }}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		in.size = info.Size()
	}
	return in, nil
}

// openUntilDone opens a file, of which a named pipe waits for its other end.
func openUntilDone(ctx context.Context, open func() (*os.File, error)) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() { // ends with the call, or with the program
		f, err := open()
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		return o.f, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// doneReader reads a stream until a context ends, even while a read is under way.
type doneReader struct {
	ctx   context.Context
	parts <-chan part
	rest  []byte // of the last part
	err   error  // what the stream ended with
}

type part struct {
	text []byte
	err  error
}

func readUntilDone(ctx context.Context, stream io.Reader) *doneReader {
	parts := make(chan part)
	go func() { // ends with the stream or the context, or where a read does not, with the program
		for {
			text := make([]byte, 64<<10)
			n, err := stream.Read(text)
			select {
			case parts <- part{text[:n], err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return &doneReader{ctx: ctx, parts: parts}
}

func (d *doneReader) Read(p []byte) (int, error) {
	for len(d.rest) == 0 && d.err == nil {
		select {
		case next := <-d.parts:
			d.rest, d.err = next.text, next.err
		case <-d.ctx.Done():
			return 0, d.ctx.Err()
		}
	}
	if err := d.ctx.Err(); err != nil {
		return 0, err
	}
	if len(d.rest) == 0 {
		return 0, d.err
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}
