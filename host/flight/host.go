package flight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// tlsHandshake is the first byte of a ClientHello's record. In flights it stands for
// the whole handshake.
const tlsHandshake = 0x16

// A Host is a service without sockets or TLS, of what a flight says.
type Host struct {
	flight *Flight
	conns  [2]*Conn // the guest's ends, by side

	// Handshake is asked when the guest starts TLS, with what the side has received;
	// nil: it succeeds if that begins with the byte of a handshake.
	Handshake func(side abi.Side, conn io.Reader) error

	mu    sync.Mutex
	dials []error // how the connects go, in order; nil: it succeeds, as all after the last do
	facts map[string]string
	notes []string
}

var _ guest.Host = (*Host)(nil)

// NewHost makes a host of a flight's config, whose guest has these ends of connections.
func NewHost(f *Flight, accepted, outgoing *Conn) *Host {
	h := &Host{flight: f, conns: [2]*Conn{accepted, outgoing}, facts: maps.Clone(f.Facts)}
	for _, s := range f.Talk {
		if s.Verb != "connect" {
			continue
		}
		var failure error
		if code, ok := dialErrors[s.Rest]; ok {
			failure = &guest.CodeError{Code: code, Err: errors.New(s.Rest)}
		}
		h.dials = append(h.dials, failure)
	}
	return h
}

// dialErrors are the ways in which a flight's connect fails.
var dialErrors = map[string]abi.Code{"refused": abi.Refused, "unreachable": abi.Net, "unresolved": abi.Host,
	"timeout": abi.Timeout, "denied": abi.Denied, "broken": abi.IO}

func (h *Host) Accepted() net.Conn { return h.conns[abi.Accepted] }

func (h *Host) Connect(context.Context) (net.Conn, error) {
	if len(h.dials) > 0 {
		err := h.dials[0]
		h.dials = h.dials[1:]
		if err != nil {
			return nil, err
		}
	}
	return h.conns[abi.Outgoing], nil
}

func (h *Host) SetTarget(target string) error {
	h.note("target %q", target)
	return nil
}

func (h *Host) Resolve(_ context.Context, name string) ([]netip.Addr, error) {
	addrs, ok := h.flight.Names[name]
	if !ok {
		return nil, &guest.CodeError{Code: abi.Host, Err: fmt.Errorf("no such host: %s", name)}
	}
	return addrs, nil
}

func (h *Host) StartTLS(_ context.Context, side abi.Side, alpn []string, early []byte) (net.Conn, error) {
	if len(alpn) > 0 {
		h.note("alpn %s", strings.Join(alpn, " "))
	}
	handshake := h.Handshake
	if handshake == nil {
		handshake = readHandshake
	}
	conn := h.conns[side]
	conn.shake()
	defer conn.shaken()
	if err := handshake(side, io.MultiReader(strings.NewReader(string(early)), conn)); err != nil {
		return nil, err
	}
	return conn, nil
}

// readHandshake takes the byte that stands for the peer's side of a handshake.
func readHandshake(_ abi.Side, conn io.Reader) error {
	var b [1]byte
	if _, err := io.ReadFull(conn, b[:]); err != nil {
		return err
	}
	if b[0] != tlsHandshake {
		return errors.New("first record does not look like a TLS handshake")
	}
	return nil
}

func (h *Host) Config(key string) (string, bool) {
	if secret, ok := strings.CutPrefix(key, abi.SecretKeyPrefix); ok {
		_, ok = h.flight.Secrets[secret]
		return "set", ok
	}
	v, ok := h.flight.Config[key]
	return v, ok
}

func (h *Host) Secret(key string) (string, bool) { v, ok := h.flight.Secrets[key]; return v, ok }

func (h *Host) Info(id abi.InfoID) (string, bool) { v, ok := h.flight.Info[id]; return v, ok }

func (h *Host) Annotate(key, value string) {
	h.note("annotate %s %q", key, value)
	if h.facts == nil {
		h.facts = map[string]string{}
	}
	h.facts[key] = value
}

func (h *Host) Fact(key string) (string, bool) { v, ok := h.facts[key]; return v, ok }

func (h *Host) Log(severity int, text string) { h.note("log %d %q", severity, text) }

func (h *Host) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = append(h.notes, fmt.Sprintf(format, args...))
}

// Notes is what the guest told the host, as steps of a talk, a line each.
func (h *Host) Notes() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.notes, "\n")
}
