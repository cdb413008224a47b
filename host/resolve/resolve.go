// Package resolve lets a process find hosts by name after it has changed its root
// directory.
//
// Go's resolver reads /etc/resolv.conf and /etc/hosts time and again, by name. In a jail
// that lacks them it asks a name server on this machine, and knows no localhost. [Keep]
// reads both before; what the jail has itself comes first, as it does for stunnel. The
// search list is not kept: names in a jail without a resolv.conf are whole names.
package resolve

import (
	"context"
	"net"
	"os"
	"strings"
)

// The files of resolv.conf(5) and hosts(5).
const (
	resolverFile = "/etc/resolv.conf"
	hostsFile    = "/etc/hosts"
)

// Keep reads what names are resolved with, and makes net.DefaultResolver go on with it
// where the files are not there later. It is called once, while nothing is looked up.
func Keep(ctx context.Context) {
	k := &kept{servers: readServers(resolverFile), hosts: readHosts(hostsFile), resolver: resolverFile, file: hostsFile}
	// Not the C library's: it loads libraries that no jail has.
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: k.dial}
	// It reads /etc/services once, now.
	_, _ = net.DefaultResolver.LookupPort(ctx, "tcp", "https")
}

// kept is what was read, and the files that count instead if they are there.
type kept struct {
	servers        []string // as net.Dial takes them; never empty
	hosts          hosts
	resolver, file string
}

// dial connects to a name server. The resolver means its own defaults, this machine's
// IPv4 and IPv6 address, where it found no resolv.conf.
func (k *kept) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if !exists(k.resolver) {
		i := 0
		if strings.HasPrefix(address, "[") {
			i = 1
		}
		address = k.servers[i%len(k.servers)]
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	udp, ok := c.(*net.UDPConn)
	if err != nil && strings.HasPrefix(network, "udp") {
		// No way to the server must not hide what we know without it.
		if c, e := d.DialContext(ctx, network, defaultServer); e == nil {
			udp, ok = c.(*net.UDPConn)
		}
	}
	if !ok || exists(k.file) {
		return c, err
	}
	return &questionConn{UDPConn: udp, hosts: k.hosts}, nil
}

// exists errs on the side of a file that is there, which is then tried.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !os.IsNotExist(err)
}

// A questionConn is a connection to a name server that answers questions about kept hosts
// itself.
type questionConn struct {
	*net.UDPConn
	hosts  hosts
	answer []byte // to the last question; nil: it went to the server
}

func (c *questionConn) Write(question []byte) (int, error) {
	if c.answer = c.hosts.answer(question); c.answer != nil {
		return len(question), nil
	}
	return c.UDPConn.Write(question)
}

func (c *questionConn) Read(b []byte) (int, error) {
	if c.answer == nil {
		return c.UDPConn.Read(b)
	}
	n := copy(b, c.answer)
	c.answer = nil
	return n, nil
}
