package socket

import "golang.org/x/sys/windows"

const (
	solSocket = windows.SOL_SOCKET
	protoIPv6 = windows.IPPROTO_IPV6
)

// Options of winsock2.h that package windows lacks.
const (
	soDebug            = 0x0001
	soOOBInline        = 0x0100
	soProtocolInfo     = 0x2005                // SO_PROTOCOL_INFOW
	soExclusiveAddrUse = ^windows.SO_REUSEADDR // as winsock2.h has it
)

// table are the options of Windows. SO_RCVLOWAT and SO_SNDLOWAT have numbers there, but
// no provider knows them. IP_TOS has no counterpart for IPv6, and the system ignores what
// it is set to unless its registry says otherwise.
var table = map[string]option{
	"SO_DEBUG":            {level: windows.SOL_SOCKET, opt: soDebug},
	"SO_DONTROUTE":        {level: windows.SOL_SOCKET, opt: windows.SO_DONTROUTE},
	"SO_KEEPALIVE":        {level: windows.SOL_SOCKET, opt: windows.SO_KEEPALIVE},
	"SO_LINGER":           {level: windows.SOL_SOCKET, opt: windows.SO_LINGER},
	"SO_OOBINLINE":        {level: windows.SOL_SOCKET, opt: soOOBInline},
	"SO_RCVBUF":           {level: windows.SOL_SOCKET, opt: windows.SO_RCVBUF},
	"SO_SNDBUF":           {level: windows.SOL_SOCKET, opt: windows.SO_SNDBUF},
	"SO_RCVTIMEO":         {level: windows.SOL_SOCKET, opt: windows.SO_RCVTIMEO},
	"SO_SNDTIMEO":         {level: windows.SOL_SOCKET, opt: windows.SO_SNDTIMEO},
	"SO_EXCLUSIVEADDRUSE": {level: windows.SOL_SOCKET, opt: soExclusiveAddrUse, address: true},
	"SO_REUSEADDR":        {level: windows.SOL_SOCKET, opt: windows.SO_REUSEADDR, address: true},
	"TCP_NODELAY":         {level: windows.IPPROTO_TCP, opt: windows.TCP_NODELAY},
	"TCP_KEEPCNT":         {level: windows.IPPROTO_TCP, opt: windows.TCP_KEEPCNT},
	"TCP_KEEPIDLE":        {level: windows.IPPROTO_TCP, opt: windows.TCP_KEEPIDLE},
	"TCP_KEEPINTVL":       {level: windows.IPPROTO_TCP, opt: windows.TCP_KEEPINTVL},
	"IP_TOS":              {level: windows.IPPROTO_IP, opt: windows.IP_TOS, only4: true},
	"IP_TTL":              {level: windows.IPPROTO_IP, opt: windows.IP_TTL, level6: windows.IPPROTO_IPV6, opt6: windows.IPV6_UNICAST_HOPS},
	"IPV6_V6ONLY":         {level: windows.IPPROTO_IPV6, opt: windows.IPV6_V6ONLY},
	"IPV6_UNICAST_HOPS":   {level: windows.IPPROTO_IPV6, opt: windows.IPV6_UNICAST_HOPS},
}

func lookup(name string) (option, bool) {
	o, ok := table[name]
	return o, ok
}
