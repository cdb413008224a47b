//go:build unix

package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// session serves the one connection of inetd mode, which standard input and output lead
// to. The status is 0 however it ends: inetd has nobody to tell.
func (d *daemon) session() int {
	dropPipe()
	c, err := standardConn()
	if err != nil {
		d.ui.Errf("inetd mode: %v", err)
	} else {
		d.server.Serve(c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d.server.Stop(ctx)
	d.closeLog()
	if err != nil {
		return 1
	}
	return 0
}

// answersPeer tells whether standard error leads to the connection of inetd mode, as
// inetd has it: a peer is told nothing of what is wrong with a configuration, and what
// is no TLS would break into its handshake.
func (d *daemon) answersPeer() bool {
	if d.conf != nil && !d.conf.Inetd {
		return false
	}
	return isSocket(2) && (sameFile(2, 0) || sameFile(2, 1))
}

// settleStderr keeps the log off the connection.
func (d *daemon) settleStderr() {
	if d.answersPeer() && d.conf.Global.Foreground == config.ForegroundYes {
		d.conf.Global.Foreground = config.ForegroundQuiet
		d.ui.Warnf("foreground = yes: standard error leads to the peer, and gets no log")
	}
}

func isSocket(fd int) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK
}

func sameFile(a, b int) bool {
	var x, y unix.Stat_t
	return unix.Fstat(a, &x) == nil && unix.Fstat(b, &y) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}

// standardConn makes one connection of standard input, which is read, and standard
// output, which is written: a socket, or two of whatever kind.
func standardConn() (net.Conn, error) {
	if isSocket(0) {
		kind, err := unix.GetsockoptInt(0, unix.SOL_SOCKET, unix.SO_TYPE)
		if err != nil {
			return nil, os.NewSyscallError("getsockopt", err)
		}
		if kind != unix.SOCK_STREAM {
			return nil, errors.New("standard input is a socket of another kind than stream")
		}
		if on, err := unix.GetsockoptInt(0, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err == nil && on != 0 {
			return nil, errors.New("standard input is a listening socket: write nowait in inetd.conf, wait = no for xinetd, Accept=yes in a systemd unit")
		}
		if sameFile(0, 1) {
			return net.FileConn(os.Stdin)
		}
	}
	in, err := pollable(0)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	out, err := pollable(1)
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("standard output: %w", err)
	}
	return &standard{in: in, out: out}, nil
}

// pollable gives a standard descriptor as a file whose reads and writes can be ended.
func pollable(fd int) (*os.File, error) {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	if err := unix.SetNonblock(n, true); err != nil {
		unix.Close(n)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(n), "standard"), nil
}

// standard joins standard input and output. It has no address, and no CloseWrite: a pipe
// has no half to close, so that both are closed when the peer beyond TLS is done.
type standard struct{ in, out *os.File }

func (s *standard) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *standard) Write(p []byte) (int, error) { return s.out.Write(p) }

func (s *standard) Close() error {
	return errors.Join(s.in.Close(), s.out.Close())
}

func (s *standard) LocalAddr() net.Addr  { return nil }
func (s *standard) RemoteAddr() net.Addr { return nil }

func (s *standard) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

func (s *standard) SetReadDeadline(t time.Time) error  { return s.in.SetReadDeadline(t) }
func (s *standard) SetWriteDeadline(t time.Time) error { return s.out.SetWriteDeadline(t) }
