package guestcmd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/daemon"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// certificateTime is how long the certificate is good that run makes for itself.
const certificateTime = 24 * time.Hour

// A trial is what run puts a guest between.
type trial struct {
	guest           string
	client          bool
	accept, connect string
	cert            string
	options         []string // KEY=VALUE
}

// try runs one guest between two sockets: "guest run".
func (t *tool) try(args []string) error {
	r, err := parseTrial(args)
	if err != nil {
		return err
	}
	src, err := source(r.guest)
	if err != nil {
		return err
	}
	r.guest = src.Name
	// The daemon compiles it, which takes a second or two for a guest in Go; what it asks
	// for can be seen without.
	module, free, err := t.loadBy(src, guest.RuntimeOptions{Interpreter: true})
	if err != nil {
		return err
	}
	info := module.Info
	free()
	if !info.Negotiates {
		return hint(fmt.Errorf("%s is a policy: it has no conversation to run", r.guest), "a service with policy = %s asks it", r.guest)
	}
	dir, err := os.MkdirTemp("", "stunnel-wasm-run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if !r.client && r.cert == "" {
		r.cert = filepath.Join(dir, "localhost.pem")
		if err := selfSigned(r.cert); err != nil {
			return err
		}
		fmt.Fprintln(t.stderr, "stunnel-wasm: no -cert: clients get a certificate for localhost that nobody has signed")
	}
	conf, err := r.config(&info)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "stunnel.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return err
	}
	if daemon.Run(&daemon.Source{Path: file}, t.stderr) != 0 {
		return errFailed
	}
	return nil
}

func parseTrial(args []string) (*trial, error) {
	r := &trial{}
	for i := 0; i < len(args); i++ {
		into := map[string]*string{"-accept": &r.accept, "-connect": &r.connect, "-cert": &r.cert}[args[i]]
		switch {
		case into != nil && i+1 < len(args):
			i++
			*into = args[i]
		case args[i] == "-client":
			r.client = true
		case strings.HasPrefix(args[i], "-"):
			return nil, errUsage
		case r.guest == "":
			r.guest = args[i]
		case strings.Contains(args[i], "="):
			r.options = append(r.options, args[i])
		default:
			return nil, errUsage
		}
	}
	if r.guest == "" || r.accept == "" || r.connect == "" {
		return nil, errUsage
	}
	for _, text := range append([]string{r.guest, r.accept, r.connect, r.cert}, r.options...) {
		if strings.ContainsAny(text, "\r\n") {
			return nil, fmt.Errorf("%q is no argument of one line", text)
		}
	}
	return r, nil
}

// config is what the daemon reads: a service with all that the guest asks for.
func (r *trial) config(module *guest.Info) (string, error) {
	protocol := r.guest
	if info, err := os.Stat(protocol); err == nil && !info.IsDir() {
		if protocol, err = filepath.Abs(protocol); err != nil {
			return "", err
		}
	}
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%s = %s\n", name, value) }
	b.WriteString("foreground = yes\nsyslog = no\ndebug = debug\npid =\n[run]\n")
	line("protocol", protocol)
	line("accept", r.accept)
	line("connect", r.connect)
	if r.client {
		line("client", "yes")
	}
	if r.cert != "" {
		line("cert", r.cert)
	}
	if _, bundled := stdproto.Lookup(r.guest); !bundled {
		for _, c := range module.Capabilities {
			line("guestAllow", string(c))
		}
	}
	for _, option := range r.options {
		key, value, _ := strings.Cut(option, "=")
		if lower := strings.ToLower(key); strings.HasPrefix(lower, "protocol") || strings.HasPrefix(lower, "guest") {
			line(key, value)
		} else {
			line("guestOption", option)
		}
	}
	return b.String(), nil
}

// selfSigned writes a certificate for localhost and its key.
func selfSigned(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(certificateTime),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
	return os.WriteFile(file, text, 0o600)
}
