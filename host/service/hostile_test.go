package service

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// TestHostileGuests runs each guest that misbehaves in one service, and meanwhile
// talks to another: each hostile connection ends, with the line that says why, and
// the other service and garbage collection go on while it lasts.
func TestHostileGuests(t *testing.T) {
	guests := []struct{ name, options, line string }{
		{"loop", "guestCPU = 3000000\n", `guest \S*loop\.wasm \([0-9a-f]{12}\): more than 3000000 instructions in spin`},
		{"recurse", "guestCPU = 3000000\n", `more than 3000000 instructions in f`},
		{"deep", "", `calls nest too deep in down`},
		{"frames", "", `calls nest too deep in down`},
		{"grow", "guestMemory = 1M\n", `negotiate returned 16`},
		{"fill", "guestCPU = 3000000\n", `more than 3000000 instructions in fill`},
		{"outside", "", `trap: out of bounds memory access in fill`},
		{"unreachable", "", `trap: unreachable in inner`},
		{"start", "guestCPU = 3000000\n", `more than 3000000 instructions in begin`},
		{"calls", "", `more than 100000 host calls`},
		{"digests", "guestCPU = 30000000\n", `host calls moved more than 240000000 bytes in hash`},
		{"targets", "", `more than 100000 host calls in dial`},
		{"returns", "", `negotiate returned -6 \(timeout\)`},
	}
	for _, interpreter := range []bool{false, true} {
		engine := "compiler"
		if interpreter {
			engine = "interpreter"
		}
		t.Run(engine, func(t *testing.T) {
			for _, g := range guests {
				t.Run(g.name, func(t *testing.T) { hostile(t, interpreter, g.name, g.options, g.line) })
			}
		})
	}
}

// allGrants are the lines that give a guest everything that there is to give.
func allGrants() string {
	lines := "guestDial = *:*\n"
	for _, c := range abi.Capabilities {
		lines += "guestAllow = " + string(c.Name) + "\n"
	}
	return lines
}

func hostile(t *testing.T, interpreter bool, name, options, line string) {
	back := backend(t)
	file, err := filepath.Abs(filepath.Join("..", "..", "testdata", "guests", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, logging.Debug)
	conf, err := config.LoadReader("test.conf", strings.NewReader(fmt.Sprintf(
		"[bad]\naccept = 127.0.0.1:0\nconnect = %[1]s\ncert = %[2]s\nprotocol = %[3]s\n%[4]s%[5]s"+
			"[good]\naccept = 127.0.0.1:0\nconnect = %[1]s\ncert = %[2]s\n", back, b.certs.Server, file, options, allGrants())))
	if err != nil {
		t.Fatal(err)
	}
	set, err := Build(context.Background(), conf, Options{Log: b.log, Interpreter: interpreter})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.srv.Apply(context.Background(), set); err != nil {
		t.Fatal(err)
	}
	// As many at once as there are processors, and more: none may be left for the
	// other service if a guest could keep one.
	const attackers = 8
	ended := make(chan struct{}, attackers)
	for range attackers {
		go func() {
			defer func() { ended <- struct{}{} }()
			// The reset may come before the dial has returned.
			c, err := net.DialTimeout("tcp", b.addr("bad"), testTime)
			if err != nil {
				return
			}
			defer c.Close()
			io.Copy(io.Discard, c) // until the host ends the connection, whichever way
		}()
	}
	for range 3 {
		c := callTLS(t, b.addr("good"), nil)
		fmt.Fprint(c, "still here")
		want(t, c, "still here")
		c.Close()
		runtime.GC()
	}
	for range attackers {
		<-ended
	}
	b.waitLog(`LOG[34]\[\d+\]: .*`+line, attackers)
	b.waitLog(`Connection (reset|closed): 0 byte\(s\) sent to TLS, 0 byte\(s\) sent to socket`, attackers)
}

// TestHostileGuestsAreRefused loads what must not load: the error stands at the
// line of the protocol and says what to do.
func TestHostileGuestsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"ungranted":    `import stunnel1.secret needs capability secret: add "guestAllow = secret"`,
		"signature":    `import stunnel1.read has type`,
		"version":      `import stunnel2.read`,
		"no_negotiate": `it does not export "negotiate"`,
		"huge":         `raise "guestMemory"`,
		"meter":        `module "meter" is the meter's own`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			file := filepath.Join("..", "..", "testdata", "guests", name+".wasm")
			conf, err := config.LoadReader("test.conf", strings.NewReader(fmt.Sprintf(
				"[bad]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\ncert = %s\nprotocol = %s\n", b.certs.Server, file)))
			if err != nil {
				t.Fatal(err)
			}
			_, err = Build(context.Background(), conf, Options{Log: b.log})
			if err == nil {
				t.Fatal("it was loaded")
			}
			want := regexp.MustCompile(`^test\.conf:5: "protocol = .*": guest .*` + regexp.QuoteMeta(text))
			if !want.MatchString(err.Error()) {
				t.Errorf("error is\n%v\nwant\n%v", err, want)
			}
		})
	}
}

// backend echoes.
func backend(t *testing.T) net.Addr {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return ln.Addr()
}
