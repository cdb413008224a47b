package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// TestNativeIsTheGuest holds that both negotiators say the same, so that measuring
// one against the other compares like with like.
func TestNativeIsTheGuest(t *testing.T) {
	wasm, _ := stdproto.Lookup("smtp")
	rt, err := guest.NewRuntime(t.Context(), guest.RuntimeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close(t.Context())
	module, err := rt.Load(t.Context(), guest.Source{Name: "smtp", Wasm: wasm, Allow: stdproto.Grants("smtp")})
	if err != nil {
		t.Fatal(err)
	}
	const greeting = "220 mx.example.org ESMTP Postfix\r\n"
	for _, test := range []struct {
		name, greeting string
		client         []string
		relays         bool
	}{
		{"measured", "220 localhost ESMTP\r\n", []string{"EHLO client.example\r\n", "STARTTLS\r\n"}, true},
		{"other commands", greeting, []string{"HELO c\r\n", "noop\r\n", "RSET\r\n", "STARTTLS\r\n", "EHLO\r\n", "ehlo c\r\n", "STARTTLS now\r\n",
			"MAIL FROM:<a@b>\r\n", "what\r\n", "a\x01b\r\n", "starttls\n"}, true},
		{"quit", greeting, []string{"EHLO c\r\n", "QUIT\r\n"}, false},
		{"pipelined", greeting, []string{"EHLO c\r\nNOOP\r\nSTARTTLS\r\n"}, true},
		{"injection", greeting, []string{"EHLO c\r\n", "STARTTLS\r\nMAIL FROM:<a@b>\r\n"}, false},
		{"hang-up", greeting, []string{"EHLO c\r\n"}, false},
		{"TLS at once", greeting, []string{"\x16\x03\x01"}, false},
		{"refusals", greeting, []string{strings.Repeat("DATA\r\n", 20)}, false},
		{"endless", greeting, []string{strings.Repeat("NOOP\r\n", 200)}, false},
		{"long command", greeting, []string{"EHLO c\r\n", strings.Repeat("x", 5000) + "\r\n", "STARTTLS\r\n"}, true},
		{"lines of a greeting", "220-mx\r\n220-hello there\r\n220 go\r\n", []string{"EHLO c\r\n", "STARTTLS\r\n"}, true},
		{"greeting and more", greeting + "221 bye\r\n", []string{"EHLO c\r\n", "STARTTLS\r\n"}, true},
		{"bare greeting", "220\n", []string{"EHLO c\r\n", "STARTTLS\r\n"}, true},
		{"busy", "421-mx.example.org\r\n421 later\r\n", nil, false},
		{"mixed codes", "220-mx\r\n250 mx\r\n", nil, false},
		{"no greeting", "hello\r\n", nil, false},
		{"no server", "", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			theirs, ours := newScript(test.greeting, test.client...), newScript(test.greeting, test.client...)
			want, wantErr := module.Negotiate(t.Context(), theirs, guest.Limits{})
			got, err := (&nativeSMTP{}).Negotiate(t.Context(), ours, guest.Limits{})
			if (wantErr == nil) != test.relays {
				t.Fatalf("the guest's end: %v", wantErr)
			}
			if got, want := string(ours.client.heard), string(theirs.client.heard); got != want {
				t.Errorf("the client heard %q, from the guest %q", got, want)
			}
			if len(ours.server.heard) > 0 {
				t.Errorf("the server heard %q", ours.server.heard)
			}
			if err != nil || wantErr != nil {
				mine, _ := errors.AsType[*guest.Error](err)
				other, _ := errors.AsType[*guest.Error](wantErr)
				if mine == nil || other == nil || mine.Kind != other.Kind || mine.Class != other.Class {
					t.Errorf("the end is %v, the guest's %v", err, wantErr)
				}
				return
			}
			if string(got.Unread[abi.Outgoing]) != string(want.Unread[abi.Outgoing]) || got.TLS != want.TLS {
				t.Errorf("the outcome is %+v, the guest's %+v", got, want)
			}
		})
	}
}

// TestNativesSayTheSame holds the other conversations that are measured, and what they
// do with plaintext behind the word that asks for TLS.
func TestNativesSayTheSame(t *testing.T) {
	rt, err := guest.NewRuntime(t.Context(), guest.RuntimeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close(t.Context())
	greeting := protocols["imap"].greeting
	for _, test := range []struct {
		protocol, name, greeting string
		client                   []string
		relays                   bool
	}{
		{"imap", "measured", greeting, []string{"a STARTTLS\r\n"}, true},
		{"imap", "commands", greeting, []string{"a CAPABILITY\r\n", "b noop\r\n", "c starttls\r\n"}, true},
		{"imap", "logout", greeting, []string{"a LOGOUT\r\n"}, false},
		{"imap", "injection", greeting, []string{"a STARTTLS\r\nb LOGIN x y\r\n"}, false},
		{"imap", "busy", "* BYE later\r\n", nil, false},
		{"pgsql", "measured", "", []string{string(postgresSSL)}, true},
		{"pgsql", "GSS first", "", []string{"\x00\x00\x00\x08\x04\xd2\x16\x30", string(postgresSSL)}, true},
		{"pgsql", "hang-up", "", []string{"\x00\x00\x00"}, false},
		{"socks", "measured", "", []string{"\x05\x01\x00", "\x05\x01\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x7f\x00\x00\x01\x00\x50"}, true},
		{"socks", "hang-up", "", []string{"\x05\x01\x00"}, false},
	} {
		t.Run(test.protocol+"/"+test.name, func(t *testing.T) {
			wasm, _ := stdproto.Lookup(test.protocol)
			module, err := rt.Load(t.Context(), guest.Source{Name: test.protocol, Wasm: wasm, Allow: stdproto.Grants(test.protocol)})
			if err != nil {
				t.Fatal(err)
			}
			theirs, ours := newScript(test.greeting, test.client...), newScript(test.greeting, test.client...)
			want, wantErr := module.Negotiate(t.Context(), theirs, guest.Limits{})
			got, err := natives[test.protocol].Negotiate(t.Context(), ours, guest.Limits{})
			if (wantErr == nil) != test.relays || (err == nil) != test.relays {
				t.Fatalf("the guest's end: %v, ours: %v", wantErr, err)
			}
			if got, want := string(ours.client.heard), string(theirs.client.heard); got != want {
				t.Errorf("the client heard %q, from the guest %q", got, want)
			}
			if test.relays && got.TLS != want.TLS {
				t.Errorf("the outcome is %+v, the guest's %+v", got, want)
			}
			if ours.target != theirs.target {
				t.Errorf("the target is %q, the guest's %q", ours.target, theirs.target)
			}
		})
	}
}
