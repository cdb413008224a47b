package verify

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tags "golang.org/x/crypto/cryptobyte/asn1"
)

var updateNames = flag.Bool("update-names", false, "ask openssl anew which names match")

// opensslMatches asks openssl x509 whether a certificate has a name; option is
// -checkhost, -checkemail or -checkip.
func opensslMatches(t *testing.T, path, option, name string) bool {
	t.Helper()
	out, err := exec.Command("openssl", "x509", "-in", path, "-noout", option, name).CombinedOutput()
	switch text := string(out); {
	case err == nil && strings.Contains(text, "does match"):
		return true
	case err == nil && strings.Contains(text, "NOT match"):
		return false
	}
	t.Fatalf("%s %q: %v: %s", option, name, err, out)
	return false
}

// TestNamesMatchAsInOpenSSL puts many names beside many questions. What openssl x509
// answers stands in testdata/names.txt, one line for what matches: to start it a thousand
// times takes a minute. Refresh with -update-names.
func TestNamesMatchAsInOpenSSL(t *testing.T) {
	hosts := []string{"host.x.example", "HOST.X.EXAMPLE", "a.host.x.example", "x.example", ".x.example", ".example", ".host.x.example",
		"host.x.example.", "*.x.example", "xn--st.x.example", "example", "127.0.0.1", "..x.example", "-.x.example", "h.x.example", "*"}
	emails := []string{"me@x.example", "me@X.Example", "Me@x.example", "you@x.example", "@x.example", "me", "a@b@x.example", "me@"}
	ips := []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1", "10.0.0.1"}
	type template struct {
		name string
		cn   string
		edit func(*x509.Certificate)
	}
	templates := []template{
		{"common name and address", "host.x.example", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback} }},
		{"address as common name", "127.0.0.1", nil},
		{"mapped address", "x", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("::ffff:127.0.0.1").To16()} }},
		{"e-mail", "x", func(c *x509.Certificate) { c.EmailAddresses = []string{"me@x.example"} }},
		{"strange e-mail", "x", func(c *x509.Certificate) { c.EmailAddresses = []string{"a@b@X.example", "me"} }},
		{"e-mail in the subject", "x", func(c *x509.Certificate) {
			c.RawSubject = rawName([]attributeValue{{emailAddress, tags.IA5String, "me@x.example"}})
		}},
		{"e-mail in both", "x", func(c *x509.Certificate) {
			c.RawSubject = rawName([]attributeValue{{emailAddress, tags.IA5String, "me@x.example"}})
			c.EmailAddresses = []string{"you@x.example"}
		}},
		{"several common names", "x", func(c *x509.Certificate) {
			c.RawSubject = rawName([]attributeValue{{commonName, tags.UTF8String, "a.example"}}, []attributeValue{{commonName, tags.UTF8String, "host.x.example"}})
		}},
		{"NUL", "host.x.example\x00.evil", nil},
		{"BMP common name", "x", func(c *x509.Certificate) { c.RawSubject = cn(tags.Tag(30), "\x00x\x00.\x00e") }},
	}
	for _, pattern := range []string{"host.x.example", "*.x.example", "ho*.x.example", "*st.x.example", "h*t.x.example", "*.example", "*", "*.*.example",
		"host.*.example", "xn--*.x.example", "*xn--st.x.example", "*host.x.example", "host.x.example.", "*.x.example.", "*.x-.example", "*.-x.example",
		"*_.x.example", "*..example", "*-.x.example", "h**.x.example", ".x.example", "*.x.example-", "*a.x.example", "a*.x_y.example"} {
		templates = append(templates, template{"DNS " + pattern, "other.example", names(pattern)}, template{"CN " + pattern, pattern, nil})
	}
	var got, answers strings.Builder
	path := filepath.Join(t.TempDir(), "c.pem")
	for _, tm := range templates {
		c := issue(t, tm.cn, nil, tm.edit)
		n, err := newNode(c.cert)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		compare := func(option string, asked []string, verifier func(string) *Verifier) {
			for _, name := range asked {
				line := fmt.Sprintf("%q: %s %s\n", tm.name, option, name)
				if verifier(name).match(n, false) != nil {
					got.WriteString(line)
				}
				if *updateNames && opensslMatches(t, path, option, name) {
					answers.WriteString(line)
				}
			}
		}
		if strings.Contains(tm.name, "e-mail") {
			compare("-checkemail", emails, func(s string) *Verifier { return &Verifier{Emails: []string{s}} })
		} else {
			compare("-checkhost", hosts, func(s string) *Verifier { return &Verifier{Hosts: []string{s}} })
		}
		if strings.Contains(tm.name, "address") {
			compare("-checkip", ips, func(s string) *Verifier { return &Verifier{IPs: []string{s}} })
		}
	}
	golden := filepath.Join("testdata", "names.txt")
	if *updateNames {
		if err := os.WriteFile(golden, []byte(answers.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for _, line := range ours {
		if !slices.Contains(theirs, line) {
			t.Errorf("matches here alone: %s", line)
		}
	}
	for _, line := range theirs {
		if !slices.Contains(ours, line) {
			t.Errorf("matches in OpenSSL alone: %s", line)
		}
	}
}

// TestAlternativesAcrossLists has one match in any list be enough.
func TestAlternativesAcrossLists(t *testing.T) {
	c := issue(t, "x", nil, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "host.example"}
		c.EmailAddresses = []string{"me@host.example"}
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	})
	n, err := newNode(c.cert)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		v    Verifier
		kind string
	}{
		{Verifier{Hosts: []string{"x", "host.example"}, Emails: []string{"x"}, IPs: []string{"::1"}}, "host"},
		{Verifier{Hosts: []string{"x"}, Emails: []string{"x", "me@HOST.example"}, IPs: []string{"::1"}}, "email"},
		{Verifier{Hosts: []string{"x"}, Emails: []string{"x"}, IPs: []string{"::1", "no address", "127.0.0.1%lo", "127.0.0.1"}}, "ip"},
		{Verifier{Hosts: []string{"", "x"}, Emails: []string{"", "x"}, IPs: []string{"", "::1"}}, ""},
	} {
		m := tc.v.match(n, false)
		if tc.kind == "" && m != nil || tc.kind != "" && (m == nil || m.kind != tc.kind) {
			t.Errorf("got %v, want %q", m, tc.kind)
		}
	}
}
