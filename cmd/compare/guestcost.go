package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/daemon"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/service"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// What the guest's costs are taken from: medians over so many loads, and over so
// many batches of negotiations.
const (
	loads   = 20
	batches = 20
	batch   = 200
)

// Costs are what the smtp guest takes apart from any connection, in wall time if not said. A
// negotiation makes an instance, runs a whole conversation and drops the instance.
type costs struct {
	Compile    float64 // reading, metering and compiling the module, in ms
	CompileCPU float64 // the same as CPU time of all threads, in ms
	Runtime    float64 // making the runtime that it is loaded into, in ms
	Negotiate  float64 // instance and conversation, in us
	Native     float64 // the same conversation in Go, in us
	Guests     int     // how many are bundled
	Clients    float64 // building a configuration that names all of them, in client services, in ms
	Servers    float64 // the same in server services
	Both       float64 // the same in a service of each mode
}

// Targets of costs.
const (
	compileGoal     = 10  // ms
	compileAllGoal  = 60  // ms
	instantiateGoal = 100 // us
)

// measureGuest finds the costs of the smtp guest, and of all. Servers have the certificate
// of a file.
func measureGuest(ctx context.Context, cert string) (*costs, error) {
	daemon.RaiseHeapFloor() // as the daemon does before it loads guests
	wasm, ok := stdproto.Lookup("smtp")
	if !ok {
		return nil, errors.New("no smtp guest is bundled")
	}
	source := guest.Source{Name: "smtp", Wasm: wasm, Bundled: true, Workers: runtime.GOMAXPROCS(0), Allow: stdproto.Grants("smtp")}
	var c costs
	var compile, busy, fresh []float64
	for range loads {
		// Each in a runtime of its own, since one compiles equal bytes only once.
		start := time.Now()
		rt, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
		if err != nil {
			return nil, err
		}
		before, err := cpuTime(os.Getpid())
		if err != nil {
			return nil, err
		}
		made := time.Now()
		module, err := rt.Load(ctx, source)
		if err != nil {
			return nil, err
		}
		took := time.Since(made)
		after, err := cpuTime(os.Getpid())
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, milliseconds(made.Sub(start)))
		compile = append(compile, milliseconds(took))
		busy = append(busy, milliseconds(after-before))
		if len(compile) == loads {
			if c.Negotiate, err = timeNegotiation(ctx, module); err != nil {
				return nil, err
			}
		}
		if err := rt.Close(ctx); err != nil {
			return nil, err
		}
	}
	c.Compile, c.CompileCPU, c.Runtime = median(compile), median(busy), median(fresh)
	var err error
	if c.Native, err = timeNegotiation(ctx, &nativeSMTP{}); err != nil {
		return nil, err
	}
	c.Guests = len(stdproto.Names()) + len(stdproto.Policies())
	for _, all := range []struct {
		ms    *float64
		modes []string
	}{{&c.Clients, []string{"yes"}}, {&c.Servers, []string{"no"}}, {&c.Both, []string{"yes", "no"}}} {
		if *all.ms, err = buildAll(ctx, cert, all.modes); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

// buildAll is how many milliseconds it takes to build a configuration that names all
// bundled guests, in a service for each of these values of client.
func buildAll(ctx context.Context, cert string, modes []string) (ms float64, err error) {
	var text strings.Builder
	for _, client := range modes {
		for _, name := range stdproto.Names() {
			fmt.Fprintf(&text, "[%s %s]\nclient = %[2]s\naccept = 127.0.0.1:1\nprotocol = %[1]s\nprotocolHost = 127.0.0.1:1\n", name, client)
			if client == "yes" || name != "socks" {
				text.WriteString("connect = 127.0.0.1:1\n")
			}
			if client == "no" {
				fmt.Fprintf(&text, "cert = %s\n", cert)
			}
		}
		for _, name := range stdproto.Policies() {
			fmt.Fprintf(&text, "policy = %s\nguestOption = %[1]s.rule=allow\n", name)
		}
	}
	c, err := config.LoadReader("all.conf", strings.NewReader(text.String()))
	if err != nil {
		return 0, err
	}
	log := logging.New()
	var times []float64
	defer daemon.PutOffCollection()() // as the daemon does while it starts
	for range loads {
		runtime.GC() // which has nothing of an earlier start to look at
		start := time.Now()
		set, err := service.Build(ctx, c, service.Options{Log: log})
		if err != nil {
			return 0, err
		}
		times = append(times, milliseconds(time.Since(start)))
		if err := set.Close(ctx); err != nil {
			return 0, err
		}
	}
	return median(times), nil
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }

// timeNegotiation is how many microseconds a negotiation takes, with peers that
// answer at once.
func timeNegotiation(ctx context.Context, n service.Negotiator) (float64, error) {
	var times []float64
	for range batches {
		start := time.Now()
		for range batch {
			h := newScript("220 localhost ESMTP\r\n", "EHLO client.example\r\n", "STARTTLS\r\n")
			if _, err := n.Negotiate(ctx, h, guest.Limits{}); err != nil {
				return 0, err
			}
		}
		times = append(times, float64(time.Since(start).Microseconds())/batch)
	}
	return median(times), nil
}

// A script is a guest.Host without a network: its peers say what they say in order,
// and what is said to the client is kept.
type script struct {
	guest.NoHost
	client, server scriptConn
	target         string // that was chosen
}

// newScript makes a host whose server says greeting, and whose client says the
// other texts, one at each read.
func newScript(greeting string, client ...string) *script {
	return &script{client: scriptConn{says: slices.Clone(client)}, server: scriptConn{says: []string{greeting}}}
}

func (s *script) Accepted() net.Conn { return &s.client }

func (s *script) Connect(context.Context) (net.Conn, error) { return &s.server, nil }

func (s *script) StartTLS(context.Context, abi.Side, []string, []byte) (net.Conn, error) {
	return &s.client, nil
}

func (s *script) SetTarget(target string) error { s.target = target; return nil }

func (s *script) Config(key string) (string, bool) { return "no", key == abi.KeyClient }

// A scriptConn gives its texts, one at each read, and then end of file.
type scriptConn struct {
	says  []string
	heard []byte
}

func (c *scriptConn) Read(b []byte) (int, error) {
	if len(c.says) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.says[0])
	if c.says[0] = c.says[0][n:]; c.says[0] == "" {
		c.says = c.says[1:]
	}
	return n, nil
}

func (c *scriptConn) Write(b []byte) (int, error) {
	c.heard = append(c.heard, b...)
	return len(b), nil
}

func (c *scriptConn) Close() error                     { return nil }
func (c *scriptConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *scriptConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *scriptConn) SetDeadline(time.Time) error      { return nil }
func (c *scriptConn) SetReadDeadline(time.Time) error  { return nil }
func (c *scriptConn) SetWriteDeadline(time.Time) error { return nil }
