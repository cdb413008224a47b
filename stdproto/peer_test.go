package stdproto_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// tlsHandshake is the first byte of a ClientHello's record. In tests it stands for
// the whole handshake.
const tlsHandshake = 0x16

// A fakeHost is a service without sockets or TLS.
type fakeHost struct {
	accepted, outgoing net.Conn
	config             map[string]string
	secrets            map[string]string
	refuseConnect      bool // connect fails

	// handshake is asked when the guest starts TLS.
	handshake func(side abi.Side, conn io.Reader) error

	mu    sync.Mutex
	notes []string // what was annotated and logged
}

func (h *fakeHost) Accepted() net.Conn { return h.accepted }

func (h *fakeHost) Connect(context.Context) (net.Conn, error) {
	if h.refuseConnect {
		return nil, fmt.Errorf("dialling 192.0.2.1:25: %w", syscall.ECONNREFUSED)
	}
	return h.outgoing, nil
}

func (h *fakeHost) StartTLS(_ context.Context, side abi.Side, early []byte) (net.Conn, error) {
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

func (h *fakeHost) Info(abi.InfoID) (string, bool) { return "", false }

func (h *fakeHost) Annotate(key, value string) { h.note("annotate %s %q", key, value) }

func (h *fakeHost) Log(severity int, text string) { h.note("log %d %q", severity, text) }

func (h *fakeHost) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = append(h.notes, fmt.Sprintf(format, args...))
}
