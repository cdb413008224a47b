package config

import (
	"errors"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		text   string
		accept bool
		want   Address
		bad    bool
	}{
		{"443", true, Address{Port: "443"}, false},
		{"0", true, Address{Port: "0"}, false},
		{"0", false, Address{}, true},
		{"https", false, Address{Port: "https"}, false},
		{"127.0.0.1:smtp", false, Address{Host: "127.0.0.1", Port: "smtp"}, false},
		{"::1:443", true, Address{Host: "::1", Port: "443"}, false},
		{":::443", true, Address{Host: "::", Port: "443"}, false},
		{":443", true, Address{Port: "443"}, false},
		{"[::1]:443", false, Address{Host: "::1", Port: "443"}, false},
		{"[fe80::1%eth0]:443", false, Address{Host: "fe80::1%eth0", Port: "443"}, false},
		{"/run/x.sock", false, Address{Unix: "/run/x.sock"}, false},
		{"mail.example.org:25", false, Address{Host: "mail.example.org", Port: "25"}, false},
		{"[::1]", true, Address{}, true},
		{"[example.org]:1", true, Address{}, true},
		{"65536", true, Address{}, true},
		{"1:-1", true, Address{}, true},
		{"", true, Address{}, true},
	} {
		got, err := ParseAddress(c.text, c.accept)
		if (err != nil) != c.bad || !c.bad && got != c.want {
			t.Errorf("ParseAddress(%q) = %+v, %v", c.text, got, err)
		}
	}
	if s := (Address{Host: "::1", Port: "443"}).String(); s != "::1:443" {
		t.Errorf("String() = %q", s)
	}
}

// TestVersions gives version options and what they lead to, or "" for a refusal.
func TestVersions(t *testing.T) {
	for _, c := range []struct{ options, want string }{
		{"", "all-all"},
		{"sslVersion = all", "all-all"},
		{"sslVersion = tlsv1.2", "TLSv1.2-TLSv1.2"},
		{"sslVersion = TLSv1", "TLSv1-TLSv1"},
		{"sslVersionMin = TLSv1", "TLSv1.2-all"},
		{"sslVersionMin = TLSv1, securityLevel = 1", "TLSv1.2-all"},
		{"sslVersionMin = TLSv1.1, securityLevel = 0", "TLSv1.1-all"},
		{"sslVersionMin = TLSv1.1, ciphers = ALL:@SECLEVEL=0", "TLSv1.1-all"},
		{"sslVersionMin = TLSv1.1, securityLevel = 0, ciphers = ALL:@SECLEVEL=2", "TLSv1.2-all"},
		{"securityLevel = 0", "TLSv1-all"},
		{"sslVersionMax = TLSv1.2", "all-TLSv1.2"},
		{"sslVersionMax = TLSv1.1", "TLSv1-TLSv1.1"},
		{"sslVersion = TLSv1.1, sslVersionMax = TLSv1.3", "TLSv1.2-TLSv1.3"},
		{"options = NO_TLSv1, options = NO_TLSv1_1", "all-all"},
		{"options = NO_TLSv1_3", "all-TLSv1.2"},
		{"options = NO_TLSv1_2, options = NO_TLSv1_3", "TLSv1-TLSv1.1"},
		{"options = NO_TLSv1_2", "TLSv1.3-all"},
		{"options = NO_TLSv1_3, options = -NO_TLSv1_3", "all-all"},
		{"options = -NO_TLSv1_3, options = NO_TLSv1_3", "all-all"},
		{"sslVersionMin = TLSv1, options = NO_TLSv1", "TLSv1.2-all"},
		{"sslVersionMin = TLSv1, options = NO_TLSv1_1", "TLSv1.2-all"},
		{"sslVersionMin = TLSv1, options = NO_TLSv1_1, securityLevel = 0", ""},
		{"sslVersion = TLSv1.2, options = NO_TLSv1_2", ""},
		{"sslVersionMin = TLSv1.3, sslVersionMax = TLSv1.2", ""},
	} {
		conf, errs := loadText(service(ServiceScope, strings.ReplaceAll(c.options, ", ", "\n")))
		switch {
		case len(errs) > 1 || (len(errs) == 1) != (c.want == ""):
			t.Errorf("%s: %v", c.options, errs)
		case c.want != "":
			s := conf.Services[0]
			if got := s.MinVersion.String() + "-" + s.MaxVersion.String(); got != c.want {
				t.Errorf("%s: %s, want %s", c.options, got, c.want)
			}
		}
	}
}

// TestVerify gives lines about certificates and what is asked of the peer in the end.
func TestVerify(t *testing.T) {
	for _, c := range []struct {
		options                 string
		request, chain, require bool
		level                   int
	}{
		{"", false, false, false, -1},
		{"verify = 0", true, false, false, 0},
		{"verify = 1", true, true, false, 1},
		{"verify = 2", true, true, true, 2},
		{"verifyChain = yes", true, true, true, -1},
		{"verifyChain = no", false, false, false, -1},
		{"requireCert = yes", true, false, true, -1},
		{"verify = 1, requireCert = yes", true, true, true, 1},
		{"verifyChain = yes, requireCert = no", true, true, false, -1},
	} {
		conf, errs := loadText(service(ServiceScope, "CAfile = x\n"+strings.ReplaceAll(c.options, ", ", "\n")))
		if len(errs) > 0 {
			t.Errorf("%s: %v", c.options, errs)
			continue
		}
		s := conf.Services[0]
		if s.RequestCert != c.request || s.VerifyChain != c.chain || s.RequireCert != c.require || s.Verify != c.level {
			t.Errorf("%s: request %v, chain %v, require %v, level %d", c.options, s.RequestCert, s.VerifyChain, s.RequireCert, s.Verify)
		}
	}
}

// TestVerifyOfDefaults has a level and a yes in different parts of a file, where the section's
// is the one that is meant, and both before the sections, where nobody can tell.
func TestVerifyOfDefaults(t *testing.T) {
	for _, c := range []struct {
		defaults, lines string
		wrong           int // the line
	}{
		{"verifyPeer = yes", "verify = 2", 0},
		{"verifyPeer = yes\nverify = 2", "verify = 0", 0},
		{"verifyPeer = yes\nverify = 2", "verifyPeer = yes", 0},
		{"verify = 2\nverifyPeer = yes", "", 0},
		{"verifyPeer = yes\nverify = 2", "", 1},
		{"requireCert = yes\nverify = 1", "checkHost = a", 1},
		{"verifyChain = yes\nverify = 4", "", 1},
	} {
		_, errs := loadText(c.defaults + "\n[s]\naccept = 1\nconnect = 2\ncert = x\nCAfile = y\n" + c.lines + "\n")
		if len(errs) != min(c.wrong, 1) || c.wrong > 0 && errs[0].Line != c.wrong {
			t.Errorf("%q, then %q: %v", c.defaults, c.lines, errs)
		}
	}
}

// TestDefaultsByName has values that say what holds anyway, in the words of stunnel's
// own list of defaults.
func TestDefaultsByName(t *testing.T) {
	conf, errs := loadText(service(ServiceScope, `ciphers = HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK
ciphersuites = TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256
curves = X25519:P-256:X448:P-521:P-384
options = NO_SSLv2
options = NO_SSLv3
securityLevel = 2
sessionCacheSize = 1000
sessionCacheTimeout = 300
transparent = none
renegotiation = no`))
	if len(errs) > 0 || len(conf.Notes) > 0 || len(conf.Services[0].Offer.Warnings) > 0 {
		t.Errorf("%v, %+v", errs, conf)
	}
}

func TestTLSOptionNotes(t *testing.T) {
	conf, errs := loadText(service(ServiceScope, "options = ALL\noptions = -NO_SSLv3\noptions = -ALL\noptions = no_ticket\n"))
	if len(errs) > 0 || len(conf.Notes) != 2 || !conf.Services[0].NoTicket {
		t.Fatalf("%v, %+v", errs, conf)
	}
	if n := conf.Notes[1]; n.Line != 6 || n.Text != "options = -NO_SSLv3 has no effect: NO_SSLv3 always holds" {
		t.Errorf("%+v", n)
	}
}

func TestServiceErrorf(t *testing.T) {
	conf, errs := loadText(service(ServiceScope, "CURVES = X25519:P-256:X448:P-521:P-384\nprotocolPassword = hunter2"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s := conf.Services[0]
	for _, c := range []struct{ option, want string }{
		{"Accept", `3:2: "accept = 1": no`},
		{"curves", `3:5: "CURVES = X25519:P-256:X448:P-521:P-384": no`},
		{"protocolPassword", `3:6: "protocolPassword = <redacted>": no`},
		{"cert", "Service [s]: no"},
	} {
		e := s.Errorf(c.option, "n%c", 'o').WithHint("h")
		if e.Error() != c.want || e.Section != "s" || e.Hint != "h" {
			t.Errorf("%s: %v, %+v", c.option, e, *e)
		}
	}
	inetd := Service{inetd: true}
	if e := inetd.Errorf("cert", "no"); e.Error() != "Inetd mode: no" {
		t.Error(e)
	}
}

func TestErrorsUnwrap(t *testing.T) {
	_, err := LoadReader("0", strings.NewReader("x\ny\n"))
	var one *Error
	if !errors.As(err, &one) || one.Line != 1 || one.File != "0" {
		t.Errorf("errors.As gives %+v", one)
	}
	if strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("%q does not have a line for each error", err)
	}
}

// TestControlBytes has a line that would clear a terminal.
func TestControlBytes(t *testing.T) {
	_, errs := loadText("evil\x1b[2J = 1\n")
	if len(errs) != 1 || errs[0].Text != "evil.[2J = 1" {
		t.Errorf("%q", errs)
	}
	_, errs = loadText("[\x1b[2J]\nciphers = +\x1b[2J\naccept = a\x1b[2J:1\nconnect = 1:\x1b[2J\n")
	if len(errs) < 4 || strings.Contains(errs.Error(), "\x1b") {
		t.Errorf("%q", errs.Error())
	}
}
