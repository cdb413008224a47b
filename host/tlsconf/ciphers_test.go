package tlsconf

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/suite"
)

// offered loads lines of a section and gives what crypto/tls is told for them.
func offered(t *testing.T, lines string) *Context {
	t.Helper()
	conf, err := config.LoadReader("3", strings.NewReader("[test]\nclient = yes\naccept = 1\nconnect = 2\n"+lines))
	if err != nil {
		t.Fatalf("%s: %v", lines, err)
	}
	c, err := Build(conf.Services[0], Options{})
	if err != nil {
		t.Fatalf("%s: %v", lines, err)
	}
	return c
}

func TestCiphers(t *testing.T) {
	const stunnels = "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305 " +
		"ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA ECDHE-ECDSA-AES128-SHA " +
		"ECDHE-RSA-AES128-SHA AES256-GCM-SHA384 AES128-GCM-SHA256 AES256-SHA AES128-SHA"
	for _, c := range []struct{ lines, want, warning string }{
		{"", stunnels, ""},
		{"ciphers = HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK", stunnels, ""},
		{"ciphers = HIGH:+3DES:+DH:!aNULL:!SSLv2", stunnels, ""},
		{"ciphers = ECDHE+AESGCM:!ECDSA", "ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-AES128-GCM-SHA256", ""},
		{"ciphers = TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:AES128-SHA", "ECDHE-ECDSA-CHACHA20-POLY1305 AES128-SHA", ""},
		{"ciphers = CAMELLIA256-SHA:AES256-GCM-SHA384:DHE-RSA-AES128-SHA:X", "AES256-GCM-SHA384", "left out: CAMELLIA256-SHA, DHE-RSA-AES128-SHA"},
		{"ciphers = AES128-SHA:X", "AES128-SHA", "does not exist: X"},
		{"ciphers = kRSA+AES128:!AESCCM", "AES128-GCM-SHA256 AES128-SHA", "only if each is named: AES128-SHA256"},
		{"ciphers = AES128-SHA256", "AES128-SHA256", ""},
		{"ciphers = RC4-SHA:AES128-SHA", "AES128-SHA", ""},
		{"ciphers = RC4-SHA:AES128-SHA\nsecurityLevel = 1", "RC4-SHA AES128-SHA", ""},
		{"ciphers = DES-CBC3-SHA", "DES-CBC3-SHA", ""},
		{"ciphers = AES:@SECLEVEL=3\nsecurityLevel = 0", "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 " +
			"ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA " +
			"ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA", "left out: DHE-RSA-AES256-GCM-SHA384, "},
	} {
		ctx := offered(t, c.lines)
		var got []string
		for _, id := range ctx.Config.CipherSuites {
			got = append(got, suite.ByID(id).Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s gives %v, want %s", c.lines, got, c.want)
		}
		warnings := strings.Join(ctx.Warnings, "\n")
		if c.warning == "" && strings.Contains(warnings, "ciphers") || !strings.Contains(warnings, c.warning) {
			t.Errorf("%s warns %q, want %q", c.lines, warnings, c.warning)
		}
	}
}

// TestSuitesForPSK keeps what crypto/tls has no suites for, in the list's order.
func TestSuitesForPSK(t *testing.T) {
	ctx := offered(t, "ciphers = PSK-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-PSK-CHACHA20-POLY1305")
	if want := []uint16{0x00a8, 0xc02f, 0xccac}; !slices.Equal(ctx.Suites, want) {
		t.Errorf("suites %x, want %x", ctx.Suites, want)
	}
	if strings.Contains(strings.Join(ctx.Warnings, ""), "PSK") {
		t.Errorf("warnings: %q", ctx.Warnings)
	}
}

func TestCurves(t *testing.T) {
	for _, c := range []struct {
		lines string
		want  []tls.CurveID
	}{
		{"", nil},
		{"curves = X25519:P-256:X448:P-521:P-384", nil},
		{"curve = prime256v1", []tls.CurveID{tls.CurveP256}},
		{"curves = X448:secp384r1:X25519MLKEM768", []tls.CurveID{tls.CurveP384, tls.X25519MLKEM768}},
		{"curves = P-256:P-384\nsecurityLevel = 4\nsslVersionMax = TLSv1.2", []tls.CurveID{tls.CurveP384}},
		{"securityLevel = 5\nsslVersionMax = TLSv1.2", []tls.CurveID{tls.SecP384r1MLKEM1024, tls.CurveP521}},
	} {
		if got := offered(t, c.lines).Config.CurvePreferences; !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.lines, got, c.want)
		}
	}
	if w := strings.Join(offered(t, "curves = X448:P-256").Warnings, ""); !strings.Contains(w, "curves that do not exist here are left out: X448") {
		t.Errorf("warnings: %q", w)
	}
}

// TestSuiteNames has each suite of crypto/tls printed by a name with its key's length.
func TestSuiteNames(t *testing.T) {
	bits := map[string]int{"AES128": 128, "AES256": 256, "CHACHA20": 256, "DES-CBC3": 168, "RC4": 128, "AES_128": 128, "AES_256": 256}
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		name, n := SuiteName(s.ID)
		for part, want := range bits {
			if strings.Contains(name, part) && n != want {
				t.Errorf("%s has %d bits, want %d", name, n, want)
			}
		}
	}
}

// TestOwnStrength holds certificates of several strengths to the levels.
func TestOwnStrength(t *testing.T) {
	rsaOf := func(bits int) *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	root := issue(t, "root", rsaOf(1024), nil)
	strong := issue(t, "strong", ecKey(t, elliptic.P521()), nil)
	for _, c := range []struct {
		name    string
		leaf    *party
		chain   string
		highest int // level that it passes
		want    string
	}{
		{"RSA 1024", root, "", 1, "ee key too small: CN=root (RSA of 1024 bits, "},
		{"RSA 2048", issue(t, "x", rsaKey(t), nil), "", 2, "ee key too small"},
		{"P-256", issue(t, "x", ecKey(t, elliptic.P256()), nil), "", 3, "ee key too small"},
		{"P-384", issue(t, "x", ecKey(t, elliptic.P384()), nil), "", 4, "ee key too small"},
		{"a weak issuer sent along", issue(t, "x", ecKey(t, elliptic.P521()), root), certPEM(root), 1, "ca key too small"},
		{"SHA-1", issueSHA1(t, root), "", 0, "ca md too weak"},
		{"SHA-256 of a strong issuer", issue(t, "x", ecKey(t, elliptic.P521()), strong), certPEM(strong), 5, ""},
	} {
		for level := range suite.MaxLevel + 1 {
			s := service(file(t, certPEM(c.leaf)+c.chain+pkcs8(c.leaf.key)), "")
			s.SecurityLevel = level
			_, err := Build(s, Options{})
			switch {
			case level <= c.highest && err != nil:
				t.Errorf("%s at level %d: %v", c.name, level, err)
			case level == c.highest+1:
				fails(t, err, c.want)
			case level > c.highest && err == nil:
				t.Errorf("%s passes at level %d", c.name, level)
			}
		}
	}
}

// issueSHA1 makes a certificate that is signed with SHA-1.
func issueSHA1(t *testing.T, by *party) *party {
	t.Helper()
	key := ecKey(t, elliptic.P256())
	leaf := issue(t, "sha1", key, by)
	tmpl := *leaf.cert
	tmpl.SignatureAlgorithm = x509.SHA1WithRSA
	der, err := x509.CreateCertificate(rand.Reader, &tmpl, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &party{cert, key}
}
