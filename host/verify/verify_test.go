package verify

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// noon is when the table's certificates are looked at.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// A party is a certificate with its key.
type party struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate, valid on the day of noon; edit changes the template. A
// nil issuer makes it self-signed.
func issue(t testing.TB, name string, by *party, edit func(*x509.Certificate)) *party {
	t.Helper()
	key := testpeer.Key(t)
	tmpl := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             noon.Add(-12 * time.Hour),
		NotAfter:              noon.Add(12 * time.Hour),
		BasicConstraintsValid: true,
	}
	if edit != nil {
		edit(tmpl)
	}
	if by == nil {
		by = &party{tmpl, key}
	}
	return &party{testpeer.Sign(t, tmpl, key, by.cert, by.key), key}
}

func ca(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }

func usage(u ...x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = u }
}

func names(n ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = n }
}

// certs are the certificates of parties.
func certs(ps ...*party) []*x509.Certificate {
	var all []*x509.Certificate
	for _, p := range ps {
		all = append(all, p.cert)
	}
	return all
}

func TestChains(t *testing.T) {
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	root := issue(t, "Root", nil, ca)
	middle := issue(t, "Middle", root, ca)
	leaf := issue(t, "leaf", middle, usage(both...))
	direct := issue(t, "direct", root, usage(both...))
	stranger := issue(t, "Stranger", nil, ca)
	strange := issue(t, "strange", stranger, usage(both...))
	alone := issue(t, "alone", nil, nil)
	twin := issue(t, "Root", nil, ca) // the same name, another key
	forged := issue(t, "forged", twin, usage(both...))
	old := issue(t, "old", root, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Second) })
	early := issue(t, "early", root, func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Second) })
	oldRoot := issue(t, "Old Root", nil, func(c *x509.Certificate) { ca(c); c.NotAfter = noon.Add(-time.Second) })
	underOld := issue(t, "under old", oldRoot, nil)
	oldAlone := issue(t, "old alone", nil, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Second) })
	noCA := issue(t, "No CA", root, nil)
	underNoCA := issue(t, "under no CA", noCA, nil)
	short := issue(t, "Short", root, func(c *x509.Certificate) { ca(c); c.MaxPathLenZero = true })
	shortMiddle := issue(t, "Short Middle", short, ca)
	deep := issue(t, "deep", shortMiddle, nil)
	serverOnly := issue(t, "server", root, usage(x509.ExtKeyUsageServerAuth))
	clientOnly := issue(t, "client", root, usage(x509.ExtKeyUsageClientAuth))
	critical := issue(t, "critical", root, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
	})

	for _, c := range []struct {
		name    string
		trusted []*x509.Certificate
		sent    []*x509.Certificate
		server  bool // the peer is one
		want    string
	}{
		{"whole chain", certs(root), certs(leaf, middle), false, ""},
		{"with the root", certs(root), certs(leaf, middle, root), false, ""},
		{"out of order, with a stranger", certs(root), certs(leaf, root, stranger, middle), false, ""},
		{"the intermediate is ours", certs(root, middle), certs(leaf), false, ""},
		{"under the root", certs(root), certs(direct), true, ""},
		{"one of two roots", certs(stranger, root), certs(direct), true, ""},
		{"listed self-signed leaf", certs(alone), certs(alone), false, ""},
		{"client's certificate from a client", certs(root), certs(clientOnly), false, ""},
		{"server's certificate from a server", certs(root), certs(serverOnly), true, ""},

		{"nothing trusted", nil, certs(direct), false, "unable to get local issuer certificate at depth=0: CN=direct"},
		{"unknown CA", certs(root), certs(strange), false, "unable to get local issuer certificate at depth=0: CN=strange"},
		{"unknown CA, sent along", certs(root), certs(strange, stranger), false, "self-signed certificate in certificate chain at depth=1: CN=Stranger"},
		{"unlisted self-signed leaf", certs(root), certs(alone), false, "self-signed certificate at depth=0: CN=alone"},
		{"intermediate missing", certs(root), certs(leaf), false, "unable to get local issuer certificate at depth=0: CN=leaf"},
		{"only the intermediate is listed", certs(middle), certs(leaf, middle), false, "unable to get issuer certificate at depth=1: CN=Middle"},
		{"a leaf that is listed", certs(direct), certs(direct), false, "unable to get local issuer certificate at depth=0: CN=direct"},
		{"a CA of the same name", certs(root), certs(forged), false, "at depth=0: CN=forged"},
		{"expired", certs(root), certs(old), false, "certificate has expired at depth=0: CN=old"},
		{"not yet valid", certs(root), certs(early), false, "certificate is not yet valid at depth=0: CN=early"},
		{"expired root", certs(oldRoot), certs(underOld), false, "certificate has expired at depth=1: CN=Old Root"},
		{"expired listed leaf", certs(oldAlone), certs(oldAlone), false, "certificate has expired at depth=0: CN=old alone"},
		{"a leaf that issues", certs(root), certs(underNoCA, noCA), false, "invalid CA certificate at depth=1: CN=No CA"},
		{"path too long", certs(root), certs(deep, shortMiddle, short), false, "path length constraint exceeded at depth=2: CN=Short"},
		{"server's certificate from a client", certs(root), certs(serverOnly), false, "unsuitable certificate purpose at depth=0: CN=server"},
		{"client's certificate from a server", certs(root), certs(clientOnly), true, "unsuitable certificate purpose at depth=0: CN=client"},
		{"unknown critical extension", certs(root), certs(critical), false, "unhandled critical extension at depth=0: CN=critical"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &Verifier{Server: c.server, Chain: true, Require: true, now: func() time.Time { return noon }}
			if c.trusted != nil {
				v.SetTrusted(c.trusted)
			}
			err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: c.sent}, nil)
			var e *Error
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (!errors.As(err, &e) || !strings.HasSuffix(err.Error(), c.want)):
				t.Errorf("got %v, want %s", err, c.want)
			case e != nil && e.Subject:
				t.Error("a chain's error is taken for a name's")
			}
		})
	}
}

func TestWhatIsAsked(t *testing.T) {
	root := issue(t, "Root", nil, ca)
	alone := issue(t, "alone", nil, nil)
	now := func() time.Time { return noon }
	none := tls.ConnectionState{}
	bad := tls.ConnectionState{PeerCertificates: certs(alone)}
	for _, c := range []struct {
		name  string
		v     Verifier
		state tls.ConnectionState
		ok    bool
	}{
		{"nothing, none", Verifier{}, none, true},
		{"nothing, any", Verifier{}, bad, true},
		{"required, none", Verifier{Require: true}, none, false},
		{"required, any", Verifier{Require: true}, bad, true},
		{"chain if any, none", Verifier{Chain: true}, none, true},
		{"chain if any, bad", Verifier{Chain: true}, bad, false},
		{"chain, none", Verifier{Chain: true, Require: true}, none, false},
	} {
		c.v.now = now
		c.v.SetTrusted(certs(root))
		if err := c.v.Check(t.Context(), c.state, nil); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	v := Verifier{Require: true}
	if err := v.Check(t.Context(), none, nil); err != ErrNoCertificate || err.Error() != "peer did not return a certificate" {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	root := issue(t, "Root", nil, ca)
	for _, c := range []struct {
		name  string
		edit  func(*x509.Certificate)
		cn    string
		hosts []string
		ok    bool
	}{
		{"a DNS name", names("a.example"), "x", []string{"a.example"}, true},
		{"another case", names("A.Example"), "x", []string{"a.eXample"}, true},
		{"one of the hosts", names("b.example"), "x", []string{"a.example", "b.example"}, true},
		{"one of the names", names("b.example", "a.example"), "x", []string{"a.example"}, true},
		{"another name", names("b.example"), "x", []string{"a.example"}, false},
		{"a suffix", names("a.example"), "x", []string{"example"}, false},
		{"a longer name", names("a.example"), "x", []string{"a.example.org"}, false},
		{"a trailing dot", names("a.example"), "x", []string{"a.example."}, false},
		{"the common name, without names", nil, "a.example", []string{"a.example"}, true},
		{"the common name beside names", names("b.example"), "a.example", []string{"a.example"}, false},
		{"the common name beside an address", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }, "a.example", []string{"a.example"}, true},
		{"no name at all", nil, "", []string{""}, false},
		{"a wildcard", names("*.example.org"), "x", []string{"a.example.org"}, true},
		{"a wildcard in the common name", nil, "*.example.org", []string{"a.example.org"}, true},
		{"a wildcard is one label", names("*.example.org"), "x", []string{"a.b.example.org"}, false},
		{"and not none", names("*.example.org"), "x", []string{"example.org"}, false},
		{"all names below, by a wildcard", names("*.example.org"), "x", []string{".example.org"}, true},
		{"all names below", names("a.b.example.org"), "x", []string{".example.org"}, true},
		{"not the name itself", names("example.org"), "x", []string{".example.org"}, false},
		{"a wildcard above a top-level domain", names("*.org"), "x", []string{"example.org"}, false},
		{"a star alone", names("*"), "x", []string{"example"}, false},
		{"a wildcard in a later label", names("a.*.org"), "x", []string{"a.example.org"}, false},
		{"two wildcards", names("*.*.org"), "x", []string{"a.example.org"}, false},
		{"a wildcard within a label", names("a*b.example.org"), "x", []string{"axb.example.org"}, false},
		{"a pattern asked for", names("*.example.org"), "x", []string{"*.example.org"}, true},
		{"a NUL in the common name", nil, "a.example\x00.evil", []string{"a.example"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaf := issue(t, c.cn, root, c.edit)
			v := &Verifier{Server: true, Chain: true, Hosts: c.hosts, now: func() time.Time { return noon }}
			v.SetTrusted(certs(root))
			err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf)}, nil)
			var e *Error
			if c.ok && err != nil {
				t.Errorf("refused: %v", err)
			}
			if !c.ok && (!errors.As(err, &e) || !e.Subject) {
				t.Errorf("got %v, want a name's error", err)
			}
		})
	}
}

// A CA that may sign for some names only signs no others by way of a common name,
// which crypto/x509 does not hold to the constraints.
func TestNameConstraintsHold(t *testing.T) {
	root := issue(t, "Root", nil, ca)
	for _, c := range []struct {
		name string
		edit func(*x509.Certificate)
		cn   string
		ok   bool
	}{
		{"a permitted name", names("a.ours.example"), "x", true},
		{"another name", names("a.theirs.example"), "x", false},
		{"another common name", nil, "a.theirs.example", false},
		{"a wildcard as common name", nil, "*.theirs.example", false},
		{"another common name beside an address", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }, "a.theirs.example", false},
	} {
		middle := issue(t, "Middle", root, func(c *x509.Certificate) {
			ca(c)
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"ours.example"}
		})
		leaf := issue(t, c.cn, middle, c.edit)
		v := &Verifier{Server: true, Chain: true, Hosts: []string{"a.ours.example", "a.theirs.example"}, now: func() time.Time { return noon }}
		v.SetTrusted(certs(root))
		if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf, middle)}, nil); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A name that matches does not help a chain that does not.
func TestNamesNeedTheChain(t *testing.T) {
	leaf := issue(t, "a.example", nil, names("a.example"))
	v := &Verifier{Server: true, Chain: true, Hosts: []string{"a.example"}, now: func() time.Time { return noon }}
	v.SetTrusted(certs(issue(t, "Root", nil, ca)))
	var e *Error
	if err := v.Check(t.Context(), tls.ConnectionState{PeerCertificates: certs(leaf)}, nil); !errors.As(err, &e) || e.Subject {
		t.Errorf("got %v", err)
	}
}

// A session outlives neither the trust nor the certificate that it was made under.
func TestResumedSessionsAreVerifiedAgain(t *testing.T) {
	now := time.Now()
	root := issue(t, "Root", nil, func(c *x509.Certificate) {
		crlSigner(c)
		c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
	})
	valid := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour) }
	server := issue(t, "localhost", root, valid)
	client := issue(t, "client", root, valid)
	list := revoke(t, root, func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = now.Add(-time.Hour), now.Add(time.Hour) },
		server.cert.SerialNumber, client.cert.SerialNumber)
	pair := func(p *party) tls.Certificate {
		return tls.Certificate{Certificate: [][]byte{p.cert.Raw}, PrivateKey: p.key}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, inServer := range []bool{false, true} {
			v := &Verifier{Server: !inServer, Chain: true, Require: true}
			v.SetTrusted(certs(root))
			checks := 0
			check := func(cs tls.ConnectionState) error {
				checks++
				return v.Check(t.Context(), cs, nil)
			}
			sc := &tls.Config{Certificates: []tls.Certificate{pair(server)}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: version}
			cc := &tls.Config{Certificates: []tls.Certificate{pair(client)}, InsecureSkipVerify: true, ServerName: "localhost",
				ClientSessionCache: tls.NewLRUClientSessionCache(1)}
			if inServer {
				sc.VerifyConnection = check
			} else {
				cc.VerifyConnection = check
			}
			for round, want := range []string{"", "", "certificate revoked", "unable to get local issuer certificate"} {
				switch round {
				case 2: // since the session was made
					v.SetLists([]*RevocationList{parseList(t, list)})
				case 3:
					v.SetTrusted(certs(issue(t, "Other", nil, ca)))
				}
				resumed, err := connect(t, sc, cc, inServer)
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("%s, in the server %v, round %d: %v, want %q", tls.VersionName(version), inServer, round, err, want)
				}
				if round == 1 && !resumed {
					t.Errorf("%s: the session was not resumed", tls.VersionName(version))
				}
				if checks != round+1 {
					t.Errorf("%s: %d checks after round %d", tls.VersionName(version), checks, round)
				}
			}
		}
	}
}

// connect makes a TLS connection and gives the error of the side that checks.
func connect(t *testing.T, sc, cc *tls.Config, inServer bool) (resumed bool, err error) {
	t.Helper()
	a, b := testpeer.Pair(t)
	c, s := tls.Client(a, cc), tls.Server(b, sc)
	ended := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err == nil {
			s.Write([]byte("x")) // behind the tickets
		}
		ended <- err
	}()
	cerr := c.Handshake()
	if cerr == nil {
		c.Read(make([]byte, 1))
	} else {
		a.Close()
	}
	serr := <-ended
	if inServer {
		return s.ConnectionState().DidResume, serr
	}
	return c.ConnectionState().DidResume, cerr
}

func TestNamePrinting(t *testing.T) {
	leaf := issue(t, "", nil, func(c *x509.Certificate) {
		c.Subject = pkix.Name{Country: []string{"PL"}, Organization: []string{"X"}, CommonName: "line\nbreak\x1b[31m",
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "a@b"},
				{Type: asn1.ObjectIdentifier{1, 2, 3}, Value: "z"}}}
	})
	got := Name(leaf.cert.Subject)
	for _, part := range []string{"C=PL", "O=X", `CN=line\0Abreak\1B[31m`, "emailAddress=a@b", "1.2.3=z"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q lacks %q", got, part)
		}
	}
}

// All but the control character are as openssl x509 -nameopt oneline,-space_eq,-esc_msb
// prints them.
func TestNamesAreNotMistaken(t *testing.T) {
	for _, c := range []struct{ cn, want string }{
		{"plain name", "CN=plain name"},
		{"x, CN=admin", `CN="x, CN=admin"`},
		{"x + CN=admin", `CN="x + CN=admin"`},
		{`a"b\c`, `CN=a\"b\\c`},
		{`x", CN="admin`, `CN="x\", CN=\"admin"`},
		{" lead#;<>", `CN=" lead#;<>"`},
		{"#x", `CN="#x"`},
		{"trail ", `CN="trail "`},
		{"\u017c\u00f3\u0142\u0107", "CN=\u017c\u00f3\u0142\u0107"},
		{"a\u009b31mb", "CN=a.31mb"},
	} {
		n := pkix.Name{Names: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: c.cn}}}
		if got := Name(n); got != c.want {
			t.Errorf("%q: got %s, want %s", c.cn, got, c.want)
		}
	}
}
