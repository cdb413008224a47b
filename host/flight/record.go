package flight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// A Recorder is a host that lends what another one does, and writes down what the guest
// and its peers say: a flight of a live connection.
type Recorder struct {
	guest.Host

	mu        sync.Mutex
	accepted  *tap
	events    []event
	conf      []setting
	secrets   map[string]string
	dials     []string
	infos     map[abi.InfoID]string
	connected bool
}

// An event is a step that happened.
type event struct {
	verb string
	rest string // of verbs that put nothing on the wire
	data []byte
}

// A setting is a line of conf: "NAME = VALUE", where the name is told from what it is set to.
type setting struct{ name, value string }

// NewRecorder makes a Recorder for one negotiation.
func NewRecorder(h guest.Host) *Recorder {
	return &Recorder{Host: h, secrets: map[string]string{}, infos: map[abi.InfoID]string{}}
}

// A tap is a connection that is listened to.
type tap struct {
	net.Conn
	recorder *Recorder
	side     abi.Side

	mu       sync.Mutex
	deadline time.Time
}

func (t *tap) SetDeadline(at time.Time) error {
	t.mu.Lock()
	t.deadline = at
	t.mu.Unlock()
	return t.Conn.SetDeadline(at)
}

func (t *tap) Read(p []byte) (int, error) {
	begin := time.Now()
	n, err := t.Conn.Read(p)
	t.recorder.wire(letter(t.side)+":", p[:n])
	switch {
	case err == io.EOF:
		t.recorder.add(event{verb: "eof", rest: letter(t.side)})
	case errors.Is(err, os.ErrDeadlineExceeded):
		t.mu.Lock()
		waited := t.deadline.Sub(begin)
		t.mu.Unlock()
		if waited > 0 { // else the host has woken it, since the other side had something
			t.recorder.waited(waited)
		}
	}
	return n, err
}

func (t *tap) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	t.recorder.wire(letter(t.side)+"<", p[:n])
	return n, err
}

func (r *Recorder) add(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// wire adds bytes to what is said in one go.
func (r *Recorder) wire(verb string, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(data) == 0 {
		return
	}
	if last := len(r.events) - 1; last >= 0 && r.events[last].verb == verb {
		r.events[last].data = append(r.events[last].data, data...)
		return
	}
	r.events = append(r.events, event{verb: verb, data: slices.Clone(data)})
}

// waited adds a time-out, once for both sides.
func (r *Recorder) waited(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := len(r.events) - 1; last >= 0 && r.events[last].verb == "wait" {
		return
	}
	ms := (d + time.Millisecond - 1) / time.Millisecond
	r.events = append(r.events, event{verb: "wait", rest: fmt.Sprint(int64(ms))})
}

func (r *Recorder) Accepted() net.Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.accepted == nil {
		r.accepted = &tap{Conn: r.Host.Accepted(), recorder: r, side: abi.Accepted}
	}
	return r.accepted
}

func (r *Recorder) SetTarget(target string) error {
	r.add(event{verb: "target", rest: fmt.Sprintf("%q", target)})
	return r.Host.SetTarget(target)
}

func (r *Recorder) Resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	addrs, err := r.Host.Resolve(ctx, name)
	if err == nil {
		words := make([]string, len(addrs))
		for i, a := range addrs {
			words[i] = a.String()
		}
		r.setting("resolve."+name, strings.Join(words, " "))
	}
	return addrs, err
}

func (r *Recorder) Connect(ctx context.Context) (net.Conn, error) {
	conn, err := r.Host.Connect(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.dials, r.connected = append(r.dials, "ok"), true
		return &tap{Conn: conn, recorder: r, side: abi.Outgoing}, nil
	}
	word := "broken"
	for w, code := range dialErrors {
		if code == guest.DialCode(err) {
			word = w
		}
	}
	r.dials = append(r.dials, word)
	return nil, err
}

// StartTLS writes a handshake as the one step that it is in a flight: what was received
// of it already is taken out again.
func (r *Recorder) StartTLS(ctx context.Context, side abi.Side, alpn []string, early []byte) (net.Conn, error) {
	conn, err := r.Host.StartTLS(ctx, side, alpn, early)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(alpn) > 0 {
		r.events = append(r.events, event{verb: "alpn", rest: strings.Join(alpn, " ")})
	}
	said := event{verb: "tls", rest: letter(side)}
	if err != nil {
		said = event{verb: letter(side) + ":", data: []byte("no handshake\r\n")}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			said = event{verb: "eof", rest: letter(side)}
		}
	}
	at := len(r.events)
	for i, e := range slices.Backward(r.events) {
		if len(early) > 0 && e.verb == letter(side)+":" {
			if before, ok := strings.CutSuffix(string(e.data), string(early)); ok {
				r.events[i].data, at = []byte(before), i+1
			}
			break
		}
	}
	r.events = slices.Insert(r.events, at, said)
	if err != nil {
		return nil, err
	}
	return &tap{Conn: conn, recorder: r, side: side}, nil
}

func (r *Recorder) Config(key string) (string, bool) {
	v, ok := r.Host.Config(key)
	if ok {
		r.setting(key, v)
	}
	return v, ok
}

func (r *Recorder) Secret(key string) (string, bool) {
	v, ok := r.Host.Secret(key)
	if ok {
		r.mu.Lock()
		r.secrets[key] = v
		r.mu.Unlock()
		r.setting(key, v)
	}
	return v, ok
}

func (r *Recorder) Info(id abi.InfoID) (string, bool) {
	v, ok := r.Host.Info(id)
	if ok {
		r.mu.Lock()
		r.infos[id] = v
		r.mu.Unlock()
	}
	return v, ok
}

func (r *Recorder) Annotate(key, value string) {
	r.add(event{verb: "annotate", rest: fmt.Sprintf("%s %q", key, value)})
	r.Host.Annotate(key, value)
}

func (r *Recorder) Log(severity int, text string) {
	r.add(event{verb: "log", rest: fmt.Sprintf("%d %q", severity, text)})
	r.Host.Log(severity, text)
}

// Note adds an option to the transcript's config that no guest asked for.
func (r *Recorder) Note(key, value string) { r.setting(key, value) }

// setting adds the lines of conf that a value comes from, once.
func (r *Recorder) setting(key, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range strings.SplitSeq(value, "\n") {
		c := setting{key + " = ", line}
		if option, ok := strings.CutPrefix(key, abi.OptionKeyPrefix); ok {
			c.name = "guestOption = " + option + "="
		}
		if !slices.Contains(r.conf, c) {
			r.conf = append(r.conf, c)
		}
	}
}
