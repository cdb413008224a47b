package testpeer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certificates are the files of a throw-away authority. Files of leaves hold the
// key, the leaf and the intermediate, in this order. Keys are ECDSA P-256 but
// for ServerRSA's.
type Certificates struct {
	Dir    string
	Root   string // the root's certificate
	Chain  string // the intermediate's
	Other  string // the certificate of another root, which issued nothing but Stranger
	Server string // leaf for localhost and 127.0.0.1, CN=localhost
	Client string // leaf for client authentication, CN=client

	// Stranger is a leaf for both purposes of the other root, CN=stranger.
	Stranger string

	intermediate issuer
}

type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// Certs makes an authority and its files in a directory of the test's.
func Certs(t testing.TB) *Certificates {
	t.Helper()
	c := &Certificates{Dir: t.TempDir()}
	root := authority(t, "Test Root", nil)
	c.intermediate = authority(t, "Test Intermediate", &root)
	other := authority(t, "Other Root", nil)
	c.Root = c.write(t, "root.pem", root.cert)
	c.Chain = c.write(t, "chain.pem", c.intermediate.cert)
	c.Other = c.write(t, "other.pem", other.cert)
	server := leaf(t, c.intermediate, Key(t), "localhost", x509.ExtKeyUsageServerAuth)
	c.Server = c.write(t, "server.pem", server.key, server.cert, c.intermediate.cert)
	client := leaf(t, c.intermediate, Key(t), "client", x509.ExtKeyUsageClientAuth)
	c.Client = c.write(t, "client.pem", client.key, client.cert, c.intermediate.cert)
	stranger := leaf(t, other, Key(t), "stranger", x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth)
	c.Stranger = c.write(t, "stranger.pem", stranger.key, stranger.cert)
	return c
}

// ServerRSA makes a server leaf with an RSA key, which takes a while.
func (c *Certificates) ServerRSA(t testing.TB) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	l := leaf(t, c.intermediate, key, "localhost", x509.ExtKeyUsageServerAuth)
	return c.write(t, "server-rsa.pem", l.key, l.cert, c.intermediate.cert)
}

// ClientOf makes a client leaf of an organizational unit, with a URI for its
// alternative name, as workloads have (SPIFFE).
func (c *Certificates) ClientOf(t testing.TB, name, unit, uri string) string {
	t.Helper()
	tmpl := template(t, name)
	tmpl.Subject.OrganizationalUnit = []string{unit}
	tmpl.BasicConstraintsValid = true
	tmpl.KeyUsage, tmpl.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	id, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	tmpl.URIs = []*url.URL{id}
	l := sign(t, tmpl, Key(t), &c.intermediate)
	return c.write(t, name+".pem", l.key, l.cert, c.intermediate.cert)
}

// Issue makes a leaf of the intermediate for both purposes; edit changes what is signed,
// and its PublicKeyAlgorithm makes the key one of RSA with 2048 bits.
func (c *Certificates) Issue(t testing.TB, name string, edit func(*x509.Certificate)) string {
	t.Helper()
	tmpl := template(t, name)
	tmpl.BasicConstraintsValid = true
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	if edit != nil {
		edit(tmpl)
	}
	var key crypto.Signer = Key(t)
	if tmpl.PublicKeyAlgorithm == x509.RSA {
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	l := sign(t, tmpl, key, &c.intermediate)
	return c.write(t, name+".pem", l.key, l.cert, c.intermediate.cert)
}

// Revoke writes a revocation list of the intermediate with the leaves of some files, good
// until a time.
func (c *Certificates) Revoke(t testing.TB, name string, until time.Time, files ...string) string {
	t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: until.Add(-48 * time.Hour), NextUpdate: until}
	for _, f := range files {
		leaf := c.Pair(t, f).Leaf
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: leaf.SerialNumber, RevocationTime: list.ThisUpdate})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, c.intermediate.cert, c.intermediate.key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.Dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Write makes a file of a certificate alone.
func (c *Certificates) Write(t testing.TB, name string, cert *x509.Certificate) string {
	t.Helper()
	return c.write(t, name, cert)
}

// Pair loads one of the files for a peer written in Go.
func (c *Certificates) Pair(t testing.TB, file string) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// Pool is the root as a peer written in Go takes it.
func (c *Certificates) Pool(t testing.TB) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(c.Root)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

// Key makes a key on P-256.
func Key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// authority makes a CA; a nil parent makes it a root.
func authority(t testing.TB, name string, parent *issuer) issuer {
	t.Helper()
	tmpl := template(t, name)
	tmpl.IsCA, tmpl.BasicConstraintsValid = true, true
	tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	return sign(t, tmpl, Key(t), parent)
}

func leaf(t testing.TB, parent issuer, key crypto.Signer, name string, usage ...x509.ExtKeyUsage) issuer {
	t.Helper()
	tmpl := template(t, name)
	tmpl.BasicConstraintsValid = true
	tmpl.KeyUsage, tmpl.ExtKeyUsage = x509.KeyUsageDigitalSignature, usage
	tmpl.DNSNames = []string{name}
	tmpl.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	return sign(t, tmpl, key, &parent)
}

func template(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"Test"}, CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
	}
}

func sign(t testing.TB, tmpl *x509.Certificate, key crypto.Signer, parent *issuer) issuer {
	t.Helper()
	by := issuer{tmpl, key}
	if parent != nil {
		by = *parent
	}
	return issuer{Sign(t, tmpl, key, by.cert, by.key), key}
}

// Sign makes the certificate of a key out of a template, for tests that have their
// authorities in memory. By is the key of the issuer's certificate; the template and its own
// key as the issuer's make it self-signed.
func Sign(t testing.TB, tmpl *x509.Certificate, key crypto.Signer, issuer *x509.Certificate, by crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tmpl, issuer, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// write puts certificates and keys into a file as PEM.
func (c *Certificates) write(t testing.TB, name string, parts ...any) string {
	t.Helper()
	var text []byte
	for _, p := range parts {
		block := &pem.Block{Type: "PRIVATE KEY"}
		switch p := p.(type) {
		case *x509.Certificate:
			block = &pem.Block{Type: "CERTIFICATE", Bytes: p.Raw}
		default:
			der, err := x509.MarshalPKCS8PrivateKey(p)
			if err != nil {
				t.Fatal(err)
			}
			block.Bytes = der
		}
		text = append(text, pem.EncodeToMemory(block)...)
	}
	path := filepath.Join(c.Dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
