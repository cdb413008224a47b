package service

import (
	"context"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// A listenAddr is one address to bind.
type listenAddr struct {
	network, address string
	text             string // as stunnel prints it
}

func (a listenAddr) key() string    { return a.network + " " + a.address }
func (a listenAddr) String() string { return a.text }

// anyPort says whether the system chooses the port.
func (a listenAddr) anyPort() bool { return a.network != "unix" && strings.HasSuffix(a.address, ":0") }

// listenAddrs resolves an accept address. Without a host it is the IPv4 wildcard
// and then the IPv6 one, as in stunnel; but on Windows the second is refused when the
// first is bound, since it would take both.
func listenAddrs(ctx context.Context, a config.Address) ([]listenAddr, error) {
	if a.Unix != "" {
		return []listenAddr{{"unix", a.Unix, a.Unix}}, nil
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", a.Port)
	if err != nil {
		return nil, err
	}
	ips := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	if a.Host != "" {
		if ip, err := netip.ParseAddr(a.Host); err == nil {
			ips = []netip.Addr{ip}
		} else if ips, err = net.DefaultResolver.LookupNetIP(ctx, "ip", a.Host); err != nil {
			return nil, err
		}
	}
	var out []listenAddr
	for _, ip := range ips {
		ip = ip.Unmap()
		out = append(out, listenAddr{networkOf(ip), netip.AddrPortFrom(ip, uint16(port)).String(), ip.String() + ":" + strconv.Itoa(port)})
	}
	return out, nil
}

// networkOf is the network to listen in on an address. As stunnel's, a socket for "::" is
// as the system has it: it takes IPv4 too, but on Windows.
func networkOf(ip netip.Addr) string {
	switch {
	case ip.Is4():
		return "tcp4"
	case runtime.GOOS == "windows":
		return "tcp6"
	}
	return "tcp"
}

// listen binds an address with the socket options of scope a.
func (s *Service) listen(ctx context.Context, a listenAddr) (net.Listener, error) {
	// Neither keep-alive probes nor multipath TCP, which Go would turn on by itself:
	// a listener of stunnel has the system's defaults.
	lc := net.ListenConfig{Control: s.control('a'), KeepAlive: -1, KeepAliveConfig: net.KeepAliveConfig{Enable: false}}
	lc.SetMultipathTCP(false)
	if a.network == "unix" {
		removeStale(a.address)
	}
	return lc.Listen(ctx, a.network, a.address)
}

// giveSocket gives a Unix socket to the user and group of the service. As in stunnel it is
// no reason not to serve that this user may not: the socket stays ours then.
func (s *Service) giveSocket(a listenAddr, log *logging.Logger) {
	o := s.conf.Owner
	if a.network != "unix" || o == (config.Owner{}) {
		return
	}
	// One that is not named stays: only root may set it.
	uid, gid := o.UID, o.GID
	if uid == 0 {
		uid = -1
	}
	if gid == 0 {
		gid = -1
	}
	if err := os.Lchown(a.address, uid, gid); err != nil {
		log.Errf("Socket chown failed: %s, UID=%d, GID=%d: %s", a, o.UID, o.GID, logging.Reason(err))
		return
	}
	log.Debugf("Socket chown succeeded: %s, UID=%d, GID=%d", a, o.UID, o.GID)
}

// setListenOptions gives a listener that a reload keeps the new socket options.
func (s *Service) setListenOptions(ln net.Listener) error {
	control := s.control('a')
	sc, ok := ln.(syscall.Conn)
	if control == nil || !ok {
		return nil
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	return control(ln.Addr().Network(), "", rc)
}

// descriptor is a listener's file descriptor, for the log.
func descriptor(ln net.Listener) int {
	fd := -1
	if sc, ok := ln.(syscall.Conn); ok {
		if rc, err := sc.SyscallConn(); err == nil {
			rc.Control(func(f uintptr) { fd = int(f) })
		}
	}
	return fd
}

// printed is a bound address as stunnel prints it. Port 0 has become a real one.
func printed(a net.Addr, asked listenAddr) string {
	if strings.HasSuffix(asked.text, ":0") {
		return plainAddr(a)
	}
	return asked.text
}

// plainAddr prints an address without brackets, as stunnel does.
func plainAddr(a net.Addr) string {
	switch a := a.(type) {
	case *net.TCPAddr:
		ip, _ := netip.AddrFromSlice(a.IP)
		ip = ip.Unmap()
		if a.Zone != "" && ip.Is6() {
			ip = ip.WithZone(a.Zone)
		}
		b := make([]byte, 0, 24)
		b = ip.AppendTo(b)
		b = append(b, ':')
		return string(strconv.AppendInt(b, int64(a.Port), 10))
	case *net.UnixAddr:
		if a.Name == "" || a.Name == "@" {
			return "unix:socket"
		}
		return a.Name
	case nil:
		return "unknown"
	}
	return a.String()
}
