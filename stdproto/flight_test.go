package stdproto_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// load compiles a bundled guest with what it is granted by default.
func load(tb testing.TB, name string) *guest.Module {
	tb.Helper()
	ctx := context.Background()
	runtime, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	wasm, ok := stdproto.Lookup(name)
	if !ok {
		tb.Fatalf("no guest %q", name)
	}
	module, err := runtime.Load(ctx, guest.Source{Name: name, Wasm: wasm, Allow: stdproto.Grants(name)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := runtime.Close(ctx); err != nil {
			tb.Error(err)
		}
	})
	return module
}

// TestFlights runs every transcript of every bundled guest.
func TestFlights(t *testing.T) {
	for _, name := range stdproto.Names() {
		files, err := filepath.Glob(filepath.Join("..", "testdata", "flights", name, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("guest %s has no flights", name)
		}
		module := load(t, name)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f, err := parseFlight(string(text))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			base := name + "/" + strings.TrimSuffix(filepath.Base(file), ".txtar")
			t.Run(base, func(t *testing.T) { fly(t, module, f, f.talk, false) })
			t.Run(base+"/bytes", func(t *testing.T) { fly(t, module, f, f.bytes, true) })
		}
	}
}

// A pilot plays both peers of one flight, by the script.
type pilot struct {
	host   *fakeHost
	peers  [2]*memConn // the far ends, by side
	result chan ending
	notes  []string // that the script wants
	tls    [2]bool  // that the script said
}

type ending struct {
	outcome *guest.Outcome
	err     error
}

// patience bounds how long a peer waits for a line. Time is the bubble's: it only
// passes when nothing else can happen.
const patience = time.Hour

// fly runs one talk against the guest.
func fly(t *testing.T, module *guest.Module, f *flight, talk []step, single bool) {
	synctest.Test(t, func(t *testing.T) {
		p := &pilot{result: make(chan ending, 1)}
		p.host = &fakeHost{config: f.config, secrets: f.secrets, handshake: readHandshake,
			info: f.info, names: f.names, facts: maps.Clone(f.facts)}
		var near [2]*memConn
		for side := range near {
			near[side], p.peers[side] = newMemPair(single)
		}
		p.host.accepted, p.host.outgoing = near[abi.Accepted], near[abi.Outgoing]
		for _, s := range talk {
			if s.verb != "connect" {
				continue
			}
			var failure error
			if code, ok := dialErrors[s.rest]; ok {
				failure = &guest.CodeError{Code: code, Err: errors.New(s.rest)}
			} else if s.rest != "ok" {
				t.Fatalf("line %d: connect %s", s.line, s.rest)
			}
			p.host.dials = append(p.host.dials, failure)
		}
		go func() {
			if module.Info.Decides {
				p.result <- ending{nil, module.Decide(t.Context(), p.host, guest.Limits{})}
				return
			}
			outcome, err := module.Negotiate(t.Context(), p.host, guest.Limits{})
			p.result <- ending{outcome, err}
		}()
		for i, s := range talk {
			if err := p.play(s); err != nil {
				t.Errorf("line %d: %s %s: %v", s.line, s.verb, s.rest, err)
				break
			}
			if end := slices.Contains([]string{"relay", "close:", "allow", "deny:"}, s.verb); i == len(talk)-1 && !end && !strings.HasPrefix(s.verb, "unread") {
				t.Error("the talk does not say how it ends")
			}
		}
		for side, peer := range p.peers {
			if left := peer.in.waiting(); len(left) > 0 {
				t.Errorf("the guest also sent %.200q to %c", left, "LS"[side])
			}
			peer.Close()
		}
		if got, want := strings.Join(p.host.notes, "\n"), strings.Join(p.notes, "\n"); got != want {
			t.Errorf("the guest told the host:\n%s\nwant:\n%s", got, want)
		}
	})
}

// play does one step.
func (p *pilot) play(s step) error {
	switch s.verb {
	case "L:", "S:":
		text, err := s.text()
		if err != nil {
			return err
		}
		if err := p.settled(); err != nil {
			return err
		}
		_, err = p.peer(s).Write([]byte(text))
		return err
	case "L<", "S<":
		text, err := s.text()
		if err != nil {
			return err
		}
		return p.expect(p.peer(s), text)
	case "tls":
		if err := p.settled(); err != nil {
			return err
		}
		p.tls[sideOf(s.rest)] = true
		_, err := p.peers[sideOf(s.rest)].Write([]byte{tlsHandshake})
		return err
	case "eof":
		if err := p.settled(); err != nil {
			return err
		}
		return p.peers[sideOf(s.rest)].CloseWrite()
	case "wait":
		ms, err := strconv.Atoi(s.rest)
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return err
	case "connect":
		return nil // known from the start
	case "annotate", "log", "target", "alpn":
		p.notes = append(p.notes, s.verb+" "+s.rest)
		return nil
	case "relay":
		return p.relayed()
	case "unread L:", "unread S:":
		return p.unread(s)
	case "close:", "deny:":
		return p.closed(s.rest)
	case "allow":
		e, err := p.end()
		return errors.Join(err, e.err)
	}
	return errors.New("no such step")
}

func (p *pilot) peer(s step) *memConn { return p.peers[sideOf(s.verb)] }

func sideOf(name string) abi.Side {
	if strings.HasPrefix(name, "S") {
		return abi.Outgoing
	}
	return abi.Accepted
}

// settled waits until the guest waits for a peer, and says what it sent that the
// script does not have: a peer only speaks when everything before was heard.
func (p *pilot) settled() error {
	synctest.Wait()
	for side, peer := range p.peers {
		if left := peer.in.waiting(); len(left) > 0 {
			return fmt.Errorf("the guest sent %.200q to %c before", left, "LS"[side])
		}
	}
	return nil
}

// expect reads what the guest sends to a peer.
func (p *pilot) expect(peer *memConn, want string) error {
	if err := peer.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	got := make([]byte, 0, len(want))
	for len(got) < len(want) {
		n, err := peer.Read(got[len(got):len(want)])
		got = got[:len(got)+n]
		if err != nil {
			return fmt.Errorf("received %.200q: %w", got, err)
		}
		if string(got) != want[:len(got)] {
			return fmt.Errorf("received %.200q", got)
		}
	}
	return nil
}

// end waits for the guest to return.
func (p *pilot) end() (ending, error) {
	select {
	case e := <-p.result:
		p.result <- e
		return e, nil
	case <-time.After(patience):
		return ending{}, errors.New("the guest still waits")
	}
}

func (p *pilot) relayed() error {
	e, err := p.end()
	if err != nil || e.err != nil {
		return errors.Join(err, e.err)
	}
	if e.outcome.TLS != p.tls {
		return fmt.Errorf("TLS on accepted and outgoing side is %v, want %v", e.outcome.TLS, p.tls)
	}
	if e.outcome.Conns[abi.Outgoing] == nil {
		return errors.New("the guest did not connect")
	}
	return nil
}

func (p *pilot) unread(s step) error {
	e, err := p.end()
	if err != nil || e.err != nil {
		return errors.Join(err, e.err)
	}
	want, err := s.text()
	if err != nil {
		return err
	}
	side := sideOf(strings.TrimPrefix(s.verb, "unread "))
	got := string(e.outcome.Unread[side])
	rest := p.peers[side].out.waiting()
	if got+string(rest) != want {
		return fmt.Errorf("the relay finds %q", got+string(rest))
	}
	return nil
}

func (p *pilot) closed(want string) error {
	e, err := p.end()
	if err != nil {
		return err
	}
	if e.err == nil {
		return errors.New("the guest refused nothing")
	}
	failure, ok := errors.AsType[*guest.Error](e.err)
	if !ok {
		return e.err
	}
	got := fmt.Sprintf("%s %q", failure.Kind, failure.Reason)
	if failure.Kind == guest.KindRefusal {
		got = fmt.Sprintf("%s %q", failure.Class, failure.Reason)
	}
	if got != want {
		return fmt.Errorf("closed with %s", got)
	}
	return nil
}
