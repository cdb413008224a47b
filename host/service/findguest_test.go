package service

import (
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// TestNoSuchGuest has protocols that nothing answers to: those of stunnel are told
// from misspelt ones, and where a module was looked for is said.
func TestNoSuchGuest(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		protocol, reason, place string
		path                    []string
	}{
		{"capwin", "CapWIN's login is not supported", "leave this service to stunnel", nil},
		{"smpt", "Protocol not supported", "smpt.wasm in a directory of guestPath", nil},
		{"odd", "Protocol not supported", "odd.wasm in " + dir + ", /nowhere", []string{dir, "/nowhere"}},
	} {
		_, e := protocolLine(&config.Service{Protocol: tt.protocol}).find(tt.path)
		if e == nil || e.Reason != tt.reason || !strings.Contains(e.Hint, tt.place) {
			t.Errorf("%s: %+v", tt.protocol, e)
		}
	}
}
