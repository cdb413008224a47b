package main

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// bulkSize is what bulk moves each way, in bytes.
const bulkSize = 1 << 20

// bulk sends random bytes, closes the sending half, and wants the same bytes and
// an end back. It closes the connection, which is TCP, Unix or TLS.
func bulk(t *testing.T, c net.Conn) {
	t.Helper()
	defer c.Close()
	c.SetDeadline(time.Now().Add(testpeer.Patience))
	data := make([]byte, bulkSize)
	rand.Read(data)
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(data)
		if err == nil {
			err = c.(interface{ CloseWrite() error }).CloseWrite()
		}
		sent <- err
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("reading the echo: %v", err)
	}
	if err := <-sent; err != nil {
		t.Errorf("sending: %v", err)
	}
	if !bytes.Equal(got, data) {
		t.Errorf("%d of %d bytes come back, or others", len(got), len(data))
	}
}
