package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

func TestAssign(t *testing.T) {
	accept := []config.Address{{Port: "1"}}
	var services []*Service
	for _, name := range []string{"https", "-", "imaps", "https"} {
		s := &Service{conf: &config.Service{Name: name}}
		if name != "-" {
			s.conf.Accept = accept
		}
		services = append(services, s)
	}
	for _, test := range []struct {
		names string // of the sockets
		want  string // each service's sockets, or what is wrong
	}{
		{"", "0:[] 1:[] 2:[] 3:[]"},
		{"stunnel.socket", "0:[0] 1:[] 2:[] 3:[]"},
		{"s s", "0:[0] 1:[] 2:[1] 3:[]"},
		{"s s s", "0:[0] 1:[] 2:[1] 3:[2]"},
		{"s s s s", "Too many listening file descriptors received from systemd, got 4: 3 service(s) have accept"},
		{"imaps", "0:[] 1:[] 2:[0] 3:[]"},
		{"imaps https", "0:[1] 1:[] 2:[0] 3:[]"},
		{"imaps imaps imaps imaps", "0:[] 1:[] 2:[0 1 2 3] 3:[]"},
		{"imaps http", `["http"]`},
		{"- imaps", `["-"]`}, // a service without accept takes none
		{"-", "0:[0] 1:[] 2:[] 3:[]"},
	} {
		var given []Given
		for i, name := range strings.Fields(test.names) {
			given = append(given, Given{FD: i, Name: name})
		}
		which, got := assign(given, services)
		for i, s := range services {
			if which == nil {
				break
			}
			fds := []int{}
			for _, g := range which[s] {
				fds = append(fds, g.FD)
			}
			got += fmt.Sprintf(" %d:%v", i, fds)
		}
		if got = strings.TrimSpace(got); got != test.want && !(which == nil && strings.Contains(got, test.want)) {
			t.Errorf("%s: %s, not %s", test.names, got, test.want)
		}
	}
}

// A loop that has ended, or that is stuck with a connection, is not answered for.
func TestAlive(t *testing.T) {
	b := newBench(t, logging.Notice)
	b.apply(section("x", "127.0.0.1:0", "127.0.0.1:1"))
	if !b.srv.Alive(0) {
		t.Fatal("a server that waits for connections does not live")
	}
	var l *listener
	for _, l = range b.srv.listeners {
	}
	l.accepted.Store(time.Now().Add(-time.Minute).UnixNano())
	if !b.srv.Alive(2*time.Minute) || b.srv.Alive(30*time.Second) {
		t.Error("a minute with one connection is not told from a wait")
	}
	l.accepted.Store(0)
	l.ended.Store(true)
	if b.srv.Alive(time.Hour) {
		t.Error("a loop that has ended lives")
	}
	l.ended.Store(false)
}
