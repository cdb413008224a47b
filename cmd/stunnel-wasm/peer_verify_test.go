package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// verification is a set of options and what they make of peers.
type verification struct {
	name, options string
	accepted      []string // peers, by the keys of the files; all others are refused
}

// leafAlone says whether what is above the peer's own certificate is of no matter. Stunnel
// looks at it and forgives; we say nothing of it: see docs/differences.md.
func (v *verification) leafAlone() bool {
	return strings.Contains(v.options, "verify = 4\n") || strings.Contains(v.options, "verifyPeer = yes\n")
}

// peers gives what peers may show, by name, and the services that look at them. What is
// accepted here is what stunnel accepts, which the tests see.
func peers(t *testing.T, certs *testpeer.Certificates) (files map[string]string, asked []verification) {
	t.Helper()
	files = map[string]string{
		"none":     "",
		"good":     certs.Issue(t, "good", func(c *x509.Certificate) { c.DNSNames = []string{"good.example", "*.many.example"} }),
		"named":    certs.Issue(t, "cn.example", func(c *x509.Certificate) { c.EmailAddresses = []string{"Me@Mail.example"} }),
		"address":  certs.Issue(t, "address", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }),
		"expired":  certs.Issue(t, "expired", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
		"early":    certs.Issue(t, "early", func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }),
		"revoked":  certs.Issue(t, "revoked", nil),
		"usage":    certs.Issue(t, "usage", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }),
		"rsa":      certs.Issue(t, "rsa", func(c *x509.Certificate) { c.PublicKeyAlgorithm = x509.RSA }),
		"stranger": certs.Stranger,
	}
	file := func(names ...string) string {
		var text []byte
		for _, n := range names {
			part, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, part...)
		}
		f, err := os.CreateTemp(certs.Dir, "bundle")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Write(text); err != nil {
			t.Fatal(err)
		}
		return f.Name()
	}
	// Without the intermediate, which peers send.
	leaf := func(name string) string {
		pair := certs.Pair(t, files[name])
		return certs.Write(t, name+"-leaf.pem", pair.Leaf)
	}
	revoked := certs.Revoke(t, "crl.pem", time.Now().Add(time.Hour), files["revoked"])
	over := certs.Revoke(t, "old-crl.pem", time.Now().Add(-time.Hour))
	hashed := t.TempDir()
	rehash(t, hashed, certs.Root, revoked)
	strong := []string{"good", "named", "address", "revoked"}
	valid := append([]string{"rsa"}, strong...)
	unrevoked := []string{"good", "named", "address", "rsa"}
	all := []string{"none", "good", "named", "address", "expired", "early", "revoked", "usage", "rsa", "stranger"}
	copies := "CAfile = " + file(leaf("good"), leaf("expired"), leaf("stranger")) + "\n"
	root := "CAfile = " + certs.Root + "\n"
	return files, []verification{
		{"verify0", root + "verify = 0\n", all},
		{"verify1", root + "verify = 1\n", append([]string{"none"}, valid...)},
		{"verify2", root + "verify = 2\n", valid},
		{"verify3", "CAfile = " + file(certs.Root, leaf("good")) + "\nverify = 3\n", []string{"good"}},
		{"verify4", copies + "verify = 4\n", []string{"good", "stranger"}},
		{"verify4issuer", "CAfile = " + file(certs.Root, leaf("good"), leaf("stranger")) + "\nverify = 4\n", []string{"good", "stranger"}},
		{"chain", root + "verifyChain = yes\n", valid},
		{"peer", copies + "verifyPeer = yes\n", []string{"good", "stranger"}},
		{"require", "requireCert = yes\n", all[1:]},
		{"path", "CApath = " + hashed + "\nverifyChain = yes\n", valid},
		{"host", root + "verifyChain = yes\ncheckHost = other.example\ncheckHost = x.many.example\n", []string{"good"}},
		{"common", root + "verifyChain = yes\ncheckHost = cn.example\n", []string{"named"}},
		{"email", root + "verifyChain = yes\ncheckEmail = Me@mail.EXAMPLE\n", []string{"named"}},
		{"ip", root + "verifyChain = yes\ncheckIP = ::1\ncheckIP = 127.0.0.1\n", []string{"address"}},
		{"several", root + "verifyChain = yes\ncheckHost = good.example\ncheckEmail = x@y\ncheckIP = 127.0.0.1\n", []string{"good", "address"}},
		{"list", root + "verifyChain = yes\nCRLfile = " + revoked + "\n", unrevoked},
		{"listpath", root + "verifyChain = yes\nCRLpath = " + hashed + "\n", unrevoked},
		{"nolist", root + "verifyChain = yes\nCRLpath = " + t.TempDir() + "\n", nil},
		{"oldlist", root + "verifyChain = yes\nCRLfile = " + over + "\n", nil},
		{"level3", root + "verifyChain = yes\nsecurityLevel = 3\n", strong},
		{"weak", root + "verify = 0\nCRLfile = " + revoked + "\n", all},
	}
}

// rehash puts files into a directory under their hashed names.
func rehash(t *testing.T, dir string, files ...string) {
	t.Helper()
	for i, f := range files {
		text, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.pem", i)), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(testpeer.Need(t, "openssl", "openssl"), "rehash", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// verdictLines are those in which stunnel and we should be the same.
var verdictLines = regexp.MustCompile(`^(CERT: |Verification started|Rejected by|Certificate accepted)`)

// verdict gives what a daemon's log says of a connection's certificate, with the levels.
func verdict(d *testpeer.Daemon, id int) []string {
	line := regexp.MustCompile(fmt.Sprintf(`LOG(\d)\[%d\]: (.*)$`, id))
	var all []string
	for _, l := range d.Lines() {
		m := line.FindStringSubmatch(l)
		switch {
		case m == nil:
		case verdictLines.MatchString(m[2]):
			all = append(all, m[1]+" "+m[2])
		case strings.HasSuffix(m[2], "certificate verify failed"), strings.HasSuffix(m[2], "peer did not return a certificate"):
			all = append(all, m[1]+" "+m[2][max(strings.LastIndex(m[2], ":"), 0)+1:])
		}
	}
	for i, l := range all { // "SSL_accept: reason" is "SSL_accept: place: error:code:lib::reason"
		all[i] = strings.Join(strings.Fields(l), " ")
	}
	return all
}

// aboveLeaf is a line about a certificate above the peer's own.
var aboveLeaf = regexp.MustCompile(` at depth=[1-9]`)

// ofPeer gives what stunnel says of the peer's own certificate, which is the last.
func ofPeer(lines []string) []string {
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "7 Verification started at depth=0") })
	return lines[max(i, 0):]
}

// compareVerdicts has both daemons see the same peers, and wants the same answer and the
// same lines.
func compareVerdicts(t *testing.T, ours, theirs *testpeer.Daemon, files map[string]string, asked []verification, meet func(d *testpeer.Daemon, service, file string) bool) {
	id := 0
	for _, v := range asked {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			var lines [2][]string
			for i, d := range []*testpeer.Daemon{ours, theirs} {
				who := []string{"we", "stunnel"}[i]
				if got, want := meet(d, v.name, files[name]), slices.Contains(v.accepted, name); got != want {
					t.Errorf("%s with %s: %s accept: %v, want %v", v.name, name, who, got, want)
				}
				d.WaitLine(fmt.Sprintf(`LOG5\[%d\]: Connection (closed|reset)`, id))
				lines[i] = verdict(d, id)
			}
			if v.leafAlone() {
				if i := slices.IndexFunc(lines[0], aboveLeaf.MatchString); i >= 0 {
					t.Errorf("%s with %s: our log has %q", v.name, name, lines[0][i])
				}
				lines[1] = ofPeer(lines[1])
			}
			if !slices.Equal(lines[0], lines[1]) {
				t.Errorf("%s with %s: our log\n\t%s\nstunnel's\n\t%s", v.name, name, strings.Join(lines[0], "\n\t"), strings.Join(lines[1], "\n\t"))
			}
			id++
		}
	}
}

// TestVerifiedClients shows clients' certificates to our server and stunnel's.
func TestVerifiedClients(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	files, asked := peers(t, certs)
	conf := "cert = " + certs.Server + "\nconnect = " + testpeer.Serve(t, testpeer.Say("hello\n")) + "\n"
	for _, v := range asked {
		conf += "[" + v.name + "]\naccept = 127.0.0.1:0\n" + v.options
	}
	ours, theirs := testpeer.Start(t, self(t), conf), testpeer.Start(t, testpeer.Need(t, "stunnel4", "stunnel4"), conf)
	compareVerdicts(t, ours, theirs, files, asked, func(d *testpeer.Daemon, service, file string) bool {
		conf := &tls.Config{InsecureSkipVerify: true}
		if file != "" {
			pair := certs.Pair(t, file)
			conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
		c, err := tls.Dial("tcp", d.Addr(service), conf)
		if err != nil {
			return false
		}
		defer c.Close()
		said, _ := io.ReadAll(c)
		return string(said) == "hello\n"
	})
}

// TestVerifiedServers shows servers' certificates to our client and stunnel's.
func TestVerifiedServers(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	files, asked := peers(t, certs)
	delete(files, "none") // a server has one
	shown := make(chan string, 1)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair := certs.Pair(t, <-shown)
		return &pair, nil
	}, SessionTicketsDisabled: true})
	if err != nil {
		t.Fatal(err)
	}
	testpeer.ServeOn(t, ln, testpeer.Say("hello\n"))
	conf := "client = yes\nconnect = " + ln.Addr().String() + "\n"
	for _, v := range asked {
		conf += "[" + v.name + "]\naccept = 127.0.0.1:0\n" + v.options
	}
	ours, theirs := testpeer.Start(t, self(t), conf), testpeer.Start(t, testpeer.Need(t, "stunnel4", "stunnel4"), conf)
	compareVerdicts(t, ours, theirs, files, asked, func(d *testpeer.Daemon, service, file string) bool {
		shown <- file
		c, err := net.Dial("tcp", d.Addr(service))
		if err != nil {
			return false // the reset came before Dial returned
		}
		defer c.Close()
		said, _ := io.ReadAll(c)
		return string(said) == "hello\n"
	})
}
