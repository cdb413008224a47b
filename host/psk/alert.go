package psk

import (
	"crypto/tls"
	"errors"
	"io"
	"net"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// Levels of alerts (RFC 8446, section 6).
const (
	levelWarning = 1
	levelFatal   = 2
)

// alertError words an alert as crypto/tls does, and has the same form.
func alertError(whose string, code record.AlertCode) error {
	return &net.OpError{Op: whose + " error", Err: errors.New(tls.AlertError(code).Error())}
}

// sendAlert sends an alert; the caller has the lock, or is alone.
func (c *Conn) sendAlert(code record.AlertCode) error {
	level := byte(levelFatal)
	if code == record.CloseNotify {
		level = levelWarning
	}
	if err := c.out.Append(record.Alert, []byte{level, byte(code)}); err != nil {
		return err
	}
	return c.out.Flush()
}

// fail ends the connection for what is wrong with the peer's bytes, and tells the peer
// (RFC 8446, section 6.2). Other errors, the connection's own among them, stay as they are.
func (c *Conn) fail(err error) error {
	var bad *record.Error
	if !errors.As(err, &bad) {
		return err
	}
	c.out.Lock()
	defer c.out.Unlock()
	if bad.Reason == "" {
		err = alertError("local", bad.Alert)
	}
	if c.out.err == nil {
		// Whether the alert can leave changes nothing: the connection is at its end.
		_ = c.sendAlert(bad.Alert)
		c.out.err = err
	}
	return err
}

// failReading is fail after the handshake. A timeout of the connection below is no end.
func (c *Conn) failReading(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return err
	}
	c.in.err = c.fail(err)
	return c.in.err
}

// takeAlert gives io.EOF for close_notify, nil for an alert that is to be ignored, and else
// the peer's error.
func (c *Conn) takeAlert(content []byte) error {
	if len(content) != 2 {
		// An alert in parts, or two in a record: RFC 8446, section 5.1, forbids both, and
		// no peer of TLS 1.2 sends them.
		return unexpected("alert of %d bytes", len(content))
	}
	level, code := content[0], record.AlertCode(content[1])
	switch {
	case code == record.CloseNotify:
		return io.EOF
	case code == record.UserCanceled && (level == levelWarning || c.state.Version == tls.VersionTLS13):
		return nil // a close_notify should follow (RFC 8446, section 6.1)
	case level == levelWarning && c.state.Version != tls.VersionTLS13:
		// TLS 1.3 takes no notice of the level (RFC 8446, section 6).
		return nil
	case level != levelWarning && level != levelFatal && c.state.Version != tls.VersionTLS13:
		return illegal("alert of level %d", level)
	}
	c.ended.Store(true)
	return alertError("remote", code)
}
