package guest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

const at = 64 << 10 // where tests have the guest read to

func TestReading(t *testing.T) {
	long := strings.Repeat("x", 70000)
	tests := []struct {
		name    string
		sends   string
		closes  bool
		limits  Limits
		program []do
		want    []int32
		unread  string
	}{
		{"read takes what there is", "abc", false, Limits{}, []do{{"read", []int32{0, at, 10}}}, []int32{3}, ""},
		{"read leaves the rest", "abcdef", false, Limits{}, []do{{"read", []int32{0, at, 4}}}, []int32{4}, "ef"},
		{"read at the end", "", true, Limits{}, []do{{"read", []int32{0, at, 4}}, {"read", []int32{0, at, 4}}}, []int32{0, 0}, ""},
		{"read into nothing", "a", false, Limits{}, []do{{"read", []int32{0, at, 0}}}, []int32{-3}, "a"},
		{"read_full", "abcdef", false, Limits{}, []do{{"read_full", []int32{0, at, 2}}, {"read_full", []int32{0, at, 0}}, {"read_full", []int32{0, at, 4}}}, []int32{2, 0, 4}, ""},
		{"read_full cut off", "abc", true, Limits{}, []do{{"read_full", []int32{0, at, 4}}}, []int32{int32(abi.EOF)}, ""},
		{"read_full above a buffer", long[:60000], false, Limits{}, []do{{"read_full", []int32{0, at, 60000}}}, []int32{60000}, ""},
		{"lines", "one\r\ntwo\nthree", true, Limits{},
			[]do{{"read_line", []int32{0, at, 100}}, {"read_line", []int32{0, at, 100}}, {"read_line", []int32{0, at, 100}}, {"read", []int32{0, at, 100}}},
			[]int32{5, 4, int32(abi.EOF), 5}, ""},
		{"a line that just fits", "abc\nd", true, Limits{}, []do{{"read_line", []int32{0, at, 4}}}, []int32{4}, "d"},
		{"a line too long", "abcd\ne", true, Limits{}, []do{{"read_line", []int32{0, at, 4}}, {"read_line", []int32{0, at, 3}}, {"read_line", []int32{0, at, 5}}},
			[]int32{int32(abi.TooLong), int32(abi.TooLong), 5}, "e"},
		{"a line above a buffer", long[:9000] + "\n" + "e", true, Limits{}, []do{{"read_line", []int32{0, at, 60000}}}, []int32{9001}, "e"},
		{"a line without end", long, true, Limits{}, []do{{"read_line", []int32{0, at, 70000}}, {"read", []int32{0, at, 70000}}},
			[]int32{int32(abi.TooLong), 65536}, "?"},
		{"peek", "abcdef", true, Limits{}, []do{{"peek", []int32{0, at, 3}}, {"peek", []int32{0, at, 10}}, {"read", []int32{0, at, 2}}, {"peek", []int32{0, at, 2}}},
			[]int32{3, 6, 2, 2}, "cdef"},
		{"no side", "", false, Limits{}, []do{{"read", []int32{2, at, 3}}, {"write", []int32{-1, at, 3}}, {"starttls", []int32{7}}, {"wait", []int32{4, 0}}, {"wait", []int32{0, 0}}},
			[]int32{-3, -3, -3, -3, -3}, ""},
		{"no outgoing side yet", "", false, Limits{}, []do{{"read", []int32{1, at, 3}}, {"write", []int32{1, at, 3}}, {"starttls", []int32{1}}, {"wait", []int32{3, 0}}},
			[]int32{-4, -4, -4, -4}, ""},
		{"silence", "", false, Limits{Busy: 5 * time.Millisecond},
			[]do{{"read", []int32{0, at, 3}}, {"read_line", []int32{0, at, 3}}, {"wait", []int32{1, -1}}, {"wait", []int32{1, 0}}}, []int32{-6, -6, -6, 0}, ""},
		{"wait keeps what it found", "abc", true, Limits{}, []do{{"wait", []int32{1, -1}}, {"wait", []int32{1, 0}}, {"read", []int32{0, at, 2}}, {"wait", []int32{1, 10}}},
			[]int32{1, 1, 2, 1}, "c"},
		{"wait sees the end", "", true, Limits{}, []do{{"wait", []int32{1, -1}}, {"read", []int32{0, at, 2}}}, []int32{1, 0}, ""},
	}
	eachEngine(t, func(t *testing.T, r *Runtime) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				ours, peer := pair(t)
				h := &testHost{accepted: ours}
				go func() {
					_, _ = io.WriteString(peer, tt.sends)
					if tt.closes {
						_ = peer.(*net.TCPConn).CloseWrite()
					}
				}()
				// What is sent may arrive in pieces: tests that look at all of it wait for it.
				o, err := calls(t, r, h, tt.limits, "", slices.Concat(whole(tt.sends), tt.program)...)
				got := h.results[len(whole(tt.sends)):]
				if !slices.Equal(got, tt.want) && tt.unread != "?" {
					t.Errorf("got %d, want %d", got, tt.want)
				}
				if err != nil {
					t.Fatal(err)
				}
				if tt.unread != "?" && string(o.Unread[0]) != tt.unread {
					t.Errorf("%q is unread, want %q", o.Unread[0], tt.unread)
				}
			})
		}
	})
}

// whole has the guest look at all that was sent, without taking it.
func whole(sent string) []do {
	if sent == "" {
		return nil
	}
	return []do{{"peek", []int32{0, at, int32(min(len(sent), 65536))}}}
}

func TestWriting(t *testing.T) {
	ours, peer := pair(t)
	r := newRuntime(t, false)
	h := &testHost{accepted: ours}
	if _, err := calls(t, r, h, Limits{}, "hello", do{"write", []int32{0, 0, 5}}, do{"write", []int32{0, 0, 0}}); err != nil {
		t.Fatal(err)
	}
	if want := []int32{5, 0}; !slices.Equal(h.results, want) {
		t.Errorf("got %d, want %d", h.results, want)
	}
	ours.Close()
	if b, err := io.ReadAll(peer); err != nil || string(b) != "hello" {
		t.Errorf("peer got %q, %v", b, err)
	}
}

func TestClearLimit(t *testing.T) {
	tests := []struct {
		name    string
		program []do
		want    []int32
	}{
		{"written", []do{{"write", []int32{0, 0, 60}}, {"write", []int32{0, 0, 41}}, {"write", []int32{0, 0, 1}}}, []int32{60, -12, -12}},
		{"both ways", []do{{"write", []int32{0, 0, 60}}, {"read", []int32{0, at, 41}}, {"read", []int32{0, at, 41}}, {"wait", []int32{1, 0}}}, []int32{60, 40, -12, -12}},
		{"read_full", []do{{"read_full", []int32{0, at, 101}}, {"read", []int32{0, at, 1}}}, []int32{-12, -12}},
		{"read_line", []do{{"write", []int32{0, 0, 60}}, {"read_line", []int32{0, at, 100}}}, []int32{60, -12}},
	}
	eachEngine(t, func(t *testing.T, r *Runtime) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				ours, peer := pair(t)
				h := &testHost{accepted: ours}
				if _, err := io.WriteString(peer, strings.Repeat("x", 50)+"\n"+strings.Repeat("x", 100)); err != nil {
					t.Fatal(err)
				}
				program := append([]do{{"peek", []int32{0, at, 90}}}, tt.program...)
				_, err := calls(t, r, h, Limits{Clear: 100}, "", program...)
				if want := append([]int32{90}, tt.want...); !slices.Equal(h.results, want) {
					t.Errorf("got %d, want %d", h.results, want)
				}
				wantError(t, err, KindClear, prefix("caller", module(t, "caller"))+"more than 100 plaintext bytes on one side")
			})
		}
	})
}

// TestWaitBoth waits for two sides, of which one or the other says something.
func TestWaitBoth(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		for speaks := range 2 {
			accepted, client := pair(t)
			outgoing, server := pair(t)
			peers := []net.Conn{client, server}
			h := &testHost{accepted: accepted, connect: func(context.Context) (net.Conn, error) {
				_, err := io.WriteString(peers[speaks], "x")
				return outgoing, err
			}}
			both := do{"wait", []int32{3, -1}}
			o, err := calls(t, r, h, Limits{}, "", do{"connect", nil}, both, do{"connect", nil},
				do{"read", []int32{int32(speaks), at, 5}}, do{"wait", []int32{3, 5}}, do{"write", []int32{int32(1 - speaks), 0, 1}})
			if err != nil {
				t.Fatal(err)
			}
			if want := []int32{0, 1 << speaks, int32(abi.State), 1, 0, 1}; !slices.Equal(h.results, want) {
				t.Errorf("side %d: got %d, want %d", speaks, h.results, want)
			}
			if o.Conns != [2]net.Conn{accepted, outgoing} {
				t.Errorf("conns %v", o.Conns)
			}
		}
	})
}

// A deadlineConn keeps the deadline that was set last.
type deadlineConn struct {
	net.Conn
	deadline time.Time
}

func (c *deadlineConn) SetDeadline(t time.Time) error {
	c.deadline = t
	return c.Conn.SetDeadline(t)
}

// TestHandover checks that no deadline is left when the relay gets the connections,
// and that a context that ends then does not reach them.
func TestHandover(t *testing.T) {
	r := newRuntime(t, false)
	for _, program := range [][]do{
		{{"connect", nil}, {"wait", []int32{3, 5}}, {"write", []int32{1, 0, 1}}},
		{{"connect", nil}, {"wait", []int32{3, 5}}, {"return", []int32{1}}},
	} {
		accepted, _ := pair(t)
		outgoing, _ := pair(t)
		conns := [2]*deadlineConn{{Conn: accepted, deadline: past()}, {Conn: outgoing, deadline: past()}}
		var b []byte
		for _, d := range program {
			b = append(b, d.record()...)
		}
		h := &testHost{accepted: conns[0], connect: func(context.Context) (net.Conn, error) { return conns[1], nil },
			options: map[string]string{"option.program": string(b)}}
		ctx, cancel := context.WithCancel(t.Context())
		_, err := load(t, r, "caller").Negotiate(ctx, h, Limits{})
		if failed := program[2].name == "return"; failed != (err != nil) {
			t.Errorf("error %v", err)
		}
		cancel()
		for i, c := range conns {
			if !c.deadline.IsZero() {
				t.Errorf("side %d has the deadline %v", i, c.deadline)
			}
		}
	}
}

func TestConnectCodes(t *testing.T) {
	dialed := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	tests := []struct {
		err  error
		want abi.Code
	}{
		{dialed(syscall.ECONNREFUSED), abi.Refused},
		{dialed(syscall.ENETUNREACH), abi.Net},
		{dialed(syscall.EHOSTUNREACH), abi.Net},
		{dialed(&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}), abi.Host},
		{dialed(&net.DNSError{Err: "i/o timeout", Name: "x", IsTimeout: true}), abi.Host},
		{dialed(context.DeadlineExceeded), abi.Timeout},
		{dialed(syscall.ETIMEDOUT), abi.Timeout},
		{dialed(syscall.EACCES), abi.IO},
		{&CodeError{abi.Denied, dialed(syscall.ECONNREFUSED)}, abi.Denied},
		{errors.Join(errors.New("first address"), dialed(syscall.ECONNREFUSED)), abi.Refused},
	}
	r := newRuntime(t, false)
	for _, tt := range tests {
		h := &testHost{connect: func(context.Context) (net.Conn, error) { return nil, tt.err }}
		_, err := calls(t, r, h, Limits{}, "", do{"connect", nil}, do{"return", []int32{9}})
		if want := []int32{int32(tt.want)}; !slices.Equal(h.results, want) {
			t.Errorf("%v: got %d, want %d", tt.err, h.results, want)
		}
		wantError(t, err, KindRefusal, prefix("caller", module(t, "caller"))+"negotiate returned 9: "+tt.err.Error())
		if !errors.Is(err, tt.err) {
			t.Errorf("%v does not wrap %v", err, tt.err)
		}
	}
}

// TestCancelWakes cancels a guest that waits for a silent peer.
func TestCancelWakes(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		for _, program := range [][]do{
			{{"read", []int32{0, at, 1}}}, {{"wait", []int32{1, -1}}}, {{"connect", nil}, {"wait", []int32{3, -1}}}, {{"starttls", []int32{0}}},
		} {
			ours, _ := pair(t)
			outgoing, _ := pair(t)
			ctx, cancel := context.WithCancel(t.Context())
			h := &testHost{accepted: ours,
				connect: func(context.Context) (net.Conn, error) { return outgoing, nil },
				startTLS: func(ctx context.Context, _ abi.Side, _ []byte) (net.Conn, error) {
					_, err := ours.Read(make([]byte, 1))
					return nil, err
				},
			}
			b := do{"log", []int32{0, 0, 0}}.record()
			for _, d := range program {
				b = append(b, d.record()...)
			}
			h.options = map[string]string{"option.program": string(b)}
			h.logged = func(int, string) { cancel() } // before or while the guest waits
			_, err := load(t, r, "caller").Negotiate(ctx, h, Limits{})
			wantError(t, err, KindCancelled, prefix("caller", module(t, "caller"))+"cancelled in do: context canceled")
		}
	})
}

// TestTimeIsOver lets the whole negotiation's time end in a wait.
func TestTimeIsOver(t *testing.T) {
	r := newRuntime(t, false)
	_, err := calls(t, r, &testHost{}, Limits{Time: 20 * time.Millisecond}, "", do{"read", []int32{0, at, 1}})
	wantError(t, err, KindTime, prefix("caller", module(t, "caller"))+"not done after 20ms in do")
}

// A fakeTLS is an encrypted stream that encrypts nothing.
type fakeTLS struct{ net.Conn }

func TestStartTLS(t *testing.T) {
	refused := errors.New("x509: certificate signed by nobody")
	line, starttls := do{"read_line", []int32{0, at, 100}}, do{"starttls", []int32{0}}
	tests := []struct {
		name    string
		sends   string
		program []do
		fails   error
		want    []int32
		early   string
		unread  string
		text    string // of the error
	}{
		{"after a line", "STARTTLS\r\n", []do{line, starttls}, nil, []int32{10, 0}, "", "", ""},
		{"twice", "STARTTLS\r\n", []do{line, starttls, starttls}, nil, []int32{10, 0, -4}, "", "", ""},
		{"with leftovers", "STARTTLS\r\nRCPT TO:<evil>\r\n", []do{line, starttls, {"return", []int32{-5}}}, nil, []int32{10, -5}, "", "",
			"negotiate returned -5 (plaintext unread before TLS)"},
		{"with leftovers that were looked at", "STARTTLS\r\nX", []do{line, {"peek", []int32{0, at, 1}}, starttls, {"return", []int32{1}}}, nil, []int32{10, 1, -5}, "", "",
			"negotiate returned 1"},
		{"with a handshake behind", "STARTTLS\r\n\x16\x03\x01", []do{line, starttls}, nil, []int32{10, 0}, "\x16\x03\x01", "", ""},
		{"at once", "\x16\x03\x01", []do{{"wait", []int32{1, -1}}, {"peek", []int32{0, at, 1}}, starttls, {"read", []int32{0, at, 3}}}, nil, []int32{1, 1, 0, 3}, "\x16\x03\x01", "", ""},
		{"failed", "STARTTLS\r\n", []do{line, starttls, starttls, {"read", []int32{0, at, 1}}, {"wait", []int32{1, 0}}, {"return", []int32{-11}}}, refused,
			[]int32{10, -11, -14, -14, -14}, "", "", "negotiate returned -11 (handshake failed): " + refused.Error()},
		{"failed and ignored", "STARTTLS\r\n", []do{line, starttls}, refused, []int32{10, -11}, "", "",
			"it went on after the accepted side's handshake failed: " + refused.Error()},
		{"forbidden", "STARTTLS\r\n", []do{line, starttls, {"return", []int32{1}}}, &CodeError{abi.Denied, refused}, []int32{10, -10}, "", "",
			"negotiate returned 1: " + refused.Error()},
	}
	eachEngine(t, func(t *testing.T, r *Runtime) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				ours, peer := pair(t)
				var early []byte
				h := &testHost{accepted: ours, startTLS: func(_ context.Context, side abi.Side, b []byte) (net.Conn, error) {
					if tt.fails != nil {
						return nil, tt.fails
					}
					early = b
					if _, err := io.WriteString(peer, "abc"); err != nil {
						return nil, err
					}
					return fakeTLS{ours}, nil
				}}
				if _, err := io.WriteString(peer, tt.sends); err != nil {
					t.Fatal(err)
				}
				program := slices.Concat(whole(tt.sends), tt.program)
				o, err := calls(t, r, h, Limits{}, "", program...)
				if got := h.results[1:]; !slices.Equal(got, tt.want) {
					t.Errorf("got %d, want %d", got, tt.want)
				}
				if string(early) != tt.early {
					t.Errorf("early %q, want %q", early, tt.early)
				}
				if tt.text != "" {
					wantError(t, err, KindRefusal, prefix("caller", module(t, "caller"))+tt.text)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if o.Conns[0] != (fakeTLS{ours}) || !o.TLS[0] || o.TLS[1] {
					t.Errorf("outcome %+v", o)
				}
			})
		}
	})
}

// TestRealTLS upgrades a connection of crypto/tls whose client speaks TLS at once, and
// waits on both sides after it.
func TestRealTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}

	ours, peer := pair(t)
	outgoing, _ := pair(t)
	h := &testHost{accepted: ours,
		connect: func(context.Context) (net.Conn, error) { return outgoing, nil },
		startTLS: func(ctx context.Context, _ abi.Side, early []byte) (net.Conn, error) {
			c := tls.Server(&earlyConn{ours, bytes.NewReader(early)}, &tls.Config{Certificates: []tls.Certificate{certificate}})
			return c, c.HandshakeContext(ctx)
		}}
	client := tls.Client(peer, &tls.Config{InsecureSkipVerify: true})
	said := make(chan error, 1)
	go func() {
		_, err := io.WriteString(client, "over TLS\r\nand on")
		said <- err
	}()
	o, err := calls(t, newRuntime(t, false), h, Limits{}, "", do{"connect", nil}, do{"wait", []int32{1, -1}}, do{"starttls", []int32{0}},
		do{"wait", []int32{3, -1}}, do{"read_line", []int32{0, at, 100}}, do{"peek", []int32{0, at, 6}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, 1, 0, 1, 10, 6}; !slices.Equal(h.results, want) {
		t.Errorf("got %d, want %d", h.results, want)
	}
	if string(o.Unread[0]) != "and on" {
		t.Errorf("%q is unread", o.Unread[0])
	}
	if err := <-said; err != nil {
		t.Error(err)
	}
}

// earlyConn gives what was received early before the rest.
type earlyConn struct {
	net.Conn
	early *bytes.Reader
}

func (e *earlyConn) Read(b []byte) (int, error) {
	if e.early.Len() > 0 {
		return e.early.Read(b)
	}
	return e.Conn.Read(b)
}
