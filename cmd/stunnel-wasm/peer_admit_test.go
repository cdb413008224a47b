package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// withHosts gives a program that starts a daemon with hosts.allow and hosts.deny of its
// own, in a mount namespace.
func withHosts(t *testing.T, daemon, allow, deny string) string {
	t.Helper()
	testpeer.NeedFile(t, "/etc/hosts.allow", "libwrap0")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"allow": allow,
		"deny":  deny,
		"start": fmt.Sprintf("#!/bin/sh\nexec unshare -m sh -c 'mount --bind %[1]s/allow /etc/hosts.allow && mount --bind %[1]s/deny /etc/hosts.deny && exec %[2]s \"$@\"' sh \"$@\"\n", dir, daemon),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "start")
}

// callFrom connects from an address of loopback and reads to the end.
func callFrom(t *testing.T, from, to string) string {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", to)
	if err != nil {
		return "" // the refusal's reset came before Dial returned
	}
	defer c.Close()
	text, _ := io.ReadAll(c)
	return string(text)
}

// TestLibwrapOfBoth has both daemons ask the same rules. A client service answers in the
// clear, so that a plain connection shows who is let in.
func TestLibwrapOfBoth(t *testing.T) {
	t.Parallel()
	testpeer.NeedRoot(t, "a mount namespace")
	certs := testpeer.Certs(t)
	behind := testpeer.Start(t, self(t), `
[behind]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, says("in"))+`
cert = `+certs.Server+"\n")
	bothServers(t, func(t *testing.T, server string) {
		d := testpeer.Start(t, withHosts(t, server, "mail: 127.0.0.1, 127.0.0.16/255.255.255.240\n", "mail: ALL EXCEPT 127.0.0.3\n"), `
client = yes
connect = `+behind.Addr("behind")+`
libwrap = yes
[mail]
accept = 127.0.0.1:0
[other]
accept = 127.0.0.1:0
`)
		for from, want := range map[string]string{"127.0.0.1": "in\n", "127.0.0.2": "", "127.0.0.3": "in\n", "127.0.0.17": "in\n", "127.0.0.32": ""} {
			if got := callFrom(t, from, d.Addr("mail")); got != want {
				t.Errorf("from %s: %q, want %q", from, got, want)
			}
			if got := callFrom(t, from, d.Addr("other")); got != "in\n" {
				t.Errorf("another service from %s: %q", from, got)
			}
		}
		d.WaitLine(`LOG4\[\d+\]: Service \[mail\] REFUSED by libwrap from 127\.0\.0\.2:\d+$`)
		d.WaitLine(`LOG5\[\d+\]: Connection reset: 0 byte\(s\) sent to TLS, 0 byte\(s\) sent to socket$`)
	})
}

// TestIdent has an ident server tell who connects: whoever runs this. The real stunnel
// refuses its answers, which have no blanks around their colons.
func TestIdent(t *testing.T) {
	t.Parallel()
	oidentd := testpeer.Need(t, "oidentd", "oidentd")
	testpeer.NeedRoot(t, "port 113")
	const asked, silent = "127.0.0.113", "127.0.0.114" // where the server is, and where none is
	testpeer.Run(t, oidentd, "--foreground", "--nosyslog", "--address", asked, "--user", "root", "--group", "root").WaitPort("tcp", asked+":113")
	certs := testpeer.Certs(t)
	behind := testpeer.Start(t, self(t), `
[behind]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, says("in"))+`
cert = `+certs.Server+"\n")
	d := testpeer.Start(t, self(t), `
client = yes
connect = `+behind.Addr("behind")+`
TIMEOUTconnect = 5
[root]
accept = 127.0.0.1:0
ident = root
[other]
accept = 127.0.0.1:0
ident = roo
`)
	for _, c := range []struct{ from, service, want string }{
		{asked, "root", "in\n"}, {asked, "other", ""}, {silent, "root", ""},
	} {
		if got := callFrom(t, c.from, d.Addr(c.service)); got != c.want {
			t.Errorf("from %s to [%s]: %q, want %q", c.from, c.service, got, c.want)
		}
	}
	d.WaitLine(`LOG6\[0\]: IDENT authentication passed$`)
	d.WaitLine(`LOG4\[1\]: Connection from 127\.0\.0\.113:\d+ REFUSED by IDENT \(user "root"\)$`)
	// Nobody was refused for a name that nobody told.
	d.WaitLine(`LOG3\[2\]: s_connect: connect 127\.0\.0\.114:113: Connection refused \(111\)$`)
}
