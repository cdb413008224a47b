package testpeer

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Revocable are the files of an authority that answers OCSP, and of certificates right
// below its root. Files of leaves hold key and certificate. What Responder says is the
// same about all of them.
type Revocable struct {
	Dir    string
	Root   string // certificate and key
	Server string // leaf for localhost, without a responder's address
	Client string // leaf for client authentication, CN=client
	Named  string // a server's leaf that names its responder: aia of NewRevocable

	Delegate string // may sign OCSP responses
	Sibling  string // a server's leaf that may not

	root, leaf issuer
	leaves     []*x509.Certificate
}

// NewRevocable makes the files. Aia is the address that Named has for its responder.
func NewRevocable(t testing.TB, aia string) *Revocable {
	t.Helper()
	c := &Certificates{Dir: t.TempDir()}
	r := &Revocable{Dir: c.Dir, root: authority(t, "Revoking Root", nil)}
	r.Root = c.write(t, "root.pem", r.root.cert, r.root.key)
	make := func(name string, usage x509.ExtKeyUsage, aia ...string) (string, issuer) {
		tmpl := template(t, name)
		tmpl.BasicConstraintsValid = true
		tmpl.KeyUsage, tmpl.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{usage}
		tmpl.DNSNames, tmpl.OCSPServer = []string{"localhost"}, aia
		l := sign(t, tmpl, Key(t), &r.root)
		r.leaves = append(r.leaves, l.cert)
		return c.write(t, name+".pem", l.key, l.cert), l
	}
	r.Server, r.leaf = make("server", x509.ExtKeyUsageServerAuth)
	r.Client, _ = make("client", x509.ExtKeyUsageClientAuth)
	r.Named, _ = make("named", x509.ExtKeyUsageServerAuth, aia)
	r.Delegate, _ = make("delegate", x509.ExtKeyUsageOCSPSigning)
	r.Sibling, _ = make("sibling", x509.ExtKeyUsageServerAuth)
	return r
}

// Parts gives the certificate of Server, its issuer's, and the issuer's key, for
// responses made by the test.
func (r *Revocable) Parts() (leaf, root *x509.Certificate, key crypto.Signer) {
	return r.leaf.cert, r.root.cert, r.root.key
}

// Arguments are those of openssl ocsp for answers about all leaves: "good", "revoked" or
// "unknown", signed by a file's certificate.
func (r *Revocable) Arguments(t testing.TB, status, signer string) []string {
	t.Helper()
	form := map[string]string{"good": "V\t%s\t\t%X\tunknown\t/CN=%[2]X\n", "revoked": "R\t%s\t260101000000Z,keyCompromise\t%X\tunknown\t/CN=%[2]X\n"}[status]
	var index string
	for _, l := range r.leaves {
		if form != "" {
			serial := l.SerialNumber.Bytes() // two digits a byte, as openssl writes them
			index += fmt.Sprintf(form, l.NotAfter.UTC().Format("060102150405Z"), serial)
		}
	}
	path := filepath.Join(t.TempDir(), "index.txt")
	if err := os.WriteFile(path, []byte(index), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"ocsp", "-index", path, "-CA", r.Root, "-rsigner", signer, "-rkey", signer}
}

// Responder runs openssl ocsp with Arguments and more, and gives its address.
func (r *Revocable) Responder(t testing.TB, status, signer string, more ...string) string {
	t.Helper()
	args := append(r.Arguments(t, status, signer), "-port", "0")
	p := Run(t, Need(t, "openssl", "openssl"), append(args, more...)...)
	p.WaitLine("waiting for OCSP client connections")
	return "http://127.0.0.1:" + p.WaitLine(`^ACCEPT .*:(\d+) PID`) + "/"
}

// Staple has openssl make a response about Server that is good for minutes, and gives
// its file.
func (r *Revocable) Staple(t testing.TB, status, signer string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "response.der")
	args := append(r.Arguments(t, status, signer), "-issuer", r.Root, "-cert", r.Server, "-respout", path, "-nmin", "10")
	p := Run(t, Need(t, "openssl", "openssl"), args...)
	if code := p.Wait(); code != 0 {
		t.Fatalf("openssl ocsp: status %d", code)
	}
	return path
}

// Ago is a time that lies back, as responses have them: whole seconds.
func Ago(d time.Duration) time.Time { return time.Now().Add(-d).Truncate(time.Second) }
