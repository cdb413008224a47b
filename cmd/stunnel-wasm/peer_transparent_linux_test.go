package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A passage is a gateway between a client's network and a server's.
type passage struct {
	client, gateway, server *testpeer.Network
}

// The addresses in a passage, by address family.
var families = []struct{ name, client, gateway, outside, server string }{
	{"IPv4", "10.9.1.1", "10.9.1.2", "10.9.2.2", "10.9.2.1"},
	{"IPv6", "fd09:1::1", "fd09:1::2", "fd09:2::2", "fd09:2::1"},
}

// newPassage makes the three, with routes so that what is marked 1 in the gateway is for its
// own sockets, as TPROXY wants it.
func newPassage(t *testing.T) *passage {
	t.Helper()
	p := &passage{testpeer.NewNetwork(t), testpeer.NewNetwork(t), testpeer.NewNetwork(t)}
	p.gateway.Join("in", p.client, "eth0")
	p.gateway.Join("out", p.server, "eth0")
	p.gateway.IP(`address add 10.9.1.2/24 dev in
address add 10.9.2.2/24 dev out
address add fd09:1::2/64 dev in nodad
address add fd09:2::2/64 dev out nodad
link set in up
link set out up
rule add fwmark 1 lookup 100
route add local 0.0.0.0/0 dev lo table 100
route add local ::/0 dev lo table 100
`)
	p.gateway.Run("", testpeer.Need(t, "ip", "iproute2"), "-6", "rule", "add", "fwmark", "1", "lookup", "100")
	p.client.IP(`address add 10.9.1.1/24 dev eth0
address add fd09:1::1/64 dev eth0 nodad
link set eth0 up
route add default via 10.9.1.2
route add default via fd09:1::2
`)
	p.server.IP(`address add 10.9.2.1/24 dev eth0
address add fd09:2::1/64 dev eth0 nodad
link set eth0 up
route add default via 10.9.2.2
route add default via fd09:2::2
`)
	p.gateway.Inside(func() {
		for _, name := range []string{"ipv4/ip_forward", "ipv6/conf/all/forwarding"} {
			if err := os.WriteFile("/proc/sys/net/"+name, []byte("1"), 0o644); err != nil {
				t.Error(err)
			}
		}
	})
	p.server.Inside(func() {
		for _, f := range families {
			ln, err := net.Listen("tcp", net.JoinHostPort(f.server, "81"))
			if err != nil {
				t.Error(err)
				return
			}
			testpeer.ServeOn(t, ln, func(c net.Conn) { io.WriteString(c, c.RemoteAddr().String()) })
		}
	})
	return p
}

// The gateway's rules: what is bound for port 81 comes to the daemon's port 9000, and
// what comes back to a client's address that a socket of the daemon has goes to it.
const (
	redirect = `table inet t {
	chain turn {
		type nat hook prerouting priority -100
		iifname "in" tcp dport 81 redirect to :9000
	}
`
	tproxy = `table inet t {
	chain turn {
		type filter hook prerouting priority mangle + 1
		iifname "in" meta nfproto ipv4 tcp dport 81 tproxy ip to :9000 meta mark set 1 accept
		iifname "in" meta nfproto ipv6 tcp dport 81 tproxy ip6 to :9000 meta mark set 1 accept
	}
`
	answers = `	chain answers {
		type filter hook prerouting priority mangle
		meta l4proto tcp socket transparent 1 meta mark set 1 accept
	}
}
`
)

// seen is whom the server sees when a client calls an address from a port, 0 for any.
func (p *passage) seen(t *testing.T, from string, port int, to string) (server, client string) {
	t.Helper()
	p.client.Inside(func() {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from), Port: port}, Deadline: time.Now().Add(testpeer.Patience)}
		d.Control = func(_, _ string, rc syscall.RawConn) error { // several calls from one port
			return rc.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
		}
		c, err := d.Dial("tcp", to)
		if err != nil {
			t.Errorf("calling %s: %v", to, err)
			return
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(testpeer.Patience))
		client = c.LocalAddr().String()
		got, err := io.ReadAll(tls.Client(c, &tls.Config{InsecureSkipVerify: true}))
		if err != nil {
			t.Errorf("reading from %s: %v", to, err)
		}
		server = string(got)
	})
	return server, client
}

// TestTransparent has clients get where they were bound for, and servers see who called, as
// with stunnel.
func TestTransparent(t *testing.T) {
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	for _, test := range []struct {
		mode, rules string
		source      bool // the server sees the client's own address and port
		ours        bool // stunnel's listener takes nothing of TPROXY
	}{
		{"destination", redirect + answers, false, false},
		{"destination", tproxy + answers, false, true},
		{"both", tproxy + answers, true, true},
		{"source", "table inet t {\n" + answers, true, false},
		{"yes", "table inet t {\n" + answers, true, false},
	} {
		for _, program := range []string{self(t), stunnel} {
			if program == stunnel && test.ours {
				continue
			}
			t.Run(fmt.Sprintf("%s %t %s", test.mode, test.ours, filepath.Base(program)), func(t *testing.T) {
				p := newPassage(t)
				p.gateway.Firewall(test.rules)
				for _, f := range families {
					to := net.JoinHostPort(f.server, "81")
					connect := ""
					if test.mode == "source" || test.mode == "yes" {
						to, connect = net.JoinHostPort(f.gateway, "9000"), "connect = "+net.JoinHostPort(f.server, "81")+"\n"
						connect = strings.NewReplacer("[", "", "]", "").Replace(connect)
					}
					var d *testpeer.Daemon
					p.gateway.Inside(func() {
						any := "0.0.0.0:9000"
						if f.name == "IPv6" {
							any = ":::9000"
						}
						d = testpeer.Start(t, program, "[x]\naccept = "+any+"\ntransparent = "+test.mode+"\ncert = "+testpeer.Certs(t).Server+"\n"+connect)
					})
					server, client := p.seen(t, f.client, 0, to)
					want := f.outside
					if test.source {
						want = f.client
					}
					addr, err := netip.ParseAddrPort(server)
					if err != nil || addr.Addr().String() != want {
						t.Errorf("%s: the server sees %s, not %s", f.name, server, want)
					}
					if test.source && server != client {
						t.Errorf("%s: the server sees %s of %s", f.name, server, client)
					}
					d.Stop()
				}
			})
		}
	}
}

// begin starts the daemon in the gateway.
func (p *passage) begin(t *testing.T, conf string) (d *testpeer.Daemon) {
	t.Helper()
	p.gateway.Inside(func() {
		d = testpeer.Start(t, self(t), strings.ReplaceAll(conf, "{cert}", testpeer.Certs(t).Server))
	})
	return d
}

// TestTransparentPorts has a privileged port, and one that another connection has, become
// one that the system chooses.
func TestTransparentPorts(t *testing.T) {
	p := newPassage(t)
	p.gateway.Firewall("table inet t {\n" + answers)
	p.begin(t, "transparent = source\ncert = {cert}\nconnect = 10.9.2.1:81\n"+
		"[x]\naccept = 10.9.1.2:9000\n[y]\naccept = 10.9.1.2:9001\n")
	addr := func(port int, to string) netip.AddrPort {
		t.Helper()
		server, _ := p.seen(t, "10.9.1.1", port, to)
		a, err := netip.ParseAddrPort(server)
		if err != nil || a.Addr().String() != "10.9.1.1" {
			t.Errorf("the server sees %q", server)
		}
		return a
	}
	if got := addr(1000, "10.9.1.2:9000"); got.Port() < 1024 {
		t.Errorf("port 1000 of the client becomes %d", got.Port())
	}
	if got := addr(5000, "10.9.1.2:9000"); got.Port() != 5000 {
		t.Errorf("port 5000 of the client becomes %d", got.Port())
	}
	// The first connection is in TIME_WAIT, or there still.
	if got := addr(5000, "10.9.1.2:9001"); got.Port() == 5000 {
		t.Error("two connections to the server have the same port")
	}
}

// refused checks that a client gets nothing from an address, and its end.
func (p *passage) refused(t *testing.T, from *testpeer.Network, to string) {
	t.Helper()
	from.Inside(func() {
		c, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(testpeer.Patience))
		if text, _ := io.ReadAll(tls.Client(c, &tls.Config{InsecureSkipVerify: true})); len(text) > 0 {
			t.Errorf("%s answers %q", to, text)
		}
	})
}

// TestTransparentLoops has connections that lead back to the daemon: whoever reaches its port
// himself, and those of the daemon that a rule turns back to it.
func TestTransparentLoops(t *testing.T) {
	p := newPassage(t)
	for _, rules := range []string{
		redirect + answers, // connections are tracked
		"",                 // and not
	} {
		p.gateway.Firewall(rules)
		d := p.begin(t, "[x]\naccept = 0.0.0.0:9000\ntransparent = destination\ncert = {cert}\n[y]\naccept = 10.9.1.2:9001\ntransparent = destination\ncert = {cert}\n")
		p.refused(t, p.client, "10.9.1.2:9000")
		p.refused(t, p.client, "10.9.1.2:9001")
		p.refused(t, p.gateway, "127.0.0.1:9000")
		d.WaitLines(`LOG3\[\d\]: transparent = destination: .* is this program's own: no firewall rule has turned the connection here$`, 3)
		if n := d.Count(`accepted connection from`); n != 3 {
			t.Errorf("%d connections out of 3", n)
		}
		d.Stop()
	}

	p.gateway.Firewall(strings.Replace(redirect, "{\n\tchain turn", `{
	chain own {
		type nat hook output priority -100
		tcp dport 81 redirect to :9000
	}
	chain turn`, 1) + answers)
	d := p.begin(t, "client = yes\n[x]\naccept = 0.0.0.0:9000\ntransparent = destination\n")
	p.refused(t, p.client, "10.9.2.1:81")
	d.WaitLine(`LOG3\[\d+\]: transparent = destination: .*turns .*back here$`)
	p.refused(t, p.client, "10.9.2.1:81")
	// A hop or two may begin before the first is known to be one; each is seen.
	if n := d.Count(`accepted connection from`); n > 20 {
		t.Errorf("two connections have become %d", n)
	}
}

// TestTransparentDecisions has a policy refuse a destination, a secondary have one where the
// primary has a target, and a redirected client keep its address.
func TestTransparentDecisions(t *testing.T) {
	p := newPassage(t)
	p.gateway.Firewall(tproxy + answers)
	p.server.IP("address add 10.9.2.3/24 dev eth0\n")
	p.server.Inside(func() {
		ln, err := net.Listen("tcp", "10.9.2.3:81")
		if err != nil {
			t.Error(err)
			return
		}
		testpeer.ServeOn(t, ln, func(c net.Conn) { io.WriteString(c, "decoy of "+c.RemoteAddr().String()) })
	})

	d := p.begin(t, "[x]\naccept = 0.0.0.0:9000\ntransparent = destination\ncert = {cert}\n"+
		"policy = acl\nguestOption = acl.rule=deny target 10.9.2.3:81\nguestOption = acl.rule=allow\n")
	if server, _ := p.seen(t, "10.9.1.1", 0, "10.9.2.1:81"); !strings.HasPrefix(server, "10.9.2.2:") {
		t.Errorf("the server sees %q", server)
	}
	p.refused(t, p.client, "10.9.2.3:81")
	d.WaitLine(`Service \[x\] policy acl denied connection from 10\.9\.1\.1:`)
	d.Stop()

	d = p.begin(t, "cert = {cert}\n[x]\naccept = 0.0.0.0:9000\nconnect = 10.9.2.3:81\n[y]\nsni = x:*.example\ntransparent = both\n")
	if server, _ := p.seen(t, "10.9.1.1", 0, "10.9.2.1:81"); !strings.HasPrefix(server, "decoy of 10.9.2.2:") {
		t.Errorf("the primary leads to %q", server)
	}
	p.client.Inside(func() {
		c, err := tls.Dial("tcp", "10.9.2.1:81", &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if got, err := io.ReadAll(c); string(got) != c.LocalAddr().String() {
			t.Errorf("the secondary leads to %q, %v", got, err)
		}
	})
	d.Stop()

	p.begin(t, "[x]\naccept = 0.0.0.0:9000\ntransparent = both\ncert = {cert}\nverifyChain = yes\nrequireCert = yes\nCAfile = "+
		testpeer.Certs(t).Root+"\nredirect = 10.9.2.3:81\n")
	if server, client := p.seen(t, "10.9.1.1", 0, "10.9.2.1:81"); server != "decoy of "+client {
		t.Errorf("a redirected client leads to %q", server)
	}
}

// TestTransparentWithoutCapability has REDIRECT need none, and a source that the kernel
// does not route fail, instead of the server seeing another.
func TestTransparentWithoutCapability(t *testing.T) {
	p := newPassage(t)
	p.gateway.Firewall(redirect + answers)
	bare := func(conf string) *testpeer.Daemon {
		t.Helper()
		d := testpeer.Prepare(t, strings.ReplaceAll(conf, "{cert}", testpeer.Certs(t).Server))
		p.gateway.Inside(func() {
			d.Begin(t, exec.Command(testpeer.Need(t, "setpriv", "util-linux"), "--bounding-set=-all", "--inh-caps=-all", self(t), d.Config))
			d.WaitLine(`: Accepting new connections$`)
		})
		return d
	}
	d := bare("[x]\naccept = 0.0.0.0:9000\ntransparent = destination\ncert = {cert}\n")
	if server, _ := p.seen(t, "10.9.1.1", 0, "10.9.2.1:81"); !strings.HasPrefix(server, "10.9.2.2:") {
		t.Errorf("the server sees %q", server)
	}
	d.WaitLine(`LOG6\[ui\]: Service \[x\]: .*Operation not permitted \(1\): connections by REDIRECT come here, those by TPROXY do not$`)
	d.Stop()

	d = bare("[x]\naccept = 0.0.0.0:9000\ntransparent = source\nconnect = 10.9.2.1:81\ncert = {cert}\n")
	p.refused(t, p.client, "10.9.1.2:9000")
	d.WaitLine(`LOG4\[0\]: setsockopt IP_TRANSPARENT: Operation not permitted \(1\)$`)
	d.WaitLine(`LOG6\[0\]: IP_FREEBIND socket option set$`)
	d.WaitLine(`LOG3\[0\]: s_connect: connect 10\.9\.2\.1:81: Network is unreachable \(101\)$`)
}
