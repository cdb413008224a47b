//go:build unix

package logging

import (
	"bytes"
	"errors"
	"net"
	"os"
	"time"
)

// syslogWait bounds one write to syslog. A receiver that stopped reading
// would otherwise hold the sink for ever.
const syslogWait = time.Second

// syslogRetry is the pause after syslog could not be reached, in which lines
// are counted as lost at once.
const syslogRetry = time.Second

// errNoSyslog is the reason where syslog's socket cannot be reached now.
var errNoSyslog = errors.New("syslog is not reachable")

// syslogOut sends lines to the local syslog socket, one datagram each, or as
// lines on a stream where the socket is one.
type syslogOut struct {
	paths   []string
	conn    net.Conn
	retryAt time.Time
}

// newSyslogSink connects to syslog. As with syslog(3) it is no error that
// nobody listens yet; the connection is tried again with later lines.
func newSyslogSink(o Options) *sink {
	out := &syslogOut{paths: []string{"/dev/log", "/var/run/syslog", "/var/run/log"}}
	if o.SyslogPath != "" {
		out.paths = []string{o.SyslogPath}
	}
	// Now rather than with the first line: a chroot may hide the socket later.
	out.conn = out.dial()
	return newSink(out, newSyslogFormat(o.Facility, o.Ident, os.Getpid()))
}

func (o *syslogOut) dial() net.Conn {
	dialer := net.Dialer{Timeout: syslogWait}
	for _, path := range o.paths {
		for _, network := range []string{"unixgram", "unix"} {
			if c, err := dialer.Dial(network, path); err == nil {
				return c
			}
		}
	}
	return nil
}

func (o *syslogOut) writeLines(batch []byte) (lost int, err error) {
	for len(batch) > 0 {
		n := bytes.IndexByte(batch, '\n') + 1
		if err := o.send(batch[:n]); err != nil {
			return countLines(batch), err
		}
		batch = batch[n:]
	}
	return 0, nil
}

// send writes one line, connecting first if need be. A connection that fails
// is replaced once, since a restarted syslogd leaves a dead socket behind; one
// that timed out is not, the receiver being there and stuck.
func (o *syslogOut) send(line []byte) error {
	if o.conn != nil {
		err := o.write(line)
		if err == nil {
			return nil
		}
		o.conn.Close()
		o.conn = nil
		if errors.Is(err, os.ErrDeadlineExceeded) {
			o.retryAt = time.Now().Add(syslogRetry)
			return err
		}
	} else if time.Now().Before(o.retryAt) {
		return errNoSyslog
	}
	if o.conn = o.dial(); o.conn == nil {
		o.retryAt = time.Now().Add(syslogRetry)
		return errNoSyslog
	}
	err := o.write(line)
	if err != nil {
		o.close()
		o.retryAt = time.Now().Add(syslogRetry)
	}
	return err
}

func (o *syslogOut) write(line []byte) error {
	if err := o.conn.SetWriteDeadline(time.Now().Add(syslogWait)); err != nil {
		return err
	}
	if o.conn.LocalAddr().Network() == "unixgram" {
		line = line[:len(line)-1]
	}
	_, err := o.conn.Write(line)
	return err
}

func (o *syslogOut) close() {
	if o.conn != nil {
		o.conn.Close()
		o.conn = nil
	}
}
