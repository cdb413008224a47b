package config

import (
	"slices"
	"strconv"
	"strings"
)

// A SocketType is the form of a socket option's value.
type SocketType int

const (
	SocketFlag    SocketType = iota // yes, no, 1 or 0
	SocketInt                       // a number
	SocketLinger                    // ONOFF[:SECONDS]
	SocketTimeval                   // SECONDS[:MICROSECONDS]
	SocketString                    // text, such as an interface's name
)

// A SocketOptionType describes an option that socket = can set. The texts are
// stunnel's defaults as -sockets prints them; empty where it leaves the option alone.
type SocketOptionType struct {
	Name                  string // exact case, as in stunnel
	Type                  SocketType
	Accept, Local, Remote string
}

// SocketOptions lists the settable socket options in the order of -sockets: stunnel's,
// then newer ones of Linux. It is never changed.
var SocketOptions = []SocketOptionType{
	{Name: "SO_DEBUG"},
	{Name: "SO_DONTROUTE"},
	{Name: "SO_KEEPALIVE"},
	{Name: "SO_LINGER", Type: SocketLinger},
	{Name: "SO_OOBINLINE"},
	{Name: "SO_RCVBUF", Type: SocketInt},
	{Name: "SO_SNDBUF", Type: SocketInt},
	{Name: "SO_RCVLOWAT", Type: SocketInt},
	{Name: "SO_SNDLOWAT", Type: SocketInt},
	{Name: "SO_RCVTIMEO", Type: SocketTimeval},
	{Name: "SO_SNDTIMEO", Type: SocketTimeval},
	{Name: "SO_REUSEADDR", Accept: "yes"},
	{Name: "SO_BINDTODEVICE", Type: SocketString},
	{Name: "TCP_KEEPCNT", Type: SocketInt},
	{Name: "TCP_KEEPIDLE", Type: SocketInt},
	{Name: "TCP_KEEPINTVL", Type: SocketInt},
	{Name: "IP_TOS", Type: SocketInt},
	{Name: "IP_TTL", Type: SocketInt},
	{Name: "TCP_NODELAY", Local: "yes", Remote: "yes"},
	{Name: "IP_FREEBIND"},
	{Name: "IPV6_V6ONLY"},

	{Name: "SO_BUSY_POLL", Type: SocketInt},
	{Name: "SO_MARK", Type: SocketInt},
	{Name: "SO_PRIORITY", Type: SocketInt},
	{Name: "SO_REUSEPORT"},
	{Name: "TCP_CONGESTION", Type: SocketString},
	{Name: "TCP_CORK"},
	{Name: "TCP_DEFER_ACCEPT", Type: SocketInt},
	{Name: "TCP_FASTOPEN", Type: SocketInt},
	{Name: "TCP_FASTOPEN_CONNECT"},
	{Name: "TCP_LINGER2", Type: SocketInt},
	{Name: "TCP_MAXSEG", Type: SocketInt},
	{Name: "TCP_NOTSENT_LOWAT", Type: SocketInt},
	{Name: "TCP_QUICKACK"},
	{Name: "TCP_SYNCNT", Type: SocketInt},
	{Name: "TCP_USER_TIMEOUT", Type: SocketInt},
	{Name: "TCP_WINDOW_CLAMP", Type: SocketInt},
	{Name: "IP_BIND_ADDRESS_NO_PORT"},
	{Name: "IP_TRANSPARENT"},
	{Name: "IPV6_TCLASS", Type: SocketInt},
	{Name: "IPV6_UNICAST_HOPS", Type: SocketInt},
}

// maxSocketString is the longest text of a socket option: an interface's name
// (IFNAMSIZ) and a congestion algorithm's are at most 16 bytes with their NUL.
const maxSocketString = 15

// parseSocket takes S:NAME=VALUE[:VALUE].
func parseSocket(t *target, value string) *Error {
	const reason = "Illegal socket option"
	scope, rest, ok := strings.Cut(value, ":")
	if !ok || scope != "a" && scope != "l" && scope != "r" {
		return refuse(reason, "write a:, l: or r: (accept, local or remote socket), then NAME=VALUE")
	}
	name, v, ok := strings.Cut(rest, "=")
	if !ok {
		return refuse(reason, "write NAME=VALUE after "+scope+":")
	}
	i := slices.IndexFunc(SocketOptions, func(o SocketOptionType) bool { return o.Name == name })
	if i < 0 {
		hint := "-sockets lists the names, which are in capital letters"
		if slices.ContainsFunc(SocketOptions, func(o SocketOptionType) bool { return strings.EqualFold(o.Name, name) }) {
			hint = "write the name in capital letters: " + strings.ToUpper(name)
		}
		return refuse(reason, hint)
	}
	if hint := SocketOptions[i].Type.check(v); hint != "" {
		return refuse(reason, hint)
	}
	if name == "SO_RCVTIMEO" || name == "SO_SNDTIMEO" {
		t.note(name + " has no effect, nor has it in stunnel: sockets do not block. TIMEOUTbusy, TIMEOUTidle and TIMEOUTclose bound waits")
	}
	t.service.Socket = append(t.service.Socket, SocketOption{Scope: scope[0], Name: name, Value: v, Place: t.place})
	return nil
}

// check returns what a value of the type should be, or nothing if it is.
func (st SocketType) check(v string) string {
	first, second, two := strings.Cut(v, ":")
	_, err1 := strconv.ParseInt(first, 10, 32)
	_, err2 := strconv.ParseInt(second, 10, 32)
	numbers := err1 == nil && (!two || err2 == nil)
	switch st {
	case SocketFlag:
		if !slices.Contains([]string{"yes", "no", "1", "0"}, strings.ToLower(v)) {
			return "the value is yes or no"
		}
	case SocketInt:
		if !numbers || two {
			return "the value is a whole number"
		}
	case SocketLinger:
		if !numbers {
			return "the value is ONOFF:SECONDS, as in 1:60"
		}
	case SocketTimeval:
		if !numbers {
			return "the value is SECONDS:MICROSECONDS, as in 10:0"
		}
	case SocketString:
		if v == "" || len(v) > maxSocketString {
			return "the value is a name of 1 to 15 bytes"
		}
	}
	return ""
}
