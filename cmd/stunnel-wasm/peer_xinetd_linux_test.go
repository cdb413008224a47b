package main

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// xinetd starts the real xinetd in the foreground, with one service for each configuration,
// and gives the address of each. What it logs of its servers is on standard error.
func xinetd(t *testing.T, wait string, confs ...string) (p *testpeer.Process, addrs []string) {
	t.Helper()
	binary := testpeer.Need(t, "xinetd", "xinetd, or run .ci/packages as root where openbsd-inetd is to stay")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	table := "defaults\n{\n\tlog_type = FILE /dev/stderr\n\tlog_on_success = HOST EXIT\n\tlog_on_failure = HOST\n}\n"
	for i, conf := range confs {
		port := testpeer.FreePort(t)
		addrs = append(addrs, "127.0.0.1:"+port)
		table += fmt.Sprintf(`service s%d
{
	type = UNLISTED
	flags = NOLIBWRAP
	socket_type = stream
	protocol = tcp
	bind = 127.0.0.1
	port = %s
	wait = %s
	user = %s
	server = %s
	server_args = %s
	env = %s=1
}
`, i, port, wait, me.Username, self(t), conf, asDaemon)
	}
	file := filepath.Join(t.TempDir(), "xinetd.conf")
	if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	p = testpeer.Run(t, binary, "-dontfork", "-f", file, "-filelog", "/dev/stderr")
	p.WaitLine(fmt.Sprintf("Started working: %d available service", len(confs)))
	return p, addrs
}

func TestXinetd(t *testing.T) {
	t.Parallel()
	_, program, programLog := inetdConf(t, "exec = /bin/cat")
	_, connect, connectLog := inetdConf(t, "connect = "+testpeer.Serve(t, testpeer.Echo))
	p, addrs := xinetd(t, "no", program, connect)
	for _, addr := range addrs {
		exchangeLine(t, addr)
	}
	p.WaitLine(`EXIT: s0 status=0$`)
	p.WaitLine(`EXIT: s1 status=0$`)
	wantInLog(t, programLog, "Service [stunnel] accepted connection from 127.0.0.1:", "Local mode child started")
	wantInLog(t, connectLog, "Service [stunnel] accepted connection from 127.0.0.1:", "Connection closed: 23 byte(s) sent to TLS, 23 byte(s) sent to socket")
}

// TestXinetdWaits has xinetd give its listening socket, as servers of datagrams want it:
// the log says what to write instead.
func TestXinetdWaits(t *testing.T) {
	t.Parallel()
	_, conf, log := inetdConf(t, "exec = /bin/cat")
	p, addrs := xinetd(t, "yes", conf)
	c, err := net.Dial("tcp", addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p.WaitLine(`EXIT: s0 status=1$`)
	wantInLog(t, log, "write nowait in inetd.conf, wait = no for xinetd")
}
