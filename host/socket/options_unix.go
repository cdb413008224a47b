//go:build unix

package socket

import "golang.org/x/sys/unix"

const (
	solSocket = unix.SOL_SOCKET
	protoIPv6 = unix.IPPROTO_IPV6
)

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
