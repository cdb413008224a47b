package stdproto_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// stunnelPatience bounds each wait for real stunnel, which starts in some ten
// milliseconds and waits 200 for clients that begin with TLS.
const stunnelPatience = 10 * time.Second

// TestStunnelFlights plays the flights that say so against real stunnel, with real
// handshakes, so that the transcripts are not merely what the guest happens to do.
func TestStunnelFlights(t *testing.T) {
	program := testpeer.Need(t, "stunnel4", "stunnel4")
	files, err := filepath.Glob(filepath.Join("..", "testdata", "flights", "*", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	certificate, file := selfSigned(t)
	played := 0
	for _, file2 := range files {
		text, err := os.ReadFile(file2)
		if err != nil {
			t.Fatal(err)
		}
		f, err := flight.Parse(string(text))
		if err != nil {
			t.Fatal(err)
		}
		if !f.Stunnel {
			continue
		}
		played++
		protocol := filepath.Base(filepath.Dir(file2))
		t.Run(protocol+"/"+strings.TrimSuffix(filepath.Base(file2), ".txtar"), func(t *testing.T) {
			t.Parallel()
			flyStunnel(t, program, protocol, f, certificate, file)
		})
	}
	if played == 0 {
		t.Error("no flight is held against stunnel")
	}
}

// flyStunnel plays both of stunnel's peers by a flight's talk.
func flyStunnel(t *testing.T, program, protocol string, f *flight.Flight, certificate tls.Certificate, certFile string) {
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	conf := fmt.Sprintf("foreground = yes\npid =\nsyslog = no\ndebug = 7\n[flight]\nprotocol = %s\naccept = 127.0.0.1:0\n", protocol)
	if protocol != "socks" || f.Config["client"] == "yes" { // whose server's clients choose
		conf += fmt.Sprintf("connect = %s\n", backend.Addr())
	}
	for _, options := range []map[string]string{f.Config, f.Secrets} {
		for name, values := range options {
			if name == "service" || strings.HasPrefix(name, "option.") {
				continue
			}
			for value := range strings.SplitSeq(values, "\n") { // several of protocolHeader
				conf += name + " = " + value + "\n"
			}
		}
	}
	if f.Config["client"] != "yes" {
		conf += "cert = " + certFile + "\n"
	}

	var peers [2]net.Conn
	if peers[abi.Accepted], err = net.Dial("tcp", startStunnel(t, program, conf)); err != nil {
		t.Fatal(err)
	}
	defer peers[abi.Accepted].Close()
	defer func() {
		if peers[abi.Outgoing] != nil {
			peers[abi.Outgoing].Close()
		}
	}()
	if err := backend.(*net.TCPListener).SetDeadline(time.Now().Add(stunnelPatience)); err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Talk {
		// Some protocols' servers connect only once TLS is up.
		if onOutgoing(s) && peers[abi.Outgoing] == nil {
			if peers[abi.Outgoing], err = backend.Accept(); err != nil {
				t.Fatalf("line %d: %s %s: %v", s.Line, s.Verb, s.Rest, err)
			}
		}
		if err := playStunnel(&peers, s, certificate); err != nil {
			t.Fatalf("line %d: %s %s: %v", s.Line, s.Verb, s.Rest, err)
		}
	}
}

// onOutgoing tells whether a step needs the outgoing side.
func onOutgoing(s flight.Step) bool {
	return (s.Verb == "S:" || s.Verb == "S<" || s.Verb == "tls") && s.Side() == abi.Outgoing
}

// playStunnel does one step. How stunnel ends a connection is no part of a flight.
func playStunnel(peers *[2]net.Conn, s flight.Step, certificate tls.Certificate) error {
	switch s.Verb {
	case "L:", "S:", "L<", "S<":
		text, peer := s.Text, peers[s.Side()]
		if err := peer.SetDeadline(time.Now().Add(stunnelPatience)); err != nil {
			return err
		}
		if strings.HasSuffix(s.Verb, ":") {
			_, err := io.WriteString(peer, text)
			return err
		}
		got := make([]byte, len(text))
		if n, err := io.ReadFull(peer, got); err != nil || string(got) != text {
			return fmt.Errorf("received %q: %v", got[:n], err)
		}
	case "tls":
		side := s.Side()
		conn := tls.Client(peers[side], &tls.Config{InsecureSkipVerify: true}) // of our own making
		if side == abi.Outgoing {
			conn = tls.Server(peers[side], &tls.Config{Certificates: []tls.Certificate{certificate}})
		}
		peers[side] = conn
		return conn.Handshake()
	}
	return nil
}

// startStunnel runs stunnel until the test ends, and gives the address that it accepts on.
func startStunnel(t *testing.T, program, conf string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stunnel.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	stunnel := exec.Command(program, path)
	log, err := stunnel.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := stunnel.Start(); err != nil {
		t.Fatal(err)
	}
	bound := make(chan string, 1)
	said := make(chan string, 1)
	go func() {
		all := ""
		for lines := bufio.NewScanner(log); lines.Scan(); {
			all += lines.Text() + "\n"
			if _, address, ok := strings.Cut(lines.Text(), "bound to "); ok {
				bound <- address
			}
		}
		close(bound)
		said <- all
	}()
	t.Cleanup(func() {
		_ = stunnel.Process.Kill() // it may have ended by itself
		all := <-said
		_ = stunnel.Wait() // which says that it was killed
		if t.Failed() {
			t.Log(all)
		}
	})
	select {
	case address, ok := <-bound:
		if !ok {
			t.Fatal("stunnel did not start")
		}
		return address
	case <-time.After(stunnelPatience):
		t.Fatal("stunnel does not start")
	}
	return ""
}

// selfSigned makes a certificate, and a file of it and its key.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cert.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}
