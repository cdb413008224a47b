package socket

import "golang.org/x/sys/unix"

// system are Linux's own options.
var system = map[string]option{
	"SO_BINDTODEVICE":         {level: unix.SOL_SOCKET, opt: unix.SO_BINDTODEVICE},
	"SO_BUSY_POLL":            {level: unix.SOL_SOCKET, opt: unix.SO_BUSY_POLL},
	"SO_MARK":                 {level: unix.SOL_SOCKET, opt: unix.SO_MARK},
	"SO_PRIORITY":             {level: unix.SOL_SOCKET, opt: unix.SO_PRIORITY},
	"TCP_KEEPIDLE":            {level: unix.IPPROTO_TCP, opt: unix.TCP_KEEPIDLE},
	"TCP_CONGESTION":          {level: unix.IPPROTO_TCP, opt: unix.TCP_CONGESTION},
	"TCP_CORK":                {level: unix.IPPROTO_TCP, opt: unix.TCP_CORK},
	"TCP_DEFER_ACCEPT":        {level: unix.IPPROTO_TCP, opt: unix.TCP_DEFER_ACCEPT},
	"TCP_FASTOPEN":            {level: unix.IPPROTO_TCP, opt: unix.TCP_FASTOPEN},
	"TCP_FASTOPEN_CONNECT":    {level: unix.IPPROTO_TCP, opt: unix.TCP_FASTOPEN_CONNECT},
	"TCP_LINGER2":             {level: unix.IPPROTO_TCP, opt: unix.TCP_LINGER2},
	"TCP_NOTSENT_LOWAT":       {level: unix.IPPROTO_TCP, opt: unix.TCP_NOTSENT_LOWAT},
	"TCP_QUICKACK":            {level: unix.IPPROTO_TCP, opt: unix.TCP_QUICKACK},
	"TCP_SYNCNT":              {level: unix.IPPROTO_TCP, opt: unix.TCP_SYNCNT},
	"TCP_USER_TIMEOUT":        {level: unix.IPPROTO_TCP, opt: unix.TCP_USER_TIMEOUT},
	"TCP_WINDOW_CLAMP":        {level: unix.IPPROTO_TCP, opt: unix.TCP_WINDOW_CLAMP},
	"IP_FREEBIND":             {level: unix.IPPROTO_IP, opt: unix.IP_FREEBIND, level6: unix.IPPROTO_IPV6, opt6: unix.IPV6_FREEBIND},
	"IP_BIND_ADDRESS_NO_PORT": {level: unix.IPPROTO_IP, opt: unix.IP_BIND_ADDRESS_NO_PORT},
	"IP_TRANSPARENT":          {level: unix.IPPROTO_IP, opt: unix.IP_TRANSPARENT, level6: unix.IPPROTO_IPV6, opt6: unix.IPV6_TRANSPARENT},
}
