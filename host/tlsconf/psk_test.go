package tlsconf

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/psk"
)

const someKeys = "alice:00112233445566778899aabbccddeeff\nbob:a key that is text\n"

// keyed builds a section with a file of keys; the lines may name it by FILE.
func keyed(t *testing.T, keys, lines string) (*Context, string, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "psk.txt")
	if err := os.WriteFile(name, []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	conf, err := config.LoadReader("c.conf", strings.NewReader("[test]\naccept = 1\nconnect = 2\nPSKsecrets = "+name+"\n"+lines))
	if err != nil {
		t.Fatalf("%s: %v", lines, err)
	}
	c, err := Build(conf.Services[0], Options{})
	return c, name, err
}

func TestSecrets(t *testing.T) {
	for _, c := range []struct {
		lines    string
		identity string
		mark     string   // before the keys
		suites   []string // of TLS 1.2
		groups   []tls.CurveID
		warning  string
	}{
		{"", "", "", []string{"ECDHE-PSK-AES128-GCM-SHA256", "ECDHE-PSK-AES256-GCM-SHA384", "ECDHE-PSK-CHACHA20-POLY1305", "PSK-AES128-GCM-SHA256", "PSK-AES256-GCM-SHA384", "PSK-CHACHA20-POLY1305"}, nil, ""},
		{"client = yes", "alice", "", nil, nil, ""},
		{"client = yes", "alice", config.ByteOrderMark, nil, nil, ""},
		{"client = yes\nPSKidentity = bob", "bob", "", nil, nil, ""},
		{"client = yes\nrequireCert = yes", "alice", "", nil, nil, ""},
		{"PSKidentity = bob", "", "", nil, nil, "PSK identity is ignored in the server mode"},
		{"ciphers = PSK-AES128-GCM-SHA256", "", "", []string{"PSK-AES128-GCM-SHA256"}, nil, ""},
		{"ciphers = kECDHEPSK", "", "", []string{"ECDHE-PSK-CHACHA20-POLY1305"}, nil, ""},
		{"curves = P-384:P-256", "", "", nil, []tls.CurveID{tls.CurveP384, tls.CurveP256}, ""},
	} {
		ctx, _, err := keyed(t, c.mark+someKeys, c.lines)
		if err != nil {
			t.Errorf("%q: %v", c.lines, err)
			continue
		}
		conf := ctx.PSK
		if conf.Identity != c.identity || conf.Secrets.Len() != 2 {
			t.Errorf("%q: identity %q of %d", c.lines, conf.Identity, conf.Secrets.Len())
		}
		if c.suites != nil {
			var got []string
			for _, id := range conf.Suites {
				if !slices.Contains(psk.Suites13(), id) {
					got = append(got, psk.SuiteName(id))
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.suites) {
				t.Errorf("%q: suites %v", c.lines, got)
			}
		}
		if c.groups != nil && !slices.Equal(conf.Groups, c.groups) {
			t.Errorf("%q: groups %v", c.lines, conf.Groups)
		}
		if got := strings.Join(ctx.Warnings, "\n"); !strings.Contains(got, c.warning) || c.warning == "" && got != "" {
			t.Errorf("%q: warnings %q", c.lines, got)
		}
	}
}

func TestSecretsRefused(t *testing.T) {
	for _, c := range []struct{ keys, lines, option, want string }{
		{"alice", "", "PSKsecrets", "psk.txt:1: Not in identity:key format"},
		{someKeys + "carol:short", "", "PSKsecrets", "psk.txt:3: Key shorter than 16 bytes"},
		{"", "", "PSKsecrets", "Failed to read PSK secrets: "},
		{someKeys, "client = yes\nPSKidentity = carol", "PSKidentity", "No key found for the specified PSK identity"},
		{someKeys, "sslVersion = TLSv1.1", "PSKsecrets", "pre-shared keys need TLS 1.2 or TLS 1.3"},
		{someKeys, "sslVersion = TLSv1.2\nciphers = ECDHE-RSA-AES128-GCM-SHA256", "PSKsecrets", "pre-shared keys need TLS 1.2 or TLS 1.3"},
		{someKeys, "curves = X25519MLKEM768", "PSKsecrets", "none of the groups can be used with pre-shared keys"},
	} {
		_, _, err := keyed(t, c.keys, c.lines)
		var bad *config.Error
		if !errors.As(err, &bad) || !strings.Contains(bad.Reason, c.want) || !strings.Contains(bad.Text, c.option) {
			t.Errorf("%q: %v, want %q", c.lines, err, c.want)
			continue
		}
		if bad.Hint == "" {
			t.Errorf("%q: no hint", c.lines)
		}
	}
}

func TestSecretsWarnings(t *testing.T) {
	ctx, name, err := keyed(t, "alice:12345678901234567890123456789012\nbob:12345678901234567890123456789099\n", "")
	if err != nil || len(ctx.Warnings) != 1 || !strings.Contains(ctx.Warnings[0], "the key in line 1 of "+name+" is taken as hexadecimal digits") ||
		strings.Contains(ctx.Warnings[0], "1234567890") {
		t.Errorf("%v, %q", err, ctx.Warnings)
	}
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	s := &config.Service{Name: "test", PSK: config.PSK{Secrets: name}}
	c := &Context{Config: &tls.Config{}}
	if err := c.loadSecrets(s); err != nil || !slices.Contains(c.Warnings, "Insecure file permissions on "+name) {
		t.Errorf("%v, %q", err, c.Warnings)
	}
}

// TestSecretsBounds has versions and a security level hold for keys as for certificates.
func TestSecretsBounds(t *testing.T) {
	for _, c := range []struct {
		lines     string
		low, high uint16
	}{
		{"sslVersion = TLSv1.2", tls.VersionTLS12, tls.VersionTLS12},
		{"sslVersionMin = TLSv1.3", tls.VersionTLS13, 0},
		{"sslVersionMax = TLSv1.2", 0, tls.VersionTLS12},
		{"options = NO_TLSv1_3", 0, tls.VersionTLS12},
		{"client = yes\nsslVersion = TLSv1.3", tls.VersionTLS13, tls.VersionTLS13},
	} {
		ctx, _, err := keyed(t, someKeys, c.lines)
		if err != nil {
			t.Errorf("%q: %v", c.lines, err)
			continue
		}
		if low, high := ctx.PSK.MinVersion, ctx.PSK.MaxVersion; low != c.low && c.low != 0 || high != c.high && c.high != 0 {
			t.Errorf("%q: versions from %x to %x", c.lines, low, high)
		}
	}
	// A stolen key must not open recorded sessions at level 3.
	ctx, _, err := keyed(t, someKeys, "securityLevel = 3")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ctx.PSK.Suites {
		if name := psk.SuiteName(id); strings.HasPrefix(name, "PSK-") {
			t.Errorf("level 3 has %s", name)
		}
	}
}
