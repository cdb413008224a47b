package dial

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// foreignSource lets a socket be bound to an address of another machine's. IP_TRANSPARENT
// needs CAP_NET_ADMIN or CAP_NET_RAW; IP_FREEBIND needs nothing, binds as well, and
// connects only where the kernel routes that source.
// IP_BIND_ADDRESS_NO_PORT has the system choose a port when the target is known, so that
// many connections may share one.
func foreignSource(c syscall.RawConn, ipv6 bool, log *logging.Logger) error {
	level, transparent, freebind := unix.SOL_IP, unix.IP_TRANSPARENT, unix.IP_FREEBIND
	if ipv6 {
		level, transparent, freebind = unix.SOL_IPV6, unix.IPV6_TRANSPARENT, unix.IPV6_FREEBIND
	}
	var err error
	cerr := c.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1) // kernels before 4.2 have fewer connections
		if err = unix.SetsockoptInt(int(fd), level, transparent, 1); err == nil {
			log.Infof("IP_TRANSPARENT socket option set")
			return
		}
		log.Warnf("setsockopt IP_TRANSPARENT: %s", logging.Reason(os.NewSyscallError("setsockopt", err)))
		if err = unix.SetsockoptInt(int(fd), level, freebind, 1); err == nil {
			log.Infof("IP_FREEBIND socket option set")
		}
	})
	if cerr != nil {
		return cerr
	}
	return os.NewSyscallError("setsockopt IP_FREEBIND", err)
}
