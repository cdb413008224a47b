package stunnel_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// TestExamples builds the examples with the Go toolchain, and plays transcripts against
// what that gives. None asks for a capability, and each begins from an image.
func TestExamples(t *testing.T) {
	for example, flights := range map[string]map[string]string{
		"toy": {
			"server": "-- conf --\n-- talk --\nL: HELLO\nL< READY?\nL: STARTTLS\nL< GO\ntls L\nrelay\n",
			"client": "-- conf --\nclient = yes\n-- talk --\nS< HELLO\nS: READY?\nS< STARTTLS\nS: GO\ntls S\nrelay\n",
			"option": "-- conf --\nguestOption = ready=READY!\n-- talk --\n" +
				"L: HELLO\nL< READY!\nL: STARTTLS\nL< GO\ntls L\nrelay\n",
			"wrong word": "-- conf --\n-- talk --\nL: HELO\nL< ERROR\nclose: peer \"expected \\\"HELLO\\\", got \\\"HELO\\\"\"\n",
			"wrong answer": "-- conf --\nclient = yes\n-- talk --\nS< HELLO\nS: say \"hello\"\nS< ERROR\n" +
				"close: peer \"expected \\\"READY?\\\", got \\\"say 'hello'\\\"\"\n",
			"long line":       "-- conf --\n-- talk --\nL: \"x\"*100\nclose: peer \"reading: line too long\"\n",
			"end of file":     "-- conf --\n-- talk --\nL: HELLO\nL< READY?\nL: \"STARTT\"\neof L\nclose: peer \"reading: connection closed\"\n",
			"nobody there":    "-- conf --\nclient = yes\n-- talk --\nconnect refused\nclose: peer \"connecting: connection refused\"\n",
			"handshake fails": "-- conf --\n-- talk --\nL: HELLO\nL< READY?\nL: STARTTLS\nL< GO\nL: HELLO\nclose: peer \"starting TLS: TLS handshake failed\"\n",
			"injection": "-- conf --\n-- talk --\nL: HELLO\nL< READY?\nL: \"STARTTLS\\r\\nDELETE\\r\\n\"\nL< GO\n" +
				"close: peer \"starting TLS: plaintext came before the handshake\"\n-- bytes --\n" +
				"L: HELLO\nL< READY?\nL: \"STARTTLS\\r\\nDELETE\\r\\n\"\nL< GO\nclose: peer \"starting TLS: TLS handshake failed\"\n",
		},
		"policy": {
			"allow":      accept("192.0.2.7:40000", "198.51.100.0/24", "192.0.2.0/28") + "allow\n",
			"deny":       accept("192.0.2.16:40000", "198.51.100.0/24", "192.0.2.0/28") + "deny: policy \"client \\\"192.0.2.16\\\" is in no guestOption allow\"\n",
			"IPv6":       accept("2001:db8:0:1::7:40000", "2001:db8::/47") + "allow\n",
			"IPv6, deny": accept("2001:db8:2::7:40000", "2001:db8::/47", "::1") + "deny: policy \"client \\\"2001:db8:2::7\\\" is in no guestOption allow\"\n",
			"mapped":     accept("::ffff:192.0.2.7:40000", "192.0.2.7") + "allow\n",
			"no address": accept("", "0.0.0.0/0", "::/0") + "deny: policy \"client \\\"\\\" has no address\"\n",
			"no option":  accept("192.0.2.7:40000") + "deny: config \"guestOption allow: there is none, so that nobody would be allowed\"\n",
			"no CIDR":    accept("192.0.2.7:40000", "192.0.2.0/33") + "deny: config \"guestOption allow: \\\"192.0.2.0/33\\\" is no address and no CIDR\"\n",
			"later":      "-- conf --\ninfo.stage = dial\ninfo.peer_addr = 192.0.2.16:1\nguestOption = allow=192.0.2.0/28\n-- talk --\nallow\n",
		},
	} {
		t.Run(example, func(t *testing.T) {
			module := build(t, example)
			if module.Info.Plain != "" {
				t.Errorf("it begins from no image: %s", module.Info.Plain)
			}
			if len(module.Info.Manifest) == 0 || !module.Info.Configures || len(module.Info.Capabilities) > 0 {
				t.Errorf("manifest %q, configures %v, capabilities %q", module.Info.Manifest, module.Info.Configures, module.Info.Capabilities)
			}
			for name, text := range flights {
				script, err := flight.Parse(text)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for _, single := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						o := flight.Options{Single: single, Patience: time.Hour}
						if err := flight.Play(t.Context(), module, script, o); err != nil {
							t.Errorf("%s, byte by byte %v: %v", name, single, err)
						}
					})
				}
			}
		})
	}
}

// accept begins a transcript of a policy at stage accept.
func accept(peer string, allow ...string) string {
	text := "-- conf --\ninfo.stage = accept\ninfo.peer_addr = " + peer + "\n"
	for _, cidr := range allow {
		text += "guestOption = allow=" + cidr + "\n"
	}
	return text + "-- talk --\n"
}

// build makes an example's module as its Makefile does, and loads it.
func build(t *testing.T, example string) *guest.Module {
	t.Helper()
	file := filepath.Join(t.TempDir(), example+".wasm")
	dir := filepath.Join("examples", example)
	compile := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags", "-s -w", "-o", file, "./"+dir)
	compile.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	add := exec.Command("go", "run", "./addmanifest", filepath.Join(dir, "manifest.txt"), file)
	for _, step := range []*exec.Cmd{compile, add} {
		if text, err := step.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", example, err, text)
		}
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
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
	module, err := runtime.Load(ctx, guest.Source{Name: example, Wasm: wasm, Role: guest.AnyRole})
	if err != nil {
		t.Fatal(err)
	}
	return module
}
