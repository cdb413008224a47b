package stdproto_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// FuzzSMTP lets both peers say anything and hang up. The guest must refuse with a
// reason that blames a peer, or hand over to the relay with the right side encrypted:
// it never traps, never runs out of fuel or calls, and never blames itself. In server
// mode the mail server hears nothing; in client mode it hears no AUTH before TLS.
func FuzzSMTP(f *testing.F) {
	// Seeds are what the peers say in the transcripts.
	files, err := filepath.Glob(filepath.Join("..", "testdata", "flights", "smtp", "*.txtar"))
	if err != nil || len(files) == 0 {
		f.Fatal("no flights: ", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		flight, err := parseFlight(string(text))
		if err != nil {
			f.Fatal(err)
		}
		var said [2][]byte
		for _, s := range flight.talk {
			if s.verb != "L:" && s.verb != "S:" {
				continue
			}
			text, err := s.text()
			if err != nil {
				f.Fatal(err)
			}
			said[sideOf(s.verb)] = append(said[sideOf(s.verb)], text...)
		}
		f.Add(said[abi.Accepted], said[abi.Outgoing], flight.config["client"] == "yes",
			flight.config["protocolauthentication"] == "LOGIN", false)
	}
	module := load(f, "smtp")
	f.Fuzz(func(t *testing.T, local, server []byte, client, login, single bool) {
		host := &fakeHost{
			config:  map[string]string{"client": "no", "protocolusername": "user"},
			secrets: map[string]string{"protocolpassword": "pass"},
		}
		encrypted := abi.Accepted
		if client {
			host.config["client"], encrypted = "yes", abi.Outgoing
		}
		if login {
			host.config["protocolauthentication"] = "login"
		}
		var far [2]*memConn
		host.accepted, far[abi.Accepted] = said(local, single)
		host.outgoing, far[abi.Outgoing] = said(server, single)
		// Handshakes succeed without a byte, so that what follows is reached.
		host.handshake = func(abi.Side, io.Reader) error {
			if sent := far[abi.Outgoing].in.waiting(); bytes.Contains(sent, []byte("AUTH")) {
				t.Errorf("before TLS the server was sent %q", sent)
			}
			return nil
		}
		outcome, err := module.Negotiate(context.Background(), host, guest.Limits{Time: 10 * time.Second})
		if sent := far[abi.Outgoing].in.waiting(); !client && len(sent) > 0 {
			t.Errorf("server mode sent the mail server %q", sent)
		}
		if err == nil {
			if !outcome.TLS[encrypted] || outcome.TLS[1-encrypted] {
				t.Errorf("relay with TLS on %v", outcome.TLS)
			}
			return
		}
		e, ok := errors.AsType[*guest.Error](err)
		if !ok {
			t.Fatal(err)
		}
		if e.Kind == guest.KindClear || e.Kind == guest.KindRefusal && e.Class == abi.FailPeer && e.Reason != "" {
			return
		}
		t.Errorf("%s, class %s: %v\n%s", e.Kind, e.Class, e, e.Trace)
	})
}

// said is a connection to a peer that has said all it ever says.
func said(text []byte, single bool) (near, far *memConn) {
	near, far = newMemPair(single)
	// Neither fails: nobody has closed the connection.
	_, _ = far.Write(text)
	_ = far.CloseWrite()
	return near, far
}
