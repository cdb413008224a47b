package suite

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// TestEverySuiteHasAName finds each suite of crypto/tls up to TLS 1.2 in the tables, under its
// name in the RFCs too.
func TestEverySuiteHasAName(t *testing.T) {
	n := 0
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if s.SupportedVersions[0] == tls.VersionTLS13 {
			continue
		}
		n++
		ours := ByID(s.ID)
		if ours == nil || !ours.Exists() || ours.PSK() || named(ours.Name) != ours || named(s.Name) != ours && named(s.Name+"_SHA256") != ours {
			t.Errorf("%s is %v", s.Name, ours)
		}
	}
	if n != 22 {
		t.Errorf("crypto/tls has %d suites: the lists of docs and tests are of 22", n)
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text, want, unknown string
		level               int
		ordered             bool
	}{
		{"AES128-SHA", "AES128-SHA", "", -1, false},
		{"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", "", -1, false},
		{"AES128-SHA:BOGUS:!X", "AES128-SHA", "BOGUS X", -1, false},
		{"AES128-SHA:AES256-SHA:+AES128-SHA", "AES256-SHA:AES128-SHA", "", -1, true},
		{"AES128-SHA:AES256-SHA@STRENGTH", "AES256-SHA:AES128-SHA", "", -1, true},
		{"AES128-SHA+HIGH:AES256-SHA+AES128:AES256-GCM-SHA384+TLSv1.2", "AES128-SHA:AES256-GCM-SHA384", "", -1, false},
		{"AES128-SHA AES256-SHA,@STRENGTH;@SECLEVEL=1", "AES256-SHA:AES128-SHA", "", 1, true},
		{"kRSA+AES128+SHA1", "AES128-SHA", "", -1, false},
		// What builds of OpenSSL have no more takes its own name.
		{"RC4-SHA", "RC4-SHA", "", -1, false},
		{"DES-CBC3-SHA:!RC4:AES128-SHA:RC4-SHA", "DES-CBC3-SHA:AES128-SHA", "", -1, false},
		{"3DES:RC4:AES128-SHA", "AES128-SHA", "", -1, false},
		{"DES-CBC3-SHA:-3DES:AES128-SHA", "AES128-SHA", "", -1, false},
	} {
		l, err := Parse(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if got := strings.Join(Names(l.Suites), ":"); got != c.want || strings.Join(l.Unknown, " ") != c.unknown || l.Level != c.level {
			t.Errorf("%q: %s, unknown %q, level %d", c.text, got, l.Unknown, l.Level)
		}
		if l.Ordered != c.ordered {
			t.Errorf("%q: ordered %v", c.text, l.Ordered)
		}
	}
	for text, want := range map[string]error{"": ErrNone, "BOGUS": ErrNone, "3DES": ErrNone, "!ALL": ErrNone, "AES+": ErrCommand, "AES:@X": ErrCommand,
		"@SECLEVEL=6": ErrCommand, "@SECLEVEL=": ErrCommand, "AES:!": ErrCommand} {
		if _, err := Parse(text); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	l, _ := Parse("HIGH:AES128-SHA:!AES256-SHA")
	if !l.Named(named("AES128-SHA")) || l.Named(named("AES256-SHA")) || l.Named(named("AES128-SHA256")) {
		t.Error("Named does not tell names from aliases")
	}
}

func TestParseTLS13(t *testing.T) {
	const all = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
	for _, c := range []struct {
		text                      string
		missing, dropped, unknown int
	}{
		{all, 0, 0, 0}, {all + ":TLS_AES_128_CCM_SHA256", 0, 1, 0}, {all + ":X", 0, 0, 1}, {"", 3, 0, 0},
		{"TLS_AES_256_GCM_SHA384", 2, 0, 0}, {"TLS_AES_128_CCM_8_SHA256", 3, 1, 0}, {" TLS_AES_256_GCM_SHA384 :x", 2, 0, 1},
	} {
		l, err := ParseTLS13(c.text)
		if err != nil || len(l.Missing) != c.missing || len(l.Dropped) != c.dropped || len(l.Unknown) != c.unknown {
			t.Errorf("%q: %+v, %v", c.text, l, err)
		}
	}
	if _, err := ParseTLS13("AES128-SHA"); !errors.Is(err, ErrNone) {
		t.Errorf("got %v", err)
	}
}

func TestGroups(t *testing.T) {
	l, err := ParseGroups("x25519mlkem768:prime256v1:secp384r1:X448")
	if err != nil || len(l) != 4 || l[0].ID != tls.X25519MLKEM768 || l[1].ID != tls.CurveP256 || l[2].ID != tls.CurveP384 || l[3].ID != 0 {
		t.Errorf("%v, %v", l, err)
	}
	if n := len(strings.Split(GroupNames, ", ")); len(StrongGroups(3)) != n || !slices.Equal(StrongGroups(5), []tls.CurveID{tls.SecP384r1MLKEM1024, tls.CurveP521}) {
		t.Errorf("strong groups: %v, %v", StrongGroups(3), StrongGroups(5))
	}
}

func TestKeyBits(t *testing.T) {
	for _, c := range []struct{ length, bits int }{
		{1024, 80}, {2048, 112}, {3072, 128}, {4096, 152}, {7680, 192}, {15360, 256},
		{512, 56}, {1023, 80}, {1025, 80}, {2047, 112}, {3071, 128}, // as openssl s_server -cipher @SECLEVEL takes them
	} {
		if got := KeyBits(&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), uint(c.length-1))}); got != c.bits {
			t.Errorf("RSA of %d bits: %d, want %d", c.length, got, c.bits)
		}
	}
	if got := KeyBits(&ecdsa.PublicKey{Curve: elliptic.P224()}); got != 112 {
		t.Errorf("P-224: %d", got)
	}
	if KeyBits("x") != 0 || HashBits(x509.SHA1WithRSA) >= MinBits(1) || HashBits(x509.UnknownSignatureAlgorithm) != 0 {
		t.Error("unknown keys or SHA-1 pass")
	}
}

// FuzzParse wants an end, no panic, and a list without repetition.
func FuzzParse(f *testing.F) {
	for _, s := range randomLists(50) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(text)
		if (err == nil) != (l != nil && len(l.Suites) > 0) {
			t.Fatalf("%v, %v", l, err)
		}
		if err != nil {
			return
		}
		seen := map[uint16]bool{}
		for _, s := range l.Suites {
			if seen[s.ID] || ByID(s.ID) != s {
				t.Fatalf("%s twice", s)
			}
			if s.Weak() && !l.Named(s) {
				t.Fatalf("%s without its name", s)
			}
			seen[s.ID] = true
		}
	})
}
