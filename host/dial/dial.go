// Package dial opens connections to a service's targets.
//
// Names are looked up when the service is built, as stunnel does. When one does not
// resolve then, all are looked up again for each connection, and those that resolve
// are tried. Each address of a name counts as a target of its own.
package dial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// ErrNoTarget is the error when no target could be connected. It wraps the last
// target's error.
var ErrNoTarget = errors.New("no more addresses to connect")

// A Target is one address to connect to.
type Target struct {
	Network string // "tcp" or "unix"
	Addr    string // as net.Dial takes it
	name    string // as stunnel prints it
}

// String gives the address as stunnel prints it: host:port without brackets.
func (t Target) String() string { return t.name }

// A Dialer connects to one of a service's targets. It is safe for concurrent use.
type Dialer struct {
	addrs    []config.Address
	targets  []Target // nil: looked up for each connection
	failover config.Failover
	timeout  time.Duration // for each address
	net      net.Dialer
	next     *atomic.Uint64 // round robin: where the next connection starts
	client   netip.AddrPort // whose address connections have, see As
}

// Options are a Dialer's settings.
type Options struct {
	Failover config.Failover
	Timeout  time.Duration // TIMEOUTconnect, for each address
	// Control sets socket options before the connection is made; nil: none.
	Control func(network, address string, c syscall.RawConn) error
	// Delay leaves all look-ups to the connections.
	Delay bool
	// Local is the source address; the zero value leaves it to the system.
	Local netip.Addr
	Name  string // what the targets are called in the log; empty: connect
}

// New makes a Dialer and looks its names up. Names that do not resolve are told
// to log and looked up again at each connection.
func New(ctx context.Context, addrs []config.Address, o Options, log *logging.Logger) *Dialer {
	d := &Dialer{addrs: addrs, failover: o.Failover, timeout: o.Timeout, next: new(atomic.Uint64)}
	// Neither keep-alive probes nor multipath TCP: the system's defaults, as with
	// stunnel, unless the socket option asks for them.
	d.net = net.Dialer{Control: o.Control, KeepAliveConfig: net.KeepAliveConfig{Enable: false}, KeepAlive: -1}
	if o.Local.IsValid() {
		d.net.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(o.Local, 0))
	}
	if o.Delay {
		return d
	}
	targets, err := resolve(ctx, addrs)
	if err != nil {
		log.Errf("%s", unresolved(err))
		log.Infof("Cannot resolve %s target - delaying DNS lookup", cmp.Or(o.Name, "connect"))
		return d
	}
	d.targets = targets
	d.next.Store(rand.Uint64N(uint64(max(len(targets), 1))))
	return d
}

// Configured finds the configured target that a text names, as "host:port" with or
// without brackets.
func (d *Dialer) Configured(text string) (*Dialer, bool) {
	plain := strings.NewReplacer("[", "", "]", "")
	for _, a := range d.addrs {
		if !strings.EqualFold(plain.Replace(a.String()), plain.Replace(text)) {
			continue
		}
		only := *d
		only.addrs, only.targets, only.next = []config.Address{a}, nil, new(atomic.Uint64)
		return &only, true
	}
	return nil, false
}

// Targets gives what the names resolved to; nil when they are looked up for each
// connection.
func (d *Dialer) Targets() []Target { return d.targets }

// Several tells whether connections may have different targets.
func (d *Dialer) Several() bool {
	if d.targets == nil {
		return len(d.addrs) > 0 // each look-up may give others
	}
	return len(d.targets) > 1
}

// Dial tries the targets in the order that failover asks for until one answers.
func (d *Dialer) Dial(ctx context.Context, log *logging.Logger) (net.Conn, error) {
	c, _, err := d.DialFirst(ctx, "", log)
	return c, err
}

// DialFirst is Dial, but for where it starts: at the target whose Addr is first, if it is
// one still. Then the turn does not move on. It also gives the target that answered.
func (d *Dialer) DialFirst(ctx context.Context, first string, log *logging.Logger) (net.Conn, Target, error) {
	targets := d.targets
	if targets == nil {
		lookup, cancel := context.WithTimeout(ctx, d.timeout)
		var err error
		targets, err = resolve(lookup, d.addrs)
		cancel()
		if err != nil {
			log.Errf("%s", unresolved(err))
		}
		if len(targets) == 0 {
			log.Errf("No remote host resolved")
			if err == nil {
				err = ErrNoTarget // a service without connect, whose guest chose no target
			}
			return nil, Target{}, err
		}
	}
	start := d.start(targets, first, log)
	var last error
	for i := range targets {
		t := targets[(start+i)%len(targets)]
		c, err := d.dial(ctx, t, log)
		if err == nil {
			return c, t, nil
		}
		last = err
		if ctx.Err() != nil {
			return nil, Target{}, last
		}
	}
	log.Errf("No more addresses to connect")
	return nil, Target{}, fmt.Errorf("%w: %w", ErrNoTarget, last)
}

// start is where Dial begins.
func (d *Dialer) start(targets []Target, first string, log *logging.Logger) int {
	if first != "" {
		if i := slices.IndexFunc(targets, func(t Target) bool { return t.Addr == first }); i >= 0 {
			log.Infof("persistence: %s reused", targets[i])
			return i
		}
		log.Infof("persistence: %s not available", strings.NewReplacer("[", "", "]", "").Replace(first))
	}
	if d.failover == config.RoundRobin {
		return int(d.next.Add(1) % uint64(len(targets)))
	}
	return 0
}

func (d *Dialer) dial(ctx context.Context, t Target, log *logging.Logger) (net.Conn, error) {
	if log.Enabled(logging.Info) {
		log.Infof("s_connect: connecting %s", t)
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	c, err := d.open(ctx, t, log)
	if err != nil {
		var wait net.Error
		if _, system := logging.Errno(err); !system && errors.As(err, &wait) && wait.Timeout() {
			log.Errf("s_connect: s_poll_wait %s: TIMEOUTconnect exceeded", t)
		} else {
			log.Errf("s_connect: connect %s: %s", t, logging.Reason(err))
		}
		return nil, err
	}
	if log.Enabled(logging.Notice) {
		log.Noticef("s_connect: connected %s", t)
	}
	return c, nil
}

// open makes the connection.
func (d *Dialer) open(ctx context.Context, t Target, log *logging.Logger) (net.Conn, error) {
	from := d.net
	switch {
	case t.Network == "unix":
		from.LocalAddr = nil // which is an IP address
	case d.client.IsValid():
		return d.openAs(ctx, t, log)
	}
	return from.DialContext(ctx, t.Network, t.Addr)
}

// unresolved words a lookup's failure as stunnel does.
func unresolved(err error) string {
	var dns *net.DNSError
	if !errors.As(err, &dns) {
		return err.Error()
	}
	why := dns.Err
	if dns.IsNotFound {
		why = "Name or service not known"
	}
	return fmt.Sprintf("Error resolving %q: %s", dns.Name, why)
}

// resolve looks every address up, in order. Its error is the first address's that
// does not resolve; those that do are given all the same.
func resolve(ctx context.Context, addrs []config.Address) (all []Target, err error) {
	for _, a := range addrs {
		targets, e := resolveOne(ctx, a)
		all = append(all, targets...)
		if err == nil {
			err = e
		}
	}
	return all, err
}

func resolveOne(ctx context.Context, a config.Address) ([]Target, error) {
	if a.Unix != "" {
		return []Target{{"unix", a.Unix, a.Unix}}, nil
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", a.Port)
	if err != nil {
		return nil, err
	}
	ips, err := lookup(ctx, a.Host)
	if err != nil {
		return nil, err
	}
	var all []Target
	for _, ip := range ips {
		all = append(all, Target{"tcp", netip.AddrPortFrom(ip, uint16(port)).String(), ip.String() + ":" + strconv.Itoa(port)})
	}
	return all, nil
}

// loopbacks are what a target without a host means, in stunnel's order.
var loopbacks = []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}

func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if host == "" {
		return loopbacks, nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	for i, ip := range ips {
		ips[i] = ip.Unmap()
	}
	return ips, nil
}
