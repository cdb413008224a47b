package psk

import (
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestHostileMessages has clients whose hello is good and whose next record is not.
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	handshake := func(typ byte, n int) []byte {
		return append([]byte{typ, byte(n >> 16), byte(n >> 8), byte(n)}, make([]byte, n)...)
	}
	for _, c := range []struct {
		name    string
		typ     record.Type
		content []byte
		want    record.AlertCode
	}{
		{"ClientHello again", record.Handshake, handshake(typeClientHello, 50), record.UnexpectedMessage},
		{"Finished at once", record.Handshake, handshake(typeFinished, 12), record.UnexpectedMessage},
		{"a certificate", record.Handshake, handshake(11, 3), record.UnexpectedMessage},
		{"HelloRequest", record.Handshake, handshake(typeHelloRequest, 0), record.UnexpectedMessage},
		{"KeyUpdate", record.Handshake, handshake(typeKeyUpdate, 1), record.UnexpectedMessage},
		{"an early change_cipher_spec", record.ChangeCipherSpec, []byte{1}, record.UnexpectedMessage},
		{"application data", record.ApplicationData, []byte("GET"), record.UnexpectedMessage},
		{"a huge message", record.Handshake, []byte{typeClientKeyExchange, 0xff, 0xff, 0xff}, record.DecodeError},
		{"an empty ClientKeyExchange", record.Handshake, handshake(typeClientKeyExchange, 0), record.DecodeError},
		{"a ClientKeyExchange without a share", record.Handshake, handshake(typeClientKeyExchange, 2), record.DecodeError},
		{"a share that is no point", record.Handshake, append([]byte{typeClientKeyExchange, 0, 0, 4, 0, 0, 1}, 5), record.IllegalParameter},
		{"an alert in parts", record.Alert, []byte{1}, record.UnexpectedMessage},
		{"an alert of no level", record.Alert, []byte{3, 80}, record.IllegalParameter},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, done := greetServer(t, config(t, nil), newDraft(t, config(t, only12)).marshal(t))
			p.say(t, c.typ, c.content)
			p.wantAlert(t, c.want)
			if r := <-done; r.err == nil {
				t.Error("the server has accepted it")
			}
		})
	}
	t.Run("warnings without end", func(t *testing.T) {
		t.Parallel()
		p, done := greetServer(t, config(t, nil), newDraft(t, config(t, only12)).marshal(t))
		for range maxIdle + 1 {
			p.say(t, record.Alert, []byte{levelWarning, 112})
		}
		p.wantAlert(t, record.UnexpectedMessage)
		<-done
	})
	for name, second := range map[string]record.Type{"an alert": record.Alert, "change_cipher_spec": record.ChangeCipherSpec} {
		t.Run(name+" within a message", func(t *testing.T) {
			t.Parallel()
			p, done := greetServer(t, config(t, nil), newDraft(t, config(t, only12)).marshal(t))
			p.say(t, record.Handshake, []byte{typeClientKeyExchange, 0})
			p.say(t, second, []byte{levelWarning, 112}[:map[record.Type]int{record.Alert: 2, record.ChangeCipherSpec: 1}[second]])
			p.wantAlert(t, record.UnexpectedMessage)
			if r := <-done; r.err == nil || r.err.Error() != "tls: received unexpected record within a handshake message" {
				t.Error(r.err)
			}
		})
	}
	t.Run("something behind the hello", func(t *testing.T) {
		t.Parallel()
		hello := newDraft(t, config(t, only13)).marshal(t)
		p, done := greetServer(t, config(t, nil), append(hello, typeFinished))
		p.wantAlert(t, record.UnexpectedMessage)
		<-done
	})
	t.Run("in the clear once there are keys", func(t *testing.T) {
		t.Parallel()
		p, done := greetServer(t, config(t, nil), newDraft(t, config(t, only13)).marshal(t))
		p.say(t, record.Handshake, handshake(typeFinished, 32))
		if r := <-done; r.err == nil || r.err.Error() != "local error: tls: unexpected message" {
			t.Errorf("the server says %v", r.err)
		}
	})
}

// TestHostileChangeOfKeys has clients of TLS 1.2 that do something else between their
// ClientKeyExchange and their Finished.
func TestHostileChangeOfKeys(t *testing.T) {
	t.Parallel()
	type sent struct {
		typ     record.Type
		content []byte
	}
	exchange := []byte{typeClientKeyExchange, 0, 0, 7, 0, 5, 'a', 'l', 'i', 'c', 'e'}
	warnings := []sent{{record.Handshake, exchange}}
	for range maxIdle + 1 {
		warnings = append(warnings, sent{record.Alert, []byte{levelWarning, 112}})
	}
	good, finished := sent{record.ChangeCipherSpec, []byte{1}}, sent{record.Handshake, append([]byte{typeFinished, 0, 0, verifyLen}, make([]byte, verifyLen)...)}
	for _, c := range []struct {
		name string
		sent []sent
		want string // the server's error
	}{
		{"bytes in the message", []sent{{record.Handshake, append([]byte{typeClientKeyExchange, 0, 0, 8}, append(exchange[4:], 0)...)}}, "tls: malformed ClientKeyExchange"},
		{"bytes behind the message", []sent{{record.Handshake, append(exchange[:len(exchange):len(exchange)], typeFinished)}, good}, "tls: received unexpected handshake data before a change of keys"},
		{"Finished without a change", []sent{{record.Handshake, exchange}, finished}, "tls: received unexpected record type 22 when waiting for change_cipher_spec"},
		{"another change", []sent{{record.Handshake, exchange}, {record.ChangeCipherSpec, []byte{2}}}, "tls: received unexpected record type 20 when waiting for change_cipher_spec"},
		{"a change of two bytes", []sent{{record.Handshake, exchange}, {record.ChangeCipherSpec, []byte{1, 1}}}, "tls: received unexpected record type 20 when waiting for change_cipher_spec"},
		{"Finished in the clear", []sent{{record.Handshake, exchange}, good, finished}, "local error: tls: bad record MAC"},
		{"two changes", []sent{{record.Handshake, exchange}, good, good}, "local error: tls: bad record MAC"},
		{"warnings without end", warnings, "tls: received unexpected number of records without data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDraft(t, config(t, only12))
			d.suites = binary.BigEndian.AppendUint16(nil, TLS_PSK_WITH_AES_128_GCM_SHA256)
			p, done := greetServer(t, config(t, nil), d.marshal(t))
			for _, r := range c.sent {
				p.Append(r.typ, r.content)
			}
			p.Flush()
			if r := <-done; r.err == nil || r.err.Error() != c.want {
				t.Errorf("the server says %v, want %q", r.err, c.want)
			}
		})
	}
}

// TestTruncation cuts the connection after each record of a handshake.
func TestTruncation(t *testing.T) {
	t.Parallel()
	hello := newDraft(t, config(t, only13)).marshal(t)
	a, b := testpeer.Pair(t)
	a.Write(append([]byte{22, 3, 1, byte(len(hello) >> 8), byte(len(hello))}, hello[:20]...))
	a.CloseWrite()
	if _, err := serve(b, config(t, nil)); err != io.ErrUnexpectedEOF {
		t.Errorf("within the hello: %v", err)
	}
	for _, bounds := range []func(*Config){only12, only13} {
		p, done := greetServer(t, config(t, nil), newDraft(t, config(t, bounds)).marshal(t))
		p.Conn.(*net.TCPConn).CloseWrite()
		if r := <-done; r.err != io.EOF {
			t.Errorf("after the hello: %v", r.err)
		}
	}
}
