package service

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A local client is told by the guest that TLS with the server failed, and no reset
// overtakes what it is told.
func TestFarewell(t *testing.T) {
	server := testpeer.Serve(t, func(c net.Conn) {
		io.WriteString(c, "220 mx ESMTP\r\n")
		for in := bufio.NewScanner(c); in.Scan(); {
			if in.Text() == "STARTTLS" {
				io.WriteString(c, "220 go\r\n")
				io.ReadFull(c, make([]byte, 1)) // the handshake has begun
				io.WriteString(c, strings.Repeat("this is no TLS ", 10))
				return
			}
			io.WriteString(c, "250-mx\r\n250 STARTTLS\r\n")
		}
	})
	b := newBench(t, logging.Debug)
	b.apply("[mail]\nclient = yes\nprotocol = smtp\naccept = 127.0.0.1:0\nconnect = " + server + "\n")
	c := call(t, b.addr("mail"))
	text, err := io.ReadAll(c)
	if want := "220 mx ESMTP\r\n421 4.7.0 No TLS with the mail server\r\n"; err != nil || string(text) != want {
		t.Errorf("the client read %q and %v, want %q", text, err, want)
	}
	b.waitLog(`Connection (closed|reset/closed): 0 byte`, 1)
}
