//go:build unix

package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// closeOnExec also tells whether the descriptor is open.
func closeOnExec(fd int, on bool) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err == nil {
		flags &^= unix.FD_CLOEXEC
		if on {
			flags |= unix.FD_CLOEXEC
		}
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags)
	}
	return err
}

// Listen gives the socket as a listener. Closing it leaves the socket open, and Listen
// gives it again.
func (s Socket) Listen() (net.Listener, error) {
	kind, err := unix.GetsockoptInt(s.FD, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return nil, fmt.Errorf("no socket: %w", err)
	}
	if listens, err := unix.GetsockoptInt(s.FD, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); kind != unix.SOCK_STREAM || err != nil || listens == 0 {
		return nil, errors.New("not a stream socket that listens: the socket unit needs ListenStream and Accept=no")
	}
	fd, err := unix.FcntlInt(uintptr(s.FD), unix.F_DUPFD_CLOEXEC, firstFD)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	f := os.NewFile(uintptr(fd), s.Name)
	defer f.Close()
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		return ln, nil
	}
	return &plainListener{tcp, keepAlive(s.FD)}, nil
}

// A plainListener takes back the keep-alive probes that Go turns on for each connection
// of a listener that it has not made: what the unit says (KeepAlive=) holds.
type plainListener struct {
	*net.TCPListener
	probes net.KeepAliveConfig
}

func (l *plainListener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	c.SetKeepAliveConfig(l.probes) // fails where the client has gone, which its first use tells
	return c, nil
}

// keepAlive reads how a socket sends probes.
func keepAlive(fd int) net.KeepAliveConfig {
	on, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE)
	c := net.KeepAliveConfig{Enable: on != 0, Count: probeOption(fd, unix.TCP_KEEPCNT)}
	c.Idle = time.Duration(probeOption(fd, idleOption)) * time.Second
	c.Interval = time.Duration(probeOption(fd, unix.TCP_KEEPINTVL)) * time.Second
	return c
}

// probeOption is -1, which leaves it alone, where the system does not tell.
func probeOption(fd, opt int) int {
	n, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, opt)
	if err != nil {
		return -1
	}
	return n
}
