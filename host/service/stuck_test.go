package service

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/tlsconf"
)

// A stuckKey is a key in a token whose module does not return.
type stuckKey struct {
	crypto.Signer
	entered, release chan struct{}
}

func (k stuckKey) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	close(k.entered)
	<-k.release
	return k.Signer.Sign(rand, digest, opts)
}

// A stuckStore has one certificate with that key, under any name.
type stuckStore struct {
	cert [][]byte
	key  stuckKey
}

func (stuckStore) Holds(*config.Service, string) bool { return true }

func (s stuckStore) Certificates(*config.Service, string) ([][]byte, error) { return s.cert, nil }

func (s stuckStore) Key(*config.Service, string, []crypto.PublicKey) (crypto.Signer, error) {
	return s.key, nil
}

func (stuckStore) Trusted(*config.Service, string) ([]*x509.Certificate, error) { return nil, nil }

// Stop does not wait for ever for a signature.
func TestStopLeavesStuckSignature(t *testing.T) {
	b := newBench(t, logging.Debug)
	pair, err := tls.LoadX509KeyPair(b.certs.Server, b.certs.Server)
	if err != nil {
		t.Fatal(err)
	}
	key := stuckKey{pair.PrivateKey.(crypto.Signer), make(chan struct{}), make(chan struct{})}
	conf, err := config.LoadReader("test.conf", strings.NewReader(section("x", "127.0.0.1:0", "127.0.0.1:1")))
	if err != nil {
		t.Fatal(err)
	}
	set, err := Build(context.Background(), conf, Options{Log: b.log, TLS: tlsconf.Options{Store: stuckStore{pair.Certificate, key}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.srv.Apply(context.Background(), set); err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", b.addr("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	go tls.Client(nc, &tls.Config{InsecureSkipVerify: true}).Handshake()
	<-key.entered
	b.srv.stuckTime = time.Millisecond
	b.stop()
	if b.srv.current == nil {
		t.Error("the Set was freed under the signature")
	}
	close(key.release)
	b.srv.wg.Wait()
	b.srv.current.leave()
	if !strings.Contains(b.text(), "LOG3[ui]: 1 connection(s) do not end: left behind") {
		t.Errorf("the log says\n%s", b.text())
	}
}
