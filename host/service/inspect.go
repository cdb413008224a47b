package service

import (
	"context"
	"errors"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// A Found is a line of a service that names a guest, with the module that it leads to.
type Found struct {
	Source guest.Source
	Err    error // no module was found; nil: Source is it

	ref    guestRef
	lookup func(key string) (string, bool) // what its configure reads
}

// FindGuests finds the modules that a service's protocol and its policies name.
func FindGuests(c *config.Config, sc *config.Service) []Found {
	var all []Found
	add := func(ref guestRef, open map[string]string) {
		f := Found{ref: ref, lookup: func(key string) (string, bool) { v, ok := open[key]; return v, ok }}
		src, err := ref.find(c.Global.GuestPath)
		if f.Source = src; err != nil {
			f.Err = err
		}
		all = append(all, f)
	}
	if sc.Protocol != "" {
		open, _ := guestConfig(sc, hasSecondaries(sc, c.Services))
		add(protocolLine(sc), open)
	}
	for i := range sc.Policies {
		open, _ := policyConfig(sc, &sc.Policies[i])
		add(policyLine(sc, &sc.Policies[i]), open)
	}
	return all
}

// InspectGuest gives every reason for which a service refuses the module that was found
// for it, where Build stops at the first. Nil: it would load it.
func InspectGuest(ctx context.Context, rt *guest.Runtime, f Found) config.Errors {
	var faults config.Errors
	refuse := func(err *config.Error) { faults = append(faults, err) }
	module := loadInSpite(ctx, rt, f.Source, func(e *guest.Error) {
		hint := ""
		if e.Kind == guest.KindHash {
			hint = f.ref.pin(e.Hash)
		}
		for reason := range strings.SplitSeq(e.Reason, "; ") { // imports are all refused at once
			refuse(f.ref.errorf("%s", reason).WithHint("%s", hint))
		}
	})
	if module == nil {
		return faults
	}
	defer module.Close(ctx)
	if err := f.ref.checkOptions(module.Info.Manifest); err != nil {
		refuse(err)
	}
	limits := guest.Limits{Fuel: f.ref.sc.Guest.CPU, Pages: max(f.ref.pages, module.Info.MinPages)}
	if err := module.Configure(ctx, f.lookup, func(int, string) {}, limits); err != nil {
		refuse(f.ref.refusal(err))
	}
	return faults
}

// pin is the line that accepts a module of that hash alone.
func (ref guestRef) pin(hash string) string {
	if ref.option == "policy" {
		return "policy = " + ref.name + " sha256:" + hash
	}
	return "guestHash = sha256:" + hash
}

// loadInSpite loads a module, and lifts what refuses it where the config could: the
// pinned hash, then the grants, then the memory. It is nil if no config could load it.
func loadInSpite(ctx context.Context, rt *guest.Runtime, src guest.Source, refused func(*guest.Error)) *guest.Module {
	lift := map[guest.Kind]func(){
		guest.KindHash:   func() { src.Hash = "" },
		guest.KindImport: func() { src.Allow = everything() },
		guest.KindLoad:   func() { src.Pages = guest.MaxPages },
	}
	told := map[guest.Kind]bool{}
	for {
		module, err := rt.Load(ctx, src)
		if err == nil {
			return module
		}
		e, ok := errors.AsType[*guest.Error](err)
		if !ok {
			return nil
		}
		if told[e.Kind] {
			return nil // lifting did not help
		}
		told[e.Kind] = true
		refused(e)
		if lift[e.Kind] == nil {
			return nil
		}
		lift[e.Kind]()
	}
}

// everything is what guestAllow can grant.
func everything() (all []abi.Capability) {
	for _, c := range abi.Capabilities {
		all = append(all, c.Name)
	}
	return all
}
