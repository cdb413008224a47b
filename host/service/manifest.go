package service

import (
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// checkGuestOptions refuses a guestOption that the guest's manifest does not name:
// a guest reads what it knows, and a misspelt option would have no effect unseen. A
// guest without a manifest says nothing about its options, and gets any.
func checkGuestOptions(sc *config.Service, manifest []byte) *config.Error {
	known, told := (&guest.Info{Manifest: manifest}).Options()
	if !told {
		return nil
	}
	for _, o := range sc.Guest.Options {
		if slices.Contains(known, o.Key) {
			continue
		}
		e := sc.Errorf("guestOption", "the guest %s has no option %q", sc.Protocol, o.Key)
		if len(known) == 0 {
			return e.WithHint("it has none at all")
		}
		return e.WithHint("it has %s", strings.Join(known, ", "))
	}
	return nil
}
