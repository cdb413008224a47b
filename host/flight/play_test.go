package flight_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

func load(t *testing.T, name string) *guest.Module {
	t.Helper()
	ctx := context.Background()
	runtime, err := guest.NewRuntime(ctx, guest.RuntimeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runtime.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	wasm, _ := stdproto.Lookup(name)
	module, err := runtime.Load(ctx, guest.Source{Name: name, Wasm: wasm, Allow: stdproto.Grants(name)})
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// TestPlayInRealTime plays transcripts without a bubble, as the command line does. It is
// package stdproto that plays all of them.
func TestPlayInRealTime(t *testing.T) {
	module := load(t, "smtp")
	files, err := filepath.Glob("../../testdata/flights/smtp/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no flights: ", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := flight.Parse(string(text))
		if err != nil {
			t.Fatal(err)
		}
		if f.Config["option.detectTLS"] != "" {
			continue // a guest that waits for so long: how it goes depends on how idle the machine is
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			for _, single := range []bool{false, true} {
				if err := flight.Play(t.Context(), module, f, flight.Options{Single: single}); err != nil {
					t.Errorf("byte by byte: %v: %v", single, err)
				}
			}
		})
	}
}

// TestPlayWaits lets a guest's time-out pass in real time.
func TestPlayWaits(t *testing.T) {
	f, err := flight.Parse("-- conf --\nguestOption = detectTLS=20\n-- talk --\n" +
		"S: 220 mx ESMTP\nL< 220 mx stunnel for ESMTP\neof L\n" +
		"close: peer \"reading the client's command: connection closed\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := flight.Play(t.Context(), load(t, "smtp"), f, flight.Options{}); err != nil {
		t.Error(err)
	}
}

// TestPlayFaults checks what is said of a guest that leaves the script.
func TestPlayFaults(t *testing.T) {
	module := load(t, "smtp")
	const greeting = "-- talk --\nS: 220 mx ESMTP\n"
	for _, test := range []struct{ name, text, want string }{
		{"other words", greeting + "L< 220 mx\nrelay\n",
			`line 3: L< 220 mx: received "220 mx stunnel for ESMTP\r\n"`},
		{"other words on the other side", greeting + "S< EHLO x\nrelay\n",
			"line 3: S< EHLO x: received \"\", and the guest still waits for L\nthe guest also sent \"220 mx stunnel for ESMTP\\r\\n\" to L"},
		{"silence", "-- talk --\nS< EHLO x\nrelay\n",
			`line 2: S< EHLO x: received "", and the guest still waits for S`},
		{"early words", greeting + "L: EHLO x\nrelay\n",
			`line 3: L: EHLO x: the guest sent "220 mx stunnel for ESMTP\r\n" to L before`},
		{"fewer bytes", greeting + "L< 220 mx stunnel for ESMTP\nL~ 3\nrelay\n",
			`line 4: L~ 3: received "", and the guest still waits for L`},
		{"no relay", "-- talk --\nrelay\n", "line 2: relay: the guest still waits for S"},
		{"no handshake", greeting + "L< 220 mx stunnel for ESMTP\nL: EHLO x\nL< 250-mx\nL< 250 STARTTLS\nL: STARTTLS\nL< 220 Go ahead\n" +
			"annotate ehlo \"x\"\nrelay\n",
			"line 10: relay: the guest still waits for the handshake of L (tls L)"},
		{"refusal for relay", "-- talk --\neof S\nL< 421 4.4.1 Mail server not available\nrelay\n",
			`line 4: relay: the guest closed with peer "reading the server's greeting: connection closed"`},
		{"refusal for words", "-- talk --\neof S\nL< 421 4.4.1 Mail server not available\nL< 220 x\nrelay\n",
			`line 4: L< 220 x: received "", and the guest closed with peer "reading the server's greeting: connection closed"`},
		{"other refusal", "-- talk --\neof S\nL< 421 4.4.1 Mail server not available\nclose: peer \"x\"\n",
			`line 4: close: peer "x": the guest closed with peer "reading the server's greeting: connection closed"`},
		{"notes", greeting + "L< 220 mx stunnel for ESMTP\nannotate a \"b\"\neof L\nclose: peer \"reading the client's command: connection closed\"\n",
			"the guest told the host:\n\nwant:\nannotate a \"b\""},
		{"wrong side", greeting + "L< 220 mx stunnel for ESMTP\nL: EHLO x\nL< 250-mx\nL< 250 STARTTLS\nL: STARTTLS\nL< 220 Go ahead\n" +
			"annotate ehlo \"x\"\ntls S\neof L\nrelay\n",
			`line 12: relay: the guest closed with peer "starting TLS with the client: TLS handshake failed"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := flight.Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			err = flight.Play(t.Context(), module, f, flight.Options{})
			if err == nil || err.Error() != test.want {
				t.Errorf("got:\n%v\nwant:\n%s", err, test.want)
			}
		})
	}
}
