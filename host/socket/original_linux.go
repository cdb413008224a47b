package socket

import (
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// soOriginalDst is SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST (linux/netfilter_ipv4.h).
const soOriginalDst = 80

// OriginalDestination asks the firewall where an accepted connection was bound for before
// REDIRECT or DNAT turned it here. Without such a rule it is the connection's local
// address, or an error where the firewall tracks no connections.
func OriginalDestination(rc syscall.RawConn) (addr netip.AddrPort, err error) {
	cerr := rc.Control(func(fd uintptr) {
		if addr, err = original(int(fd), unix.SOL_IP); err != nil {
			addr, err = original(int(fd), unix.SOL_IPV6)
		}
	})
	if cerr != nil {
		return addr, cerr
	}
	return addr, err
}

func original(fd, level int) (netip.AddrPort, error) {
	// sockaddr_in6 is the longer of the two, and begins alike: family and port.
	var sa unix.RawSockaddrInet6
	size := uint32(unsafe.Sizeof(sa))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), soOriginalDst,
		uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return netip.AddrPort{}, os.NewSyscallError("getsockopt SO_ORIGINAL_DST", errno)
	}
	p := (*[2]byte)(unsafe.Pointer(&sa.Port))
	port := uint16(p[0])<<8 | uint16(p[1])
	switch sa.Family {
	case unix.AF_INET:
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&sa))
		return netip.AddrPortFrom(netip.AddrFrom4(sa4.Addr), port), nil
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), port), nil
	}
	return netip.AddrPort{}, fmt.Errorf("getsockopt SO_ORIGINAL_DST: address family %d", sa.Family)
}

// SetTransparent lets a listener take connections to any address (TPROXY). It needs
// CAP_NET_ADMIN or CAP_NET_RAW.
func SetTransparent(rc syscall.RawConn) (err error) {
	cerr := rc.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TRANSPARENT, 1)
		if err == nil && isIPv6(fd) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1)
		}
	})
	if cerr != nil {
		return cerr
	}
	return os.NewSyscallError("setsockopt IP_TRANSPARENT", err)
}
