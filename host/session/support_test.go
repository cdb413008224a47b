package session

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// both are the versions that sessions are resumed in.
var both = []uint16{tls.VersionTLS12, tls.VersionTLS13}

// certificate makes a self-signed one, padded to some length in bytes.
func certificate(t testing.TB, padding int) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotAfter:     time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{
			{Id: []int{1, 3, 6, 1, 4, 1, 99999, 1}, Value: make([]byte, padding)},
		},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A clock is a store's time, which tests set forward.
type clock struct{ ahead time.Duration }

func (c *clock) now() time.Time { return time.Now().Add(c.ahead) }

func storeWith(c *clock) *Store {
	s := NewStore()
	s.now = c.now
	return s
}

// settings are the defaults, for a service.
func settings(name string) Settings {
	return Settings{Name: name, Timeout: 5 * time.Minute, Size: 1000}
}

func secrets(fill byte) *Secrets {
	s := &Secrets{Key: make([]byte, 16), MAC: make([]byte, 32)}
	s.Key[0], s.MAC[0] = fill, fill
	return s
}

// A rig is a server's certificate and a client's configuration that keeps one session.
type rig struct {
	t      testing.TB
	cert   tls.Certificate
	client *tls.Config
}

func newRig(t testing.TB, version uint16) *rig {
	return &rig{t: t, cert: certificate(t, 0), client: &tls.Config{InsecureSkipVerify: true, ServerName: "localhost",
		MinVersion: version, MaxVersion: version, ClientSessionCache: &lastSession{}}}
}

// lastSession offers the last session for as long as no other comes, unless its ticket is empty.
type lastSession struct{ last *tls.ClientSessionState }

func (s *lastSession) Get(string) (*tls.ClientSessionState, bool) { return s.last, s.last != nil }

func (s *lastSession) Put(_ string, cs *tls.ClientSessionState) {
	if ticket, _, _ := cs.ResumptionState(); len(ticket) > 0 {
		s.last = cs
	}
}

func (s *lastSession) ticket() []byte {
	ticket, _, _ := s.last.ResumptionState()
	return ticket
}

// shake shakes hands with a server's sessions, in a handshake with a memory of its own,
// and tells whether a session was resumed.
func (r *rig) shake(v *Server) (*Handshake, bool) {
	r.t.Helper()
	conf := &tls.Config{Certificates: []tls.Certificate{r.cert}, ClientAuth: tls.RequestClientCert}
	v.Configure(conf)
	h := v.Handshake(nil)
	h.Configure(conf)
	return h, r.shakeWith(conf)
}

func (r *rig) shakeWith(conf *tls.Config) bool {
	r.t.Helper()
	a, b := testpeer.Pair(r.t)
	server, client := tls.Server(a, conf), tls.Client(b, r.client)
	ended := make(chan error, 1)
	go func() {
		_, err := server.Write([]byte("x"))
		ended <- err
	}()
	// The ticket of TLS 1.3 comes before the first byte.
	_, err := io.ReadFull(client, make([]byte, 1))
	if err = errors.Join(err, <-ended); err != nil {
		r.t.Fatal(err)
	}
	if got, want := server.ConnectionState().DidResume, client.ConnectionState().DidResume; got != want {
		r.t.Errorf("resumed: server says %v, client %v", got, want)
	}
	a.Close()
	b.Close()
	return client.ConnectionState().DidResume
}

// expect shakes hands and checks whether a session is resumed.
func (r *rig) expect(v *Server, want bool, what string) *Handshake {
	r.t.Helper()
	h, got := r.shake(v)
	if got != want {
		r.t.Errorf("%s, %s: resumed is %v", tls.VersionName(r.client.MaxVersion), what, got)
	}
	return h
}
