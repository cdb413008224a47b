package service

import (
	"context"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
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
	for at, n := range set.guests.loads {
		if n.source.Wasm != nil {
			t.Errorf("service %s: %d bytes of a module are kept", at.service.Name, len(n.source.Wasm))
		}
	}

	_, err = build(text + "protocol = nosuch\n")
	if err == nil || !strings.Contains(err.Error(), "test.conf:22") || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("got %v, want one error at line 22", err)
	}
}
