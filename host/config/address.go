package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// maxUnixPath is the longest path of a Unix socket on Linux: sun_path less its NUL.
const maxUnixPath = 107

// ParseAddress reads an address as stunnel does: a leading slash makes a Unix socket,
// else the last colon splits host and port, so that IPv6 needs no brackets
// (`::1:443`). Brackets are taken too. A port alone leaves Host empty. The port is a
// number, 0 only for accept (any free port), or a service name that this system knows;
// the host is not resolved.
func ParseAddress(s string, accept bool) (Address, error) {
	if strings.HasPrefix(s, "/") {
		if len(s) > maxUnixPath {
			return Address{}, fmt.Errorf("the path of the socket is longer than %d bytes", maxUnixPath)
		}
		return Address{Unix: s}, nil
	}
	a := Address{Port: s}
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		a.Host, a.Port = s[:i], s[i+1:]
	}
	if strings.HasPrefix(a.Host, "[") && strings.HasSuffix(a.Host, "]") {
		a.Host = a.Host[1 : len(a.Host)-1]
		if net.ParseIP(zoneless(a.Host)).To16() == nil || !strings.Contains(a.Host, ":") {
			return Address{}, fmt.Errorf("%q is not an IPv6 address", a.Host)
		}
	}
	if strings.ContainsAny(a.Host, blanks+"[]/") {
		return Address{}, fmt.Errorf("%q is not a host name", a.Host)
	}
	return a, checkPort(a.Port, accept)
}

func zoneless(ip string) string {
	ip, _, _ = strings.Cut(ip, "%")
	return ip
}

// checkPort looks at a port's form. Only digits make a number: LookupPort alone would
// take the +1 of a typing error.
func checkPort(port string, accept bool) error {
	if port == "" {
		return fmt.Errorf("the port is missing")
	}
	if strings.Trim(port, "0123456789") == "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 && !accept {
			return fmt.Errorf("port %s is not between 1 and 65535", port)
		}
		return nil
	}
	if _, err := net.LookupPort("tcp", port); err != nil || port[0] == '+' || port[0] == '-' {
		return fmt.Errorf("unknown TCP service %q", port)
	}
	return nil
}

// String gives the address as stunnel prints it: host:port without brackets, or the
// path, or the port alone where no host was given.
func (a Address) String() string {
	switch {
	case a.Unix != "":
		return a.Unix
	case a.Host == "":
		return a.Port
	}
	return a.Host + ":" + a.Port
}
