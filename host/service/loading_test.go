package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestLoadedTogether builds services that share guests, have some of their own and name
// one that is not there. Each gets its own, what is wrong is told at its line, and no
// module's bytes are kept.
func TestLoadedTogether(t *testing.T) {
	service := func(name string) string {
		return "[" + name + "]\nclient = yes\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:1\n"
	}
	text := service("a") + "protocol = smtp\n" + service("b") + "protocol = smtp\npolicy = acl\nguestOption = acl.rule=allow\n" +
		service("c") + "protocol = pop3\n" + service("d")
	build := func(text string) (*Set, error) {
		c, err := config.LoadReader("test.conf", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return Build(t.Context(), c, Options{Log: logging.New()})
	}
	set, err := build(text)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close(context.Background())
	for i, want := range []string{"smtp", "smtp", "pop3", ""} {
		s := set.Services[i]
		if s.module == nil && want != "" || s.module != nil && s.module.Name != want {
			t.Errorf("service %s: module %+v, want %q", s.Name(), s.module, want)
		}
	}
	if n := len(set.Services[1].ask); n != 1 {
		t.Errorf("%d policies, want 1", n)
	}
	for at, n := range set.guests.lines {
		if n.load.source.Wasm != nil {
			t.Errorf("service %s: %d bytes of a module are kept", at.service.Name, len(n.load.source.Wasm))
		}
	}

	_, err = build(text + "protocol = nosuch\n")
	if err == nil || !strings.Contains(err.Error(), "test.conf:22") || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("got %v, want one error at line 22", err)
	}
}

// TestLoadedForTheirModes has a guest do both of its conversations where a configuration
// has services of both modes, and reload to one of them and back. What it is not loaded
// for is told at the line that asks for it, though the guest is there for another.
func TestLoadedForTheirModes(t *testing.T) {
	b := newBench(t, logging.Debug)
	guests := filepath.Join("..", "..", "testdata")
	silent := testpeer.Serve(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	service := func(name, guest string) string {
		return "[" + name + "]\nclient = " + map[string]string{"server": "no", "client": "yes"}[name] +
			"\naccept = 127.0.0.1:0\nconnect = " + silent + "\ncert = {server}\nprotocol = " + filepath.Join(guests, guest) + "\n"
	}
	server, client := service("server", "abi/halves.wasm"), service("client", "abi/halves.wasm")
	for _, conf := range []string{server + client, server, client, server + client} {
		b.apply(conf)
		for _, name := range []string{"server", "client"} {
			if strings.Contains(conf, "["+name+"]") {
				want(t, call(t, b.addr(name)), name+"\n")
			}
		}
	}
	both := strings.ReplaceAll(service("server", "guests/server_only.wasm")+service("client", "guests/server_only.wasm"), "{server}", b.certs.Server)
	c, err := config.LoadReader("test.conf", strings.NewReader(both))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Build(t.Context(), c, Options{Log: b.log})
	if e, ok := errors.AsType[*config.Error](err); !ok || e.Line != 12 || !strings.Contains(err.Error(), `it is for services with "client = no"`) {
		t.Errorf("got %v, want an error at line 12", err)
	}
}

// TestLoadsAreShared has lines that name a guest in the same way share it, and others not:
// its memory, its grants and its hash are the module's own.
func TestLoadsAreShared(t *testing.T) {
	b := newBench(t, logging.Debug)
	const guest = "protocol = ../../testdata/guests/echo.wasm\n"
	wasm, err := os.ReadFile("../../testdata/guests/echo.wasm")
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(wasm)
	var conf strings.Builder
	for i, lines := range []string{
		guest, guest, guest + "guestMemory = 1M\n", guest + "guestAllow = clock\n",
		guest + "guestHash = sha256:" + hex.EncodeToString(hash[:]) + "\n", guest + "guestTimeout = 5\n",
	} {
		fmt.Fprintf(&conf, "[s%d]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\n%s", i, lines)
	}
	set := b.build(conf.String())
	defer set.Close(t.Context())
	var got []int // for each service the first one that has the same module
	for _, s := range set.Services {
		got = append(got, slices.IndexFunc(set.Services, func(o *Service) bool { return o.module == s.module }))
	}
	if want := []int{0, 0, 2, 3, 4, 0}; !slices.Equal(got, want) {
		t.Errorf("modules are shared as %v, want %v", got, want)
	}
}
