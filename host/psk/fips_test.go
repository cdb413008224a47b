package psk

import (
	"crypto/fips140"
	"crypto/tls"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestFIPSMode runs TestInFIPSMode in a process that is in FIPS mode.
func TestFIPSMode(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestInFIPSMode$", "-test.v", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=on")
	out, err := testpeer.CombinedOutput(t, cmd)
	if err != nil || !strings.Contains(string(out), "FIPS mode is on") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestInFIPSMode has nothing but approved algorithms offered, taken and asked for, and a
// configuration that leaves none refused. Outside of FIPS mode it shows that there are others.
func TestInFIPSMode(t *testing.T) {
	t.Parallel()
	on := fips140.Enabled()
	if on {
		t.Log("FIPS mode is on")
	}
	all := config(t, nil)
	if got := slices.Contains(all.groups(), tls.X25519); got == on {
		t.Errorf("X25519 is among the groups: %v", got)
	}
	for _, list := range [][]*suite{all.suites12(), all.suites13()} {
		if len(list) == 0 {
			t.Error("no suite is left")
		}
		if got := slices.ContainsFunc(list, func(s *suite) bool { return strings.Contains(s.name, "CHACHA20") }); got == on {
			t.Errorf("ChaCha20 is among the suites: %v", got)
		}
	}
	for _, bounds := range []func(*Config){only12, only13} {
		c, s := connected(t, config(t, bounds), config(t, nil))
		exchangeText(t, c, s)
		if got := c.ConnectionState().CurveID; (got == tls.X25519) == on {
			t.Errorf("agreed on %v", got)
		}
	}
	for name, change := range map[string]func(*Config){
		"X25519 alone": func(c *Config) { c.Groups = []tls.CurveID{tls.X25519} },
		"ChaCha20 alone": func(c *Config) {
			c.Suites = []uint16{tls.TLS_CHACHA20_POLY1305_SHA256, TLS_PSK_WITH_CHACHA20_POLY1305_SHA256}
		},
	} {
		for _, client := range []bool{true, false} {
			if err := config(t, change).Check(client); (err != nil) != on {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
