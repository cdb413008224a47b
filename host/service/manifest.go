package service

import (
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// manifestOption begins the lines of a manifest (abi.ManifestSection) that name a
// guestOption: "option: guestOption = NAME=...".
const manifestOption = "option: guestOption = "

// checkGuestOptions refuses a guestOption that the guest's manifest does not name:
// a guest reads what it knows, and a misspelt option would have no effect unseen. A
// guest without a manifest says nothing about its options, and gets any.
func checkGuestOptions(sc *config.Service, manifest []byte) *config.Error {
	if len(manifest) == 0 {
		return nil
	}
	var known []string
	for line := range strings.Lines(string(manifest)) {
		if rest, ok := strings.CutPrefix(line, manifestOption); ok {
			name, _, _ := strings.Cut(strings.TrimSpace(rest), "=")
			known = append(known, name)
		}
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
