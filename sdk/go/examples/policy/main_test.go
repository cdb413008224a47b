//go:build !wasm

package main

import (
	"testing"

	stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
)

// TestDecide holds the decision to its options without building a module.
func TestDecide(t *testing.T) {
	for _, tt := range []struct{ peer, allow, reason string }{
		{"192.0.2.7:40000", "198.51.100.0/24\n192.0.2.0/28", ""},
		{"192.0.2.16:40000", "192.0.2.0/28", `client "192.0.2.16" is in no guestOption allow`},
		{"192.0.2.7:40000", "192.0.2.0/33", `guestOption allow: "192.0.2.0/33" is no address and no CIDR`},
	} {
		f := &stunnel.Fake{
			Config: map[string]string{"option.allow": tt.allow},
			Info:   map[stunnel.InfoID]string{stunnel.InfoStage: "accept", stunnel.InfoPeerAddr: tt.peer},
		}
		stunnel.Use(f)
		status, reason := decide(), ""
		if f.Failed != nil {
			reason = f.Failed.Sentence
		}
		if reason != tt.reason || (status == 0) != (tt.reason == "") {
			t.Errorf("%s: status %d, refused with %q", tt.peer, status, reason)
		}
	}
}
