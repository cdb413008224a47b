package socket

import (
	"fmt"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// An option is where the kernel keeps what a name means.
type option struct {
	level, opt int
	level6     int // for IPv6 sockets, where it has a counterpart; 0: none
	opt6       int
	only4      bool // IPv6 sockets have nothing like it
	address    bool // about sharing an address of IP, and nothing to a Unix socket
}

// unixHas tells whether a Unix socket has the option.
func (o option) unixHas() bool { return o.level == solSocket && !o.address }

// set applies a checked value. An IP option on an IPv6 socket means its IPv6
// counterpart; the IPv4 one is tried too, for mapped addresses.
func (o option) set(fd uintptr, t config.SocketType, value string) error {
	a, b := numbers(value)
	switch t {
	case config.SocketString:
		return setString(fd, o.level, o.opt, value)
	case config.SocketLinger:
		return setLinger(fd, o.level, o.opt, a, b)
	case config.SocketTimeval:
		return setTimeout(fd, o.level, o.opt, a, b)
	}
	err := setInt(fd, o.level, o.opt, a)
	switch {
	case o.level6 != 0 && isIPv6(fd):
		return setInt(fd, o.level6, o.opt6, a)
	case o.only4 && isIPv6(fd):
		return nil
	case err != nil && t == config.SocketFlag && o.is(fd, a):
		// It can be too late for some, as for IPV6_V6ONLY of a listener that a reload
		// keeps. Nothing is to be done then.
		return nil
	}
	return err
}

// is tells whether a flag has a value already.
func (o option) is(fd uintptr, value int) bool {
	n, err := getInt(fd, o.level, o.opt)
	return err == nil && (n != 0) == (value != 0)
}

// get reads an option in the form of -sockets.
func (o option) get(fd uintptr, t config.SocketType) string {
	switch t {
	case config.SocketString:
		s, err := getString(fd, o.level, o.opt)
		if err != nil {
			return ""
		}
		return s
	case config.SocketLinger:
		return pair(getLinger(fd, o.level, o.opt))
	case config.SocketTimeval:
		return pair(getTimeout(fd, o.level, o.opt))
	}
	n, err := getInt(fd, o.level, o.opt)
	switch {
	case err != nil:
		return unknown
	case t == config.SocketFlag && n != 0:
		return "yes"
	case t == config.SocketFlag:
		return "no"
	}
	return fmt.Sprint(n)
}

// unknown is told of an option that cannot be read.
const unknown = "unknown"

func pair(a, b int, err error) string {
	if err != nil {
		return unknown
	}
	return fmt.Sprintf("%d:%d", a, b)
}
