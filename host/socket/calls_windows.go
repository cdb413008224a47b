package socket

import (
	"errors"
	"math"
	"unsafe"

	"golang.org/x/sys/windows"
)

func setInt(fd uintptr, level, opt, n int) error {
	return windows.SetsockoptInt(windows.Handle(fd), level, opt, n)
}

func getInt(fd uintptr, level, opt int) (int, error) {
	return windows.GetsockoptInt(windows.Handle(fd), level, opt)
}

// No option of Windows takes a text.
func setString(uintptr, int, int, string) error          { return errors.ErrUnsupported }
func getString(uintptr, int, int) (text string, _ error) { return "", errors.ErrUnsupported }

// A linger is winsock2.h's struct linger.
type linger struct{ on, seconds uint16 }

func setLinger(fd uintptr, level, opt, on, seconds int) error {
	const most = math.MaxUint16
	return windows.SetsockoptLinger(windows.Handle(fd), level, opt, &windows.Linger{Onoff: int32(min(on, most)), Linger: int32(min(seconds, most))})
}

func getLinger(fd uintptr, level, opt int) (on, seconds int, err error) {
	var l linger
	size := int32(unsafe.Sizeof(l))
	err = windows.Getsockopt(windows.Handle(fd), int32(level), int32(opt), (*byte)(unsafe.Pointer(&l)), &size)
	return int(l.on), int(l.seconds), err
}

// setTimeout sets milliseconds, which Windows counts in.
func setTimeout(fd uintptr, level, opt, seconds, micros int) error {
	ms := int64(seconds)*1000 + int64(micros)/1000
	return setInt(fd, level, opt, int(min(max(ms, 0), math.MaxInt32)))
}

func getTimeout(fd uintptr, level, opt int) (seconds, micros int, err error) {
	ms, err := getInt(fd, level, opt)
	return ms / 1000, ms % 1000 * 1000, err
}

// isIPv6 asks for the protocol, since a socket has no name here before it is bound.
func isIPv6(fd uintptr) bool {
	var info windows.WSAProtocolInfo
	size := int32(unsafe.Sizeof(info))
	err := windows.Getsockopt(windows.Handle(fd), windows.SOL_SOCKET, soProtocolInfo, (*byte)(unsafe.Pointer(&info)), &size)
	return err == nil && info.AddressFamily == windows.AF_INET6
}

// fresh makes a TCP socket of IPv4 or IPv6, and closes it after use.
func fresh(ipv6 bool, use func(fd uintptr)) error {
	const version = 0x0202
	var data windows.WSAData
	if err := windows.WSAStartup(version, &data); err != nil {
		return err
	}
	defer windows.WSACleanup()
	family := windows.AF_INET
	if ipv6 {
		family = windows.AF_INET6
	}
	s, err := windows.Socket(family, windows.SOCK_STREAM, windows.IPPROTO_TCP)
	if err != nil {
		return err
	}
	defer windows.Closesocket(s)
	use(uintptr(s))
	return nil
}
