package guest

import (
	"strings"
	"testing"
)

// TestModes loads modules for the modes of some services and runs them in both.
func TestModes(t *testing.T) {
	const (
		invalid = `the module is not valid: invalid function`
		alone   = `of the protocol it exports "negotiate_server" alone: it is for services with "client = no"`
	)
	for _, c := range []struct {
		module         string
		modes          Modes
		load           string // the error; empty: it loads
		server, client string // the errors of a run; empty: it relays
	}{
		{"server_only", 0, "", "", alone},
		{"server_only", ServerMode, "", "", alone},
		{"server_only", ServerMode | ClientMode, "", "", alone},
		{"returns", ServerMode, "", "negotiate returned -6 (timeout)", "negotiate returned -6 (timeout)"},
		{"returns", ClientMode, "", "negotiate returned -6 (timeout)", "negotiate returned -6 (timeout)"},
		// Nothing sees a half that is not called but the parser.
		{"invalid_half", 0, invalid, "", ""},
		{"invalid_half", ClientMode, invalid, "", ""},
		{"invalid_half", ServerMode | ClientMode, invalid, "", ""},
		{"invalid_half", ServerMode, "", "", `it was loaded without "negotiate_client"`},
	} {
		for engine, interpreter := range map[string]bool{"compiler": false, "interpreter": true} {
			r := newRuntime(t, interpreter)
			m, err := r.Load(t.Context(), Source{Name: c.module, Wasm: module(t, c.module), Modes: c.modes})
			if c.load != "" {
				if err == nil || !strings.Contains(err.Error(), c.load) {
					t.Errorf("%s for %d on the %s: %v, want %s", c.module, c.modes, engine, err, c.load)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for client, want := range map[string]string{"no": c.server, "yes": c.client} {
				ours, _ := pair(t)
				_, err := m.Negotiate(t.Context(), &testHost{accepted: ours, options: map[string]string{"client": client}}, Limits{})
				if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)) {
					t.Errorf("%s for %d on the %s, client = %s: %v, want %q", c.module, c.modes, engine, client, err, want)
				}
			}
		}
	}
}

// TestPoliciesAreLoadedAlone leaves out what a policy is not called for.
func TestPoliciesAreLoadedAlone(t *testing.T) {
	m, err := newRuntime(t, false).Load(t.Context(), Source{Name: "decide", Wasm: module(t, "decide"), Role: Policy, Allow: everything()})
	if err != nil {
		t.Fatal(err)
	}
	ours, _ := pair(t)
	if _, err := m.Negotiate(t.Context(), &testHost{accepted: ours}, Limits{}); err == nil {
		t.Error("a policy negotiates")
	}
}
