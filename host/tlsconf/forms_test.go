package tlsconf

import (
	"crypto"
	"crypto/elliptic"
	"encoding/asn1"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
	"github.com/stunnel-wasm/stunnel-wasm/host/pbes2"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// openssl runs a command in a directory.
func openssl(t *testing.T, dir, args string) {
	t.Helper()
	c := exec.Command(testpeer.Need(t, "openssl", "openssl"), strings.Fields(args)...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("openssl %s: %v\n%s", args, err, out)
	}
}

// answering has one passphrase, and counts how often it is asked for.
func answering(secret string) (Options, *int) {
	asked := 0
	return Options{Passphrases: &passphrase.Keeper{Ask: func(string) ([]byte, error) {
		asked++
		return []byte(secret), nil
	}}}, &asked
}

// TestPKCS12 opens what openssl writes, under a name that says nothing.
func TestPKCS12(t *testing.T) {
	dir := t.TempDir()
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	lower := issue(t, "lower", ecKey(t, elliptic.P256()), root)
	leaf := issue(t, "leaf", rsaKey(t), lower)
	for name, text := range map[string]string{"leaf.pem": pkcs8(leaf.key) + certPEM(leaf), "rest.pem": certPEM(root) + certPEM(lower)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		flags, pass string
		asked       int
	}{
		{"", "p\u00e4ss", 1},
		{"", "", 0},
		{"-legacy", "p\u00e4ss", 1},
		{"-legacy -descert", "x", 1},
		{"-legacy", "", 0},
		{"-keypbe NONE -certpbe NONE", "x", 1},
		{"-keypbe NONE -certpbe NONE -nomac", "", 0},
		{"-keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha512 -iter 100000", "x", 1},
		{"-name something -caname other", "x", 1},
	} {
		openssl(t, dir, "pkcs12 -export -in leaf.pem -certfile rest.pem -out bundle -passout pass:"+c.pass+" "+c.flags)
		o, asked := answering(c.pass)
		s := service(filepath.Join(dir, "bundle"), "")
		ctx, err := Build(s, o)
		if err != nil {
			t.Errorf("%q: %v", c.flags, err)
			continue
		}
		if got := chain(t, ctx); got != "leaf lower root" {
			t.Errorf("%q: sends %s", c.flags, got)
		}
		if *asked != c.asked {
			t.Errorf("%q: asked %d times, want %d", c.flags, *asked, c.asked)
		}
		if !ctx.Config.Certificates[0].PrivateKey.(interface{ Equal(crypto.PrivateKey) bool }).Equal(leaf.key) {
			t.Errorf("%q: another key", c.flags)
		}
		// The certificate from elsewhere, and none but the key from here.
		if _, err := Build(service(filepath.Join(dir, "leaf.pem"), s.Cert[0]), o); err != nil {
			t.Errorf("%q as key: %v", c.flags, err)
		}
		if err := os.Chmod(s.Cert[0], 0o604); err != nil {
			t.Fatal(err)
		}
		if ctx, err = Build(s, o); err != nil || !slices.Contains(ctx.Warnings, "Insecure file permissions on "+s.Cert[0]) {
			t.Errorf("%q: no warning of its mode, %v", c.flags, err)
		}
		os.Remove(s.Cert[0])
	}
	for _, c := range []struct{ args, pass, want string }{
		{"-in leaf.pem", "wrong", "bundle: wrong passphrase"},
		{"-in leaf.pem -keypbe camellia-128-cbc", "x", "pbes2 algorithm 1.2.392.200011.61.1.1.1.2 is not supported"},
		{"-in leaf.pem -nokeys", "x", "bundle: PKCS #12: "},
		{"-inkey leaf.pem -in leaf.pem -nomac", "x", "bundle: PKCS #12: no MAC in data"},
	} {
		openssl(t, dir, "pkcs12 -export -out bundle -passout pass:x "+c.args)
		o, _ := answering(c.pass)
		_, err := Build(service(filepath.Join(dir, "bundle"), ""), o)
		fails(t, err, c.want)
	}
}

// TestPKCS12Hints names commands that read PKCS #12, and the file that is at fault.
func TestPKCS12Hints(t *testing.T) {
	dir := t.TempDir()
	leaf := issue(t, "leaf", ecKey(t, elliptic.P256()), nil)
	if err := os.WriteFile(filepath.Join(dir, "leaf.pem"), []byte(pkcs8(leaf.key)+certPEM(leaf)), 0o600); err != nil {
		t.Fatal(err)
	}
	openssl(t, dir, "pkcs12 -export -in leaf.pem -out bundle -passout pass:x")
	bundle := filepath.Join(dir, "bundle")
	for secret, want := range map[string]string{
		"":                 "openssl pkcs12 -in " + bundle + " -nodes",
		file(t, "wrong\n"): "openssl pkcs12 -in " + bundle + " -info",
		"/nowhere":         "write the passphrase into that file",
	} {
		s := service(bundle, "")
		s.KeyPassphraseFile = secret
		_, err := Build(s, Options{})
		var e *config.Error
		if !errors.As(err, &e) || !strings.Contains(e.Hint, want) {
			t.Errorf("%q: %v, want hint %q", secret, e, want)
		}
	}
	s := service(bundle, "")
	s.KeyPassphraseFile = file(t, config.ByteOrderMark+"x\r\n") // as an editor on Windows writes it
	if _, err := Build(s, Options{}); err != nil {
		t.Error(err)
	}
}

// A count that would hold up the start is refused wherever it stands, untried.
func TestPKCS12Iterations(t *testing.T) {
	type derivation struct {
		Salt       []byte
		Iterations int
	}
	marshal := func(v any) []byte { return must(asn1.Marshal(v)) }
	type contents struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	octets := func(b []byte) asn1.RawValue {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: marshal(b)}
	}
	data := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	for name, pfx := range map[string]any{
		"of the MAC": struct {
			Version  int
			AuthSafe contents
			MAC      derivation
		}{3, contents{data, octets(nil)}, derivation{[]byte("salt"), 10_000_001}},
		"of the contents": struct {
			Version  int
			AuthSafe contents
		}{3, contents{data, octets(marshal([]any{derivation{[]byte("salt"), 10_000_001}}))}},
	} {
		_, err := Build(service(file(t, string(marshal(pfx))), ""), Options{})
		if err == nil || !strings.Contains(err.Error(), "PKCS #12: 10000001 iterations") {
			t.Errorf("%s: %v", name, err)
		}
	}
	deep := []byte{4, 0}
	for range 40 {
		deep = marshal(deep)
	}
	if n := iterations(deep, 0); n <= pbes2.MaxIterations {
		t.Errorf("what lies too deep to be seen counts as %d", n)
	}
}

// TestUnusableKeys has each kind of key that crypto/tls does not know named.
func TestUnusableKeys(t *testing.T) {
	dir := t.TempDir()
	openssl(t, dir, "dsaparam -out dsa.param 1024")
	for _, c := range []struct{ make, kind string }{
		{"genpkey -algorithm ED448 -out key", "Ed448"},
		{"genpkey -algorithm X25519 -out key", "X25519"},
		{"genpkey -algorithm X448 -out key", "X448"},
		{"genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:1024 -out key", "RSA-PSS"},
		{"genpkey -paramfile dsa.param -out key", "DSA"},
		{"gendsa -out key dsa.param", "DSA"},
		{"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out key", "ECDSA on secp256k1"},
		{"ecparam -name secp256k1 -genkey -noout -out key", "ECDSA on secp256k1"},
		{"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1 -out key", "ECDSA on brainpoolP256r1"},
		{"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out key", "ECDSA with explicit curve parameters"},
		{"genpkey -algorithm SM2 -out key", "1.2.156.10197.1.301"},
	} {
		openssl(t, dir, c.make)
		key := filepath.Join(dir, "key")
		leaf := issue(t, "leaf", ecKey(t, elliptic.P256()), nil)
		_, err := Build(service(file(t, certPEM(leaf)), key), Options{})
		name := c.kind
		if strings.HasPrefix(name, "1.2.156") {
			name = "SM2"
		}
		fails(t, err, "private key in "+key+": a key of kind "+name+" cannot be used")
		// The same behind a passphrase is no wrong passphrase.
		openssl(t, dir, "pkcs8 -topk8 -in key -out locked -passout pass:x")
		o, asked := answering("x")
		_, err = Build(service(file(t, certPEM(leaf)), filepath.Join(dir, "locked")), o)
		fails(t, err, "locked: a key of kind "+name+" cannot be used")
		if *asked != 1 {
			t.Errorf("%s: asked %d times", c.kind, *asked)
		}
	}
}

func TestUnusableCertificate(t *testing.T) {
	dir := t.TempDir()
	openssl(t, dir, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -nodes -keyout other -out cert -subj /CN=a")
	_, err := Build(service(filepath.Join(dir, "cert"), file(t, pkcs8(ecKey(t, elliptic.P256())))), Options{})
	fails(t, err, filepath.Join(dir, "cert")+": parsing a certificate: x509: unsupported elliptic curve")
}

func TestDHParametersAreNoted(t *testing.T) {
	leaf := issue(t, "leaf", ecKey(t, elliptic.P256()), nil)
	ctx, err := Build(service(file(t, certPEM(leaf)+pkcs8(leaf.key)+dhParameters+dhParameters), ""), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(ctx.Notices) != 1 || !strings.Contains(ctx.Notices[0], "DH parameters") {
		t.Errorf("notices: %q", ctx.Notices)
	}
}

// A passphrase that was given once opens the other files too, and those of a reload.
func TestOnePassphraseForAll(t *testing.T) {
	dir := t.TempDir()
	r, e := issue(t, "rsa", rsaKey(t), nil), issue(t, "ecdsa", ecKey(t, elliptic.P256()), nil)
	var certs, keys []string
	for name, p := range map[string]*party{"rsa": r, "ecdsa": e} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(pkcs8(p.key)), 0o600); err != nil {
			t.Fatal(err)
		}
		openssl(t, dir, "pkcs8 -topk8 -in "+name+" -out "+name+".locked -passout pass:x")
		certs, keys = append(certs, file(t, certPEM(p))), append(keys, filepath.Join(dir, name+".locked"))
	}
	o, asked := answering("x")
	for range 2 {
		if _, err := Build(several(certs, keys), o); err != nil {
			t.Fatal(err)
		}
	}
	if *asked != 1 {
		t.Errorf("asked %d times", *asked)
	}
}

// Whatever lies where a PKCS #12 file is expected, decoding it ends in an error or in
// certificates and a key.
func FuzzPKCS12(f *testing.F) {
	leaf := issue(f, "leaf", ecKey(f, elliptic.P256()), nil)
	for _, e := range []*pkcs12.Encoder{pkcs12.Passwordless, pkcs12.LegacyRC2.WithIterations(1), pkcs12.Modern.WithIterations(1)} {
		pass := "x"
		if e == pkcs12.Passwordless {
			pass = ""
		}
		data, err := e.Encode(leaf.key, leaf.cert, nil, pass)
		if err != nil {
			f.Fatal(err)
		}
		if !looksLikePKCS12(data) {
			f.Error("not recognized")
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !looksLikePKCS12(data) || iterations(data, 0) > 1000 {
			return
		}
		for _, pass := range []string{"", "x"} {
			m := &material{}
			err := m.decodePKCS12(data, pass)
			if err == nil && (len(m.certs) == 0 || m.key == nil) {
				t.Error("neither error nor certificate")
			}
			if errors.Is(err, passphrase.ErrWrong) && len(m.certs) > 0 {
				t.Error("certificates for a wrong passphrase")
			}
		}
	})
}
