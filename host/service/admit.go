package service

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/host/ident"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/wrap"
)

// hosts are the system's rules about clients. They outlive reloads: in a jail, where the
// files are out of sight, those that were read before it hold.
var hosts = sync.OnceValue(func() *wrap.Table { return wrap.NewTable(wrap.AllowFile, wrap.DenyFile) })

// ReadHosts reads the rules, to be done before they are out of sight: a later
// configuration may ask for them, and those of an empty jail would permit everybody.
func ReadHosts() { hosts() }

// errRefused is the error of a client that libwrap or ident refused; the log says why.
var errRefused = errors.New("the client is refused")

// admit asks libwrap and ident about a client, before a word is read of it.
func (c *connection) admit() error {
	if c.own {
		return nil
	}
	if c.svc.conf.Libwrap && !c.permitted(c.svc) || c.svc.conf.Ident != "" && !c.identified() {
		return &stageError{stagePolicy, errRefused}
	}
	return nil
}

// ends are the connection's addresses; a Unix socket has none that could be asked about.
func (c *connection) ends() (local, remote netip.AddrPort, ok bool) {
	l, ok1 := c.accepted.LocalAddr().(*net.TCPAddr)
	r, ok2 := c.accepted.RemoteAddr().(*net.TCPAddr)
	if !ok1 || !ok2 {
		return local, remote, false
	}
	unmap := func(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
	return unmap(l.AddrPort()), unmap(r.AddrPort()), true
}

// user asks the client's machine whose connection it is.
func (c *connection) user(ctx context.Context, local, remote netip.AddrPort) (string, error) {
	return ident.User(ctx, local, remote, c.svc.conf.TimeoutConnect, c.svc.conf.TimeoutBusy)
}

// permitted asks libwrap, by the service's name.
func (c *connection) permitted(svc *Service) bool {
	local, remote, ok := c.ends()
	if !ok {
		c.log.Debugf("Libwrap is not supported on Unix sockets")
		return true
	}
	v := hosts().Check(c.ctx, &wrap.Request{
		Daemon: svc.Name(),
		Client: remote.Addr(),
		Server: local.Addr(),
		User:   func(ctx context.Context) (string, error) { return c.user(ctx, local, remote) },
	})
	for _, w := range v.Warnings {
		c.log.Warnf("libwrap: %s", w)
	}
	if !v.Allowed {
		c.log.Warnf("Service [%s] REFUSED by libwrap from %s", svc.Name(), plainAddr(c.accepted.RemoteAddr()))
		c.log.Debugf("See hosts_access(5) manual for details")
		return false
	}
	if c.log.Enabled(logging.Debug) {
		c.log.Debugf("Service [%s] permitted by libwrap from %s", svc.Name(), plainAddr(c.accepted.RemoteAddr()))
	}
	return true
}

// identified asks ident for the user that the service is for.
func (c *connection) identified() bool {
	local, remote, ok := c.ends()
	if !ok {
		c.log.Infof("IDENT not supported on Unix sockets")
		return true
	}
	user, err := c.user(c.ctx, local, remote)
	var connecting *net.OpError
	switch {
	case errors.As(err, &connecting) && connecting.Op == "dial":
		c.log.Errf("s_connect: connect %s: %s", netip.AddrPortFrom(remote.Addr(), ident.Port), logging.Reason(err))
		return false
	case err != nil:
		c.log.Errf("IDENT: %v", err)
		return false
	case user == c.svc.conf.Ident:
		c.log.Infof("IDENT authentication passed")
		return true
	}
	c.log.Warnf("Connection from %s REFUSED by IDENT (user \"%.64s\")", plainAddr(c.accepted.RemoteAddr()), user)
	return false
}
