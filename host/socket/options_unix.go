//go:build unix

package socket

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

const solSocket = unix.SOL_SOCKET

// An option is where the kernel keeps what a name means.
type option struct {
	level, opt int
	level6     int // for IPv6 sockets, where it has a counterpart; 0: none
	opt6       int
}

// portable are the options of every Unix; system adds this one's.
var portable = map[string]option{
	"SO_DEBUG":          {level: unix.SOL_SOCKET, opt: unix.SO_DEBUG},
	"SO_DONTROUTE":      {level: unix.SOL_SOCKET, opt: unix.SO_DONTROUTE},
	"SO_KEEPALIVE":      {level: unix.SOL_SOCKET, opt: unix.SO_KEEPALIVE},
	"SO_LINGER":         {level: unix.SOL_SOCKET, opt: unix.SO_LINGER},
	"SO_OOBINLINE":      {level: unix.SOL_SOCKET, opt: unix.SO_OOBINLINE},
	"SO_RCVBUF":         {level: unix.SOL_SOCKET, opt: unix.SO_RCVBUF},
	"SO_SNDBUF":         {level: unix.SOL_SOCKET, opt: unix.SO_SNDBUF},
	"SO_RCVLOWAT":       {level: unix.SOL_SOCKET, opt: unix.SO_RCVLOWAT},
	"SO_SNDLOWAT":       {level: unix.SOL_SOCKET, opt: unix.SO_SNDLOWAT},
	"SO_RCVTIMEO":       {level: unix.SOL_SOCKET, opt: unix.SO_RCVTIMEO},
	"SO_SNDTIMEO":       {level: unix.SOL_SOCKET, opt: unix.SO_SNDTIMEO},
	"SO_REUSEADDR":      {level: unix.SOL_SOCKET, opt: unix.SO_REUSEADDR},
	"SO_REUSEPORT":      {level: unix.SOL_SOCKET, opt: unix.SO_REUSEPORT},
	"TCP_NODELAY":       {level: unix.IPPROTO_TCP, opt: unix.TCP_NODELAY},
	"TCP_KEEPCNT":       {level: unix.IPPROTO_TCP, opt: unix.TCP_KEEPCNT},
	"TCP_KEEPINTVL":     {level: unix.IPPROTO_TCP, opt: unix.TCP_KEEPINTVL},
	"TCP_MAXSEG":        {level: unix.IPPROTO_TCP, opt: unix.TCP_MAXSEG},
	"IP_TOS":            {level: unix.IPPROTO_IP, opt: unix.IP_TOS, level6: unix.IPPROTO_IPV6, opt6: unix.IPV6_TCLASS},
	"IP_TTL":            {level: unix.IPPROTO_IP, opt: unix.IP_TTL, level6: unix.IPPROTO_IPV6, opt6: unix.IPV6_UNICAST_HOPS},
	"IPV6_V6ONLY":       {level: unix.IPPROTO_IPV6, opt: unix.IPV6_V6ONLY},
	"IPV6_TCLASS":       {level: unix.IPPROTO_IPV6, opt: unix.IPV6_TCLASS},
	"IPV6_UNICAST_HOPS": {level: unix.IPPROTO_IPV6, opt: unix.IPV6_UNICAST_HOPS},
}

func lookup(name string) (option, bool) {
	if o, ok := system[name]; ok {
		return o, true
	}
	o, ok := portable[name]
	return o, ok
}

// set applies a checked value. An IP option on an IPv6 socket means its IPv6
// counterpart; the IPv4 one is tried too, for mapped addresses.
func (o option) set(fd uintptr, t config.SocketType, value string) error {
	s := int(fd)
	a, b := numbers(value)
	switch t {
	case config.SocketString:
		return unix.SetsockoptString(s, o.level, o.opt, value)
	case config.SocketLinger:
		return unix.SetsockoptLinger(s, o.level, o.opt, &unix.Linger{Onoff: int32(a), Linger: int32(b)})
	case config.SocketTimeval:
		tv := unix.NsecToTimeval(int64(a)*1e9 + int64(b)*1e3)
		return unix.SetsockoptTimeval(s, o.level, o.opt, &tv)
	}
	err := unix.SetsockoptInt(s, o.level, o.opt, a)
	if o.level6 != 0 && isIPv6(s) {
		return unix.SetsockoptInt(s, o.level6, o.opt6, a)
	}
	return err
}

func isIPv6(fd int) bool {
	sa, err := unix.Getsockname(fd)
	_, ok := sa.(*unix.SockaddrInet6)
	return err == nil && ok
}

// systemDefault reads an option off a fresh socket, in the form of -sockets.
func systemDefault(t config.SocketOptionType) string {
	o, ok := lookup(t.Name)
	if !ok {
		return "none"
	}
	family := unix.AF_INET
	if o.level == unix.IPPROTO_IPV6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return "unknown"
	}
	defer unix.Close(fd)
	return o.get(fd, t.Type)
}

// get reads an option in the form of -sockets.
func (o option) get(fd int, t config.SocketType) string {
	switch t {
	case config.SocketString:
		s, err := unix.GetsockoptString(fd, o.level, o.opt)
		if err != nil {
			return ""
		}
		return s
	case config.SocketLinger:
		l, err := unix.GetsockoptLinger(fd, o.level, o.opt)
		if err != nil {
			return "unknown"
		}
		return fmt.Sprintf("%d:%d", l.Onoff, l.Linger)
	case config.SocketTimeval:
		tv, err := unix.GetsockoptTimeval(fd, o.level, o.opt)
		if err != nil {
			return "unknown"
		}
		return fmt.Sprintf("%d:%d", tv.Sec, tv.Usec)
	}
	n, err := unix.GetsockoptInt(fd, o.level, o.opt)
	switch {
	case err != nil:
		return "unknown"
	case t == config.SocketFlag && n != 0:
		return "yes"
	case t == config.SocketFlag:
		return "no"
	}
	return fmt.Sprint(n)
}
