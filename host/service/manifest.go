package service

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// checkOptions refuses a guestOption that the guest's manifest does not name: a guest
// reads what it knows, and a misspelt option would have no effect unseen. A guest
// without a manifest says nothing about its options, and gets any.
func (ref guestRef) checkOptions(manifest []byte) *config.Error {
	known, told := (&guest.Info{Manifest: manifest}).Options()
	if !told {
		return nil
	}
	for _, o := range ref.options {
		if slices.Contains(known, o.Key) {
			continue
		}
		e := at(ref.sc, o.Place, "the guest %s has no option %q", ref.label, o.Key)
		if len(known) == 0 {
			return e.WithHint("it has none at all")
		}
		return e.WithHint("it has %s", strings.Join(known, ", "))
	}
	return nil
}

// optionWord begins the sentence of a guest that is about one of its options:
// "guestOption NAME: WHY", or "guestOption NAME N: WHY" for the Nth of several.
const optionWord = "guestOption "

// refusal is the error for a guest that refuses its options.
func (ref guestRef) refusal(err error) *config.Error {
	if g, ok := errors.AsType[*guest.Error](err); ok {
		if place, ok := ref.place(g.Reason); ok {
			return at(ref.sc, place, "%v", err)
		}
	}
	return ref.errorf("%v", err)
}

// place finds the line that a guest's refusal of its options is about.
func (ref guestRef) place(reason string) (config.Place, bool) {
	subject, _, ok := strings.Cut(reason, ":")
	subject, about := strings.CutPrefix(subject, optionWord)
	if !ok || !about {
		return config.Place{}, false
	}
	name, number, _ := strings.Cut(subject, " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		n = 1
	}
	for _, o := range ref.options {
		if o.Key != name {
			continue
		}
		if n--; n == 0 {
			return o.Place, true
		}
	}
	return config.Place{}, false
}
