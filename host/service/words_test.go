package service

import (
	"crypto/tls"
	"errors"
	"net"
	"testing"
)

func TestOpenSSLWords(t *testing.T) {
	header := func(s string) error {
		e := tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}
		copy(e.RecordHeader[:], s)
		return e
	}
	remote := func(alert string) error { return &net.OpError{Op: "remote error", Err: errors.New("tls: " + alert)} }
	for _, c := range []struct {
		err  error
		want string
	}{
		{remote("unknown certificate authority"), "tlsv1 alert unknown ca"},
		{remote("bad certificate"), "sslv3 alert bad certificate"},
		{remote("no application protocol"), "tlsv1 alert no application protocol"},
		{header("GET / HTTP/1.0"), "first record does not look like a TLS handshake: http request"},
		{header("CONNE"), "first record does not look like a TLS handshake: http request"},
		{header("220 m"), "first record does not look like a TLS handshake: wrong version number"},
		{errors.New("tls: client offered only unsupported versions: [301]"), "client offered only unsupported versions: [301]: unsupported protocol"},
		{errors.New("tls: no cipher suite supported by both client and server"), "no cipher suite supported by both client and server: no shared cipher"},
		{errors.New("tls: invalid server key share"), "invalid server key share"},
	} {
		if got := reason(c.err); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

// TestPeersAlert takes an alert from crypto/tls itself, whose texts may change.
func TestPeersAlert(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	go func() {
		// Alert record: fatal (2), unknown_ca (48).
		b.Read(make([]byte, 4096))
		b.Write([]byte{21, 3, 3, 0, 2, 2, 48})
	}()
	err := tls.Client(a, &tls.Config{ServerName: "x"}).Handshake()
	if err == nil {
		t.Fatal("the handshake has succeeded")
	}
	if got, want := reason(err), "tlsv1 alert unknown ca"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
