package main

import (
	"net"
	"sync/atomic"
)

// daemon stands where X-Ray's does, and counts what it is sent.
type daemon struct {
	conn     net.PacketConn
	segments atomic.Int64
}

func newDaemon() (*daemon, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &daemon{conn: conn}
	go func() { // ends with close
		buffer := make([]byte, 64<<10)
		for {
			if _, _, err := conn.ReadFrom(buffer); err != nil {
				return
			}
			d.segments.Add(1)
		}
	}()
	return d, nil
}

func (d *daemon) address() string { return d.conn.LocalAddr().String() }

func (d *daemon) close() { _ = d.conn.Close() }
