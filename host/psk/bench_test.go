//go:build unix

package psk

import (
	"crypto/tls"
	"net"
	"syscall"
	"testing"
)

// BenchmarkHandshake compares what both sides of a handshake cost together: with a key
// here, and with an ECDSA certificate in crypto/tls, the cheapest kind that there is. Both
// take X25519. CPU is what the process used, which other programs' turns do not change.
func BenchmarkHandshake(b *testing.B) {
	for name, bounds := range map[string]func(*Config){"key TLS 1.3": only13, "key TLS 1.2": only12} {
		client, server := config(b, bounds), config(b, nil)
		b.Run(name, func(b *testing.B) {
			benchmarkPairs(b, func(c net.Conn) error { return Client(c, client).Handshake() },
				func(c net.Conn) error { _, err := serve(c, server); return err })
		})
	}
	groups := []tls.CurveID{tls.X25519}
	server := &tls.Config{Certificates: []tls.Certificate{someCertificate(b)}, CurvePreferences: groups, SessionTicketsDisabled: true}
	for name, version := range map[string]uint16{"certificate TLS 1.3": tls.VersionTLS13, "certificate TLS 1.2": tls.VersionTLS12} {
		client := &tls.Config{InsecureSkipVerify: true, CurvePreferences: groups, MaxVersion: version}
		b.Run(name, func(b *testing.B) {
			benchmarkPairs(b, func(c net.Conn) error { return tls.Client(c, client).Handshake() },
				func(c net.Conn) error { return tls.Server(c, server).Handshake() })
		})
	}
}

func benchmarkPairs(b *testing.B, client, server func(net.Conn) error) {
	b.ReportAllocs()
	before := cpuTime(b)
	defer func() { b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op") }()
	for b.Loop() {
		x, y := net.Pipe() // without system calls, which cost as much as the handshake
		done := make(chan error, 1)
		go func() { done <- server(y) }()
		if err := client(x); err != nil {
			b.Fatal(err)
		}
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

// cpuTime is what this process has used so far, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}
