//go:build unix

package socket

import "golang.org/x/sys/unix"

func setInt(fd uintptr, level, opt, n int) error {
	return unix.SetsockoptInt(int(fd), level, opt, n)
}

func getInt(fd uintptr, level, opt int) (int, error) {
	return unix.GetsockoptInt(int(fd), level, opt)
}

func setString(fd uintptr, level, opt int, s string) error {
	return unix.SetsockoptString(int(fd), level, opt, s)
}

func getString(fd uintptr, level, opt int) (string, error) {
	return unix.GetsockoptString(int(fd), level, opt)
}

func setLinger(fd uintptr, level, opt, on, seconds int) error {
	return unix.SetsockoptLinger(int(fd), level, opt, &unix.Linger{Onoff: int32(on), Linger: int32(seconds)})
}

func getLinger(fd uintptr, level, opt int) (on, seconds int, err error) {
	l, err := unix.GetsockoptLinger(int(fd), level, opt)
	if err != nil {
		return 0, 0, err
	}
	return int(l.Onoff), int(l.Linger), nil
}

func setTimeout(fd uintptr, level, opt, seconds, micros int) error {
	tv := unix.NsecToTimeval(int64(seconds)*1e9 + int64(micros)*1e3)
	return unix.SetsockoptTimeval(int(fd), level, opt, &tv)
}

func getTimeout(fd uintptr, level, opt int) (seconds, micros int, err error) {
	tv, err := unix.GetsockoptTimeval(int(fd), level, opt)
	if err != nil {
		return 0, 0, err
	}
	return int(tv.Sec), int(tv.Usec), nil
}

func isIPv6(fd uintptr) bool {
	sa, err := unix.Getsockname(int(fd))
	_, ok := sa.(*unix.SockaddrInet6)
	return err == nil && ok
}

// fresh makes a TCP socket of IPv4 or IPv6, and closes it after use.
func fresh(ipv6 bool, use func(fd uintptr)) error {
	family := unix.AF_INET
	if ipv6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	use(uintptr(fd))
	return nil
}
