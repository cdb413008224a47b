package stdproto_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// FuzzGuests lets both peers of every bundled guest say anything and hang up, under the
// config of each transcript. The guest must refuse with a reason that blames a peer, or
// hand over to the relay without TLS on the wrong side: it never traps, never runs out
// of fuel or calls, and never blames itself. No password is sent before TLS.
func FuzzGuests(f *testing.F) {
	flights, modules := map[string]*flight.Flight{}, map[string]*guest.Module{}
	for _, name := range stdproto.Names() {
		modules[name] = load(f, name)
		files, err := filepath.Glob(filepath.Join("..", "testdata", "flights", name, "*.txtar"))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			script, err := flight.Parse(string(text))
			if err != nil {
				f.Fatal(err)
			}
			if last := script.Talk[len(script.Talk)-1]; last.Verb == "close:" && !strings.HasPrefix(last.Rest, "peer") {
				continue // of a config that cannot work
			}
			key := name + "/" + strings.TrimSuffix(filepath.Base(file), ".txtar")
			flights[key] = script
			says := script.Says()
			f.Add(key, says[abi.Accepted], says[abi.Outgoing], false)
		}
	}
	f.Fuzz(func(t *testing.T, key string, local, server []byte, single bool) {
		script, name := flights[key], path.Dir(key)
		if script == nil {
			return // a key that the fuzzer made up
		}
		encrypted := abi.Accepted
		if script.Config["client"] == "yes" {
			encrypted = abi.Outgoing
		}
		var near, far [2]*flight.Conn
		near[abi.Accepted], far[abi.Accepted] = said(local, single)
		near[abi.Outgoing], far[abi.Outgoing] = said(server, single)
		host := flight.NewHost(script, near[abi.Accepted], near[abi.Outgoing])
		// Handshakes succeed without a byte, so that what follows is reached.
		host.Handshake = func(abi.Side, io.Reader) error {
			for _, secret := range script.Secrets {
				sent := far[encrypted].Unheard()
				if tells(sent, secret) && !secretInClear[name] {
					t.Errorf("before TLS the peer was sent %q", sent)
				}
			}
			return nil
		}
		outcome, err := modules[name].Negotiate(context.Background(), host, guest.Limits{Time: 10 * time.Second})
		if err == nil {
			if outcome.TLS[1-encrypted] {
				t.Errorf("relay with TLS on %v", outcome.TLS)
			}
			return
		}
		e, ok := errors.AsType[*guest.Error](err)
		if !ok {
			t.Fatal(err)
		}
		blames := e.Class == abi.FailPeer || e.Class == abi.FailPolicy
		if e.Kind == guest.KindClear || e.Kind == guest.KindRefusal && blames && e.Reason != "" {
			return
		}
		t.Errorf("%s, class %s: %v\n%s", e.Kind, e.Class, e, e.Trace)
	})
}

// secretInClear lists the guests whose protocol logs in at a proxy before TLS begins.
var secretInClear = map[string]bool{"connect": true}

// tells says whether a text holds a secret, as it is or in base64.
func tells(text []byte, secret string) bool {
	return len(secret) > 3 && (bytes.Contains(text, []byte(secret)) ||
		bytes.Contains(text, []byte(base64.StdEncoding.EncodeToString([]byte(secret)))))
}

// said is a connection to a peer that has said all it ever says.
func said(text []byte, single bool) (near, far *flight.Conn) {
	near, far = flight.Pipe(single)
	// Neither fails: nobody has closed the connection.
	_, _ = far.Write(text)
	_ = far.CloseWrite()
	return near, far
}
