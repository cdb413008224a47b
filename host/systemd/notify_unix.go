//go:build unix

package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A notifier sends datagrams to the manager. It keeps its socket open: in a jail the path
// leads nowhere.
type notifier struct {
	mu   sync.Mutex
	path string // empty: nobody listens
	conn *net.UnixConn
}

// sendTime bounds a message: a manager that is busy must not stop the daemon.
const sendTime = 2 * time.Second

// open takes a path, or with @ an abstract name. What is wrong with it, send tells.
func (n *notifier) open(path string) {
	n.path = path
	if path != "" {
		n.connect()
	}
}

func (n *notifier) connect() error {
	if !strings.HasPrefix(n.path, "/") && !strings.HasPrefix(n.path, "@") {
		return fmt.Errorf("%s = %q is neither a path nor an abstract name (@...)", notifyPath, n.path)
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: n.path})
	if err != nil {
		return err
	}
	if n.conn != nil {
		n.conn.Close()
	}
	n.conn = c
	return nil
}

func (n *notifier) send(text string) error {
	if n.path == "" {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	err := n.write(text, nil)
	if err != nil {
		return fmt.Errorf("telling the service manager: %w", err)
	}
	return nil
}

// write connects again where the manager has made its socket anew.
func (n *notifier) write(text string, control []byte) error {
	again := n.conn == nil
	for {
		if again {
			if err := n.connect(); err != nil {
				return err
			}
		}
		err := n.sendmsg([]byte(text), control)
		if again || !errors.Is(err, unix.ECONNREFUSED) && !errors.Is(err, unix.ENOTCONN) {
			return err
		}
		again = true
	}
}

// sendmsg is what package net has no call for on a connected socket.
func (n *notifier) sendmsg(text, control []byte) error {
	rc, err := n.conn.SyscallConn()
	if err != nil {
		return err
	}
	n.conn.SetWriteDeadline(time.Now().Add(sendTime))
	var sent error
	err = rc.Write(func(fd uintptr) bool {
		sent = unix.Sendmsg(int(fd), text, control, nil, 0)
		return sent != unix.EAGAIN
	})
	return errors.Join(err, os.NewSyscallError("sendmsg", sent))
}

// Barrier waits until the manager has read what was sent: it looks at who sent it, and
// would find nobody were the process gone.
func (m *Manager) Barrier() error {
	n := &m.notify
	if n.path == "" {
		return nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	n.mu.Lock()
	err = n.write("BARRIER=1", unix.UnixRights(int(w.Fd())))
	n.mu.Unlock()
	w.Close()
	if err != nil {
		return err
	}
	r.SetReadDeadline(time.Now().Add(sendTime))
	if _, err := r.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		return err // anything else is the pipe's end, which the manager has closed
	}
	return nil
}
