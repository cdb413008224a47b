package psk

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// TestHostileAfterTheHandshake has a peer that has the key, and breaks the rules later.
func TestHostileAfterTheHandshake(t *testing.T) {
	t.Parallel()
	const update = typeKeyUpdate
	for _, c := range []struct {
		name   string
		bounds func(*Config)
		spoil  func(c *Conn) error // by the client, which has the lock
		want   string
	}{
		{"ClientHello", only12, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{typeClientHello, 0, 0, 0}) },
			"tls: received unexpected handshake message of type 1 after the handshake: no renegotiation"},
		{"ClientHello, 1.3", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{typeClientHello, 0, 0, 0}) },
			"tls: received unexpected handshake message of type 1 after the handshake"},
		{"a ticket of a client's", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{typeNewSessionTicket, 0, 0, 0}) },
			"tls: received unexpected handshake message of type 4 after the handshake"},
		{"a key update of no kind", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{update, 0, 0, 1, 2}) }, "tls: KeyUpdate asks for 2"},
		{"an empty key update", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{update, 0, 0, 0}) }, "tls: malformed KeyUpdate"},
		{"a key update of two bytes", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{update, 0, 0, 2, 0, 0}) }, "tls: malformed KeyUpdate"},
		{"HelloRequest of a client's", only12, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{typeHelloRequest, 0, 0, 0}) },
			"tls: received unexpected handshake message of type 0 after the handshake: no renegotiation"},
		{"an alert of three bytes", only13, func(c *Conn) error { return c.out.Append(record.Alert, []byte{2, 80, 0}) }, "tls: received unexpected alert of 3 bytes"},
		{"two key updates in a record", only13, func(c *Conn) error {
			return c.out.Append(record.Handshake, []byte{update, 0, 0, 1, 0, update, 0, 0, 1, 0})
		}, "tls: received unexpected handshake data behind a KeyUpdate"},
		{"key updates without end", only13, func(c *Conn) error {
			for range maxIdle + 1 {
				if err := c.sendKeyUpdate(); err != nil {
					return err
				}
			}
			return nil
		}, "tls: received unexpected number of records without data"},
		{"empty records without end", only12, func(c *Conn) error {
			for range maxIdle + 1 {
				if err := c.out.Append(record.ApplicationData, nil); err != nil {
					return err
				}
			}
			return nil
		}, "tls: received unexpected number of records without data"},
		{"warnings without end", only12, func(c *Conn) error {
			for range maxIdle + 1 {
				if err := c.out.Append(record.Alert, []byte{levelWarning, 100}); err != nil {
					return err
				}
			}
			return nil
		}, "tls: received unexpected number of records without data"},
		{"data within a message", only13, func(c *Conn) error {
			return errors.Join(c.out.Append(record.Handshake, []byte{update, 0}), c.out.Append(record.ApplicationData, []byte("x")))
		}, "tls: received unexpected record within a handshake message"},
		{"change_cipher_spec", only12, func(c *Conn) error { return c.out.Append(record.ChangeCipherSpec, []byte{1}) }, "tls: received unexpected record type 20"},
		{"a huge message", only13, func(c *Conn) error { return c.out.Append(record.Handshake, []byte{update, 1, 0, 0}) }, "tls: handshake message too long"},
		{"a warning in TLS 1.3", only13, func(c *Conn) error { return c.out.Append(record.Alert, []byte{levelWarning, 112}) }, "remote error: tls: unrecognized name"},
		{"a fatal alert", only12, func(c *Conn) error { return c.out.Append(record.Alert, []byte{levelFatal, 80}) }, "remote error: tls: internal error"},
		{"user_canceled as a fatal alert", only12, func(c *Conn) error { return c.out.Append(record.Alert, []byte{levelFatal, 90}) }, "remote error: tls: user canceled"},
		{"in the clear", only13, func(c *Conn) error {
			_, err := c.Conn.Write([]byte{21, 3, 3, 0, 2, 1, 0})
			return err
		}, "local error: tls: unexpected message"},
		{"in the clear, 1.2", only12, func(c *Conn) error {
			_, err := c.Conn.Write([]byte{21, 3, 3, 0, 2, 1, 0})
			return err
		}, "local error: tls: bad record MAC"},
		{"change_cipher_spec in the clear", only13, func(c *Conn) error {
			_, err := c.Conn.Write([]byte{20, 3, 3, 0, 1, 1})
			return err
		}, "local error: tls: unexpected message"},
		{"forged", only13, func(c *Conn) error {
			_, err := c.Conn.Write(append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...))
			return err
		}, "local error: tls: bad record MAC"},
		{"too long", only13, func(c *Conn) error {
			_, err := c.Conn.Write([]byte{23, 3, 3, 0x41, 1})
			return err
		}, "tls: oversized record received with length 16641"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, server := connected(t, config(t, c.bounds), config(t, nil))
			client.out.Lock()
			if err := errors.Join(c.spoil(client), client.out.Flush()); err != nil {
				t.Fatal(err)
			}
			client.out.Unlock()
			for range 2 { // the error stays
				n, err := server.Read(make([]byte, 100))
				if n != 0 || err == nil || err.Error() != c.want {
					t.Errorf("%d bytes, %v, want %q", n, err, c.want)
				}
			}
			if _, err := server.Write([]byte("x")); err == nil {
				t.Error("the server writes on")
			}
			if strings.HasPrefix(c.want, "remote") {
				// Not even a close_notify may follow the peer's alert.
				server.Close()
				if rest, err := io.ReadAll(client.Conn); len(rest) > 0 || err != nil {
					t.Errorf("the client gets %x, %v", rest, err)
				}
				return
			}
			// The alert tells the peer, encrypted.
			var op *net.OpError
			if _, err := client.Read(make([]byte, 1)); !errors.As(err, &op) || op.Op != "remote error" {
				t.Errorf("the client reads %v", err)
			}
		})
	}
}

// What is to be ignored is, as long as data comes between (RFC 8446, sections 5.1 and 6.1).
func TestHarmlessRecords(t *testing.T) {
	t.Parallel()
	c, s := connected(t, config(t, only13), config(t, nil))
	for range 3 * maxIdle {
		c.out.Lock()
		err := errors.Join(c.out.Append(record.ApplicationData, nil), c.out.Append(record.Alert, []byte{levelWarning, byte(record.UserCanceled)}))
		c.out.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Read(make([]byte, 2)); n != 1 || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
}
