package stdproto_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// tlsHandshake is the first byte of a ClientHello's record. In tests it stands for
// the whole handshake.
const tlsHandshake = 0x16

// A fakeHost is a service without sockets or TLS.
type fakeHost struct {
	accepted, outgoing net.Conn
	config             map[string]string
	secrets            map[string]string
	info               map[abi.InfoID]string
	names              map[string][]netip.Addr // what resolve knows
	dials              []error                 // how the connects go, in order; nil: it succeeds, as all after the last do
	facts              map[string]string

	// handshake is asked when the guest starts TLS.
	handshake func(side abi.Side, conn io.Reader) error

	mu    sync.Mutex
	notes []string // what was annotated and logged
}

func (h *fakeHost) Accepted() net.Conn { return h.accepted }

func (h *fakeHost) Connect(context.Context) (net.Conn, error) {
	if len(h.dials) > 0 {
		err := h.dials[0]
		h.dials = h.dials[1:]
		if err != nil {
			return nil, err
		}
	}
	return h.outgoing, nil
}

// dialErrors are the ways in which a flight's connect fails.
var dialErrors = map[string]abi.Code{"refused": abi.Refused, "unreachable": abi.Net, "unresolved": abi.Host,
	"timeout": abi.Timeout, "denied": abi.Denied, "broken": abi.IO}

func (h *fakeHost) SetTarget(target string) error {
	h.note("target %q", target)
	return nil
}

func (h *fakeHost) Resolve(_ context.Context, name string) ([]netip.Addr, error) {
	addrs, ok := h.names[name]
	if !ok {
		return nil, &guest.CodeError{Code: abi.Host, Err: fmt.Errorf("no such host: %s", name)}
	}
	return addrs, nil
}

func (h *fakeHost) StartTLS(_ context.Context, side abi.Side, alpn []string, early []byte) (net.Conn, error) {
	if len(alpn) > 0 {
		h.note("alpn %s", strings.Join(alpn, " "))
	}
	conn := h.accepted
	if side == abi.Outgoing {
		conn = h.outgoing
	}
	if err := h.handshake(side, io.MultiReader(strings.NewReader(string(early)), conn)); err != nil {
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

func (h *fakeHost) Config(key string) (string, bool) { v, ok := h.config[key]; return v, ok }

func (h *fakeHost) Secret(key string) (string, bool) { v, ok := h.secrets[key]; return v, ok }

func (h *fakeHost) Info(id abi.InfoID) (string, bool) { v, ok := h.info[id]; return v, ok }

func (h *fakeHost) Annotate(key, value string) {
	h.note("annotate %s %q", key, value)
	if h.facts == nil {
		h.facts = map[string]string{}
	}
	h.facts[key] = value
}

func (h *fakeHost) Fact(key string) (string, bool) { v, ok := h.facts[key]; return v, ok }

func (h *fakeHost) Log(severity int, text string) { h.note("log %d %q", severity, text) }

func (h *fakeHost) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = append(h.notes, fmt.Sprintf(format, args...))
}
